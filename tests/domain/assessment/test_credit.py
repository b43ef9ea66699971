"""Credit told by the calendar: what has expired does not count on the day, whoever has run or not."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuye_loop.domain.assessment.credit import CreditRow, balance, graded, until
from wuye_loop.domain.assessment.scheme import CreditItem, CreditSpec

SPEC = CreditSpec.model_validate(
    {
        "base": 100,
        "items": {
            "bad": {"title": "扣", "points": -2},
            "open": {"title": "未整改", "points": -5, "term": "until rectified"},
            "good": {"title": "奖", "points": 3, "most": 6},
            "worst": {"title": "拒不退出", "points": -20, "term": "until rectified"},
        },
        "veto": [{"item": "worst", "grade": "C"}],
        "grades": {
            "AAA": {"from": 85}, "AA": {"from": 80}, "A": {"from": 70},
            "B": [{"from": 60}, {"below": 60, "bad": 0}], "C": {"below": 60, "bad": {"min": 1}},
        },
    }
)  # fmt: skip
MARCH = date(2026, 3, 9)
_SPACE = UUID(int=1)


def row(item: str, since: date = MARCH, end: date | None = None, n: int = 0, ends: UUID | None = None) -> CreditRow:
    points = SPEC.items[item].points if ends is None else Decimal(0)
    return CreditRow(uuid5(_SPACE, f"{item}{n}{ends}"), "c", item, points, since, end, ends)


def points(rows: list[CreditRow], on: date = MARCH) -> int:
    return int(balance(SPEC, rows, on).points)


def test_a_row_counts_from_its_day_until_the_same_day_of_the_next_year() -> None:
    one = row("bad", end=until(SPEC.items["bad"], MARCH))
    assert one.until == date(2027, 3, 9)
    assert points([one], MARCH - timedelta(days=1)) == 100
    assert points([one], MARCH) == 98
    assert points([one], date(2027, 3, 8)) == 98
    assert points([one], date(2027, 3, 9)) == 100
    assert balance(SPEC, [one], date(2027, 3, 9)).over == (one,)


@pytest.mark.parametrize(
    ("term", "since", "end"),
    [
        ("1 year", date(2028, 2, 29), date(2029, 2, 28)),
        ("6 months", date(2026, 8, 31), date(2027, 2, 28)),
        ("1 month", date(2026, 12, 31), date(2027, 1, 31)),
        ("2 years", date(2026, 3, 9), date(2028, 3, 9)),
        ("until rectified", date(2026, 3, 9), None),
    ],
)
def test_terms(term: str, since: date, end: date | None) -> None:
    assert until(CreditItem.model_validate({"title": "x", "points": -1, "term": term}), since) == end


def test_until_rectified_counts_until_a_row_ends_it() -> None:
    one = row("open")
    assert points([one], date(2030, 1, 1)) == 95
    end = row("open", date(2026, 5, 1), ends=one.id)
    assert points([one, end], date(2026, 4, 30)) == 95
    assert points([one, end], date(2026, 5, 1)) == 100


def test_no_more_of_one_item_than_the_file_allows() -> None:
    assert points([row("good", n=n) for n in range(5)]) == 106


def test_a_veto_decides_the_grade() -> None:
    stands = balance(SPEC, [row("worst")], MARCH)
    assert stands.points == 80
    assert (stands.grade, stands.vetoed) == ("C", True)


@pytest.mark.parametrize(
    ("points_", "bad", "grade"),
    [
        ("85", 0, "AAA"), ("84.99", 0, "AA"), ("80", 3, "AA"), ("79.99", 0, "A"), ("70", 0, "A"), ("69.99", 0, "B"),
        ("60", 5, "B"), ("59.99", 0, "B"), ("59.99", 1, "C"), ("0", 9, "C"),
    ],
)  # fmt: skip
def test_grades_include_where_they_begin(points_: str, bad: int, grade: str) -> None:
    assert graded(SPEC, Decimal(points_), bad) == grade


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["bad", "open", "good"]), st.integers(0, 900)), max_size=20),
    st.integers(0, 2000),
)
def test_the_order_of_rows_never_changes_a_balance(made: list[tuple[str, int]], day: int) -> None:
    rows = [
        row(item, since := MARCH + timedelta(days=at), until(SPEC.items[item], since), n)
        for n, (item, at) in enumerate(made)
    ]
    on = MARCH + timedelta(days=day)
    told: Any = balance(SPEC, rows, on)
    assert told.points == balance(SPEC, rows[::-1], on).points
    assert len(told.counting) + len(told.over) == sum(one.since <= on for one in rows)
