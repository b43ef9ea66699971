"""Keys as a security administrator makes, rotates and ends them over HTTP: what is dangerous takes a second person."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import holders
from wuye_loop.domain.privacy.access.key_rules import POWERS, REVEAL, takes_two
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop.access import approvals
from wuye_loop.ports import Ids
from wuye_loop.store.keys import api_keys
from wuye_loop.store.keys import approvals as stored
from wuye_loop.store.keys.api_keys import KeyRow, KeyWish, MadeKey
from wuye_loop.store.keys.approvals import Approval


def make(
    session: Session, actor: Actor, wish: KeyWish, reason: str, now: datetime, ids: Ids, *, alone: bool
) -> MadeKey | Approval:
    """Make a key for a named holder, or keep the request where it takes a second person; `alone`: nothing takes one.

    Raises Forbidden where the caller's own key names nobody, BadInput for what makes no sense, Conflict for a person who
    holds another of the three powers.
    """
    if wish.holder is None:
        raise BadInput("请写明持有人", fields=[{"path": "body.holder", "problem": "请写明持有人：姓名 工号"}])
    kind, scopes = api_keys.checked(session, wish)
    _one_power(session, kind, wish.holder, now)
    if alone:
        return api_keys.make(session, wish, now, ids, _by(actor))
    own = approvals.person_of(session, actor, now)
    if not takes_two(kind, reveal=REVEAL in scopes):
        return api_keys.make(session, wish, now, ids, _by(actor))
    return approvals.ask(session, own, "key", {"make": asdict(wish)}, reason, now, ids)


def rotate(
    session: Session,
    actor: Actor,
    key_id: UUID,
    overlap: timedelta,
    days: int | None,
    reason: str,
    now: datetime,
    ids: Ids,
    *,
    alone: bool,
) -> MadeKey | Approval:
    """Make the next key of a family, or keep the request where it takes a second person: whoever makes it sees its secret.

    One's own key may be rotated alone. Raises NotFound, and as api_keys.rotate does.
    """
    row = _row(session, key_id)
    if not row.live(now):
        raise Conflict("这把密钥已经失效，请另外发放")
    own = None if alone else approvals.person_of(session, actor, now)
    dangerous = takes_two(ActorKind(row.role), reveal=REVEAL in row.scopes)
    if own is None or row.id == own.id or not dangerous:
        return api_keys.rotate(session, row, overlap=overlap, now=now, ids=ids, by=_by(actor), days=days)
    wanted = {"rotate": str(key_id), "overlap": int(overlap.total_seconds()), "days": days}
    return approvals.ask(session, own, "key", wanted, reason, now, ids)


def take(session: Session, actor: Actor, approval_id: UUID, now: datetime, ids: Ids) -> MadeKey:
    """Make the key that was asked for and approved; its secret goes to who asked, once.

    Raises as approvals.approved_for and api_keys.make or rotate do.
    """
    found = approvals.approved_for(session, actor, approval_id, now)
    wanted: dict[str, Any] = dict(found.wanted)
    by = {**_by(actor), "approval": str(found.id)}
    if "rotate" in wanted:
        overlap = timedelta(seconds=wanted["overlap"])
        row = _row(session, UUID(wanted["rotate"]))
        made = api_keys.rotate(session, row, overlap=overlap, now=now, ids=ids, by=by, days=wanted["days"])
    else:
        made = api_keys.make(session, KeyWish(**wanted["make"]), now, ids, by)
    stored.use(session, found.id, made.id)
    return made


def end(session: Session, actor: Actor, key_id: UUID, now: datetime) -> list[UUID]:
    """Revoke a key; return its id, or nothing where it was revoked before. Raises NotFound."""
    row = _row(session, key_id)
    return [row.id] if api_keys.end(session, row.id, now, _by(actor)) else []


def end_holder(session: Session, actor: Actor, holder: str, now: datetime) -> list[UUID]:
    """Revoke every key of a holder; return which they were. Raises BadInput where no live key is theirs."""
    ended = api_keys.end_holder(session, holder, now, _by(actor))
    if not ended:
        words = "没有这位持有人的有效密钥"
        raise BadInput(words, fields=[{"path": "body.holder", "problem": words}])
    return ended


def _by(actor: Actor) -> dict[str, Any]:
    return {"key": str(actor.key_id)}


def _row(session: Session, key_id: UUID) -> KeyRow:
    row = api_keys.by_id(session, key_id)
    if row is None:
        raise NotFound
    return row


def _one_power(session: Session, kind: ActorKind, holder: str, now: datetime) -> None:
    """Refuse a person a second of the three powers."""
    if kind not in POWERS:
        return
    others = (row for row in api_keys.listed(session) if row.role in POWERS and row.role != kind and row.live(now))
    if any(row.holder is not None and holders.may_be_same(row.holder, holder) for row in others):
        raise Conflict("系统管理员、安全管理员、审计员要由三个人担任：这位持有人（或工号相同的人）已有另一种密钥")
