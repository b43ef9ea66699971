"""Screens of residents, without an account: file and follow, rate, score, read lists. A query code opens a grievance."""
