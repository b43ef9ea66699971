"""What hangs on one grievance, and lists of grievances, as rows; jurisdiction is store/visibility's, as everywhere."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.grievance.situation import Actor, TaskState
from wuye_loop.domain.privacy.text import like_literal
from wuye_loop.domain.terms import ActorKind
from wuye_loop.store import straight
from wuye_loop.store.grievance import packing
from wuye_loop.store.grievance.packing import clock_image
from wuye_loop.store.grievance.related import AKIN
from wuye_loop.store.pages import Page, cut
from wuye_loop.store.reach import beyond
from wuye_loop.store.reads import labels
from wuye_loop.store.reads.newest import Walk, back
from wuye_loop.store.reads.summary import mark_of
from wuye_loop.store.visibility import sent_by, subtree, visible

_TASK = ", ".join(f"t.{item.name}" for item in fields(TaskState))
_COPIES = [item.name for item in fields(TaskState)].index("copies")


_PARTICULARS = ("address", "anonymous", "confidential", "external_id")
_PARTICULAR = f"SELECT {', '.join(_PARTICULARS)} FROM grievance WHERE id = %(id)s"


def particulars(session: Session, grievance_id: UUID) -> dict[str, Any]:
    """Return what no decision asks: the address, to building level only, whether secrecy was asked for, the sender's id."""
    (row,) = straight.rows(session, _PARTICULAR, {"id": grievance_id})
    return dict(zip(_PARTICULARS, row, strict=True))


def estates_called(session: Session, name: str) -> list[dict[str, Any]]:
    """Return the estates that bear a name: code, area, company."""
    rows = session.connection().exec_driver_sql(
        "SELECT code, area_code AS area, company_code AS company FROM estate WHERE name = %(name)s ORDER BY code LIMIT 20",
        {"name": name},
    )
    return [dict(row) for row in rows.mappings()]


def tasks_of(session: Session, grievance_id: UUID, task_id: UUID | None = None) -> list[TaskState]:
    """Return every task of a grievance, or one, in the order they were opened."""
    rows = session.connection().exec_driver_sql(
        f"SELECT {_TASK} FROM task t WHERE t.grievance_id = %(id)s"
        " AND (%(task)s::uuid IS NULL OR t.id = %(task)s::uuid) ORDER BY t.n",
        {"id": grievance_id, "task": task_id},
    )
    return [_task(row) for row in rows]


def _task(row: Any) -> TaskState:
    values: list[Any] = [tuple(value) if place == _COPIES else value for place, value in enumerate(row)]
    return TaskState(*values)


def seen_of(session: Session, actor: Actor, numbers: Collection[str]) -> set[str]:
    """Return which of these numbers are of grievances that the actor may get by itself."""
    predicate, params = visible(actor)
    rows = session.connection().exec_driver_sql(
        f"SELECT g.number FROM grievance g WHERE g.number = ANY(%(numbers)s) AND {predicate}",
        params | {"numbers": list(numbers)},
    )
    return set(rows.scalars())


def bare(session: Session, number: str, actor: Actor) -> Mapping[str, Any] | None:
    """Return the plain columns of a visible grievance, or None: what can be told of one that cannot be read."""
    predicate, params = visible(actor)
    rows = session.connection().exec_driver_sql(
        "SELECT g.number, g.workflow, g.title, g.body, g.state, g.stage, g.final, g.cycle, g.kind, g.category, g.urgency,"
        " g.estate_code AS estate, g.area_code AS area, g.lead_unit, g.holder_unit, g.received_at, g.due_at, g.seq"
        f" FROM grievance g WHERE g.number = %(number)s AND {predicate}",
        params | {"number": number},
    )
    row = rows.mappings().first()
    return dict(row) if row is not None else None


_CLOCKS = """
SELECT to_jsonb(c), t.kind FROM clock c LEFT JOIN task t ON t.id = c.task_id
WHERE c.grievance_id = %(id)s AND (%(task)s::uuid IS NULL OR c.task_id = %(task)s::uuid) ORDER BY c.started_at, c.id
"""


def clocks_of(
    session: Session, grievance_id: UUID, task_id: UUID | None = None
) -> list[tuple[Mapping[str, Any], str | None]]:
    """Return the image of every clock of a grievance and its tasks, or of one task, oldest first, with its task's kind."""
    rows = straight.rows(session, _CLOCKS, {"id": grievance_id, "task": task_id})
    return [(clock_image(row[0]), row[1]) for row in rows]


# --- the ledger -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class LedgerRow(Entry):
    """A ledger row with the kind of its task.

    `before` are the moves of narrower audience since the last one that is read: (action, state entered, facts).
    """

    task_kind: str | None
    before: Sequence[tuple[str, str, Mapping[str, Any]]] | None


_SEQ, _FACTS, _CHANGES, _HASH = map(
    [item.name for item in fields(LedgerRow)].index, ("seq", "facts", "changes", "hash")
)
_LEDGER = """
SELECT l.seq, l.at, l.action, l.task_id, l.actor, l.from_state, l.to_state, l.facts, l.changes, l.audience, l.hash,
       t.kind, p.moves, l.packed
FROM ledger l LEFT JOIN task t ON t.id = l.task_id
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_array(b.action, b.to_state, b.facts) ORDER BY b.seq) AS moves FROM ledger b
  WHERE l.task_id IS NULL AND l.from_state <> l.to_state AND b.grievance_id = l.grievance_id AND b.seq < l.seq
    AND b.task_id IS NULL AND b.from_state <> b.to_state
    AND b.seq > (SELECT COALESCE(max(v.seq), 0) FROM ledger v
                 WHERE v.grievance_id = l.grievance_id AND v.seq < l.seq AND v.task_id IS NULL
                   AND v.from_state <> v.to_state AND v.audience = ANY(%(audiences)s))
) p ON TRUE
WHERE l.grievance_id = %(id)s AND l.audience = ANY(%(audiences)s)
"""


_LEDGER_PAGE = f"{_LEDGER} AND l.seq > %(after)s ORDER BY l.seq LIMIT %(limit)s"


def ledger_of(
    session: Session, grievance_id: UUID, audiences: Collection[str], after: int, limit: int
) -> Page[LedgerRow]:
    """Return a page of the rows that these audiences may read, in order."""
    rows = straight.rows(session, *_ledger_asked(grievance_id, audiences, after, limit))
    return cut([_ledger_row(row) for row in rows], limit, lambda row: (row.seq,))


def _ledger_asked(grievance_id: UUID, audiences: Collection[str], after: int, limit: int) -> straight.Asked:
    return _LEDGER_PAGE, {"id": grievance_id, "audiences": sorted(audiences), "after": after, "limit": limit + 1}


_MIGRATIONS = """
SELECT seq, at, facts->>'from' FROM ledger WHERE grievance_id = %(id)s AND action = 'migrate' ORDER BY seq
"""


def migrations_of(session: Session, grievance_id: UUID) -> list[tuple[int, datetime, str]]:
    """Return when a grievance was taken over to other rules: the row's seq, the instant, the version it came from."""
    return [(row[0], row[1], row[2]) for row in straight.rows(session, _MIGRATIONS, {"id": grievance_id})]


def asked_of(grievance_id: UUID, audiences: Collection[str], rows: int) -> list[straight.Asked]:
    """Return what is asked for a page about one grievance, to be asked ahead; `rows` of its ledger from the first on."""
    return [
        (_PARTICULAR, {"id": grievance_id}),
        (_CLOCKS, {"id": grievance_id, "task": None}),
        _ledger_asked(grievance_id, audiences, 0, rows),
        (_MIGRATIONS, {"id": grievance_id}),
    ]


def routing_of(session: Session, grievance_id: UUID, audiences: Collection[str]) -> list[LedgerRow]:
    """Return the rows that say where a grievance was routed and why."""
    rows = session.connection().exec_driver_sql(
        f"{_LEDGER} AND jsonb_exists(l.facts, 'routing') ORDER BY l.seq",
        {"id": grievance_id, "audiences": sorted(audiences)},
    )
    return [_ledger_row(row) for row in rows]


def _ledger_row(row: Any) -> LedgerRow:
    *values, kept = row
    values[_HASH] = bytes(values[_HASH])
    values[_FACTS], values[_CHANGES] = packing.whole(values[_SEQ], values[_FACTS], values[_CHANGES], kept)
    return LedgerRow(*values)


# --- lists ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of grievances is narrowed by; None narrows nothing."""

    state: str | None = None
    stage: str | None = None
    area_path: str | None = None
    unit: str | None = None
    estate: str | None = None
    category: str | None = None
    words: str | None = None
    external_id: str | None = None
    source: str | None = None
    final: bool | None = None
    late_at: datetime | None = None  # open, and the clock that is due first was due before this instant
    due_from: datetime | None = None  # open, and due from this instant
    due_by: datetime | None = None  # to this one, both counted
    since: datetime | None = None  # received
    until: datetime | None = None


_CONDITIONS = {
    "state": "g.state = %(state)s",
    "stage": "g.stage = %(stage)s",
    # Told apart so that each is in an index: hardly any that has ended is held by anybody.
    "unit": "(g.lead_unit = %(unit)s OR (NOT g.final AND g.holder_unit = %(unit)s) OR (g.final AND g.holder_unit = %(unit)s))",
    "estate": "g.estate_code = %(estate)s",
    "category": "g.category = %(category)s",
    "external_id": "g.external_id = %(external_id)s",
    "source": "g.source = %(source)s",
    "final": "g.final = %(final)s",
    "late_at": "NOT g.final AND g.due_at < %(late_at)s",
    "due_from": "NOT g.final AND g.due_at >= %(due_from)s",
    "due_by": "NOT g.final AND g.due_at <= %(due_by)s",
    "since": "g.received_at >= %(since)s",
    "until": "g.received_at < %(until)s",
}
_ITEM = (
    "g.id, g.number, g.workflow, g.title, g.state, g.stage, g.final, g.cycle, g.kind, g.category, g.urgency,"
    " g.estate_code, g.area_code, g.lead_unit, g.holder_unit, g.received_at, g.due_at, g.due_clock, g.urged, g.flags,"
    f" g.seq, g.source, g.external_id, {AKIN} AS akin"
)


# Not in the order of the list: whoever goes by that order reads all that is there when next to nothing of it is meant.
_RARE = """
WITH found AS MATERIALIZED (SELECT g.id, g.received_at FROM {found} WHERE {conditions})
SELECT f.id FROM found f ORDER BY f.received_at DESC, f.id DESC LIMIT %(limit)s
"""
_AMONG_ALL = "grievance g WHERE {conditions}"
# Before they are put in order: by the order of the list one walks past all others, to the end where an estate's are old.
_APART = "(SELECT * FROM grievance g WHERE {conditions} OFFSET 0) g"
_OF_ESTATES = """
 UNION SELECT g.id FROM grievance g WHERE g.estate_code IN (SELECT e.code FROM estate e WHERE e.name ILIKE %(words)s)"""
_MONTHS = 4  # that are looked through for a page of a unit's
# What changed since the words were last folded in is looked at as it is. OFFSET 0: each is looked up by its id.
_SAID = """
(SELECT s.grievance_id AS id FROM searched s WHERE grams(s.said, s.labels) @@ %(grams)s::tsquery AND {within}
 {estates} UNION SELECT c.grievance_id FROM change c WHERE c.tx >= %(upto)s) n
CROSS JOIN LATERAL (SELECT * FROM grievance o WHERE o.id = n.id OFFSET 0) g
"""


def listed(
    session: Session, actor: Actor, filters: Filters, after: tuple[datetime, UUID] | None, limit: int
) -> Page[Any]:
    """Return a page of the visible grievances, the newest first.

    Where something is asked for, the newest few thousand are looked through first: what is common fills its page there. What
    does not is rare, and is found by what is rare about it.
    """
    rows = _found(session, actor, filters, after, limit + 1, _ITEM)
    return cut(rows, limit, lambda row: (row.received_at, row.id))


def counted(session: Session, actor: Actor, filters: Filters, most: int) -> int:
    """Count the visible grievances of a list, up to so many: a count that nobody reads to the end costs no more."""
    return len(_found(session, actor, filters, None, most, "g.id"))


def _found(
    session: Session, actor: Actor, filters: Filters, after: tuple[datetime, UUID] | None, limit: int, columns: str
) -> Sequence[Any]:
    """Return so many rows of a list."""
    conditions, params = _asked(actor, filters, after)
    params["limit"] = limit
    whole = filters == Filters(area_path=filters.area_path)
    if filters.estate is not None and filters.words is None:
        return _in_order(session, conditions, params, columns, _APART)
    mark = None if whole and actor.kind is not ActorKind.UNIT else _mark(session)
    if mark is None:
        return _in_order(session, conditions, params, columns)
    params |= {"floor": back(after[0], mark.newest - mark.recent) if after else mark.recent, "upto": mark.upto}
    rows, is_page = _newest(session, actor, filters, conditions, params, columns, mark)
    if is_page:
        return rows
    if whole:  # of a small unit
        rows = _of_months(session, actor, conditions, params, columns, after[0] if after else mark.newest)
        if len(rows) == limit:
            return rows
    return _rare(session, actor, filters, conditions, params, columns)


def _newest(
    session: Session, actor: Actor, filters: Filters, conditions: str, params: dict[str, Any], columns: str, mark: Any
) -> tuple[Sequence[Any], bool]:
    """Return the rows of a page that came in not long before; and whether they are one."""
    if filters.words is not None and is_numbered(filters.words):
        return [], False
    limit = params["limit"]
    asked = {one.name: value for one in fields(Filters) if (value := getattr(filters, one.name)) is not None}
    walk = Walk(actor, asked, conditions, params)
    if not walk.serves:
        rows = _in_order(session, f"{conditions} AND g.received_at >= %(floor)s", params, columns)
        return rows, len(rows) == limit
    found = walk.found(session, limit, mark.upto, mark.newest, mark.recent)
    rows = _those(session, found.ids, conditions, params, columns)
    # One that is not seen after all has taken a place only where the page was full.
    return rows, found.is_page and (len(rows) == limit or len(found.ids) < limit)


def _asked(actor: Actor, filters: Filters, after: tuple[datetime, UUID] | None) -> tuple[str, dict[str, Any]]:
    predicate, params = visible(actor)
    conditions = [predicate]
    own, owned = sent_by(actor)
    if filters.external_id is not None or filters.words is not None:
        params |= owned
    if filters.external_id is not None:
        conditions.append(own)
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            conditions.append(condition)
            params[name] = value
    if filters.area_path is not None:
        inside, bounds = subtree(filters.area_path, "g", "f")
        conditions.append(inside)
        params |= bounds
    if filters.words is not None:
        conditions.append(
            f"(g.title ILIKE %(words)s OR g.number ILIKE %(words)s OR (g.external_id ILIKE %(words)s AND {own})"
            " OR g.estate_code IN (SELECT e.code FROM estate e WHERE e.name ILIKE %(words)s))"
        )
        params["words"] = f"%{like_literal(filters.words)}%"
    if after is not None:
        conditions.append("(g.received_at, g.id) < (%(at)s, %(after)s)")
        params |= {"at": after[0], "after": after[1]}
    return " AND ".join(conditions), params


def _mark(session: Session) -> Any | None:
    """Return over what time the newest few thousand came in, and how far they are folded; None where that is not known.

    Folded further by the time it is used, it means more than has changed since: never less.
    """
    mark = mark_of(session)
    return mark if mark.kept and mark.recent is not None else None


def _in_order(
    session: Session, conditions: str, params: dict[str, Any], columns: str, found: str = _AMONG_ALL
) -> Sequence[Any]:
    found = found.format(conditions=conditions)
    statement = f"SELECT {columns} FROM {found} ORDER BY g.received_at DESC, g.id DESC LIMIT %(limit)s"
    return session.connection().exec_driver_sql(statement, params).all()


def _of_months(
    session: Session, actor: Actor, conditions: str, params: dict[str, Any], columns: str, last: datetime
) -> Sequence[Any]:
    """Return the rows of a page that came in during the months before, found by the unit's label and theirs."""
    months, begins = labels.of_months(last, _MONTHS)
    found = _SAID.format(within="TRUE", estates="")
    conditions += " AND g.received_at >= %(begins)s"
    more = {"grams": f"{labels.of_unit(actor.unit or '')} & {months}", "begins": begins}
    return _looked_up(session, _RARE.format(found=found, conditions=conditions), conditions, params | more, columns)


def _rare(
    session: Session, actor: Actor, filters: Filters, conditions: str, params: dict[str, Any], columns: str
) -> Sequence[Any]:
    """Return the rows of a page of which there are few among all."""
    statement, more = _rare_statement(actor, filters, conditions)
    return _looked_up(session, statement, conditions, params | more, columns)


def _looked_up(
    session: Session, statement: str, conditions: str, params: dict[str, Any], columns: str
) -> Sequence[Any]:
    # The fence would have every title read before a word is looked up. What is found passes it below.
    with beyond(session) if "grams" in params else nullcontext():
        found = session.connection().exec_driver_sql(statement, params).scalars().all()
    return _those(session, found, conditions, params, columns)


def _those(
    session: Session, ids: Sequence[UUID], conditions: str, params: dict[str, Any], columns: str
) -> Sequence[Any]:
    if not ids:
        return []
    return _in_order(session, f"g.id = ANY(%(found)s) AND {conditions}", params | {"found": list(ids)}, columns)


def _rare_statement(actor: Actor, filters: Filters, conditions: str) -> tuple[str, dict[str, Any]]:
    """Return the statement for the ids, and the words that it takes besides."""
    grams = asked_grams(filters.words) if filters.words is not None else None
    if grams is None:
        return _RARE.format(found="grievance g", conditions=conditions), {}
    by_area = actor.kind not in (ActorKind.UNIT, ActorKind.HOTLINE, ActorKind.SECURITY)
    within = subtree(actor.area_path, "s", "v")[0] if by_area else "TRUE"
    if actor.kind is ActorKind.UNIT:
        grams = f"{grams} & {labels.of_unit(actor.unit or '')}"
    found = _SAID.format(within=within, estates=_OF_ESTATES)
    return _RARE.format(found=found, conditions=conditions), {"grams": grams}


_ENOUGH = 3  # pairs by which next to nothing is left


def asked_grams(said: str) -> str | None:
    """Return a query for the two-character pieces of what is searched, or for the beginning of one; None where there are none.

    Left out are characters that a query gives a meaning to, and letters whose small form is not everywhere the same.
    """
    small = said.lower()
    plain = [
        one if one.isascii() and one.isalnum() else one if one == one.upper() and one.isalnum() else None
        for one in small
    ]
    pairs = sorted({f"{a}{b}" for a, b in pairwise(plain) if a is not None and b is not None})
    # Every number begins alike: where enough digits are told apart, its beginning is left out, which every grievance has.
    apart = [pair for pair in pairs if not pair.isascii() or _tells_apart(pair)]
    if len(apart) >= _ENOUGH:
        pairs = apart
    if pairs:
        return " & ".join(f"'{pair}'" for pair in pairs)
    return next((f"'{one}':*" for one in plain if one is not None), None)


def is_numbered(said: str) -> bool:
    """Say whether so many digits are searched for that next to nothing has them: looking through the newest finds nothing."""
    return len({said[at : at + 2] for at in range(len(said) - 1) if _tells_apart(said[at : at + 2])}) >= _ENOUGH


def _tells_apart(pair: str) -> bool:
    return pair.isascii() and pair.isdigit() and pair != "00"


_MOST_ALIKE = 200


_MOST_NEAR = 400


def near_by(session: Session, actor: Actor, like: Any, since: datetime, until: datetime) -> list[Any]:
    """Return visible grievances of the same estate, or of the same area, received in a window, whatever their category.

    Columns: number, state, title, body, category, estate_code, received_at; the newest first.
    """
    if like.estate_code is None and like.area_code is None:
        return []
    predicate, params = visible(actor)
    params |= {
        "id": like.id, "estate": like.estate_code, "area": like.area_code, "since": since, "until": until,
        "most": _MOST_NEAR,
    }  # fmt: skip
    rows = session.connection().exec_driver_sql(
        "SELECT g.number, g.state, g.title, g.body, g.category, g.estate_code, g.received_at FROM grievance g"
        " WHERE (g.estate_code = %(estate)s OR g.area_code = %(area)s)"
        f" AND g.received_at BETWEEN %(since)s AND %(until)s AND g.id <> %(id)s AND {predicate}"
        " ORDER BY g.received_at DESC LIMIT %(most)s",
        params,
    )
    return list(rows.all())


def near_in_place(session: Session, actor: Actor, like: Any, since: datetime, until: datetime) -> list[Any]:
    """Return visible grievances of the same estate and category received in a window: number, state, title, body.

    What is unknown of one is unknown of the other too.
    """
    predicate, params = visible(actor)
    same = " AND ".join(
        f"g.{column} IS NULL" if value is None else f"g.{column} = %({name})s"
        for column, name, value in (
            ("estate_code", "estate", like.estate_code),
            ("category", "category", like.category),
        )
    )
    params |= {
        "id": like.id, "estate": like.estate_code, "category": like.category,
        "since": since, "until": until, "most": _MOST_ALIKE,
    }  # fmt: skip
    rows = session.connection().exec_driver_sql(
        "SELECT g.number, g.state, g.title, g.body FROM grievance g"
        f" WHERE {same} AND g.received_at BETWEEN %(since)s AND %(until)s AND g.id <> %(id)s AND {predicate}"
        " ORDER BY g.received_at DESC LIMIT %(most)s",
        params,
    )
    return list(rows.all())
