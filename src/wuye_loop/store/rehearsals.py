"""Which database is a rehearsal's (演练): its clock was moved by hand, so it is no record of what happened."""

from datetime import datetime

from sqlalchemy.orm import Session

from wuye_loop.store import registry, vouched

_ROW = "1"


def begin(session: Session) -> bool:
    """Mark the database as rehearsed; False when it holds grievances that were not rehearsed."""
    registry.remark(session, vouched.REHEARSAL, _ROW)
    row = session.connection().exec_driver_sql(
        "UPDATE epoch SET rehearsed = TRUE WHERE id = 1 AND (rehearsed OR NOT EXISTS (SELECT 1 FROM grievance))"
    )
    if not registry.vouches(session, vouched.REHEARSAL, _ROW):
        registry.settle(session, vouched.REHEARSAL, _ROW)
    return row.rowcount == 1


def is_rehearsed(session: Session) -> bool:
    """Say whether the clock of this database was ever moved by hand."""
    return bool(session.connection().exec_driver_sql("SELECT rehearsed FROM epoch WHERE id = 1").scalar_one())


def latest(session: Session) -> datetime | None:
    """Return the latest instant in the ledger."""
    at: datetime | None = session.connection().exec_driver_sql("SELECT max(at) FROM ledger").scalar_one()
    return at
