"""Reads a definition: YAML into values with their places, bases laid under, shapes checked, findings in words.

Two readers that must agree (`fast.py` says yes quickly, `careful.py` says why not); `definition.py` opens a file. That a
definition is sound is proved elsewhere (`authoring.checker`).
"""
