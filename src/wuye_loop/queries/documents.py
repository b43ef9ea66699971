"""Numbered documents as callers read them: to whom, with copies to whom, and the task they opened."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import IllegalAction, NotFound
from wuye_loop.domain.grievance.audiences import audiences, readable
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.grievance.views import task_titles
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.striking import people_of, unname, unnamed_rows
from wuye_loop.queries import damage, scope
from wuye_loop.store.grievance.openers import Openers
from wuye_loop.store.pages import Page
from wuye_loop.store.reads import documents as stored
from wuye_loop.store.reads.documents import DocumentFilters

_KEYS = "number kind series year n grievance assessment title issuer issuer_name task addressee addressee_name copies text issued_at"
_LINE_KEYS = "n grievance title task kind unit unit_name state state_title final"
_LINE_NAMES = {
    "task": "task_id",
    "kind": "task_kind",
    "unit": "holder_unit",
    "state": "task_state",
    "final": "task_final",
}
_AGENDA_KEYS = (
    "task kind state state_title opened_at data grievance title category estate area level cycle received_at holder_unit"
    " lead_unit lead_unit_name"
)
_AGENDA_NAMES = {"task": "id", "estate": "estate_code", "area": "area_code"}


def documents(
    loop: Loop, session: Session, actor: Actor, filters: DocumentFilters, after: tuple[datetime, str] | None, limit: int
) -> Page[dict[str, Any]]:
    """Return a page of the documents on visible grievances, the newest first."""
    loop.reference.refresh(session)
    page = stored.listed(session, actor, _kinds(loop, session, actor), filters, after, limit)
    words = Openers(session, loop.keyring, [row.grievance_id for row in page.items if row.grievance_id is not None])
    shown = page.map(damage.shown("documents", lambda row: _shown(loop, session, row, words), _KEYS))
    _revised(session, shown.items)
    unnamed_rows(loop, session, shown.items, ("title", "text"))
    return shown


def counted(loop: Loop, session: Session, actor: Actor, filters: DocumentFilters, most: int) -> int:
    """Count the same, up to so many."""
    loop.reference.refresh(session)
    return stored.how_many(session, actor, _kinds(loop, session, actor), filters, most)


def document(loop: Loop, session: Session, actor: Actor, number: str) -> dict[str, Any]:
    """Return one document.

    Raises NotFound, also for one on a grievance outside the actor's jurisdiction.
    """
    loop.reference.refresh(session)
    row = stored.found(session, actor, _kinds(loop, session, actor), number)
    if row is None:
        raise NotFound
    words = Openers(session, loop.keyring, [row.grievance_id])
    read = damage.shown("document_lines", lambda row: _line(loop, session, row), _LINE_KEYS, _LINE_NAMES)
    whole = damage.shown("documents", lambda row: _shown(loop, session, row, words), _KEYS)
    lines = list(map(read, stored.lines(session, actor, number)))
    shown = whole(row)
    _revised(session, [shown])
    people = people_of(loop, session, [shown["grievance"], *(line["grievance"] for line in lines)])
    for line in lines:
        if line["grievance"] in people:
            unname(loop, line, ("title",), people[line["grievance"]])
    for known in people.values():  # its text speaks of every one of them
        unname(loop, shown, ("title", "text"), known)
    return {**shown, "lines": lines}


def agenda(
    loop: Loop, session: Session, actor: Actor, kind: str, after: tuple[datetime, UUID] | None, limit: int
) -> Page[dict[str, Any]]:
    """Return what waits for the next document of this kind (联席会议议题): stuck matters that the caller is to settle.

    Raises IllegalAction when no published file has a document of this kind that gathers.
    """
    loop.reference.refresh(session)
    gathered = {
        spec.gathers
        for rules in scope.published(loop, session)
        for name, spec in rules.workflow.documents.items()
        if name == kind and spec.gathers is not None
    }
    if len(gathered) != 1:
        raise IllegalAction("没有这种汇集议题的文书")
    page = stored.agenda(session, actor, gathered.pop(), after, limit)
    words = Openers(session, loop.keyring, [row.grievance_id for row in page.items])
    shown = page.map(
        damage.shown("agenda", lambda row: _item(loop, session, actor, row, words), _AGENDA_KEYS, _AGENDA_NAMES)
    )
    unnamed_rows(loop, session, shown.items, ("title", "data"))
    return shown


def _item(loop: Loop, session: Session, actor: Actor, row: Any, words: Openers) -> dict[str, Any]:
    directory = loop.reference.directory
    rules = loop.reference.rules(session, row.workflow)
    _, state_title = task_titles(rules.workflow, row.kind, row.state)
    opening = rules.task_kind(row.kind).open
    allowed = audiences(actor, rules)
    return {
        "task": str(row.id),
        "kind": row.kind,
        "state": row.state,
        "state_title": state_title,
        "opened_at": as_text(row.opened_at),
        "data": readable(words(row.grievance_id, row.data), opening.needs, opening.audience.value, allowed),
        "grievance": row.grievance,
        "title": row.title,
        "category": row.category,
        "estate": row.estate_code,
        "area": row.area_code,
        "level": row.level,
        "cycle": row.cycle,
        "received_at": as_text(row.received_at),
        "holder_unit": row.holder_unit,
        "lead_unit": row.lead_unit,
        "lead_unit_name": directory.name_of(row.lead_unit),
    }


def _line(loop: Loop, session: Session, row: Any) -> dict[str, Any]:
    workflow = loop.reference.rules(session, row.workflow).workflow
    state_title = task_titles(workflow, row.task_kind, row.task_state)[1]
    return {
        "n": row.n,
        "grievance": row.grievance,
        "title": row.title,
        "task": str(row.task_id),
        "kind": row.task_kind,
        "unit": row.holder_unit,
        "unit_name": loop.reference.directory.name_of(row.holder_unit),
        "state": row.task_state,
        "state_title": state_title,
        "final": row.task_final,
    }


def _revised(session: Session, papers: Sequence[dict[str, Any]]) -> None:
    """Say of papers of assessments which revision has put another score in the place of the one they stand on."""
    scored = {one["number"]: one for one in papers if isinstance(one.get("assessment"), dict)}
    for number, revision in stored.superseded(session, scored).items():
        scored[number]["assessment"]["superseded_by"] = revision


def _kinds(loop: Loop, session: Session, actor: Actor) -> set[str] | None:
    """Return the kinds of task whose documents the actor is an audience of; a hotline's are those for the public."""
    if actor.kind is not ActorKind.HOTLINE:
        return None
    return {
        kind
        for rules in scope.published(loop, session)
        for kind, spec in rules.workflow.tasks.items()
        if spec.open.audience.value in audiences(actor, rules)
    }


def _shown(loop: Loop, session: Session, row: Any, words: Openers) -> dict[str, Any]:
    name_of = loop.reference.directory.name_of
    task = None
    if row.task_id is not None:
        workflow = loop.reference.rules(session, row.workflow).workflow
        title, state_title = task_titles(workflow, row.task_kind, row.task_state)
        task = {
            "id": str(row.task_id),
            "kind": row.task_kind,
            "title": title,
            "state": row.task_state,
            "state_title": state_title,
            "final": row.task_final,
        }
    return {
        "number": row.number,
        "kind": row.kind,
        "series": row.series,
        "year": row.year,
        "n": row.n,
        "grievance": row.grievance,
        "assessment": None if row.scheme is None else {"scheme": row.scheme, "period": row.period},
        "title": row.heading if row.grievance_id is None else row.title,
        "issuer": row.issuer,
        "issuer_name": name_of(row.issuer),
        "task": task,
        "addressee": row.addressee,
        "addressee_name": name_of(row.addressee),
        "copies": [{"unit": code, "unit_name": name_of(code)} for code in row.copies],
        "text": words(row.grievance_id, row.text),
        "issued_at": as_text(row.issued_at),
    }
