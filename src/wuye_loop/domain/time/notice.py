"""A year's notice of holidays and make-up days as a file: CSV or JSON, read strictly."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from wuye_loop.domain.time.bounds import FIRST_YEAR, LAST_YEAR

MAX_BYTES: Final = 4 * 1024 * 1024
_DATE: Final = ("date", "day", "日期")
_WORKS: Final = ("works", "is_workday", "isWorkday", "上班")
_OFF: Final = ("is_off_day", "isOffDay", "is_off", "放假")
_NAME: Final = ("name", "名称", "节日")
_YEAR: Final = ("announcement_year", "year", "年份")
_YES: Final = frozenset({"1", "true", "yes", "y", "是", "班", "上班", "休", "放假"})
_NO: Final = frozenset({"0", "false", "no", "n", "否", ""})
# The first days of a notice often lie in the December before: they do not make that year a published one.
_LAST_DAYS: Final = (12, 25)
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
    """Read CSV (`date,works|is_off_day,name`) or JSON (a list of such rows, or `{year, days: [...]}`).

    The years are those of a column `announcement_year`, else those of the days, but for the last week of December.
    Raises BadNotice in words.
    """
    if len(content) > MAX_BYTES:
        raise BadNotice(f"文件超过 {MAX_BYTES // 1024 // 1024} MiB，不像是放假安排")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadNotice("文件不是 UTF-8 编码：请另存为 UTF-8") from None
    year, rows = _json(text) if text.lstrip()[:1] in ("{", "[") else (None, _csv(text))
    days: dict[date, Day] = {}
    years: set[int] = set() if year is None else {year}
    problems: list[str] = []
    for place, row in rows:
        try:
            day = _day(row)
            if days.setdefault(day.date, day) != day:
                problems.append(f"{place}：{day.date} 写了两次，前后不一致")
            if (said := _first(row, _YEAR)) is not None:
                years.add(_valid_year(said))
        except BadNotice as error:
            problems.append(f"{place}：{error}")
    if problems:
        raise BadNotice("\n".join(problems[:_MOST_PROBLEMS]))
    if not days:
        raise BadNotice("文件里没有一天")
    if not years:
        years = {day.year for day in days if (day.month, day.day) < _LAST_DAYS}
    return Notice(tuple(days[day] for day in sorted(days)), frozenset(years), f"导入({name[:80]})")


def _csv(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    headers = [header.strip() for header in reader.fieldnames or ()]
    if not set(headers) & set(_DATE) or not set(headers) & {*_WORKS, *_OFF}:
        raise BadNotice("第一行应是列名：date,works,name 或 date,is_off_day,name")
    reader.fieldnames = headers
    try:
        for row in reader:
            yield f"第 {reader.line_num} 行", row
    except csv.Error as error:
        raise BadNotice(f"第 {reader.line_num} 行：不是合法的 CSV（{error}）") from None


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
        raise BadNotice('JSON 应是列表，或 {"year": 年份, "days": [...]}')
    return year, _numbered(data)


def _numbered(rows: Sequence[object]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise BadNotice(f'第 {place} 项：应是 {{"date": "2027-01-01", "works": false, "name": "元旦"}}')
        yield f"第 {place} 项", row


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _day(row: Mapping[str, Any]) -> Day:
    raw = _first(row, _DATE)
    try:
        day = date.fromisoformat(str(raw).strip())
    except ValueError:
        raise BadNotice("日期应写成 2027-01-01") from None
    _valid_year(day.year)
    works, off = _first(row, _WORKS), _first(row, _OFF)
    if (works is None) == (off is None):
        raise BadNotice("要写 works（上班）或 is_off_day（放假），二者择一")
    return Day(day, _truth(works) if off is None else not _truth(off), str(_first(row, _NAME) or "").strip()[:40])


def _truth(raw: object) -> bool:
    word = str(raw).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise BadNotice("上班、放假一栏只能写 1 或 0（true 或 false、是或否）")


def _valid_year(raw: object) -> int:
    text = str(raw).strip()
    if not text.isdecimal() or not FIRST_YEAR <= int(text) <= LAST_YEAR:
        raise BadNotice(f"年份应在 {FIRST_YEAR} 与 {LAST_YEAR} 之间")
    return int(text)
