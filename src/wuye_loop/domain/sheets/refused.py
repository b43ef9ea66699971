"""Rows that were refused, written so that a person mends them and the same reader takes them again."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

from wuye_loop.domain.sheets.cells import safe

PLACE: Final = ("行号", "原因")  # the columns before those of the file


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken: the line it begins at, its cells as read, and why."""

    line: int
    cells: Sequence[str]
    reason: str


class RefusedFile:
    """A table of refused rows in an open text; a quote stands before what a spreadsheet would run as a formula."""

    def __init__(self, file: IO[str], header: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow([*PLACE, *map(safe, header)])

    def add(self, row: RefusedRow) -> None:
        """Write one row with as many cells as it has: one that is too short or too long stays so until it is mended."""
        self._writer.writerow([row.line, row.reason, *map(_writable, row.cells)])


def _writable(cell: str) -> str:
    """Return a cell without bytes that no encoding has."""
    return safe(cell).encode("utf-8", "replace").decode("utf-8")
