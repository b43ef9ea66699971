"""Plays a simulated year day by day: arrivals, desks with office hours, clocks, moves."""
