"""What a file of definition tests may say, as typed values. docs/trial.md explains every key."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator, model_validator

from wuye_loop.domain.language.parts import Names, Part, SpanText, listed
from wuye_loop.domain.time.spans import Span
from wuye_loop.trial.definition_tests.time import day, wall

_RANGE = ".."
#: The kinds of step: exactly one of them is written, or only `then`.
DOINGS = ("do", "open", "issue", "wait", "at", "order")
_VAIN = "空着就什么也没有检查：写出应当怎样，或者去掉这一项"


def _days(text: str) -> str:
    for part in text.split(_RANGE):
        day(part)
    return text


def _onward(span: Span) -> Span:
    if span.n < 0:
        raise ValueError("wait 只能往后走，不能是负的")
    return span


Instant = Annotated[str, AfterValidator(wall)]
Days = Annotated[tuple[Annotated[str, AfterValidator(_days)], ...], BeforeValidator(listed)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=120)]


def parse_days(texts: tuple[str, ...]) -> list[date]:
    """Return the days that `holidays` or `workdays` name, ranges unfolded."""
    found: list[date] = []
    for text in texts:
        first, _, last = text.partition(_RANGE)
        begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
        found += (date.fromordinal(n) for n in range(begin.toordinal(), end.toordinal() + 1))
    return found


class GivenCalendar(Part):
    """The fake calendar: when it is, which weekdays are off, which weekend days are worked (调休)."""

    today: Instant | None = None
    holidays: Days = ()
    workdays: Days = ()


class Given(Part):
    """What a test starts from: the order that arrives, the calendar, the directory, what is stored already."""

    order: dict[str, Any] = Field(default_factory=dict)
    scene: str | None = None  # what has happened already: one of the file's `scenes`
    by: str | None = None  # who sends the order, if not the hotline: a role or a unit
    calendar: GivenCalendar = GivenCalendar()
    directory: dict[str, Any] | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    replies: dict[str, str] = Field(default_factory=dict)  # what other systems answer to `http` routers: url -> unit

    def over(self, base: "Given") -> "Given":
        """Return this with what it leaves out taken from the file's own `given`."""
        return Given(
            order={**base.order, **self.order},
            scene=self.scene if "scene" in self.model_fields_set else base.scene,
            by=self.by or base.by,
            calendar=base.calendar.model_copy(update=self.calendar.model_dump(exclude_unset=True)),
            directory=self.directory if self.directory is not None else base.directory,
            data={**base.data, **self.data},
            replies={**base.replies, **self.replies},
        )


class Notice(Part):
    """A notice that was sent: which instrument, to which units, when, and not before when it goes out."""

    send: str
    to: Names = ()
    at: Instant | None = None
    not_before: Instant | None = None


class Paper(Part):
    """A document that was issued: its kind, number, addressee and copies."""

    kind: str | None = None
    number: str | None = None
    to: str | None = None
    copies: Names | None = None


class TaskThen(Part):
    """How the newest task of a kind stands, and how many there are."""

    state: str | None = None
    holder: str | None = None
    count: int | None = None
    open: int | None = None
    document: str | None = None
    number: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    @field_validator("data")
    @classmethod
    def _expects(cls, data: dict[str, Any]) -> dict[str, Any]:
        _refuse_empty(data)
        return data


def _refuse_empty(*expected: object) -> None:
    """Raise ValueError where something is written empty and would look at nothing."""
    if not all(expected):
        raise ValueError(_VAIN)


def _task(raw: object) -> object:
    return {"state": raw} if isinstance(raw, str) else raw


def _rung(raw: object) -> object:
    _refuse_empty(raw != {})
    return {raw: None} if isinstance(raw, str) else raw


def _excluded(raw: object) -> object:
    """Take `[]` for a mapping of nothing, and a list of figures for their being left out, whatever the reason."""
    named = [raw] if isinstance(raw, str) else raw
    return dict.fromkeys(named, True) if isinstance(named, list | tuple) else raw


def _notice(raw: object) -> object:
    return {"send": raw} if isinstance(raw, str) else raw


Rungs = Annotated[tuple[Annotated[dict[str, Instant | None], BeforeValidator(_rung)], ...], BeforeValidator(listed)]


class Then(Part):
    """What must be so now. Lists name what must be among what happened so far; what is left out is not looked at.

    An empty list says that nothing of the kind happened. What could only look at nothing when empty is refused.
    """

    state: str | None = None
    stage: str | None = None
    lead: str | None = None
    holder: str | None = None
    level: str | None = None
    cycle: int | None = None
    category: str | None = None
    urgency: str | None = None
    final: bool | None = None
    standing: str | None = None
    result: str | None = None  # what it ended with (办理结果)
    followers: int | None = None
    urged: int | None = None
    flags: Names | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    due: dict[str, str | None] = Field(default_factory=dict)
    fired: Rungs = ()
    not_fired: Names = ()
    notices: Annotated[tuple[Annotated[Notice, BeforeValidator(_notice)], ...], BeforeValidator(listed)] = ()
    documents: Annotated[tuple[str | Paper, ...], BeforeValidator(listed)] = ()
    tasks: dict[str, Annotated[TaskThen, BeforeValidator(_task)] | None] = Field(default_factory=dict)
    excluded: Annotated[dict[str, str | bool], BeforeValidator(_excluded)] | None = None  # figure -> reason, or whether
    ratings: tuple[dict[str, Any], ...] | None = None
    told: Names = ()
    replies: Names | None = None  # titles of the texts offered for an answer now; [] says that there is none
    refused: str | None = None
    allowed: dict[str, Names] = Field(default_factory=dict)
    not_allowed: dict[str, Names | dict[str, str]] = Field(default_factory=dict)
    sees: dict[str, bool | Names] = Field(default_factory=dict)  # whether somebody sees it, or what of the last form
    grievance: str | None = None  # which of several orders is looked at

    @field_validator("data", "due", "tasks", "allowed", "not_allowed", "sees")
    @classmethod
    def _names_something(cls, expected: dict[str, Any]) -> dict[str, Any]:
        _refuse_empty(expected)
        return expected

    @field_validator("not_fired")
    @classmethod
    def _names_rungs(cls, expected: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_empty(expected)
        return expected

    @field_validator("not_allowed")
    @classmethod
    def _names_actions(cls, expected: dict[str, tuple[str, ...] | dict[str, str]]) -> dict[str, Any]:
        _refuse_empty(*expected.values())
        return expected

    @model_validator(mode="after")
    def _looks_at_something(self) -> Self:
        _refuse_empty(self.model_fields_set - {"grievance", "source"})
        return self


class LineSpec(Part):
    """One line of a document: the order it is about (the test's own, unless one is named), the unit, the task's form."""

    grievance: str | None = None
    unit: str | None = None
    form: dict[str, Any] = Field(default_factory=dict)


class StepSpec(Part):
    """One thing that happens: somebody acts, opens or moves a task, issues a document, time passes, an order arrives."""

    by: str | None = None
    post: str | None = None  # what whoever acts is in the unit: 单位负责人
    do: str | None = None
    open: str | None = None
    task: str | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    form: dict[str, Any] = Field(default_factory=dict)
    issue: str | None = None
    lines: tuple[LineSpec, ...] = ()
    text: str | None = None
    wait: Annotated[SpanText, AfterValidator(_onward)] | None = None
    at: Instant | None = None
    order: dict[str, Any] | None = None
    name: str | None = None
    grievance: str | None = None
    then: Then | None = None

    @model_validator(mode="after")
    def _one_doing(self) -> Self:
        written = [name for name in DOINGS if name in self.model_fields_set]
        if len(written) > 1:
            raise ValueError(f"一步只写一件事：{'、'.join(written)} 要分成几步")
        if not written and self.then is None:
            raise ValueError("一步要写 do、open、issue、wait、at、order 之一，或只写 then")
        if self.task is not None and self.do is None:
            raise ValueError("写了 task 还要写 do：在任务上做哪个动作")
        if (self.issue is None) != (not self.lines):
            raise ValueError("issue（签发哪种文书）和 lines（每条写什么）要一起写")
        acts = self.open is not None or self.issue is not None or (self.do is not None and self.task is None)
        if self.by is None and acts:
            raise ValueError("要写 by：谁来做（角色或单位编码）")
        return self


class Test(Part):
    """One test: a sentence, what is given, what happens, what must be so in the end."""

    __test__ = False  # pytest would take the name for a suite
    name: Sentence
    given: Given = Given()
    when: Annotated[tuple[StepSpec, ...], BeforeValidator(listed)] = ()
    then: Then | None = None

    @model_validator(mode="after")
    def _expects(self) -> Self:
        if self.then is None and all(step.then is None for step in self.when):
            raise ValueError("这个测试没有写 then：什么也没有检查")
        return self


class Script(Part):
    """A file of definition tests for one workflow."""

    workflow: str
    given: Given = Given()
    scenes: dict[str, Annotated[tuple[StepSpec, ...], BeforeValidator(listed)]] = Field(default_factory=dict)
    tests: tuple[Test, ...]
