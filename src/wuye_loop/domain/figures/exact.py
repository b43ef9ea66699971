"""Exact arithmetic: rates from counts, half-up at the printed decimals; a division by nothing is blank (None)."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from fractions import Fraction
from typing import Final

HUNDRED: Final = Decimal(100)
MOST_DECIMALS: Final = 12
# A million million to twelve decimals, and room: no figure of an office is cut by the context.
_WIDE: Final = Context(prec=60)


def half_up(value: Decimal | Fraction, decimals: int) -> Decimal:
    """Return a figure as it is printed: half away from zero, at these decimals."""
    return _rounded(value, decimals, ROUND_HALF_UP)


def cut_off(value: Decimal | Fraction, decimals: int) -> Decimal:
    """Return a figure as who truncates prints it."""
    return _rounded(value, decimals, ROUND_DOWN)


def pushed_up(value: Decimal | Fraction, decimals: int) -> Decimal:
    """Return a figure as who always rounds up prints it."""
    return _rounded(value, decimals, ROUND_UP)


def digits(value: Decimal) -> int:
    """Return how many decimals a figure was written with: 14.50 has two."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def percent(part: Decimal, base: Decimal) -> Fraction | None:
    """Return part of base in per cent, exactly; None where there is no base."""
    return None if base == 0 else Fraction(part) * 100 / Fraction(base)


def _rounded(value: Decimal | Fraction, decimals: int, how: str) -> Decimal:
    scaled = Fraction(value) * 10**decimals
    whole, rest = divmod(abs(scaled.numerator), scaled.denominator)
    more = (how == ROUND_UP and rest > 0) or (how == ROUND_HALF_UP and 2 * rest >= scaled.denominator)
    number = whole + more
    signed = Decimal(-number if scaled < 0 else number)
    return signed.scaleb(-decimals, _WIDE)
