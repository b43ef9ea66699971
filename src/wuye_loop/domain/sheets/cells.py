"""What a cell holds once a spreadsheet's own marks are taken off: guards, widths, decimal points, lost digits."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final

# Zero-width, direction-turning, filling and tag characters: they make two texts look alike, or one look like another.
# Variation selectors stay: names are written with them.
INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
_GUARD: Final = re.compile(r'\s*=\s*"((?:[^"]|"")*)"\s*', re.DOTALL)
_FORMULA: Final = "=+-@\t\r"
_POWER: Final = re.compile(r"[+-]?\d(?:[.,]\d*)?[eE]\+\d{1,3}")
_POINT: Final = re.compile(r"(\d+)\.0+")
_MANY: Final = 15  # digits that a spreadsheet keeps of a number
_EXACT: Final = 2**53  # below it every whole number is itself
_CERTAIN: Final = 3  # zeros after the fifteenth digit: one number in a thousand ends so by itself
_EMPTY: Final = re.compile(r"[-—–－_/\\.。无空]{1,4}|null|none|n/?a|nan|不详|未知|未留|未提供", re.IGNORECASE)


class Number(str):
    """A numeric cell of a workbook, as its file writes the number."""

    __slots__ = ()


class Broken(str):
    """A cell that shows an error, or a formula whose result is not in the file."""

    __slots__ = ()


def is_blank(cell: str) -> bool:
    """Say whether nothing is to be seen in a cell."""
    return not cell or not INVISIBLE.sub("", cell).strip()


def text_of(cell: str) -> str:
    """Return a cell as a text: guards off, a number without the decimal point it never had."""
    if isinstance(cell, Number):
        return number_text(cell)
    guarded = _GUARD.fullmatch(cell)
    if guarded is not None:
        cell = guarded[1].replace('""', '"')
    elif cell[:1] == "'" and cell[1:2] in tuple(_FORMULA):
        return text_of(cell[1:])
    return cell.strip()


def number_text(raw: str) -> str:
    """Return a number's digits; with its power of ten where digits are lost, so that nobody takes it for an id."""
    try:
        number = Decimal(raw)
    except InvalidOperation:
        return raw.strip()
    if not number.is_finite() or number != number.to_integral_value():
        return f"{float(number):.15g}" if number.is_finite() else raw.strip()
    digits = format(number.to_integral_value(), "f")
    bare = digits.lstrip("-")
    if len(bare) <= _MANY or (abs(number) < _EXACT and not bare.endswith("0")):
        return digits
    return f"{number:.14E}"


def id_text(cell: str) -> str:
    """Return an id or a phone as its system wrote it: guards, widths, spaces and what cannot be seen are gone."""
    text = unicodedata.normalize("NFKC", INVISIBLE.sub("", text_of(cell))).strip().lstrip("'‘’`").strip()
    text = "".join(text.split())
    guarded = _GUARD.fullmatch(text)
    if guarded is not None:
        text = guarded[1].replace('""', '"').strip()
    pointed = _POINT.fullmatch(text)
    return pointed[1] if pointed is not None else text


def lost_digits(text: str) -> bool:
    """Say whether an id (as `id_text` gives it) was a number that a spreadsheet rounded."""
    if _POWER.fullmatch(text):
        return True
    return text.isdecimal() and len(text) >= _MANY + _CERTAIN and not text[_MANY:].strip("0")


def maybe_lost(text: str) -> bool | None:
    """Say of a long number whether all after the fifteenth digit is zero; None for what is no such number.

    One such proves nothing; a whole column of them does.
    """
    if not text.isdecimal() or len(text) <= _MANY:
        return None
    return not text[_MANY:].strip("0")


def says_nothing(text: str) -> bool:
    """Say whether a text only says that there is none: 无, —, N/A."""
    return _EMPTY.fullmatch(text.strip()) is not None


def safe(cell: str) -> str:
    """Return a cell as it may be written for a spreadsheet: a quote before what it would run as a formula.

    `text_of` takes the quote off again.
    """
    text = number_text(cell) if isinstance(cell, Number) else cell
    return f"'{text}" if text[:1] in tuple(_FORMULA) and text else text
