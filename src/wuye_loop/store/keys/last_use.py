"""When a key was last used, to the minute: one row a key, written at most once a minute by each process."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

EVERY_SECONDS = 60.0


def note(session: Session, key_id: UUID, now: datetime) -> None:
    """Note that a key was used now; an earlier instant never replaces a later one."""
    session.connection().exec_driver_sql(
        "INSERT INTO key_use (key_id, at) VALUES (%(key)s, %(at)s)"
        " ON CONFLICT (key_id) DO UPDATE SET at = excluded.at WHERE key_use.at < excluded.at",
        {"key": key_id, "at": now},
    )
