"""Time as offices count it: spans, the working calendar, notices of holidays, clocks and their rungs.

Arithmetic of instants that are handed in; nobody here asks what time it is. When a clock runs is said by a definition and
decided in `domain.step`.
"""
