"""What a definition says of papers: numbered documents, instruments, and the questions of a rating."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from wuye_loop.domain.language.conditions import ALWAYS, Condition
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.parts import Name, Names, Part, Title, listed


class DocumentKind(Part):
    """A numbered instrument from a series, gap-free per series and year: `奎督〔{year}〕{n}号`.

    A document with lines (限期整改通知书, 联席会议纪要) opens one task of the kind `opens` for each line; its agenda is the
    open tasks of the kind `gathers` that the issuing unit holds, and `settles` is taken on those that got a line.
    """

    series: Annotated[str, StringConstraints(pattern=r"\{n\}", max_length=40)]
    title: Title | None = None
    by: Names = ()
    to: Names = ()
    copies: Names = ()
    text: str | None = None
    opens: str | None = None
    gathers: str | None = None
    settles: str | None = None


def number_in(series: str, year: int, n: int) -> str:
    """Return the number of a document as it is written: the place in its series and year."""
    return series.replace("{year}", str(year)).replace("{n}", str(n))


class ReplyText(Part):
    """A text offered to whoever answers the public: changed or not, what is sent is kept as it was sent."""

    title: Title
    in_: Names = Field(default=(), alias="in")  # in which states of the grievance; none named: in every one
    when: Condition = ALWAYS
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Instrument(Part):
    """A notice that a ladder or an effect may send; not urgent ones wait for office hours or the end of quiet hours."""

    title: Title
    urgent: bool = False
    document: str | None = None  # sending it issues a document of this kind to each addressee


AskedFigure = Literal["response", "solved"]
Answers = Annotated[tuple[bool | int | str, ...], BeforeValidator(listed), Field(min_length=1)]


ComposedFigure = Literal["response", "solved", "satisfaction"]
Weight = Annotated[float, Field(gt=0, le=100)]


class Composite(Part):
    """A figure composed of rates of a rating by weights that make 100: 三率综合. Who has no base for one has none for it."""

    title: Title = "三率综合"
    of: Annotated[dict[ComposedFigure, Weight], Field(min_length=2)]


class RatingSpec(Part):
    """Who is asked about whom, when, on which scale, and what each answer weighs."""

    title: Title = "群众评价"
    by: Names = ()  # who rates; nobody named: the complainant
    of: str
    in_: Names = Field(default=(), alias="in")
    asks: dict[Name, FieldSpec]
    weights: dict[str, float] = Field(default_factory=dict)
    figures: dict[AskedFigure, Annotated[dict[Name, Answers], Field(min_length=1, max_length=1)]] = Field(
        default_factory=dict
    )  # 响应率、解决率: of which question which answers count; the satisfaction rate goes by weights
    composite: Composite | None = None
