"""单位承办: what the people who work on a grievance do to it and its tasks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import IllegalAction, NotFound
from wuye_loop.domain.grievance.situation import Actor, Command, Situation, World
from wuye_loop.domain.grievance.views import grievance_view, task_view
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop import engine
from wuye_loop.loop.engine import ANY, Loop, StepResult, Terms
from wuye_loop.store.grievance import locking, related


def act(
    loop: Loop, session: Session, number: str, action: str, actor: Actor, form: Mapping[str, Any], terms: Terms = ANY
) -> StepResult:
    """Take an action on a grievance; the answer is the grievance as it is then."""
    command = Command(action, actor, form)

    def render(world: World, situation: Situation, _: Step) -> bytes:
        return _dump(engine.answer_of(session, world, situation, actor))

    try:
        return engine.take(loop, session, number, command, render, terms)
    except IllegalAction as refused:
        lead = _through_lead(loop, session, number, command)
        if lead is None:
            raise
        try:
            return engine.take(loop, session, *lead, terms)
        except NotFound:
            raise refused from None


def _through_lead(
    loop: Loop, session: Session, number: str, command: Command
) -> tuple[str, Command, engine.Render] | None:
    """Return what an action that moves nothing (催办, 先行联系) on a merged grievance does to its lead; None for any other.

    A hotline whose grievance follows another's learns its number, and no word of it.
    """
    actor = command.actor
    found = related.lead_of_merged(session, number, actor)
    if found is None:
        return None
    lead, workflow, source = found
    compiled = loop.reference.rules(session, workflow).main.actions.get(command.action)
    if compiled is None or any(transition.to is not None for transition in compiled.transitions):
        return None
    foreign = actor.kind is ActorKind.HOTLINE and source != actor.sender

    def render(world: World, situation: Situation, _: Step) -> bytes:
        shown = {"number": lead} if foreign else grievance_view(world, situation)
        return _dump({**shown, "attached_to": lead})

    return lead, replace(command, actor=replace(actor, source=source) if foreign else actor), render


def act_on_task(
    loop: Loop, session: Session, task_id: UUID, action: str, actor: Actor, form: Mapping[str, Any], terms: Terms = ANY
) -> StepResult:
    """Take an action on a task; the answer is the task as it is then. The terms' seq is the grievance's."""
    number = locking.number_of_task(session, task_id, actor)
    if number is None:
        return engine.out_of_sight(session, terms)
    command = Command(action, actor, form, task_id)

    def render(world: World, situation: Situation, _: Step) -> bytes:
        return _dump(task_view(world, situation.grievance, situation.tasks[task_id]))

    return engine.take(loop, session, number, command, render, terms)


def open_task(
    loop: Loop, session: Session, number: str, kind: str, actor: Actor, form: Mapping[str, Any], terms: Terms = ANY
) -> StepResult:
    """Open a task on a grievance; the answer is the new task."""

    def render(world: World, situation: Situation, step: Step) -> bytes:
        if step.opened is None:
            return b"{}"
        return _dump(task_view(world, situation.grievance, situation.tasks[step.opened]))

    return engine.open_task(loop, session, number, kind, actor, form, render, terms)


def _dump(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value)
