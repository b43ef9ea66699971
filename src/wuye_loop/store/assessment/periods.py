"""Assessments: one row for each period and revision, its frozen figures and results, and the hash over them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from sqlalchemy import DateTime, and_, case, func, insert, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from wuye_loop.store import registry, vouched
from wuye_loop.store.assessment.waiting import ready
from wuye_loop.store.schema.assessment_tables import assessment, figure, result

State = Literal["due", "closed", "published"]
_COLUMNS: Final[tuple[Any, ...]] = (
    assessment.c.id, assessment.c.name, assessment.c.scheme, assessment.c.part, assessment.c.period,
    assessment.c.revision, assessment.c.state, assessment.c.starts, assessment.c.ends, assessment.c.closes_at,
    assessment.c.closed_at, assessment.c.published_at, assessment.c.digest, assessment.c.bulletin, assessment.c.reason,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assessment:
    """One period of a scheme as it stands: due, closed (frozen) or published."""

    id: UUID
    name: str
    scheme: str
    part: str
    period: str
    revision: int
    state: State
    starts: datetime
    ends: datetime
    closes_at: datetime
    closed_at: datetime | None = None
    published_at: datetime | None = None
    digest: bytes | None = None
    bulletin: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure: its counts, on how many cases it stands, and how many were left out. The cases stay in the database."""

    subject: str
    peer: str
    measure: str
    numerator: Decimal
    denominator: Decimal | None
    count: int = 0
    excluded: int = 0


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What one subject came to."""

    subject: str
    peer: str
    orders: int
    total: Decimal | None
    rank: int | None
    items: Sequence[Mapping[str, Any]]
    lists: tuple[str, ...]
    vetoed: bool = False


def schedule(session: Session, rows: Iterable[Assessment]) -> int:
    """Add periods that will be due, each once; return how many were not there already."""
    added = []
    for row in rows:
        values = {column.name: getattr(row, column.name) for column in _COLUMNS}
        fresh = upsert(assessment).values(**values).on_conflict_do_nothing().returning(assessment.c.id)
        added += [str(one) for one in session.execute(fresh).scalars()]
    # After all of them: who adds the same ones at the same time is never waited for with the register in hand.
    if added:
        registry.settle(session, vouched.DUE, *added)
    return len(added)


def as_scheduled(session: Session, one: UUID) -> bool:
    """Say whether a period that is due stands as it was scheduled."""
    return registry.vouches(session, vouched.DUE, str(one))


def as_frozen(session: Session, row: Assessment) -> bool:
    """Say whether a period that is closed is what was frozen: its row, and every figure and result of it."""
    return (
        registry.vouches(session, vouched.SCORES, str(row.id))
        and digest_of(session, row) == row.digest
        and not miscounted(session, row.id)
    )


def miscounted(session: Session, one: UUID) -> bool:
    """Say whether a figure of a period says that more or fewer were left out than those that it names."""
    wrong = (figure.c.assessment_id == one, figure.c.excluded != func.cardinality(figure.c.excluded_cases))
    return session.execute(select(figure.c.measure).where(*wrong).limit(1)).first() is not None


_LONGEST_WAIT: Final = timedelta(days=1)
#: When the sweep takes a period up: at its closing, or later where that failed; after it, where it publishes by itself.
_AT: Final = func.greatest(assessment.c.closes_at, assessment.c.retry_at)
_WAITING: Final = or_(
    assessment.c.state == "due", and_(assessment.c.state == "closed", assessment.c.retry_at.is_not(None))
)


def due(session: Session, now: datetime) -> list[UUID]:
    """Return the periods whose time to close, or to be published by themselves, has come, the oldest first."""
    again = ready(assessment.c.retry_at, now, _LONGEST_WAIT)
    rows = select(assessment.c.id).where(_WAITING, assessment.c.closes_at <= now, again)
    order = (assessment.c.closes_at, assessment.c.ends, assessment.c.name, assessment.c.id)
    return list(session.execute(rows.order_by(*order)).scalars())


def next_due(session: Session, after: datetime) -> datetime | None:
    """Return when the sweep takes up a period next, later than an instant."""
    return session.execute(select(func.min(_AT)).where(_WAITING, after < _AT)).scalar()


def not_done(session: Session, one: UUID, words: str, now: datetime) -> None:
    """Keep why a period could not be closed or published; tried again at once, then after 1, 2, 4 … minutes, a day at most."""
    tries = assessment.c.tries
    minutes = func.least(func.power(2, func.least(tries, 20) - 1), 24 * 60)
    wait = case((tries == 0, 0), else_=minutes) * text("interval '1 minute'")
    values = {"tries": tries + 1, "retry_at": literal(now, DateTime(timezone=True)) + wait, "trouble": words}
    session.execute(update(assessment).where(assessment.c.id == one).values(**values))


@dataclass(frozen=True, slots=True)
class Stuck:
    """A period that is overdue because it could not be closed or published: how often that was tried, and why."""

    scheme: str
    period: str
    closes_at: datetime
    tries: int
    retry_at: datetime
    trouble: str


def stuck(session: Session) -> list[Stuck]:
    """Return the periods that could not be closed or published, the oldest first."""
    columns = [assessment.c[name] for name in Stuck.__slots__]
    rows = select(*columns).where(_WAITING, assessment.c.trouble.is_not(None)).order_by(assessment.c.closes_at)
    return [Stuck(*row) for row in session.execute(rows)]


def latest_scheduled(session: Session, name: str, part: str) -> Assessment | None:
    """Return the last period of a part that was scheduled."""
    rows = select(*_COLUMNS).where(assessment.c.name == name, assessment.c.part == part)
    row = session.execute(rows.order_by(assessment.c.starts.desc(), assessment.c.revision.desc()).limit(1)).first()
    return None if row is None else Assessment(*row)


def locked(session: Session, one: UUID, *, wait: bool = True, shared: bool = False) -> Assessment | None:
    """Return an assessment under its row lock, or one `shared` with others; None where it is taken and nobody waits."""
    rows = select(*_COLUMNS).where(assessment.c.id == one).with_for_update(read=shared, skip_locked=not wait)
    row = session.execute(rows).first()
    return None if row is None else Assessment(*row)


def find(session: Session, name: str, period: str, revision: int | None = None) -> Assessment | None:
    """Return a revision of a period; the newest where none is named."""
    rows = select(*_COLUMNS).where(assessment.c.name == name, assessment.c.period == period)
    if revision is not None:
        rows = rows.where(assessment.c.revision == revision)
    row = session.execute(rows.order_by(assessment.c.revision.desc()).limit(1)).first()
    return None if row is None else Assessment(*row)


def revisions(session: Session, name: str, period: str, last: int) -> list[Assessment]:
    """Return the revisions of a period up to one, the first of them first."""
    rows = select(*_COLUMNS).where(assessment.c.name == name, assessment.c.period == period)
    rows = rows.where(assessment.c.revision <= last).order_by(assessment.c.revision)
    return [Assessment(*row) for row in session.execute(rows)]


def by_id(session: Session, one: UUID) -> Assessment | None:
    """Return an assessment by its id."""
    row = session.execute(select(*_COLUMNS).where(assessment.c.id == one)).first()
    return None if row is None else Assessment(*row)


def every(session: Session, *, published: bool, limit: int = 1000) -> list[Assessment]:
    """Return the assessments that were closed (or only those published), the newest first."""
    states = ["published"] if published else ["closed", "published"]
    rows = select(*_COLUMNS).where(assessment.c.state.in_(states))
    order = (assessment.c.ends.desc(), assessment.c.name, assessment.c.part, assessment.c.revision.desc())
    return [Assessment(*row) for row in session.execute(rows.order_by(*order).limit(limit))]


def earlier(session: Session, name: str, part: str, before: datetime, limit: int = 60) -> list[Assessment]:
    """Return the newest revision of each closed period of a part before an instant, the latest first."""
    rows = (
        select(*_COLUMNS)
        .ext(distinct_on(assessment.c.starts))
        .where(
            assessment.c.name == name,
            assessment.c.part == part,
            assessment.c.starts < before,
            assessment.c.state != "due",
        )
        .order_by(assessment.c.starts.desc(), assessment.c.revision.desc())
        .limit(limit)
    )
    return [Assessment(*row) for row in session.execute(rows)]


def keep(session: Session, one: UUID, rows: Iterable[FigureRow]) -> None:
    """Store figures that stand on no cases: what people scored, other periods, the stages."""
    none: dict[str, list[Any]] = {"cases": [], "weights": [], "excluded_cases": []}
    values = [
        {"assessment_id": one, "subject": row.subject, "peer": row.peer, "measure": row.measure}
        | {"numerator": row.numerator, "denominator": row.denominator, "excluded": 0, **none}
        for row in rows
    ]
    if values:
        session.execute(insert(figure), values)


def freeze(session: Session, row: Assessment, results: Sequence[ResultRow], now: datetime, *, publishes: bool) -> None:
    """Close a period whose figures are kept: its results, and the hash over both; one that publishes itself is due for it."""
    _insert(session, row.id, results)
    values = {"state": "closed", "closed_at": now, "digest": digest_of(session, row), "scheme": row.scheme}
    values |= {"tries": 0, "trouble": None, "retry_at": now if publishes else None}
    session.execute(update(assessment).where(assessment.c.id == row.id).values(**values))
    registry.settle(session, vouched.DUE, str(row.id))
    registry.settle(session, vouched.SCORES, str(row.id))


_COPY: Final = """
INSERT INTO figure (assessment_id, subject, peer, measure, numerator, denominator, excluded, cases, weights, excluded_cases)
SELECT %(new)s, subject, peer, measure, numerator, denominator, excluded, cases, weights, excluded_cases
FROM figure f WHERE assessment_id = %(old)s AND NOT EXISTS (
  SELECT 1 FROM unnest(%(measures)s::text[]) AS m(measure)
  WHERE m.measure = f.measure AND f.subject = %(subject)s AND f.peer = %(peer)s)
"""
_WITHOUT: Final = """
INSERT INTO figure (assessment_id, subject, peer, measure, numerator, denominator, excluded, cases, weights, excluded_cases)
SELECT %(new)s, subject, peer, measure,
       numerator - COALESCE((SELECT sum(u.weight) FROM unnest(cases, weights) AS u(id, weight)
                             WHERE %(every)s OR u.id = %(case)s), 0),
       CASE WHEN measure = ANY(%(rates)s::text[]) THEN denominator - (
         SELECT count(*) FROM unnest(cases) AS u(id) WHERE %(every)s OR u.id = %(case)s) ELSE denominator END,
       cardinality(left_out), kept, kept_weights, left_out
FROM (
  SELECT f.*,
    ARRAY(SELECT u.id FROM unnest(cases, weights) WITH ORDINALITY AS u(id, weight, n)
          WHERE NOT (%(every)s OR u.id = %(case)s) ORDER BY u.n) AS kept,
    ARRAY(SELECT u.weight FROM unnest(cases, weights) WITH ORDINALITY AS u(id, weight, n)
          WHERE NOT (%(every)s OR u.id = %(case)s) ORDER BY u.n) AS kept_weights,
    ARRAY(SELECT DISTINCT u.id FROM unnest(cases || excluded_cases) AS u(id)
          WHERE %(every)s OR u.id = %(case)s OR u.id = ANY(excluded_cases) ORDER BY u.id) AS left_out
  FROM figure f WHERE assessment_id = %(old)s AND subject = %(subject)s AND peer = %(peer)s
    AND measure = ANY(%(measures)s::text[])
) changed
"""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What an upheld appeal takes out: of whom, of which measures (which of them are rates), one case or every one."""

    subject: str
    peer: str
    measures: Sequence[str]
    rates: Sequence[str]
    case: UUID | None


def copied(session: Session, old: Assessment, new: Assessment, out: LeftOut) -> None:
    """Add another revision of a period: its figures are the old ones, but for what is left out."""
    values = {column.name: getattr(new, column.name) for column in _COLUMNS}
    session.execute(insert(assessment).values(**values))
    params = {
        "new": new.id, "old": old.id, "subject": out.subject, "peer": out.peer, "measures": list(out.measures),
        "rates": list(out.rates), "case": out.case, "every": out.case is None,
    }  # fmt: skip
    connection = session.connection()
    connection.exec_driver_sql(_COPY, params)
    connection.exec_driver_sql(_WITHOUT, params)


def revised(session: Session, row: Assessment, results: Sequence[ResultRow]) -> None:
    """Keep the results of another revision, with the hash over it."""
    _insert(session, row.id, results)
    session.execute(update(assessment).where(assessment.c.id == row.id).values(digest=digest_of(session, row)))
    registry.settle(session, vouched.SCORES, str(row.id))


def _insert(session: Session, one: UUID, results: Sequence[ResultRow]) -> None:
    rows = [
        {
            "assessment_id": str(one), "subject": row.subject, "peer": row.peer, "orders": row.orders,
            "total": None if row.total is None else str(row.total), "rank": row.rank, "items": list(row.items),
            "lists": list(row.lists), "vetoed": row.vetoed,
        }
        for row in results
    ]  # fmt: skip
    session.connection().exec_driver_sql(_RESULTS, {"rows": orjson.dumps(rows).decode()})


#: Rows travel as one JSON text, read by the table's own row type: a statement for each row takes ten times as long.
_RESULTS: Final = """
INSERT INTO result (assessment_id, subject, peer, orders, total, rank, items, lists, vetoed)
SELECT assessment_id, subject, peer, orders, total, rank, items, lists, vetoed
FROM jsonb_populate_recordset(NULL::result, %(rows)s::jsonb)
"""


@dataclass(frozen=True, slots=True)
class Numbered:
    """The number of a bulletin: as it is written, and its place in the series."""

    number: str
    series: str
    year: int
    n: int


def mark_published(session: Session, one: UUID, now: datetime, bulletin: Numbered | None) -> None:
    """Publish what is closed."""
    values: dict[str, Any] = {"state": "published", "published_at": now, "retry_at": None, "trouble": None}
    if bulletin is not None:
        values |= {"bulletin": bulletin.number, "bulletin_series": bulletin.series}
        values |= {"bulletin_year": bulletin.year, "bulletin_n": bulletin.n}
    session.execute(update(assessment).where(assessment.c.id == one).values(**values))
    registry.settle(session, vouched.SCORES, str(one))


def figures(session: Session, one: UUID, subject: str | None = None) -> list[FigureRow]:
    """Return the frozen figures of a period, of one subject or of all."""
    columns: tuple[Any, ...] = (
        figure.c.subject, figure.c.peer, figure.c.measure, figure.c.numerator, figure.c.denominator,
        func.cardinality(figure.c.cases), figure.c.excluded,
    )  # fmt: skip
    rows = select(*columns).where(figure.c.assessment_id == one)
    if subject is not None:
        rows = rows.where(figure.c.subject == subject)
    found = session.execute(rows.order_by(figure.c.subject, figure.c.peer, figure.c.measure))
    return [FigureRow(*row) for row in found]


def sums(session: Session, one: UUID) -> list[FigureRow]:
    """Return the frozen figures of a period over all subjects, one for each measure; no base where one of them has none."""
    base = func.sum(figure.c.denominator)
    columns: tuple[Any, ...] = (
        literal(""), literal(""), figure.c.measure, func.sum(figure.c.numerator),
        case((func.count(figure.c.denominator) == func.count(), base)), literal(0), func.sum(figure.c.excluded),
    )  # fmt: skip
    rows = select(*columns).where(figure.c.assessment_id == one).group_by(figure.c.measure)
    return [FigureRow(*row) for row in session.execute(rows.order_by(figure.c.measure))]


def cases(session: Session, one: UUID, subject: str, peer: str, measure: str) -> dict[UUID, Decimal]:
    """Return the cases of a frozen figure and what each weighs there."""
    rows = session.connection().exec_driver_sql(
        """SELECT u.id, sum(u.weight) FROM figure f, unnest(f.cases, f.weights) AS u(id, weight)
        WHERE f.assessment_id = %(one)s AND f.subject = %(subject)s AND f.peer = %(peer)s AND f.measure = %(measure)s
        GROUP BY u.id ORDER BY u.id""",
        {"one": one, "subject": subject, "peer": peer, "measure": measure},
    )
    return {row[0]: row[1] for row in rows}


def results(session: Session, one: UUID, subject: str | None = None) -> list[ResultRow]:
    """Return the frozen results of a period: by group, the best first, those apart last."""
    columns: tuple[Any, ...] = (
        result.c.subject, result.c.peer, result.c.orders, result.c.total, result.c.rank, result.c["items"], result.c.lists,
        result.c.vetoed,
    )  # fmt: skip
    rows = select(*columns).where(result.c.assessment_id == one)
    if subject is not None:
        rows = rows.where(result.c.subject == subject)
    order = (result.c.peer, result.c.rank.asc().nulls_last(), result.c.subject)
    found: Any = session.execute(rows.order_by(*order))
    return [ResultRow(row[0], row[1], row[2], row[3], row[4], row[5], tuple(row[6]), row[7]) for row in found]


def on_lists(session: Session, ids: Iterable[UUID]) -> dict[UUID, dict[tuple[str, str], list[str]]]:
    """Return who was on which lists in some assessments."""
    rows = select(result.c.assessment_id, result.c.subject, result.c.peer, result.c.lists)
    found: dict[UUID, dict[tuple[str, str], list[str]]] = {one: {} for one in ids}
    for row in session.execute(rows.where(result.c.assessment_id.in_(list(found)))):
        found[row.assessment_id][row.subject, row.peer] = row.lists
    return found


_HASHED: Final = """
SELECT subject, peer, measure, trim_scale(numerator)::text, trim_scale(denominator)::text, sha256(convert_to(
  array_to_string(cases, ',') || ';' || array_to_string(ARRAY(SELECT trim_scale(w) FROM unnest(weights) WITH ORDINALITY
    AS u(w, n) ORDER BY n), ',') || ';' || array_to_string(excluded_cases, ','), 'UTF8'))
FROM figure WHERE assessment_id = %(one)s ORDER BY subject COLLATE "C", peer COLLATE "C", measure COLLATE "C"
"""


def digest_of(session: Session, row: Assessment) -> bytes:
    """Return the hash over what is frozen: the version, the window, every figure with its cases, every result."""
    sha = hashlib.sha256()
    head = [row.name, row.scheme, row.part, row.period, row.revision, row.starts.isoformat(), row.ends.isoformat()]
    sha.update(orjson.dumps(head))
    for one in session.connection().exec_driver_sql(_HASHED, {"one": row.id}):
        sha.update(orjson.dumps(list(one[:5])) + bytes(one[5]))
    for each in sorted(results(session, row.id), key=lambda each: (each.subject, each.peer)):
        total = None if each.total is None else f"{each.total.normalize():f}"
        members = [each.subject, each.peer, each.orders, total, each.rank, list(each.lists), each.vetoed]
        sha.update(orjson.dumps([*members, list(each.items)], option=orjson.OPT_SORT_KEYS))
    return sha.digest()
