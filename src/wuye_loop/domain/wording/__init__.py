"""Says in Chinese what a definition means: conditions, counts, how late something is.

For answers, explanations and pictures. Words that belong to one message stand where it is raised.
"""
