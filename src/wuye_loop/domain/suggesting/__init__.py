"""What a complaint's words suggest: a category with its reasons from patterns and a learned model; what is really stated.

`features.py` counts hashed characters, `model.py` weighs them (plain numbers; no library), `patterns.py` weighs the file's
own words, `stated.py` tells what is said from what is denied or supposed, `suggestion.py` puts them together.
"""
