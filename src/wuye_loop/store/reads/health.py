"""What a check-up asks of the database: the server itself, and grievances, rungs and jobs that lie about."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_UNHELD: Final = text(
    "SELECT workflow, state, count(*) AS n FROM grievance WHERE NOT final AND holder_unit IS NULL GROUP BY 1, 2"
)
_HELD_BY_ENDED: Final = text(
    "SELECT count(*) FROM grievance g JOIN unit u ON u.code = g.holder_unit WHERE NOT g.final AND NOT u.active"
)
_LATE: Final = text(
    "SELECT count(DISTINCT c.id) AS n, min(r.at) AS first FROM rung r JOIN clock c ON c.id = r.clock_id"
    " WHERE r.fired_at IS NULL AND r.at < :since AND c.status = 'running'"
)
_JOBS: Final = text("""
SELECT count(*) FILTER (WHERE j.status = 'failed') AS failed,
       count(*) FILTER (WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - interval '120 s')) AS stalled,
       count(*) FILTER (WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at < now())) AS waiting,
       (SELECT max(last_heartbeat) > now() - interval '60 s' FROM procrastinate_workers) AS working
FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
""")


def version(session: Session) -> str:
    """Return the server's version, such as `18.6`."""
    return str(session.execute(text("SHOW server_version")).scalar_one())


def time_there(session: Session) -> datetime:
    """Return what the server's clock shows now."""
    there: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return there


def any_sealed(session: Session) -> bool:
    """Say whether any identity is stored."""
    return bool(session.execute(text("SELECT EXISTS (SELECT 1 FROM complainant)")).scalar_one())


def unheld(session: Session) -> list[Any]:
    """Return how many open grievances no unit holds: workflow, state, n."""
    return list(session.execute(_UNHELD))


def held_by_ended(session: Session) -> int:
    """Count the open grievances whose unit is no longer active."""
    return int(session.execute(_HELD_BY_ENDED).scalar_one())


def late_rungs(session: Session, since: datetime) -> tuple[int, datetime | None]:
    """Return how many running clocks have a rung that was due before an instant and has not fired, and since when the first is."""
    row = session.execute(_LATE, {"since": since}).one()
    return row.n, row.first


def jobs(session: Session) -> Any:
    """Return how many jobs failed, were left by their worker, or wait; and whether any worker is about."""
    return session.execute(_JOBS).one()
