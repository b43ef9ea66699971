"""Places and lists: equals share a place, groups are apart, and who was on a list before counts by the calendar."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from wuye_loop.domain.assessment.ranks import Key, Placed, on_lists, ranked
from wuye_loop.domain.assessment.scheme import ListSpec


def row(subject: str, total: float, peer: str = "", tie: int | None = None) -> Placed:
    return Placed(subject, peer, Decimal(str(total)), None if tie is None else Fraction(tie))


def lists(**specs: dict[str, Any]) -> dict[str, ListSpec]:
    return {name: ListSpec.model_validate({"title": name, **spec}) for name, spec in specs.items()}


def members(spec: dict[str, Any], rows: Sequence[Placed]) -> set[str]:
    found = on_lists(lists(it=spec), rows, {}, {})
    return {subject for (subject, _), names in found.items() if names}


def test_equal_scores_share_a_place_and_the_next_is_left_out() -> None:
    rows = [row("a", 90), row("b", 80), row("c", 90), row("d", 70)]
    assert ranked(rows, "peers") == {("a", ""): 1, ("c", ""): 1, ("b", ""): 3, ("d", ""): 4}


def test_a_second_measure_tells_equals_apart() -> None:
    rows = [row("a", 90, tie=1), row("b", 90, tie=2)]
    assert ranked(rows, "peers") == {("b", ""): 1, ("a", ""): 2}


def test_a_company_in_two_streets_is_ranked_in_each() -> None:
    rows = [row("a", 90, "east"), row("b", 95, "east"), row("a", 70, "west"), row("c", 60, "west")]
    assert ranked(rows, "peers")["a", "east"] == 2
    assert ranked(rows, "peers")["a", "west"] == 1
    assert ranked(rows, "all")["a", "west"] == 3


def test_the_last_five_of_a_street_of_four_are_all_four() -> None:
    rows = [row(name, total, "s") for name, total in (("a", 90), ("b", 80), ("c", 70), ("d", 60))]
    assert members({"last": 5}, rows) == {"a", "b", "c", "d"}
    more = [*rows, row("e", 50, "s"), row("f", 40, "s")]
    assert members({"last": 5}, more) == {"b", "c", "d", "e", "f"}
    assert members({"last": 5, "below": 80}, more) == {"c", "d", "e", "f"}


def test_equals_at_the_border_of_the_last_are_all_on_it() -> None:
    rows = [row("a", 90), row("b", 80), row("c", 80), row("d", 70)]
    assert members({"last": 2}, rows) == {"b", "c", "d"}


def test_boundaries() -> None:
    rows = [row("a", 85), row("b", 84.99), row("c", 60), row("d", 59.99)]
    assert members({"from": 85}, rows) == {"a"}
    assert members({"below": 60}, rows) == {"d"}
    assert members({"top": 1, "from": 85}, rows) == {"a"}
    assert members({"from": 60, "below": 85}, rows) == {"b", "c"}


def black(earlier: list[bool], in_year: int, total: float = 50) -> bool:
    """Whether who is below 60 now is on the black list after these yellow ones (the latest first)."""
    specs = lists(black={"when": {"yellow": {"running": 2}}, "or": {"yellow": {"in_year": 3}}}, yellow={"below": 60})
    key: Key = ("a", "")
    found = on_lists(specs, [row("a", total)], {"yellow": {key: earlier}}, {"yellow": {key: in_year}})
    return "black" in found[key]


def test_two_months_running_or_three_in_the_calendar_year() -> None:
    assert not black([], 0)
    assert black([True], 1)  # two running
    assert black([True], 0)  # the one before was last December: running goes over the year's end
    assert not black([False, True], 1)  # two of the year, not running
    assert black([False, True, False, True], 2)  # three of the year
    assert not black([False, True, False, True], 1)  # three, but one of them last year
    assert not black([True, True], 2, total=60)  # not yellow now


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), max_size=12), st.integers(1, 6), st.randoms(use_true_random=False))
def test_neither_order_nor_names_change_a_place_or_a_list(totals: list[int], many: int, chance: Any) -> None:
    rows = [row(f"s{n}", total, f"p{n % 2}") for n, total in enumerate(totals)]
    mixed = rows[:]
    chance.shuffle(mixed)
    assert ranked(rows, "peers") == ranked(mixed, "peers")
    assert members({"last": many}, rows) == members({"last": many}, mixed)
    renamed = [Placed(f"x{one.subject}", one.peer, one.total) for one in rows]
    assert sorted(ranked(rows, "peers").values()) == sorted(ranked(renamed, "peers").values())
    for peer in ("p0", "p1"):
        worst = sorted(one.total for one in rows if one.peer == peer)[:many]
        on = [one for one in rows if one.peer == peer and one.subject in members({"last": many}, rows)]
        assert len(on) >= len(worst)
        assert all(one.total <= max(worst) for one in on)
