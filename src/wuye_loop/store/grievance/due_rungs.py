"""Which rungs are due: where a sweep looks, and a rehearsal jumps to."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class DueRung:
    """A rung that looks due; `key` is where the next page begins."""

    at: datetime
    grievance_id: UUID
    clock_id: UUID
    index: int
    number: str

    @property
    def key(self) -> tuple[datetime, UUID, UUID, int]:
        """The order of the sweep: the oldest rung first, of one instant that of the oldest grievance."""
        return self.at, self.grievance_id, self.clock_id, self.index


_DUE = """
SELECT r.*, g.number FROM (
  SELECT r.at, r.grievance_id, r.clock_id, r.idx FROM rung r
  WHERE r.fired_at IS NULL AND r.at IS NOT NULL AND r.at <= %(now)s {after}
  ORDER BY r.at, r.grievance_id, r.clock_id, r.idx LIMIT %(limit)s
) r JOIN grievance g ON g.id = r.grievance_id ORDER BY r.at, r.grievance_id, r.clock_id, r.idx
"""
_AFTER = "AND (r.at, r.grievance_id, r.clock_id, r.idx) > (%(at)s, %(grievance)s, %(clock)s, %(idx)s)"


def due(session: Session, now: datetime, after: tuple[datetime, UUID, UUID, int] | None, limit: int) -> list[DueRung]:
    """Return a page of rungs that look due, oldest first, the next of each clock; seen without a lock, so only a candidate.

    Of one instant the oldest grievance comes first: documents that ladders issue are numbered in an order that can be told.
    """
    params: dict[str, object] = {"now": now, "limit": limit}
    if after is not None:
        params |= dict(zip(("at", "grievance", "clock", "idx"), after, strict=True))
    statement = _DUE.format(after=_AFTER if after is not None else "")
    return [DueRung(*row) for row in session.connection().exec_driver_sql(statement, params)]


def next_due(session: Session, after: datetime | None = None) -> datetime | None:
    """Return when the next rung is due, or the next one after an instant: where a rehearsal jumps to."""
    row = session.connection().exec_driver_sql(
        "SELECT min(at) FROM rung WHERE fired_at IS NULL AND at IS NOT NULL"
        " AND (%(after)s::timestamptz IS NULL OR at > %(after)s::timestamptz)",
        {"after": after},
    )
    at: datetime | None = row.scalar_one()
    return at
