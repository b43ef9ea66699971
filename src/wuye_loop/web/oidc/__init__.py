"""Signing in through a city's identity system: what it is asked and how its answer is proved, and the two doors for it."""
