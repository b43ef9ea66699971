"""Lock one grievance and read it with everything a decision needs, in one statement; built once, at import."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor, GrievanceState, Situation, TaskState
from wuye_loop.domain.privacy.sealing import Sealed
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.timestamps import from_text
from wuye_loop.store.visibility import visible

COLUMNS = tuple(item.name for item in fields(GrievanceState))  # the columns are called as the fields are
TASK_COLUMNS = tuple(item.name for item in fields(TaskState))
_N = len(COLUMNS)

_TASKS = (
    "(SELECT jsonb_agg(to_jsonb(t)) FROM task t WHERE t.grievance_id = g.id AND (NOT t.final OR t.id = %(task_id)s))"
)
_CLOCKS = "(SELECT jsonb_agg(c.image) FROM clock c WHERE c.grievance_id = g.id)"
_EPOCHS = "(SELECT ARRAY[e.directory, e.calendar, e.workflows] FROM epoch e)"
_PERSON = ("x.key_id", "x.alg", "x.wrapped_key", "x.nonce", "x.ciphertext")
# Waiting for a lock, the locked row is read again as it is now, but everything else still as it was when the statement
# began. `seen` is the row's seq as it was then: where it differs, the children were read too early (see `lock`).
_SEEN = "(SELECT s.seq FROM grievance s WHERE s.id = g.id)"
_KEPT = ("k.request_digest", "k.status", "k.body")
_READ = (*(f"g.{name}" for name in COLUMNS), _TASKS, _CLOCKS, _EPOCHS, *_PERSON, _SEEN)
# One column of JSON: reading 45 columns by their types cost three times as much.
_SELECT = f"SELECT jsonb_build_array({', '.join(_READ)})"
_SELECT_KEPT = f"SELECT jsonb_build_array({', '.join((*_READ, *_KEPT))})"
_FROM = "FROM grievance g LEFT JOIN complainant x ON x.grievance_id = g.id"
_KEYED = "LEFT JOIN idempotency_key k ON k.key_id = %(k_id)s AND k.route = %(k_route)s AND k.key = %(k_key)s"


@dataclass(frozen=True, slots=True)
class Ticket:
    """An Idempotency-Key as one caller sent it to one route, with the digest of what was asked.

    `others` are the digests of the same by keys that are no longer active: the first request may have come before.
    """

    key_id: UUID
    route: str
    key: str
    digest: bytes
    others: tuple[bytes, ...] = ()

    def asked(self, digest: bytes) -> bool:
        """Say whether a kept digest is of the same request."""
        return digest == self.digest or digest in self.others


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer that was given to the same ticket before."""

    digest: bytes
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Locked:
    """A grievance as locked, the epochs of what is cached, and the answer kept for this ticket, if any."""

    situation: Situation
    epochs: tuple[int, int, int]
    stored: Stored | None
    sealed: Sealed | None


def lock(
    session: Session, number: str, actor: Actor, *, task_id: UUID | None = None, ticket: Ticket | None = None
) -> Locked | None:
    """Lock one visible grievance and read it with its open tasks and its clocks: one round trip.

    None when there is none, or none that this actor may see.
    """
    locked = _read(session, number, actor, task_id, ticket, " FOR UPDATE OF g")
    if locked is not None and locked[1] != locked[0].situation.grievance.seq:
        locked = _read(session, number, actor, task_id, ticket, " FOR UPDATE OF g")
    return locked[0] if locked else None


def kept(session: Session, ticket: Ticket) -> Stored | None:
    """Read the answer kept for a ticket alone: the step may have taken its grievance out of the caller's sight."""
    row = session.connection().exec_driver_sql(
        "SELECT request_digest, status, body FROM idempotency_key WHERE key_id = %(id)s AND route = %(route)s AND key = %(key)s",
        {"id": ticket.key_id, "route": ticket.route, "key": ticket.key},
    )
    found = row.first()
    return Stored(bytes(found[0]), found[1], bytes(found[2])) if found is not None else None


def read(session: Session, number: str, actor: Actor, *, task_id: UUID | None = None) -> Locked | None:
    """Read one visible grievance without a lock."""
    found = _read(session, number, actor, task_id, None, "")
    return found[0] if found else None


def _read(
    session: Session, number: str, actor: Actor, task_id: UUID | None, ticket: Ticket | None, ending: str
) -> tuple[Locked, int] | None:
    predicate, params = visible(actor)
    params |= {"number": number, "task_id": task_id}
    select, join = _SELECT, ""
    if ticket is not None:
        select, join = _SELECT_KEPT, _KEYED
        params |= {"k_id": ticket.key_id, "k_route": ticket.route, "k_key": ticket.key}
    statement = f"{select} {_FROM} {join} WHERE g.number = %(number)s AND {predicate}{ending}"
    row = session.connection().exec_driver_sql(statement, params).scalar()
    if row is None:
        return None
    kept = row[_N + 9 :]
    stored = Stored(_bytes(kept[0]), kept[1], _bytes(kept[2])) if kept and kept[0] is not None else None
    return Locked(_situation(row), tuple(row[_N + 2]), stored, _sealed(row[_N + 3 : _N + 8])), row[_N + 8]


def _sealed(row: Sequence[Any]) -> Sealed | None:
    key_id, alg, wrapped_key, nonce, ciphertext = row
    return Sealed(key_id, alg, _bytes(wrapped_key), _bytes(nonce), _bytes(ciphertext)) if wrapped_key else None


def _situation(row: Sequence[Any]) -> Situation:
    values = list(row[:_N])
    for place, read_as in _READ_AS:
        if values[place] is not None:
            values[place] = read_as(values[place])
    tasks = {task.id: task for task in map(_task, row[_N] or ())}
    images = {item.id: item for item in map(clock_moves.from_row, row[_N + 1] or ())}
    return Situation(GrievanceState(*values), tasks, images)


def _bytes(text: str) -> bytes:
    """Read PostgreSQL's hex form of a bytea."""
    return bytes.fromhex(text[2:])


def _places(columns: Sequence[str], **read_as: Callable[[Any], Any]) -> list[tuple[int, Callable[[Any], Any]]]:
    """Return where in a row a value stands that JSON cannot carry, and what reads it."""
    return [(columns.index(name), read) for name, read in read_as.items()]


_READ_AS = _places(
    COLUMNS, id=UUID, merged_into=UUID, units=tuple, flags=tuple, head=_bytes,
    received_at=from_text, state_since=from_text, due_at=from_text, closed_at=from_text,
)  # fmt: skip
_TASK_READ_AS = _places(
    TASK_COLUMNS, id=UUID, grievance_id=UUID, copies=tuple,
    opened_at=from_text, state_since=from_text, closed_at=from_text,
)  # fmt: skip


def _task(row: Mapping[str, Any]) -> TaskState:
    values = [row[name] for name in TASK_COLUMNS]
    for place, read_as in _TASK_READ_AS:
        if values[place] is not None:
            values[place] = read_as(values[place])
    return TaskState(*values)


def number_of_task(session: Session, task_id: UUID, actor: Actor) -> str | None:
    """Return the number of the visible grievance that a task hangs on, or None."""
    predicate, params = visible(actor)
    row = (
        session.connection()
        .exec_driver_sql(
            f"SELECT g.number FROM task t JOIN grievance g ON g.id = t.grievance_id"
            f" WHERE t.id = %(task)s AND {predicate}",
            params | {"task": task_id},
        )
        .first()
    )
    return row[0] if row else None


def number_of(session: Session, grievance_id: UUID) -> str:
    """Return the number of a grievance known by its id."""
    row = session.connection().exec_driver_sql("SELECT number FROM grievance WHERE id = %(id)s", {"id": grievance_id})
    return str(row.scalar_one())
