"""What runs, pure: no database, no network, no clock of its own.

From the ground up: words, errors and time; privacy; the language and the directory; reading a definition, wording, routing;
the rules made ready; where a grievance stands; and at the top the step that is decided. Whoever wants to know what happens
when somebody acts begins in `step/actions.py`.
"""
