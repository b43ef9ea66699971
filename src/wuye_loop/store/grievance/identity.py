"""The complainant, sealed: the only place where an identity is stored, and the only one that opens it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Erased
from wuye_loop.domain.privacy.sealing import DataKey, KeyRing, Sealed

_FIELD = "complainant"


def seal(key: DataKey, person: Mapping[str, Any], phone_hash: bytes | None) -> dict[str, Any]:
    """Return the sealed columns for a complainant: name, phone, address, the words as spoken."""
    sealed = key.seal(_FIELD, orjson.dumps(person))
    return {
        "key_id": sealed.key_id,
        "alg": sealed.alg,
        "wrapped_key": sealed.wrapped_key,
        "nonce": sealed.nonce,
        "ciphertext": sealed.ciphertext,
        "phone_hash": phone_hash,
    }


def sample(session: Session) -> tuple[UUID, Sealed] | None:
    """Return one sealed complainant, to try a key ring on; None where nothing is sealed yet."""
    row = (
        session.connection()
        .exec_driver_sql(
            "SELECT grievance_id, key_id, alg, wrapped_key, nonce, ciphertext FROM complainant"
            " WHERE length(wrapped_key) > 0 LIMIT 1"
        )
        .first()
    )
    if row is None:
        return None
    return row[0], sealed_of(row[1:])


def sealed_of(row: Iterable[Any]) -> Sealed:
    """Read the columns of a complainant: key_id, alg, wrapped_key, nonce, ciphertext."""
    key_id, alg, wrapped_key, nonce, ciphertext = row
    return Sealed(key_id, alg, bytes(wrapped_key), bytes(nonce), bytes(ciphertext))


def opened(keyring: KeyRing, grievance_id: UUID, sealed: Sealed | None) -> dict[str, Any]:
    """Open a complainant. Whoever shows it to somebody checks the scope and writes the ledger row: who and why.

    Raises Erased when the data key was destroyed.
    """
    if sealed is None:
        raise Erased
    return opened_by(keyring.data_key(grievance_id, sealed), sealed)


def opened_by(key: DataKey, sealed: Sealed) -> dict[str, Any]:
    """Open a complainant whose data key is open already."""
    person: dict[str, Any] = orjson.loads(key.open(_FIELD, sealed))
    return person
