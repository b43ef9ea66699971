"""Reads whole grievances for verification, a few hundred at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import DateTime, Uuid
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.ledger import Entry
from wuye_loop.domain.grievance.order_image import FIXED, TEXTS
from wuye_loop.domain.grievance.situation import MUTABLE
from wuye_loop.domain.privacy.sealing import Sealed
from wuye_loop.domain.step.records import DocumentDraft, PrecedentDraft, RatingDraft
from wuye_loop.store import straight
from wuye_loop.store.grievance.identity import sealed_of
from wuye_loop.store.grievance.intake import entry_of
from wuye_loop.store.grievance.locking import TASK_COLUMNS
from wuye_loop.store.grievance.packing import OF_CLOCK, Unreadable, clock_rest, grievance_field, grievance_rest
from wuye_loop.store.instants import text_of
from wuye_loop.store.reads.recorded import WHOLE, Share
from wuye_loop.store.schema import metadata

_BATCH = 500
_IN_SHARE: Final = "{id} >= %(first)s AND (%(beyond)s::uuid IS NULL OR {id} < %(beyond)s::uuid)"
_FIRST: Final = UUID(int=0)
_LAST: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Folder:
    """A grievance's rows as the tables hold them."""

    id: UUID
    number: str
    workflow: str
    seq: int
    head: bytes
    grievance: Mapping[str, Any]
    entries: list[Entry]
    tasks: Mapping[str, Any]
    clocks: Mapping[str, Any]
    rungs: Mapping[tuple[str, int], tuple[datetime | None, datetime | None]]
    highest: Mapping[str, int | None]  # rung of each clock
    files: Mapping[str, list[Any]]  # hash, audience, name, kind, size, by whom and when of each
    order: Mapping[str, Any]  # columns fixed at intake, and its texts
    area_path: str  # as the directory has it
    sealed: Sealed | None
    phone_hash: bytes | None
    documents: Mapping[str, Any]
    ratings: Mapping[str, Any]
    precedents: Mapping[str, Any]


class _Image:
    """Some columns of a table, read as the ledger's image has them: instants and ids as text."""

    def __init__(self, table: str, names: Sequence[str]) -> None:
        self.names = tuple(names)
        columns = metadata.tables[table].columns
        as_they_are = {name for name in names if not isinstance(columns[name].type, DateTime | Uuid)}
        self.selected = [name if name in as_they_are else f"{name}::text" for name in names]
        self._instants = [name for name in names if isinstance(columns[name].type, DateTime)]

    def __call__(self, row: Iterable[Any]) -> dict[str, Any]:
        """Return by name what a row says."""
        found = dict(zip(self.names, row, strict=True))
        for name in self._instants:
            if (sent := found[name]) is not None:
                found[name] = text_of(sent)
        return found


_GRIEVANCE = _Image("grievance", (*MUTABLE, "area_path"))
_ORDER = (*FIXED, *TEXTS)
# Whoever owns the tables can take a NOT NULL away: a row that lacks something is one that was changed, and stops nothing.
_SEALED = ("x.key_id", "x.alg", "x.wrapped_key", "coalesce(x.nonce, '')", "coalesce(x.ciphertext, '')")
#: A grievance's row: what changes, what is fixed, what is sealed, and the rest.
_ORDERED = len(_GRIEVANCE.names)
_LOCKED = _ORDERED + len(_ORDER)
_REST = _LOCKED + len(_SEALED)
# A grievance without a place of its own belongs to the whole of the directory.
_GRIEVANCES = f"""
SELECT {", ".join(f"g.{name}" for name in (*_GRIEVANCE.selected, *_ORDER))}, {", ".join(_SEALED)},
       g.id, g.seq, coalesce(g.head, ''), g.packed, x.phone_hash,
       CASE WHEN g.area_code IS NOT NULL THEN coalesce(a.path, '')
            WHEN EXISTS (SELECT 1 FROM area t WHERE t.parent_code IS NULL AND t.path = g.area_path) THEN g.area_path
            ELSE '' END AS area_there
FROM grievance g LEFT JOIN area a ON a.code = g.area_code LEFT JOIN complainant x ON x.grievance_id = g.id
WHERE {_IN_SHARE.format(id="g.id")}
  AND (%(since)s::timestamptz IS NULL OR EXISTS (
    SELECT 1 FROM ledger l WHERE l.grievance_id = g.id AND l.seq = g.seq AND l.at >= %(since)s::timestamptz))
  AND @written
ORDER BY g.id LIMIT {_BATCH}
"""
_ALL = _GRIEVANCES.replace("@written", "true")
# Rows that were restored on another server say transactions which this one has yet to begin.
_WRITTEN = _GRIEVANCES.replace(
    "@written",
    "g.id IN (SELECT l.grievance_id FROM ledger l WHERE l.written >= %(written)s"
    " AND l.written < pg_snapshot_xmax(pg_current_snapshot())::text::bigint)",
)
_DOCUMENT, _RATING, _PRECEDENT = (
    _Image(table, kind.__slots__)  # the columns are called as the fields of what a step makes
    for table, kind in (("document", DocumentDraft), ("rating", RatingDraft), ("precedent", PrecedentDraft))
)
_TASK = _Image("task", TASK_COLUMNS)
_CLOCK = _Image("clock", OF_CLOCK)
_FILE = _Image("attachment", ("sha256", "audience", "name", "media_type", "size", "actor", "at"))


def _of(table: str, *more: str, image: _Image | None = None) -> str:
    """Return the statement that reads rows of a table: of which grievance, what more, and an image."""
    columns = ", ".join(("grievance_id", *more, *(image.selected if image else ())))
    return f"SELECT {columns} FROM {table} WHERE grievance_id = ANY(%(ids)s)"


_DOCUMENTS, _RATINGS = _of("document", image=_DOCUMENT), _of("rating", image=_RATING)
_PRECEDENTS, _TASKS = _of("precedent", image=_PRECEDENT), _of("task", image=_TASK)
_CLOCKS = _of("clock", "id::text", "image", "packed", "rung", image=_CLOCK)
_RUNGS = _of("rung", "clock_id::text", "idx", "at", "fired_at")
_FILES = _of("attachment", "id", image=_FILE)
_ENTRIES = """
SELECT seq, at, action, task_id, actor, from_state, to_state, facts, changes, audience, coalesce(hash, ''), packed, grievance_id
FROM ledger WHERE grievance_id = ANY(%(ids)s) ORDER BY grievance_id, seq
"""
_CONTENTS = f"""
SELECT id, encode(sha256(content), 'hex') = sha256 AS sound FROM attachment
WHERE {_IN_SHARE.format(id="id")} ORDER BY id LIMIT 20
"""
# Every task of a document that is not the document's own has one line, and every line its task; lines count from 1.
_LINES = """
SELECT coalesce(l.number, t.document_number) AS number FROM document_line l
FULL JOIN (SELECT k.* FROM task k JOIN document d ON d.number = k.document_number AND d.task_id IS DISTINCT FROM k.id) t
  ON t.id = l.task_id AND t.grievance_id = l.grievance_id AND t.document_number = l.number
WHERE l.number IS NULL OR t.id IS NULL
UNION SELECT number FROM document_line GROUP BY number HAVING max(n) <> count(*) OR min(n) <> 1
"""


def rating_key(row: Mapping[str, Any]) -> str:
    """Return how a rating is known within its grievance."""
    return f"{row['cycle']} {row['rater']}"


def count(session: Session) -> int:
    """Return how many grievances there are."""
    return int(session.connection().exec_driver_sql("SELECT count(*) FROM grievance").scalar_one())


def count_in(session: Session, share: Share) -> int:
    """Return how many grievances of a share there are."""
    asked = {"first": share.first or _FIRST, "beyond": share.beyond}
    counted = f"SELECT count(*) FROM grievance WHERE {_IN_SHARE.format(id='id')}"
    return int(session.connection().exec_driver_sql(counted, asked).scalar_one())


def cuts(session: Session, table: Literal["grievance", "attachment"], size: int) -> list[UUID]:
    """Return where shares of so many rows begin, but for the first, and last the id past all that there are."""
    asked = (
        f"SELECT id FROM (SELECT id, row_number() OVER w AS n, lead(id) OVER w IS NULL AS last FROM {table}"
        " WINDOW w AS (ORDER BY id)) numbered WHERE last OR (n > 1 AND (n - 1) %% %(size)s = 0) ORDER BY id"
    )
    *found, last = session.connection().exec_driver_sql(asked, {"size": size}).scalars().all() or (_FIRST,)
    return [*found, _next(last) or _LAST]


def whose(session: Session) -> str:
    """Return which server this is, and which of its databases: a copy of either has another name, also one put back."""
    asked = (
        "SELECT s.system_identifier || '/' || c.timeline_id || '/' || d.oid"
        " FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()"
    )
    return str(session.connection().exec_driver_sql(asked).scalar_one())


def _next(one: UUID) -> UUID | None:
    """Return the id after one; None after the last there can be."""
    return UUID(int=one.int + 1) if one != _LAST else None


def folders(
    session: Session, share: Share = WHOLE, since: datetime | None = None, written: int | None = None
) -> Iterator[Folder]:
    """Yield every grievance of a share, or those of it last written to since then, with all that hangs on it.

    With `written`, only those that have a row of this transaction or one after it.
    """
    first: UUID | None = share.first or _FIRST
    asked = {"beyond": share.beyond, "since": since, "written": written}
    statement = _ALL if written is None else _WRITTEN
    while first is not None and (rows := straight.execute(session, statement, asked | {"first": first}).rows):
        first = _next(rows[-1][_REST])
        ids = {"ids": [row[_REST] for row in rows]}
        entries: dict[UUID, list[Entry]] = defaultdict(list)
        for row in straight.execute(session, _ENTRIES, ids).rows:
            entries[row[12]].append(entry_of(row))
        tasks = _images(session, _TASKS, ids, _TASK, lambda image: image["id"])
        clocks, highest = _clocks(session, ids)
        rungs: dict[UUID, dict[tuple[str, int], tuple[datetime | None, datetime | None]]] = defaultdict(dict)
        for of, clock_id, idx, at, fired_at in straight.execute(session, _RUNGS, ids).rows:
            rungs[of][clock_id, idx] = (at, fired_at)
        files: dict[UUID, dict[str, list[Any]]] = defaultdict(dict)
        for row in straight.execute(session, _FILES, ids).rows:
            files[row[0]][str(row[1])] = list(_FILE(row[2:]).values())
        documents = _images(session, _DOCUMENTS, ids, _DOCUMENT, lambda image: image["number"])
        ratings = _images(session, _RATINGS, ids, _RATING, rating_key)
        precedents = _images(session, _PRECEDENTS, ids, _PRECEDENT, lambda image: str(image["seq"]))
        for row in rows:
            key, seq, head, packed, phone_hash, area_there = row[_REST:]
            grievance = _fields(_GRIEVANCE(row[:_ORDERED]), packed)
            order = dict(zip(_ORDER, row[_ORDERED:_LOCKED], strict=True))
            yield Folder(
                key, order["number"], grievance["workflow"], seq, bytes(head), grievance,
                entries[key], tasks[key], clocks[key], rungs[key], highest[key], files[key],
                order, area_there, None if row[_LOCKED + 2] is None else sealed_of(row[_LOCKED:_REST]),
                bytes(phone_hash) if phone_hash is not None else None,
                documents[key], ratings[key], precedents[key],
            )  # fmt: skip


#: What is packed alike is read once: most clocks that rest say the same, and many grievances. Nobody changes what these give.
_grievance_rest = lru_cache(maxsize=4096)(grievance_rest)
_clock_rest = lru_cache(maxsize=4096)(partial(clock_rest, {}))


def _fields(fields: dict[str, Any], packed: bytes | None) -> dict[str, Any]:
    """Return a grievance's fields with what is packed of its row; where that cannot be read, none that a ledger tells of."""
    try:
        rest = _grievance_rest(packed)
    except Unreadable:
        return fields | {"data": None}
    return fields | {name: grievance_field(name, fields[name], rest) for name in rest if name in fields}


def _clocks(
    session: Session, ids: Mapping[str, Any]
) -> tuple[Mapping[UUID, dict[str, Any]], Mapping[UUID, dict[str, int | None]]]:
    """Return by grievance the images of its clocks, with what their columns say, and the highest rung of each."""
    clocks: dict[UUID, dict[str, Any]] = defaultdict(dict)
    highest: dict[UUID, dict[str, int | None]] = defaultdict(dict)
    for of, key, there, kept, rung, *columns in straight.execute(session, _CLOCKS, ids).rows:
        rest = _clock_rest(kept) if there == {} else clock_rest(there, kept)
        image = rest if isinstance(rest, dict) else {"image": rest}
        # An image leaves out what is not there.
        said = {name: value for name, value in _CLOCK(columns).items() if value is not None or name in image}
        clocks[of][key] = {**image, **({"id": key} if kept is not None else {}), **said}
        highest[of][key] = rung
    return clocks, highest


def _images(
    session: Session, statement: str, ids: Mapping[str, Any], image: _Image, key: Callable[[Any], str]
) -> Mapping[UUID, dict[str, Any]]:
    found: dict[UUID, dict[str, Any]] = defaultdict(dict)
    for of, *row in straight.execute(session, statement, ids).rows:
        one = image(row)
        found[of][key(one)] = one
    return found


def series_gaps(session: Session) -> list[tuple[str, int, int, int]]:
    """Return series whose drawn numbers and stored documents differ: (series, year, drawn, stored); also one taken away."""
    rows = session.connection().exec_driver_sql(
        "WITH d AS (SELECT series, year, n FROM document UNION ALL"
        " SELECT bulletin_series, bulletin_year, bulletin_n FROM assessment WHERE bulletin_series IS NOT NULL),"
        " k AS (SELECT series, year, count(*) AS n, max(n) AS last FROM d GROUP BY series, year)"
        " SELECT series, year, coalesce(s.n, 0), coalesce(k.n, 0) FROM document_series s FULL JOIN k USING (series, year)"
        " WHERE coalesce(s.n, 0) <> coalesce(k.n, 0) OR coalesce(s.n, 0) <> coalesce(k.last, 0)"
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


#: Of every foreign key: rows that refer to nothing. The server lets in none, unless its owner puts the key aside.
_ORPHANS: Final = " UNION ALL ".join(
    f"SELECT '{key.table.name}' AS held, count(*) AS many FROM {key.table.name} x WHERE {' AND '.join(f'x.{one.parent.name} IS NOT NULL' for one in key.elements)}"
    f" AND NOT EXISTS (SELECT 1 FROM {key.referred_table.name} y WHERE {' AND '.join(f'y.{one.column.name} = x.{one.parent.name}' for one in key.elements)})"
    for table in metadata.sorted_tables
    for key in sorted(table.foreign_key_constraints, key=lambda key: list(key.column_keys))
)


def orphans(session: Session) -> list[tuple[str, int]]:
    """Return the tables with rows that belong to a record which is not there, and how many."""
    asked = f"SELECT held, sum(many)::int FROM ({_ORPHANS}) o WHERE many > 0 GROUP BY held ORDER BY held"
    return [(row[0], row[1]) for row in session.connection().exec_driver_sql(asked)]


def papers_of_both(session: Session) -> list[str]:
    """Return the numbers of documents of a grievance that say what only those of an assessment do."""
    asked = (
        "SELECT number FROM document WHERE grievance_id IS NOT NULL AND num_nonnulls(scheme, period, title, issuer) > 0"
    )
    return list(session.connection().exec_driver_sql(asked).scalars())


def broken_lines(session: Session) -> list[str]:
    """Return the numbers of documents whose lines and tasks do not belong together."""
    return list(session.connection().exec_driver_sql(_LINES).scalars())


_REACH = """
SELECT '密钥', k.id FROM api_key k LEFT JOIN area a ON a.code = k.area_code WHERE k.area_path IS DISTINCT FROM a.path
UNION ALL
SELECT '账号', p.id FROM account p LEFT JOIN area a ON a.code = p.area_code WHERE p.area_path IS DISTINCT FROM a.path
"""


def beyond_their_area(session: Session) -> list[tuple[str, UUID]]:
    """Return the keys and accounts that see another part of the tree than their area: what they are, and their ids."""
    return [(row[0], row[1]) for row in session.connection().exec_driver_sql(_REACH)]


#: What rows beside a grievance repeat of it, to be found by it.
_BESIDE = """
SELECT g.number, x.what FROM grievance g JOIN (
  SELECT grievance_id, '任务' AS what, area_path FROM task UNION ALL SELECT grievance_id, '时限', area_path FROM clock
  UNION ALL SELECT grievance_id, '文书', area_path FROM document
  UNION ALL SELECT grievance_id, '先例', area_path FROM precedent
) x ON x.grievance_id = g.id WHERE x.area_path IS DISTINCT FROM g.area_path
UNION SELECT g.number, '诉求人' FROM grievance g JOIN complainant x ON x.grievance_id = g.id
WHERE (x.estate_code, x.received_at) IS DISTINCT FROM (g.estate_code, g.received_at)
UNION SELECT g.number, '变更的次序' FROM grievance g
WHERE NOT EXISTS (SELECT 1 FROM change c WHERE c.grievance_id = g.id AND c.seq = g.seq)
"""


def strayed_beside(session: Session) -> list[tuple[str, str]]:
    """Return where a row beside a grievance does not repeat what it is found by: the number, and what it is."""
    return [(row[0], row[1]) for row in session.connection().exec_driver_sql(_BESIDE)]


def broken_files(session: Session, share: Share = WHOLE) -> Iterator[UUID]:
    """Yield the files of a share of their ids whose content has another hash than the one kept; a few are read at a time."""
    first: UUID | None = share.first or _FIRST
    asked, connection = {"beyond": share.beyond}, session.connection()
    while first is not None and (rows := connection.exec_driver_sql(_CONTENTS, asked | {"first": first}).all()):
        first = _next(rows[-1].id)
        yield from (row.id for row in rows if not row.sound)
