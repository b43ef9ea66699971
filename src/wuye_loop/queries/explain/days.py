"""Instants and days as a clerk says them, in the office's own zone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Final

from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.timestamps import wall
from wuye_loop.store.calendar.names import DayName

_WEEKDAYS: Final = "一二三四五六日"


def said_at(at: datetime, calendar: WorkCalendar, *, due: bool = False) -> str:
    """Return `2026-09-30（周三）17:30`; a deadline at midnight is the 24:00 of the day that ends."""
    day, clock = wall(at, calendar.zone, due=due)
    return f"{day.isoformat()}（{weekday(day)}）{clock}"


def weekday(day: date) -> str:
    """Return `周三`."""
    return f"周{_WEEKDAYS[day.weekday()]}"


def said_day(day: date) -> str:
    """Return `10 月 1 日（周四）`."""
    return f"{day.month} 月 {day.day} 日（{weekday(day)}）"


def said_days(days: Sequence[date], names: Mapping[date, DayName]) -> str:
    """Return days by name, those that follow one another as one: `10 月 1 日（周四）至 10 月 7 日（周三）国庆节 7 天`."""
    return "；".join(f"{_span(run)}{names[run[0]].name} {len(run)} 天" for run in _runs(days, names))


def _runs(days: Iterable[date], names: Mapping[date, DayName]) -> list[list[date]]:
    def key(pair: tuple[int, date]) -> tuple[int, str]:
        return pair[1].toordinal() - pair[0], names[pair[1]].name

    return [[day for _, day in group] for _, group in groupby(enumerate(sorted(days)), key)]


def _span(run: Sequence[date]) -> str:
    return said_day(run[0]) if len(run) == 1 else f"{said_day(run[0])}至 {said_day(run[-1])}"
