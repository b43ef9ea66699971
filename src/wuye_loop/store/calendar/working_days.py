"""The working calendar in the database: seeded, read, and corrected when a year's notice is out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.notice import LAST_DAYS, Notice
from wuye_loop.domain.time.shifts import shift_of
from wuye_loop.store import registry
from wuye_loop.store.calendar.seed import published_years, seed_days
from wuye_loop.store.schema.tables import calendar_day, calendar_year, epoch

_BUMP: Final = "UPDATE epoch SET calendar = calendar + 1"


@dataclass(frozen=True, slots=True)
class DayTable:
    """What the database says of days: True works, False is off; the years whose notice is out; the calendar epoch."""

    days: Mapping[date, bool]
    published: Collection[int]
    version: int

    def calendar(self, zone: str, hours: Iterable[str]) -> WorkCalendar:
        """Return the calendar of one office; `hours` as a workflow writes them: "08:30-12:00"."""
        return WorkCalendar(zone, [shift_of(text) for text in hours], self.days, self.published, self.version)

    def with_notice(self, notice: Notice, provisional: Collection[date]) -> "DayTable":
        """Return the table as it will be once a notice is in: what it replaces goes, guesses too, its own days win."""
        gone = {*self.replaced(notice), *(day for day in provisional if day.year in notice.years)}
        kept = {day: works for day, works in self.days.items() if day not in gone}
        days = kept | {day.date: day.works for day in notice.days}
        return DayTable(days, {*self.published, *notice.years}, self.version + 1)

    def replaced(self, notice: Notice) -> list[date]:
        """Return the days, in order, that a notice lets go: all of its years that it does not name itself.

        A notice that is not whole replaces nothing. The last days of a December stay where the next year's is out.
        """
        named = {day.date for day in notice.days}
        whole = notice.years - {*notice.doubtful}
        return sorted(
            day
            for day in self.days
            if day.year in whole
            and day not in named
            and not ((day.month, day.day) >= LAST_DAYS and day.year + 1 in self.published)
        )


def seed(session: Session, now: datetime) -> bool:
    """Fill an empty calendar with the notices that came with the program; False when it is not empty."""
    session.connection().exec_driver_sql("SELECT 1 FROM epoch FOR UPDATE")
    if session.execute(select(calendar_year.c.year).limit(1)).first() is not None:
        return False
    days = seed_days()
    years = sorted({str(day.year) for day, *_ in days})
    registry.remark(session, registry.YEAR, *years)
    session.execute(
        insert(calendar_day),
        [{"day": day, "works": works, "source": source, "provisional": guess} for day, works, source, guess in days],
    )
    source = next(source for _, _, source, guess in days if not guess)
    session.execute(
        insert(calendar_year), [{"year": year, "source": source, "loaded_at": now} for year in published_years()]
    )
    session.connection().exec_driver_sql(_BUMP)
    registry.settle(session, registry.YEAR, *years)
    return True


def read_table(session: Session) -> DayTable:
    """Read every day and year; the epoch first, so that the version never claims too much."""
    version = session.execute(select(epoch.c.calendar)).scalar_one()
    days = {row.day: row.works for row in session.execute(select(calendar_day.c.day, calendar_day.c.works))}
    return DayTable(days, set(session.execute(select(calendar_year.c.year)).scalars()), version)


def read_calendar(session: Session, zone: str, hours: Iterable[str]) -> WorkCalendar:
    """Read the calendar of one office; its version is the calendar epoch. ValueError for an unknown zone or bad hours."""
    return read_table(session).calendar(zone, hours)


def provisional_days(session: Session) -> set[date]:
    """Return the days that are guesses."""
    return set(session.execute(select(calendar_day.c.day).where(calendar_day.c.provisional)).scalars())


def import_notice(session: Session, notice: Notice, now: datetime) -> None:
    """Store a notice: its years are published from now on and hold no guesses any more; bump the calendar epoch.

    A whole notice replaces what was there for its years; one that is not whole leaves other days standing.

    Open clocks are not moved here: see calendar_moves.
    """
    session.connection().exec_driver_sql(_BUMP)
    touched = [str(one) for one in sorted({*notice.years, *(day.date.year for day in notice.days)})]
    registry.remark(session, registry.YEAR, *touched)
    session.execute(delete(calendar_day).where(calendar_day.c.day.in_(read_table(session).replaced(notice))))
    year = calendar_day.c.day
    for one in sorted(notice.years):
        first, last = date(one, 1, 1), date(one, 12, 31)
        session.execute(delete(calendar_day).where(year.between(first, last), calendar_day.c.provisional))
    session.connection().exec_driver_sql(_DAYS, {"rows": _dumped(notice), "source": notice.source})
    years: Sequence[Mapping[str, Any]] = [{"year": one} for one in sorted(notice.years)]
    session.connection().exec_driver_sql(
        _YEARS, {"rows": orjson.dumps(years).decode(), "source": notice.source, "now": now}
    )
    registry.settle(session, registry.YEAR, *touched)


_DAYS: Final = """
INSERT INTO calendar_day (day, works, source, provisional)
SELECT r.day, r.works, %(source)s || r.name, false
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(day date, works boolean, name text)
ON CONFLICT (day) DO UPDATE SET works = excluded.works, source = excluded.source, provisional = false
"""
_YEARS: Final = """
INSERT INTO calendar_year (year, source, loaded_at)
SELECT r.year, %(source)s, %(now)s FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(year int)
ON CONFLICT (year) DO UPDATE SET source = excluded.source, loaded_at = excluded.loaded_at
"""


def _dumped(notice: Notice) -> str:
    rows = [
        {"day": day.date.isoformat(), "works": day.works, "name": f"：{day.name}" if day.name else ""}
        for day in notice.days
    ]
    return orjson.dumps(rows).decode()
