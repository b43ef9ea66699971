"""Pages for people, rendered here and loading nothing from elsewhere.

What every page needs stands here: templates, times in words, forms, sessions, errors. Screens are in `staff`, `resident`.
"""
