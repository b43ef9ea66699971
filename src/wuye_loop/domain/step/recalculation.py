"""A notice of holidays is out: the open clocks of a grievance are counted again, and the ledger says what moved."""

from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Situation, World
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock_moves import ClockStatus
from wuye_loop.domain.time.timestamps import as_text


def recounted(world: World, situation: Situation) -> Step | None:
    """Bring the open clocks in step with the calendar; None where all stand."""
    builder = Builder(world, situation)
    moved = []
    for before in situation.clocks.values():
        after = before if before.status is ClockStatus.ENDED else clock_moves.recompute(before, world.calendar)
        if after != before:
            builder.put_clock(after)
            moved.append({"clock": before.name, "from": as_text(before.due_at), "to": as_text(after.due_at)})
    if not moved:
        return None
    builder.close_entry(
        "calendar",
        actor=SYSTEM_ACTOR.as_json(),
        facts={"calendar": world.calendar.version, "moved": moved},
        audience=Audience.UNITS.value,
    )
    return builder.step()
