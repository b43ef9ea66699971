"""Desks of people: giving what lies with a unit to one of its people, standing in for somebody, keeping a view of a list."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, BadValue, Forbidden
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.text import clean
from wuye_loop.loop.engine import Loop
from wuye_loop.store.keys import desks
from wuye_loop.store.keys.desks import View

MOST_VIEWS: Final = 20
LONGEST_AWAY: Final = timedelta(days=366)
_LONGEST_TITLE: Final = 20


def assign(loop: Loop, session: Session, actor: Actor, items: Sequence[str], to: UUID) -> int:
    """Give grievances (by number) and tasks (by id) that lie with the actor's unit to one of its people.

    Returns how many it were; what does not lie there is passed over. Raises Forbidden for who is not of a unit, BadInput
    for a person who is not of it.
    """
    unit, by = _of_unit(actor)
    if not desks.active_of(session, unit, to):
        raise BadInput("经办人要是本单位在用的账号")
    tasks = [task for item in items if (task := _task(item)) is not None]
    numbers = [item for item in items if _task(item) is None]
    found = desks.items(session, actor, numbers, tasks)
    desks.assign(session, unit, found, to, by, loop.clock.now())
    return len(found)


def stand_in(loop: Loop, session: Session, actor: Actor, by: UUID, until: datetime) -> None:
    """Let a colleague do what is the actor's own until an instant. Raises Forbidden, BadInput."""
    unit, own = _of_unit(actor)
    if by == own or not desks.active_of(session, unit, by):
        raise BadInput("代办的人要是本单位的另一个人")
    if not timedelta() < until - loop.clock.now() <= LONGEST_AWAY:
        raise BadInput("代办到哪天，要在今天以后、一年之内")
    desks.away(session, own, by, until)


def back(session: Session, actor: Actor) -> None:
    """End standing in for the actor. Raises Forbidden."""
    desks.back(session, _of_unit(actor)[1])


def keep_view(loop: Loop, session: Session, account: UUID, title: str, query: str) -> None:
    """Keep a list's filters under a title. Raises BadInput for a title that says nothing, or for too many."""
    try:
        words = clean(title, max_len=_LONGEST_TITLE)
    except BadValue as error:
        raise BadInput(f"名称{error}") from None
    if not words:
        raise BadInput("请给这个视图起个名称")
    if desks.how_many(session, account) >= MOST_VIEWS:
        raise BadInput(f"最多存 {MOST_VIEWS} 个视图，请先删掉不用的")
    desks.keep(session, account, View(loop.ids.new(), words, query), loop.clock.now())


def _of_unit(actor: Actor) -> tuple[str, UUID]:
    if actor.unit is None or actor.key_id is None:
        raise Forbidden("经办人由承办单位自己定")
    return actor.unit, actor.key_id


def _task(item: str) -> UUID | None:
    try:
        return UUID(item)
    except ValueError:
        return None
