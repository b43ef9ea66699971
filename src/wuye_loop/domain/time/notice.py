"""A year's notice of holidays and make-up days as a file: CSV or JSON, read strictly."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from wuye_loop.domain.sheets import encoding
from wuye_loop.domain.sheets.cells import text_of
from wuye_loop.domain.sheets.limits import BadSheet, Bounds
from wuye_loop.domain.sheets.sheet import Reading, Sheet, is_blank_line, open_sheet, plain_name
from wuye_loop.domain.time.bounds import FIRST_YEAR, LAST_YEAR
from wuye_loop.domain.time.written import read_day

MAX_BYTES: Final = 4 * 1024 * 1024
_DATE: Final = ("date", "day", "日期")
_WORKS: Final = ("works", "is_workday", "isWorkday", "上班", "是否上班")
_OFF: Final = ("is_off_day", "isOffDay", "is_off", "放假", "是否放假", "休息")
_KIND: Final = ("kind", "type", "类型", "安排", "休班", "上班或放假")  # says 休 or 班 itself
_NAME: Final = ("name", "名称", "节日")
_YEAR: Final = ("announcement_year", "year", "年份")
_NAMES: Final = frozenset(map(plain_name, (*_DATE, *_WORKS, *_OFF, *_KIND, *_NAME, *_YEAR)))
_YES: Final = frozenset({"1", "true", "yes", "y", "是", "√", "1.0"})
_NO: Final = frozenset({"0", "false", "no", "n", "否", "×", "0.0", ""})
_RESTS: Final = frozenset({"休", "放假", "休息", "休假", "假", "节假日", "off"})
_WORKED: Final = frozenset({"班", "上班", "调休上班", "补班", "调班", "工作日", "work"})
# The first days of a notice often lie in the December before: they do not make that year a published one.
LAST_DAYS: Final = (12, 25)
_MOST_PROBLEMS: Final = 20


class BadNotice(ValueError):
    """A file of days that cannot be used; the message says line by line why."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a notice: worked (a make-up day) or off, and the holiday it belongs to."""

    date: date
    works: bool
    name: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a file says: its days in order, the years it speaks for, and what is stored as their source."""

    days: tuple[Day, ...]
    years: frozenset[int]
    source: str

    @property
    def doubtful(self) -> tuple[int, ...]:
        """The years it speaks for without naming New Year's Day and National Day, as every whole notice does."""
        off = {day.date for day in self.days if not day.works}
        return tuple(year for year in sorted(self.years) if not {date(year, 1, 1), date(year, 10, 1)} <= off)


def read_notice(content: bytes, name: str) -> Notice:
    """Read a sheet (`date,works|is_off_day,name`) or JSON (a list of such rows, or `{year, days: [...]}`).

    休 and 班 say what a day is in whichever column they stand. The years are those of a column `announcement_year`, else
    those of the days, but for the last week of December. Raises BadNotice in words.
    """
    if len(content) > MAX_BYTES:
        raise BadNotice(f"文件超过 {MAX_BYTES // 1024 // 1024} MiB，不像是放假安排")
    try:
        year, rows = _rows(content, name)
        return _notice(year, list(rows), name)
    except BadSheet as error:
        raise BadNotice(str(error)) from None


def _rows(content: bytes, name: str) -> tuple[int | None, Iterator[tuple[str, Mapping[str, Any]]]]:
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return _json(encoding.decoded(content).removeprefix("\ufeff"))
    sheet = open_sheet(lambda: io.BytesIO(content), name, _NAMES, Reading(), bounds=Bounds(), tick=lambda: 0.0)
    columns = {plain_name(column) for column in sheet.header}
    if not columns & set(map(plain_name, _DATE)) or not columns & set(map(plain_name, (*_WORKS, *_OFF, *_KIND))):
        raise BadNotice("第一行应是列名，要有“日期”和“上班或放假”两列（或 date,works,name；date,is_off_day,name）")
    return None, _lines(sheet)


def _notice(year: int | None, rows: Sequence[tuple[str, Mapping[str, Any]]], name: str) -> Notice:
    days: dict[date, Day] = {}
    years: set[int] = set() if year is None else {year}
    problems: list[str] = _mixed(rows)
    for place, row in rows:
        try:
            day = _day(row)
            if days.setdefault(day.date, day) != day:
                raise BadNotice(f"{day.date} 写了两次，前后不一致")  # noqa: TRY301 told with its place as others are
            if (said := _first(row, _YEAR)) not in (None, ""):
                years.add(_valid_year(said))
        except BadNotice as error:
            problems.append(f"{place}：{error}")
    if problems:
        raise BadNotice("\n".join(problems[:_MOST_PROBLEMS]))
    if not days:
        raise BadNotice("文件里没有一天")
    if not years:
        years = {day.year for day in days if (day.month, day.day) < LAST_DAYS}
    return Notice(tuple(days[day] for day in sorted(days)), frozenset(years), f"导入({name[:80]})")


def _mixed(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Say which columns contradict themselves: 休 and 班 in some rows, yes and no in others."""
    problems = []
    for names in (_WORKS, _OFF):
        said = [(place, _word(value)) for place, row in rows if (value := _first(row, names)) is not None]
        named = [place for place, word in said if word in _RESTS | _WORKED]
        answered = [place for place, word in said if word in (_YES | _NO) - {""}]
        if named and answered:
            words = f"这一栏在{named[0]}写休、班，在这里写是、否，前后矛盾：请只用一种"
            problems.append(f"{answered[0]}：{words}")
    return problems


def _lines(sheet: Sheet) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for line in sheet.lines():
        if line.trouble is not None:
            raise BadNotice(f"第 {line.number} 行：{line.trouble}")
        if not is_blank_line(line):
            cells = {plain_name(column): text_of(cell) for column, cell in sheet.row(line).items()}
            yield f"第 {line.number} 行", cells


def _json(text: str) -> tuple[int | None, Iterator[tuple[str, Mapping[str, Any]]]]:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadNotice(f"第 {error.lineno} 行第 {error.colno} 列：不是合法的 JSON") from None
    year = None
    if isinstance(data, Mapping):
        year = _valid_year(data["year"]) if "year" in data else None
        data = data.get("days")
    if not isinstance(data, Sequence) or isinstance(data, str):
        raise BadNotice("JSON 应是列表，或写有 year（年份）和 days（列表）的对象")
    return year, _numbered(data)


def _numbered(rows: Sequence[object]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise BadNotice(f"第 {place} 项：应是写有 date、works、name 的对象，如 2027-01-01、false、元旦")
        yield f"第 {place} 项", row


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    spelled = [spelling for name in names for spelling in (name, plain_name(name))]
    return next((row[name] for name in spelled if row.get(name) is not None), None)


def _day(row: Mapping[str, Any]) -> Day:
    day = read_day(str(_first(row, _DATE)))
    if day is None:
        raise BadNotice(f"日期应写成 2027-01-01，年份在 {FIRST_YEAR} 与 {LAST_YEAR} 之间")
    _valid_year(day.year)
    return Day(day, _works(row), str(_first(row, _NAME) or "").strip()[:40])


def _works(row: Mapping[str, Any]) -> bool:
    """Say whether a day is worked, by every column that says so: they must agree."""
    said = [
        answer
        for names, yes in ((_WORKS, True), (_OFF, False), (_KIND, None))
        if (value := _first(row, names)) is not None and (answer := _answer(value, yes=yes)) is not None
    ]
    if not said:
        raise BadNotice("要写 works（上班）或 is_off_day（放假）")
    if len(set(said)) > 1:
        raise BadNotice("几栏互相矛盾：有的说上班，有的说放假")
    return said[0]


def _answer(raw: object, *, yes: bool | None) -> bool | None:
    """Return whether a cell says that a day is worked; `yes` is what a yes in its column means, None for no such column."""
    word = _word(raw)
    if word in _RESTS or word in _WORKED:
        return word in _WORKED
    if yes is None:
        if not word:
            return None
        raise BadNotice("类型一栏只能写休或班")
    if word in _YES or word in _NO:
        return yes if word in _YES else not yes
    raise BadNotice("上班、放假一栏只能写 1 或 0（true 或 false、是或否、休或班）")


def _word(raw: object) -> str:
    return str(raw).strip().lower()


def _valid_year(raw: object) -> int:
    text = str(raw).strip()
    if not text.isdecimal() or not FIRST_YEAR <= int(text) <= LAST_YEAR:
        raise BadNotice(f"年份应在 {FIRST_YEAR} 与 {LAST_YEAR} 之间")
    return int(text)
