"""What is due to be destroyed, what the law holds back, and the lists that one person proposes and another approves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.privacy.retention import EVENTS, Kept
from wuye_loop.store.grievance.intake import RESULT_OF

# Supervision ends with the last of the orders (督办单): tasks that a document was issued with. While any task is open, of
# whatever kind, nothing is due.
_CLOSED: Final = f"""
SELECT g.number, g.source, g.workflow, {RESULT_OF.format(grievance="g")}, g.received_at, g.closed_at,
       COALESCE((SELECT max(r.at) FROM rating r WHERE r.grievance_id = g.id), g.closed_at),
       (SELECT greatest(g.closed_at, max(t.closed_at)) FROM task t WHERE t.grievance_id = g.id AND t.document IS NOT NULL)
FROM grievance g JOIN complainant x ON x.grievance_id = g.id
WHERE g.final AND octet_length(x.wrapped_key) > 0 AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.number = g.number)
  AND NOT EXISTS (SELECT 1 FROM task t WHERE t.grievance_id = g.id AND NOT t.final)
ORDER BY g.number
"""
_LIST: Final = "SELECT id, reason, numbers, proposed_by, proposed_at, approved_by, approved_at FROM destruction_list"


@dataclass(frozen=True, slots=True)
class DestructionList:
    """Which grievances one person proposes to destroy, why, and who approved it."""

    id: UUID
    reason: str
    numbers: Sequence[str]
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None


def closed(session: Session) -> Iterator[Kept]:
    """Yield every closed grievance that may be destroyed: not held, not destroyed yet."""
    for number, source, workflow, result, *times in session.connection().exec_driver_sql(_CLOSED):
        yield Kept(number, source, result, dict(zip(EVENTS, times, strict=True)), workflow)


def hold(session: Session, number: str, reason: str, person: str, at: datetime) -> None:
    """Keep a grievance from being destroyed until it is released."""
    session.connection().exec_driver_sql(
        "INSERT INTO legal_hold (number, reason, person, at) VALUES (%(number)s, %(reason)s, %(person)s, %(at)s)"
        " ON CONFLICT (number) DO UPDATE SET reason = excluded.reason, person = excluded.person, at = excluded.at",
        {"number": number, "reason": reason, "person": person, "at": at},
    )


def release(session: Session, number: str) -> bool:
    """Release a grievance; False where it was not held."""
    gone = session.connection().exec_driver_sql("DELETE FROM legal_hold WHERE number = %(number)s", {"number": number})
    return bool(gone.rowcount)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a grievance is kept from being destroyed, since when, and by whose word."""

    number: str
    reason: str
    person: str
    at: datetime


def holds(session: Session, number: str | None = None) -> dict[str, Hold]:
    """Return what is held, or the hold of one, by number."""
    rows = session.connection().exec_driver_sql(
        "SELECT number, reason, person, at FROM legal_hold WHERE %(number)s::text IS NULL OR number = %(number)s::text",
        {"number": number},
    )
    return {row[0]: Hold(*row) for row in rows}


def hold_of(session: Session, number: str) -> str | None:
    """Return why a grievance is held; None where it is not."""
    found = session.connection().exec_driver_sql(
        "SELECT reason FROM legal_hold WHERE number = %(number)s", {"number": number}
    )
    return found.scalar()


def written_since(session: Session, grievance_id: UUID, at: datetime) -> bool:
    """Say whether anything was done with a grievance after an instant: looks at who complained are none."""
    asked = "SELECT EXISTS (SELECT 1 FROM ledger WHERE grievance_id = %(id)s AND at > %(at)s AND action <> 'reveal')"
    return bool(session.connection().exec_driver_sql(asked, {"id": grievance_id, "at": at}).scalar())


def propose(session: Session, proposed: DestructionList) -> None:
    """Keep a list that waits for a second person."""
    session.connection().exec_driver_sql(
        "INSERT INTO destruction_list (id, reason, numbers, proposed_by, proposed_at)"
        " VALUES (%(id)s, %(reason)s, %(numbers)s, %(by)s, %(at)s)",
        {
            "id": proposed.id, "reason": proposed.reason, "numbers": list(proposed.numbers), "by": proposed.proposed_by,
            "at": proposed.proposed_at,
        },
    )  # fmt: skip


def lists(session: Session) -> list[DestructionList]:
    """Return every list, the newest first."""
    rows = session.connection().exec_driver_sql(f"{_LIST} ORDER BY proposed_at DESC, id")
    return [DestructionList(*row) for row in rows]


def locked(session: Session, list_id: UUID) -> DestructionList | None:
    """Return one list under its lock."""
    row = session.connection().exec_driver_sql(f"{_LIST} WHERE id = %(id)s FOR UPDATE", {"id": list_id}).first()
    return DestructionList(*row) if row is not None else None


def approve(session: Session, list_id: UUID, person: str, at: datetime) -> None:
    """Keep who approved a list."""
    session.connection().exec_driver_sql(
        "UPDATE destruction_list SET approved_by = %(person)s, approved_at = %(at)s WHERE id = %(id)s",
        {"id": list_id, "person": person, "at": at},
    )
