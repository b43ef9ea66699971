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
#: What the board groups by besides: a place is an area's whole path, reached an area and the rung that was reached there.
Grouping = Dimension | Literal["state", "place", "reached"]
#: Between stage, state and version, and between area and rung; no name holds it.
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
    assessed: Sequence[tuple[str, str]] = ()  # workflow, clock: those by which units are assessed


#: How deep below the area that was asked for a grievance's own area is looked at: one level.
_AREA = "COALESCE(NULLIF(split_part(g.area_path, '/', %(depth)s), ''), %(base)s)"
_REACHED = """CASE WHEN NOT g.final THEN (SELECT max(c.rung) FROM clock c WHERE c.grievance_id = g.id AND c.task_id IS NULL
                AND c.status = 'running' AND (g.workflow, c.name) IN
                  (SELECT * FROM unnest(%(a_workflow)s::text[], %(a_clock)s::text[]))) END"""
_KEYS: dict[str, str] = {
    "place": "g.area_path",
    "area": _AREA,
    "reached": f"concat_ws(E'\\t', COALESCE({_AREA}, ''), {_REACHED})",
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
  SELECT l.satisfied, l.answers, l.of_unit FROM rating l WHERE l.grievance_id = g.id AND l.satisfied IS NOT NULL
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


def counts(session: Session, actor: Actor, asked: "Wanted", most: int) -> tuple[list[Count], list[Count]]:
    """Return the counts of every group, those with most overdue first, so many at least; and counts that sum up to the whole.

    `area_path` narrows to a subtree ("" does not) and, by area, is the level whose children are the groups. `good` says
    which answers count. A grievance closed late is one of whose own clocks ended after it was due; by
    unit, a clock that ran against that unit. From the sums that are kept where they hold, else by counting.
    """
    # By area there are few groups, and together they are what all estates are: those need not all be carried over.
    whole: Grouping = "area" if asked.by == "estate" else asked.by
    found = kept_together(session, actor, asked, [*{asked.by: None, whole: None}], ["estate"], most)
    if found is not None:
        return found[asked.by], found[whole]
    groups = recount(session, actor, asked)
    return groups, groups


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be counted: see `counts`."""

    by: Grouping
    area_path: str
    now: datetime
    soon: datetime
    good: Good

    @property
    def params(self) -> dict[str, Any]:
        """What the statements take, but for who asks."""
        codes = [code for code in self.area_path.split("/") if code]
        found = answers(self.good) | {"now": self.now, "soon": self.soon}
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
    params |= {"a_workflow": [one for one, _ in good.assessed], "a_clock": [one for _, one in good.assessed]}
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
_ASSESSED = "SELECT * FROM unnest(%(a_workflow)s::text[], %(a_clock)s::text[])"
#: What units that have a part in a grievance did of it: (unit, kind, number), kind a rating's workflow and answer too.
SHARES = f"""(SELECT jsonb_agg(jsonb_build_array(s.unit, s.kind, s.number) ORDER BY s.unit, s.kind) FROM (
  SELECT d.unit, d.kind, count(*) AS number FROM (
    SELECT c.unit, k.kind FROM clock c CROSS JOIN LATERAL (VALUES
      ('clocks', TRUE), ('ended', c.status = 'ended'), ('in_time', c.status = 'ended' AND c.ended_at <= c.due_at),
      ('late', c.status = 'running' AND c.rung IS NOT NULL)) AS k(kind, counts)
    WHERE c.grievance_id = g.id AND c.task_id IS NULL AND k.counts AND c.unit = ANY(g.units)
      AND (g.data -> 'excluded' ? 'on_time') IS NOT TRUE AND (g.workflow, c.name) IN ({_ASSESSED})
    UNION ALL
    SELECT r.of_unit, concat_ws(E'\\t', g.workflow, r.satisfied) WHERE r.satisfied IS NOT NULL AND r.of_unit = ANY(g.units)
      AND (g.data -> 'excluded' ? 'satisfaction') IS NOT TRUE
  ) d GROUP BY d.unit, d.kind
) s)"""
UNITS = "CASE WHEN octet_length(g.units::text) <= 1000 THEN g.units END"
_OWN = ", ".join((
    f"g.id, g.area_path, {_KEYS['unit']} AS unit, g.estate_code AS estate, g.category",
    f"{_KEYS['rung']} AS rung, {_KEYS['state']} AS state",
    (
        "g.final AND EXISTS (SELECT 1 FROM clock c WHERE c.grievance_id = g.id AND c.task_id IS NULL"
        f" AND c.ended_at > c.due_at {_UNITS_OWN}) AS late_unit"
    ),
    f"{_REACHED} AS reached, g.channel, g.received_at, g.closed_at, {SHARES} AS shares, {UNITS} AS units",
))  # fmt: skip
# OFFSET 0: looked up once, not again for every bit and every sum of bits.
#: How one grievance counts now: its groups, its bits, what its answer weighs, and till when it is open.
FACTS = f"""
SELECT f.id, f.area_path, f.unit, f.estate, f.category, f.rung, f.state, {_WEIGHED} AS weighed,
       CASE WHEN NOT f.final THEN f.due_at END AS due_at, {_BITS} AS counts, f.reached, f.channel, f.received_at, f.closed_at, f.shares,
       f.units
FROM ({_SEEN.format(columns=_OWN, whose="", conditions="{conditions}")} OFFSET 0) f OFFSET 0
"""
#: Sums of a database that was read back elsewhere know of transactions that have not been there.
KEPT = "COALESCE(upto <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint, FALSE)"


def bits(sign: str = "") -> str:
    """Return the sums of bits as columns, each by its name."""
    return ", ".join(f"{sign}sum((counts >> {bit}) & 1)::int AS {name}" for bit, name in enumerate(COUNTED))


# What is overdue was so at an instant of the past: between then and now, and till soon, is little.
_BRANCHES = """
  {kept}
  UNION ALL
  SELECT d.by, d.key, {passed}
  FROM tallied t CROSS JOIN LATERAL {of_one}
  WHERE t.due_at >= LEAST(%(now)s, %(late_at)s) AND t.due_at <= GREATEST({latest}, %(late_at)s) AND {summed}
    AND NOT EXISTS (SELECT 1 FROM changed c WHERE c.id = t.grievance_id) {chosen}
  GROUP BY 1, 2
  UNION ALL
  SELECT d.by, d.key, {gone}
  FROM tallied t JOIN changed c ON c.id = t.grievance_id CROSS JOIN LATERAL {of_one}
  WHERE {summed} {chosen} GROUP BY 1, 2
  UNION ALL
  SELECT d.by, d.key, {come} FROM come t CROSS JOIN LATERAL {of_one} WHERE TRUE {chosen} GROUP BY 1, 2
"""
_SUM = """
SELECT '{by}' AS by, {key} AS key, {sums} FROM tally t WHERE t.dimension = '{dimension}' AND {summed} {only}
"""
# Of many groups only the worst are wanted: which these are is found by two of their sums, and the rest is summed for them alone.
_PART = """
WITH changed AS MATERIALIZED (SELECT DISTINCT c.grievance_id AS id FROM change c WHERE c.tx >= %(upto)s),
come AS MATERIALIZED ({facts}), lean AS MATERIALIZED (
  SELECT by, key, sum(open) AS open, sum(overdue_open) AS overdue_open FROM ({lean}) p
  GROUP BY by, key HAVING sum(open) + sum(closed) > 0
), worst AS MATERIALIZED ({worst}), whole AS (
  SELECT {columns} FROM ({whole}) p GROUP BY by, key HAVING sum(open) + sum(closed) > 0
)
SELECT m.upto = %(upto)s AND m.late_at = %(late_at)s AS same, s.* FROM tally_mark m LEFT JOIN ({parts}) s ON TRUE
ORDER BY s.part, s.place
"""
_WORST_FIRST = "ORDER BY overdue_open DESC, open DESC, key"
_WORST = f"(SELECT by, COALESCE('=' || key, '') AS own FROM lean WHERE by = '{{by}}' {_WORST_FIRST} LIMIT %(most)s)"
# Each put in order by itself: names that are all alike, compared first, make a sort three times as long.
_PARTED = f"""
(SELECT {{part}} AS part, row_number() OVER ({_WORST_FIRST}) AS place, {{columns}} FROM {{found}} f WHERE by = '{{by}}'
 {_WORST_FIRST} {{most}})
"""
_CHOSEN = "AND (d.by <> ALL(%(sought)s::text[]) OR (d.by, COALESCE('=' || d.key, '')) IN (SELECT by, own FROM worst))"
_NONE_WORST = "SELECT NULL AS by, NULL AS own WHERE FALSE"
_FEW = 100  # groups: of more, it costs less to sum all of them once
_NOTHING = "SELECT NULL AS by, NULL AS key, {sums} WHERE FALSE"
_LEAN = ("open", "closed", "overdue_open")
_WHEN_DUE = {
    "due_soon": "(count(*) FILTER (WHERE t.due_at >= %(now)s AND t.due_at <= %(soon)s))::int",
    "overdue_open": "(count(*) FILTER (WHERE t.due_at < %(now)s))::int",
}
_WAS_DUE = "(count(*) FILTER (WHERE t.due_at < %(late_at)s))::int"
_OF_UNIT = {"overdue_closed": "overdue_closed_unit", "late": "late_unit"}
_DIMENSION = {"place": "area"}  # whose sums are read for it
_TRIES = 3


def kept(session: Session, actor: Actor, asked: Wanted) -> list[Count] | None:
    """Return the counts from the sums, set right by what changed since; None where there are none for what is asked."""
    found = kept_together(session, actor, asked, [asked.by])
    return None if found is None else found[asked.by]


def kept_together(
    session: Session,
    actor: Actor,
    asked: Wanted,
    groupings: Sequence[Grouping],
    cut: Sequence[Grouping] = (),
    most: int = 0,
    lean: Sequence[Grouping] = (),
) -> dict[Grouping, list[Count]] | None:
    """Return the same by several groupings at once, whatever `asked` groups by; of those to be cut so many groups at most.

    Of lean ones only what is open and what is overdue is counted; the other counts are 0. The sums and the changes are read
    in one statement, so that they are of one moment; how far the sums reach is asked before, so that the changes are looked up
    as the few that they are.
    """
    if actor.kind in (ActorKind.UNIT, ActorKind.HOTLINE, ActorKind.SECURITY):
        return None
    sought = [one for one in cut if most <= _FEW]
    whole = [one for one in groupings if one not in lean]
    statement, params = _statement(actor, asked, whole, sought, lean, cut)
    connection = session.connection()
    for _ in range(_TRIES):
        mark = mark_of(session)
        if not mark.kept or not compatible(mark.good, asked.good):
            return None
        now = {"upto": mark.upto, "late_at": mark.late_at, "sought": sought, "most": most}
        rows: Sequence[Any] = connection.exec_driver_sql(statement, params | now).all()
        if rows and rows[0].same:
            found: dict[Grouping, list[Count]] = {one: [] for one in groupings}
            for row in rows:
                if row.open is not None:
                    found[row.by].append(Count(*row[4:]))
            return found
    return None  # folded again and again meanwhile


def mark_of(session: Session) -> Any:
    """Return how far the sums reach, by what they were counted, and whether they are of use."""
    statement = f"SELECT upto, good, late_at, since, zone, recent, newest, {KEPT} AS kept FROM tally_mark"
    return session.connection().exec_driver_sql(statement).one()


def _statement(
    actor: Actor,
    asked: Wanted,
    whole: Sequence[Grouping],
    sought: Sequence[Grouping],
    lean: Sequence[Grouping],
    cut: Sequence[Grouping],
) -> tuple[str, dict[str, Any]]:
    """Return the statement and its parameters, but for how far the sums reach."""
    summed, params = asked.within(actor, "t")
    conditions, _ = asked.within(actor, "g")
    read = (*COUNTED, "weighed", "due_soon", "overdue_open")
    columns = [
        f"sum(CASE WHEN by = 'unit' THEN {_OF_UNIT[name]} ELSE {name} END) AS {name}"
        if name in _OF_UNIT
        else f"sum({name}) AS {name}"
        for name in _COLUMNS
    ]
    few = ", ".join(["by", "key", *(name if name in _LEAN and name != "closed" else "0" for name in _COLUMNS)])
    told = [("whole", by, ", ".join(["by", "key", *_COLUMNS])) for by in whole] + [("lean", by, few) for by in lean]
    parts = [
        _PARTED.format(part=part, found=found, by=by, columns=named, most="LIMIT %(most)s" if by in cut else "")
        for part, (found, by, named) in enumerate(told)
    ]
    statement = _PART.format(
        facts=FACTS.format(conditions=f"g.id IN (SELECT c.id FROM changed c) AND {conditions}"),
        lean=_branches([*sought, *lean], _LEAN, summed), whole=_branches(whole, read, summed, sought),
        worst=" UNION ALL ".join(_WORST.format(by=one) for one in sought) or _NONE_WORST,
        columns=", ".join(["by", "key", *columns]), parts=" UNION ALL ".join(parts),
    )  # fmt: skip
    return statement, asked.params | params


def _branches(groupings: Sequence[Grouping], names: Sequence[str], summed: str, sought: Sequence[Grouping] = ()) -> str:
    """Return what adds up to these counts by these groupings; of those that are sought out, of the worst groups alone."""
    kept = [
        _SUM.format(
            by=one, dimension=_DIMENSION.get(one, one), key=_key(one, "substr(NULLIF(t.key, ''), 2)"), summed=summed,
            sums=", ".join("0 AS due_soon" if name == "due_soon" else f"t.{name} AS {name}" for name in names),
            only=f"AND t.key IN (SELECT own FROM worst WHERE by = '{one}')" if one in sought else "",
        )
        for one in groupings
    ]  # fmt: skip
    return _BRANCHES.format(
        kept=" UNION ALL ".join(kept or [_NOTHING.format(sums=", ".join(f"0 AS {name}" for name in names))]),
        of_one="(VALUES " + ", ".join(f"('{one}', {_key(one, f't.{one}')})" for one in groupings) + ") AS d(by, key)"
        if groupings
        else "(SELECT NULL AS by, NULL AS key WHERE FALSE) d",
        passed=", ".join(
            f"{_WHEN_DUE['overdue_open']} - {_WAS_DUE}" if name == "overdue_open" else _WHEN_DUE.get(name, "0")
            for name in names
        ),
        latest="%(soon)s" if "due_soon" in names else "%(now)s",
        gone=", ".join(_moved(name, "-") for name in names),
        come=", ".join(_moved(name) for name in names),
        summed=summed,
        chosen=_CHOSEN if sought else "",
    )


def _moved(name: str, sign: str = "") -> str:
    """Return what a count gains by grievances that are counted, or loses by those that were."""
    if name == "weighed":
        return f"{sign}COALESCE(sum(t.weighed), 0)"
    if name in _WHEN_DUE:
        return ("0" if name == "due_soon" else f"-{_WAS_DUE}") if sign else _WHEN_DUE[name]
    return f"{sign}sum((t.counts >> {COUNTED.index(name)}) & 1)::int"


def _key(grouping: Grouping, own: str) -> str:
    """Return what groups a row of sums, or of what was summed, which has its own key in that column."""
    if grouping == "place":
        return "t.area_path"
    area = _AREA.replace("g.", "t.")
    if grouping == "reached":
        return f"concat_ws(E'\\t', COALESCE({area}, ''), {own})"
    return area if grouping == "area" else own


def as_kept(good: Good) -> dict[str, Any]:
    """Return by which answers sums are counted, to be kept beside them."""
    weights: dict[str, dict[str, str]] = {}
    for workflow, answer, weight in good.weights:
        weights.setdefault(workflow, {})[answer] = str(weight)
    figures = {"response": good.response, "solved": good.solved}
    assessed: dict[str, list[str]] = {}
    for workflow, clock in sorted(good.assessed):
        assessed.setdefault(workflow, []).append(clock)
    return {
        "satisfied": sorted(good.satisfied), "weights": weights, "assessed": assessed,
        **{name: [sorted(asked), sorted(counted)] for name, (asked, counted) in figures.items()},
    }  # fmt: skip


def compatible(was: Any, good: Good) -> bool:
    """Say whether sums counted by those answers are right by these: a version published since was not counted by."""
    now = as_kept(good)
    return was is not None and all(
        all(now[name].get(workflow) == said for workflow, said in was[name].items())
        if name in {"weights", "assessed"}
        else now[name] == was[name]
        for name in now
    )


def same_assessed(was: Any, assessed: Sequence[tuple[str, str]]) -> bool:
    """Say whether sums counted by those answers went by these clocks: a version published since was not counted by."""
    now = as_kept(Good((), (), ((), ()), ((), ()), assessed))["assessed"]
    return was is not None and all(now.get(workflow) == clocks for workflow, clocks in was["assessed"].items())


def estate_names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """Return the names of estates by their codes."""
    rows = session.connection().exec_driver_sql(
        "SELECT code, name FROM estate WHERE code = ANY(%(codes)s)", {"codes": list(codes)}
    )
    return {row.code: row.name for row in rows}
