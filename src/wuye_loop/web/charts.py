"""Numbers of a picture: where bars and lines stand. Plain values that a template draws as SVG; no look, no text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (1, 2, 5)
_LEAST_INSIDE: Final = 20  # a share narrower than this has its figure outside


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a bar: from `x`, so wide; `inside` whether its figure fits."""

    x: float
    width: float
    n: int
    step: int
    inside: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """A line: its points as SVG writes them, where it ends, what is most and where."""

    points: str
    end: tuple[float, float]
    top: tuple[float, float]
    most: int
    most_at: int


def shares(parts: Sequence[tuple[int, int]], most: int, width: float) -> list[Share]:
    """Return the parts (step, number) of one bar side by side, where `most` is as wide as `width`."""
    found, x = [], 0.0
    for step, n in parts:
        wide = width * n / most if most > 0 else 0.0
        if n:
            found.append(Share(round(x, 1), round(wide, 1), n, step, wide >= _LEAST_INSIDE))
        x += wide
    return found


def ceiling(most: int) -> int:
    """Return a round number that nothing exceeds: 1, 2 or 5 times a power of ten, and at least 5."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size >= max(most, 5):
                return step * size
        size *= 10


def curve(values: Sequence[int], top: int, width: float, height: float) -> Curve:
    """Return the line through values that are evenly apart, with 0 at the bottom and `top` at the top."""
    gap = width / max(len(values) - 1, 1)
    points = [(round(n * gap, 1), round(height - height * value / top, 1)) for n, value in enumerate(values)]
    most = max(values, default=0)
    at = list(values).index(most) if values else 0
    text = " ".join(f"{x},{y}" for x, y in points)
    zero = (0.0, height)
    return Curve(text, points[-1] if points else zero, points[at] if points else zero, most, at)


def meter(n: float, most: float) -> int:
    """Return how full a meter is, of 100."""
    return round(100 * n / most) if most > 0 else 0
