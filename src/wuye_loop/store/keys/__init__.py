"""API keys by their digests, and the ring of keys that seals identities."""
