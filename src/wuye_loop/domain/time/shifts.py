"""Ranges of a day's clock as rules write them: `08:30-12:00`, to 24:00 where it is the end of the day."""

from datetime import time

_DAY = 86_400


def shift_of(text: str) -> tuple[time, time]:
    """Read "08:30-12:00"; 24:00 is the end of the day. Raises ValueError for anything else."""
    opens, _, closes = text.partition("-")
    return time.fromisoformat(opens), time() if closes == "24:00" else time.fromisoformat(closes)


def seconds_of(shift: tuple[time, time]) -> int:
    """Return how long a shift of one day is, a close of 00:00 being the end of the day."""
    opens, closes = (one.hour * 3600 + one.minute * 60 for one in shift)
    return (closes or _DAY) - opens
