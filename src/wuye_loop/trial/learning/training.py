"""Fits a model's numbers to examples: scikit-learn is asked here and nowhere else."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wuye_loop.domain.suggesting.features import TITLE, WHOLE, features
from wuye_loop.domain.suggesting.model import FORMAT, SCALE
from wuye_loop.domain.suggesting.patterns import Scoring
from wuye_loop.trial.learning.examples import Example

PARTS: Final = (TITLE, WHOLE)


class NoLibrary(RuntimeError):
    """scikit-learn is not installed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is fitted: strength of fitting, what patterns weigh beside characters, what made-up texts count."""

    fit: float = 0.5
    patterns: float = 0.15
    base: float = 0.5
    rare: int = 2  # a feature is kept that stands in so many texts


class Seen:
    """Texts as features, counted once and used in every fold."""

    def __init__(self, examples: Sequence[Example], scoring: Scoring) -> None:
        self.examples = tuple(examples)
        self.parts = [dict(features(one.title, one.body)) for one in examples]
        self.signs = [(*scoring.look(one.title, one.body).signs, *one.place) for one in examples]


@dataclass(slots=True)
class _Columns:
    """Where each feature stands in the matrix: of each part by number, after them the patterns by their signs."""

    rare: Mapping[int, Mapping[int, float]]
    places: dict[tuple[int, int], int]
    names: dict[str, int]

    @property
    def width(self) -> int:
        """How many there are."""
        return len(self.places) + len(self.names)


def fitted(seen: Seen, chosen: Sequence[int], settings: Settings, base: Seen | None = None) -> dict[str, Any]:
    """Return the numbers of a model learned from the chosen examples, and from made-up ones that count less.

    Raises NoLibrary, and ValueError when there are not two categories.
    """
    try:
        from scipy.sparse import csr_matrix  # noqa: PLC0415
        from sklearn.svm import LinearSVC  # noqa: PLC0415
    except ImportError:
        raise NoLibrary from None
    made_up = [] if base is None else [(base, index) for index in range(len(base.examples))]
    rows = [*((seen, index) for index in chosen), *made_up]
    labels = [of.examples[index].category for of, index in rows]
    if len(set(labels)) < 2:  # noqa: PLR2004
        raise ValueError("要有至少两个类别才能学习")
    columns = _columns(rows, settings)
    data, indices, ends = _entries(rows, columns, settings)
    matrix = csr_matrix((data, indices, ends), shape=(len(rows), columns.width))
    machine = LinearSVC(C=settings.fit, random_state=0)
    machine.fit(matrix, labels, sample_weight=[1.0] * len(chosen) + [settings.base] * len(made_up))
    coefficients, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # noqa: PLR2004  one row stands for both
        coefficients, bias = [[-one for one in coefficients[0]], coefficients[0]], [-bias[0], bias[0]]
    numbers = _numbers(columns, list(zip(*coefficients, strict=True)), settings)
    return {
        "format": FORMAT,
        "name": "",
        "categories": [str(name) for name in machine.classes_],
        "bias": [round(float(one) * SCALE) for one in bias],
        **numbers,
        "confidence": {"slope": 4.0, "offset": -0.5, "sure": 0.5},
        "about": {},
    }


def _columns(rows: Sequence[tuple[Seen, int]], settings: Settings) -> _Columns:
    rare = {part: _rareness([of.parts[index][part] for of, index in rows], settings.rare) for part in PARTS}
    places: dict[tuple[int, int], int] = {}
    for part in PARTS:
        for number in sorted(rare[part]):
            places[part, number] = len(places)
    names = sorted({name for of, index in rows for name in of.signs[index]})
    return _Columns(rare, places, {name: len(places) + place for place, name in enumerate(names)})


def _entries(
    rows: Sequence[tuple[Seen, int]], columns: _Columns, settings: Settings
) -> tuple[list[float], list[int], list[int]]:
    """Return what stands in the matrix, row by row: values, their columns, where each row ends."""
    data: list[float] = []
    indices: list[int] = []
    ends = [0]
    for of, index in rows:
        for part in PARTS:
            values = _values(of.parts[index][part], columns.rare[part])
            indices += [columns.places[part, number] for number in values]
            data += values.values()
        for name in of.signs[index]:
            indices.append(columns.names[name])
            data.append(settings.patterns)
        ends.append(len(data))
    return data, indices, ends


def _numbers(columns: _Columns, weights: Sequence[Sequence[float]], settings: Settings) -> dict[str, Any]:
    """Return the weights as whole thousandths, those of a feature times its rareness; what says nothing is left out."""
    parts: dict[str, list[list[int]]] = {str(part): [] for part in PARTS}
    for (part, number), column in columns.places.items():
        rare = columns.rare[part][number]
        row = [round(float(one) * rare * SCALE) for one in weights[column]]
        if any(row):
            parts[str(part)].append([number, round(rare * SCALE), *row])
    patterns = {
        name: [round(float(one) * settings.patterns * SCALE) for one in weights[column]]
        for name, column in columns.names.items()
    }
    return {"parts": parts, "patterns": patterns}


def _rareness(texts: Sequence[Mapping[int, int]], least: int) -> dict[int, float]:
    """Return what a feature is worth by how few texts have it."""
    have: dict[int, int] = {}
    for text in texts:
        for number in text:
            have[number] = have.get(number, 0) + 1
    return {number: 1 + math.log((1 + len(texts)) / (1 + n)) for number, n in have.items() if n >= least}


def _values(counts: Mapping[int, int], rare: Mapping[int, float]) -> dict[int, float]:
    values = {number: (1 + math.log(count)) * rare[number] for number, count in counts.items() if number in rare}
    norm = math.sqrt(sum(one * one for one in values.values()))
    return {number: one / norm for number, one in values.items()} if norm else {}
