"""A year in seconds: arrivals, units' people and office hours, clocks and ladders, all of it said by the workflow."""
