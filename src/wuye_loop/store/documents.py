"""Numbering of documents: gap-free per series and year, because the number is drawn in the step's own transaction."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_NEXT = text(
    "INSERT INTO document_series (series, year, n) VALUES (:series, :year, 1)"
    " ON CONFLICT (series, year) DO UPDATE SET n = document_series.n + 1 RETURNING n"
)


def next_number(session: Session, series: str, year: int) -> int:
    """Draw the next number of a series in a year; a rollback gives it back."""
    return int(session.execute(_NEXT, {"series": series, "year": year}).scalar_one())
