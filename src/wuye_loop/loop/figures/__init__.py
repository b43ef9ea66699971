"""Figures that are kept: the scores of closed periods, and the sums that boards read."""
