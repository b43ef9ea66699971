"""What is learned from: texts with the category that was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from wuye_loop.domain.suggesting.features import plain


@dataclass(frozen=True, slots=True)
class Example:
    """One text (struck of identities where it comes from records) and what was decided about it."""

    id: str
    title: str
    body: str
    category: str
    at: datetime | None = None
    unit: str | None = None  # whom it came to rest with, where that is known
    place: tuple[str, ...] = ()  # the signs of where it lies: asked only where units are learned

    @property
    def group(self) -> str:
        """What repeats of one text have in common: they stay on one side of every split."""
        return blake2b(plain(self.body or self.title).encode(), digest_size=8).hexdigest()


def folds(examples: Sequence[Example], number: int) -> list[tuple[list[int], list[int]]]:
    """Return (learned from, tried on) by index; each example is tried once, repeats together, categories spread evenly."""
    groups: dict[str, list[int]] = {}
    for index, one in enumerate(examples):
        groups.setdefault(one.group, []).append(index)
    order = sorted(groups, key=lambda group: (examples[groups[group][0]].category, group))
    side = {index: place % number for place, group in enumerate(order) for index in groups[group]}
    return [
        ([n for n in range(len(examples)) if side[n] != fold], [n for n in range(len(examples)) if side[n] == fold])
        for fold in range(number)
    ]


def by_time(examples: Sequence[Example], share: float) -> tuple[list[int], list[int]] | None:
    """Return (earlier, later) by index, the later being this share; None where not all have a time.

    A text that was told before the split and again after it is left out of the later ones.
    """
    if any(one.at is None for one in examples):
        return None
    order = sorted(range(len(examples)), key=lambda index: (str(examples[index].at), index))
    cut = round(len(order) * (1 - share))
    earlier = order[:cut]
    told = {examples[index].group for index in earlier}
    return sorted(earlier), sorted(index for index in order[cut:] if examples[index].group not in told)
