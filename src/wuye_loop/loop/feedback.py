"""意见反馈: what goes back to people once a matter is settled: followers of a merged matter get their own callback."""

from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, IllegalAction
from wuye_loop.domain.grievance.roles import SYSTEM_ROLE
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Command
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.loop import engine
from wuye_loop.loop.engine import Loop, StepResult
from wuye_loop.store.grievance import related


def close_followers(loop: Loop, session: Session, lead_id: UUID, move: str | None = None) -> list[StepResult]:
    """Let every follower of a lead grievance make the move that the file says follows the lead's.

    Without one, the lead is final: its followers leave their parked state by what the system may take there.
    """
    outcomes = []
    for number, state, workflow in related.followers_of(session, lead_id):
        loop.reference.refresh(session)
        action = move or way_on(loop.reference.rules(session, workflow), state)
        if action is None:
            continue
        try:
            with session.begin_nested():  # a refusal gives back the document numbers it drew
                outcomes.append(engine.take(loop, session, number, Command(action, SYSTEM_ACTOR), engine.no_answer))
        except (IllegalAction, Forbidden):
            continue  # the lead was reopened, or a person was quicker: nothing to follow
    return outcomes


def way_on(rules: Rules, state: str) -> str | None:
    """Return the action by which the system takes a grievance on from a parked state."""
    spec = rules.workflow.states[state]
    if not spec.parked:
        return None
    names = rules.main.by_state[state]
    return next((name for name in names if SYSTEM_ROLE in rules.workflow.actions[name].by), None)
