"""What takes a second person (双人): asked for by one, decided by another who keeps the keys, never by the same."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, Forbidden, NotFound, Unauthenticated
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import holders
from wuye_loop.domain.privacy.access.key_rules import REVEAL
from wuye_loop.domain.privacy.access.reveals import RevealBounds, reason_problem
from wuye_loop.domain.privacy.striking import struck
from wuye_loop.domain.terms import ActorKind
from wuye_loop.ports import Ids
from wuye_loop.store.keys import api_keys, approvals
from wuye_loop.store.keys.api_keys import KeyRow
from wuye_loop.store.keys.approvals import Approval, ApprovalKind

MOST_EXTRA: Final = 500
OPEN_FOR: Final = timedelta(days=3)
_NAME_FIRST = "这把密钥没有写明持有人，看不出是谁：请先用 key name 写明，或换发一把"


def ask_for_reveals(
    session: Session, actor: Actor, extra: int, reason: str, bounds: RevealBounds, now: datetime, ids: Ids
) -> Approval:
    """Ask to open so many identities more on the day it is approved.

    Raises Forbidden for a key that opens none, or that names nobody; BadInput for a reason that says nothing; Conflict
    while another request waits.
    """
    if REVEAL not in actor.scopes:
        raise Forbidden("这把密钥不能查看诉求人身份，也就不用申请")
    if not 1 <= extra <= MOST_EXTRA:
        raise BadInput("次数有误", fields=[{"path": "body.extra", "problem": f"应为 1 至 {MOST_EXTRA}"}])
    if wrong := reason_problem(reason, bounds.reasons):
        raise BadInput("请写明理由", fields=[{"path": "body.reason", "problem": wrong}])
    own = person_of(session, actor, now)
    mine = {row.id for row in api_keys.persons_keys(session, own.id)}
    if approvals.open_of(session, mine, "reveals"):
        raise Conflict("已有一件申请在等批准")
    return ask(session, own, "reveals", {"extra": extra}, reason, now, ids)


def ask(
    session: Session, own: KeyRow, kind: ApprovalKind, wanted: Mapping[str, Any], reason: str, now: datetime, ids: Ids
) -> Approval:
    """Keep a request of a key's holder."""
    asked = Approval(
        ids.new(), kind, own.id, now, wanted, struck(reason), "open", None, None, None, None
    )  # fmt: skip
    approvals.ask(session, asked)
    return asked


def decide(
    session: Session, actor: Actor, approval_id: UUID, note: str | None, now: datetime, *, approved: bool
) -> Approval:
    """Approve or refuse what somebody else asked for; one may refuse, that is withdraw, what one asked for oneself.

    Raises Forbidden for a key that does not keep keys, names nobody, or may be the asker's own; NotFound; Conflict for
    what was decided before, has waited longer than three days, or whose asker's key has ended.
    """
    if actor.kind is not ActorKind.SECURITY:
        raise Forbidden("只有安全管理员可以批准")
    own = person_of(session, actor, now)
    found = approvals.locked(session, approval_id)
    if found is None:
        raise NotFound
    if found.state != "open":
        raise Conflict("这件申请已经办过")
    if now - found.asked_at > OPEN_FOR:
        raise Conflict(f"这件申请已过 {OPEN_FOR.days} 天，请重新申请")
    if approved:
        asker = api_keys.find_by_id(session, found.asked_by, now)
        if asker is None:
            raise Conflict("申请人的密钥已经失效")
        if holders.may_be_same(asker.holder, own.holder):
            raise Forbidden("申请和批准要由两个人：持有人或工号相同的不算")
    state = "approved" if approved else "refused"
    decided = replace(found, state=state, decided_by=own.id, decided_at=now, note=struck(note) if note else None)
    approvals.decide(session, decided)
    return decided


def approved_for(session: Session, actor: Actor, approval_id: UUID, now: datetime) -> Approval:
    """Lock and return the approved request for a key that this caller made; whoever asked may take it, once.

    Raises NotFound, also for what others asked for; Conflict where it is not approved, was used, or approved too long ago.
    """
    found = approvals.locked(session, approval_id)
    if found is None or found.asked_by != actor.key_id or found.kind != "key":
        raise NotFound
    if found.state != "approved" or found.decided_at is None:
        words = {"open": "还没有批准", "used": "密钥已经领过", "refused": "没有批准"}
        raise Conflict(f"这件申请{words.get(found.state, '不能领取')}")
    if now - found.decided_at > OPEN_FOR:
        raise Conflict(f"批准已过 {OPEN_FOR.days} 天，请重新申请")
    return found


def person_of(session: Session, actor: Actor, now: datetime) -> KeyRow:
    """Return the caller's own key, which names its holder.

    Raises Forbidden for one that names nobody, because two persons cannot be told apart by it; Unauthenticated for one
    that has ended since the caller was let in.
    """
    own = api_keys.find_by_id(session, actor.key_id, now) if actor.key_id is not None else None
    if own is None:
        raise Unauthenticated
    if own.holder is None:
        raise Forbidden(_NAME_FIRST)
    return own
