from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, Self
from uuid import UUID

from wuye_loop.domain.calendar import Due, Starts, WorkCalendar
from wuye_loop.domain.spans import Span, TimeUnit


class ClockStatus(StrEnum):
    """A clock runs, is held with what is left (挂起), or is over; an ended one runs on when its states are re-entered."""

    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class AdjustKind(StrEnum):
    """What may happen to a clock after its start; nothing else moves it."""

    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    END = "end"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One thing that happened to a clock at a UTC instant; an extension carries its span or the new due instant."""

    kind: AdjustKind
    at: datetime
    span: Span | None = None
    until: datetime | None = None

    def as_json(self) -> dict[str, str]:
        """Give the compact image: kind, at, and span or until where there is one."""
        span = str(self.span) if self.span else None
        image = {"kind": self.kind.value, "at": _written(self.at), "span": span, "until": _written(self.until)}
        return {key: value for key, value in image.items() if value is not None}

    @classmethod
    def from_json(cls, image: Mapping[str, Any]) -> Self:
        """Read what as_json wrote; ValueError or KeyError for anything else."""
        kind, at = AdjustKind(image["kind"]), _instant(image["at"])
        return cls(kind, at, _span(image.get("span")), _maybe_instant(image.get("until")))


@dataclass(frozen=True, slots=True)
class RungPlan:
    """Where a rung of the ladder stands: so long before (negative) or after the due instant, or at it (None)."""

    index: int
    offset: Span | None


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of a clock: when it will fire (None while held, over or skipped) or, once fired, when it was to."""

    index: int
    at: datetime | None
    fired_at: datetime | None
    skipped: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline (时限) of a grievance or of one of its tasks; a value: every change gives a new one.

    `limit` (a span) or `until` (a fixed instant) is set, never both. `run` counts the clocks of this name in one
    cycle, from 1. `due_at` and the rungs are a fold of the start and the adjustments: see due_of.
    """

    id: UUID
    name: str
    task_id: UUID | None
    cycle: int
    run: int
    unit: str | None
    limit: Span | None
    until: datetime | None
    starts: Starts
    started_at: datetime
    status: ClockStatus
    due_at: datetime
    provisional: bool
    ended_at: datetime | None
    adjustments: tuple[Adjustment, ...]
    rungs: tuple[Rung, ...]
    plans: tuple[RungPlan, ...]


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
    """Start a clock now; a rung whose instant is already past is skipped and does not fire.

    ValueError without exactly one of limit and until, or for a limit below 1.
    """
    now = now.astimezone(UTC)
    until = until.astimezone(UTC) if until else None
    due = due_of(limit, until, starts, now, (), calendar)
    plans = tuple(plans)
    clock = Clock(
        id=id,
        name=name,
        task_id=task_id,
        cycle=cycle,
        run=run,
        unit=unit,
        limit=limit,
        until=until,
        starts=starts,
        started_at=now,
        status=ClockStatus.RUNNING,
        due_at=due.at,
        provisional=due.provisional,
        ended_at=None,
        adjustments=(),
        rungs=tuple(Rung(plan.index, None, None, skipped=False) for plan in plans),
        plans=plans,
    )
    return recompute(clock, calendar)


def pause(clock: Clock, now: datetime, calendar: WorkCalendar) -> Clock:
    """Hold a running clock with what is left of it; a held or ended one stays as it is."""
    if clock.status is not ClockStatus.RUNNING:
        return clock
    return recompute(_adjusted(clock, Adjustment(AdjustKind.PAUSE, now), ClockStatus.PAUSED), calendar)


def resume(clock: Clock, now: datetime, calendar: WorkCalendar) -> Clock:
    """Let a held or ended clock run on: due is now plus what was left, in the clock's own measure.

    An ended clock that was overdue keeps its due instant: a case that comes back late is still late.
    """
    if clock.status is ClockStatus.RUNNING:
        return clock
    return recompute(_adjusted(clock, Adjustment(AdjustKind.RESUME, now), ClockStatus.RUNNING), calendar)


def extend(clock: Clock, span: Span | datetime, now: datetime, calendar: WorkCalendar) -> Clock:
    """Move the due instant by an approved extension (延期), or to a fixed instant; what has fired stays fired.

    Workdays end at closing time of the nth workday after the due day; other spans are added as they are. A held or
    ended clock is extended too and finds the time when it runs on. ValueError for a span below 1.
    """
    if isinstance(span, datetime):
        adjustment = Adjustment(AdjustKind.EXTEND, now, until=span.astimezone(UTC))
    elif span.n < 1:
        raise ValueError(f"an extension is at least 1 {span.unit.value}, not {span.n}")
    else:
        adjustment = Adjustment(AdjustKind.EXTEND, now, span)
    return recompute(_adjusted(clock, adjustment, clock.status), calendar)


def end(clock: Clock, now: datetime) -> Clock:
    """End a clock: its due instant stays on record, its rungs no longer fire; an ended one stays as it is."""
    if clock.status is ClockStatus.ENDED:
        return clock
    over = _adjusted(clock, Adjustment(AdjustKind.END, now), ClockStatus.ENDED)
    return replace(over, rungs=tuple(rung if rung.fired_at else replace(rung, at=None) for rung in clock.rungs))


def fire(clock: Clock, index: int, now: datetime) -> Clock:
    """Mark a rung as fired; the clock stays as it is when the rung is not to fire now, or has fired before.

    ValueError when the clock has no such rung.
    """
    rung = next((rung for rung in clock.rungs if rung.index == index), None)
    if rung is None:
        raise ValueError(f"the clock {clock.name!r} has no rung {index}")
    if rung.fired_at or rung.at is None or now < rung.at:
        return clock
    fired = replace(rung, fired_at=now.astimezone(UTC))
    return replace(clock, rungs=tuple(fired if each is rung else each for each in clock.rungs))


def due_of(
    clock_limit: Span | None,
    until: datetime | None,
    starts: Starts,
    started_at: datetime,
    adjustments: Iterable[Adjustment],
    calendar: WorkCalendar,
) -> Due:
    """Fold a clock's history into its due instant: the one place where a due instant comes from.

    While a clock is held or ended its due instant stays; running on moves it by the time stood still: office time
    for a limit in office time, elapsed time for any other.
    """
    if until is not None and clock_limit is None:
        due = Due(until, provisional=False, skipped=())
    elif clock_limit is not None and until is None:
        due = calendar.due(started_at, clock_limit, starts)
    else:
        raise ValueError("a clock has either a limit or a fixed instant")
    working = clock_limit is not None and clock_limit.working
    stop: _Stop | None = None
    for adjustment in adjustments:
        if adjustment.kind is AdjustKind.EXTEND:
            due = _extended(due, adjustment, calendar)
        else:
            if adjustment.kind is AdjustKind.RESUME and stop is not None:
                due = _resumed(due, stop, adjustment.at, calendar if working else None)
            stop = _stopped(stop, adjustment)
    return due


def recompute(clock: Clock, calendar: WorkCalendar) -> Clock:
    """Give the clock as its history stands under this calendar: the due instant and the rungs not fired move.

    A rung is skipped while its instant lies before the start; a moved due instant brings it back, unless it would
    stand before the change that moved it.
    """
    due = due_of(clock.limit, clock.until, clock.starts, clock.started_at, clock.adjustments, calendar)
    changed_at = clock.adjustments[-1].at if clock.adjustments else clock.started_at
    running = clock.status is ClockStatus.RUNNING
    plans = {plan.index: plan for plan in clock.plans}

    def laid(rung: Rung) -> Rung:
        if rung.fired_at:
            return rung
        offset = plans[rung.index].offset
        at = due.at if offset is None else calendar.shift(due.at, offset)
        skipped = at < clock.started_at or (rung.skipped and at < changed_at)
        return replace(rung, at=at if running and not skipped else None, skipped=skipped)

    rungs = tuple(laid(rung) for rung in clock.rungs)
    return replace(clock, due_at=due.at, provisional=due.provisional, rungs=rungs)


def remaining_seconds(clock: Clock, now: datetime, calendar: WorkCalendar) -> int:
    """Give whole seconds left, rounded down and negative when overdue; what is left stands still with the clock.

    Office time for a limit in office time, elapsed time for any other.
    """
    stop: _Stop | None = None
    for adjustment in clock.adjustments:
        stop = _stopped(stop, adjustment)
    seen = stop.at if stop else now
    if clock.limit is not None and clock.limit.working:
        return calendar.working_seconds(seen, clock.due_at)
    return (clock.due_at - seen) // timedelta(seconds=1)


def as_row(clock: Clock) -> dict[str, Any]:
    """Give the JSON image of a clock: its fields by name, instants as RFC 3339 UTC with microseconds, spans as text."""
    return {
        "id": str(clock.id),
        "name": clock.name,
        "task_id": str(clock.task_id) if clock.task_id else None,
        "cycle": clock.cycle,
        "run": clock.run,
        "unit": clock.unit,
        "limit": str(clock.limit) if clock.limit else None,
        "until": _written(clock.until),
        "starts": clock.starts.value,
        "started_at": _written(clock.started_at),
        "status": clock.status.value,
        "due_at": _written(clock.due_at),
        "provisional": clock.provisional,
        "ended_at": _written(clock.ended_at),
        "adjustments": [adjustment.as_json() for adjustment in clock.adjustments],
        "rungs": [
            {
                "index": rung.index,
                "at": _written(rung.at),
                "fired_at": _written(rung.fired_at),
                "skipped": rung.skipped,
            }
            for rung in clock.rungs
        ],
        "plans": [{"index": plan.index, "offset": str(plan.offset) if plan.offset else None} for plan in clock.plans],
    }


def from_row(row: Mapping[str, Any]) -> Clock:
    """Read what as_row wrote, or the same fields with UUIDs and aware datetimes as a database gives them."""
    return Clock(
        id=UUID(str(row["id"])),
        name=row["name"],
        task_id=UUID(str(row["task_id"])) if row["task_id"] else None,
        cycle=row["cycle"],
        run=row["run"],
        unit=row["unit"],
        limit=_span(row["limit"]),
        until=_maybe_instant(row["until"]),
        starts=Starts(row["starts"]),
        started_at=_instant(row["started_at"]),
        status=ClockStatus(row["status"]),
        due_at=_instant(row["due_at"]),
        provisional=row["provisional"],
        ended_at=_maybe_instant(row["ended_at"]),
        adjustments=tuple(Adjustment.from_json(image) for image in row["adjustments"]),
        rungs=tuple(
            Rung(image["index"], _maybe_instant(image["at"]), _maybe_instant(image["fired_at"]), image["skipped"])
            for image in row["rungs"]
        ),
        plans=tuple(RungPlan(image["index"], _span(image["offset"])) for image in row["plans"]),
    )


class _Stop(NamedTuple):
    """Since when a clock stands still, and whether it was ended; ending a held clock keeps the earlier instant."""

    at: datetime
    ended: bool


def _stopped(stop: _Stop | None, adjustment: Adjustment) -> _Stop | None:
    match adjustment.kind:
        case AdjustKind.PAUSE:
            return stop or _Stop(adjustment.at, ended=False)
        case AdjustKind.END:
            return _Stop(stop.at if stop else adjustment.at, ended=True)
        case AdjustKind.RESUME:
            return None
        case AdjustKind.EXTEND:
            return stop


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
    skipped = tuple(sorted({*due.skipped, *calendar.days_off(first, last)}))
    return Due(at, due.provisional or calendar.unpublished(first, last), skipped)


def _adjusted(clock: Clock, adjustment: Adjustment, status: ClockStatus) -> Clock:
    adjustment = replace(adjustment, at=adjustment.at.astimezone(UTC))
    ended_at = clock.ended_at
    if adjustment.kind is AdjustKind.END:
        ended_at = adjustment.at
    elif adjustment.kind is AdjustKind.RESUME:
        ended_at = None
    return replace(clock, status=status, ended_at=ended_at, adjustments=(*clock.adjustments, adjustment))


def _written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if at else None


def _instant(image: str | datetime) -> datetime:
    at = datetime.fromisoformat(image) if isinstance(image, str) else image
    if at.tzinfo is None:
        raise ValueError(f"an instant needs its zone: {image}")
    return at.astimezone(UTC)


def _maybe_instant(image: str | datetime | None) -> datetime | None:
    return None if image is None else _instant(image)


@lru_cache(maxsize=1024)
def _span(text: str | None) -> Span | None:
    return None if text is None else Span.parse(text)
