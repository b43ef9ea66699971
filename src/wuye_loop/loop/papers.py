"""Numbered documents as callers read them: to whom, with copies to whom, and the task they opened."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.instants import as_text
from wuye_loop.domain.readership import audiences
from wuye_loop.domain.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop import listing
from wuye_loop.loop.engine import Loop
from wuye_loop.store import document_register
from wuye_loop.store.document_register import DocumentFilters
from wuye_loop.store.keyset import Page


def documents(
    loop: Loop,
    session: Session,
    actor: Actor,
    filters: DocumentFilters,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Return a page of the documents on visible grievances, the newest first."""
    loop.reference.refresh(session)
    page = document_register.listed(session, actor, _kinds(loop, session, actor), filters, after, limit)
    return page.map(lambda row: _shown(loop, session, row))


def document(loop: Loop, session: Session, actor: Actor, number: str) -> dict[str, Any]:
    """Return one document.

    Raises NotFound, also for one on a grievance outside the actor's jurisdiction.
    """
    loop.reference.refresh(session)
    row = document_register.found(session, actor, _kinds(loop, session, actor), number)
    if row is None:
        raise NotFound
    return _shown(loop, session, row)


def _kinds(loop: Loop, session: Session, actor: Actor) -> set[str] | None:
    """Return the kinds of task whose documents the actor is an audience of; a hotline's are those for the public."""
    if actor.kind is not ActorKind.HOTLINE:
        return None
    return {
        kind
        for rules in listing.published(loop, session)
        for kind, spec in rules.workflow.tasks.items()
        if spec.open.audience.value in audiences(actor, rules)
    }


def _shown(loop: Loop, session: Session, row: Any) -> dict[str, Any]:
    name_of = loop.reference.directory.name_of
    workflow = loop.reference.rules(session, row.workflow).workflow
    task = None
    if row.task_id is not None:
        spec = workflow.tasks[row.task_kind]
        task = {
            "id": str(row.task_id),
            "kind": row.task_kind,
            "title": spec.title,
            "state": row.task_state,
            "state_title": spec.states[row.task_state].title,
            "final": row.task_final,
        }
    return {
        "number": row.number,
        "kind": row.kind,
        "series": row.series,
        "year": row.year,
        "n": row.n,
        "grievance": row.grievance,
        "title": row.title,
        "task": task,
        "addressee": row.addressee,
        "addressee_name": name_of(row.addressee),
        "copies": [{"unit": code, "unit_name": name_of(code)} for code in row.copies],
        "text": row.text,
        "issued_at": as_text(row.issued_at),
    }
