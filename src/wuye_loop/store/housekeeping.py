"""What may be forgotten, and is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

_ROWS = 5000  # at a time: a long lock is nobody's friend


def forget_answers(session: Session, before: datetime) -> int:
    """Delete kept answers to idempotency keys that are older than promised; return how many."""
    result = session.connection().exec_driver_sql(
        "DELETE FROM idempotency_key WHERE ctid IN (SELECT ctid FROM idempotency_key"
        " WHERE created_at < %(before)s ORDER BY created_at LIMIT %(rows)s)",
        {"before": before, "rows": _ROWS},
    )
    return int(result.rowcount)


# What the job engine cannot take: arguments that are no object, an instant that no datetime holds.
_UNREADABLE = """
UPDATE procrastinate_jobs SET status = 'failed'
WHERE status IN ('todo', 'doing')
  AND (jsonb_typeof(args) <> 'object' OR scheduled_at NOT BETWEEN '1000-01-01Z' AND '9000-01-01Z')
RETURNING id
"""


def park_unreadable_jobs(session: Session) -> list[int]:
    """Set jobs that the engine cannot read to `failed`, where `doctor` counts them; return their ids."""
    return [row[0] for row in session.connection().exec_driver_sql(_UNREADABLE)]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial of writing came to: whether the database takes writes at all, and what its clock showed."""

    writable: bool
    at: datetime


# The set is kept in a temporary file, which takes real room on the database's disk and gives it back; the message is a
# record of the log, which the commit must bring to disk. Neither leaves a row.
_ROOM = "SELECT count(*), current_setting('transaction_read_only') FROM generate_series(1, 60000)"
_RECORD = "SELECT pg_logical_emit_message(true, 'wuye', 'ready'), clock_timestamp()"


def try_writing(session: Session) -> Trial:
    """Write to the database's disk and log, and leave nothing behind; a full disk is an error of the database."""
    connection = session.connection()
    connection.exec_driver_sql("SET LOCAL work_mem = '64kB'")
    only_read = connection.exec_driver_sql(_ROOM).one()[1] == "on"
    if only_read:
        return Trial(writable=False, at=connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one())
    return Trial(writable=True, at=connection.exec_driver_sql(_RECORD).one()[1])
