"""The ledger's bytes: canonical JSON and the keyed chain, so that an edited, missing, moved or forged row shows."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.domain.privacy.words import as_kept
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
#: What a row is called whose action no definition names: a rung of a clock, the opening of a kind of task, a task that
#: followed its grievance.
RUNG, OPEN, FOLLOW = "rung:", "open:", "follow:"


def canonical(grievance_id: UUID, entry: Entry) -> bytes:
    """Return the bytes of a row that are hashed: UTF-8 JSON, keys sorted, instants as text, free text as it is sealed."""
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
        option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS,
        default=as_kept,
    )


@dataclass(frozen=True, slots=True)
class Chain:
    """The keyed chain over the rows of one grievance: nobody who can only write to the database can go on with it.

    A row's hash covers the head before it; the head covers the last row's hash, so that no older one can take its place.
    """

    keys: MacKeys

    def row(self, grievance_id: UUID, entry: Entry, head: bytes) -> bytes:
        """Return the hash a row must have: 36 bytes over the head before and the row's bytes."""
        return self.keys.mac(head + canonical(grievance_id, entry))

    def follows(self, last: bytes) -> bytes:
        """Return the head that follows from the last row's hash, by the key that the row names; GENESIS where it is lost."""
        return self.keys.again(_HEAD + last, last) or GENESIS

    def begins(self, grievance_id: UUID, entry: Entry, head: bytes) -> bool:
        """Say whether a row follows the head before it; rows from before the chain was keyed follow the row's hash."""
        if len(entry.hash) == _UNKEYED:
            return hmac.compare_digest(unkeyed(grievance_id, entry, head), entry.hash)
        return self.keys.made(head + canonical(grievance_id, entry), entry.hash)


def unkeyed(grievance_id: UUID, entry: Entry, previous: bytes) -> bytes:
    """Return the hash that a row had before chains were keyed: SHA-256 over the row before and the row's bytes."""
    return hashlib.sha256(previous + canonical(grievance_id, entry)).digest()


def is_keyed(digest: bytes) -> bool:
    """Say whether a hash or head is of the keyed chain."""
    return len(digest) != _UNKEYED


_HEAD = b"wuye-loop/head"
_UNKEYED = 32  # bytes
