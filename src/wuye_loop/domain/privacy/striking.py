"""Striking identities out of what other people read: one way for every text, field and value. The policy: docs/security.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Final

from wuye_loop.domain.expressions import expression
from wuye_loop.domain.privacy.accounts import find_accounts
from wuye_loop.domain.privacy.doors import find_doors
from wuye_loop.domain.privacy.folding import Folded, fold, occurrences
from wuye_loop.domain.privacy.known import NOBODY, Known
from wuye_loop.domain.privacy.names import find_names
from wuye_loop.domain.privacy.numbers import PHONE, find_known, find_likely
from wuye_loop.domain.privacy.said_of_oneself import NAME, ROOM, find_introductions, find_own_doors
from wuye_loop.domain.privacy.spared import NOTHING, Spared

STRUCK: Final = "***"
ADDRESS: Final = "住址"
_ROUNDS: Final = 4


@dataclass(frozen=True, slots=True)
class Strike:
    """A part of a text that is struck: from where to where, and what it is."""

    start: int
    end: int
    sort: str


def strikes(text: str, known: Known = NOBODY, spared: Spared = NOTHING) -> list[Strike]:
    """Return what is to be struck out of a text, in order, none touching another. Linear in the text."""
    folded = fold(text)
    if folded.plain.isspace() or not folded.plain:
        return []
    return _in_order(folded, _found(folded, known, spared))


def struck(text: str, known: Known = NOBODY, spared: Spared = NOTHING) -> str:
    """Return a text with `***` for whatever names or leads to one of the known, and for what looks as if it did.

    To strike what was struck changes nothing. Linear in the text.
    """
    for _ in range(_ROUNDS):  # what stood on both sides of a strike may look like something now that they meet
        found = strikes(text, known, spared)
        again = _without(found, text)
        if again == text:
            break
        text = again
    return text


def _without(found: Sequence[Strike], text: str) -> str:
    if not found:
        return text
    pieces, last = [], 0
    for one in found:
        pieces += [text[last : one.start], STRUCK]
        last = one.end
    return "".join((*pieces, text[last:]))


def _found(folded: Folded, known: Known, spared: Spared) -> Iterator[tuple[int, int, str]]:
    """Yield everything that is struck, as places in the one form of the text."""
    if known:
        yield from _known(folded, known, spared)
    yield from find_likely(folded, spared)
    yield from find_accounts(folded)
    yield from find_introductions(folded)
    yield from find_own_doors(folded)


def _known(folded: Folded, known: Known, spared: Spared) -> Iterator[tuple[int, int, str]]:
    names = known.names
    if not spared.names.isdisjoint(names.whole):
        names = replace(names, whole=names.whole - spared.names)
    if names:
        for start, end in find_names(folded, names):
            alone = folded.plain[start:end] in names.given
            if not (alone and spared.names and spared.covers(folded.plain, start, end)):
                yield start, end, NAME
    numbers = [one for one in known.numbers if folded.has.issuperset(one) and not spared.has_phone(one)]
    if numbers:
        yield from ((start, end, PHONE) for start, end in find_known(folded, numbers))
    if known.doors:
        yield from ((start, end, ROOM) for start, end in find_doors(folded, known.doors))
    if known.houses:
        yield from ((start, end, ADDRESS) for start, end in _whole(folded, known.houses))


def _whole(folded: Folded, houses: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Find addresses as a whole, whatever stands between their letters."""
    places = [n for n, one in enumerate(folded.digits) if one.isalnum()]
    packed = "".join(folded.digits[n] for n in places)
    for house in houses:
        for at in occurrences(packed, house):
            yield places[at], places[at + len(house) - 1] + 1


def _in_order(folded: Folded, found: Iterable[tuple[int, int, str]]) -> list[Strike]:
    """Return as places in the text what was found in its one form, in order, none touching another."""
    spans = sorted([(start, -end, sort) for start, end, sort in found if start < end], key=itemgetter(0, 1))
    return list(_apart((*folded.span(start, -end), sort) for start, end, sort in spans))


def _apart(found: Iterable[tuple[int, int, str]]) -> Iterator[Strike]:
    """Join strikes that touch; the first and longest says what it is."""
    start, end, sort = -1, -1, ""
    for here, there, what in found:
        if here > end:
            if end >= 0:
                yield Strike(start, end, sort)
            start, end, sort = here, there, what
        elif there > end:
            end = there
    if end >= 0:
        yield Strike(start, end, sort)


def unnamed(value: Any, known: Known, spared: Spared = NOTHING) -> Any:
    """Return a stored JSON value with `***` for whatever names one of the known; nothing else is looked for.

    For what was struck when it was written, before these people belonged to it. Ids, hashes and instants stay.
    """
    if isinstance(value, str):
        if not value or _MACHINE.fullmatch(value):
            return value
        folded = fold(value)
        return _without(_in_order(folded, _known(folded, known, spared)), value)
    if isinstance(value, Mapping):
        made: dict[str, Any] = {}
        for key, item in value.items():  # a field of ours is named in ASCII, one of a city's as its people name things
            name = key if key.isascii() and key.isidentifier() else unnamed(key, known, spared)
            made[_free(made, name)] = unnamed(item, known, spared)
        return made
    if isinstance(value, list | tuple):
        return [unnamed(item, known, spared) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _SHORTEST_NUMBER:
        return value if unnamed(str(value), known, spared) == str(value) else STRUCK
    return value


# What a program wrote and no person: an id, a hash, an instant, a day, a grievance's number.
_MACHINE = expression(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}|\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?"
    r"|WY\d{6}-[0-9A-Z]{8}"
)
_SHORTEST_NUMBER: Final = 1_000_000


# --- values ---------------------------------------------------------------------------------------------------------


def struck_value(value: Any, known: Known = NOBODY, spared: Spared = NOTHING, *, label: str = "") -> Any:
    """Return a JSON value with its texts, its numbers and its keys struck; a number that is becomes `***`.

    A field's name says what its value is (`{"电话": 8881234}`), so it is read together with it.
    """
    if isinstance(value, Mapping):
        made: dict[str, Any] = {}
        for key, item in value.items():
            made[_free(made, struck(str(key), known, spared))] = struck_value(item, known, spared, label=str(key))
        return made
    if isinstance(value, list | tuple):
        return [struck_value(item, known, spared, label=label) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return _struck_under(label, value, known, spared)
    if isinstance(value, float) and value.is_integer():
        return value if _struck_under(label, str(int(value)), known, spared) == str(int(value)) else STRUCK
    return value if _struck_under(label, str(value), known, spared) == str(value) else STRUCK


def _struck_under(label: str, text: str, known: Known, spared: Spared) -> str:
    """Strike a text as it reads after its label: 电话:8881234 is a telephone, 金额:88881234 is none."""
    head = f"{label}:" if label else ""
    for _ in range(_ROUNDS):
        found = [one for one in strikes(head + text, known, spared) if one.end > len(head)]
        if not found:
            break
        text = _without([Strike(max(one.start - len(head), 0), one.end - len(head), one.sort) for one in found], text)
    return text


def _free(made: Mapping[str, Any], key: str) -> str:
    """Return a key that is not taken: two that were struck stay two."""
    free, n = key, 1
    while free in made:
        n += 1
        free = f"{key}{n}"
    return free
