"""What the effects that a definition names do to the step under construction.

`apply.py` knows each by its name; parameters and their checks are described with it in `domain.language.effects`.
"""
