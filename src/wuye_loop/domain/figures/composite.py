"""Figures composed of others by weights (三率 weighted): one arithmetic for summaries, plays, bulletins and schemes."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction


def composed(parts: Iterable[tuple[Decimal, Fraction | None]]) -> tuple[Fraction, Fraction]:
    """Return what weighted rates come to as a numerator over a base: each rate times its weight, over all the weights.

    The rates are exact, between 0 and 1. Where one of them has no base (None) the whole has none: 0 over 0.
    """
    top, base = Fraction(0), Fraction(0)
    for weight, rate in parts:
        if rate is None:
            return Fraction(0), Fraction(0)
        top += Fraction(weight) * rate
        base += Fraction(weight)
    return top, base
