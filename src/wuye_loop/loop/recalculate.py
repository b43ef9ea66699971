"""Bring the deadlines of one grievance in step with the stored calendar, under its lock."""

from sqlalchemy.orm import Session

from wuye_loop.domain.step.recalculation import recounted
from wuye_loop.loop.engine import Loop, amend


def recalculate(loop: Loop, session: Session, number: str) -> bool:
    """Count the open clocks of a grievance again; False where all stand. Raises NotFound."""
    return amend(loop, session, number, recounted)
