"""Heads of ledgers and register, as they are set down outside of the database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

_LOCK: Final = 0x77757966  # of whoever anchors: one at a time
_UPTO: Final = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_LAST: Final = "SELECT n, upto, hash, register FROM anchor ORDER BY n DESC LIMIT 1"
_CHANGED: Final = """
SELECT g.number, g.seq, g.head FROM grievance g
WHERE %(since)s = 0 OR g.id IN (SELECT l.grievance_id FROM ledger l WHERE l.written >= %(since)s)
ORDER BY g.number
"""
_ROWS: Final = """
SELECT g.number, l.hash FROM jsonb_to_recordset(%(asked)s::jsonb) AS a(number text, seq int)
JOIN grievance g ON g.number = a.number LEFT JOIN ledger l ON l.grievance_id = g.id AND l.seq = a.seq
"""


@dataclass(frozen=True, slots=True)
class Last:
    """The newest anchor: its number, the transactions it takes in (all before `upto`), its digest, the rows of the register."""

    n: int
    upto: int
    hash: bytes
    register: int


def turn(session: Session) -> bool:
    """Take the turn to anchor until the transaction ends; False where another has it."""
    taken = session.connection().exec_driver_sql("SELECT pg_try_advisory_xact_lock(%(key)s)", {"key": _LOCK})
    return bool(taken.scalar_one())


def last(session: Session) -> Last | None:
    """Return the newest anchor."""
    row = session.connection().exec_driver_sql(_LAST).first()
    return Last(row[0], row[1], bytes(row[2]), row[3] or 0) if row is not None else None


def upto(session: Session) -> int:
    """Return the transaction before which every one has ended."""
    return int(session.connection().exec_driver_sql(_UPTO).scalar_one())


def changed(session: Session, since: int) -> Iterator[tuple[str, int, bytes]]:
    """Yield number, seq and head of every grievance with a row of a transaction from this one on; 0: of every one."""
    for row in session.connection().exec_driver_sql(_CHANGED, {"since": since}):
        yield row[0], row[1], bytes(row[2])


def add(session: Session, made: Last, at: datetime, heads: int) -> None:
    """Keep that an anchor was made, with so many heads."""
    session.connection().exec_driver_sql(
        "INSERT INTO anchor (n, at, upto, heads, hash, register)"
        " VALUES (%(n)s, %(at)s, %(upto)s, %(heads)s, %(hash)s, %(register)s)",
        {"n": made.n, "at": at, "upto": made.upto, "heads": heads, "hash": made.hash, "register": made.register},
    )


def rows_at(session: Session, asked: Sequence[Mapping[str, Any]]) -> dict[str, bytes | None]:
    """Return by number the hash of the row asked for; None where the grievance has no such row, nothing where it is gone."""
    found = session.connection().exec_driver_sql(_ROWS, {"asked": orjson.dumps(list(asked)).decode()})
    return {row[0]: bytes(row[1]) if row[1] is not None else None for row in found}
