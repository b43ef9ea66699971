"""Tables of wrapped words in SVG: columns of fixed widths, rows as high as their fullest cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wuye_loop.domain.drawing_text import safe, wrapped

SIZE: Final = 12
_LINE: Final = 17
_PAD: Final = 6
_SHORT: Final = 2  # digits that fit the circle at full size
INK: Final = "#1f2933"
RULE: Final = "#cbd2d9"
HEAD: Final = "#eef1f4"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading and its share of the width; a numbered one shows its cells in circles."""

    title: str
    share: float
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A piece of SVG and the height it takes."""

    parts: tuple[str, ...]
    height: float


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], x: float, y: float, width: float) -> Drawn:
    """Draw a table at (x, y); an empty one takes no room."""
    if not rows:
        return Drawn((), 0)
    whole = sum(column.share for column in columns)
    widths = [width * column.share / whole for column in columns]
    lefts = [x + sum(widths[:n]) for n in range(len(widths))]
    parts = [f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{_LINE + 2 * _PAD - 3:g}" fill="{HEAD}"/>']
    for column, left in zip(columns, lefts, strict=True):
        parts.append(words(column.title, left + _PAD, y + _PAD + 10, bold=True))
    top = y + _LINE + 2 * _PAD - 3
    for row in rows:
        cells = [wrapped(cell, room - 2 * _PAD, SIZE) for cell, room in zip(row, widths, strict=True)]
        height = max(map(len, cells)) * _LINE + _PAD
        for column, left, lines in zip(columns, lefts, cells, strict=True):
            if column.numbered and lines[0]:
                parts.append(f'<g class="entry">{circle(lines[0], left + _PAD + 9, top + _LINE / 2 + 3)}</g>')
            else:
                parts += [words(line, left + _PAD, top + 15 + n * _LINE) for n, line in enumerate(lines) if line]
        top += height
        parts.append(f'<path d="M{x:g} {top:g}h{width:g}" stroke="{RULE}" stroke-width="0.7"/>')
    return Drawn(tuple(parts), top - y)


def words(
    text: str, x: float, y: float, size: float = SIZE, *, bold: bool = False, fill: str = "", middle: bool = False
) -> str:
    """Draw one line of text with its foot at y."""
    style = f' font-size="{size:g}"' if size != SIZE else ""
    style += ' font-weight="bold"' if bold else ""
    style += f' fill="{fill}"' if fill else ""
    style += ' text-anchor="middle"' if middle else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{style}>{safe(text)}</text>'


def circle(number: str, x: float, y: float, *, ink: str = INK, dashed: bool = False) -> str:
    """Draw a number in a small circle; a dashed one where the system may act by itself."""
    dash = ' stroke-dasharray="2.6 1.8"' if dashed else ""
    size = 10 if len(number) <= _SHORT else 8
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8.5" fill="#ffffff" stroke="{ink}"{dash}/>'
        f'<text x="{x:.1f}" y="{y + size * 0.36:.1f}" font-size="{size}" text-anchor="middle">{safe(number)}</text>'
    )
