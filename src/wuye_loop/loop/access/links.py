"""One-time links: a unit lets somebody outside answer one task that lies with it, in its name, once and not for long."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, BadValue, Forbidden, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access.api_keys import digest
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop import handle
from wuye_loop.loop.engine import Loop, StepResult
from wuye_loop.store.keys import desks, links
from wuye_loop.store.keys.links import LinkRow

OPEN_FOR: Final = timedelta(days=3)
_TOKEN_BYTES: Final = 32
_LONGEST: Final = 40


class LinkOver(NotFound, status=404, slug="not-found", title="没有找到"):
    """There is no such link, or it was used, taken back, or is too old: the same words for all of them."""


def give(loop: Loop, session: Session, actor: Actor, task: UUID, to: str) -> str:
    """Make a link for a task that lies with the actor's own unit; return its token, which is kept nowhere.

    Raises Forbidden for whom the task does not lie with, BadInput for a link given to nobody.
    """
    if actor.kind is not ActorKind.UNIT or actor.unit is None or actor.key_id is None:
        raise Forbidden("一次性链接由办这项任务的单位自己给")
    if not desks.items(session, actor, [], [task]):
        raise Forbidden("这项任务现在不在本单位手里")
    try:
        given_to = clean(to, max_len=_LONGEST)
    except BadValue as error:
        raise BadInput(f"给谁：{error}") from None
    if not given_to:
        raise BadInput("请写明链接给谁，如 供水公司抢修班")
    token, now = loop.ids.token(_TOKEN_BYTES), loop.clock.now()
    row = LinkRow(loop.ids.new(), task, actor.unit, actor.key_id, given_to, now, now + OPEN_FOR, None, used=False)
    links.make(session, row, digest(token))
    return token


def opened(loop: Loop, session: Session, token: str) -> tuple[LinkRow, Actor]:
    """Return the link of a token that may still be used, and who acts by it. Raises LinkOver."""
    row = links.find(session, digest(token))
    if row is None or row.ended_at is not None or row.expires_at <= loop.clock.now():
        raise LinkOver("这个链接用过了、作废了或过期了。请向给您链接的单位再要一个")
    return row, Actor(ActorKind.UNIT, unit=row.unit_code, key_id=row.id)


def answer(
    loop: Loop, session: Session, token: str, action: str, form: Mapping[str, Any], *, signs: bool = False
) -> StepResult:
    """Take an action on the link's task and use the link up, both or neither; one that only `signs` uses nothing up.

    Raises LinkOver, and what the action raises.
    """
    row, actor = opened(loop, session, token)
    if not signs and not links.spend(session, row.id, loop.clock.now()):
        raise LinkOver("这个链接刚刚用过")
    return handle.act_on_task(loop, session, row.task_id, action, actor, form)


def take_back(loop: Loop, session: Session, actor: Actor, one: UUID) -> None:
    """Take back one of the own unit's links. Raises Forbidden."""
    if actor.kind is not ActorKind.UNIT or actor.unit is None:
        raise Forbidden("一次性链接由办这项任务的单位自己作废")
    links.withdraw(session, one, actor.unit, loop.clock.now())
