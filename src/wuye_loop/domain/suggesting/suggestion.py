"""A suggestion: the category, how sure, because of which words, and what else it might have been."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wuye_loop.domain.suggesting.features import TITLE, WHOLE, numbers, plain
from wuye_loop.domain.suggesting.model import Model
from wuye_loop.domain.suggesting.patterns import Looked, Scored, Scoring

SUGGESTION = "suggestion"  # under which a grievance and its first ledger row keep it
_MOST_WORDS = 3
_LONGEST = 4  # characters of a word that is given as a reason
_CHINESE = re.compile(r"[一-鿿]+")
_READ = 120  # characters of the whole that reasons are looked for in


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is suggested; `category` is None where nothing is. `by` says whether the model or the file's words did it."""

    category: str | None
    confidence: float  # from 0 to 1: the chance of being right, as measured when the model was made
    why: tuple[str, ...]
    runner_up: str | None = None
    by: str | None = None  # model, patterns
    model: str | None = None  # the digest of the model that was asked
    unit: str | None = None  # what the model learned of units, where it is sure: a code, or `company`
    unit_confidence: float = 0.0

    @property
    def words(self) -> str:
        """Return the reasons in words: 因为：停运、电梯."""
        return f"因为：{'、'.join(self.why)}" if self.why else "用词与该类相近" if self.category else "没有可用的字词"

    def as_json(self) -> dict[str, Any]:
        """Return plain data, for a ledger row and for answers."""
        plain_: dict[str, Any] = {
            "category": self.category, "confidence": self.confidence, "why": list(self.why),
            "runner_up": self.runner_up, "by": self.by,
        }  # fmt: skip
        plain_ |= {"model": self.model} if self.model else {}
        return plain_ | ({"unit": self.unit, "unit_confidence": self.unit_confidence} if self.unit else {})


def guess(scoring: Scoring, model: Model, title: str, body: str) -> Suggestion:
    """Return the model's best guess, however unsure; no category where neither the model nor the file knows a word."""
    looked = scoring.look(title, body)
    return _reasoned(_guess(looked, model, title, body), looked, model, title, body)


def _guess(looked: Looked, model: Model, title: str, body: str) -> Suggestion:
    """Return what a model says, without its reasons: they take time, and are told only where it is sure."""
    verdict = model.judge(title, body, looked.signs)
    if not verdict.known and not looked.scored:
        return Suggestion(None, 0.0, (), model=model.digest)
    return Suggestion(verdict.ranked[0][0], verdict.confidence, (), verdict.ranked[1][0], "model", model.digest)


def _reasoned(said: Suggestion, looked: Looked, model: Model, title: str, body: str) -> Suggestion:
    if said.category is None or said.runner_up is None:
        return said
    why = tuple(_reasons(model, looked.scored, title, body, said.category, said.runner_up))
    return replace(said, why=why)


def suggest(scoring: Scoring, model: Model | None, title: str, body: str, place: Collection[str] = ()) -> Suggestion:
    """Return what is suggested: the model where it is sure, else the file's words, else nothing.

    `place` are the signs of where it lies (`model.places`), from which units are learned beside the words.
    """
    looked = scoring.look(title, body)
    said = _suggest(scoring, looked, model, title, body)
    if model is None or model.units is None or said.category is None:
        return said
    verdict = model.units.judge(title, body, (*looked.signs, *place))
    if verdict.confidence < model.units.sure:
        return said
    return replace(said, unit=verdict.ranked[0][0], unit_confidence=verdict.confidence, model=model.digest)


def _suggest(scoring: Scoring, looked: Looked, model: Model | None, title: str, body: str) -> Suggestion:
    asked = _guess(looked, model, title, body) if model is not None else None
    if asked is not None and model is not None and asked.category is not None and asked.confidence >= model.sure:
        return _reasoned(asked, looked, model, title, body)
    best = scoring.best(title, body, looked)
    if best is None:
        return Suggestion(None, 0.0, (), asked.category if asked else None, model=asked.model if asked else None)
    others = [one.category for one in looked.scored if one.category != best.category]
    runner_up = asked.category if asked and asked.category != best.category else next(iter(others), None)
    why = tuple(dict.fromkeys(_short(word) for word in best.words))[:_MOST_WORDS]
    return Suggestion(best.category, 0.0, why, runner_up, "patterns", asked.model if asked else None)


def _reasons(model: Model, scored: Sequence[Scored], title: str, body: str, best: str, second: str) -> Iterator[str]:
    """Yield the file's words for the category, then the characters that say most for it against the second."""
    own = [_short(word) for one in scored if one.category == best and one.score > 0 for word in one.words]
    given: list[str] = []
    for word in (*own, *_runs(model, title, body, best, second)):
        if word and not any(word in other or other in word for other in given):
            given.append(word)
            yield word
        if len(given) == _MOST_WORDS:
            return


def _runs(model: Model, title: str, body: str, best: str, second: str) -> list[str]:
    """Return runs of characters whose pairs all lean to the best, the strongest first."""
    found: dict[str, int] = {}
    for part, text in ((TITLE, plain(title)), (WHOLE, f"{plain(title)} {plain(body[:_READ])}"[:_READ])):
        leans = [model.leaning(part, number, best, second) for number in numbers(part, text)[len(text) :]]
        start = 0
        for place in range(len(leans) + 1):
            if place < len(leans) and leans[place] > 0 and place - start < _LONGEST - 1:
                continue
            if place > start:
                word = text[start : place + 1]
                if _CHINESE.fullmatch(word):
                    found[word] = max(found.get(word, 0), sum(leans[start:place]))
            start = place if place < len(leans) and leans[place] > 0 else place + 1
    return sorted(found, key=lambda word: -found[word])


def _short(word: str) -> str:
    """Return words that a pattern found, as short as a reason is: what stands between its two ends is not repeated."""
    return word if len(word) <= _LONGEST * 2 else f"{word[:3]}…{word[-3:]}"
