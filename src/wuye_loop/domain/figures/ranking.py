"""Whether printed ranks follow from printed scores, whichever way ties are counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from wuye_loop.domain.figures.published import Ranked, Ranks


class Wrong(NamedTuple):
    """A row whose rank cannot be right: the row, the right rank, and why."""

    row: Ranked
    right: int
    why: str


class _Row(NamedTuple):
    ranked: Ranked
    score: Decimal
    rank: int


def misplaced(table: Ranks) -> list[Wrong]:
    """Return the rows with a wrong rank.

    Equal scores may share a rank (1, 1, 3), share it without a gap (1, 1, 2), or be told apart by something that is not
    printed (1, 2, 3): the table is read in the way that fits it best. A part of a longer list may begin at any rank.
    """
    rows = [_Row(row, row.score, row.rank) for row in table.rows if row.score is not None and row.rank is not None]
    if not rows:
        return []
    best = min(_readings(table, rows), key=len)
    first = min(row.rank for row in rows)
    if best and first > 1:
        moved = [row._replace(rank=row.rank - first + 1) for row in rows]
        if not min(_readings(table, moved), key=len):
            return []
    return best


def _readings(table: Ranks, rows: list[_Row]) -> Iterable[list[Wrong]]:
    scores = [row.score for row in rows]
    counted = Counter(scores)
    order = sorted(counted, reverse=table.descending)
    better: dict[Decimal, int] = {}
    seen = 0
    for score in order:
        better[score] = seen
        seen += counted[score]
    gaps = {score: ahead + 1 for score, ahead in better.items()}
    dense = {score: place for place, score in enumerate(order, 1)}
    return (_shared(rows, gaps), _shared(rows, dense), _apart(rows, gaps, counted))


def _shared(rows: list[_Row], places: Mapping[Decimal, int]) -> list[Wrong]:
    return [Wrong(row.ranked, places[row.score], _why(row, places)) for row in rows if row.rank != places[row.score]]


def _apart(rows: list[_Row], places: Mapping[Decimal, int], counted: Mapping[Decimal, int]) -> list[Wrong]:
    found, taken = [], set()
    for row in rows:
        low = places[row.score]
        free = [rank for rank in range(low, low + counted[row.score]) if rank not in taken]
        if row.rank in free:
            taken.add(row.rank)
        else:
            right = free[0] if free else low
            found.append(Wrong(row.ranked, right, _why(row, {row.score: right})))
    return found


def _why(row: _Row, places: Mapping[Decimal, int]) -> str:
    right = places[row.score]
    return f"得分 {row.score:f} 应排第 {right}，排得{'高' if row.rank < right else '低'}了"
