"""The effects a definition may name, with the shape of their parameters: a registry that others may extend.

What an effect does is in machine.py's builder; here is only what the checker needs to know of each.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from wuye_loop.domain.language.conditions import ALWAYS, Condition
from wuye_loop.domain.language.parts import SpanText, listed


class Params(BaseModel):
    """Base of an effect's parameters: closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Params):
    """No parameters."""


class Assign(Params):
    """指定承办: the form field that names the unit."""

    to: str


class Cap(Params):
    """The most that may be granted in all, for the matters that a condition describes."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)

    when: Condition = ALWAYS
    is_: SpanText = Field(alias="is")


class ExtendClock(Params):
    """延期: which clock, by the number in which form field, in which unit."""

    clock: str
    by: str
    unit: Literal["workday", "day", "hour", "workhour", "month"] = "workday"
    cap: Annotated[tuple[Cap, ...], BeforeValidator(listed)] = ()  # the most in all, in the same unit


class Act(Params):
    """The system takes this action on the grievance."""

    value: str


class Open(Params):
    """Open a task of this kind, to a unit named by a role or a form field."""

    task: str
    to: str | None = None
    document: str | None = None
    data: dict[str, str] | None = None  # what the task stores: {name: form field}


class Notify(Params):
    """Send an instrument's notice to roles."""

    instrument: str
    to: list[str] | str


class IssueDocument(Params):
    """Issue a numbered document to a role."""

    kind: str
    to: str | None = None


class Merge(Params):
    """并案: the form field that names the lead grievance."""

    into: str


class Lift(Params):
    """Lift the urgency to this value."""

    urgency: str


class Urged(Params):
    """催办: how often one complainant may urge in a day of the city, over all of that person's grievances."""

    per_day: Annotated[int, Field(ge=1, le=1000)] = 3


class Rate(Params):
    """评价: which of the file's ratings is answered; none named: the first, the complainant's."""

    rating: str | None = None


class Ruling(Params):
    """裁定: its words (or the form field that holds them), the field of the unit ruled to be in charge, and of the reason."""

    ruling: str
    unit: str | None = None
    reason: str | None = None


class ActTasks(Params):
    """The system takes this action on every open task of this kind."""

    task: str
    action: str


class Exclude(Params):
    """剔除: which figure this grievance does not count in, and the form field of the reason."""

    figure: Literal["satisfaction", "on_time", "response", "solved"]
    reason: str | None = None


#: What the effect `correct` sets right, by the names of the form's fields; `reason` says why.
CORRECTABLE: Mapping[str, tuple[str, ...]] = {  # each with the types that its field may have
    "estate": ("text",),
    "area": ("text",),
    "address": ("text",),
    "category": ("text", "choice"),
    "kind": ("choice",),
    "phone": ("text",),
    "title": ("text",),
    "body": ("text",),
    "occurred_at": ("text", "time"),
}
#: Which of it says who somebody is, and which is in the complainant's own words: sealed, never stored beside.
OF_A_PERSON = ("phone", "address")
OWN_WORDS = ("title", "body")


class SetData(RootModel[dict[str, str]]):
    """Store form fields for later: {name: form field}."""


BUILT_IN: dict[str, type[BaseModel]] = {
    "route": Nothing,
    "release": Nothing,
    "reclassify": Nothing,
    "correct": Nothing,
    "new_cycle": Nothing,
    "unmerge": Nothing,
    "urged": Urged,
    "climb": Nothing,
    "rate": Rate,
    "precedent": Ruling,
    "act_tasks": ActTasks,
    "exclude": Exclude,
    "assign": Assign,
    "extend_clock": ExtendClock,
    "act": Act,
    "open": Open,
    "notify": Notify,
    "document": IssueDocument,
    "merge": Merge,
    "lift": Lift,
    "set": SetData,
}


def effect_params() -> dict[str, type[BaseModel]]:
    """Return the parameter model of every effect: built in, and third parties' (entry point group wuye_loop.effects)."""
    found: dict[str, type[BaseModel]] = dict(BUILT_IN)
    for point in entry_points(group="wuye_loop.effects"):
        plugin: Any = point.load()
        found[point.name] = plugin.Params
    return found
