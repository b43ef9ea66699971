"""意见反馈: what goes back to people once a matter is settled: followers of a merged matter get their own callback."""

from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain import machine
from wuye_loop.domain.errors import Forbidden, IllegalAction, NotFound
from wuye_loop.domain.posting import posted
from wuye_loop.domain.redaction import redact
from wuye_loop.domain.roles import SYSTEM as BY_SYSTEM
from wuye_loop.domain.rules import Rules
from wuye_loop.domain.situation import SYSTEM, Actor, Command
from wuye_loop.loop import engine
from wuye_loop.loop.engine import Loop, Outcome
from wuye_loop.store import grievances, identity, kin
from wuye_loop.store.api_keys import REVEAL


def close_followers(loop: Loop, session: Session, lead_id: UUID, move: str | None = None) -> list[Outcome]:
    """Let every follower of a lead grievance make the move that the file says follows the lead's.

    Without one, the lead is final: its followers leave their parked state by what the system may take there.
    """
    outcomes = []
    for number, state, workflow in kin.followers_of(session, lead_id):
        loop.reference.refresh(session)
        action = move or way_on(loop.reference.rules(session, workflow), state)
        if action is None:
            continue
        try:
            with session.begin_nested():  # a refusal gives back the document numbers it drew
                outcomes.append(engine.take(loop, session, number, Command(action, SYSTEM), engine.no_answer))
        except (IllegalAction, Forbidden):
            continue  # the lead was reopened, or a person was quicker: nothing to follow
    return outcomes


def way_on(rules: Rules, state: str) -> str | None:
    """Return the action by which the system takes a grievance on from a parked state."""
    spec = rules.workflow.states[state]
    if not spec.parked:
        return None
    names = rules.main.by_state[state]
    return next((name for name in names if BY_SYSTEM in rules.workflow.actions[name].by), None)


def reveal(loop: Loop, session: Session, number: str, actor: Actor, reason: str) -> Outcome:
    """Open who complained, for a key that may, and leave in the same transaction a ledger row of who asked and why.

    Raises Forbidden without the scope and for a property company's key whatever its scopes, NotFound, Erased.
    """
    if REVEAL not in actor.scopes:
        raise Forbidden("这把密钥不能查看诉求人身份")
    locked = grievances.lock(session, number, actor)
    if locked is None:
        raise NotFound
    world = engine.world_of(loop, session, locked)
    unit = world.directory.units.get(actor.unit or "")
    if unit is not None and unit.kind == "company":
        raise Forbidden("物业企业不能查看诉求人身份")
    person = identity.opened(loop.keyring, locked.situation.grievance.id, locked.sealed)
    facts = {"reason": redact(reason, identity.secrets_in(person))}
    step = posted(locked.situation, machine.note(world, locked.situation, "reveal", facts, actor))
    grievances.write(session, locked.situation, step)
    seq = step.situation.grievance.seq
    body = orjson.dumps({"number": number, "complainant": person, "seq": seq})
    return Outcome(body, number=number, seq=seq, step=step)
