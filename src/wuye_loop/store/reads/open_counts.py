"""How many grievances are open in each state of one workflow version, and how many of them are overdue."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import Tally
from wuye_loop.store.visibility import visible

# Ended grievances, by far the most, are in no index that is partial to open ones: they are not read.
_CENSUS: Final = """
SELECT g.state, count(*) AS open, count(*) FILTER (WHERE g.due_at < %(now)s) AS overdue
FROM grievance g WHERE NOT g.final AND g.workflow = %(workflow)s AND {visible} GROUP BY g.state
"""


def census(session: Session, actor: Actor, workflow_id: str, now: datetime) -> dict[str, Tally]:
    """Return the tally of every state in which some grievance that the actor may see is open at an instant.

    Overdue is one of whose running clocks the first was due before `now`, as the supervisors' summary counts.
    """
    predicate, params = visible(actor)
    rows = session.connection().exec_driver_sql(
        _CENSUS.format(visible=predicate), params | {"workflow": workflow_id, "now": now}
    )
    return {row.state: Tally(row.open, row.overdue) for row in rows}
