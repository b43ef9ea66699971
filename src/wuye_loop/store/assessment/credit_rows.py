"""The register of credit: rows are added and never changed; the end of a row is a row of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.credit import CreditRow
from wuye_loop.store import registry, vouched
from wuye_loop.store.schema.assessment_tables import credit


@dataclass(frozen=True, slots=True)
class Told:
    """A row of credit with what people ask about it: why, by whom, when."""

    row: CreditRow
    reason: str | None
    actor: Mapping[str, Any]
    at: datetime


def add(
    session: Session, scheme: str, row: CreditRow, *, reason: str | None, actor: Mapping[str, Any], now: datetime
) -> bool:
    """Add a row; False when this cause has its row already."""
    values = {
        "id": row.id, "scheme": scheme, "unit": row.unit, "item": row.item, "points": row.points, "since": row.since,
        "until": row.until, "ends": row.ends, "cause": row.cause, "reason": reason, "actor": dict(actor), "at": now,
    }  # fmt: skip
    fresh = insert(credit).values(**values).on_conflict_do_nothing().returning(credit.c.id)
    added = session.execute(fresh).scalar() is not None
    if added:
        registry.settle(session, vouched.CREDIT, str(row.id))
    return added


def rows_of(session: Session, scheme: str, unit: str | None = None) -> list[Told]:
    """Return the rows of a unit (or of all), the oldest first."""
    columns: tuple[Any, ...] = (
        credit.c.id, credit.c.unit, credit.c.item, credit.c.points, credit.c.since, credit.c.until, credit.c.ends,
        credit.c.cause, credit.c.reason, credit.c.actor, credit.c.at,
    )  # fmt: skip
    rows = select(*columns).where(credit.c.scheme == scheme)
    if unit is not None:
        rows = rows.where(credit.c.unit == unit)
    found = session.execute(rows.order_by(credit.c.since, credit.c.at, credit.c.id))
    return [Told(CreditRow(*row[:8]), row[8], row[9], row[10]) for row in found]


def of_cause(session: Session, scheme: str, item: str, cause: str) -> list[CreditRow]:
    """Return the rows of an item that have a cause, of whatever unit."""
    where = (credit.c.scheme == scheme, credit.c.item == item, credit.c.cause == cause)
    columns: tuple[Any, ...] = tuple(credit.c[name] for name in CreditRow.__slots__)
    return [CreditRow(*row) for row in session.execute(select(*columns).where(*where).order_by(credit.c.unit))]


def find(session: Session, one: UUID) -> tuple[str, CreditRow] | None:
    """Return a row and the scheme that it belongs to."""
    columns: tuple[Any, ...] = (
        credit.c.scheme, credit.c.id, credit.c.unit, credit.c.item, credit.c.points, credit.c.since, credit.c.until,
        credit.c.ends, credit.c.cause,
    )  # fmt: skip
    row = session.execute(select(*columns).where(credit.c.id == one)).first()
    return None if row is None else (row[0], CreditRow(*row[1:]))
