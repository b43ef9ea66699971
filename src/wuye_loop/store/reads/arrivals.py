"""What came in on which day, by estate and category: what a rising matter is seen in."""

from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.visibility import subtree, visible

_ARRIVALS: Final = """
SELECT g.estate_code, g.category, (g.received_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS number
FROM grievance g
WHERE g.estate_code IS NOT NULL AND g.category IS NOT NULL AND g.received_at >= %(since)s AND {conditions}
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
    given: dict[str, Any] = params | bounds | {"since": since, "zone": zone}
    rows = session.connection().exec_driver_sql(_ARRIVALS.format(conditions=f"{predicate} AND {inside}"), given)
    return [Arrivals(*row) for row in rows]
