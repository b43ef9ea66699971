"""Who a key belongs to: `姓名 工号`, kept in one spelling, so that all of a person's keys are found together."""

import re
import unicodedata
from collections.abc import Iterable

from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.privacy.text import clean

#: How a key that names nobody is listed.
UNNAMED = "未具名"
LONGEST = 60
_SPACES = re.compile(r"\s+")
_NUMBER = re.compile(r"(?=.*\d)[0-9A-Za-z][0-9A-Za-z./-]*$")


def cleaned(holder: str) -> str:
    """Return a holder as it is kept: one width, single spaces.

    BadValue, in words, for nothing at all, for more than 60 characters, control characters, or the word for nobody.
    """
    text = _SPACES.sub(" ", unicodedata.normalize("NFKC", clean(holder, max_len=LONGEST))).strip()
    if not text:
        raise BadValue("请写明持有人：姓名 工号")
    if len(text) > LONGEST:
        raise BadValue(f"过长，最多 {LONGEST} 个字")
    if text == UNNAMED:
        raise BadValue(f"“{UNNAMED}”不是持有人，请写姓名和工号")
    return text


def same(one: str, other: str) -> bool:
    """Say whether two spellings name one holder: spaces, width and case make no other person."""
    return _key(one) == _key(other)


def may_be_same(one: str | None, other: str | None) -> bool:
    """Say whether two keys may be one person's: where either names nobody, or both have one staff number, they may."""
    if one is None or other is None or same(one, other):
        return True
    numbers = _number(one), _number(other)
    return numbers[0] is not None and numbers[0] == numbers[1]


def is_person(holder: str, name: str) -> bool:
    """Say whether a holder (姓名 工号) is the person that a directory names, with or without the staff number."""
    if same(holder, name):
        return True
    numbers = _number(holder), _number(name)
    if None not in numbers:
        return numbers[0] == numbers[1] and _key(_bare(holder)) == _key(_bare(name))
    return _key(_bare(holder)) == _key(_bare(name)) != ""


def person_among(holder: str, names: Iterable[str]) -> str | None:
    """Return which of the people of a unit a holder is; None for none of them, and where it could be one or another."""
    found = [name for name in names if is_person(holder, name)]
    exactly = [name for name in found if same(holder, name)]
    return next(iter(exactly or found)) if len(exactly or found) == 1 else None


def _bare(holder: str) -> str:
    """Return a holder without the staff number."""
    parts = unicodedata.normalize("NFKC", holder).split()
    return " ".join(parts[:-1] if len(parts) > 1 and _number(holder) is not None else parts)


def _key(holder: str) -> str:
    return _SPACES.sub("", unicodedata.normalize("NFKC", holder)).casefold()


def _number(holder: str) -> str | None:
    """Return the staff number that a holder ends with: letters and digits, at least one digit."""
    last = unicodedata.normalize("NFKC", holder).split()[-1:]
    found = _NUMBER.search(last[0]) if last else None
    return found[0].casefold() if found is not None else None
