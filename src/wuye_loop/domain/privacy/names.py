"""Names of people: read out of what a form says, and found in a text however they are written."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.privacy.folding import Folded, occurrences, plain_form
from wuye_loop.domain.privacy.name_words import (
    ADDRESSED,
    BESIDE,
    CALLED,
    COMPOUND,
    MEANT,
    NOBODY,
    ORDINARY,
    SURNAMES,
    WORDS,
)

Span = tuple[int, int]

_HAN: Final = "\u3007\u3400-\u9fff\U00020000-\U0003134f"
_ALL_HAN = expression(f"[{_HAN}]+")
_LETTER = expression(r"[^\W\d_]")
_NOTE = expression(r"[(（\[【<《{]([^)）\]】>》}]{0,40})[)）\]】>》}]?")
_BETWEEN = expression(r"[、，,;；/|&+\n\t]|\s{2,}")
_TOGETHER = expression("[和与跟及]")
_NO_PART = expression(r"[^\w*×○●□·•‧・.' -]")
_NUMBERED = expression(r"[\d+@].*")
_POINTS = expression(r"[·•‧・.\-]")
_MASK = expression(r"[*×x○●□_某]+")
# What may stand between the characters of a name of two: of more it may be anything but the end of a sentence.
_FINE = expression(r"[\s\u3000\u00a0·•‧・.\-—–_*~'\"`^|/\\+=#&,，、()\[\]【】<>]{1,3}")
_STOPS: Final = "。！？!?；;"
_KEPT: Final = f"\u3007{_STOPS}"
_NO_LETTERS = expression(f"[^{_HAN}{_STOPS}]+")
_GAP: Final = 4  # characters between two of a longer name
_LONGEST: Final = 24
_SHORTEST_WORD: Final = 4  # letters of a part of a foreign name that is looked for alone
_FULL: Final = 2
_LONG: Final = 3
# A numeral that ends a name of two, before one of these: 小张 三楼.
_COUNTED = expression(r"[楼层号栋幢座单个天次年月日点时元米户级期组排区队]")


@dataclass(frozen=True, slots=True)
class Names:
    """What is looked for of people's names, all in their one form.

    `whole` are names of two characters and more, `given` what of them people are called by, `surnames` those that count
    where they stand as one's address, `foreign` names in letters, without what stands between.
    """

    whole: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    surnames: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()

    def __or__(self, other: "Names") -> "Names":
        """Return both."""
        if self is NO_NAMES or other is NO_NAMES:
            return other if self is NO_NAMES else self
        return Names(
            self.whole | other.whole,
            self.given | other.given,
            self.surnames | other.surnames,
            self.foreign | other.foreign,
        )

    def __bool__(self) -> bool:
        """Say whether there is anything to look for."""
        return bool(self.whole or self.surnames or self.foreign)


NO_NAMES: Final = Names()


def read_names(written: str) -> Names:
    """Return whom the name field of an order names; honorifics, notes and what stands for nobody are no part of it."""
    found = NO_NAMES
    for piece in _pieces(plain_form(written)):
        found |= _one(piece)
    return found


def is_full_name(written: str) -> bool:
    """Say whether a text in its one form is a surname with a name of one or two characters, and nothing else."""
    return _is_full(_trimmed(written))


def _pieces(plain: str) -> Iterator[str]:
    """Yield each name that is written in one field, its notes apart."""
    for note in _NOTE.findall(plain):
        yield from (piece for piece in _BETWEEN.split(note) if _is_full(_trimmed(piece)))
    plain = _NUMBERED.sub("", _NOTE.sub("、", plain))  # a number beside a name is no part of it
    for piece in _BETWEEN.split(plain):
        parts = piece.split()
        if len(parts) > 1 and all(len(part) >= _FULL and _ALL_HAN.fullmatch(part) for part in parts):
            yield from parts  # 张三丰 李四: 张 三丰 is one
            continue
        halves = _TOGETHER.split(piece, maxsplit=1)
        if len(halves) > 1 and all(_is_full(_trimmed(half)) for half in halves):
            yield from halves
            continue
        yield piece


def _is_full(name: str) -> bool:
    return _FULL <= len(name) <= _GAP and bool(_ALL_HAN.fullmatch(name)) and _surname(name) is not None


def _surname(name: str) -> str | None:
    if name[:2] in COMPOUND and len(name) > _FULL:
        return name[:2]
    return name[0] if name[:1] in SURNAMES else None


def _trimmed(piece: str) -> str:
    """Return a name without how its bearer is addressed and what he is in the matter."""
    name = _NO_PART.sub("", piece).strip(" .-_'·•‧・")
    while name.endswith(BESIDE) or name.startswith(BESIDE):
        for word in BESIDE:
            if name.endswith(word) and len(name) >= len(word):
                # 王女 is a name, 王雪女 is a woman's: a single character is cut only where a name is left.
                if len(word) == 1 and len(name) <= _LONG and word not in "男女":
                    continue
                name = name[: -len(word)].rstrip()
                break
            if name.startswith(word) and len(word) > 1:
                name = name[len(word) :].lstrip(" :：")
                break
        else:
            break
    return name


_NOBODY_AT_ALL: Final = tuple(word for word in NOBODY if len(word) > 1)


def _one(piece: str) -> Names:
    name = _trimmed(piece)
    if not name or name in NOBODY or name.startswith(_NOBODY_AT_ALL):
        return NO_NAMES
    if masked := _MASK.search(name):
        name = name[: masked.start()]
        return Names(surnames=frozenset({name})) if 0 < len(name) <= _FULL and _ALL_HAN.fullmatch(name) else NO_NAMES
    key = "".join(_LETTER.findall(name))
    if not key or len(key) > _LONGEST:
        return NO_NAMES
    if not _ALL_HAN.fullmatch(key):
        return _foreign(name, key)
    if len(key) == 1:
        return Names(surnames=frozenset({key}))
    return _full(name, key)


def _full(name: str, key: str) -> Names:
    if key in COMPOUND:  # 慕容女士
        return Names(surnames=frozenset({key}))
    parts = [part for part in _POINTS.split(name) if part]
    if len(parts) > 1 and len(key) > _GAP:  # 阿依古丽·买买提: people are called by either
        return Names(whole=frozenset({key}), given=frozenset(part for part in parts if len(part) >= _FULL))
    surname = _surname(key) if len(key) <= _GAP else None
    if surname is None:
        return Names(whole=frozenset({key}))
    rest = key[len(surname) :]
    given = frozenset({rest}) if len(rest) >= _FULL else frozenset()
    return Names(frozenset({key}), given, frozenset({surname}))


def _foreign(name: str, key: str) -> Names:
    """Read a name in letters; of each part that is long enough a bearer is called by it alone."""
    parts = ["".join(_LETTER.findall(part)) for part in re.split(r"[\s·•‧・.,\-]+", name)]
    parts = [part for part in parts if part]
    alone = {part for part in parts if len(part) >= _SHORTEST_WORD or (len(part) >= _FULL and _ALL_HAN.fullmatch(part))}
    turned = "".join(reversed(parts))
    return Names(foreign=frozenset({key, turned, *alone} if len(key) >= _FULL else ()))


# --- finding --------------------------------------------------------------------------------------------------------


def find_names(folded: Folded, names: Names) -> Iterator[Span]:
    """Yield where the names stand in the one form of a text."""
    plain, has = folded.plain, folded.has
    if names.whole or names.given:
        there = [name for name in (*names.whole, *names.given) if has.issuperset(name)]
        if there:
            yield from _spread(plain, there)
            yield from _fine(plain, there, names.whole)
        yield from _cut_short(plain, [name for name in names.whole if has.issuperset(name[:-1])])
    if surnames := [surname for surname in names.surnames if has.issuperset(surname)]:
        yield from _addressed(plain, surnames, {name[-1] for name in names.whole})
    if foreign := [name for name in names.foreign if has.issuperset(name)]:
        yield from _in_letters(plain, foreign)


def _spread(plain: str, names: Sequence[str]) -> Iterator[Span]:
    """Find names of three characters and more, whatever stands between their characters but the end of a sentence."""
    longer = [name for name in names if len(name) >= _LONG]
    if not longer:
        return
    letters = _NO_LETTERS.sub("", plain)
    places: list[int] | None = None
    for name in longer:
        at = letters.find(name)
        while at >= 0:
            if places is None:
                places = [
                    n
                    for n, one in enumerate(plain)
                    if "\u3400" <= one <= "\u9fff" or one in _KEPT or one >= "\U00020000"
                ]
                letters = "".join(plain[n] for n in places)
                at = letters.find(name)
                continue
            start, end = places[at], places[at + len(name) - 1] + 1
            if end - start <= len(name) + _GAP * (len(name) - 1):
                yield start, end
            at = letters.find(name, at + 1)


def _cut_short(plain: str, names: Sequence[str]) -> Iterator[Span]:
    """Find longer names whose last character is hidden: 刘德*, 刘德某."""
    for name in names:
        head = name[:-1]
        for at in occurrences(plain, head) if len(name) >= _LONG else ():
            if hidden := _HIDDEN.match(plain, at + len(head)):
                yield at, hidden.end()


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or character == "\u3007" or character >= "\U00020000"


def _fine(plain: str, names: Sequence[str], whole: Collection[str]) -> Iterator[Span]:
    """Find names of two characters, and given names alone; between their characters only what separates letters."""
    for name in names:
        if len(name) != _FULL:
            continue
        for start, end in _pairs(plain, name):
            apart = end - start > _FULL
            if apart and name[1] in "一二三四五六七八九十" and _COUNTED.match(plain, end):
                continue
            if name in whole or name not in WORDS or _meant(plain, start, end):
                yield start, end


def _pairs(plain: str, name: str) -> Iterator[Span]:
    first, second = name[0], name[1]
    for at in occurrences(plain, first):
        after = at + 1
        if found := _FINE.match(plain, after):
            after = found.end()
        if plain.startswith(second, after):
            yield at, after + 1


def _meant(plain: str, start: int, end: int) -> bool:
    """Say whether a word stands where it can only be somebody's name."""
    return plain.startswith((*ADDRESSED, *MEANT), end) or plain.endswith(CALLED, 0, start)


_OLD_OR_YOUNG: Final = ("老", "小", "阿")
# 业主张 反映, 业主老张, 张家3号楼: the surname is all that is said of somebody.
_NO_NAME_AFTER = expression(rf"[^{_HAN}]|$|家|反映|来电|投诉|说|称|表示|本人")
_AT_HOME = expression(r"家\s?(?=[\d住在门里漏])")
# 慕容路, 诸葛村: a surname of two characters is somebody's but for these.
_PLACE = expression(r"[路街巷村庄镇乡山湖河桥寺坊里苑园府城]|大道|小区|花园|社区|公园|集团|公司")
_HIDDEN = expression(r"\s?(?:[*×○●□某]{1,3}|x{1,2}(?![a-z]))")
_LOOKED_BACK: Final = 10


def _addressed(plain: str, surnames: Sequence[str], tails: Collection[str]) -> Iterator[Span]:
    """Find surnames where somebody is addressed by one (慕容女士, 张某某, 业主老张), and names with their middle hidden."""
    for surname in surnames:
        for at in occurrences(plain, surname):
            end = at + len(surname)
            if plain.startswith(ADDRESSED, end):
                word = next(one for one in ADDRESSED if plain.startswith(one, end))
                end += len(word)
                if word == "某" and plain[end : end + 1] in tuple("些种个天处"):  # 由于某些
                    continue
                yield at, end + (word.startswith("某") and plain[end : end + 1] in tails)
            elif plain[at - 1 : at] in ("老", "小") and plain.startswith("家", end):
                yield at - 1, end
            elif hidden := _HIDDEN.match(plain, end):
                yield at, hidden.end() + (plain[hidden.end() : hidden.end() + 1] in tails)
            elif len(surname) == _FULL and surname not in ORDINARY and not _PLACE.match(plain, end):
                yield at, end
            elif home := _AT_HOME.match(plain, end):
                yield at, home.end() - 1
            else:
                start = at - 1 if at and plain[at - 1] in _OLD_OR_YOUNG else at
                before = plain[max(0, start - _LOOKED_BACK) : start].rstrip(' :：,，是为(（"“')
                when = surname == "于" and plain[end : end + 1].isdigit()  # 本人于2018年
                if not when and before.endswith(CALLED) and _NO_NAME_AFTER.match(plain, end):
                    yield start, end


def _in_letters(plain: str, names: Sequence[str]) -> Iterator[Span]:
    """Find names in letters as whole words, in any spacing."""
    places = [n for n, one in enumerate(plain) if one.isalpha()]
    letters = "".join(plain[n] for n in places)
    for name in names:
        for at in occurrences(letters, name):
            start, end = places[at], places[at + len(name) - 1] + 1
            whole = not _same_word(plain, start, -1) and not _same_word(plain, end - 1, 1)
            if whole and end - start <= len(name) + _GAP * (len(name) - 1):
                yield start, end


def _same_word(plain: str, place: int, step: int) -> bool:
    """Say whether the next character belongs to the same word: letters go on, ideographs always end one."""
    beside = place + step
    if not 0 <= beside < len(plain):
        return False
    here, there = plain[place], plain[beside]
    return here.isalpha() and there.isalpha() and not _is_han(here) and not _is_han(there)
