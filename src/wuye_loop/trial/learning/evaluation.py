"""What a model is worth, on texts it did not learn from: coverage and accuracy, per category, what is mixed up."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from wuye_loop.domain.suggesting.model import Model, written
from wuye_loop.trial.learning.examples import folds
from wuye_loop.trial.learning.training import Seen, Settings, fitted

FOLDS: Final = 5
FEWEST_CATEGORIES: Final = 2
THRESHOLDS: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WANTED: Final = 0.9  # of those suggested: the threshold of a model is the lowest that reaches it
_STEPS = 60  # of the curve's fitting: it has two numbers and converges in ten


@dataclass(frozen=True, slots=True)
class Tried:
    """One text that was tried: what was decided, what the model says, the distance to its second, and how sure it is."""

    id: str
    category: str
    said: str
    gap: float
    confidence: float = 0.0

    @property
    def right(self) -> bool:
        """Whether it said what was decided."""
        return self.said == self.category


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What is suggested from this confidence on: how many, of all, and how many of them are right."""

    threshold: float
    suggested: int
    coverage: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class OfCategory:
    """One category: how many were decided so, how many were said to be, how many of these are right."""

    category: str
    decided: int
    said: int
    right: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a trial came to."""

    texts: int
    right: int
    thresholds: tuple[AtThreshold, ...]
    categories: tuple[OfCategory, ...]
    mixed_up: tuple[tuple[str, str, int], ...]  # decided, said, how often

    @property
    def accuracy(self) -> float:
        """Of all, whether sure or not."""
        return self.right / self.texts if self.texts else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self) | {"accuracy": round(self.accuracy, 4)}


def tried(seen: Seen, chosen: Sequence[int], model: Model) -> list[Tried]:
    """Let a model judge the chosen texts."""
    found = []
    for index in chosen:
        one = seen.examples[index]
        verdict = model.judge(one.title, one.body, seen.signs[index])
        gap = verdict.ranked[0][1] - verdict.ranked[1][1]
        found.append(Tried(one.id, one.category, verdict.ranked[0][0], gap, verdict.confidence))
    return found


def crossed(seen: Seen, settings: Settings, base: Seen | None) -> list[Tried]:
    """Try every text once with a model that was learned from the others; repeats of a text stay on one side.

    Where all the others are of one category there is nothing to learn: those are not tried.
    """
    found: list[Tried] = []
    for learned, held in folds(seen.examples, FOLDS):
        if base is None and len({seen.examples[index].category for index in learned}) < FEWEST_CATEGORIES:
            continue
        numbers = fitted(seen, learned, settings, base)
        found += tried(seen, held, Model.read(written(numbers)))
    return found


def curve(found: Sequence[Tried]) -> tuple[float, float]:
    """Fit the chance of being right to the distance between first and second: slope and offset of a logistic curve.

    Newton's steps with a little damping; the slope is never negative, so that surer is never told as less sure.
    """
    slope, offset = 1.0, 0.0
    for _ in range(_STEPS):
        g0 = g1 = h00 = h01 = h11 = 0.0
        for one in found:
            chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, slope * one.gap + offset))))
            miss, spread = one.right - chance, chance * (1 - chance)
            g0, g1 = g0 + miss, g1 + miss * one.gap
            h00, h01, h11 = h00 + spread, h01 + spread * one.gap, h11 + spread * one.gap**2
        h00, h11 = h00 + 0.1, h11 + 0.1
        determinant = h00 * h11 - h01 * h01
        offset += (h11 * g0 - h01 * g1) / determinant
        slope += (h00 * g1 - h01 * g0) / determinant
    return round(max(0.0, slope), 4), round(offset, 4)


def surer(found: Sequence[Tried], slope: float, offset: float) -> list[Tried]:
    """Return the same with the confidence that the curve gives."""
    return [
        Tried(one.id, one.category, one.said, one.gap, 1 / (1 + math.exp(-(slope * one.gap + offset)))) for one in found
    ]


def sure_from(found: Sequence[Tried]) -> float:
    """Return the lowest confidence from which on nine in ten are right; 0.9 where no such is found."""
    order = sorted(found, key=lambda one: -one.confidence)
    right, lowest = 0, WANTED
    for place, one in enumerate(order, 1):
        right += one.right
        if right / place >= WANTED:
            lowest = one.confidence
    return math.floor(lowest * 1000) / 1000


def report(found: Sequence[Tried]) -> Report:
    """Sum up a trial."""
    mixed = Counter((one.category, one.said) for one in found if not one.right)
    names = sorted({one.category for one in found} | {one.said for one in found})
    return Report(
        len(found),
        sum(one.right for one in found),
        tuple(_at(found, threshold) for threshold in THRESHOLDS),
        tuple(_of(found, name) for name in names),
        tuple((was, said, times) for (was, said), times in sorted(mixed.items(), key=lambda item: (-item[1], item[0]))),
    )


def _at(found: Sequence[Tried], threshold: float) -> AtThreshold:
    above = [one for one in found if one.confidence >= threshold]
    accuracy = round(sum(one.right for one in above) / len(above), 4) if above else None
    return AtThreshold(threshold, len(above), round(len(above) / len(found), 4) if found else 0.0, accuracy)


def _of(found: Sequence[Tried], name: str) -> OfCategory:
    said = [one for one in found if one.said == name]
    return OfCategory(name, sum(one.category == name for one in found), len(said), sum(one.right for one in said))


def finished(numbers: Mapping[str, Any], name: str, found: Sequence[Tried], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers with their name, their curve and threshold as measured, and how they were made."""
    slope, offset = curve(found)
    sure = sure_from(surer(found, slope, offset))
    confidence = {"slope": slope, "offset": offset, "sure": sure}
    return {**numbers, "name": name, "confidence": confidence, "about": dict(about)}
