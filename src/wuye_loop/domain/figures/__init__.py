"""Printed figures: exact arithmetic in Decimal, and what does not add up in a bulletin that somebody published."""
