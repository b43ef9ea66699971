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


def canonical(grievance_id: UUID, entry: Entry) -> bytes:
    """Return the bytes of a row that are hashed: UTF-8 JSON, keys sorted, instants as text."""
    return orjson.dumps(
        {
            "grievance": id_text(grievance_id),
            "seq": entry.seq,
            "at": as_text(entry.at),
            "action": entry.action,
            "task": id_text(entry.task_id) if entry.task_id else None,
            "actor": entry.actor,
            "from": entry.from_state,
            "to": entry.to_state,
            "facts": entry.facts,
            "changes": entry.changes,
            "audience": entry.audience,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def entry_hash(grievance_id: UUID, entry: Entry, previous: bytes) -> bytes:
    """Return the hash a row must have: SHA-256 over the hash of the row before and the row's bytes."""
    return hashlib.sha256(previous + canonical(grievance_id, entry)).digest()
