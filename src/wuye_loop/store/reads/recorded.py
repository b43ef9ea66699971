"""What was recorded of grievances, streamed: the ledger of each with what became of it, for trying other rules on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.domain.privacy.sealing import KeyRing, Sealed
from wuye_loop.domain.privacy.words import Opener
from wuye_loop.store.grievance.packing import facts_of, whole

_BATCH = 200
_FACTS, _IMAGE, _PACKED = (
    9,
    10,
    11,
)  # of a row of the ledger: its facts, what it changed, as far as it is asked, the rest
#: How the rows of rungs that fired are called.


class Act(NamedTuple):
    """One ledger row, without what it changed; `actor` is (kind, unit, role)."""

    seq: int
    at: datetime
    action: str
    task: str | None
    actor: tuple[str, str | None, str | None]
    from_state: str | None
    to_state: str | None
    facts: Mapping[str, Any]


class RecordedTask(NamedTuple):
    """A task that was opened: its id, its kind, who held it at the end, which kind of document it carries."""

    id: str
    kind: str
    n: int
    holder: str | None
    document: str | None


class RecordedClock(NamedTuple):
    """A clock that ran: of the grievance, or of a task; when it was due in the end, and when it was over."""

    task: str | None
    name: str
    cycle: int
    run: int
    due_at: datetime
    ended_at: datetime | None
    unit: str | None


@dataclass(slots=True)  # not frozen: there are as many as grievances; nobody sets a field
class Recorded:
    """A grievance as it came in, every row of its ledger, and where tasks, clocks, lead and state stand in the end.

    `intake` is the image that the first row made; `leads` are the lead units in the order in which they were assigned;
    `rungs` are the rows of rungs that fired; `lead_closed_at` is of the grievance it follows; `migrated`: it went over
    to another version of the rules on its way.
    """

    id: str
    number: str
    workflow: str
    fixed: Mapping[str, Any]
    intake: Mapping[str, Any]
    acts: Sequence[Act]
    leads: Sequence[str]
    tasks: Mapping[str, RecordedTask]
    clocks: Sequence[RecordedClock]
    state: str
    suggested: bool
    lead_closed_at: datetime | None
    rungs: Sequence[Act]
    migrated: bool


class Share(NamedTuple):
    """A part of all grievances: those with ids from the first to before the one beyond; None: no end."""

    first: UUID | None
    beyond: UUID | None


WHOLE = Share(None, None)

#: What never changes after intake, as columns of the grievance.
FIXED = (
    "source", "channel", "kind", "title", "body", "received_at", "estate_code", "area_code", "area_path",
    "company_code", "anonymous", "extra",
)  # fmt: skip
# json, not jsonb: as text it is built in half the time, and it is only written out.
_ACTS = """(SELECT json_agg(json_build_array(l.seq, l.at, l.action, l.task_id, l.actor->>'kind', l.actor->>'unit',
  l.actor->>'role', l.from_state, l.to_state, l.facts,
  CASE WHEN l.seq = 1 THEN l.changes ELSE l.changes#>'{grievance,lead_unit}' END,
  CASE WHEN l.seq = 1 OR jsonb_exists(l.facts, 'routing') THEN l.packed END) ORDER BY l.seq)
  FROM ledger l WHERE l.grievance_id = g.id)"""
_TASKS = "(SELECT json_agg(json_build_array(t.id, t.kind, t.n, t.holder_unit, t.document)) FROM task t WHERE t.grievance_id = g.id)"
_CLOCKS = """(SELECT json_agg(json_build_array(c.task_id, c.name, c.cycle, c.run, c.due_at, c.ended_at, c.unit))
  FROM clock c WHERE c.grievance_id = g.id)"""
_STREAM = f"""
SELECT json_build_array(g.id, g.number, g.workflow, g.state, g.category_suggested,
  (SELECT m.closed_at FROM grievance m WHERE m.id = g.merged_into),
  {", ".join(f"g.{name}" for name in FIXED)}, {_ACTS}, {_TASKS}, {_CLOCKS}, x.key_id, x.alg, encode(x.wrapped_key, 'hex'))::text
FROM grievance g LEFT JOIN complainant x ON x.grievance_id = g.id
WHERE (%(since)s::timestamptz IS NULL OR g.received_at >= %(since)s::timestamptz)
  AND (%(first)s::uuid IS NULL OR g.id >= %(first)s::uuid) AND (%(beyond)s::uuid IS NULL OR g.id < %(beyond)s::uuid)
ORDER BY g.id
"""
_CUTS = """
SELECT percentile_disc(%(places)s::float8[]) WITHIN GROUP (ORDER BY id) FROM grievance
WHERE %(since)s::timestamptz IS NULL OR received_at >= %(since)s::timestamptz
"""
_HEAD = 6
_read = datetime.fromisoformat  # what the server writes in UTC is read as UTC
_tuple: Any = tuple.__new__  # a named tuple in half the time: there are some twenty of them for each grievance
_SETTINGS = (
    "SET LOCAL TIME ZONE 'UTC'",  # instants come in UTC: nothing is left to convert
    "SET LOCAL enable_bitmapscan = off",  # the rows of one grievance are few: a bitmap of them costs more than it saves
)


def shares(session: Session, since: datetime | None, parts: int) -> list[Share]:
    """Cut the grievances received since then into so many shares of about the same size.

    By their ids, which are given in the order of time: what one process reads lies together, and nobody reads it again.
    """
    asked = {"since": since, "places": [n / parts for n in range(1, parts)]}
    cuts = session.connection().exec_driver_sql(_CUTS, asked).scalar_one() or []
    return [Share(*ends) for ends in pairwise((None, *dict.fromkeys(cuts), None))]


def stream(
    session: Session, keyring: KeyRing, since: datetime | None = None, share: Share = WHOLE
) -> Iterator[Recorded]:
    """Yield the grievances of a share that were received since then, in the order of their ids, through a cursor.

    What people wrote comes in words; where its key was destroyed, as the words that say so.
    """
    connection = session.connection()
    for setting in _SETTINGS:
        connection.exec_driver_sql(setting)
    asked = {"since": since, **share._asdict()}
    streamed = {"stream_results": True, "yield_per": _BATCH}
    for (text,) in connection.exec_driver_sql(_STREAM, asked, execution_options=streamed):
        yield _recorded(orjson.loads(text), keyring)


def summary(session: Session, since: datetime | None = None) -> tuple[int, datetime | None, list[str]]:
    """Return how many grievances were received since then, when the last row of any ledger was written, the versions."""
    connection = session.connection()
    count = connection.exec_driver_sql(
        "SELECT count(*) FROM grievance WHERE %(since)s::timestamptz IS NULL OR received_at >= %(since)s::timestamptz",
        {"since": since},
    ).scalar_one()
    last = connection.exec_driver_sql("SELECT max(at) FROM ledger").scalar_one()
    names = connection.exec_driver_sql("SELECT id FROM workflow ORDER BY id")
    return count, last, [row[0] for row in names]


def _recorded(row: Sequence[Any], keyring: KeyRing) -> Recorded:
    key, number, workflow, state, suggested, lead_closed = row[:_HEAD]
    fixed = dict(zip(FIXED, row[_HEAD:], strict=False))
    rows, tasks, clocks, key_id, alg, wrapped = row[_HEAD + len(FIXED) :]
    sealed = Sealed(key_id, alg, bytes.fromhex(wrapped), b"", b"") if wrapped is not None else None
    words = Opener(keyring, UUID(key), sealed)
    fixed["received_at"] = _read(fixed["received_at"])
    acts = [
        _tuple(
            Act, (seq, _read(at), action, task, (kind, unit, role), from_state, to_state, words(facts_of(facts, kept)))
        )
        for seq, at, action, task, kind, unit, role, from_state, to_state, facts, _, kept in rows
    ]
    first, *changed = [one[_IMAGE] for one in rows]
    _, made = whole(1, rows[0][_FACTS], first, rows[0][_PACKED])
    intake: Any = made.get("grievance") if isinstance(made, dict) else None
    return Recorded(
        key,
        number,
        workflow,
        fixed,
        intake,
        acts,
        [lead for lead in changed if lead is not None],
        {one[0]: RecordedTask(*one) for one in tasks} if tasks else {},
        [
            _tuple(RecordedClock, (task, name, cycle, run, _read(due), _read(ended) if ended else None, unit))
            for task, name, cycle, run, due, ended, unit in clocks or ()
        ],
        state,
        suggested,
        _read(lead_closed) if lead_closed else None,
        [act for act in acts if act.action.startswith(RUNG)],
        "migrate" in [act.action for act in acts],
    )
