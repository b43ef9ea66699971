"""How a test writes instants and the rungs of ladders: `24:00` is the end of its day, an offset stands as in the workflow."""

import re
from datetime import date, datetime, timedelta
from typing import Final

from wuye_loop.domain.spans import Span

_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\d)( \d\d:\d\d(:\d\d)?)?")
_END: Final = re.compile(r" 24:00(:00)?")


def wall(text: str) -> str:
    """Return an instant as a wall shows it, `24:00` as the next day's `00:00`; a date alone stays one.

    Raises ValueError, in words, for what is no instant.
    """
    found = _wall(text)
    if found is None:
        raise ValueError('时刻要写成 "2026-03-09 17:30"（当地时间），只写日期也可以')
    return found


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
