"""Desks of people: who of a unit does what lies with it, who stands in for whom, and the views that somebody keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.schema.account_tables import absence, account, assignee, saved_view
from wuye_loop.store.visibility import visible


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of a unit: how many open items are theirs; away until when, and who stands in."""

    id: UUID
    login: str
    name: str
    items: int
    away_until: datetime | None
    stand_in: UUID | None


_COLLEAGUES = """
SELECT a.id, a.login, a.name,
  (SELECT count(*) FROM assignee s WHERE s.account_id = a.id AND s.unit_code = %(unit)s AND (
     EXISTS (SELECT 1 FROM grievance g WHERE g.id = s.item_id AND NOT g.final AND g.holder_unit = %(unit)s)
     OR EXISTS (SELECT 1 FROM task t WHERE t.id = s.item_id AND NOT t.final AND t.holder_unit = %(unit)s))) AS items,
  b.until, b.stand_in
FROM account a LEFT JOIN absence b ON b.account_id = a.id AND b.until > %(now)s
WHERE a.unit_code = %(unit)s AND a.role = 'unit' AND a.disabled_at IS NULL ORDER BY a.name, a.login
"""


def colleagues(session: Session, unit: str, now: datetime) -> list[Colleague]:
    """Return the people of a unit who may sign in."""
    rows = session.connection().exec_driver_sql(_COLLEAGUES, {"unit": unit, "now": now})
    return [Colleague(*row) for row in rows]


def answers_for(session: Session, account_id: UUID, now: datetime) -> list[UUID]:
    """Return whose items somebody does: the own ones, and those of who is away and named this person."""
    rows = select(absence.c.account_id).where(absence.c.stand_in == account_id, absence.c.until > now)
    return [account_id, *session.execute(rows).scalars()]


_ITEMS = """
SELECT g.id FROM grievance g
WHERE g.number = ANY(%(numbers)s) AND NOT g.final AND g.holder_unit = %(unit)s AND {visible}
UNION ALL
SELECT t.id FROM task t JOIN grievance g ON g.id = t.grievance_id
WHERE t.id = ANY(%(tasks)s::uuid[]) AND NOT t.final AND {visible} AND (t.holder_unit = %(unit)s OR EXISTS (
  SELECT 1 FROM clock c WHERE c.task_id = t.id AND c.status = 'running' AND c.unit = %(unit)s))
"""


def items(session: Session, actor: Actor, numbers: Sequence[str], tasks: Sequence[UUID]) -> list[UUID]:
    """Return the ids of those grievances and tasks that lie with the actor's unit now."""
    predicate, params = visible(actor)
    params |= {"unit": actor.unit, "numbers": list(numbers), "tasks": list(tasks)}
    return list(session.connection().exec_driver_sql(_ITEMS.format(visible=predicate), params).scalars())


def assign(session: Session, unit: str, items: Sequence[UUID], to: UUID, by: UUID, now: datetime) -> None:
    """Give items to a person of the unit, whoever had them."""
    for item in items:
        values = {"account_id": to, "by_account": by, "at": now}
        fresh = upsert(assignee).values(item_id=item, unit_code=unit, **values)
        session.execute(
            fresh.on_conflict_do_update(index_elements=[assignee.c.item_id, assignee.c.unit_code], set_=values)
        )


_ASSIGNED = """
SELECT CASE WHEN t.id IS NULL THEN g.number ELSE t.id::text END AS item, s.account_id, a.name
FROM assignee s JOIN account a ON a.id = s.account_id
LEFT JOIN task t ON t.id = s.item_id LEFT JOIN grievance g ON g.id = s.item_id
WHERE s.unit_code = %(unit)s AND s.item_id IN (
  SELECT id FROM grievance WHERE number = ANY(%(numbers)s) UNION ALL SELECT unnest(%(tasks)s::uuid[]))
"""


def assigned(session: Session, unit: str, numbers: Sequence[str], tasks: Sequence[UUID]) -> dict[str, tuple[UUID, str]]:
    """Return who of a unit does which of these items: account and name, by number or by the task's id."""
    params: dict[str, Any] = {"unit": unit, "numbers": list(numbers), "tasks": list(tasks)}
    rows = session.connection().exec_driver_sql(_ASSIGNED, params)
    return {row[0]: (row[1], row[2]) for row in rows}


def away(session: Session, account_id: UUID, stand_in: UUID, until: datetime) -> None:
    """Say who stands in for somebody until when; said again, the later word counts."""
    values = {"stand_in": stand_in, "until": until}
    fresh = upsert(absence).values(account_id=account_id, **values)
    session.execute(fresh.on_conflict_do_update(index_elements=[absence.c.account_id], set_=values))


def back(session: Session, account_id: UUID) -> None:
    """Say that somebody is there again."""
    session.execute(delete(absence).where(absence.c.account_id == account_id))


def active_of(session: Session, unit: str, account_id: UUID) -> bool:
    """Say whether an account is one of a unit's that may sign in."""
    rows = select(account.c.id).where(
        account.c.id == account_id,
        account.c.unit_code == unit,
        account.c.role == "unit",
        account.c.disabled_at.is_(None),
    )
    return session.execute(rows).first() is not None


# --- views ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """A list with its filters that somebody keeps under a title; `query` is that of the list's address."""

    id: UUID
    title: str
    query: str


def views(session: Session, account_id: UUID) -> list[View]:
    """Return the views that somebody keeps, the oldest first."""
    rows = select(saved_view.c.id, saved_view.c.title, saved_view.c.query).where(saved_view.c.account_id == account_id)
    return [View(*row) for row in session.execute(rows.order_by(saved_view.c.created_at, saved_view.c.id))]


def keep(session: Session, account_id: UUID, view: View, now: datetime) -> None:
    """Keep a view; one of the same title is replaced."""
    fresh = upsert(saved_view).values(
        id=view.id, account_id=account_id, title=view.title, query=view.query, created_at=now
    )
    same = [saved_view.c.account_id, saved_view.c.title]
    session.execute(fresh.on_conflict_do_update(index_elements=same, set_={"query": view.query}))


def drop(session: Session, account_id: UUID, view_id: UUID) -> None:
    """Forget one of somebody's own views."""
    session.execute(delete(saved_view).where(saved_view.c.id == view_id, saved_view.c.account_id == account_id))


def how_many(session: Session, account_id: UUID) -> int:
    """Return how many views somebody keeps."""
    rows = select(func.count()).select_from(saved_view).where(saved_view.c.account_id == account_id)
    return int(session.execute(rows).scalar() or 0)
