"""Trying rules out in memory: the sandbox and what runs in it. Nothing here writes to a database."""
