"""Screens of residents, without an account: file, follow, urge, add, rate, reopen, score, read the lists. A query code opens a grievance."""
