"""Time of a simulation: whole minutes on the wall since the first day began, and the office minutes among them."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.time.calendar import Starts, WorkCalendar
from wuye_loop.domain.time.shifts import shift_of
from wuye_loop.domain.time.spans import Span, TimeUnit
from wuye_loop.store.calendar.seed import published_years, seed_days

DAY: Final = 1440
_ELAPSED: Final = {TimeUnit.MINUTE: 1, TimeUnit.HOUR: 60}
Later = Callable[[int], int]  # from a minute to a minute


def shipped_calendar(office: OfficeHours) -> WorkCalendar:
    """Return the calendar of an office by the notices that came with the program, make-up days included."""
    days, published = _shipped_days()
    return WorkCalendar(office.zone, [shift_of(text) for text in office.hours], days, published)


@cache
def _shipped_days() -> tuple[dict[date, bool], tuple[int, ...]]:
    return {day: works for day, works, _, _ in seed_days()}, published_years()


class OfficeMinutes:
    """Office time of one set of hours, counted by minute: every question is one look into a list.

    `end` is the last minute known; whatever lies beyond it is `end`. ValueError for hours that cross.
    """

    __slots__ = ("a_day", "end", "known", "office_at", "open_at", "wall_at")

    def __init__(self, calendar: WorkCalendar, hours: Sequence[str], first: date, days: int) -> None:
        shifts = sorted(_shift(text) for text in hours) or [(0, DAY)]
        self.a_day = sum(closes - opens for opens, closes in shifts)
        self.office_at: list[int] = []  # office minutes passed by each minute
        self.wall_at: list[int] = [0]  # the first minute by which so many office minutes have passed
        spent = 0
        opens_at: list[tuple[int, int]] = []
        for n in range(days):
            at = n * DAY
            works = shifts if calendar.is_workday(first + timedelta(days=n)) else []
            for opens, closes in works:
                opens_at.append((at + opens, at + closes))
                self.office_at += [spent] * (at + opens - len(self.office_at))
                self.office_at += range(spent, spent + closes - opens)
                self.wall_at += range(at + opens + 1, at + closes + 1)
                spent += closes - opens
            self.office_at += [spent] * (at + DAY - len(self.office_at))
        self.office_at.append(spent)
        self.end = days * DAY
        self.known = len(self.wall_at)
        self.open_at = self._openings(opens_at)  # the minute itself when the office is open, else the next opening

    def _openings(self, shifts: list[tuple[int, int]]) -> list[int]:
        found: list[int] = []
        for opens, closes in shifts:
            found += [opens] * (opens - len(found))
            found += range(opens, closes)
        found += [self.end] * (self.end + 1 - len(found))
        return found

    def add(self, at: int, minutes: int) -> int:
        """Return the earliest minute with so many office minutes between; a full day ends at closing."""
        if not minutes:
            return at
        wanted = self.office_at[at] + minutes
        return self.wall_at[wanted] if 0 < wanted < self.known else self.end

    def between(self, a: int, b: int) -> int:
        """Return the office minutes from a to b."""
        return self.office_at[b] - self.office_at[a]


def _shift(text: str) -> tuple[int, int]:
    opens, closes = shift_of(text)
    last = closes.hour * 60 + closes.minute or DAY
    return opens.hour * 60 + opens.minute, last


class Deadlines:
    """Limits and the offsets of rungs as functions of a minute, each day's answer asked of the calendar once."""

    def __init__(self, calendar: WorkCalendar, office: OfficeMinutes, first: date, zone: str) -> None:
        self._calendar = calendar
        self._office = office
        self._first = first
        self._zone = ZoneInfo(zone)

    def limit(self, span: Span, starts: Starts) -> Later:
        """Return when a limit runs out that starts at a minute."""
        office, last = self._office, self._office.end
        if span.unit in _ELAPSED or (span.unit is TimeUnit.DAY and starts is Starts.AT_ONCE):
            length = span.n * _ELAPSED.get(span.unit, DAY)
            return lambda at: min(last, at + length)
        if span.unit is TimeUnit.WORKHOUR or (span.unit is TimeUnit.WORKDAY and starts is Starts.AT_ONCE):
            worked = span.n * (60 if span.unit is TimeUnit.WORKHOUR else office.a_day)
            return lambda at: office.add(at, worked)
        closes = self._closing(starts)
        known: dict[int, int] = {}

        def due(at: int) -> int:
            day = at // DAY * 2 + (at % DAY >= closes)
            found = known.get(day)
            if found is None:
                found = known[day] = self._minute(self._calendar.due(self._instant(at), span, starts).at)
            return found

        return due

    def offset(self, span: Span | None) -> Later:
        """Return where a rung stands for a due minute; midnight is the end of the day before."""
        office, last = self._office, self._office.end
        if span is None:
            return lambda due: due
        if span.unit in _ELAPSED:
            length = span.n * _ELAPSED[span.unit]
            return lambda due: min(last, max(0, due + length))
        if span.unit is TimeUnit.WORKHOUR:
            return lambda due: office.add(due, span.n * 60)
        known: dict[int, int] = {}

        def stands(due: int) -> int:
            day = (due - 1) // DAY
            moved = known.get(day)
            if moved is None:
                noon = day * DAY + DAY // 2
                moved = known[day] = self._minute(self._calendar.shift(self._instant(noon), span), capped=False) - noon
            return min(last, max(0, due + moved))

        return stands

    def _closing(self, starts: Starts) -> int:
        """Only a limit that may count its first day asks whether the office is still open."""
        if starts is not Starts.SAME_DAY:
            return DAY
        local = self._calendar.local(self._calendar.close_of(self._first))
        return local.hour * 60 + local.minute or DAY

    def _instant(self, at: int) -> datetime:
        day, minute = divmod(at, DAY)
        wall = datetime.combine(self._first + timedelta(days=day), time(minute // 60, minute % 60), self._zone)
        return wall.astimezone(UTC)

    def _minute(self, at: datetime, *, capped: bool = True) -> int:
        local = self._calendar.local(at)
        minute = (local.date() - self._first).days * DAY + local.hour * 60 + local.minute
        return min(self._office.end, max(0, minute)) if capped else minute


def quantile(counts: dict[int, int], share: float) -> int | None:
    """Return the value below which this share of all counted values lies; None when nothing was counted."""
    if not counts:
        return None
    values = sorted(counts)
    sums: list[int] = []
    for value in values:
        sums.append((sums[-1] if sums else 0) + counts[value])
    return values[bisect_left(sums, share * sums[-1])]
