"""Everything a step reads and writes of one grievance, in as few round trips as can be.

`locking.py` reads it under its lock, `step.py` is the one writer, `intake.py` looks before a new one is taken in. Lists over
many grievances are `store.reads`.
"""
