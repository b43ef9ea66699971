"""Composed figures, worked by hand from counts: exact, blank where a part has no base."""

from decimal import Decimal
from fractions import Fraction

from wuye_loop.domain.assessment.points import Figure, score, with_composites
from wuye_loop.domain.assessment.scheme import Measure, Period
from wuye_loop.domain.figures.composite import composed

WEIGHTS = {"responded": Decimal(30), "solved": Decimal(40), "satisfied": Decimal(30)}


def test_rates_are_weighed_exactly() -> None:
    # 2/3 x 30 + 1/2 x 40 + 0.95 x 30 = 20 + 20 + 28.5, of 100
    parts = [(Decimal(30), Fraction(2, 3)), (Decimal(40), Fraction(1, 2)), (Decimal(30), Fraction(95, 100))]
    assert composed(parts) == (Fraction(137, 2), Fraction(100))


def test_where_a_part_has_no_base_the_whole_has_none() -> None:
    assert composed([(Decimal(60), Fraction(1)), (Decimal(40), None)]) == (Fraction(0), Fraction(0))


def measures() -> dict[str, Measure]:
    rates = {
        name: Measure.model_validate(
            {"title": name, "rate": "ratings", "figure": name.replace("responded", "response")}
        )
        for name in WEIGHTS
    }
    return {**rates, "three": Measure(title="三率", composite=WEIGHTS)}


def test_a_scheme_scores_by_a_composed_figure_as_by_any_other() -> None:
    counted = {
        "responded": Figure(Fraction(2), Fraction(3)),
        "solved": Figure(Fraction(1), Fraction(2)),
        "satisfied": Figure(Fraction(19, 10), Fraction(2)),
    }
    figures = with_composites(measures(), counted)
    assert figures["three"].value == Fraction(137, 2)
    spec = Period.model_validate({"every": "month", "items": [{"title": "三率", "max": 100, "from": "three"}]})
    assert score(spec, figures).total == Decimal("68.50")
    lacking = with_composites(measures(), {**counted, "solved": Figure(Fraction(0), Fraction(0))})
    assert lacking["three"].value is None
    assert score(spec, lacking).total is None
    assert "three" not in with_composites(measures(), {})
