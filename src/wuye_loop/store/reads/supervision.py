"""The overdue clocks and the supervision orders, from indexed columns; sorted and cut by the database."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.store.grievance.related import AKIN
from wuye_loop.store.pages import Page, counted, cut
from wuye_loop.store.visibility import subtree, visible


@dataclass(frozen=True, slots=True)
class OverdueFilters:
    """What the overdue list is narrowed by; None narrows nothing."""

    clock: str | None = None
    rung: int | None = None
    unit: str | None = None
    area_path: str | None = None


# A clock carries its grievance's area: jurisdiction and sorting are one index, and only the rows of the page are joined.
_OVERDUE = f"""
SELECT c.id, c.name, c.due_at, c.provisional, c.rung, c.unit, c.task_id, g.number, g.workflow, g.title, g.area_code,
       g.area_path, g.estate_code, g.lead_unit, g.holder_unit, g.state, t.kind AS task_kind, {AKIN} AS akin,
       (SELECT jsonb_agg(jsonb_build_object('number', d.number, 'kind', d.kind, 'task', o.id, 'task_kind', o.kind,
                                            'state', o.state, 'issued_at', d.issued_at) ORDER BY d.issued_at, d.number)
        FROM document d JOIN task o ON o.id = d.task_id WHERE d.grievance_id = g.id) AS orders
FROM clock c {{of}} LEFT JOIN task t ON t.id = c.task_id
WHERE c.status = 'running' AND c.due_at < %(before)s AND {{conditions}}
ORDER BY c.due_at, c.id LIMIT %(limit)s
"""
_OF_UNIT = "JOIN grievance g ON g.id = c.grievance_id"
# Looked up for each clock of the page: told of two fences, the planner takes the clocks for few and sorts all of the area's.
_OF_AREA = "CROSS JOIN LATERAL (SELECT * FROM grievance o WHERE o.id = c.grievance_id OFFSET 0) g"
_CONDITIONS = {"clock": "c.name = %(clock)s", "rung": "c.rung = %(rung)s", "unit": "c.unit = %(unit)s"}


def overdue(
    session: Session,
    actor: Actor,
    filters: OverdueFilters,
    before: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Page[Any]:
    """Return a page of the running clocks that were due before an instant, the latest late first."""
    statement, params = overdue_statement(actor, filters, before, after, limit + 1)
    rows = session.connection().exec_driver_sql(statement, params).all()
    return cut(rows, limit, lambda row: (row.due_at, row.id))


def overdue_statement(
    actor: Actor, filters: OverdueFilters, before: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> tuple[str, dict[str, Any]]:
    """Return the statement and its parameters; a test looks at its plan."""
    predicate, params = visible(actor, "g" if actor.kind is ActorKind.UNIT else "c")
    conditions = [predicate]
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            conditions.append(condition)
            params[name] = value
    if filters.area_path is not None:
        inside, bounds = subtree(filters.area_path, "c", "f")
        conditions.append(inside)
        params |= bounds
    if after is not None:
        conditions.append("(c.due_at, c.id) > (%(at)s, %(after)s)")
        params |= {"at": after[0], "after": after[1]}
    params |= {"before": before, "limit": limit}
    of = _OF_UNIT if actor.kind is ActorKind.UNIT else _OF_AREA
    return _OVERDUE.format(of=of, conditions=" AND ".join(conditions)), params


def overdue_counted(session: Session, actor: Actor, filters: OverdueFilters, before: datetime, most: int) -> int:
    """Count the same, up to so many."""
    return counted(session, *overdue_statement(actor, filters, before, None, most))


# --- orders ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """What the list of supervision orders is narrowed by; `unit` is whom they are addressed to."""

    state: str | None = None
    unit: str | None = None
    area_path: str | None = None


_ORDERS = """
SELECT t.id, t.kind, t.n, t.state, t.final, t.holder_unit, t.opener_unit, t.opener_role, t.document, t.document_number,
       t.copies, t.data, t.grievance_id, t.opened_at, t.state_since, t.closed_at, g.number, g.workflow, g.title, g.area_code,
       (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.started_at, c.id) FROM clock c
        WHERE c.grievance_id = t.grievance_id AND c.task_id = t.id) AS clocks
FROM task t JOIN grievance g ON g.id = t.grievance_id
WHERE t.kind = ANY(%(kinds)s) AND {conditions}
ORDER BY t.opened_at DESC, t.id DESC LIMIT %(limit)s
"""


def orders(
    session: Session,
    actor: Actor,
    kinds: Collection[str],
    filters: OrderFilters,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Page[Any]:
    """Return a page of the tasks that carry a supervision document, the newest first."""
    statement, params = _orders_statement(actor, kinds, filters, after, limit + 1)
    rows = session.connection().exec_driver_sql(statement, params).all()
    return cut(rows, limit, lambda row: (row.opened_at, row.id))


def orders_counted(session: Session, actor: Actor, kinds: Collection[str], filters: OrderFilters, most: int) -> int:
    """Count the same, up to so many."""
    return counted(session, *_orders_statement(actor, kinds, filters, None, most))


def _orders_statement(
    actor: Actor, kinds: Collection[str], filters: OrderFilters, after: tuple[datetime, UUID] | None, limit: int
) -> tuple[str, dict[str, Any]]:
    predicate, params = visible(actor, "g" if actor.kind is ActorKind.UNIT else "t")
    conditions = [predicate]
    if filters.state is not None:
        conditions.append("t.state = %(state)s")
        params["state"] = filters.state
    if filters.unit is not None:
        conditions.append("t.holder_unit = %(unit)s")
        params["unit"] = filters.unit
    if filters.area_path is not None:
        inside, bounds = subtree(filters.area_path, "t", "f")
        conditions.append(inside)
        params |= bounds
    if after is not None:
        conditions.append("(t.opened_at, t.id) < (%(at)s, %(after)s)")
        params |= {"at": after[0], "after": after[1]}
    params |= {"kinds": sorted(kinds), "limit": limit}
    return _ORDERS.format(conditions=" AND ".join(conditions)), params


def workflow_of(session: Session, number: str, actor: Actor) -> str | None:
    """Return which workflow a visible grievance is pinned to, or None."""
    predicate, params = visible(actor)
    row = (
        session.connection()
        .exec_driver_sql(
            f"SELECT g.workflow FROM grievance g WHERE g.number = %(number)s AND {predicate}",
            params | {"number": number},
        )
        .first()
    )
    return row.workflow if row else None
