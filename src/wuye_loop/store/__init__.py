"""The database and nothing but."""
