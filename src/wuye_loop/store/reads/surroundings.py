"""What a list shows beside each grievance: where it is, and what happened last, for a page of numbers at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store import straight
from wuye_loop.store.visibility import visible


class Around(NamedTuple):
    """What stands around one grievance; `at` and what follows are of the last row of its ledger that is read."""

    number: str
    title: str
    workflow: str
    category: str | None
    kind: str
    urgency: str
    estate_code: str | None
    estate_name: str | None
    area_code: str | None
    urged: int
    cycle: int
    state: str
    lead_unit: str | None
    holder_unit: str | None
    flags: Sequence[str]
    repeats: Any
    at: datetime | None
    action: str
    actor: Mapping[str, Any]
    task_kind: str | None
    rung: Any


_AROUND = """
SELECT g.number, g.title, g.workflow, g.category, g.kind, g.urgency, g.estate_code, e.name AS estate_name, g.area_code, g.urged,
       g.cycle, g.state, g.lead_unit, g.holder_unit, g.flags, g.data->'repeat' AS repeats, l.at, l.action, l.actor,
       l.task_kind, l.rung
FROM grievance g LEFT JOIN estate e ON e.code = g.estate_code
LEFT JOIN LATERAL (
  SELECT l.at, l.action, l.actor, t.kind AS task_kind, l.facts->'rung' AS rung
  FROM ledger l LEFT JOIN task t ON t.id = l.task_id
  WHERE l.grievance_id = g.id AND l.audience = ANY(%(audiences)s) ORDER BY l.seq DESC LIMIT 1
) l ON TRUE
WHERE g.number = ANY(%(numbers)s) AND {visible}
"""


def around_asked(actor: Actor, numbers: Sequence[str], audiences: Sequence[str]) -> straight.Asked:
    """Return what `around` asks, to be asked ahead."""
    predicate, params = visible(actor)
    return _AROUND.format(visible=predicate), params | {"numbers": list(numbers), "audiences": list(audiences)}


def around(session: Session, actor: Actor, numbers: Sequence[str], audiences: Sequence[str]) -> list[Around]:
    """Return a row for each visible grievance of a page; what happened last is read by these audiences."""
    return [Around._make(row) for row in straight.rows(session, *around_asked(actor, numbers, audiences))]


_CALLER = """
SELECT g.number, g.title, g.state, g.workflow, g.received_at, g.final, g.estate_code, e.name AS estate_name,
       (SELECT r.satisfied FROM rating r WHERE r.grievance_id = g.id AND r.satisfied IS NOT NULL
        ORDER BY r.cycle DESC LIMIT 1) AS satisfied
FROM complainant c JOIN grievance g ON g.id = c.grievance_id LEFT JOIN estate e ON e.code = g.estate_code
WHERE c.phone_hash = ANY(%(hashes)s::bytea[]) AND {visible} ORDER BY g.received_at DESC LIMIT %(limit)s
"""


def of_caller(session: Session, actor: Actor, phone_hashes: Sequence[bytes], limit: int) -> list[Any]:
    """Return the visible grievances whose complainant gave this phone number, the newest first."""
    predicate, params = visible(actor)
    params |= {"hashes": list(phone_hashes), "limit": limit}
    return list(session.connection().exec_driver_sql(_CALLER.format(visible=predicate), params))


def estates(session: Session, words: str, limit: int) -> list[Any]:
    """Return estates whose name has these words or whose code is this: code, name, area."""
    return list(
        session.connection().exec_driver_sql(
            "SELECT code, name, area_code FROM estate WHERE code = %(code)s OR name ILIKE %(words)s ORDER BY name LIMIT %(limit)s",
            {"code": words, "words": f"%{words}%", "limit": limit},
        )
    )


def estate(session: Session, code: str) -> Any | None:
    """Return an estate by its code, or None."""
    return next(iter(by_code(session, [code])), None)


def by_code(session: Session, codes: Sequence[str]) -> list[Any]:
    """Return those of these estates that there are: code, name, area_code, company_code."""
    return list(
        session.connection().exec_driver_sql(
            "SELECT code, name, area_code, company_code FROM estate WHERE code = ANY(%(codes)s)", {"codes": list(codes)}
        )
    )


def open_in_estates(session: Session, codes: Sequence[str], since: datetime) -> dict[str, list[tuple[str, int]]]:
    """Return by estate how many grievances of each category were received there since an instant and are still open."""
    rows = session.connection().exec_driver_sql(
        "SELECT estate_code, category, count(*) AS n FROM grievance WHERE estate_code = ANY(%(codes)s)"
        " AND received_at >= %(since)s AND NOT final AND category IS NOT NULL"
        " GROUP BY estate_code, category ORDER BY n DESC, category",
        {"codes": list(codes), "since": since},
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        found.setdefault(row.estate_code, []).append((row.category, row.n))
    return found


def source_of(session: Session, number: str) -> str | None:
    """Return where a grievance came from, or None where there is none of that number."""
    row = session.connection().exec_driver_sql(
        "SELECT source FROM grievance WHERE number = %(number)s", {"number": number}
    )
    found: str | None = row.scalar()
    return found
