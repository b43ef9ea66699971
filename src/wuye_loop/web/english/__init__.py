"""Pages in English: the templates compiled a second time from a catalogue, and what is said in Chinese looked up in it."""
