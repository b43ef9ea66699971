"""What an actor may do now: the lawful actions and tasks to open, with their forms, and what blocks each."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.grievance.permissions import openings, options
from wuye_loop.domain.grievance.replies import beside
from wuye_loop.domain.grievance.situation import Actor, Situation, TaskState, World
from wuye_loop.domain.suggesting.suggestion import SUGGESTION
from wuye_loop.domain.terms import ActorKind, Stage
from wuye_loop.domain.wording.definition import Wording
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.engine import Looked, Loop
from wuye_loop.store.grievance import locking, related
from wuye_loop.store.reads import supervision


def offered(loop: Loop, session: Session, number: str, actor: Actor, looked: Looked | None = None) -> dict[str, Any]:
    """Return the same as `on_grievance` with each form as a value, for who draws it, and where each step leads.

    Who has looked already hands that in; of what was read with something damaged left out, it is no use.
    """
    if looked is None or looked[0].damaged:
        locked, world = _looked(loop, session, number, actor)
    else:
        locked, world = looked
        world = replace(world, lead=related.lead_of(session, locked.situation.grievance))
    return _offers(world, locked.situation, actor)


def _looked(loop: Loop, session: Session, number: str | None, actor: Actor, task_id: UUID | None = None) -> Looked:
    """Return a grievance unlocked, with the world in which a step on it, or on its task, is decided.

    Raises NotFound where the actor sees no such grievance or task.
    """
    locked = under_lock.read(loop.keyring, session, number, actor, task_id=task_id) if number else None
    if locked is None:
        raise NotFound
    return locked, engine.world_of(loop, session, locked, lead=related.lead_of(session, locked.situation.grievance))


def _looked_at_task(loop: Loop, session: Session, task_id: UUID, actor: Actor) -> Looked:
    return _looked(loop, session, locking.number_of_task(session, task_id, actor), actor, task_id)


def _offers(world: World, situation: Situation, actor: Actor) -> dict[str, Any]:
    return {
        "seq": situation.grievance.seq,
        "actions": [
            _led(world, item, None) | {"replies": beside(world, situation, item["form"].specs)}
            for item in options(world, situation, actor)
        ],
        "tasks": [_worded(world, item, None) for item in openings(world, situation, actor)],
    }


def _on_task(world: World, situation: Situation, actor: Actor, task: TaskState) -> list[dict[str, Any]]:
    return [_led(world, item, task.kind) for item in options(world, situation, actor, task)]


def seen(session: Session, number: str, actor: Actor) -> bool:
    """Say whether the actor sees the grievance."""
    return supervision.workflow_of(session, number, actor) is not None


def offered_with_tasks(loop: Loop, session: Session, number: str, actor: Actor) -> dict[str, Any]:
    """Return the same as `offered`, and under `on_tasks` what `offered_on_task` says of each open task, by its id.

    The grievance is read once for all of it.
    """
    locked, world = _looked(loop, session, number, actor)
    situation = locked.situation
    on_tasks = {task_id: _on_task(world, situation, actor, task) for task_id, task in situation.tasks.items()}
    return _offers(world, situation, actor) | {"on_tasks": on_tasks}


def offered_on_task(loop: Loop, session: Session, task_id: UUID, actor: Actor) -> list[dict[str, Any]]:
    """Return the actions of `on_task` with each form as a value."""
    locked, world = _looked_at_task(loop, session, task_id, actor)
    return _on_task(world, locked.situation, actor, locked.situation.tasks[task_id])


def signing(offers: list[dict[str, Any]], stage: Stage | None) -> str | None:
    """Return the action by which a holder signs for what lies with it: open now, asking nothing, into a state of this stage.

    Of a task, whose states have no stage, into one that is not its last.
    """
    for item in offers:
        onward = not item["to_final"] and (stage is None or item["to_stage"] is stage)
        if item["blocked"] is None and not item["form"].specs and item["to"] and onward:
            return str(item["action"])
    return None


def _led(world: World, item: dict[str, Any], kind: str | None) -> dict[str, Any]:
    """Add the title of the state that an action leads to, where the file names one."""
    flow = world.rules.workflow.flow(kind)
    to = flow.actions[item["action"]].to
    known = flow.states.get(to or "")
    return _worded(world, item, kind) | {
        "by": tuple(flow.actions[item["action"]].by),
        "to": to if known else None,
        "to_stage": known.stage if known else None,
        "to_final": known.final if known else False,
        "leads_to": known.title if known else None,
    }


def _worded(world: World, item: dict[str, Any], kind: str | None) -> dict[str, Any]:
    """Add the words of the form: what each field is called, and in which case it is asked."""
    said = Wording(world.rules.workflow)
    specs = item["form"].specs
    titles = {name: spec.title or world.rules.workflow.labels.get(name, name) for name, spec in specs.items()}
    whens = {name: said.condition(spec.when) for name, spec in specs.items() if spec.when is not None}
    return {**item, "titles": titles, "whens": whens, "task_kind": kind}


def on_grievance(loop: Loop, session: Session, number: str, actor: Actor) -> dict[str, Any]:
    """Return what this actor may do now on a grievance: actions and tasks to open, with forms and what blocks each."""
    locked, world = _looked(loop, session, number, actor)
    engine.know_state(world, locked)
    return {
        "number": number,
        "state": locked.situation.grievance.state,
        "seq": locked.situation.grievance.seq,
        "suggestion": None if actor.kind is ActorKind.HOTLINE else locked.situation.grievance.data.get(SUGGESTION),
        "actions": [_with_texts(world, locked.situation, item) for item in options(world, locked.situation, actor)],
        "tasks": [_shown(world, item) for item in openings(world, locked.situation, actor)],
    }


def on_task(loop: Loop, session: Session, task_id: UUID, actor: Actor) -> dict[str, Any]:
    """Return what this actor may do now on a task."""
    locked, world = _looked_at_task(loop, session, task_id, actor)
    task = locked.situation.tasks[task_id]
    return {
        "id": str(task_id),
        "state": task.state,
        "seq": locked.situation.grievance.seq,
        "actions": [_shown(world, item) for item in options(world, locked.situation, actor, task)],
    }


def _with_texts(world: World, situation: Situation, item: dict[str, Any]) -> dict[str, Any]:
    """Return an action as it is shown, with the texts that the file offers for its answer to the public."""
    texts = beside(world, situation, item["form"].specs)
    return {**_shown(world, item), **({"replies": texts} if texts else {})}


def _shown(world: World, item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "form": item["form"].schema(world.rules.workflow.labels)}
