"""Lock one grievance and read it with everything a decision needs, in one statement; built once, at import."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import RecordDamaged
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor, GrievanceState, Situation, TaskState
from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.domain.privacy.sealing import Sealed
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.timestamps import from_text
from wuye_loop.store import straight
from wuye_loop.store.grievance.packing import clock_image, grievance_field, grievance_rest
from wuye_loop.store.visibility import EACH, VISIBLE_TO_EACH, asking, visible

T = TypeVar("T")
COLUMNS = tuple(item.name for item in fields(GrievanceState))  # the columns are called as the fields are
TASK_COLUMNS = tuple(item.name for item in fields(TaskState))
_N = len(COLUMNS)

_TASKS = (
    "(SELECT jsonb_agg(to_jsonb(t)) FROM task t WHERE t.grievance_id = g.id AND (NOT t.final OR t.id = %(task_id)s))"
)
_CLOCKS = "(SELECT jsonb_agg(to_jsonb(c)) FROM clock c WHERE c.grievance_id = g.id)"
_EPOCHS = "(SELECT ARRAY[e.directory, e.calendar, e.workflows] FROM epoch e)"
_PERSON = ("x.key_id", "x.alg", "x.wrapped_key", "x.nonce", "x.ciphertext")
# Waiting for a lock, the locked row is read again as it is now, but everything else still as it was when the statement
# began. `seen` is the row's seq as it was then: where it differs, the children were read too early (see `lock`).
_SEEN = "(SELECT s.seq FROM grievance s WHERE s.id = g.id)"
_LAST_AT = "(SELECT l.at FROM ledger l WHERE l.grievance_id = g.id AND l.seq = g.seq)"
_KEPT = ("k.request_digest", "k.status", "k.body")
_READ = (*(f"g.{name}" for name in COLUMNS), _TASKS, _CLOCKS, _EPOCHS, *_PERSON, _SEEN, _LAST_AT, "g.packed")
# One column of JSON: reading 45 columns by their types cost three times as much.
_SELECT = f"SELECT jsonb_build_array({', '.join(_READ)})"
_SELECT_KEPT = f"SELECT jsonb_build_array({', '.join((*_READ, *_KEPT))})"
_FROM = "FROM grievance g LEFT JOIN complainant x ON x.grievance_id = g.id"
_KEYED = "LEFT JOIN idempotency_key k ON k.key_id = %(k_id)s AND k.route = %(k_route)s AND k.key = %(k_key)s"


@dataclass(frozen=True, slots=True)
class Ticket:
    """An Idempotency-Key as one caller sent it to one route, with the digest of what was asked.

    `asked` says whether a kept digest is of the same: the first request may have come before its key was rotated.
    """

    key_id: UUID
    route: str
    key: str
    digest: bytes
    asked: Callable[[bytes], bool] = field(compare=False)

    @classmethod
    def of(cls, key_id: UUID, route: str, key: str, body: bytes, index: MacKeys) -> "Ticket":
        """Return the ticket of a request's body."""
        return cls(key_id, route, key, index.mac(body), partial(index.knows, body))


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
    last_at: datetime | None = None  # of the ledger's last row
    damaged: tuple[str, ...] = ()  # tasks and clocks that could not be read, in words; only where they were left out


def lock(
    session: Session, number: str, actor: Actor, *, task_id: UUID | None = None, ticket: Ticket | None = None
) -> Locked | None:
    """Lock one visible grievance and read it with its open tasks and its clocks: one round trip.

    None when there is none, or none that this actor may see. Raises RecordDamaged where it cannot be read.
    """
    locked = _read(session, number, actor, task_id, ticket, " FOR UPDATE OF g")
    if locked is not None and locked[1] != locked[0].situation.grievance.seq:
        locked = _read(session, number, actor, task_id, ticket, " FOR UPDATE OF g")
    return locked[0] if locked else None


_LOCK_FREE = f"{_SELECT} {_FROM} WHERE g.number = ANY(%(numbers)s) ORDER BY g.id FOR UPDATE OF g SKIP LOCKED"


def lock_free(session: Session, numbers: Sequence[str]) -> dict[str, Locked]:
    """Lock those of the grievances that nobody else has locked and read them as `lock` does: one round trip.

    Return them by number. Raises RecordDamaged where one of them cannot be read.
    """
    mine: dict[str, Locked] = {}
    for (row,) in straight.execute(session, _LOCK_FREE, {"numbers": list(numbers), "task_id": None}).rows:
        locked, seen = _locked(row)
        grievance = locked.situation.grievance
        again = lock(session, grievance.number, SYSTEM_ACTOR) if seen != grievance.seq else locked
        if again is not None:
            mine[grievance.number] = again
    return mine


@dataclass(frozen=True, slots=True)
class Sought:
    """One of the grievances that are locked together: by whom it is asked for, and under which ticket."""

    number: str
    actor: Actor
    ticket: Ticket | None = None


_KEYED_EACH = "LEFT JOIN idempotency_key k ON k.key_id = m.key_id AND k.route = m.route AND k.key = m.key"
_LOCK_EACH = (
    f"SELECT m.place, g.external_id, jsonb_build_array({', '.join((*_READ, *_KEPT))})"
    f" FROM jsonb_to_recordset(%(wanted)s::jsonb) AS m(place int, number text, {EACH}, key_id uuid, route text, key text)"
    f" JOIN grievance g ON g.number = m.number AND {VISIBLE_TO_EACH}"
    f" LEFT JOIN complainant x ON x.grievance_id = g.id {_KEYED_EACH} ORDER BY g.id FOR UPDATE OF g SKIP LOCKED"
)


def lock_each(session: Session, wanted: Sequence[Sought]) -> dict[int, tuple[Locked, str | None]]:
    """Lock different grievances in the order of their ids, each as its asker sees it: one round trip, and no waiting.

    Return by place what was to be had, with the sender's id of it. Left out is what its asker does not see, what
    somebody else has locked or changed meanwhile, and what cannot be read: `lock` finds the words for each.
    """
    rows = [_sought(place, one) for place, one in enumerate(wanted)]
    asked = {"wanted": orjson.dumps(rows).decode(), "task_id": None}
    mine: dict[int, tuple[Locked, str | None]] = {}
    for place, external_id, row in straight.execute(session, _LOCK_EACH, asked).rows:
        with suppress(RecordDamaged):
            locked, seen = _locked(row)
            if seen == locked.situation.grievance.seq:
                mine[place] = locked, external_id
    return mine


def _sought(place: int, one: Sought) -> dict[str, Any]:
    row: dict[str, Any] = {"place": place, "number": one.number, **asking(one.actor)}
    if one.ticket is not None:
        row |= {"key_id": str(one.ticket.key_id), "route": one.ticket.route, "key": one.ticket.key}
    return row


def kept(session: Session, ticket: Ticket) -> Stored | None:
    """Read the answer kept for a ticket alone: the step may have taken its grievance out of the caller's sight."""
    row = session.connection().exec_driver_sql(
        "SELECT request_digest, status, body FROM idempotency_key WHERE key_id = %(id)s AND route = %(route)s AND key = %(key)s",
        {"id": ticket.key_id, "route": ticket.route, "key": ticket.key},
    )
    found = row.first()
    return Stored(bytes(found[0]), found[1], bytes(found[2])) if found is not None else None


def read(
    session: Session, number: str, actor: Actor, *, task_id: UUID | None = None, lenient: bool = False
) -> Locked | None:
    """Read one visible grievance without a lock; `lenient` leaves out damaged tasks and clocks, which `damaged` names.

    Raises RecordDamaged where it cannot be read.
    """
    rows = straight.rows(session, *read_asked(number, actor, task_id))
    return _locked(rows[0][0], lenient=lenient)[0] if rows else None


def read_asked(number: str, actor: Actor, task_id: UUID | None = None) -> straight.Asked:
    """Return what `read` asks, to be asked ahead."""
    return _asked(number, actor, task_id, None, "")


def _asked(number: str, actor: Actor, task_id: UUID | None, ticket: Ticket | None, ending: str) -> straight.Asked:
    predicate, params = visible(actor)
    params |= {"number": number, "task_id": task_id}
    select, join = _SELECT, ""
    if ticket is not None:
        select, join = _SELECT_KEPT, _KEYED
        params |= {"k_id": ticket.key_id, "k_route": ticket.route, "k_key": ticket.key}
    return f"{select} {_FROM} {join} WHERE g.number = %(number)s AND {predicate}{ending}", params


def _read(
    session: Session, number: str, actor: Actor, task_id: UUID | None, ticket: Ticket | None, ending: str
) -> tuple[Locked, int] | None:
    rows = straight.execute(session, *_asked(number, actor, task_id, ticket, ending)).rows
    return _locked(rows[0][0]) if rows else None


def _locked(row: Sequence[Any], *, lenient: bool = False) -> tuple[Locked, int]:
    """Read a row of the statement, with the seq that the grievance had when the statement began."""
    kept, last_at = row[_N + 11 :], row[_N + 9]
    stored = Stored(_bytes(kept[0]), kept[1], _bytes(kept[2])) if kept and kept[0] is not None else None
    try:
        situation, damaged = _situation(row, lenient=lenient)
        last = from_text(last_at) if last_at else None
    except Exception as error:
        raise RecordDamaged from error
    return Locked(situation, tuple(row[_N + 2]), stored, _sealed(row[_N + 3 : _N + 8]), last, damaged), row[_N + 8]


def _sealed(row: Sequence[Any]) -> Sealed | None:
    key_id, alg, wrapped_key, nonce, ciphertext = row
    return Sealed(key_id, alg, _bytes(wrapped_key), _bytes(nonce), _bytes(ciphertext)) if wrapped_key else None


def _situation(row: Sequence[Any], *, lenient: bool) -> tuple[Situation, tuple[str, ...]]:
    """Read the grievance with its tasks and clocks; lenient, what of these cannot be read is left out and named."""
    values = list(row[:_N])
    for place, read_as in _READ_AS:
        if values[place] is not None:
            values[place] = read_as(values[place])
    for place in _OBJECTS:
        if not isinstance(values[place], dict):
            raise TypeError(COLUMNS[place])
    rest = grievance_rest(row[_N + 10])
    for place in _PARTLY:
        values[place] = grievance_field(COLUMNS[place], values[place], rest)
    if not lenient:
        tasks = list(map(_task, row[_N] or ()))
        images = list(map(_clock, row[_N + 1] or ()))
        lost: tuple[str, ...] = ()
    else:
        tasks, lost_tasks = _whole("任务", _task, row[_N])
        images, lost_clocks = _whole("时限", _clock, row[_N + 1])
        lost = (*lost_tasks, *lost_clocks)
    situation = Situation(
        GrievanceState(*values), {task.id: task for task in tasks}, {item.id: item for item in images}
    )
    return situation, lost


def _whole(what: str, read_as: Callable[[Any], T], rows: Sequence[Any] | None) -> tuple[list[T], list[str]]:
    """Return what can be read of these rows, and in words what cannot."""
    found, lost = [], []
    for row in rows or ():
        try:
            found.append(read_as(row))
        except Exception:  # noqa: BLE001 whatever somebody wrote there, the rest is read
            name = row.get("id") if isinstance(row, dict) else None
            lost.append(f"{what} {name or '（不知哪一个）'}")
    return found, lost


def _clock(row: Mapping[str, Any]) -> clock_moves.Clock:
    return clock_moves.from_row(clock_image(row))


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
_OBJECTS = [COLUMNS.index(name) for name in ("counts", "data", "did", "extra")]
_PARTLY = [COLUMNS.index(name) for name in ("counts", "data", "did")]
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


_PAGE = 200
_EVERY = (
    f"SELECT g.id, g.number, g.workflow, g.state, jsonb_build_array({', '.join(_READ)}) {_FROM}"
    f" WHERE g.id > %(after)s ORDER BY g.id LIMIT {_PAGE}"
)


@dataclass(frozen=True, slots=True)
class Looked:
    """A grievance as a check-up looks at it: its open tasks, and in words what of it cannot be read."""

    number: str
    workflow: str
    state: str
    tasks: tuple[tuple[str, str], ...]  # kind and state
    damaged: tuple[str, ...]


def every(session: Session) -> Iterator[Looked]:
    """Yield every grievance there is, each read as a step would read it."""
    after = UUID(int=0)
    while rows := session.connection().exec_driver_sql(_EVERY, {"after": after, "task_id": None}).all():
        after = rows[-1].id
        for _, number, workflow, state, row in rows:
            try:
                situation, damaged = _situation(row, lenient=True)
                tasks = tuple((task.kind, task.state) for task in situation.tasks.values())
            except Exception:  # noqa: BLE001 whatever somebody wrote there, the others are looked at
                tasks, damaged = (), ("诉求本身",)
            yield Looked(number, workflow, state, tasks, damaged)
