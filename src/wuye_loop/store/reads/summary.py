"""Counts for a supervisor: open, due soon, overdue and still open, closed late, rated; by one dimension at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.visibility import subtree, visible

Dimension = Literal["area", "unit", "estate", "category", "rung", "router"]


@dataclass(frozen=True, slots=True)
class Count:
    """The counts of one group."""

    key: str | None
    open: int
    due_soon: int
    overdue_open: int
    closed: int
    overdue_closed: int
    rated: int  # without those that a ruling has taken out of the satisfaction figure
    satisfied: int
    weighed: Decimal  # what their answers weigh: 基本满意 0.9 where the definition says so
    unrated: int  # taken out of the satisfaction figure
    untimed: int  # closed, and taken out of the on-time figure
    late: int  # closed late and counted
    asked_response: int  # rated with an answer to the question by which the response rate goes
    responded: int
    unresponse: int  # rated, and taken out of the response figure
    asked_solved: int
    solved: int
    unsolved: int  # rated, and taken out of the solved figure


@dataclass(frozen=True, slots=True)
class Good:
    """Which answers count: those of the scale, and for each figure its questions with the answers as JSON objects."""

    satisfied: Sequence[str]
    weights: Sequence[tuple[str, str, Decimal]]  # workflow, answer, what it weighs
    response: tuple[Sequence[str], Sequence[str]]  # the questions, the answers that count
    solved: tuple[Sequence[str], Sequence[str]]


#: How deep below the area that was asked for a grievance's own area is looked at: one level.
_KEYS: dict[str, str] = {
    "area": "COALESCE(NULLIF(split_part(g.area_path, '/', %(depth)s), ''), %(base)s)",
    "unit": "COALESCE(g.lead_unit, g.holder_unit)",
    "estate": "g.estate_code",
    "category": "g.category",
    "rung": """(SELECT c.name || ':' || c.rung FROM clock c WHERE c.grievance_id = g.id AND c.task_id IS NULL
                AND c.cycle = g.cycle AND c.rung IS NOT NULL ORDER BY c.started_at DESC, c.id LIMIT 1)""",
}
_COUNTS = """
WITH seen AS (
  SELECT g.id, g.final, g.due_at, {key} AS key,
         g.final AND EXISTS (SELECT 1 FROM clock c WHERE c.grievance_id = g.id AND c.task_id IS NULL
                             AND c.ended_at > c.due_at {whose}) AS late,
         r.satisfied, w.weight, g.data -> 'excluded' ? 'satisfaction' AS unrated, g.data -> 'excluded' ? 'on_time' AS untimed,
         r.answers ?| %(response_asked)s::text[] AS asked_response,
         r.answers @> ANY(%(response_good)s::jsonb[]) AS responded, g.data -> 'excluded' ? 'response' AS unresponse,
         r.answers ?| %(solved_asked)s::text[] AS asked_solved,
         r.answers @> ANY(%(solved_good)s::jsonb[]) AS solved, g.data -> 'excluded' ? 'solved' AS unsolved
  FROM grievance g
  LEFT JOIN LATERAL (
    SELECT l.satisfied, l.answers FROM rating l WHERE l.grievance_id = g.id AND l.satisfied IS NOT NULL
    ORDER BY l.cycle DESC, l.rater LIMIT 1
  ) r ON TRUE
  LEFT JOIN unnest(%(w_workflow)s::text[], %(w_answer)s::text[], %(w_weight)s::numeric[]) AS w(workflow, answer, weight)
    ON w.workflow = g.workflow AND w.answer = r.satisfied
  WHERE {conditions}
)
SELECT key, count(*) FILTER (WHERE NOT final) AS open,
       count(*) FILTER (WHERE NOT final AND due_at >= %(now)s AND due_at <= %(soon)s),
       count(*) FILTER (WHERE NOT final AND due_at < %(now)s) AS overdue,
       count(*) FILTER (WHERE final), count(*) FILTER (WHERE late),
       count(satisfied) FILTER (WHERE unrated IS NOT TRUE),
       count(*) FILTER (WHERE satisfied = ANY(%(good)s) AND unrated IS NOT TRUE),
       COALESCE(sum(weight) FILTER (WHERE unrated IS NOT TRUE), 0),
       count(satisfied) FILTER (WHERE unrated), count(*) FILTER (WHERE final AND untimed),
       count(*) FILTER (WHERE late AND untimed IS NOT TRUE),
       count(*) FILTER (WHERE asked_response AND unresponse IS NOT TRUE),
       count(*) FILTER (WHERE responded AND unresponse IS NOT TRUE),
       count(*) FILTER (WHERE asked_response AND unresponse),
       count(*) FILTER (WHERE asked_solved AND unsolved IS NOT TRUE),
       count(*) FILTER (WHERE solved AND unsolved IS NOT TRUE),
       count(*) FILTER (WHERE asked_solved AND unsolved)
FROM seen GROUP BY key ORDER BY overdue DESC, open DESC, key
"""


def counts(
    session: Session, actor: Actor, by: Dimension, *, area_path: str, now: datetime, soon: datetime, good: Good
) -> list[Count]:
    """Return the counts of every group, those with most overdue first.

    `area_path` narrows to a subtree ("" does not) and, by area, is the level whose children are the groups. `good` says
    which answers count. A grievance closed late is one of whose own clocks ended after it was due; by
    unit, a clock that ran against that unit.
    """
    predicate, params = visible(actor)
    inside, bounds = subtree(area_path, "g", "f")
    codes = [code for code in area_path.split("/") if code]
    params |= bounds | {"now": now, "soon": soon, "good": list(good.satisfied)}
    for figure, (asked, answers) in (("response", good.response), ("solved", good.solved)):
        params |= {f"{figure}_asked": list(asked), f"{figure}_good": list(answers)}
    params |= {"w_workflow": [one for one, _, _ in good.weights], "w_answer": [one for _, one, _ in good.weights]}
    params["w_weight"] = [one for _, _, one in good.weights]
    if by == "area":
        params |= {"depth": len(codes) + 1, "base": codes[-1] if codes else None}
    statement = _COUNTS.format(
        key=_KEYS[by],
        whose="AND c.unit = COALESCE(g.lead_unit, g.holder_unit)" if by == "unit" else "",
        conditions=f"{predicate} AND {inside}",
    )
    rows: Sequence[Any] = session.connection().exec_driver_sql(statement, params).all()
    return [Count(*row) for row in rows]


def estate_names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """Return the names of estates by their codes."""
    rows = session.connection().exec_driver_sql(
        "SELECT code, name FROM estate WHERE code = ANY(%(codes)s)", {"codes": list(codes)}
    )
    return {row.code: row.name for row in rows}
