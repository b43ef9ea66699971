"""Counts from indexed columns, within the reader's jurisdiction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
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
    """Return figures per unit (or of one) over the assessed clocks (workflow, name) and the final ratings."""
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
