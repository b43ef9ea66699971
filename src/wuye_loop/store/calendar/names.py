"""What days off and make-up days are called, and who says so: the stored notices, else the tables they came from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from wuye_loop.store.calendar.seed import published_years
from wuye_loop.store.schema.tables import calendar_day, calendar_year

_SEEDED: Final = "国务院办公厅通知("  # how the source of a seeded day begins: see calendar_seed
_MONDAY_TO_FRIDAY: Final = 5


@dataclass(frozen=True, slots=True)
class DayName:
    """What a day is called (国庆节, or 周末 for a weekend of no holiday), and the source that says so, if any does."""

    name: str
    source: str | None


def names(session: Session, days: Collection[date]) -> Mapping[date, DayName]:
    """Return what each of these days is called in the calendar that deadlines are counted by."""
    rows = session.execute(
        select(calendar_day.c.day, calendar_day.c.source, calendar_day.c.provisional).where(
            calendar_day.c.day.in_(days)
        )
    )
    written = {row.day: (row.source, row.provisional) for row in rows}
    years = session.execute(
        select(calendar_year.c.year, calendar_year.c.source).where(calendar_year.c.year.in_({day.year for day in days}))
    )
    sources = {row.year: row.source for row in years}
    import holidays  # noqa: PLC0415 as in `seed`: no start waits for it

    guessed = holidays.country_holidays("CN", years=sorted({day.year for day in days}), language="zh_CN")
    found = {}
    for day in days:
        source, provisional = written.get(day, (sources.get(day.year), False))
        found[day] = DayName(_name(day, source, guessed if provisional else {}), source)
    return found


def _name(day: date, source: str | None, guessed: Mapping[date, str]) -> str:
    said = (source or "").rpartition("：")
    if said[1]:
        return said[2]
    if day in guessed:
        return str(guessed[day]).replace("; ", "、")
    if (source or "").startswith(_SEEDED) and day.year in published_years():
        import chinese_calendar  # noqa: PLC0415 as above

        english = chinese_calendar.holidays.get(day) or chinese_calendar.workdays.get(day)
        holiday = next((item for item in chinese_calendar.Holiday if item.value == english), None)
        if holiday is not None:
            return str(holiday.chinese)
    return "周末" if day.weekday() >= _MONDAY_TO_FRIDAY else "放假"
