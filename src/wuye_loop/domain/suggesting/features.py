"""A text as counts of hashed characters: what a learned model sees of a complaint, and no more."""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence

BITS = 20  # of a feature's number: collisions cost accuracy, numbers cost nothing
TITLE, WHOLE = 1, 2  # the parts: a title's characters count by themselves, and once more among all
MOST = 300  # characters of a body that are read: what is wanted is said early, and 2 ms are enough for these

_DIGITS = re.compile(r"\d+")
_OTHERS = re.compile(r"[\W_]+")
_MIX = 0x9E3779B97F4A7C15  # 2^64 by the golden ratio: spreads neighbouring code points
_WORD = (1 << 64) - 1
_SHIFT = 64 - BITS


def plain(text: str) -> str:
    """Return a text as it is compared: one width, one case, any number as 0, anything but letters as one space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _OTHERS.sub(" ", _DIGITS.sub("0", folded)).strip()


def numbers(part: int, text: str) -> list[int]:
    """Return the number of each character and each pair of neighbours of a plain text, in their order, singles first."""
    codes = [ord(letter) for letter in text]
    salt = part * 0xD1342543DE82EF95
    singles = [((code * _MIX + salt) & _WORD) >> _SHIFT for code in codes]
    pairs = [(((one << 21 | two) * _MIX + salt) & _WORD) >> _SHIFT for one, two in itertools.pairwise(codes)]
    return singles + pairs


def counted(found: Iterable[int]) -> dict[int, int]:
    """Return how often each number stands there."""
    counts: dict[int, int] = {}
    for one in found:
        counts[one] = counts.get(one, 0) + 1
    return counts


def parts_of(title: str, body: str) -> tuple[tuple[int, str], tuple[int, str]]:
    """Return the two texts a model reads, each with its part: the title, and the title with the beginning of the body."""
    head = plain(title[:MOST])
    return (TITLE, head), (WHOLE, f"{head} {plain(body[: 2 * MOST])[:MOST]}".strip())


def features(title: str, body: str) -> Sequence[tuple[int, dict[int, int]]]:
    """Return the counts of both parts."""
    return [(part, counted(numbers(part, text))) for part, text in parts_of(title, body)]
