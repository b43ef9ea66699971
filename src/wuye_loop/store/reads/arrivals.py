"""What came in on which day, by estate and category: what a rising matter is seen in."""

from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.suggesting.rising import MARK
from wuye_loop.store.visibility import subtree, visible

_ARRIVALS: Final = """
SELECT g.estate_code, g.category, (g.received_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS number
FROM grievance g
WHERE g.estate_code IS NOT NULL AND g.category IS NOT NULL AND g.received_at >= %(since)s
  AND NOT starts_with(g.external_id, %(mark)s) AND {conditions}
GROUP BY 1, 2, 3
"""


class Arrivals(NamedTuple):
    """So many grievances of a category came from an estate on a day."""

    estate: str
    category: str
    day: date
    number: int


def arrivals(session: Session, actor: Actor, area_path: str, since: datetime, zone: str) -> list[Arrivals]:
    """Return the counts since then in a subtree ("" is all that the actor may see), days in this time zone."""
    predicate, params = visible(actor)
    inside, bounds = subtree(area_path, "g", "f")
    given: dict[str, Any] = params | bounds | {"since": since, "zone": zone, "mark": MARK}
    rows = session.connection().exec_driver_sql(_ARRIVALS.format(conditions=f"{predicate} AND {inside}"), given)
    return [Arrivals(*row) for row in rows]


def opening_alone(session: Session) -> bool:
    """Say whether nobody else opens what has risen until this transaction ends."""
    asked = "SELECT pg_try_advisory_xact_lock(hashtextextended('rising', 0))"
    return bool(session.connection().exec_driver_sql(asked).scalar())


def opened_since(session: Session, since: datetime) -> set[str]:
    """Return which matters that rose were taken in since then: their external ids without the day."""
    rows = session.connection().exec_driver_sql(
        "SELECT external_id FROM grievance WHERE received_at >= %(since)s AND starts_with(external_id, %(mark)s)",
        {"since": since, "mark": MARK},
    )
    return {str(one).rpartition(":")[0] for one in rows.scalars()}
