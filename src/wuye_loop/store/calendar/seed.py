from datetime import date
from importlib.metadata import version
from typing import Final

GUESSED_YEARS: Final = 3
_MONDAY_TO_FRIDAY: Final = 5


def published_years() -> tuple[int, ...]:
    """Give the years whose State Council notice (国务院办公厅关于部分节假日安排的通知) came with this installation."""
    import chinese_calendar  # noqa: PLC0415 read once, when a calendar is empty: no start waits for it

    return tuple(sorted({day.year for day in chinese_calendar.holidays}))


def seed_days() -> list[tuple[date, bool, str, bool]]:
    """List the days that differ from Monday to Friday, in order: (date, works, source, provisional).

    Published years as their notices say, make-up days included; for three years more the statutory holidays by
    the lunar calendar, which is a guess: whatever the coming notice moves or makes up for is not in it.
    """
    import chinese_calendar  # noqa: PLC0415 as above
    import holidays  # noqa: PLC0415 as above

    notice = f"国务院办公厅通知(chinesecalendar {version('chinesecalendar')})"
    guess = f"推定(holidays {version('holidays')})"
    last = published_years()[-1]
    off = {day: False for day in chinese_calendar.holidays if day.weekday() < _MONDAY_TO_FRIDAY}
    made_up = {day: True for day in chinese_calendar.workdays if day.weekday() >= _MONDAY_TO_FRIDAY}
    days = [(day, works, notice, False) for day, works in sorted((off | made_up).items())]
    coming = range(last + 1, last + 1 + GUESSED_YEARS)
    guessed = sorted(holidays.country_holidays("CN", years=coming))
    return days + [
        (day, False, guess, True) for day in guessed if day.weekday() < _MONDAY_TO_FRIDAY and day.year in coming
    ]
