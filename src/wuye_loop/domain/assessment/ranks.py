"""排名 and 榜: places within groups, and who is on which list; the order of rows never changes a place."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from wuye_loop.domain.assessment.scheme import ListSpec, OnList, Within

Key = tuple[str, str]  # subject, peer group


@dataclass(frozen=True, slots=True)
class Placed:
    """One scored subject: who, in which group, what it scored, and what tells it apart from an equal one."""

    subject: str
    peer: str
    total: Decimal
    tie: Fraction | None = None

    @property
    def key(self) -> Key:
        """By what a result is found."""
        return self.subject, self.peer


def ranked(rows: Iterable[Placed], within: Within) -> dict[Key, int]:
    """Return the place of every row: one more than the number of better ones. Equal rows share a place."""
    places: dict[Key, int] = {}
    for group in _groups(rows, within).values():
        order = sorted((_worth(row) for row in group), reverse=True)
        first: dict[Hashable, int] = {}
        for place, worth in enumerate(order, 1):
            first.setdefault(worth, place)
        places.update({row.key: first[_worth(row)] for row in group})
    return places


def on_lists(
    lists: Mapping[str, ListSpec],
    rows: Sequence[Placed],
    earlier: Mapping[str, Mapping[Key, Sequence[bool]]],
    in_year: Mapping[str, Mapping[Key, int]],
) -> dict[Key, list[str]]:
    """Return who is on which lists, in the order of the file.

    `earlier` says by list and subject whether it was on it in the periods before, the latest first; `in_year` how often
    in the calendar year so far. A list that asks about another counts that one's present period, wherever it is written.
    """
    found: dict[Key, list[str]] = {row.key: [] for row in rows}
    done: dict[str, set[Key]] = {}
    for name in _in_order(lists):
        spec = lists[name]
        members = _by_score(spec, rows)
        if spec.when or spec.or_:
            plain = spec.last is not None or spec.top is not None or spec.from_ is not None or spec.below is not None
            if not plain and not spec.when:
                members = set()
            if spec.when:
                members &= {row.key for row in rows if _counted(spec.when, row.key, done, earlier, in_year)}
            members |= {row.key for row in rows if spec.or_ and _counted(spec.or_, row.key, done, earlier, in_year)}
        done[name] = members
    for name in lists:
        for key in done[name]:
            found[key].append(name)
    return found


def _in_order(lists: Mapping[str, ListSpec]) -> list[str]:
    """Return the lists so that each comes after those it asks about; the checker refuses a circle."""
    order: list[str] = []
    waiting = list(lists)
    while waiting:
        ready = [name for name in waiting if not ({*lists[name].when, *lists[name].or_} & set(waiting)) - {name}]
        ready = ready or waiting[:1]
        order += ready
        waiting = [name for name in waiting if name not in ready]
    return order


def _counted(
    asked: Mapping[str, OnList],
    key: Key,
    done: Mapping[str, set[Key]],
    earlier: Mapping[str, Mapping[Key, Sequence[bool]]],
    in_year: Mapping[str, Mapping[Key, int]],
) -> bool:
    for name, standing in asked.items():
        now = key in done.get(name, ())
        if not now:
            return False
        if standing.running is not None:
            past = earlier.get(name, {}).get(key, ())
            streak = 1 + next((place for place, was in enumerate(past) if not was), len(past))
            if streak < standing.running:
                return False
        if standing.in_year is not None and in_year.get(name, {}).get(key, 0) + 1 < standing.in_year:
            return False
    return True


def _by_score(spec: ListSpec, rows: Sequence[Placed]) -> set[Key]:
    members = {row.key for row in rows}
    if spec.below is not None:
        members &= {row.key for row in rows if row.total < spec.below}
    if spec.from_ is not None:
        members &= {row.key for row in rows if row.total >= spec.from_}
    if spec.top is not None:
        places = ranked(rows, spec.within)
        members &= {key for key, place in places.items() if place <= spec.top}
    if spec.last is not None:
        members &= _last(rows, spec.within, spec.last)
    return members


def _last(rows: Sequence[Placed], within: Within, many: int) -> set[Key]:
    """Return who has fewer than so many worse ones: equals at the border are all on it."""
    found: set[Key] = set()
    for group in _groups(rows, within).values():
        worths = sorted(_worth(row) for row in group)
        border = worths[min(many, len(worths)) - 1]
        found |= {row.key for row in group if _worth(row) <= border}
    return found


def _groups(rows: Iterable[Placed], within: Within) -> Mapping[str, list[Placed]]:
    groups: dict[str, list[Placed]] = defaultdict(list)
    for row in rows:
        groups[row.peer if within == "peers" else ""].append(row)
    return groups


def _worth(row: Placed) -> tuple[Decimal, Fraction]:
    return row.total, Fraction(0) if row.tie is None else row.tie
