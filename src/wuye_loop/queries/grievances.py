"""Lists as callers read them: rows from the store, named by the directory and the workflow of each."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.striking import akin, unnamed_rows
from wuye_loop.queries import damage
from wuye_loop.queries.scope import area_name, path_of
from wuye_loop.store.pages import Page
from wuye_loop.store.reads import grievances as stored
from wuye_loop.store.reads.grievances import Filters

_KEYS = (
    "number workflow title state state_title stage stage_title final cycle kind category urgency estate area area_name"
    " lead_unit lead_unit_name holder_unit holder_unit_name received_at clock due_at overdue urged flags seq"
)
_NAMES = {"estate": "estate_code", "area": "area_code", "clock": "due_clock"}


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
    page = stored.listed(session, actor, _within(loop, session, filters, area), after, limit)
    shown = page.map(damage.shown("grievances", lambda row: _item(loop, session, row, actor), _KEYS, _NAMES))
    unnamed_rows(loop, session, akin(shown.items, page.items), ("title",), "number")
    return shown


def counted(loop: Loop, session: Session, actor: Actor, filters: Filters, area: str | None, most: int) -> int:
    """Count the visible grievances of a list, up to `most`. Raises BadInput for an unknown area."""
    return stored.counted(session, actor, _within(loop, session, filters, area), most)


def _within(loop: Loop, session: Session, filters: Filters, area: str | None) -> Filters:
    """Return the filters with the subtree of an area, by its code. Raises BadInput for an unknown one."""
    loop.reference.refresh(session)
    return filters if area is None else replace(filters, area_path=path_of(loop, area))


def _item(loop: Loop, session: Session, row: Any, actor: Actor) -> dict[str, Any]:
    workflow = loop.reference.rules(session, row.workflow).workflow
    directory, now = loop.reference.directory, loop.clock.now()
    shown: dict[str, Any] = {
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
    return shown if row.source != actor.sender else {**shown, "external_id": row.external_id}
