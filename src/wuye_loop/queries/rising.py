"""Rising matters 未诉先办: where so many came in one week that it is hardly chance."""

from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.suggesting.rising import WEEK
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.rising import risen
from wuye_loop.queries import scope
from wuye_loop.queries.supervision import admit
from wuye_loop.store.reads.summary import estate_names


def rising(loop: Loop, session: Session, actor: Actor, area: str | None) -> dict[str, Any]:
    """Return the alarms of the last two weeks, the newest first.

    Raises Forbidden, BadInput for an area unknown or outside the actor's jurisdiction.
    """
    admit(loop, session, actor)
    path = scope.path_of(loop, area, actor) if area is not None else actor.area_path
    found, series = risen(loop, session, actor, path)
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
    return {"items": items, "series": series}
