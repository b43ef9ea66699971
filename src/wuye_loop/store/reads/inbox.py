"""What lies with one unit now: grievances it holds and open tasks it holds, one list sorted by time left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.grievance.related import AKIN
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
    people: Sequence[UUID] | None = None  # only what the unit gave to these accounts


@dataclass(frozen=True, slots=True)
class Tallies:
    """How much lies in each part of an inbox."""

    all: int
    due_soon: int
    overdue: int
    feedback: int
    to_sign: int
    mine: int


# Who holds a task now is whom its running clock names: a supervision order that was answered lies with the supervisor.
_TASKS = """
SELECT t.id, COALESCE(k.due_at, %(never)s) AS due, g.id AS grievance_id, t.id AS task_id, t.kind AS task_kind, t.state, k.clock,
       (g.workflow, t.kind, t.state) IN
         (SELECT * FROM unnest(%(workflows)s::text[], %(kinds)s::text[], %(states)s::text[])) AS to_sign
FROM (
  SELECT t.id FROM task t WHERE NOT t.final AND t.holder_unit = %(unit)s
  UNION
  SELECT c.task_id FROM clock c WHERE c.unit = %(unit)s AND c.status = 'running' AND c.task_id IS NOT NULL
) m JOIN task t ON t.id = m.id JOIN grievance g ON g.id = t.grievance_id
LEFT JOIN LATERAL (
  SELECT c.unit, c.due_at, to_jsonb(c) AS clock FROM clock c
  WHERE c.grievance_id = t.grievance_id AND c.task_id = t.id AND c.status = 'running' ORDER BY c.due_at, c.id LIMIT 1
) k ON TRUE
WHERE NOT t.final AND COALESCE(k.unit, t.holder_unit) = %(unit)s AND {visible}
"""
# A unit that is the lead holds its grievance in a state of stage assign until it has signed for it.
_TO_SIGN = "g.stage = 'assign' AND g.lead_unit = g.holder_unit"
# Read in the order of the index, a page of it: what lies there may be a city's. Without a limit comes last, as NEVER does.
_HELD = """
(SELECT g.id, COALESCE(g.due_at, %(never)s) AS due, g.id AS grievance_id, NULL::uuid AS task_id, NULL AS task_kind, g.state,
        NULL::jsonb AS clock
 FROM grievance g WHERE NOT g.final AND g.holder_unit = %(unit)s AND {conditions} AND {visible}
 ORDER BY g.due_at, g.id LIMIT %(limit)s)
"""
# Asked once, and looked up for each item.
_GIVEN = (
    "{id} IN (SELECT s.item_id FROM assignee s WHERE s.unit_code = %(unit)s AND s.account_id = ANY(%(people)s::uuid[]))"
)
_LISTED = f"""
SELECT i.id, i.due, CASE WHEN i.task_id IS NULL THEN 'grievance' ELSE 'task' END AS item_type, i.task_id, i.task_kind, i.state,
       COALESCE(i.clock, to_jsonb(k)) AS clock, g.number, g.workflow, g.title, g.kind, g.urgency, {AKIN} AS akin
FROM ({{items}} ORDER BY due, id LIMIT %(limit)s) i JOIN grievance g ON g.id = i.grievance_id
LEFT JOIN clock k ON i.task_id IS NULL AND k.grievance_id = g.id AND k.task_id IS NULL AND k.status = 'running'
  AND k.name = g.due_clock
ORDER BY i.due, i.id
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
    params |= _asked(actor, starts) | {"limit": limit + 1}
    bounds = {"since": tab.since, "until": tab.until, "before": tab.before}
    signs = {"since": ">=", "until": "<=", "before": "<"}
    params |= {name: value for name, value in bounds.items() if value is not None}
    due = [f"{{due}} {signs[name]} %({name})s" for name, value in bounds.items() if value is not None]
    if after is not None:
        due.append("({due}, {id}) > (%(at)s, %(after)s)")
        params |= {"at": after[0], "after": after[1]}
    wanted = [_TO_SIGN] if tab.to_sign else []
    if tab.stages:
        wanted.append("g.stage = ANY(%(stages)s)")
        params["stages"] = list(tab.stages)
    if tab.people is not None:
        wanted.append(_GIVEN.format(id="g.id"))
        params["people"] = list(tab.people)
    parts = [
        _HELD.format(visible=predicate, conditions=" AND ".join([*wanted, kind, *(one.format(due=of, id="g.id") for one in due)]))
        for kind, of in (("g.due_at IS NOT NULL", "g.due_at"), ("g.due_at IS NULL", "%(never)s"))
    ]  # fmt: skip
    if not tab.stages:
        conditions = ["x.to_sign"] if tab.to_sign else []
        conditions += [_GIVEN.format(id="x.id")] if tab.people is not None else []
        conditions += [one.format(due="x.due", id="x.id") for one in due]
        parts.append(
            "SELECT x.id, x.due, x.grievance_id, x.task_id, x.task_kind, x.state, x.clock"
            f" FROM ({_TASKS.format(visible=predicate)}) x WHERE {' AND '.join(conditions) or 'TRUE'}"
        )
    return _LISTED.format(items=" UNION ALL ".join(parts)), params


def _asked(actor: Actor, starts: Sequence[Start]) -> dict[str, Any]:
    return {
        "unit": actor.unit, "never": NEVER, "workflows": [start[0] for start in starts],
        "kinds": [start[1] for start in starts], "states": [start[2] for start in starts],
    }  # fmt: skip


_TALLY = f"""
SELECT count(*) AS n, count(*) FILTER (WHERE i.due >= %(now)s AND i.due <= %(soon)s) AS soon,
       count(*) FILTER (WHERE i.due < %(now)s) AS late, count(*) FILTER (WHERE i.stage = ANY(%(last)s)) AS feedback,
       count(*) FILTER (WHERE i.to_sign) AS to_sign, count(*) FILTER (WHERE {_GIVEN.format(id="i.id")}) AS mine
FROM (
  SELECT g.id, COALESCE(g.due_at, %(never)s) AS due, g.stage, {_TO_SIGN} AS to_sign
  FROM grievance g WHERE NOT g.final AND g.holder_unit = %(unit)s AND {{visible}}
  UNION ALL
  SELECT t.id, t.due, NULL, t.to_sign FROM ({_TASKS}) t
) i
"""


def tallies(
    session: Session,
    actor: Actor,
    starts: Sequence[Start],
    now: datetime,
    soon: datetime,
    last: Sequence[str],
    people: Sequence[UUID],
) -> Tallies:
    """Count what lies in each part of an inbox.

    `last` are the stages in which a grievance is answered and rated; `mine` counts what was given to these people.
    """
    predicate, params = visible(actor)
    params |= _asked(actor, starts) | {"now": now, "soon": soon, "last": list(last), "people": list(people)}
    row = session.connection().exec_driver_sql(_TALLY.format(visible=predicate), params).one()
    return Tallies(row.n, row.soon, row.late, row.feedback, row.to_sign, row.mine)
