"""The closed loop 闭环: every write to a grievance happens here, and only here.

The stages are files in the order a grievance travels: collect, assign, handle, escalate, feedback; the sixth, evaluate, is a room.
Each asks the `engine`, which locks, lets the domain decide, and writes. What only reads is `queries`, one floor up.
"""
