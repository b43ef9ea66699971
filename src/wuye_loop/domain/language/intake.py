"""What a definition says of arrivals: sources with their own forms, categories, red lines, repeats and what attaches."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.forms import FieldSpec, Form
from wuye_loop.domain.language.parts import Name, Names, Part, SpanText, Title
from wuye_loop.domain.time.spans import Span


class Keyword(Part):
    """Words (an re2 pattern over title and body) that suggest a category; several of one category add up."""

    pattern: str
    category: str
    weight: Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)] = 1.0
    title: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None  # times as much in a title
    not_: str | None = Field(default=None, alias="not")  # what this pattern covers is not read


class Weigh(Part):
    """How categories are weighed; without it the first pattern found suggests its category."""

    title: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 2.0  # times as much in a title
    floor: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.0  # below it nothing is suggested


class RedLine(Part):
    """Words or classes that lift urgency and alarm at once (红线词)."""

    when: Condition
    stated: Literal["told", "now", "threat"] | None = None  # how the words of `when` must be said
    not_: str | None = Field(default=None, alias="not")  # what this pattern covers is not read
    urgency: str = "特急"
    notice: str | None = None
    to: Names = ()


class Duplicates(Part):
    """When two grievances look like one matter: suggested, never merged by itself."""

    window: SpanText = Span.parse("30 days")
    similarity: Annotated[float, Field(ge=0, le=1)] = 0.6


class Attach(Part):
    """An order that goes to an earlier grievance as an action (催办) instead of becoming a new one."""

    when: Condition
    to: Annotated[str, Field(pattern=r"^extra\.\w")]  # where the order names the earlier one: its number or external id
    act: str


class Rising(Part):
    """未诉先办: a matter that rises in an estate comes in as a grievance of a source, once each time it rises."""

    origin: Name  # one of the sources
    by: Name | None = None  # the role that sends it in; none: the first that the source names
    kind: Title = "其他"
    title: Annotated[str, Field(min_length=1, max_length=60)] = "{estate}近 {days} 天“{category}”上升到 {count} 件"
    extra: dict[Name, int | str] = Field(default_factory=dict)  # what the source's form asks


class Intake(Part):
    """What happens when a grievance arrives."""

    weigh: Weigh | None = None
    categories: tuple[Keyword, ...] = ()
    red_lines: tuple[RedLine, ...] = ()
    duplicates: Duplicates = Duplicates()
    attach: tuple[Attach, ...] = ()
    rising: Rising | None = None  # none: rising matters are only shown
    text: str | None = None


class SourceSpec(Part):
    """Where grievances come from: hotline, inspection, meeting, a superior's notice; each with its own form and rules."""

    title: Title
    channels: Names = ()  # the `channel` values of an order that mean this source; none: every channel that no other has
    by: Names = ()  # roles whose units may send it in themselves, beside the hotline
    needs: dict[Name, FieldSpec] = Field(default_factory=dict)  # asked in the order's `extra`
    start: str | None = None  # the state it starts in, if not the first
    answered: Literal["complainant", "reporter", "nobody"] = "complainant"

    @cached_property
    def form(self) -> Form:
        """The compiled intake form."""
        return Form("Intake", self.needs)
