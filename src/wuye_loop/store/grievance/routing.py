"""What routers ask: how much each unit has open, and earlier rulings on matters of the same kind nearby."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_LOADS: Final = text(
    "SELECT lead_unit, count(*) FROM grievance WHERE lead_unit = ANY(:units) AND NOT final GROUP BY lead_unit"
)
_PRECEDENTS: Final = text(
    "SELECT ruling, to_unit, area_path, at FROM precedent"
    " WHERE category = :category AND starts_with(area_path, :top) ORDER BY at DESC, seq LIMIT 50"
)


def loads(session: Session, units: Sequence[str]) -> Mapping[str, int]:
    """Return how many open grievances each of these units leads; a unit without any is left out."""
    return {row[0]: row[1] for row in session.execute(_LOADS, {"units": list(units)})}


def precedents(session: Session, category: str | None, top: str) -> list[Any]:
    """Return the newest rulings on a category under an area: ruling, to_unit, area_path, at."""
    return list(session.execute(_PRECEDENTS, {"category": category, "top": top}))
