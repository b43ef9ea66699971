"""指标 by SQL over what is stored: grouped in the database, every figure with the ids of its cases and what each weighs.

One definition of every rate: who is counted for whom, when a case falls into a period, what is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.fact_names import OF_CLOCKS, OF_RATINGS
from wuye_loop.domain.assessment.scheme import Measure
from wuye_loop.store.assessment.periods import FigureRow

#: The facts that a condition of a measure may ask about, as SQL over the grievance g.
_FACTS: Final[Mapping[str, str]] = {
    "kind": "g.kind",
    "category": "g.category",
    "urgency": "g.urgency",
    "channel": "g.channel",
    "source": "g.source",
    "origin": "g.data->>'origin'",
    "state": "g.state",
    "stage": "g.stage",
    "level": "g.level",
    "final": "g.final",
    "cycle": "g.cycle",
    "urged": "g.urged",
    "followers": "g.followers",
    "anonymous": "g.anonymous",
    "repeat": "COALESCE((g.data->>'repeat')::int, 0)",
    "estate_kind": "(SELECT e.kind FROM estate e WHERE e.code = g.estate_code)",
    "lead_unit": "g.lead_unit",
}


@dataclass(frozen=True, slots=True)
class Tallied:
    """One figure of one subject in one peer group: what its cases weigh, how many they are, how many were left out."""

    subject: str
    peer: str
    numerator: Decimal
    count: int
    excluded: int


@dataclass(frozen=True, slots=True)
class Ground:
    """What every measure of one assessment stands on: the window, whom a place belongs to, and what workflows say."""

    starts: datetime
    ends: datetime
    are: str
    places: Sequence[tuple[str, str, str]]  # area path, subject there (areas only), peer group
    assessed: Sequence[tuple[str, str]]  # workflow, clock
    answers: Sequence[tuple[str, str, str, Decimal]]  # workflow, rater, answer, weight
    raters: Mapping[str, str]  # workflow's rating name -> what the rating's row calls its rater
    asked: Mapping[str, tuple[Sequence[str], Sequence[str]]]  # response, solved: questions, good answers as JSON
    left_out: Mapping[str, Sequence[UUID]]  # measure -> cases that an appeal took out


@dataclass(frozen=True, slots=True)
class Facts:
    """The cases of a measure as a common table, and its parameters: measures of equal facts stand on the same cases."""

    statement: str
    params: Mapping[str, Any]


def tallied(session: Session, name: str, measure: Measure, ground: Ground) -> list[Tallied]:
    """Return a measure's figures for every subject that has a case in the window. The cases stay in the database."""
    facts = facts_of(name, measure, ground)
    rows = session.connection().exec_driver_sql(facts.statement + _COUNTS, facts.params)
    return [Tallied(*row) for row in rows]


def cases_of(
    session: Session, name: str, measure: Measure, ground: Ground, subject: str, peer: str
) -> dict[UUID, Decimal]:
    """Return the cases of one subject's figure, as they stand now, and what each weighs."""
    facts = facts_of(name, measure, ground)
    params = {**facts.params, "subject": subject, "peer": peer}
    rows = session.connection().exec_driver_sql(facts.statement + _CASES, params)
    return {row[0]: row[1] for row in rows}


def figures(
    session: Session,
    name: str,
    measure: Measure,
    facts: Facts,
    *,
    base: Mapping[tuple[str, str], Decimal] | None = None,
    grown: bool = False,
    into: UUID | None = None,
    twin: str | None = None,
) -> list[FigureRow]:
    """Return a measure's figure for every subject; `into` an assessment, they are stored with their cases in the same breath.

    The base is the number of cases for a rate, else the one given for each subject (none: the figure has no base).
    `grown`: the figure is by how much there is more than that base, also for who has nothing now. `twin` is a measure of
    equal facts that is stored there already. The cases never leave the database, and they are looked for once.
    """
    kind = "cases" if measure.rate is not None else "none" if base is None else "grown" if grown else "given"
    given = base or {}
    own = {
        "one": into, "measure": name, "kind": kind, "b_subject": [key[0] for key in given],
        "b_peer": [key[1] for key in given], "b_base": list(given.values()), "twin": twin,
    }  # fmt: skip
    if into is None:
        statement = facts.statement + _ONLY_COUNTS + _TOLD
    else:
        statement = (_OF_TWIN if twin is not None else facts.statement + _WITH_CASES) + _STORE
    rows = session.connection().exec_driver_sql(statement, {**facts.params, **own})
    return [FigureRow(row[0], row[1], name, *row[2:]) for row in rows]


def facts_of(name: str, measure: Measure, ground: Ground) -> Facts:
    """Return the cases of a measure as a common table `facts`, and the parameters of it."""
    noun = _NOUNS[measure.rate or f"{measure.count}#"](measure, ground)
    params = noun.params | {
        "starts": ground.starts, "ends": ground.ends,
        "left_out": list(ground.left_out.get(name, ())),
    }  # fmt: skip
    params |= _columns(ground.places)
    where, more = _conditions({**measure.when, **noun.conditions}, "w")
    statement = _FACTS_OF.format(
        subject=_subject(measure, ground, noun.handler),
        weight=noun.weight,
        excluded=f"(g.id = ANY(%(left_out)s::uuid[]) OR {noun.excluded})",
        source=noun.source,
        where=f"{noun.where} AND {where}",
    )
    return Facts(statement, params | more)


def _columns(places: Sequence[tuple[str, str, str]]) -> dict[str, list[str]]:
    """Return whom places belong to as the columns of a common table."""
    return {
        "paths": [path for path, _, _ in places],
        "areas": [subject for _, subject, _ in places],
        "peers": [peer for _, _, peer in places],
    }


def orders(session: Session, ground: Ground) -> dict[tuple[str, str], int]:
    """Return how many grievances of the window each subject had: by this it is listed apart or not."""
    measure = Measure(title="-", count="grievances")
    return {(one.subject, one.peer): one.count for one in tallied(session, "", measure, ground)}


_FACTS_OF: Final = """
WITH place AS (
  SELECT * FROM unnest(%(paths)s::text[], %(areas)s::text[], %(peers)s::text[]) AS p(path, area, peer)
), facts AS (
  SELECT {subject} AS subject, COALESCE(p.peer, '') AS peer, g.id, ({weight})::numeric AS weight, {excluded} AS excluded
  FROM {source} LEFT JOIN place p ON p.path = g.area_path
  WHERE {where}
)
"""
_CASES: Final = """
SELECT id, sum(weight) FROM facts
WHERE subject = %(subject)s AND peer = %(peer)s AND excluded IS NOT TRUE GROUP BY id ORDER BY id
"""
_ONLY_COUNTS: Final = """
, told AS (
  SELECT subject, peer, COALESCE(sum(weight) FILTER (WHERE excluded IS NOT TRUE), 0) AS top,
         count(*) FILTER (WHERE excluded IS NOT TRUE) AS n, count(*) FILTER (WHERE excluded) AS out
  FROM facts WHERE subject IS NOT NULL GROUP BY subject, peer
)
"""
_COUNTS: Final = f"{_ONLY_COUNTS} SELECT subject, peer, top, n, out FROM told"
#: Sorted once for all of it: the aggregates ask for the order that the rows have, so that none sorts for itself.
_WITH_CASES: Final = """
, told AS (
  SELECT subject, peer, COALESCE(sum(weight) FILTER (WHERE excluded IS NOT TRUE), 0) AS top,
         count(*) FILTER (WHERE excluded IS NOT TRUE) AS n, count(*) FILTER (WHERE excluded) AS out,
         array_agg(id ORDER BY id, weight) FILTER (WHERE excluded IS NOT TRUE) AS cases,
         array_agg(weight ORDER BY id, weight) FILTER (WHERE excluded IS NOT TRUE) AS weights,
         array_agg(id ORDER BY id, weight) FILTER (WHERE excluded) AS excluded_cases
  FROM facts WHERE subject IS NOT NULL GROUP BY subject, peer
)
"""
_OF_TWIN: Final = """
WITH told AS (
  SELECT subject, peer, COALESCE((SELECT sum(w) FROM unnest(weights) AS w), 0) AS top, cardinality(cases) AS n,
         excluded AS out, cases, weights, excluded_cases
  FROM figure WHERE assessment_id = %(one)s AND measure = %(twin)s AND cardinality(cases) + excluded > 0
)
"""
_BASED: Final = """
  COALESCE(t.subject, b.subject) AS subject, COALESCE(t.peer, b.peer) AS peer,
  COALESCE(t.top, 0) - CASE WHEN %(kind)s = 'grown' THEN COALESCE(b.base, 0) ELSE 0 END AS numerator,
  CASE %(kind)s WHEN 'cases' THEN t.n WHEN 'none' THEN NULL ELSE COALESCE(b.base, 0) END AS denominator,
"""
_ON_BASE: Final = """
FROM told t FULL JOIN unnest(%(b_subject)s::text[], %(b_peer)s::text[], %(b_base)s::numeric[]) AS b(subject, peer, base)
  ON b.subject = t.subject AND b.peer = t.peer
WHERE t.subject IS NOT NULL OR %(kind)s = 'grown'
"""
_TOLD: Final = f"SELECT {_BASED} COALESCE(t.n, 0), COALESCE(t.out, 0) {_ON_BASE}"
_STORE: Final = f"""
INSERT INTO figure (subject, peer, numerator, denominator, assessment_id, measure, excluded, cases, weights, excluded_cases)
SELECT {_BASED} %(one)s, %(measure)s, COALESCE(t.out, 0), COALESCE(t.cases, '{{}}'), COALESCE(t.weights, '{{}}'),
  COALESCE(t.excluded_cases, '{{}}') {_ON_BASE}
RETURNING subject, peer, numerator, denominator, cardinality(cases), excluded
"""


@dataclass(frozen=True, slots=True)
class _Noun:
    """What a measure counts: where it stands, who answers for it, what a case weighs, and when it is left out."""

    source: str
    where: str
    handler: str
    weight: str = "1"
    excluded: str = "FALSE"
    params: dict[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)


#: A merged matter is counted with the one it was merged into.
_ALONE: Final = "g.merged_into IS NULL"
_LEAD: Final = "COALESCE(g.lead_unit, g.holder_unit)"


def _subject(measure: Measure, ground: Ground, handler: str) -> str:
    if ground.are in ("street", "community"):
        return "NULLIF(p.area, '')"
    if ground.are == "estate":
        return "g.estate_code"
    whose = measure.whose or ("handler" if ground.are == "unit" else "place")
    return handler if whose == "handler" else "g.company_code"


def _grievances(measure: Measure, _: Ground) -> _Noun:
    at = "g.received_at" if measure.at == "received" else "g.closed_at"
    where = f"{at} >= %(starts)s AND {at} < %(ends)s AND {_ALONE}"
    if measure.rate is None:
        return _Noun("grievance g", where, _LEAD)
    good, params = _conditions(measure.good, "good")
    return _Noun(
        "grievance g", where, _LEAD, f"CASE WHEN {good} THEN 1 ELSE 0 END", params=params, conditions=measure.over
    )


def _clocks(measure: Measure, ground: Ground) -> _Noun:
    own = {key: value for key, value in measure.over.items() if key not in OF_CLOCKS}
    where = f"c.task_id IS NULL AND {_ALONE}"
    params: dict[str, Any] = {}
    if measure.named:
        where += " AND c.name = ANY(%(named)s::text[])"
        params["named"] = list(measure.named)
    if measure.over.get("assessed") or not measure.named:
        pairs = "SELECT * FROM unnest(%(of_workflow)s::text[], %(of_clock)s::text[])"
        where += f" AND (g.workflow, c.name) IN ({pairs})"
        params |= {"of_workflow": [one for one, _ in ground.assessed], "of_clock": [one for _, one in ground.assessed]}
    if measure.overdue == "open":
        where += " AND c.due_at < %(ends)s AND (c.ended_at IS NULL OR c.ended_at >= %(ends)s) AND c.status <> 'paused'"
    else:
        where += " AND c.ended_at >= %(starts)s AND c.ended_at < %(ends)s"
        if measure.overdue == "closed":
            where += " AND c.ended_at > c.due_at"
    weight = "1" if measure.rate is None else "CASE WHEN c.ended_at <= c.due_at THEN 1 ELSE 0 END"
    left = "(g.data -> 'excluded' ? 'on_time') IS TRUE"
    return _Noun("clock c JOIN grievance g ON g.id = c.grievance_id", where, "c.unit", weight, left, params, own)


def _ratings(measure: Measure, ground: Ground) -> _Noun:
    own = {key: value for key, value in measure.over.items() if key not in OF_RATINGS}
    rater = ground.raters.get(measure.rating or "", measure.rating or "complainant")
    # Asked as a join that finds nothing: the planner counts it in one pass, where a subquery would be run for each row.
    other = "<" if measure.cycle == "first" else ">"
    source = "rating r JOIN grievance g ON g.id = r.grievance_id"
    one = f"""NOT EXISTS (SELECT 1 FROM rating l
      WHERE l.grievance_id = r.grievance_id AND l.rater = r.rater AND l.cycle {other} r.cycle)"""
    where = f"r.at >= %(starts)s AND r.at < %(ends)s AND r.rater = %(rater)s AND {one} AND {_ALONE}"
    params: dict[str, Any] = {"rater": rater}
    if "contacted" in measure.over:
        where += " AND r.answers @> %(contacted)s::jsonb"
        params["contacted"] = f'{{"contacted": {str(bool(measure.over["contacted"])).lower()}}}'
    if measure.figure == "satisfied":
        source += """ LEFT JOIN unnest(%(w_workflow)s::text[], %(w_rater)s::text[], %(w_answer)s::text[],
            %(w_weight)s::numeric[]) AS w(workflow, rater, answer, weight)
          ON w.workflow = g.workflow AND w.rater = r.rater AND w.answer = r.satisfied"""
        where += " AND r.satisfied IS NOT NULL"
        columns = zip(
            ("w_workflow", "w_rater", "w_answer", "w_weight"), zip(*ground.answers, strict=True), strict=False
        )
        params |= {name: list(column) for name, column in columns} if ground.answers else {
            "w_workflow": [], "w_rater": [], "w_answer": [], "w_weight": []
        }  # fmt: skip
        weight = "COALESCE(w.weight, 0)" if measure.weights else "CASE WHEN w.weight > 0 THEN 1 ELSE 0 END"
        figure = "satisfaction"
    else:
        asked, good = ground.asked.get(measure.figure, ((), ()))
        where += " AND r.answers ?| %(asked)s::text[]"
        params |= {"asked": list(asked), "answered": list(good)}
        weight = "CASE WHEN r.answers @> ANY(%(answered)s::jsonb[]) THEN 1 ELSE 0 END"
        figure = measure.figure
    left = f"(g.data -> 'excluded' ? '{figure}') IS TRUE"
    return _Noun(source, where, "r.of_unit", weight, left, params, own)


def _actions(measure: Measure, _: Ground) -> _Noun:
    where = f"l.at >= %(starts)s AND l.at < %(ends)s AND l.action = ANY(%(actions)s::text[]) AND {_ALONE}"
    return _Noun(
        "ledger l JOIN grievance g ON g.id = l.grievance_id", where, _LEAD, params={"actions": list(measure.action)}
    )


def _tasks(measure: Measure, _: Ground) -> _Noun:
    where = f"t.opened_at >= %(starts)s AND t.opened_at < %(ends)s AND {_ALONE}"
    params = {}
    if measure.kind:
        where += " AND t.kind = ANY(%(kinds)s::text[])"
        params["kinds"] = list(measure.kind)
    return _Noun("task t JOIN grievance g ON g.id = t.grievance_id", where, "t.holder_unit", params=params)


def _documents(measure: Measure, _: Ground) -> _Noun:
    where = f"d.issued_at >= %(starts)s AND d.issued_at < %(ends)s AND {_ALONE}"
    params = {}
    if measure.kind:
        where += " AND d.kind = ANY(%(kinds)s::text[])"
        params["kinds"] = list(measure.kind)
    return _Noun("document d JOIN grievance g ON g.id = d.grievance_id", where, "d.addressee", params=params)


_NOUNS: Final = {
    "grievances": _grievances, "clocks": _clocks, "ratings": _ratings,
    "grievances#": _grievances, "clocks#": _clocks, "actions#": _actions, "tasks#": _tasks, "documents#": _documents,
}  # fmt: skip


def _conditions(matches: Mapping[str, Any], prefix: str) -> tuple[str, dict[str, Any]]:
    """Return a condition over stored facts as SQL and its parameters; every fact must be as required."""
    clauses: list[str] = ["TRUE"]
    params: dict[str, Any] = {}
    for place, (name, wanted) in enumerate(matches.items()):
        part, more = _matched(_FACTS[name], wanted, f"{prefix}{place}")
        clauses.append(part)
        params |= more
    return " AND ".join(clauses), params


def _matched(fact: str, wanted: object, name: str) -> tuple[str, dict[str, Any]]:
    if isinstance(wanted, Mapping):
        parts: list[str] = []
        params: dict[str, Any] = {}
        for place, (operator, value) in enumerate(wanted.items()):
            own = f"{name}_{place}"
            if operator == "not":
                inner, more = _matched(fact, value, own)
                parts.append(f"({inner}) IS NOT TRUE")
            elif operator == "any":
                inner, more = _matched(fact, list(value), own)
                parts.append(inner)
            else:
                sign = ">=" if operator == "min" else "<="
                parts.append(f"{fact} {sign} %({own})s")
                more = {own: value}
            params |= more
        return " AND ".join(parts), params
    if isinstance(wanted, list | tuple):
        return f"{fact} = ANY(%({name})s)", {name: list(wanted)}
    if wanted is None:
        return f"{fact} IS NULL", {}
    return f"{fact} = %({name})s", {name: wanted}


def roster(session: Session, are: str, kinds: Iterable[str], but: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Return every subject with the path of each area it is in: companies and estates by estate, units by their area."""
    wanted = list(kinds)
    rows = session.connection().exec_driver_sql(_ROSTERS[are], {"kinds": wanted, "any": not wanted, "but": list(but)})
    return [(row[0], row[1]) for row in rows]


_ROSTERS: Final = {
    "company": """SELECT DISTINCT e.company_code, a.path FROM estate e JOIN area a ON a.code = e.area_code
      WHERE e.company_code IS NOT NULL AND (%(any)s OR e.kind = ANY(%(kinds)s::text[]))
      AND (e.kind = ANY(%(but)s::text[])) IS NOT TRUE""",
    "estate": """SELECT e.code, a.path FROM estate e JOIN area a ON a.code = e.area_code
      WHERE (%(any)s OR e.kind = ANY(%(kinds)s::text[])) AND (e.kind = ANY(%(but)s::text[])) IS NOT TRUE""",
    "unit": """SELECT u.code, COALESCE(a.path, '') FROM unit u LEFT JOIN area a ON a.code = u.area_code
      WHERE u.active AND (%(any)s OR u.kind = ANY(%(kinds)s::text[]))
      AND u.kind <> ALL(%(but)s::text[])""",
    "street": "SELECT code, path FROM area WHERE level = 'street' AND (%(any)s OR name = ANY(%(kinds)s::text[]))",
    "community": "SELECT code, path FROM area WHERE level = 'community' AND (%(any)s OR name = ANY(%(kinds)s::text[]))",
}


def households(session: Session, are: str, places: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str], int]:
    """Return how many households each subject has in each peer group; what the directory does not say counts nothing."""
    subject = {"company": "e.company_code", "estate": "e.code"}.get(are, "NULLIF(p.area, '')")
    rows = session.connection().exec_driver_sql(
        f"""SELECT {subject}, COALESCE(p.peer, ''), sum(e.households) FROM estate e JOIN area a ON a.code = e.area_code
        LEFT JOIN unnest(%(paths)s::text[], %(areas)s::text[], %(peers)s::text[]) AS p(path, area, peer) ON p.path = a.path
        WHERE {subject} IS NOT NULL AND e.households IS NOT NULL GROUP BY 1, 2""",
        _columns(places),
    )
    return {(row[0], row[1]): int(row[2]) for row in rows}


_FUNNEL: Final = """
SELECT g.stage, count(*) FROM grievance g
WHERE g.received_at >= %(starts)s AND g.received_at < %(ends)s AND g.merged_into IS NULL GROUP BY g.stage
"""


_PARTED: Final = """
SELECT {fact}, count(*) FROM grievance g
WHERE g.received_at >= %(starts)s AND g.received_at < %(ends)s AND g.merged_into IS NULL GROUP BY 1
"""


def parted(session: Session, fact: str, starts: datetime, ends: datetime) -> dict[str, int]:
    """Return how many grievances received in a window have each value of a fact; those without one under nothing."""
    rows = session.connection().exec_driver_sql(
        _PARTED.format(fact=f"COALESCE({_FACTS[fact]}, '')"), {"starts": starts, "ends": ends}
    )
    return {row[0]: row[1] for row in rows}


def stages(session: Session, starts: datetime, ends: datetime) -> dict[str, int]:
    """Return in which stage the grievances received in a window stand now."""
    rows = session.connection().exec_driver_sql(_FUNNEL, {"starts": starts, "ends": ends})
    return {row[0]: row[1] for row in rows}
