"""Proves a definition before anything is built from it: one file for each kind of thing that can be wrong.

`check.py` reads a file, then walks these in order over one `Scene`, which holds the definition and what was derived of it.
Each notes findings with their place; none raises. What needs no proof but a right shape is found while reading
(`domain.rulefile`).
"""
