"""考核办法: one file says who is assessed, by which measures, when, and what follows; typed, closed, immutable."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from wuye_loop.domain.language.parts import Name, Names, Part, SpanText, Title
from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.terms import Level


def _exact(raw: object) -> object:
    """Take a number as it is written: 0.5 is five tenths, never the nearest binary fraction."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        raise ValueError("这里要写数字")
    return Decimal(str(raw))


Number = Annotated[Decimal, BeforeValidator(_exact), WithJsonSchema({"type": "number"})]
Count = Annotated[int, Field(ge=1, le=100_000)]
#: A condition over what is stored of a grievance: a fact and what it must be (docs/assessment.md has the facts).
Matches = Annotated[dict[str, Any], Field(max_length=20)]

Every = Literal["day", "week", "month", "quarter", "half_year", "year"]
Missing = Literal["move_weight", "blank", "zero", "full"]
Within = Literal["peers", "all"]


class Peers(Part):
    """Who is compared with whom: those of one area of this level."""

    area: Level


class Enough(Part):
    """From how many grievances of the period on a subject is scored."""

    grievances: Annotated[int, Field(ge=0, le=100_000)] = 1


#: What people call what is assessed.
SUBJECTS: Final = {"company": "物业企业", "unit": "单位", "street": "街道", "community": "社区", "estate": "小区"}


class Subjects(Part):
    """考核对象: what is assessed, within which group, and who is listed apart."""

    are: Literal["company", "unit", "street", "community", "estate"]
    peers: Peers | None = None
    at_least: Enough = Enough()
    without: Literal["apart"] = "apart"
    kinds: Names = ()  # of estates (还建小区) or of units (department); none: all

    def are_units_of(self, kind: str) -> bool:
        """Say whether units of a kind are assessed themselves: companies, or of the kinds that are named."""
        if self.are == "unit":
            return not self.kinds or kind in self.kinds
        return kind == self.are


class Per(Part):
    """A count in proportion: for so many households."""

    households: Count


class Measure(Part):
    """指标: one figure from the record. A rate has a base, a count has none, growth compares a count with an earlier one.

    A composite is made of rates of the same file, by weights.
    """

    title: Title
    rate: Literal["clocks", "ratings", "grievances"] | None = None
    count: Literal["grievances", "clocks", "actions", "tasks", "documents"] | None = None
    growth: Name | None = None
    composite: dict[Name, Number] = Field(default_factory=dict)  # rates of this file by weights that make 100
    against: Literal["previous", "year"] = "previous"
    whose: Literal["place", "handler"] | None = None
    named: Names = ()  # clocks
    overdue: Literal["open", "closed"] | None = None  # counts of clocks
    rating: Name | None = None
    figure: Literal["satisfied", "response", "solved"] = "satisfied"
    cycle: Literal["first", "last"] = "last"
    weights: bool = True
    action: Names = ()
    kind: Names = ()  # of tasks or documents
    when: Matches = Field(default_factory=dict)
    over: Matches = Field(default_factory=dict)
    good: Matches = Field(default_factory=dict)
    at: Literal["received", "closed"] = "received"
    per: Per | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Measure":
        if sum(one is not None for one in (self.rate, self.count, self.growth, self.composite or None)) != 1:
            raise ValueError("一个指标只写 rate、count、growth、composite 之一")
        return self


class Scale(Part):
    """Between which numbers a score may lie."""

    min: Number = Decimal(0)
    max: Number = Decimal(100)


class Voices(Part):
    """How many people's scores make an input count, and what one voice is."""

    least: Count = 1
    one_per: Literal["flat", "unit"] = "flat"


#: Who may score besides the roles of a file: the people themselves, through a hotline or on paper.
OWNERS: Final = "owners"
PEOPLE: Final = (OWNERS, "committee")


class InputSpec(Part):
    """评分: what people or another system score, who may, until when, and what happens when it is missing."""

    title: Title
    by: Names
    scale: Scale = Scale()
    checklist: dict[Title, Number | dict[Title, Number]] = Field(default_factory=dict)  # an item, or one with its parts
    voices: Voices | None = None
    until: SpanText | None = None
    missing: Missing = "move_weight"

    @model_validator(mode="after")
    def _each_once(self) -> "InputSpec":
        names = [name for name, _ in self._all()]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"checklist 里“{twice}”写了两次：各小项的名称不能相同")
        return self

    @property
    def sheet(self) -> dict[str, Decimal]:
        """What is scored, each with its most points: the items, and the parts of those that have parts."""
        return dict(self._all())

    @property
    def parts_of(self) -> dict[str, str]:
        """Of which item each part is; of an item without parts nothing is said."""
        return {part: name for name, one in self.checklist.items() if isinstance(one, dict) for part in one}

    def _all(self) -> Iterator[tuple[str, Decimal]]:
        for name, one in self.checklist.items():
            yield from one.items() if isinstance(one, dict) else ((name, one),)


class Band(Part):
    """A step of a scale: from this figure on, so many points."""

    from_: Number | None = Field(default=None, alias="from")
    is_: Number = Field(alias="is")


class Item(Part):
    """计分项: points from a figure. Counted from the counts, never from a rounded rate."""

    title: Title
    weight: Number | None = None
    max: Number | None = None
    from_: Name | None = Field(default=None, alias="from")
    below: Number | None = None
    above: Number | None = None
    per_point: Number | None = None
    floor: Number = Decimal(0)
    bands: tuple[Band, ...] = ()
    points: Number | None = None
    each: Name | None = None
    most: Number | None = None
    veto: Count | None = None  # from so many events on the whole score is 0
    missing: Missing | None = None


class Total(Part):
    """The whole: out of how many points, printed with how many decimals, half up."""

    of: Number = Decimal(100)
    decimals: Annotated[int, Field(ge=0, le=6)] = 2
    over: bool = False  # whether a bonus may lift it above `of`


class RankSpec(Part):
    """排名: within which group, and what tells equal scores apart (`equal`, or a measure)."""

    within: Within = "peers"
    ties: Name = "equal"


class OnList(Part):
    """How often a subject was on another list: so many periods running, or so many in the calendar year."""

    running: Count | None = None
    in_year: Count | None = None


class ListSpec(Part):
    """榜: who is on it. All that is written must hold; `or` is another way onto it."""

    title: Title
    last: Count | None = None
    top: Count | None = None
    from_: Number | None = Field(default=None, alias="from")
    below: Number | None = None
    within: Within = "peers"
    when: dict[Name, OnList] = Field(default_factory=dict)
    or_: dict[Name, OnList] = Field(default_factory=dict, alias="or")
    brings: Names = ()


class BulletinSpec(Part):
    """通报: its title, the series that numbers it, and its template; none: the one that is usual for how often it comes."""

    title: Title
    series: Annotated[str, StringConstraints(pattern=r"\{n\}", max_length=40)] | None = None
    template: Name | None = None


Section = Literal[
    "scores", "lists", "brought", "figures", "compare", "funnel", "trend", "credit", "deeds", "apart",
    "by_category", "by_kind", "by_channel", "by_urgency",
]  # fmt: skip
#: The tables that part the period's grievances by what they are, and the fact that each goes by.
BREAKDOWNS: Final[Mapping[Section, str]] = {
    "by_category": "category", "by_kind": "kind", "by_channel": "channel", "by_urgency": "urgency",
}  # fmt: skip


class Template(Part):
    """Which tables a bulletin has, in their order, under which headings where not the usual ones; how far back a trend goes, how long a breakdown is."""

    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    titles: dict[Section, Title] = Field(default_factory=dict)
    trend: Annotated[int, Field(ge=2, le=60)] = 6
    most: Annotated[int, Field(ge=1, le=100)] = 15  # lines of a breakdown; the others are one line


#: What only a scheme with credit has.
OF_CREDIT: Final[tuple[Section, ...]] = ("credit", "deeds")
_SCORED: Final[tuple[Section, ...]] = (
    "scores", "lists", "brought", "figures", "compare", "funnel", "trend", "credit", "apart",
)  # fmt: skip
#: The templates that every scheme has; one of the same name in a file takes its place.
TEMPLATES: Final[Mapping[str, Template]] = {
    "day": Template(sections=("figures", "compare", "trend"), trend=7),
    "week": Template(sections=("figures", "compare", "funnel", "trend", "apart")),
    "month": Template(sections=_SCORED),
    "quarter": Template(sections=_SCORED, trend=4),
    "half": Template(sections=_SCORED, trend=4),
    "year": Template(sections=_SCORED, trend=4),
}
_USUAL: Final[Mapping[Every, str]] = {
    "day": "day", "week": "week", "month": "month", "quarter": "quarter", "half_year": "half", "year": "year",
}  # fmt: skip


class Period(Part):
    """考核期: how often, when it closes, and what is counted in it."""

    title: Title | None = None
    every: Every
    kinds: Names = ()  # of subjects: only these in this period, instead of the scheme's own
    but: Names = ()  # all but these
    window: Annotated[str, StringConstraints(pattern=r"^\d\d:\d\d$")] | None = None
    starts: Literal["monday"] | None = None
    closes: SpanText | None = None
    publishes: Literal["command", "at_close"] = "command"
    figures: Names = ()
    items: tuple[Item, ...] = ()
    from_: Name | None = Field(default=None, alias="from")
    combine: Literal["mean", "sum", "last"] = "mean"
    total: Total = Total()
    rank: RankSpec = RankSpec()
    lists: dict[Name, ListSpec] = Field(default_factory=dict)
    bulletin: BulletinSpec | None = None


class NoticeSpec(Part):
    """A numbered document that goes with what a consequence opens: one for all of a list, a line for each."""

    document: Title
    form: dict[Name, int | str] = Field(default_factory=dict)
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None


class Opening(Part):
    """A grievance that a consequence opens: its source (by its channel), kind, title, and what its form asks."""

    source: Name | None = None  # here the name of a source in the workflow, not where the rule comes from
    kind: Title = "其他"
    title: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    extra: dict[Name, int | str] = Field(default_factory=dict)
    by: Name | None = None  # the role that opens it; none: the first that the source names
    notice: NoticeSpec | None = None  # issued by the same unit


#: Who stands in `to` and `copies` besides the roles of a file: who is on the list, or for an estate whoever runs it.
SUBJECT: Final = "subject"


class IssueSpec(Part):
    """A numbered document that comes alone, without a grievance: one for each subject, from the workflow's own series."""

    document: Title
    title: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    to: Annotated[Names, Field(min_length=1)] = (SUBJECT,)  # the first that the directory has is addressed
    copies: Names = ()
    by: Name | None = None  # the role that issues it; none: the system, where the document may come from it


def _issue(raw: object) -> object:
    return {"document": raw} if isinstance(raw, str) else raw


class Consequence(Part):
    """处置: what a list brings, once for each period and subject: a grievance, a document of its own, or a row of credit."""

    title: Title | None = None
    open: Opening | None = None
    issue: Annotated[IssueSpec | None, BeforeValidator(_issue)] = None
    credit: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> "Consequence":
        if sum(one is not None for one in (self.open, self.issue, self.credit)) != 1:
            raise ValueError("一项处置只写 open、issue、credit 之一")
        return self


TERM: Final = re.compile(r"([1-9][0-9]?) (year|month)s?")
UNTIL_RECTIFIED: Final = "until rectified"


def _term(raw: object) -> object:
    if isinstance(raw, str) and (TERM.fullmatch(raw) or raw == UNTIL_RECTIFIED):
        return raw
    raise ValueError("期限写成 1 year、6 months 或 until rectified")


class Trigger(Part):
    """What brings a credit item by itself: a rung of this name on a grievance that the scheme opened."""

    rung: Name


class CreditItem(Part):
    """What a good or a bad deed counts, for how long, and how many points of it at most."""

    title: Title
    points: Number
    term: Annotated[str, BeforeValidator(_term)] = "1 year"
    most: Number | None = None
    when: Trigger | None = None
    by: Names = ()


class Veto(Part):
    """A deed that decides the grade whatever the points are."""

    item: Name
    grade: Title


class Grade(Part):
    """One way into a grade: from a balance, below one, with at least or at most so many bad rows."""

    from_: Number | None = Field(default=None, alias="from")
    below: Number | None = None
    bad: Scale | None = None

    @model_validator(mode="before")
    @classmethod
    def _count(cls, raw: object) -> object:
        if isinstance(raw, Mapping) and isinstance(raw.get("bad"), int):
            return {**raw, "bad": {"min": raw["bad"], "max": raw["bad"]}}
        if isinstance(raw, Mapping) and isinstance(raw.get("bad"), Mapping):
            return {**raw, "bad": {"max": 100_000, **raw["bad"]}}
        return raw


def _ways(raw: object) -> object:
    return tuple(raw) if isinstance(raw, list | tuple) else (raw,)


Ways = Annotated[tuple[Grade, ...], BeforeValidator(_ways)]


class Carries(Part):
    """What a company earns its managers (项目经理) earn too: the units under it in the directory, this share of it."""

    to: Literal["manager"]
    share: Number = Decimal(1)


class Fallen(Part):
    """One way to be asked to leave: a grade, a balance below, a veto that counts; on so many last days of a period running."""

    grade: Title | None = None
    below: Number | None = None
    veto: bool | None = None
    running: Count = 1
    of: Name | None = None  # which of the scheme's periods; none: today

    @model_validator(mode="after")
    def _something(self) -> "Fallen":
        if self.grade is None and self.below is None and self.veto is not True:
            raise ValueError("写 grade（等级）、below（低于几分）、veto: true（一票否决）中的一项")
        return self


class ExitSpec(Part):
    """清退: how far a unit has to fall, and what that brings, once for each time that it falls."""

    title: Title
    when: Annotated[tuple[Fallen, ...], BeforeValidator(_ways), Field(min_length=1)]
    brings: Names


class CreditSpec(Part):
    """信用分: what everybody begins with, what is added and taken, and the grades, the best first."""

    base: Number = Decimal(100)
    floor: Number = Decimal(0)
    items: dict[Name, CreditItem] = Field(default_factory=dict)
    veto: tuple[Veto, ...] = ()
    carries: Carries | None = None
    grades: dict[Title, Ways] = Field(default_factory=dict)
    exit: ExitSpec | None = None


class Above(Part):
    """Who decides an appeal that nobody below decided in time, until when, and what it becomes if they do not either."""

    decided_by: Names
    decides: SpanText
    silence: Literal["kept", "upheld"] = "kept"


class Appeals(Part):
    """申诉: within what time after publication, which role decides and until when, and what silence means."""

    within: SpanText
    decided_by: Names = ()
    decides: SpanText | None = None  # from the day on which it was made; none: whenever
    silence: Literal["kept", "upheld", "above"] = "kept"
    above: Above | None = None


class Scheme(Part):
    """One 考核办法: one file, one published version."""

    kind: Literal["assessment"]
    extends: str | None = None
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    version: Annotated[int, Field(ge=1, le=9999)]
    title: Title
    calendar: OfficeHours = OfficeHours()
    workflow: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}@[1-9][0-9]{0,3}$")]
    subjects: Subjects
    measures: dict[Name, Measure]
    inputs: dict[Name, InputSpec] = Field(default_factory=dict)
    periods: dict[Name, Period]
    consequences: dict[Name, Consequence] = Field(default_factory=dict)
    credit: CreditSpec | None = None
    appeals: Appeals | None = None
    templates: dict[Name, Template] = Field(default_factory=dict)

    def template_of(self, part: str) -> Template:
        """Return how the bulletin of a period is made up."""
        spec = self.periods[part]
        named = spec.bulletin.template if spec.bulletin is not None else None
        name = named or _USUAL[spec.every]
        return self.templates.get(name) or TEMPLATES.get(name) or TEMPLATES[_USUAL[spec.every]]

    @property
    def exit(self) -> ExitSpec | None:
        """How far a unit has to fall to be sent away; None where nobody is."""
        return self.credit.exit if self.credit is not None else None

    def day_of(self, at: datetime) -> date:
        """Return which day an instant is where the scheme holds."""
        return at.astimezone(ZoneInfo(self.calendar.zone)).date()

    @property
    def id(self) -> str:
        """How a result names its version: kuiwen@1."""
        return f"{self.name}@{self.version}"
