"""Ask the routers of the workflow which unit takes a grievance, and keep what each of them said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import EMPTY, Situation, World
from wuye_loop.domain.routing.chain import Choice
from wuye_loop.domain.routing.chain import choose as try_routers
from wuye_loop.domain.routing.protocol import Precedent, Reply
from wuye_loop.domain.step.routing import routing_case
from wuye_loop.store.grievance import routing


def choose(
    session: Session,
    world: World,
    situation: Situation,
    asked: Mapping[int, Reply | str | None] | None = None,
    *,
    led: Mapping[str, int] = EMPTY,
) -> Choice:
    """Try the routers in order; `asked` holds what other systems answered to routers that ask them.

    `led` counts by unit the open grievances of this transaction that are not written yet.
    """
    precedents = _precedents(session, world, situation) if world.rules.asks_precedents else ()
    case = routing_case(world, situation, precedents)
    loads = partial(_loads, session, led)
    return try_routers(world.rules.workflow.routers, case, world.directory, loads, asked=asked)


def _loads(session: Session, led: Mapping[str, int], units: Sequence[str]) -> Mapping[str, int]:
    written = routing.loads(session, units)
    return {unit: n for unit in units if (n := written.get(unit, 0) + led.get(unit, 0))}


def _precedents(session: Session, world: World, situation: Situation) -> tuple[Precedent, ...]:
    """Return the newest rulings on matters of the same category in the same district or city."""
    grievance = situation.grievance
    above = [area for area in world.directory.ancestors(grievance.area_path) if area.level in ("city", "district")]
    top = above[-1].path if above else ""
    rows = routing.precedents(session, grievance.category, top)
    return tuple(
        Precedent(row.ruling, row.to_unit, row.area_path, world.calendar.local_date(row.at).isoformat()) for row in rows
    )


def answering(
    session: Session,
    world: World,
    asked: Mapping[int, Reply | str | None] | None = None,
    *,
    led: Mapping[str, int] = EMPTY,
) -> World:
    """Return the world with its question about routing answered here."""

    def chosen(situation: Situation) -> Choice:
        return choose(session, world, situation, asked, led=led)

    return replace(world, choose=chosen)
