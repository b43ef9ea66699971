"""Texts from outside: cleaned on the way in, matched and searched by, masked on the way out. Pure, linear in the text."""

import unicodedata
from typing import Any

from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.expressions import expression
from wuye_loop.domain.sheets.cells import INVISIBLE

# One class of single characters each: nothing to backtrack over.
_FORBIDDEN = expression(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# What shows nothing by itself: spaces, marks that sit on another letter, and two that are called symbols and are empty.
_UNSEEN_KINDS = {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Mn", "Me"}
_EMPTY_SYMBOLS = {"\u2800", "\U0001d159"}
_LETTER = expression(r"[^\W_]")
_LINE_END = expression("\r\n?|[\u2028\u2029]")
_LIKE_SPECIAL = expression(r"([\\%_])")

# A building is a number, letter, numeral or direction followed by its word. 号院 (a gate number) may hold many buildings.
_BUILDING = expression(r"[0-9A-Za-z一二三四五六七八九十百零〇甲乙丙丁东西南北]{1,6}\s?(?:号\s?楼|#\s?楼|#|栋|幢|座)")
_COURT = expression(r"[0-9一二三四五六七八九十百零〇]{1,6}\s?号院")
# What must not stand before the building either: some write the room first.
_ROOM = expression(r"单元|室|层|楼道|门栋|\d{3,}\s?户|\d\s?门|\d\s?[-—–/]\s?\d|\d{5,}")


def clean(text: str, *, max_len: int) -> str:
    """Return a text fit to store and show: trimmed, one kind of line end, invisible characters gone.

    A text in which nothing can be seen is the empty text, so that whoever asks for words is not given a blank.
    BadValue, a ValueError in words, for control characters, lone surrogates, or more than `max_len` characters.
    """
    text = _LINE_END.sub("\n", _legible(text)).strip()
    if len(text) > max_len:
        raise BadValue(f"过长，最多 {max_len} 个字")
    return text if _LETTER.search(text) or any(map(_shows, text)) else ""


def legible(value: Any) -> Any:
    """Return a JSON value with the invisible characters gone from every text and every name in it; the rest stays as it came.

    BadValue for control characters and lone surrogates, and for two names that are then the same.
    """
    if isinstance(value, str):
        return _legible(value)
    if isinstance(value, list):
        return [legible(item) for item in value]
    if isinstance(value, dict):
        named = {_legible(name): legible(item) for name, item in value.items()}
        if len(named) != len(value):
            raise BadValue("有两个名称看起来一样")
        return named
    return value


def _legible(text: str) -> str:
    if _FORBIDDEN.search(text.replace("\r", "")):
        raise BadValue("含有不允许的控制字符")
    return INVISIBLE.sub("", text)


def _shows(letter: str) -> bool:
    return unicodedata.category(letter) not in _UNSEEN_KINDS and letter not in _EMPTY_SYMBOLS


def match_key(text: str) -> str:
    """Return what two spellings of one name share: NFKC, case folded, invisible characters and outer spaces gone."""
    return unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).casefold().strip()


def like_literal(text: str) -> str:
    """Return the text with LIKE's wildcards escaped by a backslash, so that `%` finds a per cent sign."""
    return _LIKE_SPECIAL.sub(r"\\\1", text)


def mask_address(address: str) -> str | None:
    """Return an address down to its building, or None when no building can be told from what it holds.

    Unit, floor and room never pass, nor does a text that names them before the building.
    """
    text = unicodedata.normalize("NFKC", INVISIBLE.sub("", address)).strip()
    found = _BUILDING.search(text) or _COURT.search(text)
    if found is None or _ROOM.search(text, 0, found.start()):
        return None
    return text[: found.end()]
