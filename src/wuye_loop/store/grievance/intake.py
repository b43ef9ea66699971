"""What an intake must know before it writes: one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.store.grievance.locking import Stored, Ticket


@dataclass(frozen=True, slots=True)
class EstateRow:
    """小区: where it lies and which company runs it."""

    code: str
    name: str
    area_code: str
    company_code: str | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What is known already: the grievance of this external id, the estate, the kept answer, earlier ones by phone."""

    epochs: tuple[int, int, int]
    number: str | None
    digest: bytes | None
    workflow: str | None
    estate: EstateRow | None
    stored: Stored | None
    repeats: int
    there: datetime  # what the database's clock showed
    earlier: Mapping[str, Any] | None = None  # how the last earlier one of the same phone and estate ended
    attached: tuple[bytes, bytes] | None = None  # digest and answer of an order that went to an earlier grievance
    named: int = 0  # how many estates bear the name that the order writes


# An estate is named by its code, or by a name that only one estate (in the area, if one is given) bears: of the 1,542
# community names that occur twice in five cities none may be guessed (DOMAIN.md section 3).
_IN_AREA = """
  (%(area)s::text IS NULL OR EXISTS (
    SELECT 1 FROM area a JOIN area w ON w.code = %(area)s WHERE a.code = {estate}.area_code AND starts_with(a.path, w.path)))
"""
_LOOK = f"""
SELECT e.directory, e.calendar, e.workflows, g.number, g.intake_digest, g.workflow,
       s.code, s.name, s.area_code, s.company_code, s.kind, k.request_digest, k.status, k.body,
       (SELECT count(*) FROM complainant x JOIN grievance o ON o.id = x.grievance_id
        WHERE x.phone_hash = ANY(%(phone_hashes)s::bytea[]) AND o.estate_code = s.code), t.intake_digest, t.body,
       clock_timestamp(),
       CASE WHEN s.code IS NULL THEN (SELECT count(*) FROM estate m WHERE m.name = %(estate)s) ELSE 0 END,
       (SELECT jsonb_build_object('state', o.state, 'result', (
            SELECT l.facts->>'result' FROM ledger l WHERE l.grievance_id = o.id
              AND jsonb_typeof(l.facts->'result') = 'string' ORDER BY l.seq DESC LIMIT 1),
          'final_reply', o.final AND EXISTS (
            SELECT 1 FROM ledger l WHERE l.grievance_id = o.id AND jsonb_exists(l.facts, 'public_reply')))
        FROM complainant x JOIN grievance o ON o.id = x.grievance_id
        WHERE x.phone_hash = ANY(%(phone_hashes)s::bytea[]) AND o.estate_code = s.code
        ORDER BY o.received_at DESC, o.number DESC LIMIT 1)
FROM epoch e
LEFT JOIN grievance g ON g.source = %(source)s AND g.external_id = %(external_id)s
LEFT JOIN attached_order t ON t.source = %(source)s AND t.external_id = %(external_id)s
LEFT JOIN idempotency_key k ON k.key_id = %(k_id)s AND k.route = %(k_route)s AND k.key = %(k_key)s
LEFT JOIN LATERAL (
  SELECT c.* FROM estate c WHERE c.code = %(estate)s
  UNION ALL
  SELECT n.* FROM estate n WHERE n.name = %(estate)s AND {_IN_AREA.format(estate="n")}
    AND NOT EXISTS (SELECT 1 FROM estate o WHERE o.code = %(estate)s)
    AND 1 = (SELECT count(*) FROM estate m WHERE m.name = %(estate)s AND {_IN_AREA.format(estate="m")})
) s ON TRUE
WHERE e.id = 1
"""


def look(
    session: Session,
    *,
    source: str,
    external_id: str,
    estate: str | None,
    area: str | None,
    phone_hashes: Sequence[bytes],
    ticket: Ticket | None,
) -> Found:
    """Read in one round trip everything that an intake depends on."""
    params = {
        "source": source,
        "external_id": external_id,
        "estate": estate,
        "area": area,
        "phone_hashes": list(phone_hashes),
        "k_id": ticket.key_id if ticket else None,
        "k_route": ticket.route if ticket else None,
        "k_key": ticket.key if ticket else None,
    }
    row = session.connection().exec_driver_sql(_LOOK, params).one()
    return Found(
        epochs=(row[0], row[1], row[2]),
        number=row[3],
        digest=bytes(row[4]) if row[4] is not None else None,
        workflow=row[5],
        estate=EstateRow(*row[6:11]) if row[6] is not None else None,
        stored=Stored(bytes(row[11]), row[12], bytes(row[13])) if row[11] is not None else None,
        repeats=row[14],
        there=row[17],
        named=row[18],
        earlier=row[19],
        attached=(bytes(row[15]), bytes(row[16])) if row[15] is not None else None,
    )


_ENTRY = (
    "SELECT l.seq, l.at, l.action, l.task_id, l.actor, l.from_state, l.to_state, l.facts, l.changes, l.audience, l.hash"
    " FROM ledger l JOIN grievance g ON g.id = l.grievance_id"
)


def first_entry(session: Session, number: str) -> Entry:
    """Return the first ledger row of a grievance."""
    row = session.connection().exec_driver_sql(
        f"{_ENTRY} WHERE g.number = %(number)s AND l.seq = 1", {"number": number}
    )
    return entry_of(row.one())


def entry_of(row: Any) -> Entry:
    """Read a ledger row."""
    task_id = row[3] if row[3] is None or isinstance(row[3], UUID) else UUID(row[3])
    return Entry(row[0], row[1], row[2], task_id, row[4], row[5], row[6], row[7], row[8], row[9], bytes(row[10]))


_EARLIER = """
WITH RECURSIVE named AS (
  (SELECT id, merged_into FROM grievance WHERE source = %(source)s AND external_id = %(named)s
   UNION ALL SELECT id, merged_into FROM grievance WHERE number = %(named)s AND source = %(source)s LIMIT 1)
), led AS (
  SELECT id, merged_into, 1 AS n FROM named
  UNION ALL SELECT g.id, g.merged_into, led.n + 1 FROM grievance g JOIN led ON g.id = led.merged_into WHERE led.n < 9
)
SELECT g.number, g.workflow, g.source FROM led JOIN grievance g ON g.id = led.id WHERE led.merged_into IS NULL
"""


def earlier(session: Session, source: str, named: str) -> tuple[str, str, str] | None:
    """Return number, workflow and source of the grievance of this source that an order names by its number or external id.

    Of a merged one: those of the lead that it follows, whoever sent that in.
    """
    row = session.connection().exec_driver_sql(_EARLIER, {"source": source, "named": named})
    found = row.first()
    return (found[0], found[1], found[2]) if found is not None else None


def external_id(session: Session, number: str, source: str) -> str | None:
    """Return the id that a grievance's sender gave it; None for anybody else's."""
    row = session.connection().exec_driver_sql(
        "SELECT external_id FROM grievance WHERE number = %(number)s AND source = %(source)s",
        {"number": number, "source": source},
    )
    return row.scalar()


def fixed(session: Session, grievance_id: UUID) -> dict[str, Any]:
    """Return what no step changes and no decision asks, but the order's image holds."""
    row = session.connection().exec_driver_sql(
        "SELECT external_id, occurred_at, confidential, category_suggested, address FROM grievance WHERE id = %(id)s",
        {"id": grievance_id},
    )
    return dict(row.mappings().one())


def attach(
    session: Session, source: str, external_id: str, digest: bytes, number: str, body: bytes, at: datetime
) -> None:
    """Keep which earlier grievance an order went to, and what was answered: a repeat of it is not counted again."""
    session.connection().exec_driver_sql(
        "INSERT INTO attached_order (source, external_id, intake_digest, grievance_id, body, at)"
        " SELECT %(source)s, %(external_id)s, %(digest)s, id, %(body)s, %(at)s FROM grievance WHERE number = %(number)s",
        {
            "source": source, "external_id": external_id, "digest": digest, "body": body, "at": at, "number": number,
        },
    )  # fmt: skip
