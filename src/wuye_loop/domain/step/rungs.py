"""Rungs: what a clock's ladder does when its time has come. Pure, as machine.py is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import IntEnum, auto
from functools import partial
from typing import Any
from uuid import UUID

from wuye_loop.domain.errors import BadForm, Conflict, Forbidden
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Situation, World
from wuye_loop.domain.step.actions import applies, chain
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.documents import send
from wuye_loop.domain.step.numbering import Numbers
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.step.tasks import open_by_rung
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock import RUNNING, Clock, Rung
from wuye_loop.domain.time.timestamps import as_text


class _Follow(IntEnum):
    """What a rung does beside its notices: each does what those below it do."""

    NOTHING = auto()
    ITS_TASK = auto()
    ALL_BUT_ITS_ACTION = auto()
    ALL = auto()


class _Undrawn:
    """Stands where numbers are drawn while it is not sure that they will be used, and remembers whether it was asked."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, _: str, __: int) -> int:
        self.asked = True
        return 0


def decide_rung(world: World, situation: Situation, clock_id: UUID, index: int) -> Step | None:
    """Fire one rung if it is really due, once; None when it is not (paused, ended, moved, fired before).

    What the rung's action brings with it may be refused (the grievance stands elsewhere by now): the rung has fired all
    the same, and the ledger keeps that its action did not apply, and why.
    """
    clock = situation.clocks.get(clock_id)
    if clock is None or clock.status is not RUNNING:
        return None
    fired = clock_moves.fire(clock, index, world.now)
    if fired is clock:
        return None
    return _unrefused(world, partial(_rung, situation, fired, index))


def rung_on(builder: Builder, clock: Clock, index: int) -> None:
    """Fire a rung that is due on a builder, as decide_rung and act_on do."""
    _fire(builder, clock_moves.fire(clock, index, builder.world.now), index, _Follow.ALL, None)


def _unrefused(world: World, rung: Callable[[World, _Follow, str | None], Step]) -> Step:
    """Decide a rung with what follows it; where that is refused, with less, down to its notices alone.

    A refusal raised from here would come back at every sweep, and keep all other rungs of the grievance from firing.
    What is refused must not have drawn a document's number, for a series has no gaps: so they are drawn last, or given back.
    """
    refused: str | None = None
    counted = world.next_number if isinstance(world.next_number, Numbers) else None
    for follow in (_Follow.ALL, _Follow.ALL_BUT_ITS_ACTION, _Follow.ITS_TASK):
        numbers, mark = _Undrawn(), counted.mark if counted else 0
        try:
            step = rung(world if counted else replace(world, next_number=numbers), follow, refused)
        except (Conflict, Forbidden, BadForm) as error:
            refused = refused or error.detail
            if counted:
                counted.back_to(mark)
            continue
        if numbers.asked:
            return rung(world, follow, refused)
        step.world = world
        return step
    return rung(world, _Follow.NOTHING, refused)


def _rung(situation: Situation, fired: Clock, index: int, world: World, follow: _Follow, refused: str | None) -> Step:
    builder = Builder(world, situation)
    _fire(builder, fired, index, follow, refused)
    return builder.step()


def _fire(builder: Builder, fired: Clock, index: int, follow: _Follow, refused: str | None) -> None:
    """Carry out a rung that has fired; `refused` says why what should follow does not."""
    builder.put_clock(fired)
    world, situation = builder.world, builder.situation
    task = situation.tasks.get(fired.task_id) if fired.task_id else None
    spec = world.rules.machine(task.kind if task else None).flow.clocks[fired.name].ladder[index]
    facts: dict[str, Any] = {"clock": fired.name, "rung": index, "due": as_text(fired.due_at)}
    wanted = spec.when.always or spec.when.holds(facts_of(world, situation, task))
    if not wanted:
        facts["passed"] = True
    for instrument in spec.do if wanted else ():
        send(builder, instrument, spec.to, task, spec.copy_to)
        facts.setdefault("do", []).append(instrument)
    if spec.act is not None and wanted:
        facts["act"] = spec.act
        facts["applies"] = follow is _Follow.ALL and applies(world, situation, spec.act, task)
    if refused is not None:
        facts["refused"] = refused
    builder.close_entry(
        f"{RUNG}{fired.name}", actor=SYSTEM_ACTOR.as_json(), facts=facts, audience=Audience.UNITS, task_id=fired.task_id
    )
    if spec.open is not None and wanted and follow >= _Follow.ITS_TASK:
        open_by_rung(builder, spec, task)
    if follow < _Follow.ALL_BUT_ITS_ACTION:
        return
    if facts.get("applies"):
        if task is None:
            builder.then.append(str(spec.act))
        else:
            builder.then_on_tasks.append((task.id, str(spec.act)))
    chain(builder)


def standing(situation: Situation, now: datetime) -> list[tuple[Clock, Rung, datetime]]:
    """Return the rungs of running clocks that are due by then and have not fired, with when they are due."""
    return [
        (clock, rung, rung.at)
        for going in situation.going().values()
        for clock in going.values()
        if clock.status is RUNNING
        for rung in clock.rungs
        if rung.at is not None and rung.at <= now and rung.fired_at is None
    ]


def next_due_rung(situation: Situation, now: datetime) -> tuple[UUID, int] | None:
    """Return the clock and index of the rung that has been due longest, or None."""
    due = [(at, clock.name, rung.index, clock.id) for clock, rung, at in standing(situation, now)]
    if not due:
        return None
    _, _, index, clock_id = min(due)
    return clock_id, index
