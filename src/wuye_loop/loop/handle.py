"""单位承办: what the people who work on a grievance do to it and its tasks, and what they may do now."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.drafts import Step
from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.permits import openings, options
from wuye_loop.domain.situation import Actor, Command, Situation, World
from wuye_loop.domain.views import grievance_view, task_view
from wuye_loop.loop import engine
from wuye_loop.loop.engine import Loop, Outcome
from wuye_loop.store import grievances, kin
from wuye_loop.store.grievances import Ticket


def act(
    loop: Loop,
    session: Session,
    number: str,
    action: str,
    actor: Actor,
    form: Mapping[str, Any],
    *,
    expected_seq: int | None = None,
    ticket: Ticket | None = None,
) -> Outcome:
    """Take an action on a grievance; the answer is the grievance as it is then."""
    command = Command(action, actor, form)
    return engine.take(loop, session, number, command, _grievance, expected_seq=expected_seq, ticket=ticket)


def act_on_task(
    loop: Loop,
    session: Session,
    task_id: UUID,
    action: str,
    actor: Actor,
    form: Mapping[str, Any],
    *,
    expected_seq: int | None = None,
    ticket: Ticket | None = None,
) -> Outcome:
    """Take an action on a task; the answer is the task as it is then. `expected_seq` is the grievance's."""
    number = grievances.number_of_task(session, task_id, actor)
    if number is None:
        return engine.out_of_sight(session, ticket)
    command = Command(action, actor, form, task_id)

    def render(world: World, situation: Situation, _: Step) -> bytes:
        return _dump(task_view(world, situation.grievance, situation.tasks[task_id]))

    return engine.take(loop, session, number, command, render, expected_seq=expected_seq, ticket=ticket)


def open_task(
    loop: Loop,
    session: Session,
    number: str,
    kind: str,
    actor: Actor,
    form: Mapping[str, Any],
    *,
    expected_seq: int | None = None,
    ticket: Ticket | None = None,
) -> Outcome:
    """Open a task on a grievance; the answer is the new task."""

    def render(world: World, situation: Situation, step: Step) -> bytes:
        if step.opened is None:
            return b"{}"
        return _dump(task_view(world, situation.grievance, situation.tasks[step.opened]))

    return engine.open_task(loop, session, number, kind, actor, form, render, expected_seq=expected_seq, ticket=ticket)


def choices(loop: Loop, session: Session, number: str, actor: Actor) -> dict[str, Any]:
    """Return what this actor may do now on a grievance: actions and tasks to open, with forms and what blocks each."""
    locked = grievances.read(session, number, actor)
    if locked is None:
        raise NotFound
    world = engine.world_of(loop, session, locked, lead=kin.lead_of(session, locked.situation.grievance))
    return {
        "number": number,
        "state": locked.situation.grievance.state,
        "seq": locked.situation.grievance.seq,
        "actions": [_shown(world, item) for item in options(world, locked.situation, actor)],
        "tasks": [_shown(world, item) for item in openings(world, locked.situation, actor)],
    }


def task_choices(loop: Loop, session: Session, task_id: UUID, actor: Actor) -> dict[str, Any]:
    """Return what this actor may do now on a task."""
    number = grievances.number_of_task(session, task_id, actor)
    locked = grievances.read(session, number, actor, task_id=task_id) if number else None
    if locked is None:
        raise NotFound
    world = engine.world_of(loop, session, locked)
    task = locked.situation.tasks[task_id]
    return {
        "id": str(task_id),
        "state": task.state,
        "seq": locked.situation.grievance.seq,
        "actions": [_shown(world, item) for item in options(world, locked.situation, actor, task)],
    }


def _shown(world: World, item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "form": item["form"].schema(world.rules.workflow.labels)}


def _grievance(world: World, situation: Situation, _: Step) -> bytes:
    return _dump(grievance_view(world, situation))


def _dump(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value)
