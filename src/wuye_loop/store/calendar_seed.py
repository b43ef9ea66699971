from datetime import date, timedelta
from importlib.metadata import version
from typing import Final

import chinese_calendar
import holidays

GUESSED_YEARS: Final = 3
_MONDAY_TO_FRIDAY: Final = 5
_NOTICE: Final = f"国务院办公厅通知(chinesecalendar {version('chinesecalendar')})"
_GUESS: Final = f"推定(holidays {version('holidays')})"


def published_years() -> tuple[int, ...]:
    """Give the years whose State Council notice (国务院办公厅关于部分节假日安排的通知) came with this installation."""
    return tuple(sorted({day.year for day in chinese_calendar.holidays}))


def seed_days() -> list[tuple[date, bool, str, bool]]:
    """List the days that differ from Monday to Friday, in order: (date, works, source, provisional).

    Published years as their notices say, make-up days included; for three years more the statutory holidays by
    the lunar calendar, which is a guess: whatever the coming notice moves or makes up for is not in it.
    """
    years = published_years()
    first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
    published = (first + timedelta(days=n) for n in range((last - first).days + 1))
    days = [
        (day, works, _NOTICE, False)
        for day in published
        if (works := chinese_calendar.is_workday(day)) != (day.weekday() < _MONDAY_TO_FRIDAY)
    ]
    coming = range(last.year + 1, last.year + 1 + GUESSED_YEARS)
    guessed = sorted(holidays.country_holidays("CN", years=coming))
    return days + [
        (day, False, _GUESS, True) for day in guessed if day.weekday() < _MONDAY_TO_FRIDAY and day.year in coming
    ]
