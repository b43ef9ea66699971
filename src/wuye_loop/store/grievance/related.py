"""The other grievances that a decision asks about: those a form names, the lead of a merged one, its followers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor, Brief, GrievanceState
from wuye_loop.domain.privacy.sealing import Sealed
from wuye_loop.store.grievance.identity import sealed_of
from wuye_loop.store.reach import beyond
from wuye_loop.store.visibility import visible

#: Whether `grievance AS g` is one of several that were merged.
AKIN = "(g.merged_into IS NOT NULL OR g.followers > 0)"
# Of one matter: the lead, and what follows it; a grievance without a family is one by itself.
_MEMBERS = """
SELECT g.number, m.id, x.key_id, x.alg, x.wrapped_key, x.nonce, x.ciphertext
FROM grievance g CROSS JOIN LATERAL (
  SELECT l.id FROM grievance l WHERE l.id = COALESCE(g.merged_into, g.id)
  UNION ALL SELECT f.id FROM grievance f WHERE f.merged_into = COALESCE(g.merged_into, g.id)
) m JOIN complainant x ON x.grievance_id = m.id
WHERE length(x.wrapped_key) > 0 AND {asked}
"""


@dataclass(frozen=True, slots=True)
class Member:
    """A grievance of the family that `number` belongs to, with its sealed complainant."""

    number: str
    id: UUID
    sealed: Sealed


def briefs(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, Brief]:
    """Lock the other grievances that a form names, in the order of their ids, and return what a decision may know."""
    predicate, params = visible(actor)
    rows = session.connection().exec_driver_sql(
        f"SELECT g.id, g.number, g.state, g.final, g.merged_into FROM grievance g"
        f" WHERE g.number = ANY(%(numbers)s) AND {predicate} ORDER BY g.id FOR UPDATE OF g",
        params | {"numbers": list(numbers)},
    )
    return {row.number: Brief(*row) for row in rows}


def lead_of(session: Session, grievance: GrievanceState, *, lock: bool = False) -> Brief | None:
    """Read the grievance that a merged one follows, if it is merged."""
    if grievance.merged_into is None:
        return None
    statement = "SELECT id, number, state, final, merged_into, followers, lead_unit FROM grievance WHERE id = %(id)s"
    with beyond(session):  # a reader may not see the lead by which it is decided what they may do
        row = session.connection().exec_driver_sql(
            statement + (" FOR UPDATE" if lock else ""), {"id": grievance.merged_into}
        )
        return Brief(*row.one())


def followers_of(session: Session, lead_id: UUID) -> list[tuple[str, str, str]]:
    """Return number, state and workflow of the grievances that follow one."""
    rows = session.connection().exec_driver_sql(
        "SELECT number, state, workflow FROM grievance WHERE merged_into = %(id)s ORDER BY id", {"id": lead_id}
    )
    return [(row[0], row[1], row[2]) for row in rows]


def families(session: Session, ids: Sequence[UUID]) -> list[Member]:
    """Return every member of the families of these grievances, themselves too, whose complainant is not erased."""
    return _members(session, "g.id = ANY(%(asked)s)", list(ids))


def families_of(session: Session, numbers: Sequence[str]) -> list[Member]:
    """Return the same by numbers, of those that have a family."""
    return _members(session, f"g.number = ANY(%(asked)s) AND {AKIN}", list(numbers))


def _members(session: Session, asked: str, values: list[Any]) -> list[Member]:
    with beyond(session):  # a reader may not see who is to be struck out of what they read
        rows = session.connection().exec_driver_sql(_MEMBERS.format(asked=asked), {"asked": values}).all()
    return [Member(row[0], row[1], sealed_of(row[2:7])) for row in rows]


_LEAD = """
WITH RECURSIVE led AS (
  SELECT g.id, g.merged_into, 1 AS n FROM grievance g WHERE g.number = %(number)s AND g.merged_into IS NOT NULL AND {predicate}
  UNION ALL SELECT g.id, g.merged_into, led.n + 1 FROM grievance g JOIN led ON g.id = led.merged_into WHERE led.n < 9
)
SELECT g.number, g.workflow, g.source FROM led JOIN grievance g ON g.id = led.id WHERE led.merged_into IS NULL
"""


def lead_of_merged(session: Session, number: str, actor: Actor) -> tuple[str, str, str] | None:
    """Return number, workflow and source of the grievance that a visible merged one follows; None for any other."""
    predicate, params = visible(actor)
    statement = _LEAD.format(predicate=predicate)
    row = session.connection().exec_driver_sql(statement, params | {"number": number}).first()
    return (row[0], row[1], row[2]) if row is not None else None


_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('urge ' || encode(%(phone)s::bytea, 'hex'), 0))"
_URGED = """
SELECT count(*) FROM ledger l
WHERE l.at >= %(since)s AND l.seq > 1 AND jsonb_exists(l.changes->'grievance', 'urged') AND l.grievance_id IN (
  SELECT %(id)s::uuid
  UNION
  SELECT o.grievance_id FROM complainant o WHERE o.phone_hash = ANY(%(phone_hashes)s::bytea[])
)
"""


def urged_since(session: Session, grievance_id: UUID, phone_hashes: Sequence[bytes], since: datetime) -> int:
    """Count how often the complainant of a grievance has urged since an instant, on any grievance of the same phone.

    Until this transaction ends nobody else counts the same phone: of two at once the second sees what the first did.
    """
    for phone in sorted(phone_hashes):
        session.connection().exec_driver_sql(_ONE_AT_A_TIME, {"phone": phone})
    asked = {"id": grievance_id, "phone_hashes": list(phone_hashes), "since": since}
    row = session.connection().exec_driver_sql(_URGED, asked)
    return int(row.scalar_one())
