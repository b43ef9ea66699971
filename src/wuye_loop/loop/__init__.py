"""The closed loop 闭环: every write to a grievance happens here, and only here."""
