"""A grievance's past: what its ledger says it was at each row, and which row did what to a clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.audiences import EVERY, step_named
from wuye_loop.domain.grievance.ledger import FOLLOW, OPEN, RUNG
from wuye_loop.domain.grievance.situation import MUTABLE, Situation, TaskState
from wuye_loop.domain.grievance.standing import deed as following
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock_moves import Clock
from wuye_loop.domain.time.timestamps import from_text
from wuye_loop.domain.wording.definition import SPECIAL, quoted
from wuye_loop.store.reads import grievances
from wuye_loop.store.reads.grievances import LedgerRow

_PAGE: Final = 500
_INSTANTS: Final = frozenset({"state_since", "due_at", "closed_at", "opened_at"})
_IDS: Final = frozenset({"id", "grievance_id", "merged_into"})
_TUPLES: Final = frozenset({"units", "flags", "copies"})
_LIMIT: Final = ("limit", "until", "starts")
MIGRATED: Final = "migrate"
CALENDAR: Final = "calendar"
_DEEDS: Final = {
    "receive": "收到诉求",
    CALENDAR: "放假通知装入后重算",
    MIGRATED: "改用新版规则",
    "follower_joined": "另一件诉求并入",
    "follower_left": "并入的诉求撤出",
}


@dataclass(frozen=True, slots=True)
class History:
    """The ledger of one grievance, and the grievance as it is now."""

    now: Situation
    rows: Sequence[LedgerRow]

    def at(self, seq: int) -> Situation:
        """Return the grievance as it was right after a row."""
        images: dict[str, Any] = {}
        tasks: dict[UUID, TaskState] = {}
        held: dict[UUID, Clock] = {}
        for row in self.rows:
            if row.seq > seq:
                break
            images.update(row.changes.get("grievance", {}))
            tasks.update((task.id, task) for task in map(_task, row.changes.get("tasks", ())))
            held.update((clock.id, clock) for clock in map(clock_moves.from_row, row.changes.get("clocks", ())))
        grievance = self.now.grievance.copy()
        for name in MUTABLE:
            if name in images:
                setattr(grievance, name, _value(name, images[name]))
        return Situation(grievance, tasks, held)

    def images(self, clock: Clock) -> list[tuple[LedgerRow, Mapping[str, Any]]]:
        """Return the rows that changed a clock, each with the image it left."""
        key = str(clock.id)
        return [(row, image) for row in self.rows for image in row.changes.get("clocks", ()) if image["id"] == key]

    def limited(self, clock: Clock) -> tuple[LedgerRow, str] | None:
        """Return the row that gave a clock the limit it has, and the clock's name in the rules of then."""
        found: tuple[LedgerRow, str] | None = None
        known: tuple[Any, ...] | None = None
        for row, image in self.images(clock):
            limit = tuple(image.get(name) for name in _LIMIT)
            if limit != known:
                found, known = (row, image["name"]), limit
        return found


def history(session: Session, situation: Situation) -> History:
    """Read the whole ledger of a grievance."""
    rows: list[LedgerRow] = []
    while True:
        after = rows[-1].seq if rows else 0
        page = grievances.ledger_of(session, situation.grievance.id, EVERY, after, _PAGE)
        rows += page.items
        if len(page.items) < _PAGE:
            return History(situation, rows)


def deed(row: LedgerRow, rules: Rules) -> str:
    """Return in words what a row's action was."""
    if row.action.startswith(RUNG):
        clock = rules.workflow.flow(_known(row, rules)).clocks.get(row.action.removeprefix(RUNG))
        return f"{clock.title if clock else row.action}第 {row.facts.get('rung', 0) + 1} 级督办"
    if row.action.startswith(FOLLOW):
        return following(row.action.removeprefix(FOLLOW), str(row.facts.get("because")))
    step = step_named(rules, row.action, row.task_kind)
    title = step.title if step else _DEEDS.get(row.action, row.action)
    kind = rules.workflow.tasks.get(row.task_kind or "")
    return f"“{kind.title}”的{quoted(title)}" if kind and not row.action.startswith(OPEN) else quoted(title)


def _known(row: LedgerRow, rules: Rules) -> str | None:
    return row.task_kind if row.task_kind in rules.workflow.tasks else None


def doer(row: LedgerRow, rules: Rules, name_of: Any) -> str:
    """Return who took a row's action: the unit's name, else the role's title, else the kind of key."""
    unit, role = row.actor.get("unit"), row.actor.get("role")
    found = rules.workflow.roles.get(role or "")
    title = found.title if found else SPECIAL.get(role or "", "")
    if unit:
        return str(name_of(unit))
    return title or {"system": "系统", "hotline": "热线", "supervisor": "督办人员", "admin": "管理员"}.get(
        str(row.actor.get("kind")), "系统"
    )


def _task(image: Mapping[str, Any]) -> TaskState:
    return TaskState(**{name: _value(name, value) for name, value in image.items()})


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _INSTANTS:
        return value if isinstance(value, datetime) else from_text(value)
    if name in _IDS:
        return UUID(str(value))
    return tuple(value) if name in _TUPLES else value
