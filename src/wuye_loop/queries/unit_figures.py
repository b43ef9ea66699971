"""评价考核: figures that anybody can recompute, each with its numerator and its denominator."""

from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.loop.engine import Loop
from wuye_loop.queries import scope
from wuye_loop.store.reads import unit_figures


def by_unit(loop: Loop, session: Session, actor: Actor, unit: str | None = None) -> list[dict[str, Any]]:
    """Return per unit (or of one): how many assessed clocks ended, how many in time, how many rated, how many satisfied.

    A rate whose denominator is 0 is left blank (None), not 0. Sources: DOMAIN.md rules 21 and 23.
    """
    loop.reference.refresh(session)
    pairs: list[tuple[str, str]] = []
    weights: dict[tuple[str, str], float] = {}
    for rules in scope.published(loop, session):
        pairs.extend((rules.id, name) for name, clock in rules.workflow.clocks.items() if clock.assessed)
        for rating in reversed(rules.workflow.ratings.values()):  # the first of a file is the complainant's: it wins
            weights |= {(rules.id, answer): weight for answer, weight in rating.weights.items()}
    directory = loop.reference.directory
    rows = []
    for row in unit_figures.by_unit(session, actor, pairs, unit):
        good = sum(weights.get(key, 0.0) * count for key, count in row.answers.items())
        rated = sum(row.answers.values())
        answers: dict[str, int] = {}
        for (_, answer), count in row.answers.items():
            answers[answer] = answers.get(answer, 0) + count
        rows.append(
            {
                "unit": row.unit,
                "unit_name": directory.name_of(row.unit),
                "clocks": row.clocks,
                "in_time": row.in_time,
                "on_time_rate": rate(row.in_time, row.clocks),
                "open_overdue": row.open_overdue,
                "rated": rated,
                "answers": answers,
                "satisfaction": rate(good, rated),
            }
        )
    return rows


def rate(numerator: float, denominator: int) -> float | None:
    """Return a rate to four places; None for a zero base."""
    return round(numerator / denominator, 4) if denominator else None
