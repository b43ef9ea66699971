"""A notice of holidays is out: the open clocks of one grievance are counted again, and the ledger says what moved."""

from sqlalchemy.orm import Session

from wuye_loop.domain import clocks
from wuye_loop.domain.builder import Builder
from wuye_loop.domain.clocks import ClockStatus
from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.instants import as_text
from wuye_loop.domain.situation import SYSTEM
from wuye_loop.domain.terms import Audience
from wuye_loop.loop.engine import Loop, world_of
from wuye_loop.store import grievances


def recalculate(loop: Loop, session: Session, number: str) -> bool:
    """Bring the open clocks of a grievance in step with the stored calendar, under its lock; False where all stand.

    Raises NotFound.
    """
    locked = grievances.lock(session, number, SYSTEM)
    if locked is None:
        raise NotFound
    world = world_of(loop, session, locked)
    builder = Builder(world, locked.situation)
    moved = []
    for before in locked.situation.clocks.values():
        after = before if before.status is ClockStatus.ENDED else clocks.recompute(before, world.calendar)
        if after != before:
            builder.put_clock(after)
            moved.append({"clock": before.name, "from": as_text(before.due_at), "to": as_text(after.due_at)})
    if not moved:
        return False
    builder.close_entry(
        "calendar",
        actor=SYSTEM.as_json(),
        facts={"calendar": world.calendar.version, "moved": moved},
        audience=Audience.UNITS.value,
    )
    grievances.write(session, locked.situation, builder.step())
    return True
