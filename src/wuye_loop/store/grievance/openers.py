"""Opens the sealed texts in what a list read of many grievances; their keys are read when the first such text is met."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.privacy.sealing import KeyRing
from wuye_loop.domain.privacy.words import Opener, is_sealed
from wuye_loop.store.grievance.identity import sealed_of

_KEYS = """
SELECT grievance_id, key_id, alg, wrapped_key, nonce, ciphertext FROM complainant WHERE grievance_id = ANY(%(ids)s)
"""


class Openers:
    """Opens texts of these grievances, each by its own key."""

    def __init__(self, session: Session, keyring: KeyRing, ids: Iterable[UUID]) -> None:
        self._session, self._keyring, self._ids = session, keyring, ids
        self._openers: dict[UUID, Opener] | None = None

    def __call__(self, grievance_id: UUID, value: Any) -> Any:
        """Return a value of one of the grievances with its texts in words."""
        if not is_sealed(value):
            return value
        if self._openers is None:
            rows = self._session.connection().exec_driver_sql(_KEYS, {"ids": list(set(self._ids))})
            self._openers = {row[0]: Opener(self._keyring, row[0], sealed_of(row[1:])) for row in rows}
        opener = self._openers.get(grievance_id) or Opener(self._keyring, grievance_id, None)
        return opener(value)
