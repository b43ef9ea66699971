"""The workflow language: what one city file may say, as typed values. docs/language.md explains every key.

One grammar serves the main flow of a grievance and the side flows (tasks) that hang on it: both are a `Flow` of
states, clocks and actions. The checker proves a definition; the machine runs it; neither knows any city.
"""

import re
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from wuye_loop.domain.language.conditions import ALWAYS, Condition
from wuye_loop.domain.language.documents import DocumentKind, Instrument, RatingSpec, ReplyText
from wuye_loop.domain.language.forms import FieldSpec, Form
from wuye_loop.domain.language.intake import Intake, SourceSpec
from wuye_loop.domain.language.parts import Bodies, Code, Name, Names, Part, SpanText, Title, listed
from wuye_loop.domain.language.results import RESULT, ResultSpec, is_result
from wuye_loop.domain.terms import Audience, Level, Stage
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import Span


class OfficeHours(Part):
    """When a working day is open: zone and ranges such as "08:30-12:00"."""

    zone: str = "Asia/Shanghai"
    hours: tuple[Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d-\d\d:\d\d$")], ...] = (
        "08:30-12:00",
        "13:30-17:30",
    )
    quiet: tuple[Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d-\d\d:\d\d$")], ...] = ()


class DutyUnit(Part):
    """A unit found by what it is for and at which level of the grievance's area."""

    duty: Code
    level: Level | Literal["current"] = "current"


class TaskUnit(Part):
    """The units that hold an open task of a kind; `assist` is short for {task: assist}."""

    task: Name


class EstateUnit(Part):
    """A unit that the grievance's estate names: its property company (小区的物业企业)."""

    estate: Literal["company"]


class Role(Part):
    """Who may act. `is` names the kind of key; `unit` names the unit, resolved against the grievance."""

    title: Title
    is_: Literal["channel", "complainant", "supervisor", "admin"] | None = Field(default=None, alias="is")
    unit: Literal["lead", "assist"] | Code | DutyUnit | TaskUnit | EstateUnit | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.is_ is None and self.unit is None:
            msg = "角色要写 unit(哪个单位)或 is(哪类人:channel complainant supervisor admin)"
            raise ValueError(msg)
        return self


class State(Part):
    """One state: its stage, who holds the grievance in it, who watches."""

    title: Title
    stage: Stage | None = None
    holder: str | None = None
    watched_by: Names = ()
    final: bool = False
    parked: bool = False  # open, but under no clock of its own on purpose (a merged duplicate waits for its lead)


_FIELD = re.compile(r"(?:extra|data)\.\w[\w.-]{0,63}")


class Limit(Part):
    """One limit of a clock: the first whose condition holds is taken and stored with the clock."""

    when: Condition = ALWAYS
    is_: SpanText | None = Field(default=None, alias="is")
    until: str | None = None  # a date or moment: stored earlier, `data.<name>`, or written on the order, `extra.<name>`
    of: str | None = None  # where the order says how many of the unit of `is`: `is: extra.days` with its default
    min: Annotated[int, Field(ge=1, le=10_000)] | None = None
    max: Annotated[int, Field(ge=1, le=10_000)] | None = None
    default: SpanText | None = None  # what holds where the order says nothing that can be used; kept as `is`
    starts: Starts | None = None

    @model_validator(mode="before")
    @classmethod
    def _on_the_order(cls, raw: object) -> object:
        """Read `is: extra.days` as a number on the order: its default says the unit, and is what is known of it."""
        if not isinstance(raw, dict):
            return raw
        written, told = raw.get("is"), raw.get("default")
        named = isinstance(written, str) and _FIELD.fullmatch(written)
        ordered = named or str(raw.get("until", "")).startswith("extra.")
        if ordered and told is None and "of" not in raw:
            msg = "时限写在诉求上，要写 default（诉求上没有写、写得不能用的，按多长），如 default: 5 workdays"
            raise ValueError(msg)
        if not ordered:
            return raw
        rest = {key: value for key, value in raw.items() if key != "is"}
        return {**rest, "is": told, **({"of": written} if named else {})}

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        on_order = self.until is not None and self.until.startswith("extra.")
        if (self.is_ is None) == (self.until is None) and not on_order:
            msg = "时限要写 is(多长)或 until(到哪一天),二者择一"
            raise ValueError(msg)
        if (self.min is not None or self.max is not None) and self.of is None:
            msg = "min、max 只和 is: extra.名字 一起写：诉求上写的数在这之间"
            raise ValueError(msg)
        if self.min is not None and self.max is not None and self.min > self.max:
            msg = "min 大于 max"
            raise ValueError(msg)
        return self


class RungSpec(Part):
    """One rung of a ladder: when it fires and what it does. `at` is `due` or an offset such as `-1 workday`."""

    at: Literal["due"] | SpanText
    when: Condition = ALWAYS  # asked when it is due; where it does not hold the rung passes without doing anything
    do: Names = ()  # instruments: notices
    act: str | None = None  # an action taken by the system on the flow that owns the clock
    open: str | None = None  # a task kind to open
    document: str | None = None
    to: Names = ()
    copy_to: Names = Field(default=(), alias="copy")

    @property
    def offset(self) -> Span | None:
        """The offset from the due instant; None at the due instant itself."""
        return None if self.at == "due" else self.at


class ClockSpec(Part):
    """A clock: runs while in `during`, is paused in `paused`, ends elsewhere. Touching a grievance never moves it."""

    title: Title
    when: Condition = ALWAYS  # asked when it would start: for what it does not hold of, the clock does not run
    during: Names
    paused: Names = ()
    starts: Starts = Starts.NEXT_WORKDAY
    # A new instance each time it is entered, or one for each cycle, level or lead unit, or one for the whole grievance.
    per: Literal["entry", "cycle", "level", "assignment", "once"] = "entry"
    limit: Annotated[tuple[Limit, ...], BeforeValidator(listed)]
    ladder: tuple[RungSpec, ...] = ()
    assessed: bool = False  # on-time rates are computed from this clock
    at_most: SpanText | None = None  # since the grievance came in: no extension, agreed date or pause leads beyond it


class EffectCall(Part):
    """A named effect with its parameters: `route` or `{extend_clock: {clock: handle, by: days}}`."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: object) -> object:
        if isinstance(raw, str):
            return {"name": raw}
        if isinstance(raw, dict) and len(raw) == 1 and "name" not in raw:
            name, params = next(iter(raw.items()))
            if not isinstance(params, dict):
                params = {"value": params}
            return {"name": name, "params": params}
        return raw


Effects = Annotated[tuple[EffectCall, ...], BeforeValidator(listed)]


class Times(Part):
    """How often an action may be taken: `2`, or `{times: 2, per: cycle}`, per level, or per assignment to a lead."""

    times: Annotated[int, Field(ge=1, le=1000)]
    per: Literal["all", "cycle", "level", "assignment"] = "all"

    @property
    def prefix(self) -> str:
        """What its count begins with: done.x, cycle_done.x, level_done.x, assignment_done.x."""
        return "" if self.per == "all" else f"{self.per}_"

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: object) -> object:
        if isinstance(raw, str):
            msg = "要写次数：一个整数，如 2，或 {times: 2, per: cycle}"
            raise ValueError(msg)
        return {"times": raw} if isinstance(raw, int) else raw


class Branch(Part):
    """One way an action may end; the first whose condition holds is taken."""

    when: Condition = ALWAYS
    to: str | None = None
    effect: Effects = ()
    then: Names = ()


class StepSpec(Part):
    """What an action and the opening of a task have in common: who, when, how often, with which form."""

    title: Title = "办理"
    by: Names
    from_: Names = Field(default=(), alias="from")
    needs: dict[Name, FieldSpec] = Field(default_factory=dict)
    if_: Condition = Field(default=ALWAYS, alias="if")
    limit: Times | None = None
    within: SpanText | None = None  # only so long after the state was entered
    before_due: str | None = None  # only while this clock is not overdue
    signed_by: Title | None = None  # the post of whoever of the unit must do it in person: 单位负责人签批
    effect: Effects = ()
    audience: Audience = Audience.UNITS
    text: str | None = None  # what the resident reads when this happens

    @cached_property
    def form(self) -> Form:
        """The compiled form."""
        return Form("Form", self.needs)


class ActionSpec(StepSpec):
    """A move or a doing: from where, to where, by whom, with what. `to` absent: the state stays."""

    to: str | None = None  # a state, or `back`: the state the grievance was in before it was parked
    then: Names = ()  # actions the system takes next, in the same transaction
    outcomes: tuple[Branch, ...] = ()

    @cached_property
    def ways(self) -> tuple[Branch, ...]:
        """Every way this action may end, in order."""
        return self.outcomes or (Branch(to=self.to, then=self.then),)


class Flow(Part):
    """States, clocks and actions: the grammar shared by the main flow and by tasks."""

    states: dict[Name, State]
    clocks: dict[Name, ClockSpec] = Field(default_factory=dict)
    actions: dict[Name, ActionSpec] = Field(default_factory=dict)

    @cached_property
    def start(self) -> str:
        """The first state written is the one that a new grievance or task is in."""
        return next(iter(self.states))


class OpenSpec(StepSpec):
    """Who may open a task of this kind, in which states of the grievance, how often."""


Following = Literal["withdraw", "pause", "keep"]


class OnParent(Part):
    """What becomes of an open task when its grievance is over, is merged, or rests (挂起): one word says all three.

    `leave`: when it leaves the states in which such a task may be opened.
    """

    final: Following = "withdraw"
    merge: Following = "withdraw"
    suspend: Following = "pause"
    leave: Following = "keep"

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: object) -> object:
        return {"final": raw, "merge": raw, "suspend": raw} if isinstance(raw, str) else raw


class TaskKind(Flow):
    """A side flow on a grievance: holder, states, clocks, actions, and how it is opened."""

    title: Title
    open: OpenSpec
    holder: str = "target"  # a role, or target (the unit it is opened to), opener, one_level_up
    fallback: str | None = None  # role that holds it when one_level_up finds nobody
    single: bool = False  # at most one open at a time on one grievance
    on_parent: OnParent = OnParent()
    pauses: Names = ()  # clocks of the main flow that stand still while such a task is open (问诉求人要材料)
    opener_decides: bool = False  # whoever opens it may also decide it: a meeting takes up what its convener brings
    # Bodies that must differ on one task: roles, `holder`, `opener` (whoever rules on a task is not who carries it out).
    separate: tuple[Bodies, ...] = ()

    def follows(self, why: str) -> str:
        """Return what becomes of an open one when its grievance is `final`, `merge`, `suspend` or `leave`.

        A task in which nothing waits for its holder is a record (points that expire): it stays, unless the file says else.
        """
        if why in self.on_parent.model_fields_set or self._waits:
            return str(getattr(self.on_parent, why))
        return "keep"

    @cached_property
    def _waits(self) -> bool:
        holders = {"holder", self.holder, *(state.holder for state in self.states.values())}
        return any(not holders.isdisjoint(action.by) for action in self.actions.values())


class Join(Part):
    """As soon as the condition holds and the system may take the action, it does: several side flows come together."""

    when: Condition
    act: Name


class Standing(Part):
    """How the whole stands, derived from its parts: the first whose condition holds is shown."""

    when: Condition = ALWAYS
    is_: Title = Field(alias="is")


class Family(Part):
    """群诉: which of the lead's actions its followers answer with which of their own, taken by the system."""

    moves: dict[Name, Name] = Field(default_factory=dict)


class Migration(Part):
    """Where running grievances of an older version go; what is not named keeps its name."""

    states: dict[str, str] = Field(default_factory=dict)
    tasks: dict[str, dict[str, str]] = Field(default_factory=dict)  # task kind -> its old states -> its new states
    clocks: dict[str, str] = Field(default_factory=dict)
    roles: dict[str, str] = Field(default_factory=dict)


class RouterCall(Part):
    """One router of the chain: its kind and its parameters, checked by the kind's own model."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    title: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """Everything but the kind and title."""
        return dict(self.model_extra or {})


class Workflow(Flow):
    """One city's rules: one file, one published version."""

    extends: str | None = None  # the file it says its differences from; resolved before this is read
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    version: Annotated[int, Field(ge=1, le=9999)]
    title: Title
    effective_from: date | None = None  # from this day on, new grievances of an older version's go by this one
    calendar: OfficeHours = OfficeHours()
    levels: tuple[Level, ...] = (Level.COMMUNITY, Level.STREET, Level.DISTRICT)
    roles: dict[Name, Role]
    intake: Intake = Intake()
    sources: dict[Name, SourceSpec] = Field(default_factory=dict)
    labels: dict[Name, Title] = Field(default_factory=dict)  # what people read for a form field without a title
    instruments: dict[Name, Instrument] = Field(default_factory=dict)
    tasks: dict[Name, TaskKind] = Field(default_factory=dict)
    documents: dict[Title, DocumentKind] = Field(default_factory=dict)
    ratings: dict[Name, RatingSpec] = Field(default_factory=dict)
    results: dict[Title, ResultSpec] = Field(default_factory=dict)  # what it may end with, and how long that is kept
    replies: tuple[ReplyText, ...] = ()  # offered with a form in which the public is answered
    joins: tuple[Join, ...] = ()
    standing: tuple[Standing, ...] = ()
    family: Family = Family()
    separate: tuple[Bodies, ...] = ()
    routers: tuple[RouterCall, ...]
    migrates: dict[str, Migration] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """How a grievance names its version: `kuiwen@1`."""
        return f"{self.name}@{self.version}"

    @property
    def results_asked(self) -> dict[str, list[str]]:
        """The choices of the forms of the main flow that ask for the result, each with the actions that ask it."""
        found: dict[str, list[str]] = {}
        for name, action in self.actions.items():
            field = action.needs.get(RESULT)
            for choice in field.choices if field is not None and is_result(RESULT, field.type) else ():
                found.setdefault(choice, []).append(name)
        return found

    @property
    def posts(self) -> tuple[str, ...]:
        """Every post that somebody must sign with, each once."""
        flows: tuple[Flow, ...] = (self, *self.tasks.values())
        steps: list[StepSpec] = [step for flow in flows for step in flow.actions.values()]
        steps += [kind.open for kind in self.tasks.values()]
        return tuple(dict.fromkeys(step.signed_by for step in steps if step.signed_by is not None))

    def flow(self, task_kind: str | None) -> Flow:
        """Return the main flow, or the flow of one kind of task."""
        return self if task_kind is None else self.tasks[task_kind]
