"""Numbering of documents (gap-free per series and year: drawn in the step's own transaction), and the lines of one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_NEXT = text(
    "INSERT INTO document_series (series, year, n) VALUES (:series, :year, 1)"
    " ON CONFLICT (series, year) DO UPDATE SET n = document_series.n + 1 RETURNING n"
)


def next_number(session: Session, series: str, year: int) -> int:
    """Draw the next number of a series in a year; a rollback gives it back."""
    return int(session.execute(_NEXT, {"series": series, "year": year}).scalar_one())


_LINE = text(
    "INSERT INTO document_line (number, n, grievance_id, task_id) VALUES (:number, :n, :grievance_id, :task_id)"
)


def add_lines(session: Session, number: str, lines: Sequence[tuple[int, UUID, UUID | None]]) -> None:
    """Keep which line of a document opened which task on which grievance."""
    rows = [{"number": number, "n": n, "grievance_id": grievance, "task_id": task} for n, grievance, task in lines]
    session.execute(_LINE, rows)
