"""How far two clocks are apart, when one was read between two looks at the other."""

from datetime import datetime, timedelta


def skew(before: datetime, there: datetime, after: datetime) -> timedelta:
    """Return how far our clock is ahead of another: positive ahead, negative behind, zero where the looks do not tell.

    `before` and `after` are what ours showed when the other was asked and when it had answered.
    """
    if before > there:
        return before - there
    return min(after - there, timedelta())
