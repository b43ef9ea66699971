"""信用分: a balance told by the calendar from rows that are only ever added, and the grade that it means."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from wuye_loop.domain.assessment.scheme import TERM, UNTIL_RECTIFIED, CreditItem, CreditSpec, Grade
from wuye_loop.domain.time.bounds import same_day

_MONTHS: Final = {"year": 12, "month": 1}


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One row: a deed with its points, from a day on, until a day (None: until it is ended); or the end of such a row."""

    id: UUID
    unit: str
    item: str
    points: Decimal
    since: date
    until: date | None
    ends: UUID | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a unit has on a day: points, grade, and the rows that count."""

    points: Decimal
    grade: str | None
    counting: tuple[CreditRow, ...]
    over: tuple[CreditRow, ...]  # expired, or ended
    vetoed: bool = False


#: Between the cause of a company's row and the company: by both together the rows are known that its managers have of it.
CARRIED: Final = " 随 "


def carried(row: CreditRow, one: UUID, manager: str, share: Decimal) -> CreditRow:
    """Return what a manager has of a row of the company."""
    return replace(row, id=one, unit=manager, points=row.points * share, cause=f"{row.cause}{CARRIED}{row.unit}")


def until(item: CreditItem, since: date) -> date | None:
    """Return the day on which a row of this item stops counting; None: until it is rectified.

    A year is to the same day of the next; of 29 February, and of a day that a month lacks, to the month's last.
    """
    if item.term == UNTIL_RECTIFIED:
        return None
    found = TERM.fullmatch(item.term)
    months = int(found[1]) * _MONTHS[found[2]] if found else 12
    return same_day(since, months)


def balance(spec: CreditSpec, rows: Sequence[CreditRow], on: date) -> Balance:
    """Return how a unit stands on a day. Rows of later days do not count yet; no job has to have run."""
    begun = [row for row in rows if row.since <= on]
    ended = {row.ends for row in begun if row.ends is not None}
    deeds = [row for row in begun if row.ends is None]
    counting = [row for row in deeds if row.id not in ended and (row.until is None or on < row.until)]
    points = spec.base + sum(_bounded(spec, counting), Decimal(0))
    points = max(spec.floor, points)
    over = tuple(row for row in deeds if row not in counting)
    veto = next((one for one in spec.veto if any(row.item == one.item for row in counting)), None)
    bad = sum(row.points < 0 for row in counting)
    grade = veto.grade if veto is not None else graded(spec, points, bad)
    return Balance(points, grade, tuple(counting), over, veto is not None)


def graded(spec: CreditSpec, points: Decimal, bad: int) -> str | None:
    """Return the grade of a balance with so many bad rows: the first of the file that it satisfies."""
    return next((name for name, ways in spec.grades.items() if any(_fits(way, points, bad) for way in ways)), None)


def _fits(way: Grade, points: Decimal, bad: int) -> bool:
    return (
        (way.from_ is None or points >= way.from_)
        and (way.below is None or points < way.below)
        and (way.bad is None or way.bad.min <= bad <= way.bad.max)
    )


def _bounded(spec: CreditSpec, rows: Iterable[CreditRow]) -> Iterable[Decimal]:
    """Yield the points of each item, no more of one than the file allows."""
    by_item: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        by_item[row.item] += row.points
    for name, points in by_item.items():
        most = spec.items[name].most if name in spec.items else None
        if most is None:
            yield points
        else:
            yield max(points, -abs(most)) if points < 0 else min(points, abs(most))
