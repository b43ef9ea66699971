"""When a clock starts, pauses, goes on and ends, as the state of its flow says; never by touching a grievance."""

from datetime import date

from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.grievance.facts import Facts, facts_of
from wuye_loop.domain.grievance.situation import Situation, TaskState, World
from wuye_loop.domain.rules.clocks import CompiledClock, Option, Resolved
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock import ENDED, RUNNING, Clock


def resolve_limit(world: World, compiled: CompiledClock, situation: Situation, task: TaskState | None) -> Resolved:
    """Return the first limit whose condition holds; it is stored with the clock, so a later change never moves it.

    Raises IllegalAction when a limit runs `until` a date that nobody has stored, or that has gone by.
    """
    facts = facts_of(world, situation, task)
    for option in compiled.limits:
        if option.when is None or option.when.holds(facts):
            return option.limit or _dated(world, option, facts)
    raise IllegalAction("没有适用的时限")


def _dated(world: World, option: Option, facts: Facts) -> Resolved:
    """Return the limit that runs to a stored date."""
    day = facts.get(option.until)
    if not isinstance(day, str):
        raise IllegalAction("还没有约定日期，不能开始计时")
    until = world.calendar.close_of(date.fromisoformat(day))
    if until <= world.now:  # its rungs would never fire: nobody would hear of it again
        raise IllegalAction("约定的日期已过，请重新约定")
    return Resolved(None, until, option.starts)


def taken_up(
    world: World,
    compiled: CompiledClock,
    latest: Clock | None,
    unit: str | None,
    situation: Situation,
    task: TaskState | None,
) -> Clock:
    """Return the clock that runs now: the latest one goes on, or a new one starts."""
    cycle = situation.grievance.cycle
    if latest is not None and (latest.status is not ENDED or _goes_on(compiled, latest, situation, task)):
        return _running(latest, unit, world)
    run = latest.run + 1 if latest is not None and latest.cycle == cycle else 1
    limit = resolve_limit(world, compiled, situation, task)
    return clock_moves.start(
        id=world.new_id(), name=compiled.name, task_id=task.id if task else None, cycle=cycle, run=run, unit=unit,
        limit=limit.span, until=limit.until, starts=limit.starts, plans=compiled.plans, now=world.now,
        calendar=world.calendar,
    )  # fmt: skip


def held(world: World, compiled: CompiledClock, latest: Clock, state: str) -> Clock:
    """Return the clock as it stands in a state that it does not run in: paused, or ended."""
    if state in compiled.paused:
        return clock_moves.pause(latest, world.now, world.calendar)
    return clock_moves.end(latest, world.now, world.calendar)


def _goes_on(compiled: CompiledClock, latest: Clock, situation: Situation, task: TaskState | None) -> bool:
    """Say whether an ended clock is taken up again with what was left, instead of a new one being started."""
    if compiled.per == "once":
        return True
    if compiled.per == "entry" or latest.cycle != situation.grievance.cycle:
        return False
    return latest.run > (
        0 if task else situation.grievance.counts.get(compiled.over, 0)
    )  # those before are over for good


def _running(latest: Clock, unit: str | None, world: World) -> Clock:
    clock = latest if latest.status is RUNNING else clock_moves.resume(latest, world.now, world.calendar)
    if clock.unit != unit and unit is not None:
        clock = clock_moves.held_by(clock, unit)
    return clock
