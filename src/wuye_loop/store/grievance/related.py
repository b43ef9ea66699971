"""The other grievances that a decision asks about: those a form names, the lead of a merged one, its followers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor, Brief, GrievanceState
from wuye_loop.store.visibility import visible


def briefs(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, Brief]:
    """Lock the other grievances that a form names, in the order of their ids, and return what a decision may know."""
    predicate, params = visible(actor)
    rows = session.connection().exec_driver_sql(
        f"SELECT g.id, g.number, g.state, g.final, g.merged_into FROM grievance g"
        f" WHERE g.number = ANY(%(numbers)s) AND {predicate} ORDER BY g.id FOR UPDATE OF g",
        params | {"numbers": list(numbers)},
    )
    return {row.number: Brief(*row) for row in rows}


def lead_of(session: Session, grievance: GrievanceState, *, lock: bool = False) -> Brief | None:
    """Read the grievance that a merged one follows, if it is merged."""
    if grievance.merged_into is None:
        return None
    statement = "SELECT id, number, state, final, merged_into FROM grievance WHERE id = %(id)s"
    row = session.connection().exec_driver_sql(
        statement + (" FOR UPDATE" if lock else ""), {"id": grievance.merged_into}
    )
    return Brief(*row.one())


def followers_of(session: Session, lead_id: UUID) -> list[tuple[str, str, str]]:
    """Return number, state and workflow of the grievances that follow one."""
    rows = session.connection().exec_driver_sql(
        "SELECT number, state, workflow FROM grievance WHERE merged_into = %(id)s ORDER BY id", {"id": lead_id}
    )
    return [(row[0], row[1], row[2]) for row in rows]
