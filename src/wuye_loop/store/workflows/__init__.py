"""Definitions as they were published, and the files they are published from."""
