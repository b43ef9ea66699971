"""Counts for a supervisor: open, due soon, overdue and still open, closed late, rated; by one dimension at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.store.schema.tally_tables import COUNTED
from wuye_loop.store.visibility import subtree, visible

Dimension = Literal["area", "unit", "estate", "category", "rung", "router"]
#: Between stage, state and version, of which no name holds it: what the board groups by besides.
STATE_SIGN = "\t"


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
    "place": "g.area_path",
    "area": "COALESCE(NULLIF(split_part(g.area_path, '/', %(depth)s), ''), %(base)s)",
    "unit": "COALESCE(g.lead_unit, g.holder_unit)",
    "estate": "g.estate_code",
    "category": "g.category",
    "state": "concat_ws(E'\\t', g.stage, g.state, g.workflow)",
    "rung": """(SELECT c.name || ':' || c.rung FROM clock c WHERE c.grievance_id = g.id AND c.task_id IS NULL
                AND c.cycle = g.cycle AND c.rung IS NOT NULL ORDER BY c.started_at DESC, c.id LIMIT 1)""",
}
_SEEN = """
SELECT {columns}, g.final, g.due_at,
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
"""
_UNITS_OWN = "AND c.unit = COALESCE(g.lead_unit, g.holder_unit)"
#: When a grievance counts, in the columns above.
_WHEN = {
    "open": "NOT final",
    "closed": "final",
    "overdue_closed": "late",
    "rated": "satisfied IS NOT NULL AND unrated IS NOT TRUE",
    "satisfied": "satisfied = ANY(%(good)s) AND unrated IS NOT TRUE",
    "unrated": "satisfied IS NOT NULL AND unrated",
    "untimed": "final AND untimed",
    "late": "late AND untimed IS NOT TRUE",
    "asked_response": "asked_response AND unresponse IS NOT TRUE",
    "responded": "responded AND unresponse IS NOT TRUE",
    "unresponse": "asked_response AND unresponse",
    "asked_solved": "asked_solved AND unsolved IS NOT TRUE",
    "solved": "solved AND unsolved IS NOT TRUE",
    "unsolved": "asked_solved AND unsolved",
    "overdue_closed_unit": "late_unit",
    "late_unit": "late_unit AND untimed IS NOT TRUE",
}
_WEIGHED = "CASE WHEN unrated IS NOT TRUE THEN weight END"
#: The columns of a Count, from open on: those that the hour decides stand between.
_COLUMNS = (
    "open", "due_soon", "overdue_open", "closed", "overdue_closed", "rated", "satisfied", "weighed", "unrated", "untimed",
    "late", "asked_response", "responded", "unresponse", "asked_solved", "solved", "unsolved",
)  # fmt: skip
_BY_HOUR = {
    "due_soon": "NOT final AND due_at >= %(now)s AND due_at <= %(soon)s",
    "overdue_open": "NOT final AND due_at < %(now)s",
}
_SUMS = [
    f"COALESCE(sum({_WEIGHED}), 0)"
    if name == "weighed"
    else f"count(*) FILTER (WHERE {(_WHEN | _BY_HOUR)[name]}) AS {name}"
    for name in _COLUMNS
]
_RECOUNT = f"""
WITH seen AS ({_SEEN})
SELECT key, {", ".join(_SUMS)} FROM seen GROUP BY key ORDER BY overdue_open DESC, open DESC, key
"""


def counts(
    session: Session, actor: Actor, by: Dimension, *, area_path: str, now: datetime, soon: datetime, good: Good
) -> list[Count]:
    """Return the counts of every group, those with most overdue first.

    `area_path` narrows to a subtree ("" does not) and, by area, is the level whose children are the groups. `good` says
    which answers count. A grievance closed late is one of whose own clocks ended after it was due; by
    unit, a clock that ran against that unit. From the sums that are kept where they hold, else by counting.
    """
    asked = Wanted(by, area_path, now, soon, good)
    found = kept(session, actor, asked)
    return recount(session, actor, asked) if found is None else found


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be counted: see `counts`."""

    by: Dimension | Literal["state", "place"]  # a place is an area's whole path
    area_path: str
    now: datetime
    soon: datetime
    good: Good

    @property
    def params(self) -> dict[str, Any]:
        """What the statements take, but for who asks."""
        codes = [code for code in self.area_path.split("/") if code]
        found = answers(self.good) | {"now": self.now, "soon": self.soon}
        found["dimension"] = "area" if self.by == "place" else self.by
        return found | {"depth": len(codes) + 1, "base": codes[-1] if codes else None}

    def within(self, actor: Actor, alias: str) -> tuple[str, dict[str, Any]]:
        """Return the predicate of what the actor sees there, and its parameters."""
        predicate, params = visible(actor, alias)
        inside, bounds = subtree(self.area_path, alias, "f")
        return f"{predicate} AND {inside}", params | bounds


def answers(good: Good) -> dict[str, Any]:
    """Return the parameters that say which answers count."""
    params: dict[str, Any] = {"good": list(good.satisfied)}
    for figure, (asked, counted) in (("response", good.response), ("solved", good.solved)):
        params |= {f"{figure}_asked": list(asked), f"{figure}_good": list(counted)}
    params |= {"w_workflow": [one for one, _, _ in good.weights], "w_answer": [one for _, one, _ in good.weights]}
    return params | {"w_weight": [one for _, _, one in good.weights]}


def recount(session: Session, actor: Actor, asked: Wanted) -> list[Count]:
    """Return the same counts from the grievances themselves, each read."""
    conditions, seen = asked.within(actor, "g")
    statement = _RECOUNT.format(
        columns=f"{_KEYS[asked.by]} AS key", whose=_UNITS_OWN if asked.by == "unit" else "", conditions=conditions
    )
    rows: Sequence[Any] = session.connection().exec_driver_sql(statement, asked.params | seen).all()
    return [Count(*row) for row in rows]


# --- the sums that are kept -----------------------------------------------------------------------------------------

_BITS = " | ".join(f"(COALESCE({_WHEN[name]}, FALSE)::int << {bit})" for bit, name in enumerate(COUNTED))
_OWN = ", ".join((
    f"g.id, g.area_path, {_KEYS['unit']} AS unit, g.estate_code AS estate, g.category",
    f"{_KEYS['rung']} AS rung, {_KEYS['state']} AS state",
    (
        "g.final AND EXISTS (SELECT 1 FROM clock c WHERE c.grievance_id = g.id AND c.task_id IS NULL"
        f" AND c.ended_at > c.due_at {_UNITS_OWN}) AS late_unit"
    ),
))  # fmt: skip
# OFFSET 0: looked up once, not again for every bit and every sum of bits.
#: How one grievance counts now: its groups, its bits, what its answer weighs, and till when it is open.
FACTS = f"""
SELECT f.id, f.area_path, f.unit, f.estate, f.category, f.rung, f.state, {_WEIGHED} AS weighed,
       CASE WHEN NOT f.final THEN f.due_at END AS due_at, {_BITS} AS counts
FROM ({_SEEN.format(columns=_OWN, whose="", conditions="{conditions}")} OFFSET 0) f OFFSET 0
"""
_MARK = "SELECT upto, good, {kept} AS kept FROM tally_mark"
#: Sums of a database that was read back elsewhere know of transactions that have not been there.
KEPT = "COALESCE(upto <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint, FALSE)"


def bits(sign: str = "") -> str:
    """Return the sums of bits as columns, each by its name."""
    return ", ".join(f"{sign}sum((counts >> {bit}) & 1) AS {name}" for bit, name in enumerate(COUNTED))


_NONE = ", ".join(f"0 AS {name}" for name in COUNTED)
_PART = """
WITH changed AS MATERIALIZED (SELECT DISTINCT c.grievance_id AS id FROM change c WHERE c.tx >= %(upto)s), part AS (
  SELECT {of_sum} AS key, {sums}, sum(t.weighed) AS weighed, 0 AS due_soon, 0 AS overdue_open
  FROM tally t WHERE t.dimension = %(dimension)s AND {summed} GROUP BY 1
  UNION ALL
  SELECT {of_one}, {none}, 0, count(*) FILTER (WHERE t.due_at >= %(now)s), count(*) FILTER (WHERE t.due_at < %(now)s)
  FROM tallied t WHERE t.due_at <= %(soon)s AND {summed} AND NOT EXISTS (SELECT 1 FROM changed c WHERE c.id = t.grievance_id)
  GROUP BY 1
  UNION ALL
  SELECT {of_one}, {gone}, -COALESCE(sum(t.weighed), 0), 0, 0
  FROM tallied t JOIN changed c ON c.id = t.grievance_id WHERE {summed} GROUP BY 1
  UNION ALL
  SELECT {of_one}, {come}, COALESCE(sum(t.weighed), 0), count(*) FILTER (WHERE t.due_at >= %(now)s AND t.due_at <= %(soon)s),
         count(*) FILTER (WHERE t.due_at < %(now)s)
  FROM ({facts}) t GROUP BY 1
)
SELECT m.upto = %(upto)s AS same, s.* FROM tally_mark m LEFT JOIN (
  SELECT {columns} FROM part GROUP BY key HAVING sum(open) + sum(closed) > 0
) s ON TRUE ORDER BY s.overdue_open DESC, s.open DESC, s.key
"""
_OF_UNIT = {"overdue_closed": "overdue_closed_unit", "late": "late_unit"}


_TRIES = 3


def kept(session: Session, actor: Actor, asked: Wanted) -> list[Count] | None:
    """Return the counts from the sums, set right by what changed since; None where there are none for what is asked.

    The sums and the changes are read in one statement, so that they are of one moment; how far the sums reach is asked
    before, so that the changes are looked up as the few that they are.
    """
    if actor.kind in (ActorKind.UNIT, ActorKind.HOTLINE, ActorKind.SECURITY):
        return None
    statement, params = _statement(actor, asked)
    connection = session.connection()
    for _ in range(_TRIES):
        mark = connection.exec_driver_sql(_MARK.format(kept=KEPT)).one()
        if not mark.kept or not compatible(mark.good, asked.good):
            return None
        rows: Sequence[Any] = connection.exec_driver_sql(statement, params | {"upto": mark.upto}).all()
        if rows and rows[0].same:
            return [Count(*row[1:]) for row in rows if row.open is not None]
    return None  # folded again and again meanwhile


def _statement(actor: Actor, asked: Wanted) -> tuple[str, dict[str, Any]]:
    """Return the statement and its parameters, but for `upto`: how far the sums reach."""
    summed, params = asked.within(actor, "t")
    conditions, _ = asked.within(actor, "g")
    area = _KEYS[asked.by].replace("g.", "t.") if asked.by in ("area", "place") else None
    columns = [
        f"sum({_OF_UNIT.get(name, name) if asked.by == 'unit' else name}){'' if name == 'weighed' else '::bigint'} AS {name}"
        for name in _COLUMNS
    ]
    statement = _PART.format(
        of_sum=area or "substr(NULLIF(t.key, ''), 2)", of_one=area or f"t.{asked.by}",
        sums=", ".join(f"sum(t.{name}) AS {name}" for name in COUNTED), none=_NONE, gone=bits("-"), come=bits(),
        summed=summed, facts=FACTS.format(conditions=f"g.id IN (SELECT c.id FROM changed c) AND {conditions}"),
        columns=", ".join(["key", *columns]),
    )  # fmt: skip
    return statement, asked.params | params


def as_kept(good: Good) -> dict[str, Any]:
    """Return by which answers sums are counted, to be kept beside them."""
    weights: dict[str, dict[str, str]] = {}
    for workflow, answer, weight in good.weights:
        weights.setdefault(workflow, {})[answer] = str(weight)
    figures = {"response": good.response, "solved": good.solved}
    return {
        "satisfied": sorted(good.satisfied), "weights": weights,
        **{name: [sorted(asked), sorted(counted)] for name, (asked, counted) in figures.items()},
    }  # fmt: skip


def compatible(was: Any, good: Good) -> bool:
    """Say whether sums counted by those answers are right by these: a version published since was not counted by."""
    now = as_kept(good)
    return was is not None and all(
        all(now[name].get(workflow) == weights for workflow, weights in was[name].items())
        if name == "weights"
        else now[name] == was[name]
        for name in now
    )


def estate_names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """Return the names of estates by their codes."""
    rows = session.connection().exec_driver_sql(
        "SELECT code, name FROM estate WHERE code = ANY(%(codes)s)", {"codes": list(codes)}
    )
    return {row.code: row.name for row in rows}
