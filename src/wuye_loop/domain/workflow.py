"""The workflow language: what one city file may say, as typed values. docs/workflows.md explains every key.

One grammar serves the main flow of a grievance and the side flows (tasks) that hang on it: both are a `Flow` of
states, clocks and actions. The checker proves a definition; the machine runs it; neither knows any city.
"""

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from wuye_loop.domain.calendar import Starts
from wuye_loop.domain.conditions import ALWAYS, Condition
from wuye_loop.domain.forms import NAME, FieldSpec, Form
from wuye_loop.domain.spans import Span
from wuye_loop.domain.terms import Audience, Level, Stage

Name = Annotated[str, StringConstraints(pattern=NAME)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


def _listed(raw: object) -> object:
    """Let a list of one be written without brackets."""
    if raw is None:
        return ()
    return tuple(raw) if isinstance(raw, list | tuple) else (raw,)


def _span(raw: object) -> object:
    if isinstance(raw, str):
        return Span.parse(raw)
    if isinstance(raw, Span):
        return raw
    raise ValueError("no span: write text such as 5 workdays")  # else pydantic would take a mapping of Span's fields


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
SpanText = Annotated[Span, BeforeValidator(_span)]


class Part(BaseModel):
    """Base of every part of a definition: closed (unknown keys are errors) and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)


class OfficeHours(Part):
    """When a working day is open: zone and ranges such as "08:30-12:00"."""

    zone: str = "Asia/Shanghai"
    hours: tuple[Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d-\d\d:\d\d$")], ...] = (
        "08:30-12:00",
        "13:30-17:30",
    )


class DutyUnit(Part):
    """A unit found by what it is for and at which level of the grievance's area."""

    duty: Code
    level: Level | Literal["current"] = "current"


class Role(Part):
    """Who may act. `is` names the kind of key; `unit` names the unit, resolved against the grievance."""

    title: Title
    is_: Literal["channel", "complainant", "supervisor", "admin"] | None = Field(default=None, alias="is")
    unit: Literal["lead", "assist"] | Code | DutyUnit | None = None

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


class Limit(Part):
    """One limit of a clock: the first whose condition holds is taken and stored with the clock."""

    when: Condition = ALWAYS
    is_: SpanText | None = Field(default=None, alias="is")
    until: str | None = None  # a date stored earlier: `data.<name>`
    starts: Starts | None = None
    source: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.is_ is None) == (self.until is None):
            msg = "时限要写 is(多长)或 until(到哪一天),二者择一"
            raise ValueError(msg)
        return self


class RungSpec(Part):
    """One rung of a ladder: when it fires and what it does. `at` is `due` or an offset such as `-1 workday`."""

    at: Literal["due"] | SpanText
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
    during: Names
    paused: Names = ()
    starts: Starts = Starts.NEXT_WORKDAY
    per: Literal["entry", "cycle", "once"] = "entry"  # a new instance each time it is entered, or one per cycle, or one
    limit: Annotated[tuple[Limit, ...], BeforeValidator(_listed)]
    ladder: tuple[RungSpec, ...] = ()
    assessed: bool = False  # on-time rates are computed from this clock


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


Effects = Annotated[tuple[EffectCall, ...], BeforeValidator(_listed)]


class Times(Part):
    """How often an action may be taken: `2`, or `{times: 2, per: cycle}`."""

    times: Annotated[int, Field(ge=1, le=1000)]
    per: Literal["all", "cycle"] = "all"

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, raw: object) -> object:
        return {"times": raw} if isinstance(raw, int) else raw


class Outcome(Part):
    """One way an action may end; the first whose condition holds is taken."""

    when: Condition = ALWAYS
    to: str | None = None
    effect: Effects = ()
    then: Names = ()


class Step(Part):
    """What an action and the opening of a task have in common: who, when, how often, with which form."""

    title: Title = "办理"
    by: Names
    from_: Names = Field(default=(), alias="from")
    needs: dict[Name, FieldSpec] = Field(default_factory=dict)
    if_: Condition = Field(default=ALWAYS, alias="if")
    limit: Times | None = None
    before_due: str | None = None  # only while this clock is not overdue
    effect: Effects = ()
    audience: Audience = Audience.UNITS
    text: str | None = None  # what the resident reads when this happens

    @cached_property
    def form(self) -> Form:
        """The compiled form."""
        return Form("Form", self.needs)


class ActionSpec(Step):
    """A move or a doing: from where, to where, by whom, with what. `to` absent: the state stays."""

    to: str | None = None  # a state, or `back`: the state the grievance was in before it was parked
    within: SpanText | None = None  # only so long after the state was entered
    then: Names = ()  # actions the system takes next, in the same transaction
    outcomes: tuple[Outcome, ...] = ()

    @cached_property
    def ways(self) -> tuple[Outcome, ...]:
        """Every way this action may end, in order."""
        return self.outcomes or (Outcome(to=self.to, then=self.then),)


class Flow(Part):
    """States, clocks and actions: the grammar shared by the main flow and by tasks."""

    states: dict[Name, State]
    clocks: dict[Name, ClockSpec] = Field(default_factory=dict)
    actions: dict[Name, ActionSpec] = Field(default_factory=dict)

    @cached_property
    def start(self) -> str:
        """The first state written is the one that a new grievance or task is in."""
        return next(iter(self.states))


class OpenSpec(Step):
    """Who may open a task of this kind, in which states of the grievance, how often."""


class TaskKind(Flow):
    """A side flow on a grievance: holder, states, clocks, actions, and how it is opened."""

    title: Title
    open: OpenSpec
    holder: str = "target"  # a role, or target (the unit it is opened to), opener, one_level_up
    fallback: str | None = None  # role that holds it when one_level_up finds nobody
    single: bool = False  # at most one open at a time on one grievance


class DocumentKind(Part):
    """A numbered instrument from a series, gap-free per series and year: `奎督〔{year}〕{n}号`."""

    series: Annotated[str, StringConstraints(pattern=r"\{n\}", max_length=40)]
    title: Title | None = None
    by: Names = ()
    to: Names = ()
    copies: Names = ()
    text: str | None = None


class Instrument(Part):
    """A notice that a ladder or an effect may send; not urgent ones wait for office hours."""

    title: Title
    urgent: bool = False


class RatingSpec(Part):
    """Who is asked about whom, when, on which scale, and what each answer weighs."""

    title: Title = "群众评价"
    of: str
    in_: Names = Field(default=(), alias="in")
    asks: dict[Name, FieldSpec]
    weights: dict[str, float] = Field(default_factory=dict)


class Keyword(Part):
    """Words (an re2 pattern over title and body) that suggest a category."""

    pattern: str
    category: str


class RedLine(Part):
    """Words or classes that lift urgency and alarm at once (红线词)."""

    when: Condition
    urgency: str = "特急"
    notice: str | None = None
    to: Names = ()


class Duplicates(Part):
    """When two grievances look like one matter: suggested, never merged by itself."""

    window: SpanText = Span.parse("30 days")
    similarity: Annotated[float, Field(ge=0, le=1)] = 0.6


class Intake(Part):
    """What happens when a grievance arrives."""

    categories: tuple[Keyword, ...] = ()
    red_lines: tuple[RedLine, ...] = ()
    duplicates: Duplicates = Duplicates()
    text: str | None = None


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

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    version: Annotated[int, Field(ge=1, le=9999)]
    title: Title
    source: str | None = None
    calendar: OfficeHours = OfficeHours()
    levels: tuple[Level, ...] = (Level.COMMUNITY, Level.STREET, Level.DISTRICT)
    roles: dict[Name, Role]
    intake: Intake = Intake()
    labels: dict[Name, Title] = Field(default_factory=dict)  # what people read for a form field without a title
    instruments: dict[Name, Instrument] = Field(default_factory=dict)
    tasks: dict[Name, TaskKind] = Field(default_factory=dict)
    documents: dict[Title, DocumentKind] = Field(default_factory=dict)
    ratings: dict[Name, RatingSpec] = Field(default_factory=dict)
    separate: tuple[tuple[str, str], ...] = ()
    routers: tuple[RouterCall, ...]

    @property
    def id(self) -> str:
        """How a grievance names its version: `kuiwen@1`."""
        return f"{self.name}@{self.version}"

    def flow(self, task_kind: str | None) -> Flow:
        """Return the main flow, or the flow of one kind of task."""
        return self if task_kind is None else self.tasks[task_kind]
