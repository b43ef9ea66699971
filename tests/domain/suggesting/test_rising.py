import math
from datetime import date, timedelta

import pytest

from wuye_loop.domain.suggesting.rising import QUIET, chance, rises

FIRST = date(2026, 1, 5)


def day(n: int) -> date:
    return FIRST + timedelta(days=n)


def test_the_chance_is_that_of_a_gamma_of_poissons() -> None:
    assert chance(0, 4, 8) == 1
    # None in a week after 0 in 8 weeks: (8/9)^0.5, so one or more is the rest.
    assert chance(1, 0, 8) == pytest.approx(1 - math.sqrt(8 / 9))
    assert chance(5, 400, 8) > 0.999
    assert chance(3, 0, 8) < chance(3, 4, 8) < chance(3, 16, 8)


def test_a_burst_is_told_once_and_an_even_flow_never() -> None:
    even = [day(n) for n in range(0, 140, 2)]
    burst = [day(n) for n in (3, 40)] + [day(100)] * 3 + [day(101)] * 3 + [day(102)]
    found = rises({"even": even, "burst": burst}, FIRST, day(140))
    assert [one.key for one in found] == ["burst"]
    assert found[0].day in (day(100), day(101))
    assert found[0].expected < 1


def test_what_goes_on_rising_is_told_again_after_the_quiet_days() -> None:
    came = [day(100)] * 6 + [day(100 + QUIET + 1)] * 60
    assert [one.day for one in rises({"x": came}, FIRST, day(200))] == [day(100), day(100 + QUIET + 1)]


def test_the_rhythm_of_the_week_is_no_alarm() -> None:
    mondays = [day(7 * week) for week in range(20) for _ in range(5)]
    assert rises({"x": mondays}, FIRST, day(140)) == []


def test_the_first_weeks_are_only_learned_from_and_few_are_never_many() -> None:
    assert rises({"x": [day(10)] * 9}, FIRST, day(20)) == []
    assert rises({"x": [day(100)] * 2}, FIRST, day(120)) == []


def test_false_alarms_are_bounded_over_all_series_together() -> None:
    state, days = 7, {}
    for series in range(60):
        came = []
        for n in range(364):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            came += [day(n)] * (state >> 40 < (1 << 24) // 10)  # one in ten days: some 0.7 in a week
        days[series] = came
    assert len(rises(days, FIRST, day(364), a_year=12)) <= 12
