"""The calendar against one that walks day by day, and against itself before it has kept anything."""

import pickle
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuye_loop.domain.time.calendar import Due, Starts, WorkCalendar
from wuye_loop.domain.time.spans import Span, TimeUnit
from wuye_loop.store.calendar.seed import published_years, seed_days

SHIFTS = [(time(8, 30), time(12)), (time(13, 30), time(17, 30))]
OFFICE_DAY = timedelta(hours=7, minutes=30)
DAYS = {day: works for day, works, _, _ in seed_days()}
MAKE_UP = sorted(day for day, works in DAYS.items() if works)
DAY = timedelta(days=1)
COUNTED = [*TimeUnit, TimeUnit.WORKDAY, TimeUnit.WORKDAY, TimeUnit.WORKHOUR]  # most rules count working days


def calendar(zone: str = "Asia/Shanghai") -> WorkCalendar:
    return WorkCalendar(zone, SHIFTS, DAYS, published_years())


WARM = {zone: calendar(zone) for zone in ("Asia/Shanghai", "America/New_York")}  # summer time moves the second
SHANGHAI = WARM["Asia/Shanghai"]
SUMMER = WARM["America/New_York"]

anywhere = st.datetimes(datetime(2019, 1, 1), datetime(2027, 6, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis draws naive bounds
near_a_make_up_day = st.builds(
    lambda day, minutes: datetime.combine(day, time(), tzinfo=UTC) + timedelta(minutes=minutes),
    st.sampled_from(MAKE_UP),
    st.integers(-5 * 1440, 5 * 1440),
)
on_the_edge = st.builds(  # opening, closing, lunch and midnight in Shanghai
    lambda day, clock: datetime.combine(day, clock, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC),
    st.sampled_from([day + n * DAY for day in MAKE_UP[-40:] for n in range(-2, 3)]),
    st.sampled_from([time(8, 30), time(12), time(13, 30), time(17, 30), time(17, 29, 59, 999_999), time()]),
)
instants = anywhere | near_a_make_up_day | on_the_edge
limits = st.builds(Span, st.integers(1, 45), st.sampled_from(COUNTED))
offsets = st.builds(Span, st.integers(-30, 30), st.sampled_from(COUNTED))


@settings(max_examples=500, deadline=None)
@given(instants, limits, st.sampled_from(Starts))
def test_a_limit_ends_where_somebody_walking_the_days_finds_its_end(
    start: datetime, span: Span, starts: Starts
) -> None:
    assert SHANGHAI.due(start, span, starts) == walked_due(start, span, starts)


@settings(max_examples=500, deadline=None)
@given(instants, offsets)
def test_a_shift_ends_where_somebody_walking_the_days_ends(at: datetime, span: Span) -> None:
    assert SHANGHAI.shift(at, span) == walked_shift(at, span)


@settings(max_examples=30, deadline=None)  # every one builds new calendars
@given(instants, limits, offsets, st.sampled_from(Starts), st.sampled_from([SHANGHAI, SUMMER]))
def test_what_is_kept_is_what_a_new_calendar_finds(
    at: datetime, span: Span, offset: Span, starts: Starts, warm: WorkCalendar
) -> None:
    zone = "Asia/Shanghai" if warm is SHANGHAI else "America/New_York"
    for _ in range(2):  # the second time from what was kept
        assert warm.due(at, span, starts) == calendar(zone).due(at, span, starts)
        assert warm.shift(at, offset) == calendar(zone).shift(at, offset)


@pytest.mark.parametrize("day", MAKE_UP[-10:])
def test_a_make_up_saturday_is_day_one_of_a_limit_from_the_friday_before(day: date) -> None:
    before = datetime.combine(day - DAY, time(9), tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    assert SHANGHAI.due(before, Span(1, TimeUnit.WORKDAY), Starts.NEXT_WORKDAY).at == closing(day)


def test_two_hours_that_the_wall_shows_alike_are_told_apart() -> None:
    first = datetime(2025, 11, 2, 5, 30, tzinfo=UTC)  # 01:30 in New York, and again an hour later
    after = first + timedelta(hours=1)
    assert SUMMER.local(first).time() == SUMMER.local(after).time()
    span = Span(1, TimeUnit.HOUR)
    assert SUMMER.shift(after, span) - SUMMER.shift(first, span) == timedelta(hours=1)


def test_a_fault_is_not_kept_and_is_told_again() -> None:
    far = datetime(2200, 12, 30, tzinfo=UTC)
    for _ in range(2):
        with pytest.raises(ValueError, match="out of the calendar"):
            SHANGHAI.due(far, Span(10, TimeUnit.WORKDAY), Starts.NEXT_WORKDAY)


def test_a_calendar_travels_to_another_process_without_what_it_kept() -> None:
    start, span = datetime(2026, 9, 30, 2, tzinfo=UTC), Span(5, TimeUnit.WORKDAY)
    found = SHANGHAI.due(start, span, Starts.NEXT_WORKDAY)
    travelled = pickle.loads(pickle.dumps(SHANGHAI))  # noqa: S301 - our own bytes
    assert travelled == SHANGHAI
    assert travelled.due(start, span, Starts.NEXT_WORKDAY) == found


# -- somebody walking the days of Shanghai, which has had one offset since 1991


def works(day: date) -> bool:
    return DAYS.get(day, day.weekday() < 5)


def instant(day: date, clock: timedelta) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC) + clock - timedelta(hours=8)


def closing(day: date) -> datetime:
    return instant(day, timedelta(hours=17, minutes=30))


def shifts(day: date) -> list[tuple[datetime, datetime]]:
    hours = [(timedelta(hours=8.5), timedelta(hours=12)), (timedelta(hours=13.5), timedelta(hours=17.5))]
    return [(instant(day, opens), instant(day, closes)) for opens, closes in hours] if works(day) else []


def wall(at: datetime) -> tuple[date, timedelta]:
    local = at + timedelta(hours=8)
    day = local.date()
    clock = local - datetime.combine(day, time(), tzinfo=UTC)
    return (day, clock) if clock else (day - DAY, DAY)


def nth_workday(day: date, n: int) -> date:
    step = DAY if n > 0 else -DAY
    while n:
        day += step
        n -= (1 if n > 0 else -1) if works(day) else 0
    return day


def months_on(day: date, n: int) -> date:
    months = day.year * 12 + day.month - 1 + n
    year, month = months // 12, months % 12 + 1
    for number in range(day.day, 0, -1):
        try:
            return date(year, month, number)
        except ValueError:
            continue
    raise AssertionError


def office_time(at: datetime, amount: timedelta) -> datetime:
    return office_time_on(at, amount) if amount > timedelta() else office_time_back(at, -amount)


def office_time_on(at: datetime, amount: timedelta) -> datetime:
    day = (at + timedelta(hours=8)).date()
    while True:
        for opens, closes in shifts(day):
            begin = max(opens, at)
            if begin < closes:
                if closes - begin >= amount:
                    return begin + amount
                amount -= closes - begin
        day += DAY


def office_time_back(at: datetime, amount: timedelta) -> datetime:
    """Find the earliest instant from which that much office time passes until `at`."""
    day = (at + timedelta(hours=8)).date()
    while True:
        for opens, closes in reversed(shifts(day)):
            end = min(closes, at)
            if opens < end:
                if end - opens > amount:
                    return end - amount
                amount -= end - opens
                if not amount:
                    return before(opens, day)
        day -= DAY


def before(opens: datetime, day: date) -> datetime:
    """Give the closing before an opening: between them no office time passes, and it is the earlier one."""
    earlier = [closes for _, closes in shifts(day) if closes < opens]
    while not earlier:
        day -= DAY
        earlier = [closes for _, closes in shifts(day)]
    return earlier[-1]


def said(first: date, last: date) -> tuple[bool, tuple[date, ...]]:
    days = [first + n * DAY for n in range((last - first).days + 1)]
    guessed = any(year not in published_years() for year in range(first.year, last.year + 1))
    return guessed, tuple(day for day in days if not works(day))


def walked_due(start: datetime, span: Span, starts: Starts) -> Due:
    today = (start + timedelta(hours=8)).date()
    n = span.n
    at_once = starts is Starts.AT_ONCE
    if span.unit in (TimeUnit.MINUTE, TimeUnit.HOUR) or (span.unit is TimeUnit.DAY and at_once):
        length = {TimeUnit.MINUTE: timedelta(minutes=1), TimeUnit.HOUR: timedelta(hours=1), TimeUnit.DAY: DAY}
        return Due(start + n * length[span.unit], provisional=False, skipped=())
    if span.unit is TimeUnit.MONTH:
        same = last = months_on(today, n)
        while not works(last):
            last += DAY
        return Due(closing(last), *said(same, last))
    if span.unit is TimeUnit.WORKHOUR or (span.unit is TimeUnit.WORKDAY and at_once):
        at = office_time(start, n * (timedelta(hours=1) if span.unit is TimeUnit.WORKHOUR else OFFICE_DAY))
        return Due(at, *said(today, wall(at)[0]))
    if span.unit is TimeUnit.DAY:
        if starts is Starts.NEXT_WORKDAY:
            first = nth_workday(today, 1)
            return Due(instant(first + (n - 1) * DAY, DAY), *said(today, first))
        last = today + (n - 1 if starts is Starts.SAME_DAY else n) * DAY
        return Due(instant(last, DAY), provisional=False, skipped=())
    counts_today = starts is Starts.SAME_DAY and works(today) and start < closing(today)
    last = nth_workday(today, n - 1 if counts_today else n)
    return Due(closing(last), *said(today, last))


def walked_shift(at: datetime, span: Span) -> datetime:
    n = span.n
    if n == 0:
        return at
    if span.unit in (TimeUnit.MINUTE, TimeUnit.HOUR):
        return at + n * (timedelta(minutes=1) if span.unit is TimeUnit.MINUTE else timedelta(hours=1))
    if span.unit is TimeUnit.WORKHOUR:
        return office_time(at, timedelta(hours=n))
    day, clock = wall(at)
    if span.unit is TimeUnit.WORKDAY:
        return instant(nth_workday(day, n), clock)
    return instant(months_on(day, n) if span.unit is TimeUnit.MONTH else day + n * DAY, clock)
