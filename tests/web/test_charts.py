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


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=90))
def test_every_place_has_a_cell_of_its_own_and_what_lies_further_north_stands_no_lower(
    at: list[tuple[float, float]],
) -> None:
    cells = charts.by_place(at, 8)
    assert len(set(cells)) == len(at)
    assert all(column < 8 for column, _ in cells)
    for one, (_, row) in zip(at, cells, strict=True):
        for other, (_, below) in zip(at, cells, strict=True):
            assert not (one[1] > other[1] and row > below)


def test_places_in_a_row_stand_from_west_to_east() -> None:
    assert charts.by_place([(3.0, 1.0), (1.0, 1.1), (2.0, 9.0), (5.0, 8.0)], 8) == [(1, 1), (0, 1), (0, 0), (1, 0)]


def test_each_group_begins_a_row_and_goes_on_below() -> None:
    assert charts.by_group(["a", "a", "a", "b", "b"], 2) == [(0, 0), (1, 0), (0, 1), (0, 2), (1, 2)]


def test_borders_run_around_groups_and_between_them() -> None:
    assert charts.borders({(0, 0): "a", (1, 0): "a"}, 10, 5) == "M0 5h10M0 0v5M0 0h10M20 0v5M10 5h10M10 0h10"
    assert "M10 0v5" in charts.borders({(0, 0): "a", (1, 0): "b"}, 10, 5)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_bands_hold_every_number_up_to_the_most(most: int, n: int) -> None:
    among = charts.bands(most, 4)
    assert len(among) <= 4
    assert (charts.band_of(n, among) > 0) == (0 < n <= most or (bool(among) and 0 < n <= among[-1][1]))
    assert charts.band_of(0, among) == 0
