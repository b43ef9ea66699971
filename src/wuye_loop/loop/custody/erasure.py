"""Destroys who complained and every word of it (PIPL art. 19 and 47), and leaves the proof that it was done."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, NotFound
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.domain.privacy.known import of_person
from wuye_loop.domain.privacy.striking import struck
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.posting import posted
from wuye_loop.loop import engine, under_lock
from wuye_loop.loop.engine import Loop
from wuye_loop.store import registry, retention
from wuye_loop.store.grievance import erasing, identity, writer

ERASURE = "erasure"  # as the register calls the proof
_LEAST_REASON = 4  # characters


def erase(
    loop: Loop,
    session: Session,
    number: str,
    reason: str,
    actor: Actor = SYSTEM_ACTOR,
    proposed: datetime | None = None,
) -> dict[str, object]:
    """Destroy the data key of a closed grievance, strike its texts, delete its files; return the proof.

    The ledger is not touched but for one more row; chain, counts and scores go on to verify. `proposed` is when somebody
    found that it was due. Raises NotFound, BadInput without a reason, Conflict while it or a task of it is open, where it was
    erased before, and where something was done with it since it was proposed.
    """
    if len(reason.strip()) < _LEAST_REASON:
        raise BadInput("请写明销毁的理由")
    locked = under_lock.lock(loop.keyring, session, number, actor)
    if locked is None:
        raise NotFound(f"没有编号为 {number} 的诉求")
    grievance = locked.situation.grievance
    if locked.sealed is None or not locked.sealed.wrapped_key:
        raise Conflict(f"{number} 已经销毁过")
    if (held := retention.hold_of(session, number)) is not None:
        raise Conflict(f"{number} 依法保留中（{held}），不能销毁")
    if (registry.image_of(session, registry.HELD, number) or {}).get("held"):
        raise Conflict(f"{number} 在登记簿里是依法保留的，而保留的记录不见了，不能销毁：请先用 verify 查清")
    if not grievance.final:
        raise Conflict(f"{number} 还在办理，办结之后才能销毁")
    if not all(task.final for task in locked.situation.tasks.values()):
        raise Conflict(f"{number} 还有任务没有了结，了结之后才能销毁")
    if proposed is not None and retention.written_since(session, grievance.id, proposed):
        raise Conflict(f"{number} 在提出销毁以后又办过，期限要重新算，请重新提出")
    person = of_person(identity.opened(loop.keyring, grievance.id, locked.sealed))
    proof: dict[str, object] = {
        "reason": struck(reason.strip(), person, loop.reference.directory.public),
        "files": erasing.files(session, grievance.id),
        # Which key it was can be shown by who kept a copy, and by nobody else.
        "destroyed": sha256(locked.sealed.wrapped_key).hexdigest(),
    }
    step = actions.note(engine.world_of(loop, session, locked), locked.situation, "erase", proof, actor)
    writer.write(session, locked.situation, posted(locked.situation, step, loop.chain))
    erasing.destroy(session, grievance.id, number)
    registry.enter(session, ERASURE, number, proof)
    return {"number": number, **proof}
