"""When a clock starts, pauses, goes on and ends, as the state of its flow says; never by touching a grievance."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.situation import Situation, TaskState, World
from wuye_loop.domain.language.workflow import ClockSpec
from wuye_loop.domain.rules.clocks import CompiledClock, Option, Resolved
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.bounds import LAST_AGREED
from wuye_loop.domain.time.clock import ENDED, RUNNING, Clock
from wuye_loop.domain.time.spans import LARGEST, Span, TimeUnit

_DAY: Final = 10  # characters of a date
_MOST_DIGITS: Final = 6


def resolve_limit(world: World, compiled: CompiledClock, situation: Situation, task: TaskState | None) -> Resolved:
    """Return the first limit whose condition holds; it is stored with the clock, so a later change never moves it.

    Raises IllegalAction when a limit runs `until` a date that nobody has stored, or that has gone by.
    """
    facts = facts_of(world, situation, task)
    for option in compiled.limits:
        if option.when is None or option.when.holds(facts):
            if option.limit is not None:
                return option.limit
            return _counted(option, facts) if option.spec.of is not None else _dated(world, option, facts)
    raise IllegalAction("没有适用的时限")


def _counted(option: Option, facts: Mapping[str, Any]) -> Resolved:
    """Return the limit whose number the order says, kept within its bounds; the default where it says none."""
    spec, default = option.spec, option.spec.is_
    written = facts.get(option.until)
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) <= _MOST_DIGITS:
        written = int(written)
    if default is None or not isinstance(written, int) or isinstance(written, bool) or written < 1:
        return Resolved(default, None, option.starts)
    most = spec.max or (600 if default.unit is TimeUnit.MONTH else LARGEST)
    return Resolved(Span(min(max(written, spec.min or 1), most), default.unit), None, option.starts)


def _dated(world: World, option: Option, facts: Mapping[str, Any]) -> Resolved:
    """Return the limit that runs to a date or a moment: stored, or written on the order, which may say none of use."""
    until, default = moment_of(world, facts.get(option.until)), option.spec.is_
    if until is None and default is None:
        raise IllegalAction("还没有约定日期，不能开始计时")
    if until is None or until <= world.now:  # its rungs would never fire: nobody would hear of it again
        if default is None:
            raise IllegalAction("约定的日期已过，请重新约定")
        return Resolved(default, None, option.starts)
    return Resolved(None, until, option.starts)


def moment_of(world: World, written: object) -> datetime | None:
    """Return the instant that a written date (its closing time) or moment means; None where it means none."""
    if not isinstance(written, str):
        return None
    try:
        if len(written) == _DAY:
            return world.calendar.close_of(date.fromisoformat(written))
        at = world.zoned(datetime.fromisoformat(written))
        return at.astimezone(UTC) if at.year <= LAST_AGREED else None
    except (ValueError, OverflowError):
        return None


def latest_due(world: World, spec: ClockSpec, situation: Situation) -> datetime | None:
    """Return the last instant that a clock may be due at, by the cap since the grievance came in; None: no cap."""
    if spec.at_most is None:
        return None
    return world.calendar.shift(situation.grievance.received_at, spec.at_most)


def applies(world: World, compiled: CompiledClock, situation: Situation, task: TaskState | None) -> bool:
    """Say whether a clock that would start now is meant for such a grievance at all."""
    return compiled.when is None or compiled.when.holds(facts_of(world, situation, task))


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
        return _within(_running(latest, unit, world), world, compiled, situation)
    run = latest.run + 1 if latest is not None and latest.cycle == cycle else 1
    limit = resolve_limit(world, compiled, situation, task)
    cap = latest_due(world, compiled.spec, situation)
    if cap is not None and limit.until is not None and limit.until > cap:
        raise IllegalAction(
            f"不能约到那一天：自收件起至多{compiled.spec.at_most.chinese if compiled.spec.at_most else ''}"
        )
    started = clock_moves.start(
        id=world.new_id(), name=compiled.name, task_id=task.id if task else None, cycle=cycle, run=run, unit=unit,
        limit=limit.span, until=limit.until, starts=limit.starts, plans=compiled.plans, now=world.now,
        calendar=world.calendar,
    )  # fmt: skip
    return _within(started, world, compiled, situation)


def _within(clock: Clock, world: World, compiled: CompiledClock, situation: Situation) -> Clock:
    """Keep a clock within its cap: what was left of it, or a pause, never leads beyond."""
    cap = latest_due(world, compiled.spec, situation)
    if cap is None or clock.due_at <= cap or clock.due_at < world.now:
        return clock
    return clock_moves.extend(clock, cap, world.now, world.calendar)


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
