"""A unit's inbox as it reads it: what to sign for, what is due soon, what is overdue, all of it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.spans import Span
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.striking import akin, unnamed_rows
from wuye_loop.queries import damage, scope
from wuye_loop.store.grievance.packing import clock_image
from wuye_loop.store.keys import desks
from wuye_loop.store.pages import Page
from wuye_loop.store.reads import inbox
from wuye_loop.store.reads.inbox import Start, Tab, Tallies

TabName = Literal["to_sign", "due_soon", "overdue", "all"]
_KEYS = (
    "type number task_id kind kind_title title urgency state state_title clock clock_title due_at remaining_seconds working overdue"
    " provisional"
)
_NAMES = {"type": "item_type", "due_at": "due"}

PageTab = Literal["to_sign", "due_soon", "overdue", "all", "feedback", "mine"]
_LAST = (Stage.FEEDBACK.value, Stage.EVALUATE.value)
SOON = Span.parse("1 workday")


def of_unit(
    loop: Loop, session: Session, actor: Actor, name: PageTab, after: tuple[datetime, UUID] | None, limit: int
) -> Page[dict[str, Any]]:
    """Return a page of what the actor's unit holds now, least time left first; `mine` is what was given to the actor."""
    loop.reference.refresh(session)
    starts = _starts(loop, session)
    page = inbox.inbox(session, actor, _tab(loop, session, name, actor), starts, after, limit)
    shown = page.map(damage.shown("inbox", lambda row: _item(loop, session, row), _KEYS, _NAMES))
    unnamed_rows(loop, session, akin(shown.items, page.items), ("title",), "number")
    return shown


def counts(loop: Loop, session: Session, actor: Actor) -> Tallies:
    """Return how much lies in each part of the inbox of the actor's unit."""
    loop.reference.refresh(session)
    now = loop.clock.now()
    soon = loop.calendar(session).shift(now, SOON)
    return inbox.tallies(session, actor, _starts(loop, session), now, soon, _LAST, _people(loop, session, actor))


def _starts(loop: Loop, session: Session) -> list[Start]:
    """Return the first state of every kind of task: what is to be signed for."""
    return [
        (rules.id, kind, flow.start) for rules in scope.published(loop, session) for kind, flow in rules.tasks.items()
    ]


def _people(loop: Loop, session: Session, actor: Actor) -> list[UUID]:
    """Return whose items are the actor's: the own ones, and those of whom the actor stands in for."""
    return [] if actor.key_id is None else desks.answers_for(session, actor.key_id, loop.clock.now())


def _tab(loop: Loop, session: Session, name: PageTab, actor: Actor) -> Tab:
    now = loop.clock.now()
    if name == "mine":
        return Tab(people=_people(loop, session, actor))
    if name == "due_soon":
        return Tab(since=now, until=loop.calendar(session).shift(now, SOON))
    if name == "overdue":
        return Tab(before=now)
    return Tab(to_sign=name == "to_sign", stages=_LAST if name == "feedback" else ())


def _item(loop: Loop, session: Session, row: Any) -> dict[str, Any]:
    rules = loop.reference.rules(session, row.workflow)
    flow = rules.workflow.flow(row.task_kind)
    item: dict[str, Any] = {
        "type": "task" if row.task_id else "grievance",
        "number": row.number,
        "task_id": str(row.task_id) if row.task_id else None,
        "kind": row.task_kind or row.kind,
        "kind_title": rules.workflow.tasks[row.task_kind].title if row.task_kind else row.kind,
        "title": row.title,
        "urgency": row.urgency,
        "state": row.state,
        "state_title": flow.states[row.state].title,
        "clock": None,
        "clock_title": None,
        "due_at": None,
        "remaining_seconds": None,
        "working": None,
        "overdue": False,
        "provisional": False,
    }
    if row.clock is not None:
        clock, now = clock_moves.from_row(clock_image(row.clock)), loop.clock.now()
        item |= {
            "clock": clock.name,
            "clock_title": flow.clocks[clock.name].title,
            "due_at": as_text(clock.due_at),
            "remaining_seconds": clock_moves.remaining_seconds(clock, now, loop.calendar(session, rules)),
            "working": clock.limit.working if clock.limit else None,
            "overdue": clock_moves.is_overdue(clock, now),
            "provisional": clock.provisional,
        }
    return item
