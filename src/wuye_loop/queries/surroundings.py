"""What a list shows beside each grievance, in words: its estate, its area, its units, what happened last."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.audiences import audiences, step_named
from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.queries import scope
from wuye_loop.queries.grievance import SPECIAL_ACTIONS
from wuye_loop.store.reads import surroundings as stored
from wuye_loop.store.reads.surroundings import Around
from wuye_loop.store.straight import Asked

_NEWEST = 10


def around(loop: Loop, session: Session, actor: Actor, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what stands around each of these grievances, by number; one that the actor does not see is left out."""
    loop.reference.refresh(session)
    rows = stored.around(session, actor, list(dict.fromkeys(numbers)), _allowed(loop, session, actor))
    return {row.number: _shown(loop, session, row) for row in rows}


def around_asked(loop: Loop, session: Session, actor: Actor, numbers: Sequence[str]) -> Asked:
    """Return what `around` asks of a page's numbers, to be asked ahead."""
    return stored.around_asked(actor, numbers, _allowed(loop, session, actor))


def _allowed(loop: Loop, session: Session, actor: Actor) -> list[str]:
    rules = loop.reference.rules(session, loop.default_workflow)
    return sorted(audiences(actor, rules) - {Audience.INTERNAL.value}) or [Audience.PUBLIC.value]


def _shown(loop: Loop, session: Session, row: Around) -> dict[str, Any]:
    directory = loop.reference.directory
    workflow = loop.reference.rules(session, row.workflow).workflow
    area = directory.areas.get(row.area_code or "")
    above = directory.areas.get(area.parent_code or "") if area else None
    return {
        "title": row.title,
        "category": row.category,
        "kind": row.kind,
        "urgency": row.urgency,
        "estate": row.estate_code,
        "estate_name": row.estate_name,
        "area_name": area.name if area else None,
        "area_above": above.name if above else None,
        "urged": row.urged,
        "cycle": row.cycle,
        "repeats": row.repeats,
        "flags": row.flags,
        "state": row.state,
        "state_title": workflow.states[row.state].title if row.state in workflow.states else row.state,
        "lead_unit_name": directory.name_of(row.lead_unit),
        "holder_unit_name": directory.name_of(row.holder_unit),
        "last_at": as_text(row.at) if row.at else None,
        "last": _deed(loop, session, row) if row.at else None,
    }


def _deed(loop: Loop, session: Session, row: Around) -> str:
    """Return in words what the last row of the ledger did."""
    rules = loop.reference.rules(session, row.workflow)
    kind = row.task_kind if row.task_kind in rules.workflow.tasks else None
    if row.action.startswith(RUNG):
        clock = rules.workflow.flow(kind).clocks.get(row.action.removeprefix(RUNG))
        return f"{clock.title if clock else ''}第 {(row.rung or 0) + 1} 级"
    spec = step_named(rules, row.action, kind)
    return spec.title or row.action if spec else SPECIAL_ACTIONS.get(row.action, row.action)


def of_caller(loop: Loop, session: Session, actor: Actor, phone: str) -> list[dict[str, Any]]:
    """Return the earlier grievances of whoever has this phone number, by its keyed digest, within the actor's sight."""
    loop.reference.refresh(session)
    rows = stored.of_caller(session, actor, loop.keyring.blinds(phone), _NEWEST)
    return [
        {
            "number": row.number,
            "title": row.title,
            "state_title": loop.reference.rules(session, row.workflow).workflow.states[row.state].title,
            "final": row.final,
            "received_at": as_text(row.received_at),
            "estate_name": row.estate_name,
            "satisfied": row.satisfied,
        }
        for row in rows
    ]


def estate(loop: Loop, session: Session, code: str) -> dict[str, Any] | None:
    """Return an estate with the names of its area and its company, or None."""
    loop.reference.refresh(session)
    return estates(loop, session, [code]).get(code)


def estates(loop: Loop, session: Session, codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return by code those of these estates that there are, as `estate` does; the directory has been refreshed."""
    return {row.code: _estate(loop, row) for row in stored.by_code(session, codes)}


def _estate(loop: Loop, row: Any) -> dict[str, Any]:
    directory = loop.reference.directory
    area = directory.areas.get(row.area_code)
    return {
        "code": row.code,
        "name": row.name,
        "area_name": area.name if area else None,
        "area_above": scope.area_name(directory, area.parent_code) if area else None,
        "company_name": directory.name_of(row.company_code),
    }
