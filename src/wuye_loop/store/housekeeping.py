"""What may be forgotten, and is."""

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
