"""Loads a directory document in bulk: what is new, what changed, what is no longer there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from wuye_loop.domain.directory.document import BadDirectory, DirectoryDocument, EntryProblem, read_document
from wuye_loop.domain.errors import Stale
from wuye_loop.domain.terms import Level
from wuye_loop.store import registry
from wuye_loop.store.grievance.writer import feeding
from wuye_loop.store.schema import tables

_BATCH: Final = 10_000  # rows of one statement: long enough to be quick, short enough for the statement time limit
_PEOPLE: Final = UUID("6f1d4a52-5f0c-5b62-9b3e-0f2f6d1c7a10")  # namespace of people's ids: one unit, one name, one id
_RANK: Final = {level.value: rank for rank, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Change:
    """How many entries of one kind were new, changed, or already there as written."""

    added: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What a load did; `grievances` counts the open ones that followed an area that moved."""

    areas: Change
    units: Change
    estates: Change
    people: Change
    grievances: int


def load_directory(session: Session, doc: object, version: int | None = None) -> Counts:
    """Store a directory given as plain data (or a DirectoryDocument) and bump the directory epoch.

    An entry replaces the stored one of its code whole; nothing is ever deleted (a unit ends by `active: false`). A moved
    area takes its subtree along: open grievances with their tasks and clocks, and keys. Loads take turns.
    Raises BadDirectory, naming the entry, for unknown parents, units or areas, for circles, for areas upside down, and for
    the end of a unit that has a part in open grievances (with their count and one of them); Stale where the directory no
    longer is at `version`, the one that whoever loads this has looked at.
    """
    document = doc if isinstance(doc, DirectoryDocument) else read_document(doc)
    connection = session.connection()
    now = connection.exec_driver_sql("UPDATE epoch SET directory = directory + 1 RETURNING directory").scalar_one()
    if version is not None and now != version + 1:
        raise Stale("名录刚刚有了变化，这一次没有装入：请再看一遍会改动什么")
    registry.remark(session, registry.DIRECTORY, *registry.DIRECTORY_TABLES)
    rows = _area_rows(session, document)
    _check_units(session, document, {row["code"] for row in rows} | _codes(session, tables.area))
    _check_ended(session, document)
    areas = _upsert(session, _AREA, rows)
    unit_rows = [
        {
            "code": one.code, "name": one.name, "kind": one.kind, "area_code": one.area, "parent_code": one.parent,
            "duties": list(one.duties), "active": one.active, "phones": list(one.phones),
        }
        for one in document.units
    ]  # fmt: skip
    units = _upsert(session, _UNIT, unit_rows)
    estate_rows = [
        {
            "code": one.code, "name": one.name, "area_code": one.area, "company_code": one.company, "kind": one.kind,
            "households": one.households,
        }
        for one in document.estates
    ]  # fmt: skip
    estates = _upsert(session, _ESTATE, estate_rows)
    people_rows = [
        {
            "id": str(uuid5(_PEOPLE, f"{one.unit}\n{one.name}")), "unit_code": one.unit, "name": one.name,
            "duty": one.duty,
        }
        for one in document.people
    ]  # fmt: skip
    people = _upsert(session, _PERSON, people_rows)
    followed = 0
    if areas.changed:
        followed = connection.exec_driver_sql(_FOLLOW).scalar_one()
        for table in ("api_key", "account"):
            connection.exec_driver_sql(_REACH_FOLLOWS.format(table=table))
    registry.settle(session, registry.DIRECTORY, *registry.DIRECTORY_TABLES)
    return Counts(areas, units, estates, people, followed)


# --- checks ---------------------------------------------------------------------------------------------------------


def _codes(session: Session, table: Any) -> set[str]:
    return set(session.execute(select(table.c.code)).scalars())


def _area_rows(session: Session, document: DirectoryDocument) -> list[dict[str, Any]]:
    """Return the rows to store: the file's areas, and the stored ones whose path changes with them."""
    if not document.areas:
        return []
    area = tables.area.c
    stored = {
        row.code: row
        for row in session.execute(
            select(area.code, area.name, area.level, area.parent_code, area.path, area.lon, area.lat)
        )
    }
    parents: dict[str, str | None] = {code: row.parent_code for code, row in stored.items()}
    parents |= {one.code: one.parent for one in document.areas}
    levels: dict[str, str] = {code: row.level for code, row in stored.items()}
    levels |= {one.code: one.level.value for one in document.areas}
    problems = []
    for place, one in enumerate(document.areas):
        wrong = partial(EntryProblem, "areas", place, one.code)
        if one.parent is not None and one.parent not in parents:
            problems.append(wrong(f"上级属地 {one.parent} 不存在"))
        elif one.parent is not None and _RANK[levels[one.parent]] <= _RANK[one.level.value] and one.parent != one.code:
            problems.append(wrong(f"{one.level.value} 不能属于 {levels[one.parent]}（{one.parent}）"))
    problems.extend(_circles("areas", [one.code for one in document.areas], parents))
    if problems:
        raise BadDirectory(problems)
    paths = _paths(parents)
    rows = [
        {
            "code": one.code,
            "name": one.name,
            "level": one.level.value,
            "parent_code": one.parent,
            "path": paths[one.code],
            "lon": one.lon,
            "lat": one.lat,
        }
        for one in document.areas
    ]
    written = {one.code for one in document.areas}
    for code, row in stored.items():
        below = levels[row.parent_code] if row.parent_code else None
        if code not in written and below is not None and _RANK[below] <= _RANK[row.level]:
            raise BadDirectory([f"属地 {row.parent_code} 改为 {below} 后，其下的 {code}（{row.level}）不再低于它"])
        if code not in written and row.path != paths[code]:
            rows.append({**{str(key): value for key, value in row._asdict().items()}, "path": paths[code]})
    return rows


def _paths(parents: Mapping[str, str | None]) -> dict[str, str]:
    """Return every area's path: the codes from the top, each closed by a slash. There are no circles by now."""
    paths: dict[str, str] = {}
    for code in parents:
        chain = []
        here: str | None = code
        while here is not None and here not in paths:
            chain.append(here)
            here = parents[here]
        for item in reversed(chain):
            above = parents[item]
            paths[item] = f"{paths[above] if above is not None else ''}{item}/"
    return paths


def _circles(section: str, codes: Sequence[str], parents: Mapping[str, str | None]) -> list[EntryProblem]:
    """Name the first entry that stands above itself, with the way round."""
    sound: set[str] = set()
    for place, code in enumerate(codes):
        chain: dict[str, None] = {}
        here: str | None = code
        while here is not None and here not in sound and here not in chain:
            chain[here] = None
            here = parents.get(here)
        if here in chain:
            way = [*list(chain)[list(chain).index(here) :], here] if here else []
            return [EntryProblem(section, place, code, f"上级绕成了圈：{' → '.join(way[:10])}")]
        sound.update(chain)
    return []


def _check_units(session: Session, document: DirectoryDocument, areas: set[str]) -> None:
    unit = tables.unit.c
    parents: dict[str, str | None] = {
        row.code: row.parent_code for row in session.execute(select(unit.code, unit.parent_code))
    }
    parents |= {one.code: one.parent for one in document.units}
    problems = []
    for place, one in enumerate(document.units):
        wrong = partial(EntryProblem, "units", place, one.code)
        if one.parent is not None and one.parent not in parents:
            problems.append(wrong(f"上级单位 {one.parent} 不存在"))
        if one.area is not None and one.area not in areas:
            problems.append(wrong(f"属地 {one.area} 不存在"))
    for place, estate in enumerate(document.estates):
        wrong = partial(EntryProblem, "estates", place, estate.code)
        if estate.area not in areas:
            problems.append(wrong(f"属地 {estate.area} 不存在"))
        if estate.company is not None and estate.company not in parents:
            problems.append(wrong(f"物业企业 {estate.company} 不在单位里"))
    problems.extend(
        EntryProblem("people", place, one.name, f"单位 {one.unit} 不存在")
        for place, one in enumerate(document.people)
        if one.unit not in parents
    )
    problems.extend(_circles("units", [one.code for one in document.units], parents))
    if problems:
        raise BadDirectory(problems)


def _check_ended(session: Session, document: DirectoryDocument) -> None:
    """Refuse to end a unit that open grievances name: as lead or holder, by a role of their version, or in an open task."""
    ended = {one.code: place for place, one in enumerate(document.units) if not one.active}
    rows = session.connection().exec_driver_sql(_IN_USE, {"codes": list(ended)}) if ended else ()
    problems = [
        EntryProblem(
            "units",
            ended[row.code],
            row.code,
            f"{row.n} 件在办诉求还用到它，如 {row.example}，不能停用；请先改派或办结",
        )
        for row in rows
    ]
    if problems:
        raise BadDirectory(problems)


# --- writing --------------------------------------------------------------------------------------------------------


_LISTS: Final = frozenset({"duties", "phones"})


def _upserting(table: str, key: str, columns: Mapping[str, str]) -> str:
    """Build the statement that stores a batch and says of each row it touched whether it is new."""
    names = ", ".join(columns)
    kept = [name for name in columns if name not in (*key.split(", "), "id")]
    values = ", ".join(
        f"ARRAY(SELECT jsonb_array_elements_text(r.{name}))" if name in _LISTS else f"r.{name}" for name in columns
    )
    shape = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return (
        f"INSERT INTO {table} ({names}) SELECT {values} FROM jsonb_to_recordset(%(rows)s::jsonb) AS r({shape})"
        f" ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in kept)}"
        f" WHERE ({', '.join(f'{table}.{name}' for name in kept)})"
        f" IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in kept)}) RETURNING (xmax = 0)"
    )


_IN_USE: Final = """
SELECT u.code, count(*) AS n, min(g.number) AS example
FROM unit u JOIN grievance g ON g.units @> ARRAY[u.code] AND NOT g.final
WHERE u.code = ANY(%(codes)s::text[]) AND u.active GROUP BY u.code ORDER BY u.code
"""


def _texts(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "text")


_AREA: Final = _upserting(
    "area",
    "code",
    _texts("code", "name", "level", "parent_code", "path") | dict.fromkeys(("lon", "lat"), "double precision"),
)
_UNIT: Final = _upserting(
    "unit",
    "code",
    {
        **_texts("code", "name", "kind", "area_code", "parent_code"),
        "duties": "jsonb",
        "active": "boolean",
        "phones": "jsonb",
    },
)
_ESTATE: Final = _upserting(
    "estate", "code", {**_texts("code", "name", "area_code", "company_code", "kind"), "households": "integer"}
)
_PERSON: Final = _upserting("person", "unit_code, name", {"id": "uuid", **_texts("unit_code", "name", "duty")})

# A path ends with its own area's code, so every open grievance can be asked where it is now. Grievances are locked in the
# order of their ids, as everywhere, before their children.
_FOLLOW: Final = f"""
WITH moved AS (
  SELECT g.id, a.path FROM grievance g JOIN area a ON a.code = split_part(rtrim(g.area_path, '/'), '/', -1)
  WHERE NOT g.final AND g.area_path <> a.path ORDER BY g.id FOR UPDATE OF g
), clocked AS (
  UPDATE clock c SET area_path = m.path FROM moved m WHERE c.grievance_id = m.id
), tasked AS (
  UPDATE task t SET area_path = m.path FROM moved m WHERE t.grievance_id = m.id
), documented AS (
  UPDATE document d SET area_path = m.path FROM moved m WHERE d.grievance_id = m.id
), ruled AS (
  UPDATE precedent p SET area_path = m.path FROM moved m WHERE p.grievance_id = m.id
), followed AS (
  UPDATE grievance g SET area_path = m.path FROM moved m WHERE g.id = m.id RETURNING g.id, g.seq
), fed AS (
  {feeding("followed n")} ON CONFLICT DO NOTHING
)
SELECT count(*) FROM followed
"""
_REACH_FOLLOWS: Final = """
UPDATE {table} k SET area_path = a.path FROM area a WHERE a.code = k.area_code AND k.area_path <> a.path
"""


def _upsert(session: Session, statement: str, rows: Sequence[Mapping[str, Any]]) -> Change:
    added = changed = 0
    for batch in _batches(rows):
        touched = (
            session.connection().exec_driver_sql(statement, {"rows": orjson.dumps(batch).decode()}).scalars().all()
        )
        new = sum(touched)
        added, changed = added + new, changed + len(touched) - new
    return Change(added, changed, len(rows) - added - changed)


def _batches(rows: Sequence[Mapping[str, Any]]) -> Iterable[Sequence[Mapping[str, Any]]]:
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))
