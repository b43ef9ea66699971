"""Carries a running grievance from one version of its rules to another: which name becomes which, and what has no place.

Decides one grievance; surveying and moving all of them is `loop.migrate`.
"""
