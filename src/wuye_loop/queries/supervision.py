"""What a supervisor reads: overdue clocks with how late and how far they were escalated, counts, supervision orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, IllegalAction, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.grievance.views import task_titles
from wuye_loop.domain.language.workflow import RungSpec, TaskKind
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.spans import Span
from wuye_loop.domain.time.timestamps import as_text, from_text
from wuye_loop.domain.wording.time import office_day_seconds, spoken
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.striking import akin, unnamed_rows
from wuye_loop.queries import damage, scope
from wuye_loop.store.grievance.openers import Openers
from wuye_loop.store.grievance.packing import clock_image
from wuye_loop.store.pages import Page
from wuye_loop.store.reads import supervision
from wuye_loop.store.reads.supervision import OrderFilters, OverdueFilters

_READERS = (ActorKind.SUPERVISOR, ActorKind.ADMIN, ActorKind.AUDITOR)


_OVERDUE_KEYS = (
    "number title state area area_name estate clock clock_title task_id task_kind due_at provisional overdue_seconds"
    " overdue_text rung rung_title unit unit_name holder_unit holder_name lead_unit lead_name orders"
)
_NAMES = {"area": "area_code", "estate": "estate_code", "clock": "name"}
_ORDER_KEYS = (
    "id number document grievance title area area_name kind unit unit_name copies issued_at issued_by issued_by_title demand"
    " reply state state_title state_since final signed_off_at"
)
_ORDER_NAMES = {
    "number": "document_number", "grievance": "number", "area": "area_code", "unit": "holder_unit",
    "issued_at": "opened_at", "issued_by": "opener_unit", "signed_off_at": "closed_at",
}  # fmt: skip


def admit(loop: Loop, session: Session, actor: Actor) -> None:
    """Let in who supervises: supervisor, admin and auditor keys, and the unit that the supervisors work for.

    Raises Forbidden.
    """
    loop.reference.refresh(session)
    if actor.kind in _READERS:
        return
    roles = loop.reference.rules(session, loop.default_workflow).workflow.roles.values()
    offices = {role.unit for role in roles if role.is_ == "supervisor" and isinstance(role.unit, str)}
    if actor.kind is not ActorKind.UNIT or actor.unit not in offices:
        raise Forbidden("只有督办人员可以使用这个接口")


@dataclass(frozen=True, slots=True)
class Late:
    """What is asked of overdue clocks; None asks for any. `older_than` leaves out what is overdue by less."""

    clock: str | None = None
    rung: int | None = None
    area: str | None = None
    unit: str | None = None
    older_than: Span | None = None


def overdue(
    loop: Loop, session: Session, actor: Actor, asked: Late, *, after: tuple[datetime, UUID] | None, limit: int
) -> Page[dict[str, Any]]:
    """Return a page of the overdue running clocks in the actor's jurisdiction, the one due earliest first.

    Raises Forbidden, BadInput for an area unknown or outside.
    """
    filters, before = _late(loop, session, actor, asked)
    page = supervision.overdue(session, actor, filters, before, after, limit)
    shown = page.map(damage.shown("overdue", lambda row: _overdue_item(loop, session, row), _OVERDUE_KEYS, _NAMES))
    unnamed_rows(loop, session, akin(shown.items, page.items), ("title",), "number")
    return shown


def overdue_counted(loop: Loop, session: Session, actor: Actor, asked: Late, *, most: int) -> int:
    """Count the same, up to so many. Raises as overdue does."""
    filters, before = _late(loop, session, actor, asked)
    return supervision.overdue_counted(session, actor, filters, before, most)


def _late(loop: Loop, session: Session, actor: Actor, asked: Late) -> tuple[OverdueFilters, datetime]:
    """Return what is asked for, and before when it was due."""
    path = _path(loop, session, actor, asked.unit, asked.area)
    before = loop.clock.now()
    if asked.older_than is not None:
        back = Span(-asked.older_than.n, asked.older_than.unit)
        before = loop.calendar(session).shift(before, back)
    return OverdueFilters(asked.clock, asked.rung, asked.unit, path), before


def _path(loop: Loop, session: Session, actor: Actor, unit: str | None, area: str | None) -> str | None:
    """Let in who may read, with a unit and an area that there are; return the area's path. Raises as overdue does."""
    admit(loop, session, actor)
    scope.known_unit(loop, unit)
    return scope.path_of(loop, area, actor) if area is not None else None


def orders(
    loop: Loop,
    session: Session,
    actor: Actor,
    *,
    state: str | None,
    unit: str | None,
    area: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Return a page of supervision orders, the newest first. Raises as overdue does."""
    kinds, filters = _ordered(loop, session, actor, state, unit, area)
    page = supervision.orders(session, actor, kinds, filters, after, limit)
    words = Openers(session, loop.keyring, [row.grievance_id for row in page.items])
    shown = page.map(
        damage.shown("orders", lambda row: _order_item(loop, session, row, words), _ORDER_KEYS, _ORDER_NAMES)
    )
    unnamed_rows(loop, session, shown.items, ("title", "demand"))
    return shown


def orders_counted(
    loop: Loop, session: Session, actor: Actor, *, state: str | None, unit: str | None, area: str | None, most: int
) -> int:
    """Count the same, up to so many. Raises as overdue does."""
    kinds, filters = _ordered(loop, session, actor, state, unit, area)
    return supervision.orders_counted(session, actor, kinds, filters, most)


def _ordered(
    loop: Loop, session: Session, actor: Actor, state: str | None, unit: str | None, area: str | None
) -> tuple[set[str], OrderFilters]:
    path = _path(loop, session, actor, unit, area)
    kinds = {kind for rules in scope.published(loop, session) for kind in document_kinds(rules)}
    return kinds, OrderFilters(state, unit, path)


def kind_for(loop: Loop, session: Session, actor: Actor, number: str) -> str:
    """Return the kind of task that is a supervision order in a grievance's own workflow.

    Raises NotFound, IllegalAction where the workflow has none.
    """
    workflow = supervision.workflow_of(session, number, actor)
    if workflow is None:
        raise NotFound
    kinds = document_kinds(loop.reference.rules(session, workflow))
    if not kinds:
        raise IllegalAction("这件诉求的流程没有督办单")
    return kinds[0]


def document_kinds(rules: Rules) -> list[str]:
    """Return the kinds of task that are opened with a document: supervision orders."""
    return [kind for kind, spec in rules.workflow.tasks.items() if _carries(spec)]


def _carries(spec: TaskKind) -> bool:
    return "document" in spec.open.needs


def rung_title(rules: Rules, task_kind: str | None, spec: RungSpec) -> str:
    """Return in words what a rung does: its document or task, its action, its notices."""
    workflow = rules.workflow
    said = [workflow.instruments[name].title if name in workflow.instruments else name for name in spec.do]
    if spec.open is not None:
        said.insert(0, spec.document or workflow.tasks[spec.open].title)
    if spec.act is not None:
        said.append(workflow.flow(task_kind).actions[spec.act].title)
    return "、".join(said)


def _overdue_item(loop: Loop, session: Session, row: Any) -> dict[str, Any]:
    rules = loop.reference.rules(session, row.workflow)
    directory = loop.reference.directory
    spec = rules.workflow.flow(row.task_kind).clocks[row.name]
    late = loop.calendar(session, rules).working_seconds(row.due_at, loop.clock.now())
    ladder = spec.ladder
    fired = ladder[row.rung] if row.rung is not None and row.rung < len(ladder) else None
    return {
        "number": row.number,
        "title": row.title,
        "state": row.state,
        "area": row.area_code,
        "area_name": scope.area_name(directory, row.area_code),
        "estate": row.estate_code,
        "clock": row.name,
        "clock_title": spec.title,
        "task_id": str(row.task_id) if row.task_id else None,
        "task_kind": row.task_kind,
        "due_at": as_text(row.due_at),
        "provisional": row.provisional,
        "overdue_seconds": late,
        "overdue_text": spoken(late, office_day_seconds(rules.workflow.calendar)),
        "rung": row.rung,
        "rung_title": rung_title(rules, row.task_kind, fired) if fired else None,
        "unit": row.unit,
        "unit_name": directory.name_of(row.unit),
        "holder_unit": row.holder_unit,
        "holder_name": directory.name_of(row.holder_unit),
        "lead_unit": row.lead_unit,
        "lead_name": directory.name_of(row.lead_unit),
        "orders": _issued(rules, row.orders or ()),
    }


def _issued(rules: Rules, found: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "number": item["number"],
            "kind": item["kind"],
            "task": item["task"],
            "state": item["state"],
            "state_title": task_titles(rules.workflow, item["task_kind"], item["state"])[1],
            "issued_at": as_text(from_text(item["issued_at"])),
        }
        for item in found
        if (spec := rules.workflow.tasks.get(item["task_kind"])) is None or _carries(spec)
    ]


def _order_item(loop: Loop, session: Session, row: Any, words: Openers) -> dict[str, Any]:
    rules = loop.reference.rules(session, row.workflow)
    directory, spec = loop.reference.directory, rules.workflow.tasks.get(row.kind)
    role = rules.workflow.roles.get(row.opener_role or "")
    found = [clock_moves.from_row(clock_image(clock)) for clock in row.clocks or ()]
    reply = found[0] if found else None  # the clock that its first state starts is the one for the answer
    return {
        "id": str(row.id),
        "number": row.document_number,
        "document": row.document,
        "grievance": row.number,
        "title": row.title,
        "area": row.area_code,
        "area_name": scope.area_name(directory, row.area_code),
        "kind": row.kind,
        "unit": row.holder_unit,
        "unit_name": directory.name_of(row.holder_unit),
        "copies": [{"unit": code, "unit_name": directory.name_of(code)} for code in row.copies],
        "issued_at": as_text(row.opened_at),
        "issued_by": row.opener_unit,
        "issued_by_title": role.title if role else ("系统" if row.opener_role == "system" else None),
        "demand": words(row.grievance_id, row.data.get("demand")),
        "reply": reply_view(loop, spec, reply),
        "state": row.state,
        "state_title": task_titles(rules.workflow, row.kind, row.state)[1],
        "state_since": as_text(row.state_since),
        "final": row.final,
        "signed_off_at": as_text(row.closed_at) if row.closed_at else None,
    }


def reply_view(loop: Loop, spec: TaskKind | None, clock: clock_moves.Clock | None) -> dict[str, Any] | None:
    """Return until when an order must be answered, and whether it was in time."""
    if clock is None:
        return None
    ended = clock.ended_at
    return {
        "clock": clock.name,
        "clock_title": spec.clocks[clock.name].title if spec and clock.name in spec.clocks else clock.name,
        "limit_text": clock.limit.chinese if clock.limit else None,
        "due_at": as_text(clock.due_at),
        "provisional": clock.provisional,
        "ended_at": as_text(ended) if ended else None,
        "overdue": clock_moves.is_overdue(clock, loop.clock.now()),
    }
