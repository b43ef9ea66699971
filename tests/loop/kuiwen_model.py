"""What kuiwen@1 does, said once more in plain Python and without looking at its file: the model of tests/test_model.py."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.site import FINISH, SEND_BACK

from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.spans import Span

CENTRE, COMMAND = "property-centre", "command-office"
FIXED = frozenset({CENTRE, COMMAND})
SUPERIOR = {
    "market": COMMAND, "housing": COMMAND, "office-1": COMMAND, "office-2": COMMAND, "company-1": "office-1",
    "company-2": "office-2", CENTRE: COMMAND,
}  # fmt: skip
ESTATES = {"E1": ("370701001", "office-1", "company-1"), "E2": ("370702001", "office-2", "company-2")}
#: category -> unit of the duty list, and whether the estate's company assists; anything else goes to the street
DUTIES = {"电梯": ("market", True), "违规收费": ("market", False), "供水供暖": ("housing", False)}
HOLDERS = {
    "received": CENTRE, "routing": CENTRE, "reviewing": CENTRE, "callback": CENTRE, "merged": CENTRE,
    "assigned": "lead", "handling": "lead", "suspended": "lead", "supervised": "lead",
    "rating": None, "closed": None, "refused": None,
}  # fmt: skip
STAGES = {
    "received": "collect", "routing": "assign", "assigned": "assign", "handling": "handle", "suspended": "handle",
    "supervised": "escalate", "reviewing": "feedback", "callback": "feedback", "rating": "evaluate",
    "closed": "evaluate", "refused": "collect", "merged": "collect",
}  # fmt: skip
FINAL = frozenset({"closed", "refused"})
BEFORE_DONE = ("received", "routing", "assigned", "handling", "suspended", "supervised", "reviewing")

#: action -> (from, by, to); `to` None: the state stays, or the rule below says where it goes
MOVES: dict[str, tuple[tuple[str, ...], str, str | None]] = {
    "accept": (("received",), CENTRE, "routing"),
    "refuse": (("received",), CENTRE, "refused"),
    "classify": (("received", "routing"), CENTRE, None),
    "merge": (("received", "routing", "assigned", "handling"), CENTRE, "merged"),
    "unmerge": (("merged",), CENTRE, None),
    "close_merged": (("merged",), CENTRE, "callback"),
    "urge": (BEFORE_DONE, "hotline", None),
    "route": (("routing",), CENTRE, "assigned"),
    "send_back": (("assigned",), "lead", "routing"),
    "sign": (("assigned",), "lead", "handling"),
    "contact": (("handling", "supervised"), "lead", None),
    "suspend": (("handling", "supervised"), "nobody", "suspended"),
    "resume": (("suspended",), "lead", "handling"),
    "finish": (("handling", "supervised"), "lead", "reviewing"),
    "escalate": (("routing", "assigned", "handling"), "supervisor", "supervised"),
    "release_supervised": (("supervised",), "supervisor", "routing"),
    "hand_over": (("supervised",), "supervisor", None),
    "approve": (("reviewing",), CENTRE, "callback"),
    "reject": (("reviewing",), CENTRE, "handling"),
    "call_back": (("callback",), "centre or hotline", None),
    "rate": (("callback", "rating"), "hotline", None),
    "close_unrated": (("rating",), CENTRE, "closed"),
    "reopen": (("closed",), "hotline", "handling"),
}
ORDERED = BEFORE_DONE
#: task kind -> who opens it, in which states of the grievance
OPENINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "extension": ("lead", ("handling", "supervised")),
    "suspension": ("lead", ("handling", "supervised")),
    "assist": ("centre or lead", ("routing", "assigned", "handling", "supervised")),
    "supervision_order": ("supervisor", ORDERED),
}
#: (task kind, action) -> from, by, to
TASK_MOVES: dict[tuple[str, str], tuple[tuple[str, ...], str, str]] = {
    ("extension", "approve"): (("asked",), "holder", "approved"),
    ("extension", "refuse"): (("asked",), "holder", "refused"),
    ("suspension", "approve"): (("asked",), "holder", "approved"),
    ("suspension", "refuse"): (("asked",), "holder", "refused"),
    ("assist", "sign"): (("asked",), "holder", "working"),
    ("assist", "done"): (("working",), "holder", "done"),
    ("assist", "decline"): (("asked",), "holder", "declined"),
    ("assist", "withdraw"): (("asked", "working"), "opener, lead or centre", "declined"),
    ("supervision_order", "receive"): (("issued",), "holder", "received"),
    ("supervision_order", "answer"): (("issued", "received"), "holder", "answered"),
    ("supervision_order", "sign_off"): (("answered",), "supervisor", "closed"),
    ("supervision_order", "send_again"): (("answered",), "supervisor", "issued"),
}
STARTS = {"extension": "asked", "suspension": "asked", "assist": "asked", "supervision_order": "issued"}
#: what is filled in where nothing depends on it
FORMS: dict[str, dict[str, Any]] = {
    "refuse": {"reason": "非本级职责", "public_reply": "请向法院提出"},
    "unmerge": {"reason": "不是一件事"},
    "send_back": SEND_BACK,
    "contact": {"contacted": True, "note": "已联系"},
    "finish": FINISH,
    "release_supervised": {"reason": "另派"},
    "reject": {"reason": "答非所问"},
    "reopen": {"reason": "又坏了"},
}
TASK_FORMS: dict[str, dict[str, Any]] = {
    "done": {"result": "已更换"},
    "decline": {"reason": "无此设备", "legal_basis": "合同第二条"},
    "withdraw": {"reason": "不需要了"},
    "answer": {"measures": "已加派人手"},
    "send_again": {"reason": "措施不力"},
}
TASK_FINAL = frozenset({"approved", "refused", "done", "declined", "closed"})


@dataclass(frozen=True)
class Who:
    """A caller: a unit's code, or what else its key is, and the areas it sees."""

    name: str
    unit: str | None = None
    area: str | None = None
    source: str | None = None
    supervises: bool = False


@dataclass
class TaskModel:
    """A side flow as the model sees it."""

    kind: str
    holder: str | None
    opener: str | None
    state: str
    days: int = 0
    over: bool = False  # withdrawn with its grievance

    @property
    def open(self) -> bool:
        return self.state not in TASK_FINAL and not self.over


@dataclass
class Case:
    """A grievance as the model sees it."""

    number: str
    estate: str
    category: str
    since: datetime
    state: str = "received"
    lead: str | None = None
    holder: str | None = CENTRE
    cycle: int = 1
    urged: int = 0
    merged_into: str | None = None
    followers: int = 0
    back: str | None = None
    returned: set[str] = field(default_factory=set)
    done: dict[str, int] = field(default_factory=dict)
    cycle_done: dict[str, int] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    cycle_opened: dict[str, int] = field(default_factory=dict)
    ratings: dict[int, str] = field(default_factory=dict)
    tasks: list[TaskModel] = field(default_factory=list)

    def facts(self) -> tuple[object, ...]:
        """Return what the database must say too."""
        tasks = tuple((task.kind, task.state, task.holder) for task in self.tasks)
        return (
            self.state, STAGES[self.state], self.state in FINAL, self.lead, self.holder, self.cycle, self.urged,
            self.merged_into, self.followers, tasks, tuple(sorted(self.ratings.items())),
        )  # fmt: skip

    # --- who ---

    def seen_by(self, who: Who) -> bool:
        """Say whether a caller may know of the grievance."""
        if who.source is not None:
            return who.source == "12345"
        if who.unit is not None:
            parties = {party for task in self.tasks if task.open for party in (task.holder, task.opener)}
            return who.unit in FIXED | parties | {self.lead, self.holder}
        return ESTATES[self.estate][0].startswith(who.area or "")

    def plays(self, who: Who, role: str, task: TaskModel | None = None) -> bool:  # noqa: PLR0911 one line a role
        """Say whether a caller has a role of the tables above."""
        hotline = who.source == "12345"
        is_lead = who.unit is not None and who.unit == self.lead
        match role:
            case "hotline":
                return hotline
            case "lead":
                return is_lead
            case "supervisor":
                return who.supervises and self.seen_by(who)
            case "centre or hotline":
                return who.unit == CENTRE or hotline
            case "centre or lead":
                return who.unit == CENTRE or is_lead
            case "holder":
                return task is not None and who.unit is not None and who.unit == task.holder
            case "opener, lead or centre":
                own = task is not None and who.unit is not None and who.unit == task.opener
                return own or who.unit == CENTRE or is_lead
            case _:
                return who.unit == role

    # --- moving ---

    def enter(self, state: str, now: datetime) -> None:
        """Enter a state: since when, and who holds it. Where a lead should and there is none, nobody new does."""
        if state != self.state:
            self.since = now
        self.state = state
        self.hold()
        for task in self.tasks:  # what hangs on it follows: withdrawn when it is over, merged, or beyond what was asked
            left = task.kind in ("extension", "suspension") and state not in (*OPENINGS[task.kind][1], "suspended")
            task.over = task.over or (task.open and (state in FINAL or state == "merged" or left))

    def hold(self) -> None:
        holder = HOLDERS[self.state]
        self.holder = (self.lead or self.holder) if holder == "lead" else holder

    def routed(self) -> tuple[str, bool]:
        """Return the unit that the routers find, and whether the estate's company assists."""
        _, office, _ = ESTATES[self.estate]
        unit, assists = DUTIES.get(self.category, (office, False))
        if unit in self.returned:
            unit, assists = office, False
        return ("", False) if unit in self.returned else (unit, assists)

    def open_task(self, kind: str, holder: str | None, opener: str | None, days: int = 0) -> None:
        """Add a task."""
        for counts in (self.opened, self.cycle_opened):
            counts[kind] = counts.get(kind, 0) + 1
        self.tasks.append(TaskModel(kind, holder, opener, STARTS[kind], days))

    def new_cycle(self) -> None:
        """Begin again: counts of the cycle and what routers must avoid are forgotten."""
        self.cycle += 1
        self.cycle_done, self.cycle_opened, self.returned = {}, {}, set()

    def route(self, now: datetime, named: str | None) -> bool:
        """Give the grievance a lead; False when nobody is found."""
        if named is not None:
            self.lead = named
        else:
            unit, assists = self.routed()
            if not unit:
                return False
            self.lead = unit
            if assists:
                self.open_task("assist", ESTATES[self.estate][2], None)
        self.enter("assigned", now)
        return True

    def count(self, action: str) -> None:
        """Count an action."""
        for counts in (self.done, self.cycle_done):
            counts[action] = counts.get(action, 0) + 1

    def rung(self, clock: str, index: int, task: int | None, now: datetime) -> None:
        """Do what a rung that fired does."""
        if clock == "handle" and index == 1 and self.state in MOVES["escalate"][0]:
            self.count("escalate")
            self.enter("supervised", now)
        elif clock == "handle" and index in (2, 3):
            self.open_task("supervision_order", self.lead or self.holder, None)
        elif clock in ("accept", "dispatch", "review", "callback") and index in (1, 2):
            self.open_task("supervision_order", CENTRE, None)
        elif clock == "promise" and index == 1 and self.state == "suspended":
            self.count("resume")
            self.enter("handling", now)
        elif clock == "rating" and self.state == "rating":
            self.count("close_unrated")
            self.enter("closed", now)
        elif clock == "decide" and index == 1 and task is not None and self.tasks[task].state == "asked":
            self.tasks[task].state = "refused"


def too_late(action: str, case: Case, now: datetime, calendar: WorkCalendar) -> bool:
    """Say whether an action comes after its window."""
    window = {"send_back": "2 workdays", "reopen": "15 days"}.get(action)
    return window is not None and now > calendar.shift(case.since, Span.parse(window))


def too_often(action: str, case: Case) -> bool:
    """Say whether an action was taken as often as it may be."""
    most = {"send_back": 2, "reopen": 2}.get(action)
    return most is not None and case.done.get(action, 0) >= most
