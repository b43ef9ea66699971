"""What lies with one unit now: grievances it holds and open tasks it holds, one list sorted by time left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.pages import Page, cut
from wuye_loop.store.visibility import visible

#: Stands for "no limit at all", after every real due instant.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)

Start = tuple[str, str, str]  # workflow, kind of task, its first state


@dataclass(frozen=True, slots=True)
class Tab:
    """Which part of the inbox: due from `since` to `until`, both counted, or before an instant, or still to be signed for."""

    since: datetime | None = None
    until: datetime | None = None
    before: datetime | None = None
    to_sign: bool = False
    stages: Sequence[str] = ()  # only grievances in these stages


@dataclass(frozen=True, slots=True)
class Tallies:
    """How much lies in each part of an inbox."""

    all: int
    due_soon: int
    overdue: int
    feedback: int
    to_sign: int


# Who holds a task now is whom its running clock names: a supervision order that was answered lies with the supervisor.
# A unit that is the lead holds its grievance in a state of stage assign until it has signed for it.
_MINE = """
WITH mine AS (
  SELECT t.id FROM task t WHERE NOT t.final AND t.holder_unit = %(unit)s
  UNION
  SELECT c.task_id FROM clock c WHERE c.unit = %(unit)s AND c.status = 'running' AND c.task_id IS NOT NULL
), item AS (
  SELECT g.id, COALESCE(g.due_at, %(never)s) AS due, g.id AS grievance_id, NULL::uuid AS task_id, NULL AS task_kind,
         g.state, k.image, g.stage
  FROM grievance g
  LEFT JOIN clock k ON k.grievance_id = g.id AND k.task_id IS NULL AND k.status = 'running' AND k.name = g.due_clock
  WHERE NOT g.final AND g.holder_unit = %(unit)s AND {visible}
    AND (NOT %(to_sign)s OR (g.stage = 'assign' AND g.lead_unit = g.holder_unit))
  UNION ALL
  SELECT t.id, COALESCE(k.due_at, %(never)s), g.id, t.id, t.kind, t.state, k.image, NULL
  FROM mine m JOIN task t ON t.id = m.id JOIN grievance g ON g.id = t.grievance_id
  LEFT JOIN LATERAL (
    SELECT c.unit, c.due_at, c.image FROM clock c
    WHERE c.grievance_id = t.grievance_id AND c.task_id = t.id AND c.status = 'running' ORDER BY c.due_at, c.id LIMIT 1
  ) k ON TRUE
  WHERE NOT t.final AND COALESCE(k.unit, t.holder_unit) = %(unit)s AND {visible}
    AND (NOT %(to_sign)s OR (g.workflow, t.kind, t.state) IN
         (SELECT * FROM unnest(%(workflows)s::text[], %(kinds)s::text[], %(states)s::text[])))
)
"""
_LISTED = """
SELECT i.id, i.due, CASE WHEN i.task_id IS NULL THEN 'grievance' ELSE 'task' END AS item_type, i.task_id, i.task_kind, i.state, i.image, g.number, g.workflow, g.title, g.kind, g.urgency
FROM item i JOIN grievance g ON g.id = i.grievance_id
WHERE {conditions} ORDER BY i.due, i.id LIMIT %(limit)s
"""


def inbox(
    session: Session, actor: Actor, tab: Tab, starts: Sequence[Start], after: tuple[datetime, UUID] | None, limit: int
) -> Page[Any]:
    """Return a page of what the actor's unit holds, least time left first; `starts` are the states to sign for."""
    statement, params = inbox_statement(actor, tab, starts, after, limit)
    rows = session.connection().exec_driver_sql(statement, params).all()
    return cut(rows, limit, lambda row: (row.due, row.id))


def inbox_statement(
    actor: Actor, tab: Tab, starts: Sequence[Start], after: tuple[datetime, UUID] | None, limit: int
) -> tuple[str, dict[str, Any]]:
    """Return the statement and its parameters; a test looks at its plan."""
    predicate, params = visible(actor)
    params |= {
        "unit": actor.unit, "never": NEVER, "to_sign": tab.to_sign, "limit": limit + 1,
        "workflows": [start[0] for start in starts], "kinds": [start[1] for start in starts],
        "states": [start[2] for start in starts],
    }  # fmt: skip
    conditions = ["TRUE"]
    if tab.since is not None:
        conditions.append("i.due >= %(since)s")
        params["since"] = tab.since
    if tab.until is not None:
        conditions.append("i.due <= %(until)s")
        params["until"] = tab.until
    if tab.before is not None:
        conditions.append("i.due < %(before)s")
        params["before"] = tab.before
    if tab.stages:
        conditions.append("i.stage = ANY(%(stages)s)")
        params["stages"] = list(tab.stages)
    if after is not None:
        conditions.append("(i.due, i.id) > (%(at)s, %(after)s)")
        params |= {"at": after[0], "after": after[1]}
    statement = _MINE.format(visible=predicate) + _LISTED.format(conditions=" AND ".join(conditions))
    return statement, params


_TALLY = """
SELECT count(*) AS n, count(*) FILTER (WHERE i.due >= %(now)s AND i.due <= %(soon)s) AS soon,
       count(*) FILTER (WHERE i.due < %(now)s) AS late, count(*) FILTER (WHERE i.stage = ANY(%(last)s)) AS feedback
FROM item i
"""


def tallies(
    session: Session, actor: Actor, starts: Sequence[Start], now: datetime, soon: datetime, last: Sequence[str]
) -> Tallies:
    """Count what lies in each part of an inbox; `last` are the stages in which a grievance is answered and rated."""
    predicate, params = visible(actor)
    params |= {
        "unit": actor.unit, "never": NEVER, "now": now, "soon": soon, "last": list(last),
        "workflows": [start[0] for start in starts], "kinds": [start[1] for start in starts],
        "states": [start[2] for start in starts],
    }  # fmt: skip
    statement = _MINE.format(visible=predicate) + _TALLY
    rows = [
        session.connection().exec_driver_sql(statement, params | {"to_sign": to_sign}).one()
        for to_sign in (False, True)
    ]
    return Tallies(rows[0].n, rows[0].soon, rows[0].late, rows[0].feedback, rows[1].n)
