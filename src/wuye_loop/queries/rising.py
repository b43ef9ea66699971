"""Rising matters 未诉先办: where so many came in one week that it is hardly chance."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.suggesting.rising import PAST, QUIET, WEEK, rises
from wuye_loop.loop.engine import Loop
from wuye_loop.queries import scope
from wuye_loop.queries.supervision import admit
from wuye_loop.store.reads.arrivals import arrivals
from wuye_loop.store.reads.summary import estate_names

_BACK: Final = timedelta(weeks=PAST + 1, days=QUIET)


def rising(loop: Loop, session: Session, actor: Actor, area: str | None) -> dict[str, Any]:
    """Return the alarms of the last two weeks, the newest first.

    Raises Forbidden, BadInput for an area unknown or outside the actor's jurisdiction.
    """
    admit(loop, session, actor)
    path = scope.path_of(loop, area, actor) if area is not None else actor.area_path
    calendar = loop.calendar(session)
    now = loop.clock.now()
    today, first = calendar.local_date(now), calendar.local_date(now - _BACK)
    zone = loop.reference.rules(session, loop.default_workflow).workflow.calendar.zone
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    for one in arrivals(session, actor, path, now - _BACK, str(zone)):
        days[one.estate, one.category] += [one.day] * one.number
    # Where nothing was taken in yet there is no past: an installation that is new is not a town at rest.
    first = max(first, min((day for came in days.values() for day in came), default=today))
    found = [one for one in rises(days, first, today) if (today - one.day).days <= QUIET]
    names = estate_names(session, sorted({one.key[0] for one in found}))
    items = [
        {
            "estate": one.key[0],
            "estate_name": names.get(one.key[0]),
            "category": one.key[1],
            "day": one.day.isoformat(),
            "days": WEEK,
            "count": one.count,
            "expected": one.expected,
            "chance": float(f"{one.chance:.2g}"),
        }
        for one in reversed(found)
    ]
    return {"items": items, "series": len(days)}
