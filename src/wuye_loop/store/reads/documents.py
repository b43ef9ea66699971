"""The register of numbered documents (文书登记), within the reader's jurisdiction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.store.pages import Page, counted, cut
from wuye_loop.store.visibility import sees_paper, visible

_DOCUMENTS = """
SELECT d.grievance_id, d.number, d.kind, d.series, d.year, d.n, d.addressee, d.copies, d.text, d.issued_at, g.workflow,
       d.scheme, d.period, d.issuer, d.title AS heading,
       CASE WHEN {own} THEN g.number END AS grievance, CASE WHEN {own} THEN g.title END AS title, t.id AS task_id, t.kind AS task_kind, t.state AS task_state, t.final AS task_final
FROM document d LEFT JOIN grievance g ON g.id = d.grievance_id LEFT JOIN task t ON t.id = d.task_id
"""
# A document with lines is seen by whoever sees one of the grievances it names; of its lines only those, and the
# grievance that carries it only by whoever sees that one. One without a grievance is seen by whom it names.
_THROUGH_A_LINE = """
((d.grievance_id IS NOT NULL AND ({visible})) OR EXISTS (
  SELECT 1 FROM document_line l JOIN grievance v ON v.id = l.grievance_id WHERE l.number = d.number AND {through})
 OR (d.grievance_id IS NULL AND {alone}))
"""
_WENT_TO = """
(d.addressee = %(unit)s OR d.copies @> ARRAY[%(unit)s]::text[] OR EXISTS (
  SELECT 1 FROM document_line l JOIN grievance v ON v.id = l.grievance_id JOIN task h ON h.id = l.task_id
  WHERE l.number = d.number AND h.holder_unit = %(unit)s AND {through}))
"""
# A paper of an assessment stands on one subject's result as it was published when it was issued: which revision has another.
_SUPERSEDED = """
SELECT d.number, newest.revision FROM document d
JOIN consequence c ON c.name = split_part(d.scheme, '@', 1) AND c.period = d.period AND c.document = d.number
JOIN LATERAL (SELECT a.id, a.revision FROM assessment a WHERE a.name = c.name AND a.period = c.period
              AND a.state = 'published' ORDER BY a.revision DESC LIMIT 1) newest ON true
JOIN LATERAL (SELECT a.id, a.revision FROM assessment a WHERE a.name = c.name AND a.period = c.period
              AND (a.published_at <= d.issued_at OR a.revision = 1) ORDER BY a.revision DESC LIMIT 1) stood ON true
LEFT JOIN result was ON (was.assessment_id, was.subject, was.peer) = (stood.id, c.subject, c.peer)
LEFT JOIN result now ON (now.assessment_id, now.subject, now.peer) = (newest.id, c.subject, c.peer)
WHERE d.number = ANY(%(numbers)s) AND newest.revision > stood.revision
  AND (was.total, was.rank, was.lists) IS DISTINCT FROM (now.total, now.rank, now.lists)
"""
_LINES = """
SELECT l.n, g.number AS grievance, g.title, g.workflow, t.id AS task_id, t.kind AS task_kind, t.state AS task_state,
       t.final AS task_final, t.holder_unit
FROM document_line l JOIN grievance g ON g.id = l.grievance_id JOIN task t ON t.id = l.task_id
WHERE l.number = %(number)s AND {visible} ORDER BY l.n
"""
_AGENDA = """
SELECT g.id AS grievance_id, t.id, t.kind, t.n, t.state, t.opened_at, t.holder_unit, t.data, g.number AS grievance, g.title, g.category,
       g.estate_code, g.area_code, g.workflow, g.level, g.cycle, g.received_at, g.lead_unit
FROM task t JOIN grievance g ON g.id = t.grievance_id
WHERE NOT t.final AND t.kind = %(kind)s AND {conditions}
ORDER BY t.opened_at, t.id LIMIT %(limit)s
"""


#: Of one moment and series the higher number is first: 10号 before 9号.
_BEFORE: Final = """(d.issued_at, d.series, d.n, d.number) < (
    %(at)s, (SELECT series FROM document WHERE number = %(after)s), (SELECT n FROM document WHERE number = %(after)s), %(after)s
)"""


@dataclass(frozen=True, slots=True)
class DocumentFilters:
    """What the register is narrowed by: a series or kind, a unit that a document went to."""

    series: str | None = None
    unit: str | None = None


def listed(
    session: Session,
    actor: Actor,
    kinds: Collection[str] | None,
    filters: DocumentFilters,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Page[Any]:
    """Return a page of the documents on visible grievances and of assessments, the newest first; `kinds` of their tasks, None for any."""
    statement, params = _listed(actor, kinds, filters, after, limit + 1)
    rows = session.connection().exec_driver_sql(statement, params)
    return cut(rows.all(), limit, lambda row: (row.issued_at, row.number))


def how_many(session: Session, actor: Actor, kinds: Collection[str] | None, filters: DocumentFilters, most: int) -> int:
    """Count the same, up to so many."""
    return counted(session, *_listed(actor, kinds, filters, None, most))


def _listed(
    actor: Actor,
    kinds: Collection[str] | None,
    filters: DocumentFilters,
    after: tuple[datetime, str] | None,
    limit: int,
) -> tuple[str, dict[str, Any]]:
    select, conditions, params = _base(actor, kinds)
    if filters.series is not None:
        conditions.append("(d.series = %(series)s OR d.kind = %(series)s)")
        params["series"] = filters.series
    if filters.unit is not None:
        conditions.append(_WENT_TO.format(through=visible(actor, "v")[0]))
        params["unit"] = filters.unit
    if after is not None:
        conditions.append(_BEFORE)
        params |= {"at": after[0], "after": after[1]}
    where = " AND ".join(conditions)
    statement = (
        f"{select} WHERE {where} ORDER BY d.issued_at DESC, d.series DESC, d.n DESC, d.number DESC LIMIT %(limit)s"
    )
    return statement, params | {"limit": limit}


def superseded(session: Session, numbers: Collection[str]) -> dict[str, int]:
    """Return, of these, the papers of assessments whose score was revised since, each with the published revision that did."""
    if not numbers:
        return {}
    rows = session.connection().exec_driver_sql(_SUPERSEDED, {"numbers": list(numbers)})
    return {row.number: row.revision for row in rows}


def found(session: Session, actor: Actor, kinds: Collection[str] | None, number: str) -> Any | None:
    """Return one document on a visible grievance, or None."""
    select, conditions, params = _base(actor, kinds)
    conditions.append("d.number = %(number)s")
    statement = f"{select} WHERE {' AND '.join(conditions)}"
    return session.connection().exec_driver_sql(statement, params | {"number": number}).first()


def _base(actor: Actor, kinds: Collection[str] | None) -> tuple[str, list[str], dict[str, Any]]:
    predicate, params = visible(actor)
    through, _ = visible(actor, "v")
    alone, more = sees_paper(actor, "d")
    params |= more
    conditions = [_THROUGH_A_LINE.format(visible=predicate, through=through, alone=alone)]
    if kinds is not None:
        conditions.append("t.kind = ANY(%(kinds)s)")
        params["kinds"] = sorted(kinds)
    return _DOCUMENTS.format(own=predicate), conditions, params


def lines(session: Session, actor: Actor, number: str) -> list[Any]:
    """Return the lines of a document that name visible grievances, in order."""
    predicate, params = visible(actor)
    statement = _LINES.format(visible=predicate)
    return list(session.connection().exec_driver_sql(statement, params | {"number": number}))


def agenda(session: Session, actor: Actor, kind: str, after: tuple[datetime, UUID] | None, limit: int) -> Page[Any]:
    """Return a page of the open tasks of a kind that wait for a document: those a unit holds, or all that are visible."""
    predicate, params = visible(actor)
    conditions = [predicate]
    params |= {"kind": kind, "limit": limit + 1}
    if actor.unit is not None:
        conditions.append("t.holder_unit = %(unit)s")
        params["unit"] = actor.unit
    if after is not None:
        conditions.append("(t.opened_at, t.id) > (%(at)s, %(after)s)")
        params |= {"at": after[0], "after": after[1]}
    statement = _AGENDA.format(conditions=" AND ".join(conditions))
    rows = session.connection().exec_driver_sql(statement, params)
    return cut(rows.all(), limit, lambda row: (row.opened_at, row.id))
