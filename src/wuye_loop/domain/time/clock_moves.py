"""What moves a clock: it starts, is held, runs on, is extended, ends; its due instant is a fold of what happened."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from wuye_loop.domain.time.calendar import Due, Starts, WorkCalendar
from wuye_loop.domain.time.clock import (
    END,
    ENDED,
    EXTEND,
    PAUSE,
    PAUSED,
    RESUME,
    RUNNING,
    AdjustKind,
    Adjustment,
    Clock,
    ClockStatus,
    Rung,
    RungPlan,
    as_row,
    from_row,
)
from wuye_loop.domain.time.spans import Span, TimeUnit

__all__ = [
    "AdjustKind",
    "Adjustment",
    "Clock",
    "ClockStatus",
    "Rung",
    "RungPlan",
    "as_row",
    "due_of",
    "end",
    "extend",
    "fire",
    "from_row",
    "held_by",
    "pause",
    "recompute",
    "remaining_seconds",
    "resume",
    "start",
]

_NEVER = datetime.max.replace(tzinfo=UTC)


def start(
    *,
    id: UUID,  # noqa: A002 - the field's own name
    name: str,
    task_id: UUID | None,
    cycle: int,
    run: int,
    unit: str | None,
    limit: Span | None,
    until: datetime | None,
    starts: Starts,
    plans: Iterable[RungPlan],
    now: datetime,
    calendar: WorkCalendar,
) -> Clock:
    """Start a clock now; a rung whose instant is already past, or a warning that has no time ahead, is skipped.

    ValueError without exactly one of limit and until, or for a limit below 1.
    """
    now = now if now.tzinfo is UTC else now.astimezone(UTC)
    until = until.astimezone(UTC) if until else None
    due = _begun(limit, until, starts, now, calendar)
    plans = tuple(plans)
    first, rungs = _standing(plans, due.at, calendar)
    if first <= now:
        rungs = tuple([_turn(plan, rung, now) for plan, rung in zip(plans, rungs, strict=True)])
    return Clock(
        id, name, task_id, cycle, run, unit, limit, until, starts, now, RUNNING, due.at, due.provisional,
        None, (), rungs, plans,
    )  # fmt: skip


def pause(clock: Clock, now: datetime, calendar: WorkCalendar) -> Clock:
    """Hold a running clock with what is left of it; a held or ended one stays as it is."""
    if clock.status is not RUNNING:
        return clock
    return _adjusted(clock, Adjustment(PAUSE, now.astimezone(UTC)), PAUSED, None, calendar)


def resume(clock: Clock, now: datetime, calendar: WorkCalendar) -> Clock:
    """Let a held or ended clock run on: due is now plus what was left, in the clock's own measure.

    An ended clock that was overdue keeps its due instant: a case that comes back late is still late.
    """
    if clock.status is RUNNING:
        return clock
    return _adjusted(clock, Adjustment(RESUME, now.astimezone(UTC)), RUNNING, None, calendar)


def extend(clock: Clock, span: Span | datetime, now: datetime, calendar: WorkCalendar) -> Clock:
    """Move the due instant by an approved extension (延期), or to a fixed instant; what has fired stays fired.

    Workdays end at closing time of the nth workday after the due day; other spans are added as they are. A held or
    ended clock is extended too and finds the time when it runs on. ValueError for a span below 1.
    """
    now = now.astimezone(UTC)
    if isinstance(span, datetime):
        adjustment = Adjustment(EXTEND, now, until=span.astimezone(UTC))
    elif span.n < 1:
        raise ValueError(f"an extension is at least 1 {span.unit.value}, not {span.n}")
    else:
        adjustment = Adjustment(EXTEND, now, span)
    return _adjusted(clock, adjustment, clock.status, clock.ended_at, calendar)


def end(clock: Clock, now: datetime, calendar: WorkCalendar) -> Clock:
    """End a clock: its due instant stays on record, its rungs no longer fire; an ended one stays as it is.

    A held one is given the time that it was held: what ends with time left ends in time, however long it was held.
    """
    if clock.status is ENDED:
        return clock
    now = now if now.tzinfo is UTC else now.astimezone(UTC)
    if clock.status is PAUSED:
        return _adjusted(clock, Adjustment(END, now), ENDED, now, calendar)
    history = (*clock.adjustments, Adjustment(END, now))
    rungs = tuple(
        [  # a list, not a generator: every step ends some clock
            rung if rung.fired_at or rung.at is None else Rung(rung.index, None, None, rung.skipped)
            for rung in clock.rungs
        ]
    )
    return _with(clock, ENDED, clock.due_at, clock.provisional, now, history, rungs)


def held_by(clock: Clock, unit: str) -> Clock:
    """Give the clock to another unit: whose time it is changes, the time does not."""
    return Clock(
        clock.id, clock.name, clock.task_id, clock.cycle, clock.run, unit, clock.limit, clock.until, clock.starts,
        clock.started_at, clock.status, clock.due_at, clock.provisional, clock.ended_at, clock.adjustments, clock.rungs,
        clock.plans,
    )  # fmt: skip


def fire(clock: Clock, index: int, now: datetime) -> Clock:
    """Mark a rung as fired; the clock stays as it is when the rung is not to fire now, or has fired before.

    ValueError when the clock has no such rung.
    """
    rung = next((rung for rung in clock.rungs if rung.index == index), None)
    if rung is None:
        raise ValueError(f"the clock {clock.name!r} has no rung {index}")
    if rung.fired_at or rung.at is None or now < rung.at:
        return clock
    fired = Rung(rung.index, rung.at, now.astimezone(UTC), rung.skipped)
    rungs = tuple([fired if each is rung else each for each in clock.rungs])
    return _with(clock, clock.status, clock.due_at, clock.provisional, clock.ended_at, clock.adjustments, rungs)


def due_of(
    clock_limit: Span | None,
    until: datetime | None,
    starts: Starts,
    started_at: datetime,
    adjustments: Iterable[Adjustment],
    calendar: WorkCalendar,
) -> Due:
    """Fold a clock's history into its due instant: the one place where a due instant comes from.

    While a clock is held or ended its due instant stays; running on, or ending while it is held, moves it by the time
    stood still: office time for a limit in office time, elapsed time for any other.
    """
    due = _begun(clock_limit, until, starts, started_at, calendar)
    working = clock_limit is not None and clock_limit.working
    stop: _Stop | None = None
    for adjustment in adjustments:
        if adjustment.kind is EXTEND:
            due = _extended(due, adjustment, calendar)
        else:
            if stop is not None and (adjustment.kind is RESUME or (adjustment.kind is END and not stop.ended)):
                due = _resumed(due, stop, adjustment.at, calendar if working else None)
            stop = _stopped(stop, adjustment)
    return due


def _begun(
    limit: Span | None, until: datetime | None, starts: Starts, started_at: datetime, calendar: WorkCalendar
) -> Due:
    """Give the due instant as it stands at the start."""
    if until is not None and limit is None:
        return Due(until, provisional=False, skipped=())
    if limit is not None and until is None:
        return calendar.due(started_at, limit, starts)
    raise ValueError("a clock has either a limit or a fixed instant")


def recompute(clock: Clock, calendar: WorkCalendar) -> Clock:
    """Give the clock as its history stands under this calendar: the due instant and the rungs not fired move.

    A rung is skipped while its instant lies before the start, one before due also at the start itself; a moved due instant brings it back, unless it would
    stand before the change that moved it.
    """
    return _folded(clock, clock.status, clock.ended_at, clock.adjustments, calendar)


def due_under(calendar: WorkCalendar, clock: Clock) -> datetime:
    """Return when a clock is due as its history stands under this calendar."""
    return due_of(clock.limit, clock.until, clock.starts, clock.started_at, clock.adjustments, calendar).at


def remaining_seconds(clock: Clock, now: datetime, calendar: WorkCalendar) -> int:
    """Give whole seconds left, rounded down and negative when overdue; what is left stands still with the clock.

    Office time for a limit in office time, elapsed time for any other.
    """
    seen = _shown(clock, now)
    if clock.limit is not None and clock.limit.working:
        return calendar.working_seconds(seen, clock.due_at)
    return (clock.due_at - seen) // timedelta(seconds=1)


def is_overdue(clock: Clock, now: datetime) -> bool:
    """Say whether a clock is late: a held or ended one as it stood when it stopped."""
    return _shown(clock, now) > clock.due_at


def _shown(clock: Clock, now: datetime) -> datetime:
    """Return the instant that a clock shows: now, or when it stopped."""
    if clock.status is RUNNING:
        return now
    stop: _Stop | None = None
    for adjustment in clock.adjustments:
        stop = _stopped(stop, adjustment)
    return stop.at if stop else now


class _Stop(NamedTuple):
    """Since when a clock stands still, and whether it was ended."""

    at: datetime
    ended: bool


def _stopped(stop: _Stop | None, adjustment: Adjustment) -> _Stop | None:
    kind = adjustment.kind
    if kind is PAUSE:
        return stop or _Stop(adjustment.at, ended=False)
    if kind is END:
        return _Stop(adjustment.at, ended=True)
    return None if kind is RESUME else stop  # an extension and a taking over stop nothing


def _resumed(due: Due, stop: _Stop, now: datetime, office: WorkCalendar | None) -> Due:
    """Move a due instant by the time stood still, in office time when an office is given."""
    if (stop.ended and due.at < stop.at) or now <= stop.at:
        return due
    if office is None:
        return replace(due, at=due.at + (now - stop.at))
    at = office.add_working_time(due.at, office.working_time(stop.at, now))
    return _walked(due, at, office, since=min(stop.at, due.at))


def _extended(due: Due, adjustment: Adjustment, calendar: WorkCalendar) -> Due:
    if adjustment.until is not None:
        return Due(adjustment.until, provisional=False, skipped=())
    if adjustment.span is None:
        raise ValueError("an extension has a span or an instant")
    if adjustment.span.unit is TimeUnit.WORKDAY:
        last = calendar.local_date(calendar.shift(due.at, adjustment.span) - timedelta.resolution)
        return _walked(due, calendar.close_of(last), calendar, since=due.at)
    at = calendar.shift(due.at, adjustment.span)
    return _walked(due, at, calendar, since=due.at) if adjustment.span.working else replace(due, at=at)


def _walked(due: Due, at: datetime, calendar: WorkCalendar, since: datetime) -> Due:
    """Give the due instant moved to `at`, with what the working days between have to say."""
    first, last = calendar.local_date(since), calendar.local_date(at - timedelta.resolution)
    unpublished, off = calendar.between(first, last)
    return Due(at, due.provisional or unpublished, tuple(sorted({*due.skipped, *off})) if off else due.skipped)


def _adjusted(
    clock: Clock, adjustment: Adjustment, status: ClockStatus, ended_at: datetime | None, calendar: WorkCalendar
) -> Clock:
    return _folded(clock, status, ended_at, (*clock.adjustments, adjustment), calendar)


def _folded(
    clock: Clock,
    status: ClockStatus,
    ended_at: datetime | None,
    adjustments: tuple[Adjustment, ...],
    calendar: WorkCalendar,
) -> Clock:
    """Give the clock with this history: due instant and rungs are found anew."""
    due = due_of(clock.limit, clock.until, clock.starts, clock.started_at, adjustments, calendar)
    changed_at = adjustments[-1].at if adjustments else clock.started_at
    running = status is RUNNING
    rungs = _laid(clock.rungs, clock.plans, due.at, clock.started_at, changed_at, running=running, calendar=calendar)
    return _with(clock, status, due.at, due.provisional, ended_at, adjustments, rungs)


def _laid(
    rungs: tuple[Rung, ...],
    plans: tuple[RungPlan, ...],
    due_at: datetime,
    started_at: datetime,
    changed_at: datetime,
    *,
    running: bool,
    calendar: WorkCalendar,
) -> tuple[Rung, ...]:
    _, every = _standing(plans, due_at, calendar)
    standing = {plan.index: (plan, rung) for plan, rung in zip(plans, every, strict=True)}
    laid = []
    for rung in rungs:
        if rung.fired_at:
            laid.append(rung)
            continue
        plan, stands = standing[rung.index]
        skipped = _missed(plan, stands, started_at) or (rung.skipped and _missed(plan, stands, changed_at))
        laid.append(stands if running and not skipped else Rung(rung.index, None, None, skipped))
    return tuple(laid)


def _turn(plan: RungPlan, rung: Rung, since: datetime) -> Rung:
    return Rung(rung.index, None, None, skipped=True) if _missed(plan, rung, since) else rung


def _missed(plan: RungPlan, stands: Rung, since: datetime) -> bool:
    """Say whether a rung has no turn after an instant; one before due has none at that instant either: it warns of nothing."""
    at = stands.at
    return at is not None and (at < since or (at == since and plan.offset is not None and plan.offset.n < 0))


@lru_cache(maxsize=1024)  # most deadlines are a closing time, and the clocks of one rule have one ladder
def _standing(
    plans: tuple[RungPlan, ...], due_at: datetime, calendar: WorkCalendar
) -> tuple[datetime, tuple[Rung, ...]]:
    """Return the rungs of a ladder as they stand while nothing has happened, and the instant of the first to come."""
    moved = iter(calendar.shifts(due_at, [plan.offset for plan in plans if plan.offset is not None]))
    found = [due_at if plan.offset is None else next(moved) for plan in plans]
    rungs = tuple(Rung(plan.index, at, None, skipped=False) for plan, at in zip(plans, found, strict=True))
    return min(found, default=_NEVER), rungs


def _with(
    clock: Clock,
    status: ClockStatus,
    due_at: datetime,
    provisional: bool,  # noqa: FBT001 - the fields in their order
    ended_at: datetime | None,
    adjustments: tuple[Adjustment, ...],
    rungs: tuple[Rung, ...],
) -> Clock:
    """Give the clock with everything that may change; by place, because dataclasses.replace takes twenty times as long."""
    return Clock(
        clock.id, clock.name, clock.task_id, clock.cycle, clock.run, clock.unit, clock.limit, clock.until, clock.starts,
        clock.started_at, status, due_at, provisional, ended_at, adjustments, rungs, clock.plans,
    )  # fmt: skip
