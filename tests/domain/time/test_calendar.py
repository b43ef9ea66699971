from datetime import UTC, date, datetime, time, timedelta
from timeit import repeat
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuye_loop.domain.time.calendar import Starts, WorkCalendar
from wuye_loop.domain.time.spans import Span
from wuye_loop.store.calendar.seed import published_years, seed_days

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHIFTS = [(time(8, 30), time(12)), (time(13, 30), time(17, 30))]
DAYS = {day: works for day, works, _, _ in seed_days()}
CALENDAR = WorkCalendar("Asia/Shanghai", SHIFTS, DAYS, published_years())
ROUND_THE_CLOCK = WorkCalendar("Asia/Shanghai", [], DAYS, published_years())
MINUTE = timedelta(minutes=1)
starts_2019_2026 = st.datetimes(datetime(2019, 1, 1), datetime(2026, 11, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis draws naive bounds
minutes_2019_2026 = starts_2019_2026.map(lambda at: at.replace(second=0, microsecond=0))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def due(start: str, span: str, starts: Starts = Starts.NEXT_WORKDAY, calendar: WorkCalendar = CALENDAR) -> str:
    return seen(calendar.due(local(start), Span.parse(span), starts).at)


def shifted(at: str, span: str) -> str:
    return seen(CALENDAR.shift(local(at), Span.parse(span)))


def seen(at: datetime) -> str:
    assert at.tzinfo is UTC
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


# -- limits in workdays


def test_five_workdays_over_the_national_day_end_after_the_make_up_saturday() -> None:
    found = CALENDAR.due(local("2026-09-30 10:00"), Span.parse("5 workdays"), Starts.NEXT_WORKDAY)
    assert seen(found.at) == "2026-10-13 17:30"
    assert not found.provisional
    assert found.skipped == (*(date(2026, 10, n) for n in range(1, 8)), date(2026, 10, 11))
    assert CALENDAR.due(local("2026-09-30 10:00"), Span.parse("5 workdays"), Starts.NEXT_DAY) == found


def test_the_day_of_receipt_counts_when_the_rule_says_same_day() -> None:
    assert due("2026-11-02 09:00", "1 workday", Starts.SAME_DAY) == "2026-11-02 17:30"
    assert due("2026-11-02 09:00", "3 workdays", Starts.SAME_DAY) == "2026-11-04 17:30"


@pytest.mark.parametrize("start", ["2026-11-06 17:30", "2026-11-06 20:00", "2026-11-07 09:00", "2026-11-08 23:00"])
def test_same_day_after_closing_or_on_a_day_off_counts_from_the_next_workday(start: str) -> None:
    assert due(start, "1 workday", Starts.SAME_DAY) == "2026-11-09 17:30"


def test_a_workday_at_once_ends_at_the_same_working_minute() -> None:
    assert due("2026-11-02 10:00", "1 workday", Starts.AT_ONCE) == "2026-11-03 10:00"
    assert due("2026-11-06 18:00", "1 workday", Starts.AT_ONCE) == "2026-11-09 17:30"


def test_a_limit_that_ends_in_an_unpublished_year_is_provisional_and_never_raises() -> None:
    start = datetime(2026, 12, 20, tzinfo=UTC)
    span = Span.parse("30 workdays")
    assert all(CALENDAR.due(start, span, starts).provisional for starts in Starts)
    assert not CALENDAR.due(start, Span.parse("5 workdays"), Starts.NEXT_WORKDAY).provisional
    for n in range(366):
        assert CALENDAR.due(start + timedelta(days=12 + n), span, Starts.NEXT_WORKDAY).provisional


def test_loading_the_notice_takes_the_mark_away_and_moves_the_day() -> None:
    start, span = local("2026-12-31 09:00"), Span.parse("1 workday")
    before = CALENDAR.due(start, span, Starts.NEXT_WORKDAY)
    loaded = WorkCalendar("Asia/Shanghai", SHIFTS, DAYS | {date(2027, 1, 2): True}, [*published_years(), 2027], 2)
    after = loaded.due(start, span, Starts.NEXT_WORKDAY)
    assert (seen(before.at), before.provisional) == ("2027-01-04 17:30", True)
    assert (seen(after.at), after.provisional) == ("2027-01-02 17:30", False)


# -- limits in elapsed and natural time


@pytest.mark.parametrize("starts", Starts)
def test_minutes_and_hours_elapse_whatever_day_it_is(starts: Starts) -> None:
    assert due("2026-10-01 23:50", "30 minutes", starts) == "2026-10-02 00:20"
    assert due("2026-10-01 23:50", "2 hours", starts) == "2026-10-02 01:50"


@pytest.mark.parametrize("starts", Starts)
def test_workhours_elapse_only_while_the_office_is_open(starts: Starts) -> None:
    assert due("2026-11-06 11:00", "4 workhours", starts) == "2026-11-06 16:30"
    assert due("2026-11-06 16:30", "4 workhours", starts) == "2026-11-09 11:30"
    assert due("2026-11-07 03:00", "4 workhours", starts) == "2026-11-09 14:00"


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        (Starts.NEXT_DAY, "2026-10-04 00:00"),
        (Starts.SAME_DAY, "2026-10-03 00:00"),
        (Starts.AT_ONCE, "2026-10-03 10:00"),
        (Starts.NEXT_WORKDAY, "2026-10-10 00:00"),
    ],
)
def test_natural_days_end_at_midnight_and_count_holidays(starts: Starts, expected: str) -> None:
    assert due("2026-10-01 10:00", "2 days", starts) == expected


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-11-10 09:00", "1 month", "2026-12-10 17:30"),
        ("2027-01-31 09:00", "1 month", "2027-03-01 17:30"),  # 28 February is a Sunday
        ("2028-01-31 09:00", "1 month", "2028-02-29 17:30"),
        ("2024-02-29 09:00", "12 months", "2025-02-28 17:30"),
        ("2024-02-29 09:00", "48 months", "2028-02-29 17:30"),
        ("2026-09-01 09:00", "1 month", "2026-10-08 17:30"),  # the holiday's last day is followed by a workday
        ("2025-12-14 09:00", "2 months", "2026-02-14 17:30"),  # a make-up Saturday is a lawful last day
    ],
)
def test_a_month_ends_on_the_day_of_the_same_number_or_after_the_holiday(start: str, span: str, expected: str) -> None:
    assert due(start, span) == expected


def test_a_month_names_the_days_off_it_was_moved_over() -> None:
    found = CALENDAR.due(local("2026-09-01 09:00"), Span.parse("1 month"), Starts.NEXT_DAY)
    assert found.skipped == tuple(date(2026, 10, n) for n in range(1, 8))


def test_an_office_without_hours_closes_at_midnight() -> None:
    assert due("2026-11-06 10:00", "1 workday", calendar=ROUND_THE_CLOCK) == "2026-11-10 00:00"
    assert due("2026-11-06 20:00", "6 workhours", calendar=ROUND_THE_CLOCK) == "2026-11-09 02:00"


# -- moving by a span


@pytest.mark.parametrize(
    ("at", "span", "expected"),
    [
        ("2026-10-13 17:30", "-1 workday", "2026-10-12 17:30"),
        ("2026-10-12 17:30", "-1 workday", "2026-10-10 17:30"),
        ("2026-10-08 17:30", "-1 workday", "2026-09-30 17:30"),
        ("2026-09-30 10:15", "+2 workdays", "2026-10-09 10:15"),
        ("2026-11-08 10:00", "+1 workday", "2026-11-09 10:00"),
        ("2026-11-08 10:00", "-1 workday", "2026-11-06 10:00"),
        ("2026-11-07 00:00", "+1 workday", "2026-11-10 00:00"),  # Friday 24:00 to Monday 24:00
        ("2026-11-10 00:00", "-1 workday", "2026-11-07 00:00"),
        ("2026-11-08 10:00", "0 workdays", "2026-11-08 10:00"),
        ("2026-11-09 09:00", "-1 workhour", "2026-11-06 17:00"),
        ("2026-11-09 09:00", "-90 minutes", "2026-11-09 07:30"),
        ("2026-11-09 09:00", "-2 hours", "2026-11-09 07:00"),
        ("2026-11-09 09:00", "-3 days", "2026-11-06 09:00"),
        ("2026-03-31 09:00", "-1 month", "2026-02-28 09:00"),
        ("2026-01-31 00:00", "1 month", "2026-03-01 00:00"),  # 30 January 24:00 to 28 February 24:00
    ],
)
def test_a_shift_keeps_the_time_of_day_and_moves_by_whole_units(at: str, span: str, expected: str) -> None:
    assert shifted(at, span) == expected


# -- office time


@pytest.mark.parametrize(
    ("a", "b", "seconds"),
    [
        ("2026-11-06 11:30", "2026-11-06 14:00", 3600),  # the lunch break does not count
        ("2026-11-06 17:00", "2026-11-09 09:00", 3600),  # nor does the weekend
        ("2026-11-09 09:00", "2026-11-06 17:00", -3600),
        ("2026-10-01 00:00", "2026-10-08 00:00", 0),
        ("2026-10-10 00:00", "2026-10-11 00:00", 27_000),
        ("2026-12-31 17:00", "2027-01-04 09:00", 3600),
    ],
)
def test_office_time_counts_shifts_and_make_up_days_only(a: str, b: str, seconds: int) -> None:
    assert CALENDAR.working_seconds(local(a), local(b)) == seconds


@pytest.mark.parametrize(
    ("at", "is_open", "opens"),
    [
        ("2026-11-06 08:29", False, "2026-11-06 08:30"),
        ("2026-11-06 08:30", True, "2026-11-06 08:30"),
        ("2026-11-06 11:59", True, "2026-11-06 11:59"),
        ("2026-11-06 12:00", False, "2026-11-06 13:30"),
        ("2026-11-06 17:30", False, "2026-11-09 08:30"),
        ("2026-10-10 09:00", True, "2026-10-10 09:00"),
        ("2026-10-01 09:00", False, "2026-10-08 08:30"),
    ],
)
def test_the_office_is_open_from_its_first_minute_to_before_its_last(at: str, is_open: bool, opens: str) -> None:  # noqa: FBT001 - a table of cases
    assert (CALENDAR.next_open(local(at)) == local(at)) is is_open
    assert seen(CALENDAR.next_open(local(at))) == opens


def test_the_local_date_is_the_one_on_the_wall() -> None:
    assert CALENDAR.local_date(datetime(2026, 11, 5, 16, tzinfo=UTC)) == date(2026, 11, 6)
    assert CALENDAR.local_date(datetime(2026, 11, 5, 15, 59, tzinfo=UTC)) == date(2026, 11, 5)


# -- the slow oracle: day by day, minute by minute


def on_paper(day: date) -> bool:
    return day in chinese_calendar.workdays or (day.weekday() < 5 and day not in chinese_calendar.holidays)


def works_at(minute: datetime) -> bool:
    wall = minute + timedelta(hours=8)
    return any(a <= wall.time() < b for a, b in SHIFTS) and on_paper(wall.date())


@settings(max_examples=300, deadline=None)
@given(starts_2019_2026, st.integers(1, 35), st.sampled_from([Starts.SAME_DAY, Starts.NEXT_DAY, Starts.NEXT_WORKDAY]))
def test_workdays_are_those_a_clerk_would_count_on_paper(start: datetime, n: int, starts: Starts) -> None:
    wall = start.astimezone(SHANGHAI)
    day, passed = wall.date(), []
    counts_today = starts is Starts.SAME_DAY and on_paper(day) and wall.time() < time(17, 30)
    left = n - counts_today
    if not on_paper(day):
        passed.append(day)
    while left:
        day += timedelta(days=1)
        if on_paper(day):
            left -= 1
        else:
            passed.append(day)
    found = CALENDAR.due(start, Span.parse(f"{n} workdays"), starts)
    assert found.at == datetime.combine(day, time(17, 30), SHANGHAI)
    assert found.skipped == tuple(passed)
    assert not found.provisional


@settings(max_examples=40, deadline=None)
@given(minutes_2019_2026, st.integers(0, 8 * 1440))
def test_office_time_is_what_counting_every_minute_gives(start: datetime, minutes: int) -> None:
    slow = sum(works_at(start + n * MINUTE) for n in range(minutes)) * 60
    assert CALENDAR.working_seconds(start, start + minutes * MINUTE) == slow
    assert CALENDAR.working_seconds(start + minutes * MINUTE, start) == -slow


@settings(max_examples=40, deadline=None)
@given(minutes_2019_2026, st.integers(1, 30))
def test_workhours_end_with_the_last_minute_worked(start: datetime, hours: int) -> None:
    minute, left = start, hours * 60
    while left:
        left -= works_at(minute)
        minute += MINUTE
    assert CALENDAR.due(start, Span.parse(f"{hours} workhours"), Starts.NEXT_DAY).at == minute


@settings(max_examples=300, deadline=None)
@given(starts_2019_2026, st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_adding_office_time_and_measuring_it_agree_to_the_microsecond(at: datetime, amount: timedelta) -> None:
    for calendar in (CALENDAR, ROUND_THE_CLOCK):
        assert calendar.working_time(at, calendar.add_working_time(at, amount)) == amount
        assert calendar.add_working_time(at, timedelta(0)) == at


@settings(max_examples=200, deadline=None)
@given(starts_2019_2026, st.integers(1, 40), st.sampled_from(["workday", "workhour", "day", "month", "hour"]))
def test_a_later_start_or_a_longer_limit_is_never_due_earlier(start: datetime, n: int, unit: str) -> None:
    for starts in Starts:
        first = CALENDAR.due(start, Span.parse(f"{n} {unit}"), starts).at
        assert first > start
        assert CALENDAR.due(start + timedelta(hours=5), Span.parse(f"{n} {unit}"), starts).at >= first
        assert CALENDAR.due(start, Span.parse(f"{n + 1} {unit}"), starts).at >= first


# -- the edges of time


def test_summer_time_of_1990_and_1991_moves_the_clock_and_not_the_office() -> None:
    assert CALENDAR.close_of(date(1991, 7, 1)) == datetime(1991, 7, 1, 8, 30, tzinfo=UTC)
    assert CALENDAR.close_of(date(1991, 12, 2)) == datetime(1991, 12, 2, 9, 30, tzinfo=UTC)
    friday, monday = local("1991-04-12 17:00"), local("1991-04-15 09:00")
    assert CALENDAR.working_seconds(friday, monday) == 3600
    assert monday - friday == timedelta(hours=63)
    assert CALENDAR.shift(friday, Span.parse("1 workday")) == local("1991-04-15 17:00")
    found = CALENDAR.due(friday, Span.parse("1 workday"), Starts.NEXT_DAY)
    assert found.at == local("1991-04-15 17:30")
    assert found.provisional


def test_a_working_night_of_summer_time_is_as_long_as_it_really_was() -> None:
    night = WorkCalendar(
        "Europe/Berlin", [(time(0), time(6))], {date(2026, 3, 29): True, date(2026, 10, 25): True}, [2026]
    )
    for day, hours in ((date(2026, 3, 29), 5), (date(2026, 10, 25), 7), (date(2026, 11, 2), 6)):
        start = datetime.combine(day, time(0), ZoneInfo("Europe/Berlin"))
        assert night.working_time(start, night.close_of(day)) == timedelta(hours=hours)
        assert night.add_working_time(start, timedelta(hours=hours)) == night.close_of(day)


def test_a_shift_until_midnight_is_written_with_a_close_of_zero() -> None:
    late = WorkCalendar("Asia/Shanghai", [(time(16), time(0))], DAYS, published_years())
    assert late.close_of(date(2026, 11, 6)) == local("2026-11-07 00:00")
    assert due("2026-11-06 23:00", "2 workhours", calendar=late) == "2026-11-09 17:00"


@pytest.mark.parametrize("span", ["600 months", "10000 workdays", "10000 days", "10000 workhours", "10000 hours"])
@pytest.mark.parametrize("starts", Starts)
def test_a_deadline_beyond_2200_is_refused_in_words(span: str, starts: Starts) -> None:
    with pytest.raises(ValueError, match="knows the years 1990 to 2200"):
        CALENDAR.due(datetime(2200, 12, 30, tzinfo=UTC), Span.parse(span), starts)


@pytest.mark.parametrize("span", ["-600 months", "-10000 workdays", "-10000 days", "-10000 workhours", "-10000 hours"])
def test_a_shift_before_1990_is_refused_in_words(span: str) -> None:
    with pytest.raises(ValueError, match="knows the years 1990 to 2200"):
        CALENDAR.shift(datetime(1990, 1, 5, tzinfo=UTC), Span.parse(span))


@pytest.mark.parametrize(
    "at", [datetime.min.replace(tzinfo=SHANGHAI), datetime.max.replace(tzinfo=UTC), datetime(1989, 6, 1, tzinfo=UTC)]
)
def test_an_instant_out_of_range_is_refused_in_words_everywhere(at: datetime) -> None:
    inside = datetime(2026, 1, 1, tzinfo=UTC)
    for call in (
        lambda: CALENDAR.due(at, Span.parse("1 workday"), Starts.SAME_DAY),
        lambda: CALENDAR.due(at, Span.parse("1 hour"), Starts.SAME_DAY),
        lambda: CALENDAR.shift(at, Span.parse("1 hour")),
        lambda: CALENDAR.working_seconds(at, inside),
        lambda: CALENDAR.working_seconds(inside, at),
        lambda: CALENDAR.next_open(at),
        lambda: CALENDAR.local_date(at),
        lambda: CALENDAR.add_working_time(at, timedelta(seconds=1)),
        lambda: CALENDAR.add_working_time(inside, timedelta(days=200_000)),
    ):
        with pytest.raises(ValueError, match="knows the years 1990 to 2200"):
            call()


def test_the_first_and_last_years_can_be_used_to_their_ends() -> None:
    assert due("1990-01-01 09:00", "1 workday") == "1990-01-02 17:30"
    assert due("2200-12-31 09:00", "1 day", Starts.SAME_DAY) == "2201-01-01 00:00"
    assert due("2199-12-31 09:00", "200 workdays", Starts.SAME_DAY).startswith("2200-")


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        CALENDAR.due(datetime(2026, 1, 1), Span.parse("1 day"), Starts.NEXT_DAY)  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize("n", [0, -1])
def test_a_limit_below_one_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="at least 1 workday"):
        CALENDAR.due(datetime(2026, 1, 1, tzinfo=UTC), Span.parse(f"{n} workdays"), Starts.NEXT_DAY)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ([(time(9), time(8))], "close after they open"),
        ([(time(22), time(6))], "close after they open"),
        ([(time(8), time(12)), (time(11), time(17))], "must not cross"),
    ],
)
def test_impossible_office_hours_are_refused(hours: list[tuple[time, time]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        WorkCalendar("Asia/Shanghai", hours, {}, [])


@pytest.mark.parametrize("zone", ["Asia/Kuiwen", "", "/etc/passwd", "../UTC", "Asia"])
def test_an_unknown_zone_is_refused_in_words(zone: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        WorkCalendar(zone, [], {}, [])


def test_a_calendar_in_which_nobody_ever_works_is_refused_and_does_not_hang() -> None:
    never = {date(1990, 1, 1) + timedelta(days=n): False for n in range(77_100)}
    with pytest.raises(ValueError, match="knows the years 1990 to 2200"):
        WorkCalendar("Asia/Shanghai", [], never, []).due(
            datetime(2190, 1, 1, tzinfo=UTC), Span.parse("1 workhour"), Starts.AT_ONCE
        )


def test_calendars_of_the_same_rules_are_equal_and_share_a_hash() -> None:
    same = WorkCalendar("Asia/Shanghai", tuple(reversed(SHIFTS)), dict(DAYS), set(published_years()))
    other = WorkCalendar("Asia/Shanghai", SHIFTS, DAYS | {date(2027, 1, 2): True}, published_years(), version=2)
    assert same == CALENDAR
    assert hash(same) == hash(CALENDAR)
    assert other != CALENDAR


def test_five_workdays_are_found_without_walking_through_years() -> None:
    start, span = datetime(2026, 9, 30, 2, tzinfo=UTC), Span.parse("5 workdays")
    best = min(repeat(lambda: CALENDAR.due(start, span, Starts.NEXT_WORKDAY), number=1000, repeat=10)) / 1000
    assert best < 100e-6
