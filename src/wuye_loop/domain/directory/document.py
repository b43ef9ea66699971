"""The file that describes a district: areas, units, estates and people, each entry checked before one is stored."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.terms import Level

MOST_SHOWN: Final = 20
_LONGEST: Final = 40
_TITLES: Final = {"areas": "属地 areas", "units": "单位 units", "estates": "小区 estates", "people": "人员 people"}
_WORDS: Final = {
    "missing": "没有写",
    "extra_forbidden": "不认识这一项",
    "string_type": "要写文字",
    "string_too_short": "不能为空",
    "too_short": "不能为空",
    "string_pattern_mismatch": "只能用字母、数字、点、横线和下划线，最多 40 个",
    "bool_type": "要写 true 或 false",
    "float_type": "要写数",
    "float_parsing": "要写数",
    "finite_number": "要写数",
    "int_type": "要写整数",
    "int_parsing": "要写整数",
    "int_from_float": "要写整数",
    "greater_than_equal": "太小",
    "less_than_equal": "太大",
    "list_type": "要写成列表",
    "tuple_type": "要写成列表",
    "model_type": "要写成“键: 值”",
    "model_attributes_type": "要写成“键: 值”",
}


class EntryProblem(str):
    """What is wrong with one entry, in words that name it; `section` and `place` (from 0) say which, `said` only what.

    `first` is the place of the entry that it repeats.
    """

    __slots__ = ("first", "place", "said", "section")
    section: str
    place: int
    said: str
    first: int | None

    def __new__(cls, section: str, place: int, code: str, said: str, *, first: int | None = None) -> Self:
        """Return what is wrong with the entry at this place, which calls itself so."""
        before = "" if first is None else f"，第 {first + 1} 条已经写过"
        made = super().__new__(cls, f"{entry_name(section, place, code)}：{said}{before}")
        made.section, made.place, made.said, made.first = section, place, said, first
        return made


class BadDirectory(ValueError):
    """A directory that cannot be loaded: `problems` says, entry by entry, what is wrong (EntryProblem where it is one's)."""

    def __init__(self, problems: Iterable[str]) -> None:
        every = list(problems)
        more = [f"……共 {len(every)} 处"] if len(every) > MOST_SHOWN else []
        super().__init__("\n".join(every[:MOST_SHOWN] + more))
        self.problems = every


def _as_text(raw: object) -> object:
    """Take a code that a file writes as a number: 370705 is text to us."""
    return str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw


_named: Callable[[str], str] = partial(clean, max_len=100)
Code = Annotated[str, BeforeValidator(_as_text), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
Name = Annotated[str, AfterValidator(_named), StringConstraints(min_length=1)]
_PHONE: Final = r"^\+?[0-9][0-9 ()\-]{2,24}$"
Phone = Annotated[str, BeforeValidator(_as_text), StringConstraints(pattern=_PHONE)]
UnitKind = Literal["department", "office", "centre", "community", "company"]


class DocumentEntry(BaseModel):
    """Base of every entry: closed, so that a misspelt key is found."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AreaEntry(DocumentEntry):
    """属地: a city, district, street or community, the area it lies in, and about where its middle is (degrees)."""

    code: Code
    name: Name
    level: Level
    parent: Code | None = None
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon（经度）和 lat（纬度）要么都写，要么都不写")
        return self


class UnitEntry(DocumentEntry):
    """单位: what it is for (`duties`), where (`area`), who stands above it (`parent`), its public service `phones`."""

    code: Code
    name: Name
    kind: UnitKind
    area: Code | None = None
    parent: Code | None = None
    duties: tuple[Code, ...] = ()
    active: bool = True
    phones: tuple[Phone, ...] = ()


class EstateEntry(DocumentEntry):
    """小区: the community (or street) it lies in and the company that runs it."""

    code: Code
    name: Name
    area: Code
    company: Code | None = None
    kind: Name | None = None
    households: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class PersonEntry(DocumentEntry):
    """人员: somebody of a unit and what they do there."""

    unit: Code
    name: Name
    duty: Name | None = None


class DirectoryDocument(DocumentEntry):
    """One district, or the part of it that changes: an entry replaces the stored one of the same code whole."""

    areas: tuple[AreaEntry, ...] = ()
    units: tuple[UnitEntry, ...] = ()
    estates: tuple[EstateEntry, ...] = ()
    people: tuple[PersonEntry, ...] = ()


def read_document(data: object) -> DirectoryDocument:
    """Read plain data (of a YAML or JSON file) as a directory.

    Raises BadDirectory, naming each entry that is wrong.
    """
    if not isinstance(data, Mapping):
        raise BadDirectory(["目录文件要写成 areas、units、estates、people 四项（可以只写其中几项）"])
    try:
        document = DirectoryDocument.model_validate(data)
    except ValidationError as error:
        raise BadDirectory(_problem(data, item) for item in error.errors(include_url=False)) from None
    problems: list[str] = [
        problem for name in ("areas", "units", "estates") for problem in _repeated(name, getattr(document, name))
    ]
    if not problems:
        seen: dict[tuple[str, str], int] = {}
        for place, one in enumerate(document.people):
            first = seen.setdefault((one.unit, one.name), place)
            if first != place:
                problems.append(EntryProblem("people", place, one.name, "同一单位里重复写了这个人", first=first))
    if problems:
        raise BadDirectory(problems)
    return document


def entry_name(section: str, place: int, code: str) -> str:
    """Name an entry for a message: 属地 areas 第 3 条（370705001）."""
    return f"{_TITLES[section]} 第 {place + 1} 条（{code[:_LONGEST]}）"


def _repeated(section: str, entries: Iterable[AreaEntry | UnitEntry | EstateEntry]) -> Iterable[str]:
    first: dict[str, int] = {}
    for place, one in enumerate(entries):
        if one.code in first:
            yield EntryProblem(section, place, one.code, "编码重复", first=first[one.code])
        first.setdefault(one.code, place)


def _problem(data: Mapping[str, Any], error: Any) -> str:
    """Say what pydantic found: which entry, which key, what is wrong."""
    loc: tuple[int | str, ...] = error["loc"]
    section = str(loc[0]) if loc else ""
    if section not in _TITLES:
        return f"不认识“{section[:_LONGEST]}”：可以写 {'、'.join(_TITLES)}"
    key = str(loc[2])[:_LONGEST] if len(loc) > 2 else ""  # noqa: PLR2004 section, entry, key
    said = f"{key + ' ' if key else ''}{_words(error)}"
    if len(loc) > 1 and isinstance(loc[1], int):
        return EntryProblem(section, loc[1], _called(data[section][loc[1]]), said)
    return f"{_TITLES[section]}：{said}"


def _words(error: Any) -> str:
    context = error.get("ctx") or {}
    if error["type"] in ("enum", "literal_error"):
        return f"只能写 {context['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    if error["type"] == "value_error":
        return str(context["error"])
    if context.get("pattern") == _PHONE:
        return "只能写电话号码，如 0536-8012345，不写别的话"
    return _WORDS.get(error["type"], "格式不对")


def _called(entry: object) -> str:
    """Return what an entry calls itself, as far as it can be read."""
    if isinstance(entry, Mapping):
        for key in ("code", "name", "unit"):
            if isinstance(entry.get(key), str | int):
                return str(entry[key])
    return "?"
