"""Scores, worked by hand from counts: never from a rounded rate, rounded once."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuye_loop.domain.assessment.points import Figure, Score, score
from wuye_loop.domain.assessment.scheme import Period

SATISFIED = {"title": "满意", "max": 25, "from": "m", "below": 98, "per_point": 0.5, "floor": 12.5}


def period(*items: dict[str, Any], **more: Any) -> Period:
    return Period.model_validate({"every": "month", "items": items, **more})


def rate(good: int, base: int) -> Figure:
    return Figure(Fraction(good), Fraction(base))


def total(figure: Figure | None, item: dict[str, Any]) -> Decimal | None:
    return score(period(item), {} if figure is None else {"m": figure}).total


@pytest.mark.parametrize(
    ("good", "base", "points"),
    [
        (5, 6, "17.67"),  # 83.333…: 98 - 83.333… = 14.666…, times 0.5 is 7.333…; of a rounded 83.33 it would be 17.665
        (98, 100, "25.00"),
        (99, 100, "25.00"),
        (97, 100, "24.50"),
        (1, 2, "12.50"),  # 25 - 24 = 1, but not less than 12.5
        (73, 100, "12.50"),  # exactly at the floor
        (0, 9, "12.50"),
    ],
)
def test_points_below_a_threshold(good: int, base: int, points: str) -> None:
    assert total(rate(good, base), SATISFIED) == Decimal(points)


def test_half_is_rounded_up_and_only_at_the_end() -> None:
    # 1/8 of 100 twice is 12.5 + 12.5; each printed alone would be 13 at no decimals, together 25.
    both = [{"title": name, "max": 100, "weight": 50, "from": name} for name in ("a", "b")]
    figures = {"a": rate(1, 4), "b": rate(1, 4)}
    assert score(period(*both, total={"decimals": 0}), figures).total == 25
    assert total(rate(1, 200), {"title": "x", "max": 1, "from": "m"}) == Decimal("0.01")  # 0.005


def test_a_weight_scales_the_points_of_an_item() -> None:
    item = {"title": "x", "weight": 10, "max": 20, "from": "m", "below": 95, "per_point": 1}
    assert total(rate(90, 100), item) == Decimal("7.50")  # (20 - 5) x 10/20


@pytest.mark.parametrize(("value", "points"), [(95, 20), (94, 15), (90, 15), (80, 10), (79, 0)])
def test_bands_include_where_they_begin(value: int, points: int) -> None:
    bands = [{"from": 95, "is": 20}, {"from": 90, "is": 15}, {"from": 80, "is": 10}, {"is": 0}]
    assert total(rate(value, 100), {"title": "x", "max": 20, "from": "m", "bands": bands}) == points


def test_more_than_a_threshold_costs_too() -> None:
    item = {"title": "x", "max": 10, "from": "m", "above": 5, "per_point": 2}
    assert total(Figure(Fraction(8)), item) == 4  # 10 - 2 x 3
    assert total(Figure(Fraction(5)), item) == 10


def test_events_add_and_take_within_bounds() -> None:
    base = {"title": "x", "max": 100, "from": "m"}
    off = {"title": "y", "points": -1, "each": "e", "most": -5}
    full = rate(1, 1)
    assert score(period(base, off), {"m": full, "e": Figure(Fraction(3))}).total == 97
    assert score(period(base, off), {"m": full, "e": Figure(Fraction(9))}).total == 95
    assert score(period(base, off), {"m": full}).total == 100
    bonus = {"title": "z", "points": 2, "each": "e", "most": 3}
    assert score(period(base, bonus), {"m": full, "e": Figure(Fraction(5))}).total == 100
    assert score(period(base, bonus, total={"over": True}), {"m": full, "e": Figure(Fraction(5))}).total == 103
    below = score(period({**base, "max": 3}, {**off, "most": -9}), {"m": full, "e": Figure(Fraction(9))})
    assert below.total == 0


def test_a_veto_leaves_nothing() -> None:
    item = {"title": "x", "max": 100, "from": "m"}
    veto = {"title": "v", "points": 0, "each": "e", "veto": 1}
    told = score(period(item, veto), {"m": rate(1, 1), "e": Figure(Fraction(1))})
    assert told.total == 0
    assert told.vetoed
    assert not score(period(item, veto), {"m": rate(1, 1)}).vetoed


THREE = [
    {"title": "a", "weight": 60, "from": "a"},
    {"title": "b", "weight": 30, "from": "b"},
    {"title": "c", "weight": 10, "from": "c"},
]


def three(missing: str | None = None, **figures: Figure) -> Score:
    items = [{**item, **({"missing": missing} if missing else {})} for item in THREE]
    return score(period(*items), figures)


def test_the_weight_of_what_is_missing_moves_to_the_rest_in_proportion() -> None:
    # b has no base: a 50 % and c 100 %: (30 + 10) x 100/70
    told = three(a=rate(1, 2), b=rate(0, 0), c=rate(1, 1))
    assert told.total == Decimal("57.14")
    assert told.items[1].points is None
    assert three("zero", a=rate(1, 2), c=rate(1, 1)).total == 40
    assert three("full", a=rate(1, 2), c=rate(1, 1)).total == 70
    assert three("blank", a=rate(1, 2), c=rate(1, 1)).total is None
    assert three().total is None
    by_input = score(period(*THREE), {"a": rate(1, 1), "c": rate(1, 1)}, {"b": "blank"})
    assert by_input.total is None


def test_division_by_nothing_is_blank() -> None:
    assert rate(0, 0).value is None
    assert Figure(Fraction(3), Fraction(0), percent=False).value is None
    assert total(rate(0, 0), SATISFIED) is None


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(1, 500), st.integers(1, 40))
def test_a_rate_that_is_split_and_joined_scores_the_same(good: int, more: int, times: int) -> None:
    base = good + more
    assert total(rate(good, base), SATISFIED) == total(rate(good * times, base * times), SATISFIED)


@settings(deadline=None)
@given(st.permutations(THREE), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_the_order_of_items_never_changes_a_score(order: list[dict[str, Any]], a: int, b: int, c: int) -> None:
    figures = {"a": rate(min(a, 20), 20), "b": rate(min(b, 20), 20 if b else 0), "c": rate(c, 20)}
    assert score(period(*order), figures).total == score(period(*THREE), figures).total
    told = score(period(*order), figures).total
    assert told is None or 0 <= told <= 100
