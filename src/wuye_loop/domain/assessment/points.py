"""计分: from figures to a score. Exact until it is printed: a rate is its counts, and a total is rounded once, half up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from wuye_loop.domain.assessment.scheme import Item, Measure, Missing, Period
from wuye_loop.domain.figures.composite import composed
from wuye_loop.domain.figures.exact import half_up


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one subject. A count has no denominator; of a denominator of 0 there is no value."""

    numerator: Fraction
    denominator: Fraction | None = None
    excluded: int = 0
    percent: bool = True  # whether the value of a ratio is told in per cent

    @property
    def value(self) -> Fraction | None:
        """The figure itself: in per cent for a rate, else the count, or the count in proportion."""
        if self.denominator is None:
            return self.numerator
        if self.denominator == 0:
            return None
        return self.numerator / self.denominator * (100 if self.percent else 1)


def with_composites(measures: Mapping[str, Measure], figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Return the figures of one subject with those that are composed of them; what lacks a part has no value."""
    found = dict(figures)
    for name, measure in measures.items():
        if measure.composite and any(part in figures for part in measure.composite):
            parts = [(weight, _rate_of(figures.get(part))) for part, weight in measure.composite.items()]
            found[name] = Figure(*composed(parts))
    return found


def _rate_of(figure: Figure | None) -> Fraction | None:
    value = figure.value if figure is not None else None
    return None if value is None else value / 100


@dataclass(frozen=True, slots=True)
class Earned:
    """What one item came to: exact points on the scale of the total, its share of the whole, and how it was counted."""

    title: str
    points: Fraction | None
    weight: Fraction | None
    of: str | None
    formula: str


@dataclass(frozen=True, slots=True)
class Score:
    """得分: the total as it is printed (None: it cannot be told), and every item."""

    total: Decimal | None
    items: tuple[Earned, ...]
    vetoed: bool = False


def score(period: Period, figures: Mapping[str, Figure], missing: Mapping[str, Missing] | None = None) -> Score:
    """Return the score of one subject from its figures by name; `missing` says what an absent input means.

    A weight that moves is spread over the items that have a figure, in proportion to their own.
    """
    kept = [_kept(item, (missing or {}).get(item.from_ or "")) for item in period.items]
    earned = [_earned(item, figures, how) for item, how in zip(period.items, kept, strict=True)]
    weighed = sum((one.weight for one in earned if one.weight is not None), Fraction(0))
    present = sum((one.weight for one in earned if one.weight is not None and one.points is not None), Fraction(0))
    told = [_moved(one, weighed, present) for one in earned]
    if any(one.points is None and how == "blank" for one, how in zip(told, kept, strict=True)):
        return Score(None, tuple(told))
    known = [one.points for one in told if one.points is not None]
    vetoed = any(_vetoed(item, figures) for item in period.items)
    if not known or (weighed and not present):
        return Score(Decimal(0) if vetoed else None, tuple(told), vetoed)
    total = Fraction(0) if vetoed else sum(known, Fraction(0))
    total = max(Fraction(0), total)
    if not period.total.over:
        total = min(Fraction(period.total.of), total)
    return Score(half_up(total, period.total.decimals), tuple(told), vetoed)


def combined(spec: Period, totals: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """Return what the scores of the periods inside one come to, the oldest first: a sum, and what it is divided by."""
    if spec.combine == "last":
        return totals[-1], Decimal(1)
    return sum(totals, Decimal(0)), Decimal(1 if spec.combine == "sum" else len(totals))


def score_of_parts(spec: Period, figure: Figure | None) -> Score:
    """Return the score of a period that is made from others, from what theirs come to; none where there were none."""
    value = None if figure is None else figure.value
    how = f"各期得分{ {'mean': '平均', 'sum': '合计', 'last': '最后一期'}[spec.combine] }"
    earned = Earned(how, value, None, f"of:{spec.from_}", how if value is not None else "没有得分")
    return Score(None if value is None else half_up(value, spec.total.decimals), (earned,))


def _kept(item: Item, of_input: Missing | None) -> Missing:
    """Return what it means that an item has no figure: as it says itself, else as its input does."""
    return item.missing or of_input or "move_weight"


def _vetoed(item: Item, figures: Mapping[str, Figure]) -> bool:
    figure = figures.get(item.each or item.from_ or "")
    return item.veto is not None and figure is not None and (figure.value or 0) >= item.veto


def _moved(one: Earned, weighed: Fraction, present: Fraction) -> Earned:
    if one.weight is None or one.points is None or present == weighed or not present:
        return one
    factor = weighed / present
    words = f"{one.formula}；缺项的权重移来，×{_shown(weighed)}/{_shown(present)}"
    return Earned(one.title, one.points * factor, one.weight, one.of, words)


def _earned(item: Item, figures: Mapping[str, Figure], kept: Missing) -> Earned:
    if item.each is not None:
        return _by_event(item, figures.get(item.each))
    figure = figures.get(item.from_ or "")
    value = None if figure is None else figure.value
    full = Fraction(item.max if item.max is not None else 100)
    weight = Fraction(item.weight) if item.weight is not None else full
    if value is None:
        if kept in ("zero", "full"):
            points = Fraction(0) if kept == "zero" else weight
            return Earned(item.title, points, weight, item.from_, f"没有数据，计{'零分' if kept == 'zero' else '满分'}")
        return Earned(item.title, None, weight, item.from_, "没有数据")
    raw, words = _on_scale(item, value, full)
    points = raw * weight / full
    if item.weight is not None and weight != full:
        words = f"{words}；×{_shown(weight)}/{_shown(full)}"
    return Earned(item.title, points, weight, item.from_, words)


def _on_scale(item: Item, value: Fraction, full: Fraction) -> tuple[Fraction, str]:
    if item.bands:
        for band in item.bands:
            if band.from_ is None or value >= Fraction(band.from_):
                at = "其余" if band.from_ is None else f"≥{_shown(Fraction(band.from_))}"
                return Fraction(band.is_), f"{_shown(value)} 在{at}档，得 {_shown(Fraction(band.is_))}"
        return Fraction(0), f"{_shown(value)} 不在任何一档，得 0"
    if item.below is None and item.above is None:
        return value * full / 100, f"{_shown(value)}/100×{_shown(full)}"
    limit = Fraction(item.below if item.below is not None else item.above or 0)
    short = max(Fraction(0), limit - value if item.below is not None else value - limit)
    step = Fraction(item.per_point if item.per_point is not None else 1)
    side = "低于" if item.below is not None else "高于"
    if not short:
        return full, f"{_shown(value)} 不{side} {_shown(limit)}，满分 {_shown(full)}"
    raw = max(Fraction(item.floor), full - short * step)
    words = f"{_shown(full)}−{_shown(step)}×{_shown(short)}（{_shown(value)} {side} {_shown(limit)}）"
    return raw, words + (f"，不少于 {_shown(raw)}" if raw == Fraction(item.floor) else "")


def _by_event(item: Item, figure: Figure | None) -> Earned:
    value = Fraction(0) if figure is None or figure.value is None else figure.value
    each = Fraction(item.points if item.points is not None else 0)
    points = each * value
    if item.most is not None:
        bound = Fraction(item.most)
        points = max(points, bound) if bound < 0 else min(points, bound)
    return Earned(item.title, points, None, item.each, f"{_shown(each)}×{_shown(value)}")


def _shown(value: Fraction) -> str:
    printed = half_up(value, 4).normalize()
    return f"{printed:f}"
