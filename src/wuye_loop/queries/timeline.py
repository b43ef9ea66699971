"""What happened to a grievance, row by row, in the words of those who read it: who did what, and what they said."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.audiences import audiences, step_named
from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.domain.grievance.order import RESIDENTS
from wuye_loop.domain.grievance.situation import Actor, GrievanceState, World
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.privacy.words import Opener
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop.engine import Looked, Loop, seen
from wuye_loop.queries.grievance import in_words, ledger_view, only_seen
from wuye_loop.queries.rule_history import RuleHistory
from wuye_loop.queries.supervision import rung_title
from wuye_loop.store.keys import accounts, links
from wuye_loop.store.reads import grievances
from wuye_loop.store.reads.grievances import LedgerRow

MOST = 500  # rows that are told
_KINDS = {"hotline": "热线", "supervisor": "督办人员", "admin": "管理员", "auditor": "审计员", "system": "系统"}
_SPECIAL = {"receive": {"channel": "来源", "category": "类别", "urgency": "紧急程度"}, "reveal": {"reason": "理由"}}


def timeline(
    loop: Loop, session: Session, number: str, actor: Actor, looked: Looked | None = None
) -> list[dict[str, Any]]:
    """Return the rows that the actor is an audience of, the newest first; `told` is what was said, by title.

    Staff also read which person it was, where somebody had signed in; the complainant never does. Raises NotFound.
    """
    locked, world = looked or seen(loop, session, number, actor)
    allowed = audiences(actor, world.rules)
    record = locked.situation.grievance
    rows = only_seen(session, actor, number, grievances.ledger_of(session, record.id, allowed, 0, MOST).items)
    history = RuleHistory(loop, session, record.id, world.rules)
    keys = {UUID(row.actor["key"]) for row in rows if row.actor.get("key")}
    people: dict[str, str] = {}
    if actor.kind is not ActorKind.HOTLINE:
        people = accounts.names(session, list(keys)) | links.names(session, list(keys))
    opener = Opener(loop.keyring, record.id, locked.sealed)
    found = []
    for row in rows:
        then = replace(world, rules=history.of_row(row.seq))
        view = ledger_view(then, in_words(row, opener), allowed)
        kind = then.rules.workflow.tasks.get(row.task_kind or "")
        by = view["actor"]
        view["who"] = (
            by["unit_name"] or _resident(row, record) or by["role_title"] or _KINDS.get(str(by["kind"]), "系统")
        )
        view["person"] = people.get(str(row.actor.get("key")))
        view["task_title"] = kind.title if kind else None
        view["told"] = list(_told(then, row, view["facts"]))
        state = then.rules.workflow.states.get(row.to_state or "") if row.task_id is None else None
        view["to_title"] = state.title if state else None
        view["to_stage"] = state.stage.value if state and state.stage else None
        found.append(view)
    return found[::-1]


def _resident(row: LedgerRow, record: GrievanceState) -> str | None:
    """Return how whoever acted by the residents' own pages is called, and by which channel it was filed; None for others."""
    if row.actor.get("kind") != ActorKind.HOTLINE.value or row.actor.get("key"):
        return None  # on those pages nobody has a key
    if row.action != "receive":
        return "诉求人"
    filed = record.source == RESIDENTS  # what was taken over from a table came without a key too
    return f"居民（{record.channel}）" if filed else None


def _told(world: World, row: LedgerRow, facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a row says, as titles and texts."""
    spec = step_named(world.rules, row.action, row.task_kind)
    if row.action.startswith(RUNG):
        yield from _rung(world, row)
        return
    if spec is None:
        titles = _SPECIAL.get(row.action, {})
        yield from ((title, str(facts[name])) for name, title in titles.items() if facts.get(name))
        return
    labels = world.rules.workflow.labels
    fields = {**_fields_before(world, row), **spec.needs}
    for name, field in fields.items():  # in the order in which they were asked
        if facts.get(name) is not None:
            yield field.title or labels.get(name, name), _said(world, field, facts[name])


def _rung(world: World, row: LedgerRow) -> Iterator[tuple[str, str]]:
    """Yield what a rung did, where its definition is still known."""
    kind = row.task_kind if row.task_kind in world.rules.workflow.tasks else None
    clock = world.rules.workflow.flow(kind).clocks.get(row.action.removeprefix(RUNG))
    place = row.facts.get("rung", 0)
    if clock is not None and place < len(clock.ladder):
        yield "到级", rung_title(world.rules, kind, clock.ladder[place])


def _fields_before(world: World, row: LedgerRow) -> dict[str, FieldSpec]:
    """Return the fields of the moves whose answers are told with this row: an answer is read when it was approved."""
    found: dict[str, FieldSpec] = {}
    for action, _, _ in row.before or ():
        spec = step_named(world.rules, action, None)
        found.update(spec.needs if spec else {})
    return found


def _said(world: World, field: FieldSpec, value: Any) -> str:
    if field.type == "bool":
        return "是" if value else "否"
    if field.type == "unit":
        return str(world.directory.name_of(value))
    if field.type == "file":
        return f"{len(value)} 个文件" if isinstance(value, list) else "文件"
    return str(value)
