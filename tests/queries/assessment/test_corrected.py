"""The first table of a correction: who has another score, place or list than in the revision before."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from tests.assessing import scheme_text

from wuye_loop.domain.assessment.opening import parse_scheme
from wuye_loop.queries.assessment import bulletin, tables

MONTH = parse_scheme(scheme_text("kuiwen@1"), "x").periods["month"]


def stood(subject: str, total: str, rank: int, *lists: str) -> Any:
    return SimpleNamespace(subject=subject, peer="", total=Decimal(total), rank=rank, lists=lists)


@pytest.mark.parametrize(
    ("pairs", "columns", "rows"),
    [
        ([(stood("c1", "77.06", 3), stood("c1", "82.86", 3))], 5, [("甲", Decimal("77.06"), Decimal("82.86"), 3, 3)]),
        (
            [
                (stood("c1", "77.06", 7, "bottom_five"), stood("c1", "92.86", 1)),
                (stood("c2", "90.00", 2), stood("c2", "90.00", 3, "bottom_five")),
                (stood("c3", "91.00", 1), stood("c3", "91.00", 2)),
            ],
            6,
            [
                ("甲", Decimal("77.06"), Decimal("92.86"), 7, 1, "不再列入“后五位”"),
                ("乙", Decimal("90.00"), Decimal("90.00"), 2, 3, "列入“后五位”"),
                ("c3", Decimal("91.00"), Decimal("91.00"), 1, 2, None),
            ],
        ),
    ],
)
def test_a_correction_says_who_came_onto_a_list_and_who_left_it(
    monkeypatch: pytest.MonkeyPatch, pairs: list[Any], columns: int, rows: list[Any]
) -> None:
    monkeypatch.setattr(tables, "differing", lambda *_: pairs)
    place, one = (SimpleNamespace(spec=MONTH), SimpleNamespace(revision=2))
    found = bulletin._corrected(None, place, one, (), {"c1": "甲", "c2": "乙"})  # type: ignore[arg-type]
    assert found is not None
    assert (found.title, len(found.columns)) == ("更正：与第 1 版不同的", columns)
    assert list(found.rows) == rows
