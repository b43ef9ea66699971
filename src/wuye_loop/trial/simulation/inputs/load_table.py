"""A load taken from a table: a count a row with its date, or a complaint a row with its time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.sheets.sheet import plain_name
from wuye_loop.domain.terms import Urgency
from wuye_loop.domain.time.written import read_instant
from wuye_loop.trial.simulation.inputs.load import MOST_A_DAY, UNCLASSED, WEEKDAYS, Load
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation

_ZONE: Final = ZoneInfo("Asia/Shanghai")  # what a table's times mean when they do not say
_COLUMNS: Final = {
    "date": ("date", "日期"),
    "count": ("count", "件数", "数量"),
    "at": ("created_at", "occurred_at", "时间", "诉求时间", "留言时间", "来电时间", "受理时间", "发生时间"),
    "title": ("title", "标题", "诉求标题", "留言主题", "主题"),
    "body": ("body", "detail", "content", "内容", "诉求内容", "留言详情", "详情", "问题描述"),
    "category": ("category", "类别", "分类", "诉求类别", "诉求分类"),
    "street": ("street", "街道", "属地", "area_code", "属地编码"),
    "urgency": ("urgency", "紧急程度"),
    "kind": ("kind", "类型", "诉求类型"),
    "channel": ("channel", "渠道", "诉求来源", "来源"),
}
#: Every name by which a column is recognised.
NAMES: Final = frozenset(plain_name(name) for names in _COLUMNS.values() for name in names)
_SAID: Final = ("category", "street", "urgency", "kind", "channel")
_YEAR: Final = 365
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class _Row:
    at: datetime
    count: float
    says: Mapping[str, str]


def load_of_rows(header: Sequence[str], rows: Iterable[tuple[int, Mapping[str, Any]]], file: str, rules: Rules) -> Load:
    """Take the load from a table: one grievance a row with its time, or a count a row with its date.

    A grievance without a category gets the one that the workflow's words suggest, and its red lines lift urgency.
    Raises BadSimulation with file:line.
    """
    by_name = {plain_name(name): name for name in header if name}
    columns = {field: by_name[name] for field, names in _COLUMNS.items() for name in names[::-1] if name in by_name}
    counted = "date" in columns and "count" in columns
    if not counted and "at" not in columns:
        raise BadSimulation(
            f"{file}:1: 负荷表要有 date 和 count 两列，或有一列时间（created_at）；表头是：{'、'.join(header)}"
        )
    taken = [_counted(row, columns, f"{file}:{line}") if counted else _told(row, columns, f"{file}:{line}", rules)
             for line, row in rows]  # fmt: skip
    if not any(row.count for row in taken):
        raise BadSimulation(f"{file}: 表里没有一件诉求")
    return _summed(taken, counted=counted)


def _cell(row: Mapping[str, Any], columns: Mapping[str, str], field: str) -> str:
    value = row.get(columns.get(field, ""))
    return "" if value is None else str(value).strip()


def _says(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name in _SAID if (value := _cell(row, columns, name))}


def _counted(row: Mapping[str, Any], columns: Mapping[str, str], place: str) -> _Row:
    written = _cell(row, columns, "count")
    try:
        count = float(written)
    except ValueError:
        raise BadSimulation(f"{place}: {columns['count']} 要写数字，不能是“{written[:20]}”") from None
    if not 0 <= count <= MOST_A_DAY:
        raise BadSimulation(f"{place}: {columns['count']} 要在 0 与 {MOST_A_DAY} 之间")
    day = _instant(_cell(row, columns, "date"), columns["date"], place)
    return _Row(day, count, _says(row, columns))


def _told(row: Mapping[str, Any], columns: Mapping[str, str], place: str, rules: Rules) -> _Row:
    at = _instant(_cell(row, columns, "at"), columns["at"], place)
    says = _says(row, columns)
    title, body = _cell(row, columns, "title"), _cell(row, columns, "body")
    text = f"{title}\n{body}"
    says.setdefault("category", rules.suggest(title, body) or UNCLASSED)
    facts = {"title": title, "body": body, "text": text, "category": says["category"]}
    lifted = next((red.line.urgency for red in rules.red_lines if red.saw(facts) is not None), None)
    says["urgency"] = lifted or says.get("urgency", Urgency.NORMAL.value)
    return _Row(at, 1, says)


def _instant(written: str, column: str, place: str) -> datetime:
    at = read_instant(written, _ZONE)
    if at is None:
        raise BadSimulation(f"{place}: {column} 要写成 2026-03-02 或 2026-03-02 09:30:00，不能是“{written[:20]}”")
    return at.astimezone(_ZONE)


def _summed(rows: Sequence[_Row], *, counted: bool) -> Load:
    by_day: defaultdict[date, float] = defaultdict(float)
    hours: defaultdict[str, float] = defaultdict(float)
    shares: dict[str, defaultdict[str, float]] = {name: defaultdict(float) for name in _SAID}
    for row in rows:
        by_day[row.at.date()] += row.count
        if not counted:
            hours[str(row.at.hour)] += row.count
        for name, value in row.says.items():
            if row.count:
                shares[name][value] += row.count
    first, last = min(by_day), max(by_day)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return Load(
        per_day=min(sum(by_day.values()) / len(every), MOST_A_DAY),
        weekdays=_factors({day: WEEKDAYS[day.weekday()] for day in every}, by_day) if len(every) >= _WEEK else {},
        months=_factors({day: str(day.month) for day in every}, by_day) if len(every) >= _YEAR else {},
        hours=dict(hours),
        categories=dict(shares["category"]),
        streets=dict(shares["street"]),
        urgency=dict(shares["urgency"]),
        kinds=dict(shares["kind"]),
        channels=dict(shares["channel"]),
    )


def _factors(groups: Mapping[date, str], by_day: Mapping[date, float]) -> dict[str, float]:
    """Return how many times the mean of all days each group of days has."""
    number: defaultdict[str, int] = defaultdict(int)
    total: defaultdict[str, float] = defaultdict(float)
    for day, group in groups.items():
        number[group] += 1
        total[group] += by_day.get(day, 0.0)
    usual = sum(total.values()) / len(groups)
    return {group: round(total[group] / number[group] / usual, 4) for group in sorted(number)}
