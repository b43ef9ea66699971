"""Numbers of a picture: where bars and lines stand. Plain values that a template draws as SVG; no look, no text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
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


#: A cell of a grid of tiles: column, row.
Cell = tuple[int, int]


def by_place(at: Sequence[tuple[float, float]], columns: int) -> list[Cell]:
    """Return a cell for each place (lon, lat): rows from north to south, in each row from west to east.

    Rows are as full as one another, and no wider than `columns`: where a place lies among the others is kept about right.
    """
    if not at:
        return []
    wide = min(columns, ceil(sqrt(len(at) * 4 / 3)))
    rows = ceil(len(at) / wide)
    order = sorted(range(len(at)), key=lambda n: (-at[n][1], at[n][0], n))
    cells: dict[int, Cell] = {}
    for row in range(rows):
        here = order[row * len(at) // rows : (row + 1) * len(at) // rows]
        for column, n in enumerate(sorted(here, key=lambda n: (at[n][0], n))):
            cells[n] = (column, row)
    return [cells[n] for n in range(len(at))]


def by_group(groups: Sequence[str], columns: int) -> list[Cell]:
    """Return a cell for each member of groups that stand together: each group begins a row, and goes on below when it is full."""
    cells: list[Cell] = []
    row, column, before = -1, 0, None
    for group in groups:
        if group != before or column == columns:
            row, column, before = row + 1, 0, group
        cells.append((column, row))
        column += 1
    return cells


def borders(cells: Mapping[Cell, str], width: float, height: float) -> str:
    """Return the lines between tiles of different groups, and around them all, as the path of an SVG."""
    found = []
    for (column, row), group in sorted(cells.items()):
        x, y = column * width, row * height
        if cells.get((column + 1, row)) != group:
            found.append(f"M{x + width:g} {y:g}v{height:g}")
        if cells.get((column, row + 1)) != group:
            found.append(f"M{x:g} {y + height:g}h{width:g}")
        if (column - 1, row) not in cells:
            found.append(f"M{x:g} {y:g}v{height:g}")
        if (column, row - 1) not in cells:
            found.append(f"M{x:g} {y:g}h{width:g}")
    return "".join(found)


def bands(most: int, steps: int) -> list[tuple[int, int]]:
    """Return at most so many bands of whole numbers, as wide as one another, from 1 until `most` is covered."""
    wide = max(1, ceil(most / steps))
    return [(low, low + wide - 1) for low in range(1, most + 1, wide)]


def band_of(n: int, among: Sequence[tuple[int, int]]) -> int:
    """Return in which band a number lies, from 1; 0 for nothing."""
    return next((place for place, (low, high) in enumerate(among, 1) if low <= n <= high), 0)
