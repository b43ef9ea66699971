from hypothesis import given
from hypothesis import strategies as st

from wuye_loop.web import charts


def test_shares_stand_side_by_side_and_the_narrow_ones_carry_no_figure() -> None:
    found = charts.shares([(0, 6), (1, 0), (2, 1)], 8, 160.0)
    assert [(one.x, one.width, one.n, one.step, one.inside) for one in found] == [
        (0.0, 120.0, 6, 0, True),
        (120.0, 20.0, 1, 2, True),
    ]
    assert charts.shares([(0, 1)], 100, 160.0)[0].inside is False
    assert charts.shares([(0, 0)], 0, 160.0) == []


def test_a_curve_has_zero_at_the_bottom() -> None:
    found = charts.curve([0, 5, 10], 10, 100.0, 50.0)
    assert found.points == "0.0,50.0 50.0,25.0 100.0,0.0"
    assert (found.most, found.most_at, found.end) == (10, 2, (100.0, 0.0))


@given(st.integers(0, 10**9))
def test_the_ceiling_is_round_and_never_exceeded(most: int) -> None:
    top = charts.ceiling(most)
    assert top >= max(most, 5)
    assert str(top).strip("0") in {"1", "2", "5"}
    assert top <= max(5, most * 5 // 2 + 5)


@given(st.lists(st.integers(0, 10**6), max_size=40))
def test_no_point_leaves_the_picture(values: list[int]) -> None:
    found = charts.curve(values, charts.ceiling(max(values, default=0)), 358.0, 150.0)
    for point in filter(None, found.points.split(" ")):
        x, y = map(float, point.split(","))
        assert 0 <= x <= 358.0
        assert 0 <= y <= 150.0


def test_a_meter_of_nothing_is_empty() -> None:
    assert (charts.meter(0, 0), charts.meter(3, 4)) == (0, 75)
