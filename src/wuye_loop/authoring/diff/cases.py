"""Two lists of which the first line that holds is taken: in which cases they come to something else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from wuye_loop.domain.language.conditions import Condition

Case = Mapping[str, Any]
_MOST_ALTERNATIVES = 64  # of one condition
_MOST_PAIRED = 40  # cases that are also looked at two by two
_LONG = 200  # lines: of a longer list only those are looked at that the other list does not have


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when it holds, and what it comes to (compared by equality)."""

    when: Condition
    value: Any


@dataclass(frozen=True, slots=True)
class Turn:
    """A case in which the lists differ: the facts of it (none: every other case), before and after; None: no line holds."""

    case: Case
    before: Any
    after: Any


def turns(before: Sequence[Line], after: Sequence[Line]) -> list[Turn]:
    """Return the cases in which the first line that holds comes to something else.

    A case is what one condition asks, each listed value by itself, or what two conditions ask together; lines that were
    only put in another order, or split in two, come to nothing.
    """
    if list(before) == list(after):
        return []
    asked = [
        line for line in (*before, *after) if len(before) + len(after) <= _LONG or line not in _shared(before, after)
    ]
    single = _distinct(case for line in asked for case in _cases(line.when.raw))
    found = [turn for case in single if (turn := _turn(case, before, after)) is not None]
    if len(single) <= _MOST_PAIRED:
        both = _distinct(case for one, other in combinations(single, 2) if (case := _together(one, other)) is not None)
        for case in both:
            turn = _turn(case, before, after)
            if turn is not None and not any(_explains(known, turn) for known in found):
                found.append(turn)
    return _merged(found)


def _shared(before: Sequence[Line], after: Sequence[Line]) -> list[Line]:
    return [line for line in before if line in after]


def _turn(case: Case, before: Sequence[Line], after: Sequence[Line]) -> Turn | None:
    was, now = _first(before, case), _first(after, case)
    return Turn(case, was, now) if was != now else None


def _first(lines: Sequence[Line], case: Case) -> Any:
    return next((line.value for line in lines if implied(case, line.when)), None)


def implied(case: Case, condition: Condition) -> bool:
    """Say whether a condition certainly holds in a case, of which nothing is known but what it says."""
    return all(_meets(case, fact, matcher) for fact, matcher in condition.raw.items())


def _meets(case: Case, fact: str, matcher: Any) -> bool:
    have: Any = case.get(fact, case)
    if have is case:
        category = case.get("category")
        if fact != "category_path" or not isinstance(category, str):
            return False
        parts = category.split("/")
        have = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    if not isinstance(have, Mapping):
        return _single(fact, json.dumps(matcher)).holds({fact: have})
    if have == matcher or (isinstance(matcher, list) and have in matcher):
        return True
    return _inside(have, matcher) if isinstance(matcher, Mapping) else False


def _inside(have: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Say whether one range lies within another."""
    if not {*have, *wanted} <= {"min", "max"}:
        return False
    low = "min" not in wanted or ("min" in have and have["min"] >= wanted["min"])
    return low and ("max" not in wanted or ("max" in have and have["max"] <= wanted["max"]))


@lru_cache(maxsize=4096)
def _single(fact: str, matcher: str) -> Condition:
    return Condition.parse({fact: json.loads(matcher)})


def _cases(raw: Mapping[str, Any]) -> Iterator[Case]:
    """Yield what a condition asks with each listed value by itself; as it stands when those would be too many."""
    choices = {fact: _alternatives(matcher) for fact, matcher in raw.items()}
    count = 1
    for items in choices.values():
        count *= len(items)
    if count > _MOST_ALTERNATIVES:
        yield raw
        return
    for picked in product(*choices.values()):
        yield dict(zip(choices, picked, strict=True))


def _alternatives(matcher: Any) -> list[Any]:
    if isinstance(matcher, Mapping) and set(matcher) == {"any"}:
        matcher = matcher["any"]
    return list(matcher) if isinstance(matcher, list) else [matcher]


def _together(one: Case, other: Case) -> Case | None:
    """Return two cases as one; None where they cannot both be, or where it cannot be told."""
    for fact in {*one} & {*other}:
        if one[fact] != other[fact]:
            return None
    joined = {**one, **other}
    return joined if len(joined) > max(len(one), len(other)) else None


def _explains(known: Turn, turn: Turn) -> bool:
    """Say whether a wider case already tells the same."""
    wider = all(fact in turn.case and turn.case[fact] == value for fact, value in known.case.items())
    return wider and (known.before, known.after) == (turn.before, turn.after)


def _distinct(cases: Iterator[Case]) -> list[Case]:
    found: dict[str, Case] = {}
    for case in cases:
        found.setdefault(json.dumps(case, sort_keys=True, ensure_ascii=False), case)
    return list(found.values())


def _merged(found: Sequence[Turn]) -> list[Turn]:
    """Return turns that differ in one fact's value alone as one turn with the values listed."""
    kept: list[Turn] = []
    for turn in found:
        for place, other in enumerate(kept):
            fact = _one_apart(other, turn)
            if fact is not None:
                values = [*_alternatives(other.case[fact]), *_alternatives(turn.case[fact])]
                kept[place] = Turn({**other.case, fact: values}, other.before, other.after)
                break
        else:
            kept.append(turn)
    return kept


def _one_apart(one: Turn, other: Turn) -> str | None:
    if (one.before, one.after) != (other.before, other.after) or {*one.case} != {*other.case}:
        return None
    apart = [fact for fact in one.case if one.case[fact] != other.case[fact]]
    return apart[0] if len(apart) == 1 else None
