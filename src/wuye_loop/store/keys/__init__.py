"""API keys by their digests, the ring of keys that seals identities, people with their sessions and desks."""
