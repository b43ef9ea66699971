"""The file's own words: categories by weighed patterns, and the words that a red line saw."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from wuye_loop.domain.language.conditions import compiled, folded, folded_pattern
from wuye_loop.domain.language.intake import Intake, Keyword, RedLine, Weigh
from wuye_loop.domain.suggesting.needed import needed
from wuye_loop.domain.suggesting.stated import Stated, stated

_TITLE_TIMES = 2.0  # a model's features count so where the file does not weigh
_BLANK = "　"  # in place of what is not read: every place keeps its number
_TEXTS = ("text", "title", "body")


@dataclass(frozen=True, slots=True)
class Scored:
    """A category's score and the words that were found for it."""

    category: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file's patterns found in one text: the categories by score, and the signs that a model sees.

    A sign is the hash of a pattern that was found, and that hash with a `t` where it was found in the title.
    """

    scored: tuple[Scored, ...]
    signs: tuple[str, ...]


class Search:
    """A compiled pattern over folded text; what `without` covers is blanked out before it looks."""

    def __init__(self, pattern: str, without: str | None = None) -> None:
        self._find = compiled(pattern)
        self._without = compiled(without) if without else None

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where it is found, from left to right."""
        return ((found.start(), found.end()) for found in self._find.finditer(self._seen(text)))

    def every(self, text: str) -> list[str]:
        """Return all words found."""
        return [text[start:end] for start, end in self.places(text)]

    def first(self, text: str, raw: bytes) -> str | None:
        """Return the first words found, or None; `raw` is the text in bytes, in which re2 looks ten times as quickly."""
        found = self._find.search(raw)
        if found is None:
            return None
        if self._without is None or self._without.search(raw) is None:
            return raw[found.start() : found.end()].decode(errors="replace")
        return next(iter(self.every(text)), None)

    def stated(self, text: str, how: Stated) -> list[str]:
        """Return the words found that are said so."""
        return list(stated(self.places(text), text, how))

    def _seen(self, text: str) -> str:
        if self._without is None:
            return text
        for start, end in [(one.start(), one.end()) for one in self._without.finditer(text)]:
            text = text[:start] + _BLANK * (end - start) + text[end:]
        return text


class Scoring:
    """The patterns of a file made ready: scores by category for a title and a body."""

    def __init__(self, words: Iterable[Keyword], weigh: Weigh | None) -> None:
        self._weigh = weigh
        times = weigh.title if weigh is not None else _TITLE_TIMES
        every = list(words)
        self._words = [
            (
                one.category,
                one.weight,
                times if one.title is None else one.title,
                Search(one.pattern, one.not_),
                _sign(one),
                needs,
            )
            for one, needs in zip(every, needed(folded_pattern(one.pattern) for one in every), strict=True)
        ]

    @classmethod
    def of(cls, intake: Intake) -> Self:
        """Return the scoring of a file's intake."""
        return cls(intake.categories, intake.weigh)

    def look(self, title: str, body: str) -> Looked:
        """Return what is found: categories the highest first, equals in the file's order."""
        title, body = folded(title), folded(body)
        raws = title.encode(errors="replace"), body.encode(errors="replace")
        in_title, in_body = set(title), set(body)
        found: dict[str, tuple[float, tuple[str, ...]]] = {}
        signs: list[str] = []
        for category, weight, times, search, sign, needs in self._words:
            titled = word = None
            if needs is None or not needs.isdisjoint(in_title):
                titled = word = search.first(title, raws[0])
            if word is None and (needs is None or not needs.isdisjoint(in_body)):
                word = search.first(body, raws[1])
            if word is not None:
                score, words = found.get(category, (0.0, ()))
                found[category] = score + weight * (1.0 if titled is None else times), (*words, word)
                signs += [sign] if titled is None else [sign, f"{sign}t"]
        scored = [Scored(category, score, words) for category, (score, words) in found.items()]
        scored.sort(key=lambda one: -one.score)
        return Looked(tuple(scored), tuple(dict.fromkeys(signs)))

    def best(self, title: str, body: str, looked: Looked | None = None) -> Scored | None:
        """Return what the words suggest: the highest that reaches the floor; the first found where nothing is weighed.

        `looked` is what was found, where it is known already.
        """
        if self._weigh is not None:
            best = next(iter((looked or self.look(title, body)).scored), None)
            return best if best is not None and best.score > 0 and best.score >= self._weigh.floor else None
        text = f"{folded(title)}\n{folded(body)}"
        raw = text.encode(errors="replace")
        for category, weight, _, search, _, _ in self._words:
            word = search.first(text, raw)
            if word is not None:
                return Scored(category, weight, (word,))
        return None


def _sign(word: Keyword) -> str:
    """Return by what a model knows a pattern, in every file that has it: no words stand in a model."""
    return blake2b("\0".join((word.category, word.pattern, word.not_ or "")).encode(), digest_size=8).hexdigest()


class RedWords:
    """A red line made ready: whether it holds for a grievance, and the words it saw."""

    def __init__(self, line: RedLine) -> None:
        self.line = line
        self._searches = [
            (name, Search(str(matcher["pattern"]), line.not_))
            for name, matcher in line.when.raw.items()
            if name in _TEXTS and isinstance(matcher, dict) and "pattern" in matcher
        ]

    def saw(self, facts: Mapping[str, object]) -> tuple[str, ...] | None:
        """Return the words by which it holds, each once (none for a line that asks for no words); None if it does not."""
        if not self.line.when.holds(facts):
            return None
        words: dict[str, None] = {}
        for name, search in self._searches:
            text = folded(str(facts.get(name) or ""))
            found = search.stated(text, self.line.stated) if self.line.stated else search.every(text)
            if not found and (self.line.stated or self.line.not_):
                return None
            words.update(dict.fromkeys(found))
        return tuple(words)
