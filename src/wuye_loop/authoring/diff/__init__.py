"""What differs between two versions of a definition, in words for the clerk and by whom it is felt.

`compare.py` lines the two sides up (`aligned.py`: what was renamed is one thing) and asks a file for each part of the
language. It compares what is written, not what happens: that is what `trial.replay` is for.
"""
