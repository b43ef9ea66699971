"""The register of credit: rows are added and never changed; the end of a row is a row of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.credit import CreditRow
from wuye_loop.store import registry, vouched
from wuye_loop.store.schema.assessment_tables import credit, credit_watch


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
    return _told(session, credit.c.scheme == scheme, *([credit.c.unit == unit] if unit is not None else []))


def entered(session: Session, scheme: str, starts: datetime, ends: datetime) -> list[Told]:
    """Return the rows that were entered in a window, the oldest first."""
    return _told(session, credit.c.scheme == scheme, credit.c.at >= starts, credit.c.at < ends)


def _told(session: Session, *where: Any) -> list[Told]:
    columns: tuple[Any, ...] = (
        credit.c.id, credit.c.unit, credit.c.item, credit.c.points, credit.c.since, credit.c.until, credit.c.ends,
        credit.c.cause, credit.c.reason, credit.c.actor, credit.c.at,
    )  # fmt: skip
    found = session.execute(select(*columns).where(*where).order_by(credit.c.since, credit.c.at, credit.c.id))
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


#: A row of credit is seen by everybody so long after its instant, whatever its transaction still had to do.
_SETTLED: Final = timedelta(minutes=1)


def to_look(session: Session, scheme: str, name: str, today: date, now: datetime) -> tuple[bool, datetime | None]:
    """Say whether a scheme's balances are to be looked at, on a new day or after a new row, and the newest row's instant."""
    last = session.execute(select(func.max(credit.c.at)).where(credit.c.scheme == name)).scalar()
    rows = select(credit_watch.c.looked_on, credit_watch.c.last).where(credit_watch.c.scheme == scheme)
    seen = session.execute(rows).first()
    settled = last is None or now - last > _SETTLED
    same = seen is not None and seen.looked_on == today and seen.last == last
    return not (same and settled), last


def troubles(session: Session) -> list[tuple[str, str]]:
    """Return the schemes by which somebody is to leave and could not be told so at the last look, and why."""
    rows = select(credit_watch.c.scheme, credit_watch.c.trouble).where(credit_watch.c.trouble.is_not(None))
    return [(row[0], row[1]) for row in session.execute(rows.order_by(credit_watch.c.scheme))]


def looked(session: Session, scheme: str, today: date, last: datetime | None, trouble: str | None) -> None:
    """Note that a scheme's balances were looked at on a day, with the rows there were, and what could not be brought."""
    values = {"looked_on": today, "last": last, "trouble": trouble}
    fresh = insert(credit_watch).values(scheme=scheme, **values)
    session.execute(fresh.on_conflict_do_update(index_elements=[credit_watch.c.scheme], set_=values))


def first_day(session: Session, scheme: str) -> date | None:
    """Return the day of the first row of a scheme; None where there is none."""
    return session.execute(select(func.min(credit.c.since)).where(credit.c.scheme == scheme)).scalar()


_LOW: Final = """
SELECT unit FROM credit WHERE scheme = %(scheme)s AND ends IS NULL AND since <= %(today)s
  AND ("until" IS NULL OR "until" > %(back)s)
GROUP BY unit HAVING -sum(least(points, 0)) > %(lost)s OR bool_or(item = ANY(%(veto)s::text[])) ORDER BY unit
"""


def low(session: Session, scheme: str, lost: Decimal | None, veto: Sequence[str], back: date, today: date) -> list[str]:
    """Return the units that lost more than so many points since a day (None: any), or have an item that decides."""
    asked = {"scheme": scheme, "lost": lost or 0, "veto": list(veto), "back": back, "today": today}
    return list(session.connection().exec_driver_sql(_LOW, asked).scalars())
