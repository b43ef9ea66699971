"""What is known of who complained, made ready to be looked for: names, telephones, rooms, all in their one form."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.privacy.doors import read_doors
from wuye_loop.domain.privacy.folding import NO_DIGIT, fold
from wuye_loop.domain.privacy.names import NO_NAMES, Names, is_full_name, read_names
from wuye_loop.domain.privacy.numbers import PHONE, find_likely
from wuye_loop.domain.privacy.said_of_oneself import FULL_NAME, HAN, find_introductions, find_own_doors
from wuye_loop.domain.privacy.spared import NOTHING

_LOCAL_DIGITS: Final = 8  # the end of a mobile number by which a neighbour knows it
_FEWEST: Final = 5  # digits of a number that is looked for
_MOST: Final = 24
_NO_ROOM: Final = 7  # digits of a number in an address that is not the room itself
_COUNTRY = expression(r"^(?:0{0,2}86)(?=1[3-9]\d{9}$|0\d{9,11}$)|^0(?=1[3-9]\d{9}$)")
_AREA_CODE = expression(r"^0(?:10|2\d|[3-9]\d\d)(?=\d{7,8}$)")
_NUMBER = expression(r"\+?\d(?:[\s\-.·()_—–]{0,3}\d){2,23}")
_OF_MOBILE = expression(r"1[3-9]\d{9}")
_NO_NAME = expression(r"\d|转|分机")
_NO_LETTERS = expression(r"[^\u3400-\u9fffa-z·]+")
_APART = expression(r"(?:转|ext\.?|分机号?)\s?\d{1,6}|[,，、;；/|\n]")
# 慕容雪梅家3号楼, 3号楼2907慕容雪梅家, 2907(慕容雪梅).
_AT_HOME = expression(rf"({FULL_NAME})家(?=\s?[\d(（,，]|住|的|$)")
_AFTER_DOOR = expression(rf"\d\s?(?:室|户|号|房)?\s?[-,，、(（:：\s]*({FULL_NAME}(?:女士|先生|小姐|家|业主)?)[)）\s]*$")
# A house by its own number, where there is no building: 胜利街25号, 王家庄3排12号.
_HOUSE = expression(rf"[{HAN}]\s?\d{{1,4}}\s?(?:号|户|室)?(?:附\d+号?)?$")
_BUILDING = expression(r"(?:栋|幢|座|号楼|单元|#|期)\s?$")
_SHORTEST_HOUSE: Final = 4

# What a field that a city adds of its own holds, by what it is called.
_OF_NAMES = expression(r"姓名|联系人|来电人|报修人|诉求人|投诉人|反映人|name$|contact$")
_OF_PHONES = expression(r"电话|手机|号码|座机|联系方式|回访|phone|tel|mobile")
_OF_ADDRESSES = expression(r"地址|住址|房号|房间|门牌|address|room")


@dataclass(frozen=True, slots=True)
class Known:
    """The complainants of one order or of several: `houses` are addresses without a room, letters and digits only."""

    names: Names = NO_NAMES
    numbers: frozenset[str] = frozenset()
    doors: frozenset[str] = frozenset()
    houses: frozenset[str] = frozenset()

    def __or__(self, other: "Known") -> "Known":
        """Return what is known of both."""
        if self is NOBODY or other is NOBODY:
            return other if self is NOBODY else self
        return Known(
            self.names | other.names, self.numbers | other.numbers, self.doors | other.doors, self.houses | other.houses
        )

    def __bool__(self) -> bool:
        """Say whether anything is known."""
        return bool(self.names or self.numbers or self.doors or self.houses)


NOBODY: Final = Known()
_MOST_SAID: Final = 100


def known(
    *, name: str | None = None, phone: str | None = None, address: str | None = None, extra: object = None
) -> Known:
    """Return what is known of one complainant, from the fields as they were filled in."""
    parts = [_of_name(name or ""), _of_phone(phone or ""), _of_address(address or ""), *_of_extra(extra, "")]
    return reduce(lambda one, other: one | other, parts)


def of_person(person: Mapping[str, Any]) -> Known:
    """Return what is known of a complainant as the order's sealed part has it, with what the words as spoken say of them."""
    contact = str(person.get("contact") or "")
    fields = {key: str(person.get(key) or "") for key in ("name", "phone", "address")}
    said = (_of_words(str(person.get(key) or "")) for key in ("title", "body"))
    every = (
        known(**fields, extra=person.get("extra")) | _of_phone(contact) | _of_address(str(person.get("estate") or ""))
    )
    return reduce(lambda one, other: one | other, said, every)


def _of_words(text: str) -> Known:
    """Read whom people say they are, where they say they live, and the telephones beside it.

    Of each the first hundred that differ: who gives more is nobody's neighbour, and each is looked for everywhere. All are struck.
    """
    if not text:
        return NOBODY
    folded = fold(text)
    names = [
        read_names(said) for said in _first(folded.plain[start:end] for start, end, _ in find_introductions(folded))
    ]
    doors: frozenset[str] = frozenset()
    for said in _first(folded.digits[start:end] for start, end, _ in find_own_doors(folded)):
        doors |= read_doors(said)
    numbers: frozenset[str] = frozenset()
    for said in _first(folded.digits[start:end] for start, end, sort in find_likely(folded, NOTHING) if sort == PHONE):
        numbers |= _numbers(said)
    if not names and not doors and not numbers:
        return NOBODY
    return Known(reduce(lambda one, other: one | other, names, NO_NAMES), numbers, doors)


def _first(said: Iterable[str]) -> Iterator[str]:
    """Yield what is said for the first time, as it is read: after the last that counts nothing is looked for."""
    before: set[str] = set()
    for one in said:
        if one not in before:
            before.add(one)
            yield one
            if len(before) == _MOST_SAID:
                return


def _of_name(written: str) -> Known:
    return Known(names=read_names(written), numbers=_numbers(written)) if written else NOBODY


def _of_phone(written: str) -> Known:
    """Read telephones; who is named beside one (13812345678 李女士) is known too."""
    if not written:
        return NOBODY
    letters = _NO_LETTERS.sub("、", fold(_NO_NAME.sub("、", written)).plain)
    pieces = filter(None, letters.split("、"))
    names = [piece for piece in pieces if is_full_name(piece) or piece.endswith(("女士", "先生", "小姐"))]
    return Known(names=read_names("、".join(names)) if names else NO_NAMES, numbers=_numbers(written))


def _of_address(written: str) -> Known:
    if not written:
        return NOBODY
    folded = fold(written)
    plain, digits = folded.plain, folded.digits
    named = [*_AT_HOME.findall(plain), *_AFTER_DOOR.findall(plain)]
    doors = read_doors(digits)
    key = "".join(one for one in digits if one.isalnum())
    house = not doors and _HOUSE.search(digits) and not _BUILDING.search(digits) and len(key) >= _SHORTEST_HOUSE
    numbers = frozenset(one for one in _numbers(written, _NO_ROOM) if len(one) >= _NO_ROOM)
    names = reduce(lambda one, other: one | other, map(read_names, named), NO_NAMES)
    return Known(names, numbers, doors, frozenset({key}) if house else frozenset())


def _of_extra(value: object, label: str) -> Iterator[Known]:
    """Read what a city adds of its own, as far as a field's name says that it holds a person."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _of_extra(item, fold(str(key)).plain)
    elif isinstance(value, list):
        for item in value:
            yield from _of_extra(item, label)
    elif isinstance(value, str | int) and not isinstance(value, bool) and label:
        if _OF_PHONES.search(label):
            yield _of_phone(str(value))
        elif _OF_NAMES.search(label):
            yield _of_name(str(value))
        elif _OF_ADDRESSES.search(label):
            yield _of_address(str(value))


def _numbers(written: str, fewest: int = _FEWEST) -> frozenset[str]:
    """Return the telephones and accounts in a field by their digits, with what people shorten them to."""
    found: set[str] = set()
    digits = fold(written).digits
    if len(NO_DIGIT.sub("", digits)) < fewest:
        return frozenset()
    for piece in _APART.split(digits):
        for run in _NUMBER.findall(piece or ""):
            for number in _of_run(run):
                digits = _COUNTRY.sub("", number)
                if not _FEWEST <= len(digits) <= _MOST:
                    continue
                found |= {digits, _AREA_CODE.sub("", digits)}
                if _OF_MOBILE.fullmatch(digits) or run.startswith("+"):
                    found.add(digits[-_LOCAL_DIGITS:])
    return frozenset(found)


def _of_run(run: str) -> Iterator[str]:
    """Yield the numbers that digits with spaces and lines between them are: one, or several beside one another."""
    groups = [NO_DIGIT.sub("", group) for group in run.split()]
    if all(len(group) >= _LOCAL_FEWEST for group in groups):
        yield from groups
    elif sum(map(len, groups)) <= _LONGEST_PHONE:
        yield "".join(groups)
    else:
        number = ""
        for group in groups:
            number += group
            if len(number) >= _MOBILE:
                yield number
                number = ""
        yield number
    if extended := _EXTENDED.match(run.strip()):
        yield NO_DIGIT.sub("", extended[1])


_LOCAL_FEWEST: Final = 7
_LONGEST_PHONE: Final = 15
_MOBILE: Final = 11
# 8881234-801, 0536-8881234-801: who writes it elsewhere leaves the end away.
_EXTENDED = expression(r"((?:0\d{2,3}[\s\-)—]{0,3})?[2-9]\d{2,3}[\s\-]?\d{4})[\-—]\d{1,6}$")
