"""What an actor may do now: the lawful actions and tasks to open, with their forms, and what blocks each."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.grievance.permissions import openings, options
from wuye_loop.domain.grievance.situation import Actor, World
from wuye_loop.domain.suggesting.suggestion import SUGGESTION
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.engine import Loop
from wuye_loop.store.grievance import locking, related


def on_grievance(loop: Loop, session: Session, number: str, actor: Actor) -> dict[str, Any]:
    """Return what this actor may do now on a grievance: actions and tasks to open, with forms and what blocks each."""
    locked = under_lock.read(loop.keyring, session, number, actor)
    if locked is None:
        raise NotFound
    world = engine.world_of(loop, session, locked, lead=related.lead_of(session, locked.situation.grievance))
    engine.know_state(world, locked)
    return {
        "number": number,
        "state": locked.situation.grievance.state,
        "seq": locked.situation.grievance.seq,
        "suggestion": None if actor.kind is ActorKind.HOTLINE else locked.situation.grievance.data.get(SUGGESTION),
        "actions": [_shown(world, item) for item in options(world, locked.situation, actor)],
        "tasks": [_shown(world, item) for item in openings(world, locked.situation, actor)],
    }


def on_task(loop: Loop, session: Session, task_id: UUID, actor: Actor) -> dict[str, Any]:
    """Return what this actor may do now on a task."""
    number = locking.number_of_task(session, task_id, actor)
    locked = under_lock.read(loop.keyring, session, number, actor, task_id=task_id) if number else None
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
