"""Where a grievance stands: the values that decisions read and make. No I/O; every change is a new value.

What every step makes is not declared frozen, because that takes several times as long to make; nobody sets a field of
it all the same but a Builder, on the grievance that it copied.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.clock import ENDED, Clock
from wuye_loop.domain.time.timestamps import as_text, id_text

if TYPE_CHECKING:
    from wuye_loop.domain.directory.directory import Directory
    from wuye_loop.domain.routing.chain import Choice
    from wuye_loop.domain.routing.protocol import Precedent
    from wuye_loop.domain.rules.rules import Rules
    from wuye_loop.domain.suggesting.model import Model
    from wuye_loop.domain.time.calendar import WorkCalendar

EMPTY: Mapping[str, Any] = {}
#: Clocks by flow (a task's id, None: the main flow) and name.
Going = dict[UUID | None, dict[str, Clock]]
_NONE: Mapping[str, Clock] = {}


#: Stands for every post, where it is asked what a unit could do, not who of it did. No duty that is stored can be so called.
ANY_POST = "\0"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: what kind of key, for which unit, over which area. Never a person's name."""

    kind: ActorKind
    unit: str | None = None
    area_path: str = ""
    key_id: UUID | None = None
    source: str | None = None
    scopes: frozenset[str] = frozenset()
    posts: frozenset[str] = frozenset()  # what whoever acts is in the unit, by the directory: 单位负责人

    @property
    def sender(self) -> str:
        """Whose external ids its orders have: the hotline's system, or the unit that reports by itself."""
        return self.source or f"unit:{self.unit}"

    def holds(self, post: str) -> bool:
        """Say whether whoever acts has this post in the unit."""
        return post in self.posts or ANY_POST in self.posts

    def as_json(self, role: str | None = None, post: str | None = None) -> dict[str, object]:
        """Return what the ledger keeps of the actor, the role that was played, and the post that was signed with."""
        row: dict[str, object] = {"kind": self.kind.value}
        if self.unit:
            row["unit"] = self.unit
        if self.key_id:
            row["key"] = id_text(self.key_id)
        if role is not None:
            row["role"] = role
        if post is not None and self.kind is not ActorKind.SYSTEM:
            row["post"] = post
        return row


SYSTEM_ACTOR = Actor(ActorKind.SYSTEM)


@dataclass(slots=True)
class GrievanceState:
    """The main flow's record: what is fixed at intake, then what steps change.

    A situation never changes: only a Builder sets fields, on a copy of its own (a copy a field cost a third of a step).
    """

    id: UUID
    number: str
    workflow: str
    source: str
    channel: str
    kind: str
    title: str
    body: str
    received_at: datetime
    estate_code: str | None
    area_code: str | None
    area_path: str
    company_code: str | None
    anonymous: bool
    category: str | None
    urgency: str
    state: str
    stage: str
    state_since: datetime
    final: bool
    cycle: int
    level: str
    lead_unit: str | None
    holder_unit: str | None
    holder_role: str | None
    units: tuple[str, ...]
    counts: Mapping[str, int]
    data: Mapping[str, Any]
    did: Mapping[str, list[str]]
    merged_into: UUID | None
    followers: int
    urged: int
    flags: tuple[str, ...]
    due_at: datetime | None
    due_clock: str | None
    closed_at: datetime | None
    seq: int
    head: bytes
    extra: Mapping[str, Any] = field(default_factory=dict)

    def copy(self) -> "GrievanceState":
        """Return a copy to work on."""
        return GrievanceState(*_values(self))


_values = attrgetter(*(item.name for item in fields(GrievanceState)))

#: The fields that a step may change, in the order the ledger and the store name them.
MUTABLE = (
    "category",
    "urgency",
    "state",
    "stage",
    "state_since",
    "final",
    "cycle",
    "level",
    "lead_unit",
    "holder_unit",
    "holder_role",
    "units",
    "counts",
    "data",
    "did",
    "merged_into",
    "followers",
    "urged",
    "flags",
    "due_at",
    "due_clock",
    "closed_at",
    "workflow",
)
mutable = attrgetter(*MUTABLE)


@dataclass(slots=True)
class TaskState:
    """A side flow's record."""

    id: UUID
    grievance_id: UUID
    kind: str
    n: int
    state: str
    final: bool
    holder_unit: str | None
    opener_unit: str | None
    opener_role: str | None
    document: str | None
    document_number: str | None
    copies: tuple[str, ...]
    data: Mapping[str, Any]
    counts: Mapping[str, int]
    opened_at: datetime
    state_since: datetime
    closed_at: datetime | None
    cycle: int

    def copy(self) -> "TaskState":
        """Return a copy to work on."""
        return TaskState(*_task_values(self))

    def as_json(self) -> dict[str, Any]:
        """Return the ledger's image of the task."""
        return {name: plain(value) for name, value in zip(_TASK_NAMES, _task_values(self), strict=True)}


_TASK_NAMES = tuple(item.name for item in fields(TaskState))
_task_values = attrgetter(*_TASK_NAMES)


def plain(value: object) -> Any:
    """Turn one field into what JSON can carry."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return as_text(value)
    if isinstance(value, UUID):
        return id_text(value)
    if isinstance(value, tuple):
        return list(value)
    return value


@dataclass(slots=True)
class Situation:
    """A grievance with its tasks and clocks, as locked."""

    grievance: GrievanceState
    tasks: Mapping[UUID, TaskState]
    clocks: Mapping[UUID, Clock]
    _going: Going | None = field(default=None, compare=False, repr=False)
    #: Rulings of this very step, the newest first: the routers see them before they are posted.
    ruled: tuple["Precedent", ...] = field(default=(), compare=False, repr=False)

    def going(self) -> Going:
        """Return the clocks that have not ended: of the main flow (None) and of each task, by name."""
        found = self._going
        if found is None:
            found = self._going = {}
            for item in self.clocks.values():
                if item.status is not ENDED:
                    found.setdefault(item.task_id, {})[item.name] = item
        return found

    def open_tasks(self, kind: str) -> int:
        """Count the open tasks of a kind."""
        count = 0
        for task in self.tasks.values():
            if task.kind == kind and not task.final:
                count += 1
        return count

    def open_clock(self, name: str, task_id: UUID | None) -> Clock | None:
        """Return the running or paused instance of a clock."""
        return self.going().get(task_id, _NONE).get(name)


def newest(clocks: Mapping[UUID, Clock], name: str, task_id: UUID | None) -> Clock | None:
    """Return the newest instance of a clock, ended or not."""
    found: Clock | None = None
    for item in clocks.values():
        if (
            item.name == name
            and item.task_id == task_id
            and (found is None or (item.cycle, item.run) > (found.cycle, found.run))
        ):
            found = item
    return found


@dataclass(frozen=True, slots=True)
class Brief:
    """Another grievance named in a form: what a decision may know of it."""

    id: UUID
    number: str
    state: str
    final: bool
    merged_into: UUID | None
    followers: int = 0
    lead_unit: str | None = None  # who handled it: a follower that never had a unit of its own is rated for it


def no_choice(_: Situation) -> "Choice":
    """Stand where no router may be asked."""
    msg = "此处不能转办"
    raise LookupError(msg)


def no_files(_: Sequence[str]) -> frozenset[str]:
    """Stand where no file was ever uploaded."""
    return frozenset()


def never_urged(_: datetime) -> int:
    """Stand where nobody has urged."""
    return 0


def no_number(_: str, __: int) -> int:
    """Stand where no document may be numbered."""
    msg = "此处不能编文号"
    raise LookupError(msg)


def no_correction(_: "World", __: Situation, ___: Mapping[str, Any]) -> Any:
    """Stand where no order may be set right."""
    msg = "此处不能更正来件"
    raise LookupError(msg)


def as_it_is(value: Any) -> Any:
    """Return a value as it is, where nobody is to be struck out of it."""
    return value


@dataclass(slots=True)
class World:
    """Everything a decision may ask: the rules, the time, the calendar, the directory, and what it asks in turn."""

    rules: "Rules"
    now: datetime
    calendar: "WorkCalendar"
    directory: "Directory"
    new_id: Callable[[], UUID]
    choose: Callable[[Situation], "Choice"] = no_choice
    next_number: Callable[[str, int], int] = no_number
    others: Mapping[str, Brief] = field(default_factory=dict)  # by number
    lead: Brief | None = None  # the grievance that this one was merged into
    redact: Callable[[str], str] = str
    files: Callable[[Sequence[str]], frozenset[str]] = no_files  # which of these ids are files of the grievance
    redact_reply: Callable[[str], str] = str  # the same for an office's answer to the public: its own landlines stay
    unnamed: Callable[[Any], Any] = as_it_is  # strikes who was merged with a grievance out of what was written before
    model: "Model | None" = None  # that suggests a category where it is sure
    urged_since: Callable[[datetime], int] = never_urged  # how often its complainant has urged, on any grievance
    #: What becomes of an order by the answers of a form: `step.correction.Corrected`.
    correct: Callable[["World", Situation, Mapping[str, Any]], Any] = no_correction

    def zoned(self, at: datetime) -> datetime:
        """Return a written moment with its zone: what has none is the city's own time."""
        return at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(self.rules.workflow.calendar.zone))


@dataclass(slots=True)
class Command:
    """What is asked: an action on the grievance or on one of its tasks."""

    action: str
    actor: Actor
    form: Mapping[str, Any] = field(default_factory=dict)
    task_id: UUID | None = None
    checked: bool = False  # the form was checked before, by the same rules: it is taken as it is
