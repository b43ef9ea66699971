"""The working calendar in the database: its days, what a new notice moves, the years it begins with."""
