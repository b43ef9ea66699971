"""The cases behind a frozen figure, through the visibility predicate, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.pages import Page, cut
from wuye_loop.store.visibility import visible


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case of a figure: what it weighs there, or that it was left out."""

    id: UUID
    number: str
    title: str
    state: str
    received_at: datetime
    weight: Decimal | None
    excluded: bool


_CASES = """
SELECT g.id, g.number, g.title, g.state, g.received_at, c.weight, c.excluded FROM (
  SELECT u.id, sum(u.weight) AS weight, FALSE AS excluded
  FROM figure f, unnest(f.cases, f.weights) AS u(id, weight) WHERE {of} GROUP BY u.id
  UNION ALL
  SELECT DISTINCT u.id, NULL::numeric, TRUE FROM figure f, unnest(f.excluded_cases) AS u(id) WHERE {of}
) c JOIN grievance g ON g.id = c.id
WHERE (%(after)s::uuid IS NULL OR g.id > %(after)s::uuid) AND {visible}
ORDER BY g.id LIMIT %(limit)s
"""
_OF = """f.assessment_id = %(one)s AND f.subject = %(subject)s AND f.measure = %(measure)s
  AND (%(peer)s::text IS NULL OR f.peer = %(peer)s)"""


@dataclass(frozen=True, slots=True)
class Counted:
    """Whose cases of which measure are asked for: of one peer group, or of all where none is named."""

    subject: str
    measure: str
    peer: str | None = None


def of_figure(session: Session, actor: Actor, one: UUID, of: Counted, after: UUID | None, limit: int) -> Page[CaseRow]:
    """Return a page of the cases of a subject's figure that the actor may see, in the order of ids."""
    predicate, params = visible(actor)
    params |= {
        "one": one, "subject": of.subject, "measure": of.measure, "peer": of.peer, "after": after, "limit": limit + 1,
    }  # fmt: skip
    rows = session.connection().exec_driver_sql(_CASES.format(of=_OF, visible=predicate), params)
    return cut([CaseRow(*row) for row in rows], limit, lambda row: (row.id,))


_HAPPENED = """
SELECT DISTINCT g.number, l.action FROM grievance g JOIN ledger l ON l.grievance_id = g.id
WHERE g.id = ANY(%(ids)s::uuid[]) AND l.at > %(since)s ORDER BY g.number, l.action LIMIT 20
"""


def what_happened(session: Session, ids: Sequence[UUID], since: datetime) -> list[str]:
    """Return what the ledgers of some cases say happened after an instant: number and action."""
    rows = session.connection().exec_driver_sql(_HAPPENED, {"ids": list(ids), "since": since})
    return [f"{row[0]} {row[1]}" for row in rows]
