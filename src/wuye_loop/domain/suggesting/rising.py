"""A matter that rises (未诉先办): a week's count against the weeks before it, small numbers as counts, false alarms bounded.

A week holds each weekday once, so that the rhythm of the week falls out of the comparison. The expected count is not known
but estimated from a few weeks: the chance of the present count under all rates that fit the past (a gamma of Poissons,
which is a negative binomial) is what is compared, and it is divided among all series that are looked at.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

WEEK: Final = 7
PAST: Final = 8  # weeks that a week is compared with
LEAST: Final = 3  # in a week: fewer are never a rising matter
QUIET: Final = 14  # days during which a matter that was told of is not told of again
A_YEAR: Final = 12.0  # false alarms in a year, at most, over all series together, if nothing ever rises
MARK: Final = "rising:"  # begins the external id of what a rise has opened: it is no arrival that makes a matter rise
_SHAPE: Final = 0.5  # of what is thought of a series before it is seen (Jeffreys)


@dataclass(frozen=True, slots=True)
class Rise(Generic[Key]):
    """One alarm: in the week up to this day, so many of this key came, where so many were to be expected."""

    key: Key
    day: date
    count: int
    expected: float
    chance: float  # that as many or more come in a week though nothing has changed


def chance(count: int, past: int, weeks: float) -> float:
    """Return the chance of `count` or more in a week, after `past` in so many weeks."""
    shape, share = past + _SHAPE, weeks / (weeks + 1)
    below = 0.0
    term = shape * math.log(share)  # the logarithm of the chance of none
    for n in range(count):
        below += math.exp(term)
        term += math.log((shape + n) / (n + 1)) + math.log(1 - share)
    return max(0.0, 1 - below)


def rises(
    days: Mapping[Key, Sequence[date]], first: date, last: date, *, a_year: float = A_YEAR, past: int = PAST
) -> list[Rise[Key]]:
    """Return the alarms from day to day over what came on which days, in order; repeats within `QUIET` days are left out.

    The first alarm can be told when there are four weeks behind the week that is looked at.
    """
    level = a_year / 365 / max(1, len(days))
    found: list[Rise[Key]] = []
    for key, came in days.items():
        found += _of(key, sorted(came), first, last, level, past)
    return sorted(found, key=lambda one: (one.day, one.chance, str(one.key)))


def _of(key: Key, came: Sequence[date], first: date, last: date, level: float, past: int) -> Iterable[Rise[Key]]:
    told: date | None = None
    for day in sorted({one for one in came if one <= last}):
        start = day - timedelta(days=WEEK)
        begin = max(first - timedelta(days=1), start - timedelta(weeks=past))
        weeks = (start - begin).days / WEEK
        if weeks < past / 2 or (told is not None and (day - told).days < QUIET):
            continue
        count = sum(start < one <= day for one in came)
        before = sum(begin < one <= start for one in came)
        if count < LEAST:
            continue
        value = chance(count, before, weeks)
        if value < level:
            told = day
            yield Rise(key, day, count, round((before + _SHAPE) / weeks, 2), value)
