"""Numbering of documents (gap-free per series and year: drawn in the step's own transaction), and the lines of one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from wuye_loop.domain.step.numbering import Numbers, Series
from wuye_loop.store import straight

_NEXT = text(
    "INSERT INTO document_series (series, year, n) VALUES (:series, :year, 1)"
    " ON CONFLICT (series, year) DO UPDATE SET n = document_series.n + 1 RETURNING n"
)


def next_number(session: Session, series: str, year: int) -> int:
    """Draw the next number of a series in a year; a rollback gives it back."""
    return int(session.execute(_NEXT, {"series": series, "year": year}).scalar_one())


_HELD = """
SELECT series, n FROM document_series WHERE year = %(year)s AND series = ANY(%(names)s) ORDER BY series FOR UPDATE
"""
_BEGUN = """
INSERT INTO document_series (series, year, n) VALUES (%(series)s, %(year)s, 0)
ON CONFLICT (series, year) DO UPDATE SET n = document_series.n RETURNING n
"""
_COUNTED = """
UPDATE document_series d SET n = w.n FROM unnest(%(series)s::text[], %(years)s::int[], %(counts)s::int[]) AS w(series, year, n)
WHERE d.series = w.series AND d.year = w.year
"""


# Nobody looks at the answer before the COMMIT that travels with it, so a series that stands elsewhere is a division by nothing.
_STILL = """
SELECT 1 / (count(*) = cardinality(%(series)s::text[]))::int FROM (
  SELECT series, year, n FROM document_series
  WHERE (series, year) IN (SELECT * FROM unnest(%(series)s::text[], %(years)s::int[])) ORDER BY year, series FOR UPDATE
) d JOIN unnest(%(series)s::text[], %(years)s::int[], %(counts)s::int[]) AS w(series, year, n) USING (series, year, n)
"""


def numbers(
    session: Session, names: Callable[[], Collection[str]], before: Mapping[Series, int], settled: Callable[[], None]
) -> Numbers:
    """Return the numbers for steps that are written together: one look when the first is drawn, `statements` at their end.

    All series that the steps could draw from are held from then on, locked in the order of their names, so that two such
    transactions never wait for each other; only a series that begins its year is taken when it is met. Of series that
    `before` names no look is taken; before one is, `settled` waits until what draws from them has ended.
    """
    held: dict[Series, int] = {}
    years: set[int] = set()

    def last(series: str, year: int) -> int:
        settled()
        if year not in years:
            years.add(year)
            rows = straight.execute(session, _HELD, {"year": year, "names": list(names())}).rows
            held.update(((name, year), n) for name, n in rows)
        if (series, year) not in held:
            held[series, year] = straight.execute(session, _BEGUN, {"series": series, "year": year}).rows[0][0]
        return held[series, year]

    return Numbers(last, before)


def statements(counted: Numbers) -> list[tuple[str, dict[str, Any]]]:
    """Return what keeps how far the series were counted, in the transaction that writes the documents.

    The database refuses all of it where a series that was not looked at stands elsewhere than was assumed.
    """
    every = ((_STILL, counted.assumed), (_COUNTED, counted.drawn()))
    return [(statement, _by_series(of)) for statement, of in every if of]


def _by_series(counts: Mapping[Series, int]) -> dict[str, Any]:
    series, years = [name for name, _ in counts], [year for _, year in counts]
    return {"series": series, "years": years, "counts": list(counts.values())}


_LINE = text(
    "INSERT INTO document_line (number, n, grievance_id, task_id) VALUES (:number, :n, :grievance_id, :task_id)"
)


def add_lines(session: Session, number: str, lines: Sequence[tuple[int, UUID, UUID | None]]) -> None:
    """Keep which line of a document opened which task on which grievance."""
    rows = [{"number": number, "n": n, "grievance_id": grievance, "task_id": task} for n, grievance, task in lines]
    session.execute(_LINE, rows)
