"""Room numbers: read out of an address, and found in a text in every way people write one: 2907, 29-07, 29楼07, 二九〇七."""

import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Final

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.privacy.folding import Folded
from wuye_loop.domain.privacy.spared import Lists, is_no_room

Span = tuple[int, int]

_SUFFIX = expression(r"\s?(?:室|户(?!型)|房间?|号[房室户]?)")
_FLOOR: Final = r"(?:\d{1,2}|\d?十\d?)"
_SIDES: Final = "东南西北中左右"
# 29-07, 29楼07, 29F-07, 29层7户; 九楼东户.
_PARTED = expression(
    rf"(?<![\d.])(?P<floor>{_FLOOR})\s?(?:(?P<by>[楼层f]|[-—–_/\\#.·+~ ]{{1,2}})[-\s]?"
    r"(?P<door>\d{1,2})(?![\d.]|\s?(?:楼|层|栋|幢|单元|号楼|号院|门\s?\d))"
    rf"|[楼层]?\s?(?P<side>[{_SIDES}]{{1,2}})\s?(?:边?户|手边?户?|首|门|室|房))"
)
# What follows a day, an hour, a price or a count: 12-03日, 12-03:30.
_NO_PAIR = expression(r"\s?(?:日(?!常)|[:：]\d|月|时|点|元|万|%|米|㎡|平方|岁|人|年|天|周|分|[-/.]\d)")
_YEAR_BEFORE = expression(r"(?:(?:19|20)\d\d[-./年]|\d月|[:：])\s?$")
_BARE = expression(r"(?<![\d.])(\d{3,5})([a-d](?![a-z0-9]))?(?!\d|\.\d)")
_SPACED = expression(r"(?<!\d)\d(?:[\s\-.·_*,、/|]{1,2}\d){2,4}(?!\d)")
_ENUMERATED = expression(r"\s?(?:号|栋|幢|座|楼|层|单元|期|组|区|项|点|条|款|元|万)")
# 二千九百零七, 五百零一: what stays of them when numerals are digits.
_SPOKEN = expression(r"(?<!\d)(?:(\d)千)?(\d)百(?:(\d)?十(\d)?|0?(\d)|)(?![\d十百千万])")

# Before the door in an address: what a number of three digits and more is a room after.
_IN_ADDRESS = expression(
    r"(?:单元|号楼|[栋幢座楼弄院门户#\-—–－/\\.,，、\s号]|(?<![a-z])[a-z])\s?(\d{3,5})([a-d](?![a-z0-9]))?"
    r"(?!\d|\s?(?:号楼|号院|弄|栋|幢|单元|楼|座|#))"
)
_ALONE = expression(r"^\s*(\d{3,5})([a-d])?\s*(?:室|户|房|号)?\s*$")


def read_doors(digits: str) -> frozenset[str]:
    """Return the room numbers of an address in its one form, numerals as digits: 2907, 501, 9东."""
    written = (*_IN_ADDRESS.findall(digits), *_ALONE.findall(digits))
    found = {form for number, letter in written for form in (number, number + letter)}
    for pair in _PARTED.finditer(digits):
        by = pair["by"]
        # 3-2-29-07: the last two of four; 3-29-07: nothing else begins with 0.
        if by is None or by in "楼层f" or digits.count(by) > _BUILDING_UNIT or pair["door"].startswith("0"):
            found.add(_door_of(pair) or "")
    return frozenset(found - {""})


_BUILDING_UNIT: Final = 2


def _door_of(found: re.Match[str]) -> str | None:
    floor = _number(found["floor"])
    if not floor:
        return None
    if found["side"]:
        return f"{floor}{found['side']}"
    return f"{floor}{int(found['door']):02}" if int(found["door"]) else None


def _number(written: str) -> int:
    """Return what 29, 2十9, 十2, 2十 say."""
    tens, ten, ones = written.partition("十")
    return int(tens or 1) * 10 + int(ones or 0) if ten else int(written)


def find_doors(folded: Folded, doors: Collection[str]) -> Iterator[Span]:
    """Yield where one of these rooms stands in the one form of a text, its suffix with it.

    Not where the number surely counts or prices something, nor in a list or a range of rooms: those name nobody.
    """
    digits = folded.digits
    # Where the first and the last digit of a room do not occur, nothing of it does; but ten may be written as one word.
    doors = [one for one in doors if "十" in digits or (one[0] in digits and one[-1] in digits)]
    if not doors:
        return
    lists = Lists(digits)
    for start, end in chain(_bare(folded, doors), _apart(digits, doors)):
        if not lists.has(start, end):
            suffix = _SUFFIX.match(digits, end)
            yield start, suffix.end() if suffix else end


def _bare(folded: Folded, doors: Collection[str]) -> Iterator[Span]:
    """Yield 2907, also where the word after it would read as a digit (2907一直漏)."""
    for text in {folded.digits, folded.plain}:
        for found in _BARE.finditer(text):
            if (found[1] in doors or found[0] in doors) and not is_no_room(text, *found.span(1)):
                yield found.span()


def _apart(digits: str, doors: Collection[str]) -> Iterator[Span]:
    """Yield 29-07, 29楼07, 2 9 0 7, 二千九百零七."""
    for found in _PARTED.finditer(digits):
        if _door_of(found) in doors and not _is_no_pair(digits, found):
            yield found.span()
    for found in _SPACED.finditer(digits):
        if re.sub(r"\D", "", found[0]) in doors and not _ENUMERATED.match(digits, found.end()):
            yield found.span()
    for found in _SPOKEN.finditer(digits) if "百" in digits else ():
        if str(_spoken(found)) in doors and not is_no_room(digits, *found.span()):
            yield found.span()


def _is_no_pair(digits: str, found: re.Match[str]) -> bool:
    """Say whether 12-03 is a day, an hour or a range rather than a floor and a door."""
    if found["by"] is None or found["by"] in "楼层f":
        return False
    before = digits[max(0, found.start() - 6) : found.start()]
    return bool(_NO_PAIR.match(digits, found.end()) or _YEAR_BEFORE.search(before))


def _spoken(found: re.Match[str]) -> int:
    """Return what 2千9百07, 5百01, 5百1十2 say."""
    thousands, hundreds, tens, ones, last = found.groups()
    rest = int(tens or 1) * 10 + int(ones or 0) if "十" in found[0] else int(last or 0)
    return int(thousands or 0) * 1000 + int(hundreds) * 100 + rest
