"""Open who complained, for a key that may: always with a reason, always with a row of who asked and why."""

import orjson
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.posting import posted
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.engine import Loop, StepResult
from wuye_loop.store.grievance import identity, writer
from wuye_loop.store.keys.api_keys import REVEAL


def reveal(loop: Loop, session: Session, number: str, actor: Actor, reason: str) -> StepResult:
    """Open who complained, for a key that may, and leave in the same transaction a ledger row of who asked and why.

    Raises Forbidden without the scope and for a property company's key whatever its scopes, NotFound, Erased.
    """
    if REVEAL not in actor.scopes:
        raise Forbidden("这把密钥不能查看诉求人身份")
    locked = under_lock.lock(loop.keyring, session, number, actor)
    if locked is None:
        raise NotFound
    world = engine.world_of(loop, session, locked)
    unit = world.directory.units.get(actor.unit or "")
    if unit is not None and unit.kind == "company":
        raise Forbidden("物业企业不能查看诉求人身份")
    person = identity.opened(loop.keyring, locked.situation.grievance.id, locked.sealed)
    facts = {"reason": engine.striker(loop, locked)(reason)}
    step = posted(locked.situation, actions.note(world, locked.situation, "reveal", facts, actor), loop.chain)
    writer.write(session, locked.situation, step)
    seq = step.situation.grievance.seq
    body = orjson.dumps({"number": number, "complainant": person, "seq": seq})
    return StepResult(body, number=number, seq=seq, step=step)
