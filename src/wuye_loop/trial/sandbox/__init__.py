"""A grievance that nobody keeps: the same decisions as in the loop, in memory, with a town made for it."""
