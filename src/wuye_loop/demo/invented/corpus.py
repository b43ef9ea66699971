"""Made-up complaints with their categories, to learn from where no real ones may be: no sentence of them was ever said."""

from collections.abc import Iterator
from dataclasses import dataclass

from wuye_loop.demo.chance import Chance
from wuye_loop.demo.invented.sayings import BETWEEN, CLOSINGS, ENDS, ESTATES, OPENINGS, PLACES, SAID, SHARES, STARTS

_ASIDE = 0.12  # of all: one more sentence about another matter, as people write


@dataclass(frozen=True, slots=True)
class Told:
    """One made-up complaint."""

    title: str
    body: str
    category: str


def corpus(chance: Chance, number: int) -> Iterator[Told]:
    """Yield about so many complaints, each category by its share; the same for the same chance."""
    whole = sum(SHARES.values())
    for category, share in SHARES.items():
        for n in range(max(20, round(number * share / whole))):
            yield _told(chance, category, n)


def _told(chance: Chance, category: str, n: int) -> Told:
    heads, bodies = (said.split("|") for said in SAID[category])
    slots = {
        "e": chance.pick(ESTATES, category, n, "estate"),
        "x": chance.pick(PLACES, category, n, "place"),
        "n": chance.between(2, 30, category, n, "number"),
    }
    title = chance.pick(STARTS, category, n, "start") + chance.pick(heads, category, n, "head")
    title += chance.pick(ENDS, category, n, "end")
    body = chance.pick(OPENINGS, category, n, "opening")
    for place in range(chance.between(1, 3, category, n, "sentences")):
        mine = bodies if chance.happens(0.75, category, n, "kind", place) else heads
        body += chance.pick(mine, category, n, "sentence", place) + chance.pick(BETWEEN, category, n, "between", place)
    if chance.happens(_ASIDE, category, n, "aside"):
        other = chance.pick(tuple(SAID), category, n, "other")
        body += chance.pick(SAID[other][1].split("|"), category, n, "other words") + "。"
    return Told(title.format(**slots), (body + chance.pick(CLOSINGS, category, n, "closing")).format(**slots), category)
