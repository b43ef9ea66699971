"""Grievances whose ledgers were begun before chains were keyed."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

_UNKEYED: Final = """
SELECT id FROM grievance WHERE octet_length(head) = 32 AND id > %(after)s ORDER BY id LIMIT 200
"""


def unkeyed(session: Session) -> Iterator[UUID]:
    """Yield the ids of those that end in an unkeyed row."""
    after = UUID(int=0)
    while rows := session.connection().exec_driver_sql(_UNKEYED, {"after": after}).scalars().all():
        after = rows[-1]
        yield from rows
