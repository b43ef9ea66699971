"""What an installation came to, counted in whole: for the demonstration's tables, not for anybody's page."""

from typing import Any

from sqlalchemy.orm import Session

_COUNTS = """
SELECT count(*), count(*) FILTER (WHERE final),
       (SELECT count(*) FROM ledger WHERE action = 'escalate'),
       (SELECT count(*) FROM task WHERE kind = 'supervision_order')
FROM grievance
"""
# The first decision about each grievance: the router that gave it, or the desk where none did.
_ROUTERS = """
SELECT CASE WHEN (facts->>'routed') = 'false' THEN %(desk)s
            ELSE (SELECT item->>'title' FROM jsonb_array_elements(facts->'routing') item
                  WHERE COALESCE(item->>'outcome', 'matched') IN ('matched', 'fallback') LIMIT 1) END AS title, count(*)
FROM (SELECT DISTINCT ON (grievance_id) facts FROM ledger
      WHERE action = 'route' ORDER BY grievance_id, seq) first
GROUP BY title ORDER BY count(*) DESC
"""
_ORDERS = """
SELECT t.document, CASE WHEN t.opener_role = 'system' THEN '时限届满自动签发' ELSE '督办人员签发' END, count(*),
       count(*) FILTER (WHERE c.ended_at <= c.due_at), count(*) FILTER (WHERE NOT t.final)
FROM task t
LEFT JOIN clock c ON c.task_id = t.id AND c.name = 'reply' AND c.run = 1
  AND c.cycle = (SELECT min(o.cycle) FROM clock o WHERE o.task_id = t.id AND o.name = 'reply')
WHERE t.kind = 'supervision_order' GROUP BY 1, 2 ORDER BY 3 DESC
"""
_OPEN = """
SELECT EXISTS (SELECT 1 FROM grievance WHERE NOT final) OR EXISTS (SELECT 1 FROM task WHERE NOT final)
"""


def counts(session: Session) -> tuple[int, int, int, int]:
    """Return how many grievances there are, how many are final, escalations, and supervision orders."""
    row = session.connection().exec_driver_sql(_COUNTS).one()
    return row[0], row[1], row[2], row[3]


def routers(session: Session, desk: str) -> list[tuple[str, int]]:
    """Return which router placed how many, by title; `desk` stands for people."""
    rows = session.connection().exec_driver_sql(_ROUTERS, {"desk": desk})
    return [(row[0] or desk, row[1]) for row in rows]


def orders(session: Session) -> list[tuple[Any, ...]]:
    """Return per document and how it came: all orders, those answered in time, those open."""
    return [tuple(row) for row in session.connection().exec_driver_sql(_ORDERS)]


def states(session: Session) -> dict[tuple[str, str], int]:
    """Return how many grievances are in each stage and state."""
    rows = session.connection().exec_driver_sql("SELECT stage, state, count(*) FROM grievance GROUP BY stage, state")
    return {(row[0], row[1]): row[2] for row in rows}


def tasks(session: Session) -> dict[str, tuple[int, int]]:
    """Return by kind how many tasks were opened, and how many of them are over."""
    rows = session.connection().exec_driver_sql(
        "SELECT kind, count(*), count(*) FILTER (WHERE final) FROM task GROUP BY kind"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def holders(session: Session) -> list[str]:
    """Return the units that hold an open task, or with which it lies in its state: whom its running clock names."""
    rows = session.connection().exec_driver_sql(
        "SELECT holder_unit FROM task WHERE NOT final AND holder_unit IS NOT NULL UNION"
        " SELECT unit FROM clock WHERE status = 'running' AND task_id IS NOT NULL AND unit IS NOT NULL ORDER BY 1"
    )
    return [str(row[0]) for row in rows]


def anything_open(session: Session) -> bool:
    """Say whether any grievance, or any task of one, is still open."""
    return bool(session.connection().exec_driver_sql(_OPEN).scalar_one())
