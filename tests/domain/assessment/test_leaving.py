"""Who is to leave, told by the calendar: the first day of a fall is the same whenever it is asked."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuye_loop.domain.assessment.credit import CreditRow
from wuye_loop.domain.assessment.leaving import fallen_since, lost_more_than
from wuye_loop.domain.assessment.scheme import CreditSpec

ITEMS = {
    "bad": {"title": "扣", "points": -30},
    "good": {"title": "奖", "points": 20, "most": 20},
    "worst": {"title": "拒不退出", "points": -1, "term": "until rectified"},
}  # fmt: skip
MARCH = date(2026, 3, 9)


def spec(*ways: dict[str, object]) -> CreditSpec:
    return CreditSpec.model_validate(
        {
            "base": 100, "items": ITEMS, "veto": [{"item": "worst", "grade": "C"}],
            "grades": {"A": {"from": 60}, "C": {"below": 60}},
            "exit": {"title": "退出", "when": list(ways), "brings": ["leave"]},
        }
    )  # fmt: skip


def row(item: str, since: date, end: date | None = None, n: int = 0) -> CreditRow:
    points = Decimal(str(ITEMS[item]["points"]))
    return CreditRow(uuid5(UUID(int=1), f"{item}{since}{n}"), "c", item, points, since, end)


def test_a_fall_begins_on_the_day_of_the_row_that_made_it_and_ends_by_the_calendar() -> None:
    rows = [row("bad", MARCH), row("bad", date(2026, 4, 1), date(2026, 6, 1))]
    below = spec({"below": 60})
    assert fallen_since(below, rows, date(2026, 3, 31), {}) is None  # 70
    assert fallen_since(below, rows, date(2026, 4, 1), {}) == date(2026, 4, 1)  # 40
    assert fallen_since(below, rows, date(2026, 5, 31), {}) == date(2026, 4, 1)
    assert fallen_since(below, rows, date(2026, 6, 1), {}) is None


def test_a_good_row_that_expires_makes_a_fall_without_any_deed() -> None:
    rows = [row("bad", MARCH), row("bad", MARCH, n=1), row("good", MARCH, date(2026, 9, 9))]
    assert fallen_since(spec({"below": 60}), rows, date(2026, 9, 8), {}) is None  # 60 is not below 60
    assert fallen_since(spec({"below": 60}), rows, date(2026, 9, 9), {}) == date(2026, 9, 9)


def test_running_counts_last_days_of_periods_and_a_better_one_breaks_it() -> None:
    ends = [date(2026, 6, 30), date(2026, 5, 31), date(2026, 4, 30), date(2026, 3, 31), date(2026, 2, 28)]
    rows = [row("bad", MARCH), row("bad", MARCH, n=1)]
    two = spec({"grade": "C", "running": 2, "of": "month"})
    ended = {"month": [day for day in ends if day <= date(2026, 4, 29)]}
    assert fallen_since(two, rows, date(2026, 4, 29), ended) is None
    assert fallen_since(two, rows, date(2026, 7, 1), {"month": ends}) == date(2026, 4, 30)
    better = [*rows, row("good", date(2026, 5, 2), date(2026, 6, 2))]  # C in March and April, A in May, C in June
    assert fallen_since(two, better, date(2026, 5, 30), {"month": ends[2:]}) == date(2026, 4, 30)
    assert fallen_since(two, better, date(2026, 7, 1), {"month": ends}) is None


def test_a_veto_is_a_way_out_and_one_fall_however_many_ways_are_met() -> None:
    both = spec({"veto": True}, {"below": 60})
    rows = [row("worst", MARCH), row("bad", date(2026, 4, 1)), row("bad", date(2026, 4, 1), n=1)]
    assert fallen_since(both, rows, date(2026, 5, 1), {}) == MARCH


@pytest.mark.parametrize(
    ("way", "lost"), [({"below": 60}, 40), ({"grade": "C"}, 40), ({"grade": "A"}, None), ({"veto": True}, 100)]
)
def test_how_much_one_may_lose_without_being_looked_at(way: dict[str, object], lost: int | None) -> None:
    found = lost_more_than(spec(way))
    assert found == (None if lost is None else Decimal(lost))


_DEEDS = st.lists(
    st.tuples(st.sampled_from(["bad", "good"]), st.integers(0, 60), st.integers(1, 40)), min_size=1, max_size=8
)


@given(_DEEDS, st.integers(0, 70))
@settings(max_examples=150, deadline=None)
def test_whoever_falls_lost_more_than_the_limit_and_the_day_stays_while_the_fall_lasts(
    deeds: list[tuple[str, int, int]], on: int
) -> None:
    below = spec({"below": 60})
    rows = [
        row(item, MARCH + timedelta(days=day), MARCH + timedelta(days=day + term), n)
        for n, (item, day, term) in enumerate(deeds)
    ]
    today = MARCH + timedelta(days=on)
    since = fallen_since(below, rows, today, {})
    if since is None:
        return
    lost = -sum(one.points for one in rows if one.points < 0 and one.since <= today < (one.until or today))
    assert lost > (lost_more_than(below) or 0)
    for day in range((today - since).days + 1):
        assert fallen_since(below, rows, since + timedelta(days=day), {}) == since
