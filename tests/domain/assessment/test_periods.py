"""Periods by their codes: half-open windows in Beijing, noon to noon, weeks of the ISO year."""

import pytest
from tests.site import at

from wuye_loop.domain.assessment.periods import (
    BadPeriod,
    after,
    before,
    containing,
    inside,
    kind_of,
    spoken,
    window,
    year_before,
)
from wuye_loop.domain.assessment.scheme import Period

ZONE = "Asia/Shanghai"


def every(kind: str, **more: str) -> Period:
    return Period.model_validate({"every": kind, **more})


@pytest.mark.parametrize(
    ("kind", "code", "starts", "ends", "words"),
    [
        ("day", "2026-11-29", "2026-11-29 00:00", "2026-11-30 00:00", "2026年11月29日"),
        ("week", "2026-W01", "2025-12-29 00:00", "2026-01-05 00:00", "2026年第1周"),
        ("week", "2026-W53", "2026-12-28 00:00", "2027-01-04 00:00", "2026年第53周"),
        ("month", "2026-12", "2026-12-01 00:00", "2027-01-01 00:00", "2026年12月"),
        ("quarter", "2026-Q4", "2026-10-01 00:00", "2027-01-01 00:00", "2026年第4季度"),
        ("half_year", "2026-H1", "2026-01-01 00:00", "2026-07-01 00:00", "2026年上半年"),
        ("year", "2026", "2026-01-01 00:00", "2027-01-01 00:00", "2026年"),
    ],
)
def test_a_code_is_a_window(kind: str, code: str, starts: str, ends: str, words: str) -> None:
    found = window(every(kind), code, ZONE)
    assert (found.starts, found.ends) == (at(starts), at(ends))
    assert kind_of(code) == kind
    assert spoken(code) == words
    assert containing(every(kind), found.starts, ZONE) == found
    assert before(every(kind), after(every(kind), found, ZONE), ZONE) == found


def test_a_day_from_noon_to_noon_carries_the_day_on_which_it_ends() -> None:
    noon = every("day", window="12:00")
    found = window(noon, "2026-11-29", ZONE)
    assert (found.starts, found.ends) == (at("2026-11-28 12:00"), at("2026-11-29 12:00"))
    assert containing(noon, at("2026-11-29 11:59"), ZONE).code == "2026-11-29"
    assert containing(noon, at("2026-11-29 12:00"), ZONE).code == "2026-11-30"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("month", "2026-13"),
        ("day", "2026-02-29"),
        ("week", "2025-W53"),
        ("month", "2026-Q1"),
        ("year", "26"),
        ("month", "x"),
    ],
)
def test_what_names_no_period_is_refused(kind: str, code: str) -> None:
    with pytest.raises(BadPeriod):
        window(every(kind), code, ZONE)


def test_the_year_before_and_what_lies_inside() -> None:
    month = every("month")
    earlier = year_before(month, window(month, "2026-03", ZONE), ZONE)
    assert earlier is not None
    assert earlier.code == "2025-03"
    leap = every("day")
    assert year_before(leap, window(leap, "2028-02-29", ZONE), ZONE) is None
    half = window(every("half_year"), "2026-H2", ZONE)
    assert [one.code for one in inside(half, month, ZONE)] == [f"2026-{n:02}" for n in range(7, 13)]
