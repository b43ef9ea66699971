"""How a test writes instants and the rungs of ladders: `24:00` is the end of its day, an offset stands as in the workflow."""

import re
from datetime import date, datetime, timedelta
from typing import Final

from wuye_loop.domain.time.bounds import FIRST_YEAR, LAST_YEAR, OUT_OF_RANGE
from wuye_loop.domain.time.spans import Span

_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\d)( \d\d:\d\d(:\d\d)?)?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARS: Final = f"日历只有 {FIRST_YEAR} 至 {LAST_YEAR} 年"
_END: Final = re.compile(r" 24:00(:00)?")


def wall(text: str) -> str:
    """Return an instant as a wall shows it, `24:00` as the next day's `00:00`; a date alone stays one.

    Raises ValueError, in words, for what is no instant.
    """
    found = _wall(text)
    if found is not None:
        _known_year(text)
    if found is None:
        raise ValueError('时刻要写成 "2026-03-09 17:30"（当地时间），只写日期也可以')
    return found


def day(text: str) -> date:
    """Return a day that is written `2026-04-06`. Raises ValueError, in words, for what is none."""
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError('日子要写成 "2026-04-06"，一段写成 "2026-04-04..2026-04-06"')
    _known_year(text)
    return found


def beyond(error: ValueError) -> str:
    """Say in words that time led out of the calendar; raises the error again where it says something else."""
    if OUT_OF_RANGE not in str(error):
        raise error
    return f"走出了日历：{_YEARS}"


def _known_year(text: str) -> None:
    if not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise ValueError(_YEARS)


def _wall(text: str) -> str | None:
    written = _INSTANT.fullmatch(text)
    if written is None:
        return None
    try:
        if written[2] is not None and _END.fullmatch(written[2]):
            return f"{date.fromisoformat(written[1]) + timedelta(days=1)} 00:00"
        datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return text.removesuffix(":00") if written[3] else text


def is_at(shown: str, wanted: str) -> bool:
    """Say whether what the wall shows is the instant that is written: a date alone is any time of it, its 24:00 too."""
    wanted = wall(wanted)
    if " " in wanted:
        return shown == wanted
    return shown.startswith(f"{wanted} ") or shown == wall(f"{wanted} 24:00")


def rung_name(text: str) -> str:
    """Return a rung as it is called here, however its offset is written: `handle/+1 workdays` is `handle/1 workday`."""
    clock, slash, at = text.rpartition("/")
    try:
        return f"{clock}{slash}{Span.parse(at)}"
    except ValueError:
        return text


def offset_name(at: Span | str) -> str:
    """Return an offset as a workflow writes it: with its sign."""
    return f"+{at}" if isinstance(at, Span) and at.n > 0 else str(at)
