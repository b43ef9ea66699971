"""Learning to suggest: examples with what was decided, a model fitted to them, and honest figures of what it is worth.

Only `training.py` needs scikit-learn (the extra `learn`); what it makes is applied by `domain/suggesting` without it.
"""
