"""What intakes must know before they write: one statement, for one order or for many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.store import straight
from wuye_loop.store.grievance import packing
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
    earlier_at: datetime | None = None  # when that one came in
    attached: tuple[bytes, bytes] | None = None  # digest and answer of an order that went to an earlier grievance
    named: int = 0  # how many estates bear the name that the order writes


# An estate is named by its code, or by a name that only one estate (in the area, if one is given) bears: of the 1,542
# community names that occur twice in five cities none may be guessed (DOMAIN.md section 3).
_IN_AREA = """
  (q.area IS NULL OR EXISTS (
    SELECT 1 FROM area a JOIN area w ON w.code = q.area WHERE a.code = {estate}.area_code AND starts_with(a.path, w.path)))
"""
# Each order is looked at by itself (LATERAL, one row at most), so that every part goes by an index, however many come at
# once. How often somebody called is counted up to a bound: of a line that calls ten thousand times only that it calls often
# is worth knowing, and an intake must not cost more for it.
MOST_REPEATS: Final = 1000
_OF_ORDERS = """FROM epoch e
CROSS JOIN jsonb_to_recordset(%(orders)s::jsonb) AS q(n int, external_id text, estate text, area text, phones jsonb)
CROSS JOIN LATERAL (SELECT ARRAY(SELECT p::bytea FROM jsonb_array_elements_text(q.phones) p) AS hashes) p
LEFT JOIN LATERAL (
  SELECT o.number, o.intake_digest, o.workflow FROM grievance o
  WHERE o.source = %(source)s AND o.external_id = q.external_id LIMIT 1
) g ON TRUE
LEFT JOIN LATERAL (
  SELECT a.intake_digest, a.body FROM attached_order a
  WHERE a.source = %(source)s AND a.external_id = q.external_id LIMIT 1
) t ON TRUE
"""
#: What a grievance ended with; one that was decided before it was stored beside it, by the last answer in its ledger. A new
#: cycle takes it away: what an earlier one ended with is no result.
RESULT_OF: Final = """COALESCE({grievance}.data->>'result', (
            SELECT CASE WHEN jsonb_exists(l.changes->'grievance', 'cycle') THEN NULL ELSE l.facts->>'result' END FROM ledger l
            WHERE l.grievance_id = {grievance}.id AND (l.task_id IS NULL AND jsonb_typeof(l.facts->'result') = 'string'
              OR jsonb_exists(l.changes->'grievance', 'cycle')) ORDER BY l.seq DESC LIMIT 1))"""
_LOOK = f"""
SELECT e.directory, e.calendar, e.workflows, g.number, g.intake_digest, g.workflow,
       s.code, s.name, s.area_code, s.company_code, s.kind, k.request_digest, k.status, k.body,
       (SELECT count(*) FROM (SELECT 1 FROM complainant x WHERE x.phone_hash = ANY(p.hashes) AND x.estate_code = s.code
                              LIMIT {MOST_REPEATS}) c),
       t.intake_digest, t.body, clock_timestamp(),
       CASE WHEN s.code IS NULL THEN (SELECT count(*) FROM estate m WHERE m.name = q.estate) ELSE 0 END,
       (SELECT jsonb_build_object('state', o.state, 'result', {RESULT_OF.format(grievance="o")},
          'final_reply', o.final AND EXISTS (
            SELECT 1 FROM ledger l WHERE l.grievance_id = o.id AND jsonb_exists(l.facts, 'public_reply')))
        FROM grievance o WHERE o.id = last.grievance_id),
       last.received_at
{_OF_ORDERS}LEFT JOIN idempotency_key k ON k.key_id = %(k_id)s AND k.route = %(k_route)s AND k.key = %(k_key)s
LEFT JOIN LATERAL (
  SELECT c.* FROM estate c WHERE c.code = q.estate
  UNION ALL
  SELECT n.* FROM estate n WHERE n.name = q.estate AND {_IN_AREA.format(estate="n")}
    AND NOT EXISTS (SELECT 1 FROM estate o WHERE o.code = q.estate)
    AND 1 = (SELECT count(*) FROM estate m WHERE m.name = q.estate AND {_IN_AREA.format(estate="m")})
) s ON TRUE
LEFT JOIN LATERAL (
  SELECT x.grievance_id, x.received_at FROM unnest(p.hashes) h CROSS JOIN LATERAL (
    SELECT o.grievance_id, o.received_at FROM complainant o WHERE o.phone_hash = h AND o.estate_code = s.code
    ORDER BY o.received_at DESC, o.grievance_id DESC LIMIT 1) x
  ORDER BY x.received_at DESC, x.grievance_id DESC LIMIT 1
) last ON TRUE
WHERE e.id = 1 ORDER BY q.n
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked up for one order: its id, its place as it is written, and the forms its phone may be kept under."""

    external_id: str
    estate: str | None
    area: str | None
    phone_hashes: Sequence[bytes] = ()


def look(session: Session, source: str, orders: Sequence[Asked], ticket: Ticket | None = None) -> list[Found]:
    """Read in one round trip everything that the intake of these orders depends on, in their order."""
    rows = [
        {
            "n": n, "external_id": order.external_id, "estate": order.estate, "area": order.area,
            "phones": [f"\\x{one.hex()}" for one in order.phone_hashes],
        }
        for n, order in enumerate(orders)
    ]  # fmt: skip
    params = {
        "source": source,
        "orders": orjson.dumps(rows).decode(),
        "k_id": ticket.key_id if ticket else None,
        "k_route": ticket.route if ticket else None,
        "k_key": ticket.key if ticket else None,
    }
    return [_found(row) for row in straight.execute(session, _LOOK, params).rows]


def _found(row: Any) -> Found:
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
        earlier_at=row[20],
        attached=(bytes(row[15]), bytes(row[16])) if row[15] is not None else None,
    )


_ENTRY = (
    "SELECT l.seq, l.at, l.action, l.task_id, l.actor, l.from_state, l.to_state, l.facts, l.changes, l.audience, l.hash, l.packed"
    " FROM ledger l JOIN grievance g ON g.id = l.grievance_id"
)


def first_entry(session: Session, number: str) -> Entry:
    """Return the first ledger row of a grievance."""
    row = session.connection().exec_driver_sql(
        f"{_ENTRY} WHERE g.number = %(number)s AND l.seq = 1", {"number": number}
    )
    return entry_of(row.one())


def entry_of(row: Any) -> Entry:
    """Read a ledger row: what an Entry holds, and what of it is packed."""
    task_id = row[3] if row[3] is None or isinstance(row[3], UUID) else UUID(row[3])
    facts, changes = packing.whole(row[0], row[7], row[8], row[11])
    return Entry(row[0], row[1], row[2], task_id, row[4], row[5], row[6], facts, changes, row[9], bytes(row[10]))


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
