"""Who is let in, and who says so: keys, links that are used once, and what takes a second person."""
