"""A text as it is searched: one form for every way in which a character may be written, each with its place in the text."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path

# Where characters live that stand for one of ASCII, or for a digit; ideographs and Hangul between them have none.
_FOLDABLE = (
    range(0x41, 0x5B),
    range(0x80, 0x3400),
    range(0xA000, 0xAC00),
    range(0xF900, 0x12000),
    range(0x1D400, 0x1D800),
    range(0x1F100, 0x1F200),
    range(0x2F800, 0x2FA20),
)
# Numerals that input methods offer beside ①: 〡 to 〩 and ㈠ to ㈨ are no one character's form of compatibility.
_OFFERED = dict(zip([*range(0x3021, 0x302A), *range(0x3220, 0x3229)], "123456789一二三四五六七八九", strict=True))
# Marks that sit on a character, and characters that are not seen: between two others they are nothing.
_UNSEEN = (
    "\u00ad\u0300-\u036f\u0483-\u0489\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20f0\u302a-\u302d\u3099\u309a\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff"
    "\uffa0\U000e0000-\U000e01ef"
)
# What stands for several digits: ⑩ ⑽ ⒑ ⓾ ㉑ ㊱.
_SEVERAL = "\u2469-\u2473\u247d-\u2487\u2491-\u249b\u24eb-\u24f4\u24fe\u3251-\u325f\u32b1-\u32bf"
_UNEVEN = re.compile(f"[{_UNSEEN}{_SEVERAL}]")
# Letters of other scripts that look like those of a number plate or an account.
_LOOKALIKES = dict(
    zip(map(ord, "АВЕКМНОРСТУХавекмнорстухΑΒΕΖΗΙΚΜΝΟΡΤΥΧοі"), "abekmhopctyxabekmhopctyxabezhikmnoptyxoi", strict=True)
)
NO_DIGIT = re.compile(r"\D")
NUMERALS = "零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两弍弌"
_NUMERALS = str.maketrans(
    NUMERALS,
    "000" "123456789" "1" "123456789" "2" "21",
)  # fmt: skip
# Letters that are typed for digits, where they stand among digits.
_TYPED = re.compile(r"(?<=\d)[oil](?=[\doil])|(?<![a-z\d])[il](?=[3-9]\d)")
_TYPED_FOR = {"o": "0", "i": "1", "l": "1"}
# 參 is a numeral of deeds, but the first character of 参加 everywhere else.
_THREE = re.compile(r"(?<=\d)参(?=\d)")


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """A text in its one form; equal to no other, so that what is found in it can be kept by it.

    `plain` has small letters, half width, common characters; `digits` is the same with numerals as digits, place by
    place. `places` are the places of their characters in the text, where these are not the same. `has` are the characters of
    both forms: what is looked for and has one that is not among them is nowhere in the text.
    """

    text: str
    plain: str
    digits: str
    has: frozenset[str]
    places: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the text a part of `plain` stands, with the unseen characters inside it."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def occurrences(text: str, word: str) -> Iterator[int]:
    """Yield every place at which a word stands in a text, also where two of them overlap."""
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


@lru_cache(maxsize=8)  # an order's texts are read for who complains, then struck
def fold(text: str) -> Folded:
    """Return a text in its one form; linear in the text."""
    plain = text.translate(_folds())
    places = None
    if _UNEVEN.search(plain) is not None:
        plain, places = _evened(plain)
    digits = plain.translate(_NUMERALS)
    if "o" in digits or "l" in digits or "i" in digits:
        digits = _TYPED.sub(lambda found: _TYPED_FOR[found[0]], digits)
    if "参" in digits:
        digits = _THREE.sub("3", digits)
    return Folded(text, plain, digits, frozenset(plain).union(digits), places)


def plain_form(text: str) -> str:
    """Return the one form of a text alone, for what is looked for."""
    return fold(text).plain


def _evened(text: str) -> tuple[str, list[int]]:
    """Leave out the unseen, write out what stands for several digits, and keep where each character came from."""
    pieces: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if _UNEVEN.match(character):
            character = _digits_of(character)  # noqa: PLW2901 nothing, for what is unseen
        pieces.append(character)
        places += [place] * len(character)
    return "".join(pieces), places


def _digits_of(character: str) -> str:
    number = unicodedata.numeric(character, None)
    return str(int(number)) if number is not None else ""


@cache
def _folds() -> dict[int, str]:
    folds = dict.fromkeys(range(0xD800, 0xE000), "?")
    for code in chain.from_iterable(_FOLDABLE):
        character = chr(code)
        form = unicodedata.normalize("NFKC", character)
        digit = unicodedata.digit(character, None)
        if digit is not None:
            folds[code] = str(digit)
        elif len(form) == 1:
            small = form.lower()
            folds[code] = small if len(small) == 1 else form
    folds |= _OFFERED
    folds = {code: form for code, form in folds.items() if form != chr(code)}
    folds |= dict(_LOOKALIKES)
    for line in Path(__file__).with_name("variants.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            folds |= dict.fromkeys(map(ord, line[1:]), line[0])
    # A compatibility form may stand for a character that has a commoner form itself.
    return {code: folds.get(ord(form), form) for code, form in folds.items()}
