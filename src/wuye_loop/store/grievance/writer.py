"""The one writer: steps, or new grievances with their first steps, in one statement. Built once, at import."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.grievance.situation import MUTABLE, Situation
from wuye_loop.domain.privacy.words import as_kept
from wuye_loop.domain.step.records import Posted
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.timestamps import as_text, id_text
from wuye_loop.store import deferring, straight
from wuye_loop.store.deferring import Deferred
from wuye_loop.store.grievance import packing
from wuye_loop.store.grievance.locking import COLUMNS, Ticket

# --- writing a step -------------------------------------------------------------------------------------------------

# Rows travel as one JSON array per table and are read by the table's own row type: few parameters, short statements
# (the driver re-parses a statement of over 4,096 characters every time), every column named by its own name.
_LEDGER = """ledgered AS (
  INSERT INTO ledger
    (grievance_id, seq, at, action, task_id, actor, from_state, to_state, facts, changes, audience, hash, packed)
  SELECT grievance_id, seq, at, action, task_id, actor, from_state, to_state, facts, changes, audience, hash, packed
  FROM jsonb_populate_recordset(NULL::ledger, %(entries)s::jsonb))"""
_CLOCKED = """clocked AS (
  INSERT INTO clock SELECT * FROM jsonb_populate_recordset(NULL::clock, %(clocks)s::jsonb)
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, run = excluded.run, unit = excluded.unit,
    status = excluded.status, due_at = excluded.due_at, provisional = excluded.provisional, ended_at = excluded.ended_at,
    rung = excluded.rung, image = excluded.image, packed = excluded.packed)"""
_RUNGED = """runged AS (
  INSERT INTO rung SELECT * FROM jsonb_populate_recordset(NULL::rung, %(rungs)s::jsonb)
  ON CONFLICT (clock_id, idx) DO UPDATE SET at = excluded.at, fired_at = excluded.fired_at
  WHERE rung.fired_at IS NULL AND (rung.at, rung.fired_at) IS DISTINCT FROM (excluded.at, excluded.fired_at))"""
# Of the rungs that have not fired the next of each clock alone has a row: who finds it looks at all of that grievance.
_UNRUNGED = """unrunged AS (
  DELETE FROM rung USING jsonb_populate_recordset(NULL::rung, %(gone)s::jsonb) o
  WHERE rung.clock_id = o.clock_id AND rung.idx = o.idx AND rung.fired_at IS NULL)"""
_TASKED = """tasked AS (
  INSERT INTO task SELECT * FROM jsonb_populate_recordset(NULL::task, %(tasks)s::jsonb)
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, final = excluded.final, holder_unit = excluded.holder_unit, opener_role = excluded.opener_role,
    document = excluded.document, document_number = excluded.document_number, copies = excluded.copies,
    data = excluded.data, counts = excluded.counts, state_since = excluded.state_since, closed_at = excluded.closed_at)"""
_DOCUMENTED = """documented AS (
  INSERT INTO document SELECT * FROM jsonb_populate_recordset(NULL::document, %(documents)s::jsonb))"""
_RATED = """rated AS (
  INSERT INTO rating SELECT * FROM jsonb_populate_recordset(NULL::rating, %(ratings)s::jsonb)
  ON CONFLICT (grievance_id, cycle, rater) DO UPDATE SET answers = excluded.answers, satisfied = excluded.satisfied,
    at = excluded.at)"""
_RULED = """ruled AS (
  INSERT INTO precedent SELECT * FROM jsonb_populate_recordset(NULL::precedent, %(precedents)s::jsonb))"""
_TICKETED = """ticketed AS (
  INSERT INTO idempotency_key (key_id, route, key, request_digest, status, body, created_at, grievance_id)
  VALUES (%(k_id)s, %(k_route)s, %(k_key)s, %(k_digest)s, %(k_status)s, %(k_body)s, %(now)s, %(id)s))"""

_TICKETED_ALL = """ticketed AS (
  INSERT INTO idempotency_key (key_id, route, key, request_digest, status, body, created_at, grievance_id)
  SELECT key_id, route, key, request_digest, status, body, created_at, grievance_id
  FROM jsonb_populate_recordset(NULL::idempotency_key, %(kept)s::jsonb))"""


def feeding(rows: str) -> str:
    """Return the statement that says of grievances that they have changed; `rows` is what n(id, seq) come from.

    Never below the transaction that runs, nor below the row before: what a reader has passed is never written behind it.
    """
    return f"""
  INSERT INTO change (tx, grievance_id, seq) SELECT GREATEST(pg_current_xact_id()::text::bigint,
    (SELECT max(c.tx) FROM change c WHERE c.grievance_id = n.id)), n.id, n.seq FROM {rows}"""


_FED = f"fed AS ({feeding('(SELECT %(id)s::uuid AS id, %(seq)s::int AS seq) n')})"
_FIELDS = (*MUTABLE, "seq", "head")
_CHANGED = (*_FIELDS, "packed")
_AS_JSON = ("counts", "data", "did", "flags")
_TYPES = {**dict.fromkeys(_AS_JSON, "::jsonb"), "packed": "::bytea"}
_SET = ", ".join(f"{name} = %({name})s{_TYPES.get(name, '')}" for name in _CHANGED)
_UPDATE = f"UPDATE grievance SET {_SET} WHERE id = %(id)s AND seq = %(was)s"
_UPDATE_ALL = (
    f"UPDATE grievance g SET {', '.join(f'{name} = r.{name}' for name in _CHANGED)}"
    " FROM jsonb_populate_recordset(NULL::grievance, %(rows)s::jsonb) r"
    " JOIN unnest(%(ids)s::uuid[], %(was)s::int[]) AS w(id, seq) ON w.id = r.id WHERE g.id = r.id AND g.seq = w.seq"
)
_UPDATED_ALL = f"updated AS ({_UPDATE_ALL} RETURNING 1)"
# Nobody looks at the answer before the COMMIT that travels with it, so a lost row is a division by nothing.
_ALL_OF_THEM = "SELECT 1 / (count(*) = %(steps)s)::int FROM updated"
_FED_ALL = f"fed AS ({feeding('unnest(%(ids)s::uuid[], %(seqs)s::int[]) AS n(id, seq)')})"
_INSERT = "INSERT INTO grievance SELECT * FROM jsonb_populate_recordset(NULL::grievance, %(rows)s::jsonb)"
_SEALED = """sealed AS (
  INSERT INTO complainant SELECT * FROM jsonb_populate_recordset(NULL::complainant, %(sealed)s::jsonb))"""
_FED_FIRST = """fed AS (
  INSERT INTO change (tx, grievance_id, seq)
  SELECT pg_current_xact_id()::text::bigint, n.id, n.seq FROM unnest(%(ids)s::uuid[], %(seqs)s::int[]) AS n(id, seq))"""
_PARTS = {
    "entries": _LEDGER,
    "clocks": _CLOCKED,
    "rungs": _RUNGED,
    "gone": _UNRUNGED,
    "tasks": _TASKED,
    "documents": _DOCUMENTED,
    "ratings": _RATED,
    "precedents": _RULED,
}


class LostUpdate(RuntimeError):
    """The row moved though it was locked: a second writer exists, which must not be."""


def write(
    session: Session,
    before: Situation,
    step: Posted,
    *,
    ticket: Ticket | None = None,
    reply: bytes = b"",
    status: int = 200,
) -> None:
    """Write a step in one statement: the ledger rows, the changed clocks, rungs and tasks, and the grievance."""
    parts, params = _parts(_rows(before, step))
    grievance = step.situation.grievance
    params |= packing.grievance_columns({name: getattr(grievance, name) for name in _FIELDS})
    params["units"] = list(grievance.units)
    for name in _AS_JSON:
        params[name] = _dump(params[name])
    params |= {"id": grievance.id, "was": before.grievance.seq}
    _with_ticket(parts, params, step, ticket, reply, status)
    parts.append(_FED)
    if straight.execute(session, f"WITH {', '.join(parts)} {_UPDATE}", params).touched != 1:
        raise LostUpdate(str(grievance.id))


def by_index(session: Session) -> None:
    """Let whatever this transaction plans look rows up by index: for one that writes many.

    Foreign keys are looked up by plans that a connection keeps. Made while a table was empty, such a plan reads it whole,
    until the server has looked at the table again: later than thousands of rows are written.
    """
    straight.execute(session, "SET LOCAL enable_seqscan = off", {})


def write_all(session: Session, steps: Sequence[tuple[Situation, Posted]]) -> None:
    """Write steps of different grievances in one statement, each as `write` does: (as it was, the step)."""
    parts, params = _together(steps)
    written = straight.execute(session, f"WITH {', '.join([*parts, _FED_ALL])} {_UPDATE_ALL}", params)
    if written.touched != len(steps):
        raise LostUpdate(", ".join(str(step.situation.grievance.id) for _, step in steps))


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to keep for whoever sends its ticket again."""

    ticket: Ticket
    reply: bytes
    status: int = 200


def statements(
    steps: Sequence[tuple[Situation, Posted, Kept | None]], jobs: Sequence[Deferred]
) -> list[tuple[str, dict[str, Any]]]:
    """Return what writes steps of different grievances, each as `write` does, with their jobs: for `straight.end`.

    Where one of the grievances has moved, the database refuses all of it.
    """
    parts, params = _together([(before, step) for before, step, _ in steps])
    if kept := [_kept_row(step, one) for _, step, one in steps if one is not None]:
        parts.append(_TICKETED_ALL)
        params["kept"] = _dump(kept)
    params["steps"] = len(steps)
    written = (f"WITH {', '.join([*parts, _FED_ALL, _UPDATED_ALL])} {_ALL_OF_THEM}", params)
    return [written, deferring.statement(jobs)] if jobs else [written]


def _kept_row(step: Posted, one: Kept) -> dict[str, Any]:
    ticket = one.ticket
    return {
        "key_id": str(ticket.key_id), "route": ticket.route, "key": ticket.key, "request_digest": _plain(ticket.digest),
        "status": one.status, "body": _plain(one.reply), "created_at": _plain(step.entries[-1].at),
        "grievance_id": str(step.situation.grievance.id),
    }  # fmt: skip


def _together(steps: Sequence[tuple[Situation, Posted]]) -> tuple[list[str], dict[str, Any]]:
    """Return the parts of the statement that writes steps of different grievances, and its parameters."""
    parts, params = _parts(_all_rows(steps))
    every = [(before.grievance, step.situation.grievance) for before, step in steps]
    params["rows"] = _dump(
        [
            {"id": str(after.id)} | packing.grievance_columns({name: _plain(getattr(after, name)) for name in _FIELDS})
            for _, after in every
        ]
    )
    params["ids"] = [after.id for _, after in every]
    params["was"] = [before.seq for before, _ in every]
    params["seqs"] = [after.seq for _, after in every]
    return parts, params


_CORRECTABLE = frozenset(
    {"kind", "title", "body", "estate_code", "area_code", "area_path", "company_code", "address", "occurred_at",
     "category_suggested", "intake_digest"}
)  # fmt: skip
_RESEALED = (
    "UPDATE complainant SET key_id = %(key_id)s, alg = %(alg)s, wrapped_key = %(wrapped_key)s, nonce = %(nonce)s,"
    " ciphertext = %(ciphertext)s, phone_hash = %(phone_hash)s,"
    " estate_code = (SELECT g.estate_code FROM grievance g WHERE g.id = %(id)s) WHERE grievance_id = %(id)s"
)


def correct(session: Session, grievance_id: UUID, columns: Mapping[str, Any], sealed: Mapping[str, Any]) -> None:
    """Write what a correction sets right of what came in, in the transaction that wrote its row; the identity sealed anew."""
    names = sorted(_CORRECTABLE.intersection(columns))
    connection = session.connection()
    connection.exec_driver_sql(
        f"UPDATE grievance SET {', '.join(f'{name} = %({name})s' for name in names)} WHERE id = %(id)s",
        {**columns, "id": grievance_id},
    )
    for table in ("clock", "task", "document"):
        connection.exec_driver_sql(
            f"UPDATE {table} SET area_path = %(path)s WHERE grievance_id = %(id)s AND area_path <> %(path)s",
            {"path": columns["area_path"], "id": grievance_id},
        )
    connection.exec_driver_sql(_RESEALED, {**sealed, "id": grievance_id})


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new grievance with its first step, ready to be written.

    `fixed` are the columns that no step changes, `sealed` those of its complainant.
    """

    before: Situation
    step: Posted
    fixed: Mapping[str, Any]
    sealed: Mapping[str, Any]


def insert(
    session: Session,
    arrivals: Sequence[Arrival],
    *,
    ticket: Ticket | None = None,
    reply: bytes = b"",
    status: int = 201,
) -> None:
    """Write new grievances with their sealed complainants, ledgers, clocks: one statement.

    A `ticket` keeps the answer to a single one.
    """
    parts, params = _parts(_all_rows([(one.before, one.step) for one in arrivals]))
    made = [one.step.situation.grievance for one in arrivals]
    params["rows"] = _dump([_grievance_row(one) for one in arrivals])
    params["sealed"] = _dump([_sealed_row(one) for one in arrivals])
    params["ids"] = [grievance.id for grievance in made]
    params["seqs"] = [grievance.seq for grievance in made]
    if ticket is not None:
        params["id"] = made[0].id
    _with_ticket(parts, params, arrivals[0].step, ticket, reply, status)
    # The children refer to the rows that the same statement inserts: foreign keys are checked at its end.
    straight.execute(session, f"WITH {', '.join([*parts, _SEALED, _FED_FIRST])} {_INSERT}", params)


def _grievance_row(one: Arrival) -> dict[str, Any]:
    grievance = one.step.situation.grievance
    row = packing.grievance_columns({name: _plain(getattr(grievance, name)) for name in COLUMNS})
    row.update((name, _plain(value)) for name, value in one.fixed.items())
    return row


def _sealed_row(one: Arrival) -> dict[str, Any]:
    """Return the complainant's row; where and when they complained stands beside their phone, to be counted there."""
    grievance = one.step.situation.grievance
    row = {name: _plain(value) for name, value in one.sealed.items()}
    return row | {
        "grievance_id": str(grievance.id),
        "estate_code": grievance.estate_code,
        "received_at": as_text(grievance.received_at),
    }


def _with_ticket(
    parts: list[str], params: dict[str, Any], step: Posted, ticket: Ticket | None, reply: bytes, status: int
) -> None:
    if ticket is None:
        return
    parts.append(_TICKETED)
    params |= {
        "k_id": ticket.key_id, "k_route": ticket.route, "k_key": ticket.key, "k_digest": ticket.digest,
        "k_status": status, "k_body": reply, "now": step.entries[-1].at,
    }  # fmt: skip


def _rows(before: Situation, step: Posted) -> dict[str, list[Any]]:
    """Return by parameter the rows that a step leaves in each table beside the grievance's own."""
    after = step.situation
    common = {"grievance_id": id_text(after.grievance.id), "area_path": after.grievance.area_path}
    changed = [item for key, item in after.clocks.items() if before.clocks.get(key) is not item]
    tasks = [task for key, task in after.tasks.items() if before.tasks.get(key) is not task]
    images = _images(step)
    old = set(map(id_text, before.clocks))
    rungs = [
        (rung.index in kept, row) for item in changed for kept in (with_row(item),) for rung, row in _rung_rows(item)
    ]
    return {
        "entries": [_ledger_row(entry) | common for entry in step.entries],
        "clocks": [_clock_row(item, images) | common for item in changed],
        "rungs": [row | common for kept, row in rungs if kept],
        "gone": [
            {"clock_id": row["clock_id"], "idx": row["idx"]}
            for kept, row in rungs
            if not kept and row["clock_id"] in old
        ],
        "tasks": [task.as_json() | common for task in tasks],
        "documents": [item.as_json() | common for item in step.documents],
        "ratings": [item.as_json() | common for item in step.ratings],
        "precedents": [item.as_json() | common for item in step.precedents],
    }


def _all_rows(steps: Iterable[tuple[Situation, Posted]]) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = defaultdict(list)
    for before, step in steps:
        for name, some in _rows(before, step).items():
            rows[name] += some
    return rows


def _parts(rows: Mapping[str, Sequence[Any]]) -> tuple[list[str], dict[str, Any]]:
    filled = [name for name in _PARTS if rows[name]]
    return [_PARTS[name] for name in filled], {name: _dump(rows[name]) for name in filled}


def _images(step: Posted) -> dict[str, dict[str, Any]]:
    """Return by id the newest image of each clock that the step's ledger rows hold."""
    return {image["id"]: image for entry in step.entries for image in entry.changes.get("clocks", ())}


def _clock_row(clock: clock_moves.Clock, images: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    image = images.get(id_text(clock.id)) or clock_moves.as_row(clock)
    return packing.clock_row(image) | {"rung": highest(clock)}


def highest(clock: clock_moves.Clock) -> int | None:
    """Return the highest rung that fired at or after due: what a supervisor filters by."""
    late = {plan.index for plan in clock.plans if plan.offset is None or plan.offset.n >= 0}
    fired = [rung.index for rung in clock.rungs if rung.fired_at is not None and rung.index in late]
    return max(fired, default=None)


def with_row(clock: clock_moves.Clock) -> set[int]:
    """Return the rungs of a clock that have a row: those that fired, and the one that will fire next."""
    waiting = [(rung.at, rung.index) for rung in clock.rungs if rung.fired_at is None and rung.at is not None]
    return {rung.index for rung in clock.rungs if rung.fired_at is not None} | {
        index for _, index in waiting and [min(waiting)]
    }


def _rung_rows(clock: clock_moves.Clock) -> list[tuple[clock_moves.Rung, dict[str, Any]]]:
    clock_id = id_text(clock.id)
    return [
        (rung, {"clock_id": clock_id, "idx": rung.index, "at": _plain(rung.at), "fired_at": _plain(rung.fired_at)})
        for rung in clock.rungs
    ]


def _ledger_row(entry: Entry) -> dict[str, Any]:
    row = {name: _plain(getattr(entry, name)) for name in entry.__slots__}
    row["facts"], row["changes"], row["packed"] = packing.apart(entry.seq, entry.facts, entry.changes)
    return row


_PLAIN: Final[Mapping[type, Callable[[Any], str]]] = {
    datetime: as_text,
    bytes: lambda value: "\\x" + value.hex(),
    UUID: id_text,
}


def _plain(value: Any) -> Any:
    turned = _PLAIN.get(type(value))
    return value if turned is None else turned(value)


def _dump(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=as_kept).decode()
