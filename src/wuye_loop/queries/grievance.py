"""What a caller reads of one grievance: itself, its ledger, clocks, tasks and routing, within jurisdiction and audience."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, NotFound, RecordDamaged
from wuye_loop.domain.grievance.audiences import EVERY, audiences, readable, step_named
from wuye_loop.domain.grievance.ledger import FOLLOW, RUNG
from wuye_loop.domain.grievance.situation import Actor, GrievanceState, TaskState, World
from wuye_loop.domain.grievance.standing import deed
from wuye_loop.domain.grievance.views import actor_view, clock_view, grievance_view, task_view
from wuye_loop.domain.privacy.words import Opener
from wuye_loop.domain.step.arrival import SEVERAL_ESTATES
from wuye_loop.domain.step.effects.amending import PROPOSAL
from wuye_loop.domain.suggesting.likeness import ALIKE, compared, likeness, vector
from wuye_loop.domain.suggesting.model import shipped_model
from wuye_loop.domain.terms import ActorKind, Audience, Stage
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock_moves import Clock
from wuye_loop.domain.time.spans import Span
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Looked, Loop, seen
from wuye_loop.loop.striking import unnamed_rows
from wuye_loop.queries import damage
from wuye_loop.queries.rule_history import RuleHistory
from wuye_loop.store.grievance import locking
from wuye_loop.store.pages import Page
from wuye_loop.store.reads import grievances
from wuye_loop.store.reads.grievances import LedgerRow

_MOST_SIMILAR = 50
SPECIAL_ACTIONS = {
    "adopt": "旧台账封存",
    "erase": "按规定销毁",
    "receive": "收到诉求",
    "reveal": "查看诉求人身份",
    "upload": "上传文件",
    "correct": "更正来件",
    "supplement": "补充来件",
    "follower_joined": "另一件诉求并入本件",
    "follower_left": "并入的诉求撤出",
    "migrate": "改按新版流程办理",
}
_NUMBER = re.compile(r"WY[0-9]{6}-[0-9A-Z]{8}")
_LEDGER_KEYS = "seq at action title task from to stage_title actor facts audience hash text"
_LEDGER_NAMES = {"task": "task_id", "from": "from_state", "to": "to_state"}
_CLOCK_KEYS = (
    "clock title task cycle run unit status limit limit_text working starts started_at due_at provisional ended_at overdue"
    " remaining_seconds adjustments rungs"
)
_TASK_KEYS = (
    "id grievance kind title n state state_title final holder_unit holder_unit_name opener_unit document document_number"
    " copies data opened_at closed_at"
)
_ROUTING_KEYS = "seq at proposal unit unit_name trace"
_LAST_STAGES = (Stage.FEEDBACK, Stage.EVALUATE)


class ClockRow(NamedTuple):
    """A clock's image as it is kept, and its task's kind."""

    image: Mapping[str, Any]
    kind: str | None

    @property
    def clock(self) -> Any:
        """Its name, where there is one."""
        return self.image.get("name") if isinstance(self.image, dict) else None


def grievance(loop: Loop, session: Session, number: str, actor: Actor, looked: Looked | None = None) -> dict[str, Any]:
    """Return a grievance with its address to building level, and, for whoever dispatches, what may be its duplicate.

    Raises NotFound, also for what is outside the actor's jurisdiction; so does every function here. Who asks several of
    them in one transaction looks once, and hands that in as `looked`.
    """
    try:
        locked, world = looked or seen(loop, session, number, actor)
        record = locked.situation.grievance
        shown = grievance_view(world, locked.situation) | grievances.particulars(session, record.id)
    except (RecordDamaged, KeyError, TypeError, ValueError, AttributeError) as error:
        damage.note("grievance", error)
        return _bare(session, number, actor)
    if locked.damaged:
        damage.note("grievance", RecordDamaged())
        shown |= {"damaged": True, "damaged_parts": list(locked.damaged)}
    external_id = shown.pop("external_id")
    if record.source == actor.sender:
        shown["external_id"] = external_id
    if actor.kind in (ActorKind.HOTLINE, ActorKind.ADMIN):
        shown["extra"] = world.unnamed(dict(record.extra))
    if _dispatches(world, record, actor):
        shown["duplicate_candidates"] = _duplicates(session, world, record, actor)
        if SEVERAL_ESTATES in record.flags:
            shown["estate_candidates"] = grievances.estates_called(session, str(record.data.get("estate_name")))
    return shown


def ledger(loop: Loop, session: Session, number: str, actor: Actor, after: int, limit: int) -> Page[dict[str, Any]]:
    """Return a page of the ledger rows that the actor is an audience of, each with the facts it may read."""
    locked, world = seen(loop, session, number, actor)
    allowed = audiences(actor, world.rules)
    record = locked.situation.grievance
    page = grievances.ledger_of(session, record.id, allowed, after, limit)
    history = RuleHistory(loop, session, record.id, world.rules)
    opener = Opener(loop.keyring, record.id, locked.sealed)

    def view(row: LedgerRow) -> dict[str, Any]:
        then = replace(world, rules=history.of_row(row.seq))
        return ledger_view(then, in_words(row, opener), allowed, keyed=actor.kind is ActorKind.AUDITOR)

    page = replace(page, items=only_seen(session, actor, record.number, page.items))
    return page.map(damage.shown("ledger", view, _LEDGER_KEYS, _LEDGER_NAMES))


def only_seen(session: Session, actor: Actor, own: str, rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """Return the rows without the numbers of other grievances (what one was merged into) that the actor may not get."""
    named = {value for row in rows for value in _facts(row).values() if _is_number(value)} - {own}
    hidden = named - grievances.seen_of(session, actor, named) if named else set()
    if not hidden:
        return list(rows)
    return [
        replace(row, facts={key: value for key, value in facts.items() if not _among(hidden, value)}) if facts else row
        for row, facts in ((row, _facts(row)) for row in rows)
    ]


def _facts(row: LedgerRow) -> Mapping[str, Any]:
    facts: object = row.facts  # of a damaged row anything, which is told of where it is shown
    return facts if isinstance(facts, Mapping) else {}


def _among(hidden: Collection[str], value: object) -> bool:
    return isinstance(value, str) and value in hidden


def _is_number(value: object) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def clocks(
    loop: Loop, session: Session, number: str, actor: Actor, looked: Looked | None = None
) -> list[dict[str, Any]]:
    """Return every clock of a grievance and of its tasks, of every cycle."""
    locked, world = looked or seen(loop, session, number, actor)
    record = locked.situation.grievance
    history = RuleHistory(loop, session, record.id, world.rules)
    return _clock_views(world, history, grievances.clocks_of(session, record.id))


def tasks(
    loop: Loop, session: Session, number: str, actor: Actor, looked: Looked | None = None
) -> list[dict[str, Any]]:
    """Return every task of a grievance, open or not."""
    locked, world = looked or seen(loop, session, number, actor)
    record = locked.situation.grievance
    allowed = audiences(actor, world.rules)
    history = RuleHistory(loop, session, record.id, world.rules)
    opener = Opener(loop.keyring, record.id, locked.sealed)

    def view(task: TaskState) -> dict[str, Any]:
        opened = replace(task, data=opener(task.data))
        return _task_view(replace(world, rules=history.of_task(task)), record, opened, allowed)

    return list(map(damage.shown("tasks", view, _TASK_KEYS), grievances.tasks_of(session, record.id)))


def task(loop: Loop, session: Session, task_id: UUID, actor: Actor) -> dict[str, Any]:
    """Return one task with its clocks and the seq that an action on it may expect."""
    number = locking.number_of_task(session, task_id, actor)
    if number is None:
        raise NotFound
    locked, world = seen(loop, session, number, actor)
    record = locked.situation.grievance
    found = grievances.tasks_of(session, record.id, task_id)[0]
    found = replace(found, data=Opener(loop.keyring, record.id, locked.sealed)(found.data))
    history = RuleHistory(loop, session, record.id, world.rules)
    shown = _task_view(replace(world, rules=history.of_task(found)), record, found, audiences(actor, world.rules))
    shown["clocks"] = _clock_views(world, history, grievances.clocks_of(session, record.id, task_id))
    shown["seq"] = record.seq
    return shown


def routing(
    loop: Loop, session: Session, number: str, actor: Actor, looked: Looked | None = None
) -> list[dict[str, Any]]:
    """Return every routing decision, the first of which is only a proposal, with what was tried and why."""
    locked, world = looked or seen(loop, session, number, actor)
    rows = grievances.routing_of(session, locked.situation.grievance.id, audiences(actor, world.rules))

    def view(row: LedgerRow) -> dict[str, Any]:
        return _routing_view(world, row)

    return list(map(damage.shown("routing", view, _ROUTING_KEYS), rows))


def _bare(session: Session, number: str, actor: Actor) -> dict[str, Any]:
    """Return what can be told of a grievance that cannot be read.

    Raises NotFound where the actor sees no such grievance.
    """
    row = grievances.bare(session, number, actor)
    if row is None:
        raise NotFound
    return {name: as_text(value) if isinstance(value, datetime) else value for name, value in row.items()} | {
        "damaged": True
    }


# --- duplicates -----------------------------------------------------------------------------------------------------


def similar(loop: Loop, session: Session, number: str, actor: Actor) -> dict[str, Any]:
    """Return what may be the same matter told by others: in the same estate or area, alike in words, the likest first.

    Nothing is merged by it. Raises NotFound, and Forbidden for who does not decide where grievances go.
    """
    locked, world = seen(loop, session, number, actor)
    record = locked.situation.grievance
    if not _dispatches(world, record, actor):
        raise Forbidden("只有派单人和督办人员可以查同类诉求")
    window = world.rules.workflow.intake.duplicates.window
    since = world.calendar.shift(record.received_at, Span(-window.n, window.unit))
    until = world.calendar.shift(record.received_at, window)
    model = loop.reference.model(session) or shipped_model()
    own = vector(model, record.title, record.body)
    found = []
    for row in grievances.near_by(session, actor, record, since, until):
        alike = likeness(own, vector(model, row.title, row.body))
        if alike >= ALIKE:
            found.append(
                {
                    "number": row.number,
                    "likeness": alike,
                    "title": row.title,
                    "category": row.category,
                    "estate": row.estate_code,
                    "state": row.state,
                    "received_at": as_text(row.received_at),
                }
            )
    found.sort(key=lambda item: (-item["likeness"], item["number"]))
    shown = found[:_MOST_SIMILAR]
    unnamed_rows(loop, session, shown, ("title",), "number")
    return {"number": number, "threshold": ALIKE, "items": shown, "family": len(found) + 1}


def _dispatches(world: World, record: GrievanceState, actor: Actor) -> bool:
    """Say whether the actor decides where the grievance goes, or supervises who does."""
    if actor.kind is ActorKind.UNIT:
        return actor.unit == record.holder_unit or actor.unit in world.rules.fixed_units
    return actor.kind is not ActorKind.HOTLINE


def _duplicates(session: Session, world: World, record: GrievanceState, actor: Actor) -> list[dict[str, Any]]:
    """Suggest what may be the same matter: same estate and category, received near in time, told in near words."""
    rule = world.rules.workflow.intake.duplicates
    since = world.calendar.shift(record.received_at, Span(-rule.window.n, rule.window.unit))
    until = world.calendar.shift(record.received_at, rule.window)
    near = grievances.near_in_place(session, actor, record, since, until)
    found = [
        {"number": row.number, "similarity": round(similarity, 3), "state": row.state}
        for row, similarity in compared(record, near)
        if similarity >= rule.similarity
    ]
    return sorted(found, key=lambda item: -item["similarity"])[:20]


def in_words(row: LedgerRow, opener: Opener) -> LedgerRow:
    """Return a row with what people wrote in words."""
    return replace(row, facts=opener(row.facts), before=opener(row.before) if row.before else row.before)


# --- rows -----------------------------------------------------------------------------------------------------------


def _clock_views(
    world: World, history: RuleHistory, rows: Sequence[tuple[Mapping[str, Any], str | None]]
) -> list[dict[str, Any]]:
    """Return clocks as callers read them; `rows` are their images, each with its task's kind."""

    def view(row: ClockRow) -> dict[str, Any]:
        clock = clock_moves.from_row(row.image)
        return _clock_view(replace(world, rules=history.of_clock(clock, row.kind)), clock, row.kind)

    return list(map(damage.shown("clocks", view, _CLOCK_KEYS), (ClockRow(*row) for row in rows)))


def _clock_view(world: World, clock: Clock, kind: str | None) -> dict[str, Any]:
    return clock_view(world, clock, world.rules.workflow.flow(kind).clocks[clock.name].title)


def _task_view(world: World, record: GrievanceState, found: TaskState, allowed: Collection[str]) -> dict[str, Any]:
    """Return a task; of what its opener wrote, only what these audiences may read."""
    shown = task_view(world, record, found)
    opening = world.rules.workflow.tasks[found.kind].open
    if allowed != EVERY:
        shown["data"] = readable(shown["data"], opening.needs, opening.audience.value, allowed)
    if Audience.UNITS.value not in allowed and opening.audience.value not in allowed:
        shown["document_number"] = None  # of a document that these may not get by itself
    return shown


def ledger_view(world: World, row: LedgerRow, allowed: Collection[str], *, keyed: bool = False) -> dict[str, Any]:
    """Return a row of the ledger as these audiences read it; `world` has the rules under which it was written.

    `keyed`: with the key that acted, for an auditor.
    """
    workflow = world.rules.workflow
    spec = step_named(world.rules, row.action, row.task_kind)
    state = workflow.states.get(row.to_state or row.from_state or "") if row.task_id is None else None
    public = row.audience == "public"
    text = spec.text if spec else (workflow.intake.text if row.action == "receive" else None)
    return {
        "seq": row.seq,
        "at": as_text(row.at),
        "action": row.action,
        "title": _title(world, row, spec.title if spec else None),
        "task": str(row.task_id) if row.task_id else None,
        "from": row.from_state,
        "to": row.to_state,
        "stage_title": state.stage.chinese if state and state.stage else None,
        "actor": actor_view(world, row.actor, keyed=keyed),
        "facts": world.unnamed(
            {**_answered(world, row, allowed), **readable(row.facts, spec.needs if spec else {}, row.audience, allowed)}
        ),
        "audience": row.audience,
        "hash": row.hash.hex(),
        "text": text if public else None,
    }


def _answered(world: World, row: LedgerRow, allowed: Collection[str]) -> dict[str, Any]:
    """Return the public fields of the moves that are not for this reader, once a move that is leads on from there.

    So a resident reads the answer when it has been approved, by however many hands, and never one that was sent back:
    a move into a stage before 意见反馈 takes it away.
    """
    told: dict[str, Any] = {}
    for action, state, facts in row.before or ():
        spec = step_named(world.rules, action, None)
        own = {name: item for name, item in spec.needs.items() if item.audience is not None} if spec else {}
        entered = world.rules.workflow.states.get(state)
        if entered is None or entered.stage not in _LAST_STAGES:
            told = {}
        else:
            mine = {name: value for name, value in facts.items() if name in own}
            told |= readable(mine, own, row.audience, allowed)
    return told


def _title(world: World, row: LedgerRow, written: str | None) -> str:
    if row.action.startswith(RUNG):
        clock = world.rules.workflow.flow(row.task_kind).clocks.get(row.action.removeprefix(RUNG))
        return f"{clock.title if clock else ''}第 {row.facts.get('rung', 0) + 1} 级"
    if row.action.startswith(FOLLOW):
        return deed(row.action.removeprefix(FOLLOW), str(row.facts.get("because")))
    return written or SPECIAL_ACTIONS.get(row.action, row.action)


def _routing_view(world: World, row: LedgerRow) -> dict[str, Any]:
    proposal = row.action in ("receive", "correct", "supplement") or bool(row.facts.get(PROPOSAL))
    trace = row.facts["routing"]
    unit = row.changes.get("grievance", {}).get("lead_unit")
    if unit is None and row.facts.get("routed") is not False:
        unit = next((item["unit"] for item in trace if item.get("unit") and item["outcome"] != "no-match"), None)
    return {
        "seq": row.seq,
        "at": as_text(row.at),
        "proposal": proposal,
        "unit": unit,
        "unit_name": world.directory.name_of(unit),
        "trace": world.unnamed(trace),
    }
