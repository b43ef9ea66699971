"""Destroys what was said in a grievance and by whom: what is left tells that it was, when, and how it was handled."""

from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.privacy.words import ERASED

# The key goes, and with it every text that is sealed anywhere; the rest is what was never sealed.
_STATEMENTS: Final = (
    "UPDATE complainant SET wrapped_key = '', nonce = '', ciphertext = '', phone_hash = NULL WHERE grievance_id = %(id)s",
    """UPDATE grievance SET title = %(erased)s, body = %(erased)s, address = NULL, extra = '{}', intake_digest = ''
       WHERE id = %(id)s""",
    "DELETE FROM attachment WHERE grievance_id = %(id)s",
    "DELETE FROM searched WHERE grievance_id = %(id)s",
    "UPDATE attached_order SET body = convert_to(%(erased_answer)s, 'UTF8'), intake_digest = '' WHERE grievance_id = %(id)s",
    # Of answers kept before they named their grievance, those that hold its number.
    """DELETE FROM idempotency_key WHERE grievance_id = %(id)s
       OR (grievance_id IS NULL AND position(convert_to(%(number)s, 'UTF8') IN body) > 0)""",
)
_FILES: Final = "SELECT count(*) FROM attachment WHERE grievance_id = %(id)s"


def files(session: Session, grievance_id: UUID) -> int:
    """Return how many files would go."""
    return int(session.connection().exec_driver_sql(_FILES, {"id": grievance_id}).scalar_one())


def destroy(session: Session, grievance_id: UUID, number: str) -> None:
    """Destroy the key, the identity, the texts, the files and the kept answers of a grievance."""
    asked = {
        "id": grievance_id, "number": number, "erased": ERASED,
        "erased_answer": f'{{"number": "{number}", "erased": true}}',
    }  # fmt: skip
    for statement in _STATEMENTS:
        session.connection().exec_driver_sql(statement, asked)
