"""Counts from indexed columns, within the reader's jurisdiction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.store.reach import beyond
from wuye_loop.store.reads.summary import SHARES, mark_of, same_assessed
from wuye_loop.store.visibility import visible


@dataclass(slots=True)
class UnitFigures:
    """What one unit was responsible for."""

    unit: str
    clocks: int = 0  # assessed clocks that have ended
    in_time: int = 0
    open_overdue: int = 0
    answers: dict[tuple[str, str], int] = field(
        default_factory=dict
    )  # by workflow and answer: the last of each grievance


_CLOCKS = """
SELECT c.unit, count(*) FILTER (WHERE c.status = 'ended'),
       count(*) FILTER (WHERE c.status = 'ended' AND c.ended_at <= c.due_at),
       count(*) FILTER (WHERE c.status = 'running' AND c.rung IS NOT NULL)
FROM clock c JOIN grievance g ON g.id = c.grievance_id
WHERE c.task_id IS NULL AND c.unit IS NOT NULL AND (%(unit)s::text IS NULL OR c.unit = %(unit)s)
  AND (g.data -> 'excluded' ? 'on_time') IS NOT TRUE
  AND (g.workflow, c.name) IN (SELECT * FROM unnest(%(workflows)s::text[], %(names)s::text[])) AND {visible}
GROUP BY c.unit
"""
_RATINGS = """
SELECT r.of_unit, g.workflow, r.satisfied, count(*)
FROM grievance g JOIN LATERAL (
  SELECT l.of_unit, l.satisfied FROM rating l WHERE l.grievance_id = g.id AND l.satisfied IS NOT NULL
  ORDER BY l.cycle DESC, l.rater LIMIT 1
) r ON TRUE
WHERE r.of_unit IS NOT NULL AND (%(unit)s::text IS NULL OR r.of_unit = %(unit)s) AND {visible}
  AND (g.data -> 'excluded' ? 'satisfaction') IS NOT TRUE
GROUP BY r.of_unit, g.workflow, r.satisfied
"""


def by_unit(
    session: Session, actor: Actor, assessed: Sequence[tuple[str, str]], unit: str | None = None
) -> list[UnitFigures]:
    """Return figures per unit (or of one) over the assessed clocks (workflow, name) and the final ratings.

    What a unit asks of itself comes from what is kept, where that holds.
    """
    if unit is not None and actor.kind is ActorKind.UNIT and actor.unit == unit:
        own = kept(session, unit, assessed)
        if own is not None:
            return own
    return recount(session, actor, assessed, unit)


def recount(
    session: Session, actor: Actor, assessed: Sequence[tuple[str, str]], unit: str | None = None
) -> list[UnitFigures]:
    """Return the same from the clocks and ratings themselves, each read."""
    predicate, params = visible(actor)
    params |= {"workflows": [pair[0] for pair in assessed], "names": [pair[1] for pair in assessed], "unit": unit}
    found: dict[str, UnitFigures] = {}
    connection = session.connection()
    for code, ended, in_time, overdue in connection.exec_driver_sql(_CLOCKS.format(visible=predicate), params):
        found[code] = UnitFigures(code, ended, in_time, overdue)
    answers: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for code, workflow, satisfied, count in connection.exec_driver_sql(_RATINGS.format(visible=predicate), params):
        answers[code][workflow, satisfied] = count
    for code, counts in answers.items():
        found.setdefault(code, UnitFigures(code)).answers = counts
    return sorted(found.values(), key=lambda row: (-row.clocks, row.unit))


# What is kept, without what changed as it was, and with it as it is. Sums of others than the reader are not read.
_KEPT = f"""
WITH changed AS MATERIALIZED (SELECT DISTINCT c.grievance_id AS id FROM change c WHERE c.tx >= %(upto)s), share AS (
  SELECT unit, kind, number FROM tally_share WHERE unit = %(unit)s
  UNION ALL
  SELECT s.one->>0, s.one->>1, -(s.one->>2)::int FROM changed c JOIN tallied t ON t.grievance_id = c.id
  CROSS JOIN LATERAL jsonb_array_elements(t.shares) AS s(one) WHERE s.one->>0 = %(unit)s
  UNION ALL
  SELECT s.one->>0, s.one->>1, (s.one->>2)::int FROM changed c JOIN grievance g ON g.id = c.id
  LEFT JOIN LATERAL (
    SELECT l.of_unit, l.satisfied FROM rating l WHERE l.grievance_id = g.id AND l.satisfied IS NOT NULL
    ORDER BY l.cycle DESC, l.rater LIMIT 1
  ) r ON TRUE
  CROSS JOIN LATERAL jsonb_array_elements({SHARES}) AS s(one) WHERE s.one->>0 = %(unit)s
)
SELECT m.upto, s.kind, s.number FROM tally_mark m LEFT JOIN (
  SELECT kind, sum(number)::int AS number FROM share GROUP BY kind HAVING sum(number) <> 0
) s ON TRUE
"""
_TRIES = 3


def kept(session: Session, unit: str, assessed: Sequence[tuple[str, str]]) -> list[UnitFigures] | None:
    """Return a unit's figures from what is kept, of all that it sees; None where that is not of use."""
    with beyond(session):
        for _ in range(_TRIES):
            mark = mark_of(session)
            if not mark.kept or not same_assessed(mark.good, assessed):
                return None
            params = {
                "upto": mark.upto, "unit": unit,
                "a_workflow": [one for one, _ in assessed], "a_clock": [one for _, one in assessed],
            }  # fmt: skip
            rows = session.connection().exec_driver_sql(_KEPT, params).all()
            if rows[0].upto == mark.upto:
                return _told(unit, {row.kind: row.number for row in rows if row.kind is not None})
    return None


def _told(unit: str, numbers: dict[str, int]) -> list[UnitFigures]:
    if not numbers:
        return []
    answers = {
        (workflow, answer): n for kind, n in numbers.items() if "\t" in kind for workflow, answer in [kind.split("\t")]
    }
    return [UnitFigures(unit, numbers.get("ended", 0), numbers.get("in_time", 0), numbers.get("late", 0), answers)]
