"""Tables of wrapped words in SVG: columns of fixed widths, rows as high as their fullest cell."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

# How words fit into a picture: measured without a font (a Chinese sign is 1 em, others 0.55), wrapped, made safe.

_LATIN: Final = 0.55
_NOT_FIRST: Final = frozenset("，。；：、！？）〕》”’…,.;:!?)]}%")
_NOT_LAST: Final = frozenset("（〔《“‘([{")
_PIECE: Final = re.compile(r"[!-~]+|\s+|.", re.DOTALL)  # a Latin word is kept whole, every other sign may begin a line


def plain(text: str) -> str:
    """Return text on one line without signs that have no shape or that XML does not know."""
    kept = (" " if sign.isspace() else sign for sign in text if sign.isspace() or unicodedata.category(sign)[0] != "C")
    return " ".join("".join(kept).split())


def safe(text: str) -> str:
    """Return text as it may stand in XML, in an element or an attribute."""
    return escape(plain(text))


def width(text: str, size: float) -> float:
    """Return how wide a line of text is, in pixels, at a font size."""
    return sum(1 if unicodedata.east_asian_width(sign) in "WFA" else _LATIN for sign in text) * size


def wrapped(text: str, room: float, size: float, most: int = 99) -> list[str]:
    """Break text into lines no wider than `room`; what is beyond `most` lines is cut with an ellipsis."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(plain(text), room, size):
        if width(line + piece, size) <= room:
            line += piece
            continue
        line, carried = _parted(line, piece)
        lines.append(line.rstrip())
        line = (carried + piece).lstrip()
    lines.append(line.rstrip())
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and width(f"{last}…", size) > room:
        last = last[:-1]
    return [*lines[: most - 1], f"{last}…"]


def _pieces(text: str, room: float, size: float) -> list[str]:
    """Cut text into what is kept together; a word that is wider than the room is cut anywhere."""
    found: list[str] = []
    for piece in _PIECE.findall(text):
        found += [piece] if width(piece, size) <= room else list(piece)
    return found


def _parted(line: str, following: str) -> tuple[str, str]:
    """Say what of a full line goes over to the next: a line does not begin with a closing sign or end with an opening one."""
    cut = len(line)
    while cut > 1 and (line[cut - 1] in _NOT_LAST or (cut == len(line) and following[0] in _NOT_FIRST)):
        cut -= 1
    return (line[:cut], line[cut:]) if cut > 1 else (line, "")


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
