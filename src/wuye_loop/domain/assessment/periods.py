"""考核期: a code such as 2026-11 and the time it stands for; half-open windows, told by the calendar of the scheme."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from wuye_loop.domain.assessment.scheme import Every, Period

_SHAPES: Final[dict[Every, re.Pattern[str]]] = {
    "day": re.compile(r"(\d{4})-(\d\d)-(\d\d)"),
    "week": re.compile(r"(\d{4})-W(\d\d)"),
    "month": re.compile(r"(\d{4})-(\d\d)"),
    "quarter": re.compile(r"(\d{4})-Q([1-4])"),
    "half_year": re.compile(r"(\d{4})-H([12])"),
    "year": re.compile(r"(\d{4})"),
}
_MONTHS: Final[dict[Every, int]] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
WRITTEN_AS: Final = (
    "考核期写成 2026-11-29（日）、2026-W48（周）、2026-11（月）、2026-Q4（季）、2026-H2（半年）或 2026（年）"
)


class BadPeriod(ValueError):
    """A code that names no period; the message says how one is written."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One period: its code, and the half-open window of instants in UTC."""

    every: Every
    code: str
    starts: datetime
    ends: datetime


def kind_of(code: str) -> Every:
    """Return how often a period of this code comes. Raises BadPeriod."""
    for every, shape in _SHAPES.items():
        if shape.fullmatch(code):
            return every
    raise BadPeriod(WRITTEN_AS)


def window(period: Period, code: str, zone: str) -> Stretch:
    """Return the time that a code stands for. Raises BadPeriod for one that is not of this period's kind or no date."""
    found = _SHAPES[period.every].fullmatch(code)
    if found is None:
        raise BadPeriod(WRITTEN_AS)
    try:
        first, last = _days(period.every, [int(part) for part in found.groups()])
    except (ValueError, OverflowError):
        raise BadPeriod(f"{code[:20]} 不是日历上的日子：{WRITTEN_AS}") from None
    at = time.fromisoformat(period.window) if period.window else time()
    # A day from noon to noon carries the date on which it ends: the analysis of that day.
    shift = timedelta(days=1) if period.window and at > time() else timedelta()
    tz = ZoneInfo(zone)
    starts, ends = (datetime.combine(day - shift, at, tz).astimezone(UTC) for day in (first, last))
    return Stretch(period.every, code, starts, ends)


def containing(period: Period, instant: datetime, zone: str) -> Stretch:
    """Return the period that an instant lies in."""
    local = instant.astimezone(ZoneInfo(zone))
    day = local.date()
    if period.window and local.time() >= time.fromisoformat(period.window) > time():
        day += timedelta(days=1)
    return window(period, code_of(period.every, day), zone)


def after(period: Period, span: Stretch, zone: str) -> Stretch:
    """Return the next period."""
    return containing(period, span.ends, zone)


def before(period: Period, span: Stretch, zone: str) -> Stretch:
    """Return the period before."""
    return containing(period, span.starts - timedelta(seconds=1), zone)


def year_before(period: Period, span: Stretch, zone: str) -> Stretch | None:
    """Return the same period of the year before; None where there is none of this code (29 February, week 53)."""
    code = f"{int(span.code[:4]) - 1}{span.code[4:]}"
    try:
        return window(period, code, zone)
    except BadPeriod:
        return None


def inside(outer: Stretch, part: Period, zone: str) -> list[Stretch]:
    """Return the periods of another kind that lie in this one."""
    found = []
    one = containing(part, outer.starts, zone)
    while one.ends <= outer.ends:
        if one.starts >= outer.starts:
            found.append(one)
        one = after(part, one, zone)
    return found


def code_of(every: Every, day: date) -> str:
    """Return the code of the period that a day lies in."""
    if every == "day":
        return day.isoformat()
    if every == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    if every == "year":
        return f"{day.year}"
    part = (day.month - 1) // _MONTHS[every] + 1
    return f"{day.year}-{part:02}" if every == "month" else f"{day.year}-{'Q' if every == 'quarter' else 'H'}{part}"


def year_of(code: str) -> int:
    """Return the calendar year that a period counts in."""
    return int(code[:4])


def spoken(code: str) -> str:
    """Return how people say a period: 2026年11月."""
    every = kind_of(code)
    year = f"{code[:4]}年"
    if every == "year":
        return year
    if every == "day":
        day = date.fromisoformat(code)
        return f"{year}{day.month}月{day.day}日"
    number = int(re.sub(r"\D", "", code[5:]))
    if every == "half_year":
        return f"{year}{'上' if number == 1 else '下'}半年"
    return f"{year}" + {"week": f"第{number}周", "month": f"{number}月", "quarter": f"第{number}季度"}[every]


def _days(every: Every, parts: list[int]) -> tuple[date, date]:
    if every == "day":
        first = date(*parts)
        return first, first + timedelta(days=1)
    if every == "week":
        first = date.fromisocalendar(parts[0], parts[1], 1)
        return first, first + timedelta(days=7)
    months = _MONTHS[every]
    start = (parts[1] - 1) * months if len(parts) > 1 else 0
    end = start + months
    return date(parts[0], start + 1, 1), date(parts[0] + end // 12, end % 12 + 1, 1)
