"""Ask the routers of the workflow which unit takes a grievance, and keep what each of them said."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from wuye_loop.domain.facts import facts_of, with_texts
from wuye_loop.domain.router import Reply, RoutingCase
from wuye_loop.domain.routing import Choice
from wuye_loop.domain.routing import choose as try_routers
from wuye_loop.domain.situation import Situation, World

_LOADS = text(
    "SELECT lead_unit, count(*) FROM grievance WHERE lead_unit = ANY(:units) AND NOT final GROUP BY lead_unit"
)


def choose(
    session: Session, world: World, situation: Situation, asked: Mapping[int, Reply | str | None] | None = None
) -> Choice:
    """Try the routers in order; `asked` holds what other systems answered to routers that ask them."""
    grievance = situation.grievance
    case = RoutingCase(
        facts=with_texts(facts_of(world, situation), world, situation),
        area_path=grievance.area_path,
        level=grievance.level,
        returned=frozenset(grievance.data.get("returned", ())),
    )

    def loads(units: Sequence[str]) -> Mapping[str, int]:
        return {row[0]: row[1] for row in session.execute(_LOADS, {"units": list(units)})}

    return try_routers(world.rules.workflow.routers, case, world.directory, loads, asked=asked)
