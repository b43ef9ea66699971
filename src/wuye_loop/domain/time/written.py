"""An instant as people, spreadsheets and other systems write it; what cannot be read is None, never a guess."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from unicodedata import normalize

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.time.bounds import FIRST_YEAR, LAST_YEAR

LONGEST: Final = 40  # characters
_MOST: Final = 200  # before spaces are gathered
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 a spreadsheet knows no zone
_FIRST_SERIAL, _LAST_SERIAL = (datetime(year, 1, 1) - _EPOCH for year in (FIRST_YEAR, 2101))  # noqa: DTZ001
_STANDARD: Final = expression(r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:z|[+-]\d\d:?\d\d(?::\d\d)?)?)?")
_SERIAL: Final = expression(r"\d{5,6}(?:\.\d+)?")
_DIGITS: Final = expression(r"\d{8,14}")
_WEEKDAY: Final = expression(r"\(?(?:星期|周|礼拜)[一二三四五六日天]\)?")
_HALVES: Final = (
    (expression(r"凌晨|清晨|早上|早晨|上午|\bam\b|(?<=\d)am\b|a\.m\."), "am"),
    (expression(r"中午"), "noon"),
    (expression(r"下午|傍晚|\bpm\b|(?<=\d)pm\b|p\.m\."), "pm"),
    (expression(r"晚上|夜间|夜里"), "night"),
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONE_MARK: Final = expression(r"(?<=\d)\s*(?:(z|utc|gmt)|(?:utc|gmt)?([+-])(\d{2}):?(\d{2}))$")
_CHINA_MARKS: Final = expression(r"\b(?:cst|北京时间)\b|北京时间")
_YMD: Final = r"(?P<y>\d{4}|\d{2})"
_DAYS: Final = tuple(
    expression(shape)
    for shape in (
        rf"{_YMD}\s*[-/.年‐‑–—]\s*(?P<m>\d{{1,2}})\s*[-/.月‐‑–—]\s*(?P<d>\d{{1,2}})\s*[日号]?(?P<rest>(?:[\st,].*|(?<=[日号]).*)?)",
        r"(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})[/.-](?P<y>\d{4})(?P<rest>(?:\s.*)?)",
    )
)
_NAMED: Final = tuple(
    expression(shape)
    for shape in (
        r"(?:[a-z]{3,9},?\s+)?(?P<mon>[a-z]{3,9})\.?\s+(?P<d>\d{1,2})(?:,\s*|\s+)(?P<rest>\d{1,2}:\d{2}(?::\d{2})?)\s+(?P<y>\d{4})",
        r"(?:[a-z]{3,9},?\s+)?(?P<mon>[a-z]{3,9})\.?\s+(?P<d>\d{1,2}),?\s+(?P<y>\d{4})(?P<rest>(?:,?\s.*)?)",
        r"(?:[a-z]{3,9},?\s+)?(?P<d>\d{1,2})[\s-](?P<mon>[a-z]{3,9})[\s-](?P<y>\d{4})(?P<rest>(?:\s.*)?)",
    )
)
_TIME: Final = expression(
    r"(?P<h>\d{1,2})\s*(?:[:时点]\s*(?:(?P<m>\d{1,2})\s*(?:[:分]\s*(?:(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?\s*秒?)?)?|(?P<half>半)|整)?)?"
)
_LATEST_HALF: Final = 12
_CENTURY: Final = 2000
_DAY_HOURS: Final = 24


def read_instant(text: str, zone: tzinfo) -> datetime | None:
    """Return the instant that a text writes, in UTC; one without a zone is of this one. None when it cannot be read.

    24:00 is the next day's beginning; of 5/6/2026 nobody can tell the month, so it is not read.
    """
    if len(text) > _MOST:
        return None
    plain = " ".join(normalize("NFKC", text).replace("，", ",").split()).casefold()
    for read in _READERS:
        at = read(plain, zone)
        if at is not None:
            return _within(at if at.tzinfo is not None else at.replace(tzinfo=zone))
    return None


def read_day(text: str) -> date | None:
    """Return the day that a text writes, whatever time of the day stands beside it; None when it cannot be read."""
    at = read_instant(text, UTC)
    return at.date() if at is not None else None


def _within(at: datetime) -> datetime | None:
    try:
        utc = at.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return utc if FIRST_YEAR <= at.year <= LAST_YEAR else None


def _standard(text: str, _: tzinfo) -> datetime | None:
    if not _STANDARD.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def _serial(text: str, _: tzinfo) -> datetime | None:
    """Read a spreadsheet's days since 1900."""
    if not _SERIAL.fullmatch(text):
        return None
    since = timedelta(seconds=round(float(text) * 86_400))
    return _EPOCH + since if _FIRST_SERIAL <= since < _LAST_SERIAL else None


def _digits(text: str, _: tzinfo) -> datetime | None:
    """Read 20261120, with hours, minutes, seconds or none of them; else the seconds or milliseconds since 1970."""
    if not _DIGITS.fullmatch(text):
        return None
    for shape, length in (("%Y%m%d", 8), ("%Y%m%d%H", 10), ("%Y%m%d%H%M", 12), ("%Y%m%d%H%M%S", 14)):
        if len(text) == length:
            try:
                at = datetime.strptime(text, shape)  # noqa: DTZ007 its zone is given afterwards
            except ValueError:
                break
            if FIRST_YEAR <= at.year <= LAST_YEAR:
                return at
    seconds = {10: 1, 13: 1000}.get(len(text))
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text) / seconds) if seconds else None


def _worded(text: str, zone: tzinfo) -> datetime | None:
    """Read a date and a time with signs or words between their numbers."""
    text = _WEEKDAY.sub(" ", text)
    offset: timedelta | None = None
    if (china := _CHINA_MARKS.search(text)) is not None:
        offset, text = timedelta(hours=8), f"{text[: china.start()]} {text[china.end() :]}"
    elif (mark := _ZONE_MARK.search(text)) is not None and ":" in text[: mark.start()]:
        hours, minutes = int(mark[3] or 0), int(mark[4] or 0)
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if mark[2] == "-" else 1)
        text = text[: mark.start()]
    found = _split(" ".join(text.split()))
    if found is None:
        return None
    day, rest = found
    within = _time_of_day(rest)
    if within is None:
        return None
    at = datetime.combine(day, time()) + within
    return at.replace(tzinfo=zone) if offset is None else (at - offset).replace(tzinfo=UTC)


def _split(text: str) -> tuple[date, str] | None:
    """Return the day a text begins with, and the rest."""
    for pattern in (*_DAYS, *_NAMED):
        found = pattern.fullmatch(text)
        if found is not None:
            parts = found.groupdict()
            day = _day(parts)
            return (day, parts.get("rest") or "") if day is not None else None
    return None


def _day(parts: dict[str, str | None]) -> date | None:
    year = int(parts["y"] or 0)
    if year < 100:  # noqa: PLR2004 two digits of a year
        year += _CENTURY
    if parts.get("mon"):
        names = [n for n, name in enumerate(_MONTHS, 1) if str(parts["mon"]).startswith(name)]
        month, day = (names or [0])[0], int(parts["d"] or 0)
    elif parts.get("a"):
        one, other = int(parts["a"] or 0), int(parts["b"] or 0)
        month, day = (other, one) if one > _LATEST_HALF else (one, other)
        if max(one, other) <= _LATEST_HALF and one != other:
            return None
    else:
        month, day = int(parts["m"] or 0), int(parts["d"] or 0)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time_of_day(text: str) -> timedelta | None:
    """Return the time since midnight that a text writes; nothing written is midnight."""
    text = text.strip(" ,t")
    half = None
    for pattern, name in _HALVES:
        if pattern.search(text) is not None:
            half, text = name, pattern.sub(" ", text, count=1).strip()
    if not text:
        return timedelta(0) if half is None else None
    found = _TIME.fullmatch(text)
    if found is None or (found["m"] is None and found["half"] is None and not re.search("[时点]", text) and not half):
        return None
    hours, minutes = int(found["h"]), 30 if found["half"] else int(found["m"] or 0)
    seconds, part = int(found["s"] or 0), float(f"0.{found['f'] or 0}")
    hours = _of_half(hours, half)
    if hours > _DAY_HOURS or minutes > 59 or seconds > 59 or (hours == _DAY_HOURS and (minutes or seconds)):  # noqa: PLR2004
        return None
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=round(part * 1_000_000))


def _of_half(hours: int, half: str | None) -> int:
    if half == "am" and hours == _LATEST_HALF:
        return 0
    if half in ("pm", "night") and hours < _LATEST_HALF:
        return hours + _LATEST_HALF
    if half == "night" and hours == _LATEST_HALF:
        return _DAY_HOURS
    if half == "noon" and hours < 3:  # noqa: PLR2004 one and two at noon are afternoon
        return hours + _LATEST_HALF
    return hours


_READERS: Final[tuple[Callable[[str, tzinfo], datetime | None], ...]] = (_standard, _serial, _digits, _worded)
