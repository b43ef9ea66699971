"""Decides: what one action, one opened task, one arrival, one due rung, one document or one migration does.

From a world and a situation to a `Step` of values to be written (`records.py`); `posting.py` makes ledger rows of it. All of
it is pure: time, ids and the answers to questions come in through the world. Nothing here writes.
"""
