"""The directory in the database: loading a document of it, and reading all of it back."""
