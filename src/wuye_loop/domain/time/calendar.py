from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wuye_loop.domain.time.bounds import (
    DAY,
    FIRST_YEAR,
    LAST_YEAR,
    NOTHING,
    OUT_OF_RANGE,
    months_on,
    shifts_of,
    since_midnight,
    within,
)
from wuye_loop.domain.time.spans import Span, TimeUnit

CACHED: Final = 4096  # answers kept of each kind: days come again and again, instants by the ladders of one clock
_HOUR: Final = timedelta(hours=1)
_MONDAY_TO_FRIDAY: Final = 5


class Starts(StrEnum):
    """Which day is day 1 of a limit stated in days or workdays; every limit says it for itself."""

    AT_ONCE = "at once"
    SAME_DAY = "same day"
    NEXT_DAY = "next day"
    NEXT_WORKDAY = "next workday"


# Members by names of their own: looking one up on its class takes ten times as long.
_AT_ONCE, _SAME_DAY, _NEXT_WORKDAY = Starts.AT_ONCE, Starts.SAME_DAY, Starts.NEXT_WORKDAY
_DAY, _WORKHOUR, _WORKDAY, _MONTH = TimeUnit.DAY, TimeUnit.WORKHOUR, TimeUnit.WORKDAY, TimeUnit.MONTH


@dataclass(slots=True)  # a value all the same; not frozen, because that takes three times as long to make
class Due:
    """When a limit runs out: the UTC instant, whether an unpublished year had a say, the days off passed over."""

    at: datetime
    provisional: bool
    skipped: tuple[date, ...]


class _Year(NamedTuple):
    works: list[date]
    off: list[date]
    shifts: dict[date, list[tuple[datetime, datetime]]]  # when the office is open on each of the workdays
    days: list[date]  # of every shift of the year, in order
    opens: list[datetime]
    closes: list[datetime]
    office: list[timedelta]  # office time of the year before each shift; the last one is the whole year
    begins: datetime
    ends: datetime


class WorkCalendar:
    """Working days and office hours of one zone, for the years 1990 to 2200: every deadline is counted here.

    Monday to Friday work unless `days` says otherwise (True works, False is off: the State Council's yearly notice
    of holidays and make-up days, 国务院办公厅关于部分节假日安排的通知). A year not in `published` is provisional.
    `hours` are (open, close) of each shift; a close of 00:00 is 24:00; no hours at all is the whole day.
    ValueError in words for an unknown zone, crossing shifts, a naive instant, a year out of range.

    A calendar never changes, so what depends on days alone (or is asked again for the very instant) is kept.
    """

    __slots__ = (
        "_days", "_given", "_hours", "_midnights", "_month_end", "_office_day", "_published", "_today", "_workday",
        "_workdays_end", "_years", "_zone", "between", "version",
    )  # fmt: skip

    def __init__(
        self,
        zone: str,
        hours: Sequence[tuple[time, time]],
        days: Mapping[date, bool],
        published: Collection[int],
        version: int = 1,
    ) -> None:
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
            raise ValueError(f"{zone[:40]!r} is no time zone: write one such as Asia/Shanghai") from unknown
        self._given = tuple(hours)
        self._hours = shifts_of(hours)
        self._office_day = sum((closes - opens for opens, closes in self._hours), NOTHING)
        self._days = dict(days)
        self._published = frozenset(published)
        self._years: dict[int, _Year] = {}
        self._midnights: dict[date, tuple[datetime, bool]] = {}
        self.version = version
        self.between = lru_cache(CACHED)(self._find_between)
        self._month_end = lru_cache(CACHED)(self._find_month_end)
        self._today = lru_cache(CACHED)(lambda at: at.astimezone(self._zone).date())  # one step starts several clocks
        self._workday = lru_cache(CACHED)(self._find_workday)
        self._workdays_end = lru_cache(CACHED)(self._find_workdays_end)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkCalendar) and self._rules() == other._rules()

    def __hash__(self) -> int:
        return hash(self.version)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel to another process by the rules alone: what is kept is found again there."""
        return WorkCalendar, (self._zone.key, self._given, self._days, self._published, self.version)

    def __repr__(self) -> str:
        return f"WorkCalendar({self._zone.key!r}, version={self.version})"

    def _rules(self) -> tuple[object, ...]:
        return self.version, self._zone.key, self._hours, self._published, self._days

    # -- days ---------------------------------------------------------------------------------------------------

    def is_workday(self, day: date) -> bool:
        """Whether offices work that day: the notice's word, else Monday to Friday."""
        works = self._days.get(day)
        return day.weekday() < _MONDAY_TO_FRIDAY if works is None else works

    def is_provisional(self, day: date) -> bool:
        """Whether the day lies in a year whose notice is not out yet."""
        return day.year not in self._published

    def unpublished(self, first: date, last: date) -> bool:
        """Whether a year without a notice touches first to last, both counted."""
        if first.year == last.year:
            return first.year not in self._published
        return any(year not in self._published for year in range(first.year, last.year + 1))

    def days_off(self, first: date, last: date) -> tuple[date, ...]:
        """List the days off from first to last, both counted, in order."""
        if last < first:
            return ()
        if first.year == last.year:
            off = self._year(first.year).off
            return tuple(off[bisect_left(off, first) : bisect_right(off, last)])
        between = [day for year in range(first.year, last.year + 1) for day in self._year(year).off]
        return tuple(between[bisect_left(between, first) : bisect_right(between, last)])

    def local_date(self, at: datetime) -> date:
        """Give the date on the wall at that instant."""
        return self.local(at).date()

    # -- deadlines ----------------------------------------------------------------------------------------------

    def due(self, start: datetime, span: Span, starts: Starts) -> Due:
        """When a limit that starts now runs out; ValueError for a limit below 1.

        Minutes and hours elapse, workhours elapse in office time, whatever `starts` says. Natural days end at 24:00
        of the nth day. Workdays end when the office closes on the nth. A month ends on the day of the same number,
        else the month's last, at closing time, and on the day after the holiday when it is one. The day of start is
        not counted unless `starts` says so. Source: 民法典 第二百零一条 to 第二百零三条 (periods); 国务院 notice (days).
        AT_ONCE counts days as 24 hours and workdays as full office days, from the minute of the start.
        """
        if span.n < 1:
            raise ValueError(f"a limit is at least 1 {span.unit.value}, not {span.n}")
        start = within(start)
        if (elapsed := span.elapsed) is not None:
            return Due(within(start + elapsed), provisional=False, skipped=())
        today = self._today(start)
        if span.unit is _MONTH:
            return self._month_end(today, span.n)
        if span.unit is _DAY:
            return self._natural_end(start, today, span.n, starts)
        if span.unit is _WORKHOUR or starts is _AT_ONCE:
            office = span.n * (_HOUR if span.unit is _WORKHOUR else self._office_day)
            at, day = self._worked(start, office)
            return Due(at, *self.between(today, day))
        counts_today = starts is _SAME_DAY and self.is_workday(today) and start < self.close_of(today)
        return self._workdays_end(today, span.n - 1 if counts_today else span.n)

    def shift(self, at: datetime, span: Span) -> datetime:
        """Move an instant by a span, back when negative: the rungs of a ladder, the extension of a natural limit.

        Days, workdays and months keep the local time of day; the nth workday is counted from the day after (before),
        so that from a Sunday +1 is Monday and -1 is Friday. Midnight is the 24:00 of the day that ends, as deadlines
        mean it. A month without that day ends on its last (民法典 第二百零二条).
        """
        return self.shifts(at, (span,))[0]

    def shifts(self, at: datetime, spans: Iterable[Span]) -> list[datetime]:
        """Move one instant by each of several spans, as `shift` does."""
        at = within(at)
        wall: tuple[date, timedelta] | None = None
        found = []
        for span in spans:
            if span.elapsed is not None:
                found.append(within(at + span.elapsed))
            elif span.unit is _WORKHOUR or span.n == 0:
                found.append(self.add_working_time(at, span.n * _HOUR))
            else:
                wall = wall or self._wall(at)
                found.append(self._on(*wall, span))
        return found

    def _on(self, day: date, clock: timedelta, span: Span) -> datetime:
        if span.unit is _WORKDAY:
            return self._instant(self._workday(day, span.n), clock)
        if span.unit is _MONTH:
            return self._instant(months_on(day, span.n), clock)
        return self._instant(day + span.n * DAY, clock)

    # -- office time --------------------------------------------------------------------------------------------

    def workdays_between(self, a: datetime, b: datetime) -> int:
        """Count the workdays that have closed between `a` and `b`, the day of `a` not counted; 0 when `b` is earlier.

        So a limit of n workdays that starts at `a` the next day has run out exactly when this gives n.
        """
        first, last = self.local_date(a), self.local_date(b)
        if within(b) < self.close_of(last):
            last -= DAY
        if last <= first:
            return 0
        return sum(
            bisect_right(works, last) - bisect_right(works, first)
            for works in (self._year(year).works for year in range(first.year, last.year + 1))
        )

    def close_of(self, day: date) -> datetime:
        """When the office closes that local day, working or not; 24:00 when it has no hours."""
        shifts = self._year(day.year).shifts.get(day)
        return shifts[-1][1] if shifts else self._instant(day, self._hours[-1][1])

    def next_open(self, at: datetime) -> datetime:
        """Give the instant itself when the office is open, else the next opening."""
        at = within(at)
        day = at.astimezone(self._zone).date()
        for opens, closes in self._year(day.year).shifts.get(day, ()):
            if at < closes:
                return max(opens, at)
        following = self._workday(day, 1)
        return self._year(following.year).shifts[following][0][0]

    def working_time(self, a: datetime, b: datetime) -> timedelta:
        """Give the office time from a to b, exactly; negative when b is earlier."""
        a, b = within(a), within(b)  # two instants of one zone would compare by the wall
        if b < a:
            return -self.working_time(b, a)
        first, _, before = self._spent(a)
        last, _, after = self._spent(b)
        return sum((self._year(year).office[-1] for year in range(first, last)), after - before)

    def add_working_time(self, at: datetime, amount: timedelta) -> datetime:
        """Give the earliest instant with that much office time between: a full day ends at closing, not next morning.

        Nothing to add is the instant itself, also outside office hours.
        """
        at = within(at)
        return self._worked(at, amount)[0] if amount else at

    def _worked(self, at: datetime, amount: timedelta) -> tuple[datetime, date]:
        """Give the instant with some office time between, and the local day of the shift that it lies in."""
        year, table, spent = self._spent(at)
        wanted = spent + amount
        while wanted > table.office[-1]:
            wanted -= table.office[-1]
            year += 1
            table = self._year(year)
        while wanted <= NOTHING:
            year -= 1
            table = self._year(year)
            wanted += table.office[-1]
        place = bisect_left(table.office, wanted) - 1
        return table.opens[place] + (wanted - table.office[place]), table.days[place]

    def working_seconds(self, a: datetime, b: datetime) -> int:
        """Give the office time from a to b in whole seconds, rounded down; negative when b is earlier."""
        return self.working_time(a, b) // timedelta(seconds=1)

    # -- inside -------------------------------------------------------------------------------------------------

    def _natural_end(self, start: datetime, today: date, n: int, starts: Starts) -> Due:
        if starts is _AT_ONCE:
            return Due(within(start + n * DAY), provisional=False, skipped=())
        if starts is not _NEXT_WORKDAY:
            last = today + (n - 1 if starts is _SAME_DAY else n) * DAY
            return Due(self._instant(last, DAY), provisional=False, skipped=())
        first = self._workday(today, 1)
        at = self._instant(first + (n - 1) * DAY, DAY)
        return Due(at, *self.between(today, first))

    def _find_workdays_end(self, today: date, n: int) -> Due:
        """Find the closing of the nth workday after today (0: today's)."""
        last = self._workday(today, n)
        return Due(self.close_of(last), *self.between(today, last))

    def _find_between(self, first: date, last: date) -> tuple[bool, tuple[date, ...]]:
        """Find what the days from first to last have to say: whether one is unpublished, and the days off."""
        return self.unpublished(first, last), self.days_off(first, last)

    def _find_month_end(self, today: date, n: int) -> Due:
        same = months_on(today, n)
        last = self._workday(same - DAY, 1)
        return Due(self.close_of(last), *self.between(same, last))

    def _find_workday(self, day: date, n: int) -> date:
        """Find the nth workday after the day (0: the day itself, a workday), before it when negative."""
        year = day.year
        works = self._year(year).works
        place = bisect_right(works, day) + n - 1 if n >= 0 else bisect_left(works, day) + n
        while place >= len(works):
            place -= len(works)
            year += 1
            works = self._year(year).works
        while place < 0:
            year -= 1
            works = self._year(year).works
            place += len(works)
        return works[place]

    def _spent(self, at: datetime) -> tuple[int, _Year, timedelta]:
        """Give the local year, what is known of it, and the office time passed in it."""
        year = at.year
        table = self._years.get(year) or self._year(year)
        if not table.begins <= at < table.ends:  # the local new year is hours away from that of the instant
            year += 1 if at >= table.ends else -1
            table = self._year(year)
        place = bisect_right(table.opens, at) - 1
        if place < 0:
            return year, table, NOTHING
        return year, table, table.office[place] + (min(at, table.closes[place]) - table.opens[place])

    def _year(self, year: int) -> _Year:
        table = self._years.get(year)
        if table is None:
            table = self._years[year] = self._build(year)
        return table

    def _build(self, year: int) -> _Year:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError(f"the year {year} leads {OUT_OF_RANGE}")
        first = date(year, 1, 1)
        works: list[date] = []
        off: list[date] = []
        shifts: dict[date, list[tuple[datetime, datetime]]] = {}
        for day in (first + n * DAY for n in range((date(year + 1, 1, 1) - first).days)):
            if self.is_workday(day):
                works.append(day)
                shifts[day] = self._open(day)
            else:
                off.append(day)
        every = [shift for day in works for shift in shifts[day]]
        days = [day for day in works for _ in shifts[day]]
        office = list(accumulate((closes - opens for opens, closes in every), initial=NOTHING))
        return _Year(
            works,
            off,
            shifts,
            days,
            [opens for opens, _ in every],
            [closes for _, closes in every],
            office,
            self._instant(first, NOTHING),
            self._instant(date(year, 12, 31), DAY),
        )

    def _open(self, day: date) -> list[tuple[datetime, datetime]]:
        """Give the shifts of a day as UTC instants; what a moved clock swallows, a whole day even, has no length."""
        edge, midnight = self._instant(day, NOTHING), self._instant(day, DAY)
        shifts = []
        for opens, closes in self._hours:
            begin = min(max(edge, self._instant(day, opens)), midnight)
            edge = min(max(begin, self._instant(day, closes)), midnight)
            shifts.append((begin, edge))
        return shifts

    def _instant(self, day: date, clock: timedelta) -> datetime:
        """Give the UTC instant of a time on a local day, 24:00 included."""
        midnight, even = self._midnights.get(day) or self._midnight(day)
        return midnight + clock if even else self._at(day, clock)

    def _wall(self, at: datetime) -> tuple[date, timedelta]:
        """Give the local day and time of day of a deadline: midnight is the 24:00 of the day that ends."""
        local = self.local(at)
        day = local.date()
        midnight, even = self._midnights.get(day) or self._midnight(day)
        clock = at - midnight if even else since_midnight(local.time())
        return (day, clock) if clock else (day - DAY, DAY)

    def _midnight(self, day: date) -> tuple[datetime, bool]:
        """Find when a local day begins, and whether it is even: 24 hours long, so that no clock was moved on it."""
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError(f"the year {day.year} leads {OUT_OF_RANGE}")
        midnight = self._at(day, NOTHING)
        found = self._midnights[day] = midnight, self._at(day, DAY) - midnight == DAY
        return found

    def _at(self, day: date, clock: timedelta) -> datetime:
        return (datetime(day.year, day.month, day.day, tzinfo=self._zone) + clock).astimezone(UTC)

    @property
    def zone(self) -> ZoneInfo:
        """The office's own zone."""
        return self._zone

    def local(self, at: datetime) -> datetime:
        """Give the instant as the clock on the wall there shows it."""
        return within(at).astimezone(self._zone)
