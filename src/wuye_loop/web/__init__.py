"""Pages for people, rendered here and loading nothing from elsewhere."""
