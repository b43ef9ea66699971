"""Why each running clock is due when it is, for staff who may see the grievance."""

from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.loop.engine import Looked, Loop, seen
from wuye_loop.queries.explain.clocks import deadlines
from wuye_loop.queries.explain.history import history
from wuye_loop.queries.rule_history import RuleHistory


def why_due(
    loop: Loop, session: Session, number: str, actor: Actor, looked: Looked | None = None
) -> list[dict[str, Any]]:
    """Return what `explain` says of each deadline. Raises NotFound where the actor sees no such grievance."""
    locked, world = looked or seen(loop, session, number, actor)
    past = history(session, locked.situation)
    rules_then = RuleHistory(loop, session, locked.situation.grievance.id, world.rules)
    return deadlines(loop, session, world, past, rules_then)
