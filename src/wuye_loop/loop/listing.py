"""Lists as callers read them: rows from the store, named by the directory and the workflow of each."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.calendar import WorkCalendar
from wuye_loop.domain.directory import Directory
from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.instants import as_text
from wuye_loop.domain.rules import Rules
from wuye_loop.domain.situation import Actor
from wuye_loop.domain.terms import ActorKind, Stage
from wuye_loop.loop.engine import Loop
from wuye_loop.store import reading
from wuye_loop.store.keyset import Page
from wuye_loop.store.reading import Filters
from wuye_loop.store.visibility import covers


def grievances(
    loop: Loop,
    session: Session,
    actor: Actor,
    filters: Filters,
    area: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Return a page of the visible grievances; `area` is a code, whose whole subtree is meant.

    Raises BadInput for an unknown area.
    """
    loop.reference.refresh(session)
    if area is not None:
        filters = replace(filters, area_path=path_of(loop, area))
    page = reading.listed(session, actor, filters, after, limit)
    return page.map(lambda row: _item(loop, session, row))


def path_of(loop: Loop, area: str, actor: Actor | None = None) -> str:
    """Return the path of an area, by its code.

    Raises BadInput for an unknown one, and for one that the actor's jurisdiction does not cover.
    """
    found = loop.reference.directory.areas.get(area)
    if found is None:
        raise BadInput("没有这个属地", fields=[{"path": "query.area", "problem": "没有这个属地代码"}])
    if actor is not None and actor.kind is not ActorKind.UNIT and not covers(actor, found.path):
        raise BadInput("这个属地不在管辖范围内", fields=[{"path": "query.area", "problem": "不在这把密钥的管辖范围内"}])
    return found.path


def known_unit(loop: Loop, unit: str | None) -> None:
    """Refuse a filter by a unit that the directory does not have.

    Raises BadInput.
    """
    if unit is not None and unit not in loop.reference.directory.units:
        raise BadInput("没有这个单位", fields=[{"path": "query.unit", "problem": "没有这个单位代码"}])


def calendar_of(loop: Loop, session: Session, rules: Rules) -> WorkCalendar:
    """Return the working calendar of a workflow."""
    return loop.reference.calendar(session, rules.workflow.calendar)


def default_calendar(loop: Loop, session: Session) -> WorkCalendar:
    """Return the working calendar by which spans in a question are counted: the default workflow's."""
    return calendar_of(loop, session, loop.reference.rules(session, loop.default_workflow))


def published(loop: Loop, session: Session) -> list[Rules]:
    """Return every published workflow, compiled."""
    rows = session.connection().exec_driver_sql("SELECT id FROM workflow ORDER BY id")
    return [loop.reference.rules(session, row.id) for row in rows.all()]


def area_name(directory: Directory, code: str | None) -> str | None:
    """Return the name of an area, or None."""
    found = directory.areas.get(code) if code else None
    return found.name if found else None


def _item(loop: Loop, session: Session, row: Any) -> dict[str, Any]:
    workflow = loop.reference.rules(session, row.workflow).workflow
    directory, now = loop.reference.directory, loop.clock.now()
    return {
        "number": row.number,
        "workflow": row.workflow,
        "title": row.title,
        "state": row.state,
        "state_title": workflow.states[row.state].title,
        "stage": row.stage,
        "stage_title": Stage(row.stage).chinese,
        "final": row.final,
        "cycle": row.cycle,
        "kind": row.kind,
        "category": row.category,
        "urgency": row.urgency,
        "estate": row.estate_code,
        "area": row.area_code,
        "area_name": area_name(directory, row.area_code),
        "lead_unit": row.lead_unit,
        "lead_unit_name": directory.name_of(row.lead_unit),
        "holder_unit": row.holder_unit,
        "holder_unit_name": directory.name_of(row.holder_unit),
        "received_at": as_text(row.received_at),
        "clock": row.due_clock,
        "due_at": as_text(row.due_at) if row.due_at else None,
        "overdue": row.due_at is not None and row.due_at < now,
        "urged": row.urged,
        "flags": row.flags,
        "seq": row.seq,
    }
