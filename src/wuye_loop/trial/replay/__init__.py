"""What recorded grievances would have come to under other rules: each is played again and compared.

Reads the ledger and writes nothing. `steps.py` has a quick way and a careful one that must agree.
"""
