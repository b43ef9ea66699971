"""Sealed complainants whose keys are wrapped, or whose phone is hashed, by a key that is no longer the active one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.privacy.sealing import Sealed
from wuye_loop.store.grievance.identity import sealed_of

_STALE: Final = """
SELECT grievance_id, phone_hash, key_id, alg, wrapped_key, nonce, ciphertext FROM complainant
WHERE grievance_id > %(after)s AND octet_length(wrapped_key) > 0
  AND (key_id <> %(active)s OR (phone_hash IS NOT NULL AND substr(phone_hash, 1, 4) <> %(index)s))
ORDER BY grievance_id LIMIT 500 FOR UPDATE
"""
_REPLACE: Final = """
UPDATE complainant c SET key_id = r.key_id, wrapped_key = r.wrapped_key, phone_hash = r.phone_hash
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(grievance_id uuid, key_id text, wrapped_key bytea, phone_hash bytea)
WHERE c.grievance_id = r.grievance_id
"""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A complainant as it is sealed, and the hash its phone is found by."""

    grievance_id: UUID
    sealed: Sealed
    phone_hash: bytes | None


def stale(session: Session, active: str, index: bytes, after: UUID | None) -> list[Wrapped]:
    """Lock and return some after an id that are not by the active master key, or not by the active key of the index."""
    asked = {"after": after or UUID(int=0), "active": active, "index": index}
    rows = session.connection().exec_driver_sql(_STALE, asked)
    return [Wrapped(row[0], sealed_of(row[2:]), bytes(row[1]) if row[1] is not None else None) for row in rows]


def replace(session: Session, fresh: Sequence[Wrapped]) -> int:
    """Put these in the place of what was there; return how many."""
    rows = [
        {
            "grievance_id": str(one.grievance_id), "key_id": one.sealed.key_id,
            "wrapped_key": _hex(one.sealed.wrapped_key), "phone_hash": _hex(one.phone_hash),
        }
        for one in fresh
    ]  # fmt: skip
    return session.connection().exec_driver_sql(_REPLACE, {"rows": orjson.dumps(rows).decode()}).rowcount


def _hex(value: bytes | None) -> str | None:
    return "\\x" + value.hex() if value is not None else None
