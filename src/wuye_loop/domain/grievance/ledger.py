"""The ledger's bytes: canonical JSON and the hash chain, so that an edited, missing or moved row shows."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from wuye_loop.domain.time.timestamps import as_text, id_text


@dataclass(slots=True)
class Entry:
    """One row of the ledger, hashed over the row before."""

    seq: int
    at: datetime
    action: str
    task_id: UUID | None
    actor: Mapping[str, Any]
    from_state: str | None
    to_state: str | None
    facts: Mapping[str, Any]
    changes: Mapping[str, Any]
    audience: str
    hash: bytes


GENESIS = b"\x00" * 32
#: What a row is called whose action no definition names: a rung of a clock, the opening of a kind of task.
RUNG, OPEN = "rung:", "open:"


def canonical(
    grievance_id: UUID,
    seq: int,
    at: datetime,
    action: str,
    task_id: UUID | None,
    actor: Mapping[str, Any],
    from_state: str | None,
    to_state: str | None,
    facts: Mapping[str, Any],
    changes: Mapping[str, Any],
    audience: str,
) -> bytes:
    """Return the bytes that are hashed: UTF-8 JSON, keys sorted, instants as text."""
    return orjson.dumps(
        {
            "grievance": id_text(grievance_id),
            "seq": seq,
            "at": as_text(at),
            "action": action,
            "task": id_text(task_id) if task_id else None,
            "actor": actor,
            "from": from_state,
            "to": to_state,
            "facts": facts,
            "changes": changes,
            "audience": audience,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def chained(previous: bytes, body: bytes) -> bytes:
    """Return the hash of a row: SHA-256 over the hash of the row before and the row's bytes."""
    return hashlib.sha256(previous + body).digest()


def entry_hash(grievance_id: UUID, entry: Entry, previous: bytes) -> bytes:
    """Return the hash a stored row must have."""
    return chained(
        previous,
        canonical(
            grievance_id,
            entry.seq,
            entry.at,
            entry.action,
            entry.task_id,
            entry.actor,
            entry.from_state,
            entry.to_state,
            entry.facts,
            entry.changes,
            entry.audience,
        ),
    )
