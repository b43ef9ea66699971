"""Screens of residents, without an account: file, follow, urge, add, rate, reopen. A query code opens a grievance."""
