"""When a clock starts, pauses, goes on and ends, as the state of its flow says; never by touching a grievance."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from wuye_loop.domain import clocks
from wuye_loop.domain.calendar import Starts
from wuye_loop.domain.clock import ENDED, RUNNING, Clock, RungPlan
from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.facts import facts_of
from wuye_loop.domain.situation import Situation, TaskState, World
from wuye_loop.domain.spans import Span
from wuye_loop.domain.workflow import ClockSpec


@dataclass(slots=True)
class Resolved:
    """The limit that was chosen: a span or a fixed instant, and the rule for its start."""

    span: Span | None
    until: datetime | None
    starts: Starts


def resolve_limit(world: World, spec: ClockSpec, situation: Situation, task: TaskState | None) -> Resolved:
    """Return the first limit whose condition holds; it is stored with the clock, so a later change never moves it.

    Raises IllegalAction when a limit runs `until` a date that nobody has stored, or that has gone by.
    """
    facts = facts_of(world, situation, task)
    for limit in spec.limit:
        if limit.when.holds(facts):
            starts = limit.starts or spec.starts
            if limit.until is None:
                return Resolved(limit.is_, None, starts)
            day = facts.get(limit.until)
            if not isinstance(day, str):
                raise IllegalAction("还没有约定日期，不能开始计时")
            until = world.calendar.close_of(date.fromisoformat(day))
            if until <= world.now:  # its rungs would never fire: nobody would hear of it again
                raise IllegalAction("约定的日期已过，请重新约定")
            return Resolved(None, until, starts)
    raise IllegalAction("没有适用的时限")


def taken_up(
    world: World,
    spec: ClockSpec,
    plans: tuple[RungPlan, ...],
    latest: Clock | None,
    name: str,
    unit: str | None,
    task_id: UUID | None,
    cycle: int,
    *,
    over: int,
    limit: Callable[[], Resolved],
) -> Clock:
    """Return the clock that runs now: the latest one goes on, or a new one starts; runs up to `over` are over for good."""
    if latest is not None and (latest.status is not ENDED or _goes_on(spec, latest, cycle, over)):
        return _running(latest, unit, world)
    run = latest.run + 1 if latest is not None and latest.cycle == cycle else 1
    chosen = limit()
    return clocks.start(
        id=world.new_id(), name=name, task_id=task_id, cycle=cycle, run=run, unit=unit, limit=chosen.span,
        until=chosen.until, starts=chosen.starts, plans=plans, now=world.now, calendar=world.calendar,
    )  # fmt: skip


def held(world: World, spec: ClockSpec, latest: Clock, state: str) -> Clock:
    """Return the clock as it stands in a state that it does not run in: paused, or ended."""
    if state in spec.paused:
        return clocks.pause(latest, world.now, world.calendar)
    return clocks.end(latest, world.now)


def _goes_on(spec: ClockSpec, latest: Clock, cycle: int, over: int) -> bool:
    """Say whether an ended clock is taken up again with what was left, instead of a new one being started."""
    if spec.per == "once":
        return True
    return spec.per != "entry" and latest.cycle == cycle and latest.run > over


def _running(latest: Clock, unit: str | None, world: World) -> Clock:
    clock = latest if latest.status is RUNNING else clocks.resume(latest, world.now, world.calendar)
    if clock.unit != unit and unit is not None:
        clock = clocks.held_by(clock, unit)
    return clock
