import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.old_images import said_by_name

from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.calendar import Starts, WorkCalendar
from wuye_loop.domain.time.clock_moves import AdjustKind, Adjustment, Clock, ClockStatus, RungPlan
from wuye_loop.domain.time.spans import Span
from wuye_loop.store.calendar.seed import published_years, seed_days

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHIFTS = [(time(8, 30), time(12)), (time(13, 30), time(17, 30))]
DAYS = {day: works for day, works, _, _ in seed_days()}
CALENDAR = WorkCalendar("Asia/Shanghai", SHIFTS, DAYS, published_years())
LADDER = ["-1 workday", "", "2 workdays", "5 workdays"]
LIMITS = ["5 workdays", "1 workday", "4 workhours", "2 hours", "90 minutes", "10 days", "1 month"]
instants = st.datetimes(datetime(2019, 1, 1), datetime(2026, 6, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis draws naive bounds
waits = st.timedeltas(timedelta(0), timedelta(days=20))
limits = st.sampled_from(LIMITS)
starting = st.sampled_from(Starts)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def seen(at: datetime | None) -> str | None:
    return at.astimezone(SHANGHAI).strftime("%m-%d %H:%M") if at else None


def plans(ladder: Sequence[str]) -> list[RungPlan]:
    return [RungPlan(n, Span.parse(offset) if offset else None) for n, offset in enumerate(ladder)]


def started(
    now: datetime,
    limit: str = "5 workdays",
    starts: Starts = Starts.NEXT_WORKDAY,
    ladder: Sequence[str] = LADDER,
    calendar: WorkCalendar = CALENDAR,
    until: datetime | None = None,
) -> Clock:
    return clock_moves.start(
        id=UUID(int=7),
        name="handle",
        task_id=UUID(int=8),
        cycle=1,
        run=1,
        unit="fire",
        limit=None if until else Span.parse(limit),
        until=until,
        starts=starts,
        plans=plans(ladder),
        now=now,
        calendar=calendar,
    )


def rungs(clock: Clock) -> list[str | None]:
    return [seen(rung.at) for rung in clock.rungs]


def swept(clock: Clock, now: datetime) -> Clock:
    for rung in clock.rungs:
        clock = clock_moves.fire(clock, rung.index, now)
    return clock


def test_a_clock_starts_with_its_due_instant_and_its_ladder() -> None:
    clock = started(local("2026-09-30 10:00"))
    assert clock.status is ClockStatus.RUNNING
    assert seen(clock.due_at) == "10-13 17:30"
    assert rungs(clock) == ["10-12 17:30", "10-13 17:30", "10-15 17:30", "10-20 17:30"]
    assert not clock.provisional


def test_a_clock_may_run_until_a_fixed_instant() -> None:
    clock = started(local("2026-11-02 10:00"), until=local("2026-11-20 12:00"))
    assert rungs(clock) == ["11-19 12:00", "11-20 12:00", "11-24 12:00", "11-27 12:00"]


@pytest.mark.parametrize("limit", [None, Span.parse("1 day")])
def test_a_clock_has_either_a_limit_or_a_fixed_instant(limit: Span | None) -> None:
    now = local("2026-11-02 10:00")
    with pytest.raises(ValueError, match="either a limit or a fixed instant"):
        clock_moves.due_of(limit, now if limit else None, Starts.AT_ONCE, now, (), CALENDAR)


def test_a_rung_before_the_start_is_skipped_and_never_fires() -> None:
    clock = started(local("2026-11-02 18:00"), "1 workday")
    assert rungs(clock) == [None, "11-03 17:30", "11-05 17:30", "11-10 17:30"]
    assert clock.rungs[0].skipped
    assert clock_moves.fire(clock, 0, local("2026-12-01 10:00")) == clock


@pytest.mark.parametrize(
    ("limit", "starts", "ahead"),
    [("24 hours", Starts.NEXT_WORKDAY, "-1 day"), ("1 day", Starts.AT_ONCE, "-24 hours"), ("2 hours", Starts.AT_ONCE, "-120 minutes")],
)  # fmt: skip
def test_a_warning_that_would_stand_at_the_start_itself_is_skipped(limit: str, starts: Starts, ahead: str) -> None:
    now = local("2026-11-02 10:00")
    clock = started(now, limit, starts, [ahead, "", "1 hour"])
    assert clock.rungs[0].skipped
    assert [rung.at is not None for rung in clock.rungs] == [False, True, True]
    assert not swept(clock, now).rungs[0].fired_at
    assert clock_moves.recompute(clock, CALENDAR).rungs == clock.rungs
    held = clock_moves.resume(clock_moves.pause(clock, now, CALENDAR), now, CALENDAR)
    assert held.rungs[0].skipped
    longer = clock_moves.extend(clock, Span.parse("1 day"), now, CALENDAR)
    assert not longer.rungs[0].skipped


def test_a_rung_at_due_fires_also_where_the_clock_is_due_at_its_start() -> None:
    now = local("2026-11-02 10:00")
    clock = started(now, until=now, ladder=["-1 hour", "", "0 days"])
    assert [rung.skipped for rung in clock.rungs] == [True, False, False]
    assert swept(clock, now).rungs[1].fired_at == now
    assert clock_moves.recompute(clock, CALENDAR).rungs == clock.rungs


def test_a_skipped_rung_comes_back_when_an_extension_gives_it_a_time_to_come() -> None:
    clock = started(local("2026-11-02 18:00"), "1 workday")
    longer = clock_moves.extend(clock, Span.parse("3 workdays"), local("2026-11-03 10:00"), CALENDAR)
    assert rungs(longer) == ["11-05 17:30", "11-06 17:30", "11-10 17:30", "11-13 17:30"]
    assert not longer.rungs[0].skipped


def test_a_skipped_rung_stays_skipped_when_its_new_time_is_already_past() -> None:
    clock = started(local("2026-11-02 18:00"), "1 workday")
    longer = clock_moves.extend(clock, Span.parse("1 workday"), local("2026-11-03 17:45"), CALENDAR)
    assert seen(longer.due_at) == "11-04 17:30"
    assert longer.rungs[0].skipped
    assert clock_moves.recompute(longer, CALENDAR) == longer


def test_a_deadline_over_the_unpublished_new_year_is_provisional() -> None:
    assert started(local("2026-12-30 10:00")).provisional
    assert not started(local("2026-12-30 10:00"), "2 hours").provisional


def test_each_rung_fires_once_and_not_early() -> None:
    clock = started(local("2026-11-02 10:00"))
    due = clock.due_at
    assert clock_moves.fire(clock, 1, due - timedelta.resolution) == clock
    fired = clock_moves.fire(clock, 1, due + timedelta(minutes=3))
    assert fired.rungs[1].fired_at == due + timedelta(minutes=3)
    assert clock_moves.fire(fired, 1, due + timedelta(days=3)) == fired
    assert fired.due_at == due


def test_a_rung_does_not_fire_while_the_clock_stands_still() -> None:
    now = local("2026-11-02 10:00")
    clock = started(now)
    for still in (clock_moves.pause(clock, now, CALENDAR), clock_moves.end(clock, now, CALENDAR)):
        assert rungs(still) == [None] * 4
        assert swept(still, local("2027-06-01 10:00")) == still


def test_a_rung_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="no rung 9"):
        clock_moves.fire(started(local("2026-11-02 10:00")), 9, local("2026-11-02 10:00"))


# -- holding and running on


@pytest.mark.parametrize(
    ("held", "released", "due"),
    [
        ("2026-11-03 10:00", "2026-11-03 11:00", "11-10 09:30"),  # an hour of office time
        ("2026-11-03 12:00", "2026-11-03 13:30", "11-09 17:30"),  # the lunch break costs nothing
        ("2026-11-03 17:30", "2026-11-04 08:30", "11-09 17:30"),  # nor does the night
        ("2026-11-03 11:00", "2026-11-03 14:00", "11-10 10:00"),  # an hour and a half around lunch
        ("2026-11-06 17:00", "2026-11-09 09:00", "11-10 09:30"),  # half an hour each side of the weekend
        ("2026-11-03 08:30", "2026-11-05 08:30", "11-11 17:30"),  # two whole office days
    ],
)
def test_a_held_limit_in_workdays_moves_by_the_office_time_it_was_held(held: str, released: str, due: str) -> None:
    clock = started(local("2026-11-02 10:00"))
    after = clock_moves.resume(clock_moves.pause(clock, local(held), CALENDAR), local(released), CALENDAR)
    assert seen(after.due_at) == due


@settings(max_examples=150, deadline=None)
@given(instants, limits, starting, waits, waits)
def test_holding_for_any_time_moves_the_due_instant_by_exactly_that_time(
    now: datetime, limit: str, starts: Starts, wait: timedelta, held: timedelta
) -> None:
    clock = started(now, limit, starts)
    stop, go = now + wait, now + wait + held
    paused = clock_moves.pause(clock, stop, CALENDAR)
    after = clock_moves.resume(paused, go, CALENDAR)
    assert paused.due_at == clock.due_at
    if Span.parse(limit).working:
        assert CALENDAR.working_time(clock.due_at, after.due_at) == CALENDAR.working_time(stop, go)
    else:
        assert after.due_at - clock.due_at == held
    left = clock_moves.remaining_seconds(clock, stop, CALENDAR)
    assert clock_moves.remaining_seconds(paused, go, CALENDAR) == left
    assert clock_moves.remaining_seconds(after, go, CALENDAR) == left


@settings(max_examples=100, deadline=None)
@given(instants, limits, starting, st.lists(waits, max_size=5))
def test_touching_a_clock_never_moves_it(now: datetime, limit: str, starts: Starts, touches: list[timedelta]) -> None:
    clock = started(now, limit, starts)
    due, at = clock.due_at, now
    for wait in touches:
        at += wait
        clock = swept(clock_moves.recompute(clock_moves.resume(clock, at, CALENDAR), CALENDAR), at)
        clock = clock_moves.from_row(clock_moves.as_row(clock))
        clock = clock_moves.resume(clock_moves.pause(clock, at, CALENDAR), at, CALENDAR)
        assert clock.due_at == due
    assert clock_moves.end(clock, at, CALENDAR).due_at == due


def test_holding_a_held_clock_and_releasing_a_running_one_change_nothing() -> None:
    clock = started(local("2026-11-02 10:00"))
    later = local("2026-11-03 10:00")
    held = clock_moves.pause(clock, later, CALENDAR)
    over = clock_moves.end(clock, later, CALENDAR)
    assert clock_moves.resume(clock, later, CALENDAR) is clock
    assert clock_moves.pause(held, later, CALENDAR) is held
    assert clock_moves.pause(over, later, CALENDAR) is over
    assert clock_moves.end(over, later, CALENDAR) is over


def test_a_clock_that_goes_back_while_held_gives_no_time_away() -> None:
    clock = clock_moves.pause(started(local("2026-11-02 10:00")), local("2026-11-03 10:00"), CALENDAR)
    assert clock_moves.resume(clock, local("2026-11-03 09:00"), CALENDAR).due_at == clock.due_at


def test_an_overdue_clock_held_and_released_is_as_overdue_as_before() -> None:
    clock = started(local("2026-11-02 10:00"), "1 workday")
    held = clock_moves.pause(clock, local("2026-11-04 09:30"), CALENDAR)
    after = clock_moves.resume(held, local("2026-11-05 09:30"), CALENDAR)
    assert clock_moves.remaining_seconds(held, local("2026-11-30 09:00"), CALENDAR) == -3600
    assert clock_moves.remaining_seconds(after, local("2026-11-05 09:30"), CALENDAR) == -3600


# -- ending and re-opening


def test_an_ended_clock_goes_on_with_what_was_left_of_it() -> None:
    over = clock_moves.end(started(local("2026-11-02 10:00")), local("2026-11-04 10:00"), CALENDAR)
    assert (over.status, seen(over.ended_at), seen(over.due_at)) == (ClockStatus.ENDED, "11-04 10:00", "11-09 17:30")
    again = clock_moves.resume(over, local("2026-11-06 10:00"), CALENDAR)
    assert (again.status, again.ended_at, seen(again.due_at)) == (ClockStatus.RUNNING, None, "11-11 17:30")
    assert rungs(again) == ["11-10 17:30", "11-11 17:30", "11-13 17:30", "11-18 17:30"]


def test_an_overdue_clock_that_ended_is_as_late_when_it_is_opened_again() -> None:
    over = clock_moves.end(started(local("2026-11-02 10:00"), "1 workday"), local("2026-11-03 20:00"), CALENDAR)
    again = clock_moves.resume(over, local("2026-11-12 10:00"), CALENDAR)
    assert seen(again.due_at) == "11-03 17:30"


def test_a_held_clock_that_is_ended_keeps_what_was_left_when_it_was_held() -> None:
    held = clock_moves.pause(started(local("2026-11-02 10:00"), "2 hours"), local("2026-11-02 11:30"), CALENDAR)
    over = clock_moves.end(held, local("2026-11-05 10:00"), CALENDAR)
    again = clock_moves.resume(over, local("2026-11-06 10:00"), CALENDAR)
    assert clock_moves.remaining_seconds(over, local("2026-11-06 10:00"), CALENDAR) == 1800
    assert seen(again.due_at) == "11-06 10:30"


# -- extending


@pytest.mark.parametrize(
    ("limit", "span", "due"),
    [
        ("5 workdays", "2 workdays", "11-11 17:30"),
        ("4 workhours", "1 workday", "11-03 17:30"),
        ("4 workhours", "4 workhours", "11-03 10:30"),
        ("10 days", "1 workday", "11-13 17:30"),
        ("10 days", "2 days", "11-15 00:00"),
        ("2 hours", "30 minutes", "11-02 12:30"),
        ("1 month", "1 month", "01-02 17:30"),
    ],
)
def test_an_extension_counts_from_the_due_instant(limit: str, span: str, due: str) -> None:
    clock = started(local("2026-11-02 10:00"), limit)
    assert seen(clock_moves.extend(clock, Span.parse(span), local("2026-11-02 10:30"), CALENDAR).due_at) == due


def test_workdays_after_a_due_midnight_are_counted_from_the_day_that_ended() -> None:
    clock = started(local("2026-11-02 10:00"), "5 days", Starts.SAME_DAY)
    assert seen(clock.due_at) == "11-07 00:00"  # Friday 24:00
    assert seen(clock_moves.extend(clock, Span.parse("1 workday"), clock.started_at, CALENDAR).due_at) == "11-09 17:30"


def test_an_extension_never_takes_back_what_has_fired_and_moves_the_rest() -> None:
    clock = swept(started(local("2026-11-02 10:00")), local("2026-11-06 17:30"))
    assert [seen(rung.fired_at) for rung in clock.rungs] == ["11-06 17:30", None, None, None]
    longer = clock_moves.extend(clock, Span.parse("3 workdays"), local("2026-11-09 09:00"), CALENDAR)
    assert longer.rungs[0] == clock.rungs[0]
    assert rungs(longer)[1:] == ["11-12 17:30", "11-16 17:30", "11-19 17:30"]


def test_an_extension_to_a_fixed_instant_is_due_then() -> None:
    clock = started(local("2026-11-02 10:00"))
    longer = clock_moves.extend(clock, local("2026-12-01 12:00"), clock.started_at, CALENDAR)
    assert rungs(longer) == ["11-30 12:00", "12-01 12:00", "12-03 12:00", "12-08 12:00"]


def test_an_extension_granted_while_held_or_ended_counts_when_the_clock_runs_on() -> None:
    clock, at = started(local("2026-11-02 10:00")), local("2026-11-04 10:00")
    for still in (clock_moves.pause(clock, at, CALENDAR), clock_moves.end(clock, at, CALENDAR)):
        longer = clock_moves.extend(still, Span.parse("2 workdays"), at + timedelta(hours=1), CALENDAR)
        assert longer.status is still.status
        assert rungs(longer) == [None] * 4
        assert seen(clock_moves.resume(longer, at, CALENDAR).due_at) == "11-11 17:30"


@pytest.mark.parametrize("span", ["0 workdays", "-1 workday"])
def test_an_extension_below_one_is_refused(span: str) -> None:
    clock = started(local("2026-11-02 10:00"))
    with pytest.raises(ValueError, match="at least 1 workday"):
        clock_moves.extend(clock, Span.parse(span), clock.started_at, CALENDAR)


def test_an_extension_into_an_unpublished_year_is_provisional() -> None:
    clock = started(local("2026-12-21 10:00"))
    assert not clock.provisional
    assert clock_moves.extend(clock, Span.parse("5 workdays"), clock.started_at, CALENDAR).provisional


# -- the fold

ACTS = ("pause", "resume", "extend", "end", "sweep")


def acted(clock: Clock, act: str, now: datetime) -> Clock:
    match act:
        case "pause":
            return clock_moves.pause(clock, now, CALENDAR)
        case "resume":
            return clock_moves.resume(clock, now, CALENDAR)
        case "extend":
            return clock_moves.extend(clock, Span.parse("2 workdays"), now, CALENDAR)
        case "end":
            return clock_moves.end(clock, now, CALENDAR)
        case _:
            return swept(clock, now)


@settings(max_examples=200, deadline=None)
@given(instants, limits, starting, st.lists(st.tuples(st.sampled_from(ACTS), waits), max_size=9))
def test_after_any_history_the_stored_clock_is_the_fold_of_it(
    now: datetime, limit: str, starts: Starts, acts: list[tuple[str, timedelta]]
) -> None:
    clock, at = started(now, limit, starts), now
    for act, wait in acts:
        at += wait
        fired = {rung.index: rung for rung in clock.rungs if rung.fired_at}
        before, clock = clock, acted(clock, act, at)
        due = clock_moves.due_of(clock.limit, clock.until, clock.starts, clock.started_at, clock.adjustments, CALENDAR)
        assert (clock.due_at, clock.provisional) == (due.at, due.provisional)
        assert clock_moves.recompute(clock, CALENDAR) == clock
        assert clock_moves.from_row(json.loads(json.dumps(clock_moves.as_row(clock)))) == clock
        assert all(clock.rungs[index] == rung for index, rung in fired.items())
        assert clock.due_at >= before.due_at
        moves = act in ("resume", "extend") or (act == "end" and before.status is ClockStatus.PAUSED)
        assert moves or clock.due_at == before.due_at
        waiting = [rung for rung in clock.rungs if not rung.fired_at]
        running = clock.status is ClockStatus.RUNNING
        assert all((rung.at is not None) == (running and not rung.skipped) for rung in waiting)
        assert all(rung.at >= clock.started_at for rung in clock.rungs if rung.at)


def test_a_history_that_holds_twice_counts_from_the_first() -> None:
    days = [local(f"2026-11-0{n} 10:00") for n in (2, 3, 4, 5)]
    kinds = [AdjustKind.PAUSE, AdjustKind.PAUSE, AdjustKind.RESUME]
    history = [Adjustment(kind, at) for kind, at in zip(kinds, days[1:], strict=True)]
    assert clock_moves.due_of(Span.parse("48 hours"), None, Starts.AT_ONCE, days[0], history, CALENDAR).at == (
        local("2026-11-06 10:00")
    )


def test_a_new_notice_moves_the_due_instant_and_the_rungs_not_fired() -> None:
    loaded = WorkCalendar(
        "Asia/Shanghai", SHIFTS, DAYS | {date(2027, 1, 4): False}, [*published_years(), 2027], version=2
    )
    clock = started(local("2026-12-28 10:00"))
    assert rungs(clock) == ["01-04 17:30", "01-05 17:30", "01-07 17:30", "01-12 17:30"]
    fired = clock_moves.fire(clock, 0, local("2027-01-04 17:31"))
    moved = clock_moves.recompute(fired, loaded)
    assert (seen(moved.due_at), moved.provisional) == ("01-06 17:30", False)
    assert moved.rungs[0] == fired.rungs[0]
    assert rungs(moved)[1:] == ["01-06 17:30", "01-08 17:30", "01-13 17:30"]


def test_a_row_is_plain_json_with_instants_in_utc_to_the_microsecond() -> None:
    clock = started(local("2026-11-02 10:00") + timedelta(microseconds=5), ladder=["-1 workday", ""])
    clock = clock_moves.extend(clock, Span.parse("1 workday"), local("2026-11-03 10:00"), CALENDAR)
    row = json.loads(json.dumps(clock_moves.as_row(clock)))
    assert row["started_at"] == "2026-11-02T02:00:00.000005Z"
    assert row["limit"] == "5 workdays"
    assert row["adjustments"] == [{"kind": "extend", "at": "2026-11-03T02:00:00.000000Z", "span": "1 workday"}]
    assert row["plans"] == [[0, "-1 workday"], [1]]
    assert row["rungs"][0] == [0, "2026-11-09T09:30:00.000000Z"]
    assert not {"until", "ended_at"}.intersection(row)
    assert clock_moves.from_row(row) == clock


def test_an_image_of_before_reads_back_to_the_same_clock() -> None:
    clock = started(local("2026-11-02 10:00"), ladder=["-1 workday", "", "1 workday"])
    fired = clock_moves.fire(clock, 0, local("2026-11-09 18:00"))
    for one in (clock, fired, clock_moves.end(fired, local("2026-11-10 10:00"), CALENDAR)):
        assert clock_moves.from_row(said_by_name(one)) == one
        assert clock_moves.from_row(json.loads(json.dumps(clock_moves.as_row(one)))) == one


def test_a_row_with_the_values_a_database_gives_reads_back_too() -> None:
    clock = replace(started(local("2026-11-02 10:00"), until=local("2026-11-20 12:00")), task_id=None, unit=None)
    row = clock_moves.as_row(clock) | {"id": clock.id, "started_at": clock.started_at, "until": clock.until}
    assert clock_moves.from_row(row) == clock


def test_an_adjustment_reads_back_and_a_naive_instant_does_not() -> None:
    moved = Adjustment(AdjustKind.EXTEND, local("2026-11-02 10:00"), until=local("2026-12-01 12:00"))
    assert Adjustment.from_json(moved.as_json()) == moved
    with pytest.raises(ValueError, match="needs its zone"):
        Adjustment.from_json({"kind": "end", "at": "2026-11-02T10:00:00"})


def test_what_happens_to_a_clock_leaves_the_clock_itself_as_it_was() -> None:
    clock = started(local("2026-11-02 09:00"), ladder=["-1 workday", "", "2 workdays"])
    before, later = json.dumps(clock_moves.as_row(clock)), local("2026-11-03 10:00")
    held = clock_moves.pause(clock, later, CALENDAR)
    moved = [
        held,
        clock_moves.resume(held, later + timedelta(days=1), CALENDAR),
        clock_moves.extend(clock, Span.parse("2 workdays"), later, CALENDAR),
        clock_moves.fire(clock, 0, local("2026-11-08 18:00")),
        clock_moves.end(clock, later, CALENDAR),
    ]
    assert json.dumps(clock_moves.as_row(clock)) == before
    assert all(json.dumps(clock_moves.as_row(each)) != before for each in moved)
