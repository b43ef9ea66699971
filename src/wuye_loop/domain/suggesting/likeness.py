"""How alike two complaints are: by the same features that suggest, rare ones counting more; or letter by letter."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from wuye_loop.domain.privacy.text import match_key
from wuye_loop.domain.suggesting.features import WHOLE, counted, numbers, parts_of
from wuye_loop.domain.suggesting.model import SCALE, Model

#: From here on two complaints are told to the desk as one matter, perhaps: precision before completeness.
ALIKE: Final = 0.5
_COMPARED: Final = 1000  # characters: what makes two complaints one stands at their beginning
_UNKNOWN: Final = 10.0  # what a feature is worth that no model has met: names of places and people are the rarest

Vector = Mapping[int, float]


def vector(model: Model, title: str, body: str) -> Vector:
    """Return a complaint's features with what each is worth; as long as 1."""
    rare = model.known[WHOLE].rareness
    _, (_, whole) = parts_of(title, body)
    values = {
        number: (1 + math.log(count)) * (rare[number] / SCALE if number in rare else _UNKNOWN)
        for number, count in counted(numbers(WHOLE, whole)).items()
    }
    norm = math.sqrt(sum(one * one for one in values.values()))
    return {number: one / norm for number, one in values.items()} if norm else {}


def likeness(one: Vector, other: Vector) -> float:
    """Return how alike two are, from 0 (nothing in common) to 1 (the same counts of the same features)."""
    if len(one) > len(other):
        one, other = other, one
    return round(min(1.0, sum(value * other.get(number, 0.0) for number, value in one.items())), 3)


def compared(one: Any, others: Iterable[Any]) -> Iterator[tuple[Any, float]]:
    """Yield each of the others with how near it is told to one, letter by letter, from 0 to 1; each has a title and a body."""
    from rapidfuzz import fuzz  # noqa: PLC0415 when a desk first looks for what is alike

    own = _said(one)
    return ((other, fuzz.ratio(own, _said(other)) / 100) for other in others)


def _said(told: Any) -> str:
    return match_key(f"{told.title}\n{told.body}"[:_COMPARED])
