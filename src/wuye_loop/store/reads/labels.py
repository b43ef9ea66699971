"""What a grievance is found by besides its words: who has a part in it, and the month it came in.

A label begins with a character that no word has.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

#: Of what is kept of a grievance, for who has a part in it (migrations: marks): its category, its stage, that it is open and
#: due; and that those who have a part in it are not kept.
CATEGORY, STAGE, DUE, UNTOLD = "\x02", "\x03", "\x04", "\x05"
#: As SQL has them.
UNIT_LABEL: Final = "E'\\x01'"
MONTH_LABEL: Final = "E'\\x02'"
MONTH_SQL: Final = "to_char(g.received_at AT TIME ZONE 'UTC', 'YYYYMM')"

_LONG_AGO: Final = datetime(1900, 1, 1, tzinfo=UTC)  # before any order; the first year there is has no month before it


def of_unit(unit: str) -> str:
    """Return the label of a unit, quoted for a query of labels."""
    return _quoted(f"\x01{unit}")


def of_months(last: datetime, count: int) -> tuple[str, datetime]:
    """Return a query for so many months, the one of an instant the last; and when the first of them began, in UTC."""
    months = list(_back(max(last, _LONG_AGO).astimezone(UTC), count))
    year, month = months[-1]
    labels = " | ".join(_quoted(f"\x02{y}{m:02}") for y, m in months)
    return f"({labels})", datetime(year, month, 1, tzinfo=UTC)


def _back(last: datetime, count: int) -> Iterator[tuple[int, int]]:
    year, month = last.year, last.month
    for _ in range(count):
        yield year, month
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def _quoted(label: str) -> str:
    doubled = label.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
