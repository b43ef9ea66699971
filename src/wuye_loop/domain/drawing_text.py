"""How words fit into a picture: measured without a font (a Chinese sign is 1 em, others 0.55), wrapped, made safe."""

import re
import unicodedata
from html import escape
from typing import Final

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
