"""A notice of holidays is out: the open clocks of a grievance are counted again, and the ledger says what moved."""

from wuye_loop.domain import clocks
from wuye_loop.domain.builder import Builder
from wuye_loop.domain.clocks import ClockStatus
from wuye_loop.domain.drafts import Step
from wuye_loop.domain.instants import as_text
from wuye_loop.domain.situation import SYSTEM, Situation, World
from wuye_loop.domain.terms import Audience


def recounted(world: World, situation: Situation) -> Step | None:
    """Bring the open clocks in step with the calendar; None where all stand."""
    builder = Builder(world, situation)
    moved = []
    for before in situation.clocks.values():
        after = before if before.status is ClockStatus.ENDED else clocks.recompute(before, world.calendar)
        if after != before:
            builder.put_clock(after)
            moved.append({"clock": before.name, "from": as_text(before.due_at), "to": as_text(after.due_at)})
    if not moved:
        return None
    builder.close_entry(
        "calendar",
        actor=SYSTEM.as_json(),
        facts={"calendar": world.calendar.version, "moved": moved},
        audience=Audience.UNITS.value,
    )
    return builder.step()
