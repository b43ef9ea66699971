"""One page of a list, cut by the key it is sorted by: page 1,000 costs what page 1 does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The items of a page, and the key after which the next one begins; None where the list ends."""

    items: Sequence[T]
    next: tuple[Any, ...] | None

    def map(self, change: Callable[[T], S]) -> "Page[S]":
        """Return the same page of other items."""
        return Page([change(item) for item in self.items], self.next)


def counted(session: Session, statement: str, params: dict[str, Any]) -> int:
    """Count what the statement of a list finds, up to its limit."""
    return int(session.connection().exec_driver_sql(f"SELECT count(*) FROM ({statement}) listed", params).scalar_one())


def cut(rows: Sequence[T], limit: int, key: Callable[[T], tuple[Any, ...]]) -> Page[T]:
    """Return the page of `limit` out of `limit + 1` rows asked for."""
    if len(rows) <= limit:
        return Page(rows, None)
    return Page(rows[:limit], key(rows[limit - 1]))
