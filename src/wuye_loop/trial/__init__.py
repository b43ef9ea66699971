"""Trying rules out in memory: towns, a sandbox, definition tests, a replay of the record, a simulated year.

Nothing here writes to a database; what is decided is decided by the same functions as in the loop.
"""
