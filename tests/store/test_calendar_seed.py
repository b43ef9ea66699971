from datetime import date, time, timedelta

import chinese_calendar
import holidays
import pytest

from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.store.calendar.seed import published_years, seed_days

DAYS = {day: works for day, works, _, _ in seed_days()}
CALENDAR = WorkCalendar("Asia/Shanghai", [(time(8, 30), time(17, 30))], DAYS, published_years())
MAKE_UP_DAYS = [
    *(date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11)),
    *(date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10)),
]


@pytest.mark.parametrize("day", MAKE_UP_DAYS)
def test_a_make_up_day_at_the_weekend_is_a_workday(day: date) -> None:
    assert day.weekday() >= 5
    assert CALENDAR.is_workday(day)
    assert not CALENDAR.is_provisional(day)


def test_every_day_of_the_published_years_is_as_the_notice_says() -> None:
    day = date(2004, 1, 1)
    while day.year <= 2026:
        assert CALENDAR.is_workday(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


def test_two_independent_tables_agree_on_2025_and_2026() -> None:
    other = holidays.country_holidays("CN", years=(2025, 2026))
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(730)]
    assert [day for day in days if CALENDAR.is_workday(day) != other.is_working_day(day)] == []


def test_the_seed_marks_guessed_years_and_never_a_published_one() -> None:
    rows = seed_days()
    assert rows == sorted(rows)
    assert len({day for day, _, _, _ in rows}) == len(rows)
    assert {day.year for day, _, _, provisional in rows if not provisional} <= set(published_years())
    guesses = [row for row in rows if row[3]]
    assert {day.year for day, _, _, _ in guesses} == {2027, 2028, 2029}
    assert not any(works for _, works, _, _ in guesses)
    assert {source.split("(")[0] for _, _, source, _ in rows} == {"国务院办公厅通知", "推定"}
    assert all(works != (day.weekday() < 5) for day, works, _, _ in rows)
