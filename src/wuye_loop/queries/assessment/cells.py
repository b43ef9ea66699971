"""How the cells and tables of a bulletin read, whatever it is drawn as."""

import re
from decimal import Decimal
from typing import Final

from wuye_loop.queries.assessment.bulletin import Cell, Change, Sheet

WIDE: Final = 7  # columns from which a table gets smaller letters
LONG_OFFICE: Final = 12  # characters from which an office's name gets smaller letters
#: How a period is said in a title: it is never parted at the end of a line.
SPOKEN: Final = re.compile(r"\d{4}年(?:\d+月(?:\d+日)?|第\d+(?:周|季度)|[上下]半年)?")
_SHORT: Final = 9  # lines up to which a table stays on one page
_LINE: Final = 60  # characters that a line of a table holds


def text_of(cell: Cell) -> str:
    """Return a cell as it is printed; a blank is a dash."""
    if cell is None:
        return "—"
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def is_short(sheet: Sheet) -> bool:
    """Say whether a table is so short that it is not parted; a long name makes its row as high as some others."""
    room = max(4, _LINE // len(sheet.columns))
    lines = sum(max(-(-len(text_of(cell)) // room) for cell in row) for row in sheet.rows)
    return lines <= _SHORT


def is_words(cell: Cell) -> bool:
    """Say whether a cell is words, to the left; figures and by how much they differ stand to the right."""
    return isinstance(cell, str) and not isinstance(cell, Change)


def wide(words: str) -> int:
    """Return how much room words take: a Chinese sign is as wide as two letters."""
    return sum(1 if mark < "\u1100" else 2 for mark in words)
