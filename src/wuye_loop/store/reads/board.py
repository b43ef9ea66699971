"""What a supervisor sees on one screen: open ones by state, late ones by area and rung, day by day, what comes again."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.reads import summary
from wuye_loop.store.reads.summary import STATE_SIGN, Count, Good, Wanted
from wuye_loop.store.visibility import subtree, visible

_STATES = """
SELECT g.stage, g.state, g.workflow, count(*) AS n, count(*) FILTER (WHERE g.due_at < %(now)s) AS late
FROM grievance g WHERE NOT g.final AND {conditions} GROUP BY g.stage, g.state, g.workflow ORDER BY n DESC
"""
# Late is what the summary calls late; its rung is the one that its assessed clock has reached.
_LATE = """
SELECT COALESCE(NULLIF(split_part(g.area_path, '/', %(depth)s), ''), %(base)s) AS area, k.rung, count(*) AS n
FROM grievance g LEFT JOIN (
  SELECT c.grievance_id, max(c.rung) AS rung FROM clock c
  WHERE c.task_id IS NULL AND c.status = 'running' AND c.due_at < %(now)s AND c.name = ANY(%(names)s) GROUP BY 1
) k ON k.grievance_id = g.id
WHERE NOT g.final AND g.due_at < %(now)s AND {conditions} GROUP BY 1, 2
"""
_RECEIVED = """
SELECT (g.received_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS n
FROM grievance g WHERE g.received_at >= %(since)s AND {conditions} GROUP BY 1
"""
_CLOSED = """
SELECT (g.closed_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS n
FROM grievance g WHERE g.closed_at >= %(since)s AND {conditions} GROUP BY 1
"""
_CHANNELS = """
SELECT g.channel, count(*) AS n FROM grievance g WHERE g.received_at >= %(since)s AND {conditions}
GROUP BY 1 ORDER BY n DESC
"""
# Both answers from one look at the last days: the worst groups, and how many groups each area has.
_REPEATED = """
WITH r AS MATERIALIZED (
  SELECT g.estate_code, e.name AS estate_name, e.area_code, g.category, count(*) AS n,
         count(*) FILTER (WHERE NOT g.final) AS open
  FROM grievance g LEFT JOIN estate e ON e.code = g.estate_code
  WHERE g.received_at >= %(since)s AND g.estate_code IS NOT NULL AND g.category IS NOT NULL AND {conditions}
  GROUP BY 1, 2, 3, 4 HAVING count(*) >= %(least)s
)
(SELECT estate_code, estate_name, area_code, category, n, open FROM r ORDER BY n DESC, 1, 4 LIMIT %(limit)s)
UNION ALL SELECT NULL, NULL, area_code, NULL, count(*), 0 FROM r GROUP BY area_code
"""


class InState(NamedTuple):
    """So many are open in a state of a workflow, and of them so many late."""

    stage: str
    state: str
    workflow: str
    n: int
    late: int


def states(session: Session, actor: Actor, area_path: str, now: datetime, good: Good) -> list[InState]:
    """Return how many are open in each state, and how many of them late, from the sums where they are kept."""
    found = summary.kept(session, actor, Wanted("state", area_path, now, now, good))
    if found is None:
        return [InState(*row) for row in _rows(session, actor, area_path, _STATES, {"now": now})]
    there = []
    for one in found:
        stage, state, workflow = str(one.key).split(STATE_SIGN)
        if one.open:
            there.append(InState(stage, state, workflow, one.open, one.overdue_open))
    return sorted(there, key=lambda row: -row.n)


def late(session: Session, actor: Actor, area_path: str, now: datetime, names: list[str]) -> list[Any]:
    """Return how many are late by the areas one level below, and by the rung that one of the named clocks has reached."""
    codes = [code for code in area_path.split("/") if code]
    params = {"now": now, "names": names, "depth": len(codes) + 1, "base": codes[-1] if codes else None}
    return _rows(session, actor, area_path, _LATE, params)


def days(
    session: Session, actor: Actor, area_path: str, since: datetime, zone: str
) -> tuple[dict[Any, int], dict[Any, int]]:
    """Return how many were received and how many closed on each day since an instant."""
    params = {"since": since, "zone": zone}
    received = _rows(session, actor, area_path, _RECEIVED, params)
    closed = _rows(session, actor, area_path, _CLOSED, params)
    return {row.day: row.n for row in received}, {row.day: row.n for row in closed}


def channels(session: Session, actor: Actor, area_path: str, since: datetime) -> list[Any]:
    """Return how many came in by each channel since an instant."""
    return _rows(session, actor, area_path, _CHANNELS, {"since": since})


class Repeated(NamedTuple):
    """Estates with several grievances of one category, the most first; how many such groups each area has, by its code."""

    worst: list[Any]
    groups: dict[str, int]


def repeated(session: Session, actor: Actor, area_path: str, since: datetime, least: int, limit: int) -> Repeated:
    """Return what came again since an instant."""
    rows = _rows(session, actor, area_path, _REPEATED, {"since": since, "least": least, "limit": limit})
    worst = sorted((row for row in rows if row.estate_code), key=lambda row: (-row.n, row.estate_code, row.category))
    return Repeated(worst, {row.area_code: row.n for row in rows if row.estate_code is None and row.area_code})


def places(session: Session, actor: Actor, area_path: str, now: datetime, good: Good) -> list[Count]:
    """Return the counts by the whole path of an area, from the sums where they are kept."""
    asked = Wanted("place", area_path, now, now, good)
    found = summary.kept(session, actor, asked)
    return summary.recount(session, actor, asked) if found is None else found


def _rows(session: Session, actor: Actor, area_path: str, statement: str, params: dict[str, Any]) -> list[Any]:
    predicate, seen = visible(actor)
    inside, bounds = subtree(area_path, "g", "f")
    whole = statement.format(conditions=f"{predicate} AND {inside}")
    return list(session.connection().exec_driver_sql(whole, params | seen | bounds))
