"""What a chain of routers is asked about a grievance, wherever it is asked: for real, in a sandbox, in a replay."""

from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.situation import Situation, World
from wuye_loop.domain.routing.protocol import Precedent, RoutingCase


def routing_case(world: World, situation: Situation, precedents: tuple[Precedent, ...] = ()) -> RoutingCase:
    """Return the question: the facts, the place, the units that sent it back, rulings up to this very step."""
    grievance = situation.grievance
    return RoutingCase(
        facts=facts_of(world, situation),
        area_path=grievance.area_path,
        level=grievance.level,
        returned=frozenset(grievance.data.get("returned", ())),
        precedents=(*situation.ruled, *precedents),
    )
