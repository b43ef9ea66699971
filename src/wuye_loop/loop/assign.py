"""问题转办: go on with the routing of a grievance when another system has answered, or has not."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Command
from wuye_loop.domain.routing.protocol import Reply
from wuye_loop.loop import engine
from wuye_loop.loop.engine import Loop, StepResult

ROUTE = "route"


def route_with(
    loop: Loop, session: Session, number: str, replies: Mapping[int, Reply | str | None]
) -> StepResult | None:
    """Take `route` with what other systems replied, by their place in the chain; None when a person was quicker.

    A chain that still finds nobody leaves the grievance at the desk, with the trace in the ledger.
    """
    try:
        return engine.take(loop, session, number, Command(ROUTE, SYSTEM_ACTOR), engine.no_answer, asked=replies)
    except IllegalAction:
        return None
