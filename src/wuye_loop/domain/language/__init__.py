"""The workflow language: what a city's file may say, as typed and immutable values.

One file for each part of the language; `workflow.py` is the whole. Only shapes: reading them out of YAML is
`domain.rulefile`, proving them is `authoring.checker`, making them ready to run is `domain.rules`.
"""
