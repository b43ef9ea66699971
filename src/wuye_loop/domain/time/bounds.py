"""What stands on a wall: hours of the day, days of the month, and the years that a calendar knows."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2200
LAST_AGREED: Final = 2100  # year that may be agreed on: a ladder after it does not leave the calendar
NOTHING: Final = timedelta(0)
DAY: Final = timedelta(days=1)
OUT_OF_RANGE: Final = f"out of the calendar, which knows the years {FIRST_YEAR} to {LAST_YEAR}"
# One day of grace each way: the local new year and the last 24:00 lie in the neighbouring UTC year.
EARLIEST: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - DAY
_LATEST: Final = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) + DAY


def within(at: datetime) -> datetime:
    """Give the instant in UTC, or say in words that it is naive or out of range."""
    if at.tzinfo is UTC and FIRST_YEAR <= at.year <= LAST_YEAR:
        return at
    if at.tzinfo is None:
        raise ValueError("an instant needs its zone: this one has none")
    if not EARLIEST <= at <= _LATEST:
        raise ValueError(f"{at.isoformat()} leads {OUT_OF_RANGE}")
    return at.astimezone(UTC)


def shifts_of(hours: Sequence[tuple[time, time]]) -> tuple[tuple[timedelta, timedelta], ...]:
    """Give the shifts in order as times since midnight; ValueError when one is empty or crosses another."""
    if not hours:
        return ((NOTHING, DAY),)
    shifts = tuple(sorted((since_midnight(opens), since_midnight(closes) or DAY) for opens, closes in hours))
    if any(closes <= opens for opens, closes in shifts):
        raise ValueError("office hours close after they open; a night shift is two: until 24:00 and from 00:00")
    if any(after[0] < before[1] for before, after in pairwise(shifts)):
        raise ValueError("office hours must not cross each other")
    return shifts


def since_midnight(wall: time) -> timedelta:
    """Give a time of day as the time since midnight."""
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def months_on(day: date, n: int) -> date:
    """Give the day n months on (`same_day`). Raises ValueError for one that the calendar does not know."""
    year = (day.year * 12 + day.month - 1 + n) // 12
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the year {year} leads {OUT_OF_RANGE}")
    return same_day(day, n)


def same_day(day: date, n: int) -> date:
    """Give the day of the same number n months on, or that month's last (民法典 第二百零二条)."""
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
