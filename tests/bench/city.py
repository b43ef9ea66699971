"""A city of any size, made by the database out of a few grievances that really went their way.

Twenty streets, two hundred communities, two thousand estates, sixty units; three years of orders, one in ten of them open,
a third of those with one unit. Clocks, rungs, ratings, ledger heads and marks of change lie as an installation has them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from tests.site import DEPARTMENTS, KEYS, WAY, Town, area, made_up, order, unit
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.loop import handle
from wuye_loop.loop.collect import collect
from wuye_loop.store.database import Database

STREETS, COMMUNITIES, ESTATES, UNITS = 20, 200, 2000, 60
START: Final = datetime(2026, 3, 2, 1, tzinfo=UTC)
YEARS: Final = timedelta(days=3 * 365)
_CHUNK: Final = 100_000


def _street(n: int) -> str:
    return f"3707{n % STREETS + 1:02}"


def _community(n: int) -> str:
    return f"{_street(n)}{n // STREETS + 1:03}"


DIRECTORY: Final[dict[str, Any]] = {
    "areas": [
        area("3707", "示范区", "district"),
        *(area(_street(n), f"{n + 1} 街道", "street", "3707") for n in range(STREETS)),
        *(area(_community(n), f"{n + 1} 社区", "community", _street(n)) for n in range(COMMUNITIES)),
    ],
    "units": [
        unit("property-centre", "区物业中心", "centre", "3707", "command-office", "property-centre"),
        unit("command-office", "指挥部办公室", "office", "3707"),
        *(unit(code, f"区{code}部门", "department", "3707", "command-office", code) for code in DEPARTMENTS),
        *(made_up(f"unit-{n}", "department", "3707", "command-office") for n in range(UNITS)),
    ],
    "estates": [
        {"code": f"E{n}", "name": f"第{n}小区", "area": _community(n % COMMUNITIES), "company": None, "kind": "商品房"}
        for n in range(ESTATES)
    ],
}  # fmt: skip
CITY_KEYS: Final[dict[str, dict[str, Any]]] = {
    name: KEYS[name] for name in ("hotline", "supervisor", "supervisor-1", "admin", "property-centre", "market")
} | {"unit-7": {"role": "unit", "unit": "unit-7"}}
#: How far each of the first went: most of the copies are of the last.
_WAYS: Final = ("", "accept", "accept sign", "accept sign finish", "accept sign finish approve call_back rate")

# A grievance's community follows from its estate, and its unit, words and day from its number alone.
_PLACE = """
CREATE TEMPORARY TABLE place AS SELECT substr(e.code, 2)::int AS n, e.code, e.area_code, a.path
FROM estate e JOIN area a ON a.code = e.area_code;
"""
_WANTED = """
CREATE TEMPORARY TABLE wanted AS SELECT i, o.id AS origin, (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000')::uuid AS id,
  %(ends)s::timestamptz - (%(count)s - i) * (%(span)s::interval / %(count)s) - o.received_at AS later,
  CASE WHEN i %% 3 = 0 THEN 'market' ELSE 'unit-' || i %% 60 END AS unit, p.code AS estate, p.area_code, p.path
FROM generate_series(%(first)s::int, %(last)s::int) i
JOIN place p ON p.n = (i * 7919::bigint) %% 2000
JOIN first o
  ON o.way = CASE WHEN i > %(count)s * 0.91 OR i %% 97 = 0 THEN 1 + i %% 4 ELSE 5 END
"""
_FIRST = (
    "SELECT id, received_at, row_number() OVER (ORDER BY seq) AS way FROM grievance WHERE external_id LIKE 'first-%%'"
)
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = ANY(%(tables)s::text[]::regclass[])
  AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY 1
"""
_TITLE = """(ARRAY['电梯停运','楼道漏水','路灯不亮','垃圾堆积','停车纠纷','噪音扰民','供暖不热','物业费争议','消防通道堵塞','绿化毁坏'])[1 + i % 10]
  || (ARRAY['多日无人处理','反复发生','影响老人出行','希望尽快解决','已投诉多次'])[1 + i / 10 % 5] || i % 1000 || '号楼'"""
_CATEGORY = (
    "(ARRAY['电梯','房屋维修','公共照明','环境卫生','停车管理','噪音','供热','物业收费','消防','绿化'])[1 + i % 10]"
)
_MADE: Final[dict[str, dict[str, str]]] = {
    "grievance": {
        "id": "w.id", "number": "'WY' || lpad(i::text, 9, '0')", "external_id": "'GD' || lpad(i::text, 10, '0')",
        "title": _TITLE, "category": _CATEGORY, "estate_code": "w.estate", "area_code": "w.area_code", "area_path": "w.path",
        "lead_unit": "CASE WHEN o.lead_unit IS NOT NULL THEN w.unit END",
        "holder_unit": "CASE WHEN o.holder_unit = 'market' THEN w.unit ELSE o.holder_unit END",
        "units": "array_replace(o.units, 'market', w.unit)", "received_at": "o.received_at + later",
        "state_since": "o.state_since + later", "due_at": "o.due_at + later + (i % 40) * interval '12 hours'",
        "closed_at": "o.closed_at + later",
    },
    "clock": {
        "id": "(lpad(to_hex(i), 8, '0') || '-' || right(o.id::text, 27))::uuid", "grievance_id": "w.id", "area_path": "w.path",
        "unit": "CASE WHEN o.unit = 'market' THEN w.unit ELSE o.unit END", "started_at": "o.started_at + later",
        "due_at": "o.due_at + later + CASE WHEN o.status = 'running' THEN (i % 40) * interval '12 hours' ELSE interval '0' END",
        "ended_at": "o.ended_at + later + CASE WHEN i % 11 = 0 THEN interval '30 days' ELSE interval '0' END",
        "rung": "CASE WHEN i % 13 = 0 THEN i % 3 END",
    },
    "rung": {
        "clock_id": "(lpad(to_hex(i), 8, '0') || '-' || right(o.clock_id::text, 27))::uuid", "grievance_id": "w.id",
        "at": "o.at + later + interval '10 years'", "fired_at": "o.fired_at + later",
    },
    "rating": {
        "grievance_id": "w.id", "at": "o.at + later",
        "satisfied": "(ARRAY['满意','满意','基本满意','不满意'])[1 + i % 4]",
    },
    "change": {"grievance_id": "w.id", "tx": "0"},
    "ledger": {"grievance_id": "w.id", "at": "o.at + later"},
}  # fmt: skip
_ONLY: Final = {"ledger": "AND o.seq = (SELECT max(seq) FROM ledger m WHERE m.grievance_id = w.origin)"}


def found(town: Town) -> None:
    """Bring the first few grievances as far as their ways go."""
    for n, way in enumerate(_WAYS):
        with town.database.begin() as session:
            number = collect(
                town.site.loop, session, IntakeForm.model_validate(order(f"first-{n}", place={"estate": "E0"})),
                town.actors["hotline"],
            ).number  # fmt: skip
            for step in way.split():
                who, form = WAY[step]
                handle.act(town.site.loop, session, number, step, town.actors[who], dict(form))


def grow(database: Database, count: int, ends: datetime) -> None:
    """Copy them until there are so many, the last of them received at `ends`, and let the planner look at it.

    As a dump is read back: indexes come after the rows, and what refers to what is not asked again for each copy.
    """
    with database.engine.connect() as connection:
        for setting in (
            "statement_timeout = 0",
            "session_replication_role = replica",
            "maintenance_work_mem = '512MB'",
        ):
            connection.exec_driver_sql(f"SET {setting}")
        connection.exec_driver_sql(_PLACE)
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE first AS {_FIRST}")
        with _indexed_afterwards(connection):
            for first in range(1, count + 1, _CHUNK):
                _grow(connection, first, min(first + _CHUNK - 1, count), count, ends)
                connection.commit()
        connection.commit()
    settled(database)


@contextmanager
def _indexed_afterwards(connection: Connection) -> Iterator[None]:
    """Leave out the indexes that no constraint is behind until the block ends."""
    found = connection.exec_driver_sql(_INDEXES, {"tables": list(_MADE)}).all()
    for name, _ in found:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    for _, definition in found:
        connection.exec_driver_sql(definition)


def _grow(connection: Connection, first: int, last: int, count: int, ends: datetime) -> None:
    asked = {"first": first, "last": last, "count": count, "ends": ends, "span": YEARS}
    connection.exec_driver_sql(_WANTED, asked)
    for table, made in _MADE.items():
        known = connection.exec_driver_sql(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %(t)s", {"t": table}
        )
        names = [row[0] for row in known]
        values = ", ".join(made.get(name, f"o.{name}").replace("%", "%%") for name in names)
        owner = "id" if table == "grievance" else "grievance_id"
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {values}"  # noqa: S608 names of ours
            f" FROM wanted w JOIN {table} o ON o.{owner} = w.origin {_ONLY.get(table, '')} ORDER BY i"
        )
    connection.exec_driver_sql("DROP TABLE wanted")


def settled(database: Database) -> None:
    """Let the planner look at the tables, as autovacuum does."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM ANALYZE")
