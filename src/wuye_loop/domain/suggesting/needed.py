"""Which characters a pattern needs: of these, every text that it is found in has at least one. Most patterns need not be tried."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from wuye_loop.domain.expressions import expression

# A piece of a pattern as this reads them: a plain class, a group, a repeat, a place, what is escaped, a character.
_PIECE = expression(r"\[\^?[^\[\]\\^]+\]|\(\?:|\{\d*,?\d*\}|\\[dswDSW.*+?()|{}^$/\-]|[^\\\[\]{}]", re.DOTALL)
_PLACES = frozenset("^$.")
_DEEPEST = 50
_MAY_BE_ABSENT = ("?", "*", "{0", "{,")

Needs = frozenset[str] | None
_Common = Callable[[Needs], int]


def needed(patterns: Iterable[str]) -> list[Needs]:
    """Return for each pattern of re2 characters of which a text that it is found in has at least one; None where it cannot be told.

    Only Han characters are named: they have no capitals. Where a pattern needs several, those are taken that the fewest patterns have.
    """
    every = list(patterns)
    met = Counter(character for pattern in every for character in set(pattern))

    def common(found: Needs) -> int:
        return sum(met[one] for one in found or ())

    return [_Reading(pattern, common).whole() for pattern in every]


class _Unread(Exception):
    """A pattern says something that is not read here."""


class _Reading:
    """One pattern as it is read, from left to right."""

    def __init__(self, pattern: str, common: _Common) -> None:
        self._pieces: Iterator[str] = iter(_pieces(pattern))
        self._common = common

    def whole(self) -> Needs:
        try:
            found, end = self._either()
        except _Unread:
            return None
        return found if end == "" else None

    def _either(self) -> tuple[Needs, str]:
        """Read alternatives to their end: what one of them needs, and which piece ended them."""
        every: list[Needs] = []
        while True:
            found, end = self._row()
            every.append(found)
            if end != "|":
                return (frozenset().union(*(one or () for one in every)) if all(every) else None), end

    def _row(self) -> tuple[Needs, str]:
        """Read what follows one another: the least common of what it needs, and which piece ended it."""
        best: Needs = None
        last: Needs = None  # not yet taken: a repeat may follow
        while True:
            piece = next(self._pieces, "")
            if (piece and piece in "?*+") or piece.startswith("{"):
                last = None if piece.startswith(_MAY_BE_ABSENT) else last
                continue
            if last is not None and (best is None or self._common(last) < self._common(best)):
                best = last
            if piece in ("", "|", ")"):
                return best, piece
            last = self._one(piece)

    def _one(self, piece: str) -> Needs:
        if piece in ("(", "(?:"):
            found, end = self._either()
            if end != ")":
                raise _Unread
            return found
        if piece in _PLACES or piece.startswith(("\\", "[^")):
            return None
        inside = piece[1:-1] if piece.startswith("[") else piece
        return frozenset(inside) if all(map(_is_han, inside)) else None


def _pieces(pattern: str) -> list[str]:
    found = [one[0] for one in _PIECE.finditer(pattern)]
    unread = "".join(found) != pattern or "(?" in pattern.replace("(?:", "") or pattern.count("(") > _DEEPEST
    return ["("] if unread else found  # a group that has no end


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"
