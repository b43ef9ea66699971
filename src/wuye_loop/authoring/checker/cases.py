"""Tries a list of conditions on every kind of case that they can tell apart: which case has no answer, which is dead.

A fact of a closed list is tried with each of its values, a number with every bound and its neighbours, free text with
what the conditions name and with something else. That is a proof, except where a pattern is asked (see `exact`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import Any

from wuye_loop.domain.language.conditions import Condition, fact_info
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.terms import Kind, Level, Stage, Urgency

_MOST_CASES = 5_000
_MOST_WORK = 200_000  # cases times conditions, of one list
_MOST_IN_ALL = 2_000_000  # of one definition: a hostile file must not keep the checker busy
_SOMETHING_ELSE = "其他情形"
_NEVER_ABSENT = frozenset({"source", "channel", "kind", "title", "body", "text", "cycle", "hour"})
_SMALLEST = {"cycle": 1}
_LARGEST = {"hour": 23}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What trying found: a case that nothing answers (in words), and the places of answers that never have a turn."""

    open_case: str | None
    dead: tuple[int, ...]


class Cases:
    """Knows the values that facts may take in one definition."""

    def __init__(
        self,
        states: Sequence[str],
        documents: Sequence[str],
        sources: Sequence[str] = (),
        *,
        always_from_a_source: bool = False,
    ) -> None:
        self._left = _MOST_IN_ALL
        self._closed: dict[str, tuple[str, ...]] = {
            "urgency": tuple(Urgency),
            "stage": tuple(Stage),
            "level": tuple(Level),
            "state": tuple(states),
            "document": tuple(documents),
            "origin": tuple(sources),
            "answered": ("complainant", "reporter", "nobody"),
        }
        self._may_lack = {"document"} if always_from_a_source else {"document", "origin"}

    def closed(self, fact: str, form: Mapping[str, FieldSpec]) -> tuple[object, ...] | None:
        """Return the values that a fact may be compared with, where that is a closed list."""
        family, _, member = fact.partition(".")
        if family == "form" and member in form:
            spec = form[member]
            if spec.type in ("choice", "scale"):
                return spec.choices
            return (True, False) if spec.type == "bool" else None
        info = fact_info(fact)
        if info is not None and info.type == "bool":
            return (True, False)
        return self._closed.get(fact)

    def judge(
        self, conditions: Sequence[Condition], form: Mapping[str, FieldSpec], *, unasked: bool = False
    ) -> Verdict | None:
        """Try the conditions in order; None when there are too many cases to try.

        `unasked`: the system may act, which fills in no form.
        """
        names = sorted({name for condition in conditions for name in condition.fact_names})
        axes = [self._axis(name, conditions, form, unasked=unasked) for name in names]
        size = prod(map(len, axes))
        work = size * len(conditions)
        if size > _MOST_CASES or work > min(_MOST_WORK, self._left):
            return None
        self._left -= work
        exact = not any(_asks_pattern(condition.raw) for condition in conditions)
        dead = set(range(len(conditions))) if exact else set()
        open_case: dict[str, object] | None = None
        for values in product(*axes):
            case = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            turn = next((index for index, condition in enumerate(conditions) if condition.holds(case)), None)
            if turn is not None:
                dead.discard(turn)
            elif open_case is None:
                open_case = dict(zip(names, values, strict=True))
        dead -= {index for index in dead if self._misspelt(conditions[index], form)}  # has its own finding
        words = None if open_case is None else _in_words(open_case)
        return Verdict(words, tuple(sorted(dead)))

    def together(self, one: Condition, other: Condition) -> bool:
        """Say whether both may hold at once; where there are too many cases to try, they may."""
        conditions = (one, other)
        axes = {
            name: self._axis(name, conditions, {}, unasked=False) for name in sorted(one.fact_names | other.fact_names)
        }
        size = prod(map(len, axes.values()))
        if size > min(_MOST_CASES, self._left) or any(_asks_pattern(condition.raw) for condition in conditions):
            return True
        self._left -= size
        for values in product(*axes.values()):
            case = {name: value for name, value in zip(axes, values, strict=True) if value is not None}
            if one.holds(case) and other.holds(case):
                return True
        return False

    def _axis(
        self, name: str, conditions: Sequence[Condition], form: Mapping[str, FieldSpec], *, unasked: bool
    ) -> list[object]:
        closed = self.closed(name, form)
        mentioned = [
            as_asked(name, value, closed) for condition in conditions for value in _mentioned(condition.raw.get(name))
        ]
        spec = form.get(name.partition(".")[2]) if name.startswith("form.") else None
        values: dict[object, None] = dict.fromkeys(closed or ())
        if closed is None:
            low, high = _range(name, spec)
            values.update(
                (value, None)
                for value in _around(mentioned)
                if not _is_number(value) or low <= value <= high  # type: ignore[operator]
            )
        info = fact_info(name)
        if info is not None and info.type == "list":
            texts = [value for value in values if isinstance(value, str)]
            return [*texts, *islice(_pairs(texts), 40)]
        optional = spec is not None and (spec.optional or spec.when is not None or unasked)
        absent = info is not None and info.missing is None and name not in _NEVER_ABSENT and spec is None
        if optional or name in self._may_lack or (closed is None and absent):
            values[None] = None
        if name == "kind":
            values.update(dict.fromkeys(Kind))
        return list(values)

    def _misspelt(self, condition: Condition, form: Mapping[str, FieldSpec]) -> bool:
        for name, raw in condition.raw.items():
            closed = self.closed(name, form)
            if closed is not None and any(as_asked(name, value, closed) not in closed for value in _mentioned(raw)):
                return True
        return False


def as_asked(fact: str, value: object, closed: Sequence[object] | None = None) -> object:
    """Return a written value as a condition compares it: an unquoted code is a number, and stands for its text."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    info = fact_info(fact)
    texts = info is not None and (
        info.type in ("text", "list") or (info.type == "any" and str(value) in (closed or ()))
    )
    return str(value) if texts else value


def _range(name: str, spec: FieldSpec | None) -> tuple[float, float]:
    """Return between which numbers a fact lies."""
    if spec is not None and spec.type == "int":
        return (spec.min if spec.min is not None else 0, spec.max or 1_000_000)
    return (_SMALLEST.get(name, 0), _LARGEST.get(name, 1_000_000))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pairs(texts: Sequence[str]) -> Iterator[object]:
    """Give lists of two: a category or an area has several prefixes at once."""
    return ([one, other] for place, one in enumerate(texts) for other in texts[:place])


def _around(mentioned: Sequence[object]) -> Iterator[object]:
    """Give what is named, the neighbours of each number, and something that nobody named."""
    for value in mentioned:
        yield value
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield from (value - 1, value + 1)
    numeric = any(map(_is_number, mentioned))
    if numeric or not mentioned:
        yield from (0, 1_000_000)
    if not numeric or any(isinstance(value, str) for value in mentioned):
        yield _SOMETHING_ELSE


def _mentioned(raw: Any) -> Iterator[object]:
    """Give every scalar that a matcher compares with."""
    if isinstance(raw, dict):
        for operator, inner in raw.items():
            if operator != "pattern":
                yield from _mentioned(inner)
    elif isinstance(raw, list):
        for item in raw:
            yield from _mentioned(item)
    elif raw is not None:
        yield raw


def _asks_pattern(raw: Any) -> bool:
    if isinstance(raw, dict):
        return "pattern" in raw or any(map(_asks_pattern, raw.values()))
    return isinstance(raw, list) and any(map(_asks_pattern, raw))


def _in_words(case: Mapping[str, object]) -> str:
    """Say which case it is: `urgency 为 平急、form.result 未填`."""
    return "、".join(f"{name} {'未填' if value is None else f'为 {_shown(value)}'}" for name, value in case.items())


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
