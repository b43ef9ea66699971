"""How an instant is written: RFC 3339, UTC, always six decimals, so that equal instants are equal bytes."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

import orjson


def as_text(at: datetime) -> str:
    """Return `2026-11-21T01:02:03.000004Z` for an aware instant."""
    return utc_text(at if at.tzinfo is UTC else at.astimezone(UTC))


@lru_cache(maxsize=1024)  # a step writes the same few instants again and again, and many deadlines are one closing time
def utc_text(at: datetime) -> str:
    """Return the same for an instant that is in UTC already: elsewhere two instants of one autumn night are equal."""
    # orjson takes a third of isoformat's time, but leaves out decimals that are all zero.
    text = orjson.dumps(at, option=orjson.OPT_UTC_Z).decode()
    return text[1:-1] if at.microsecond else f"{text[1:-2]}.000000Z"


# An id is written several times in a step; its own text costs seven times as much.
id_text = lru_cache(maxsize=1024)(str)


def wall(at: datetime, zone: tzinfo, *, due: bool = True) -> tuple[date, str]:
    """Return the day and `17:30` as a wall in this zone shows an instant; a deadline at midnight is 24:00 of the day before."""
    local = at.astimezone(zone)
    if due and local.hour == local.minute == 0:
        return local.date() - timedelta(days=1), "24:00"
    return local.date(), f"{local:%H:%M}"


def from_text(text: str) -> datetime:
    """Read what as_text wrote, and any RFC 3339 instant with an offset.

    Raises ValueError for a text without an offset.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        msg = "时间要带时区"
        raise ValueError(msg)
    return at if at.tzinfo is UTC else at.astimezone(UTC)
