"""What a grievance takes in the database after intake, accept and sign. `python -m tests.bench.size [--quick] [--json]`.

Bytes by which the tables grew, dead rows among them, over how many grievances; nothing was vacuumed in between.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import town
from wuye_loop import logs, postgres
from wuye_loop.app import make_site
from wuye_loop.edge.site import Site
from wuye_loop.loop import handle
from wuye_loop.ports import SettableClock
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database

WANTED = 8000
_SIZES = """
SELECT c.relname, pg_relation_size(c.oid), coalesce(pg_total_relation_size(c.reltoastrelid), 0), pg_indexes_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public'
"""
_INDEXES = """
SELECT c.relname, pg_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'i' AND n.nspname = 'public'
"""
_PARTS = ("行", "行外", "索引")
Sizes = Mapping[str, tuple[int, ...]]


def main(words: Sequence[str]) -> None:
    """Measure and print; `--json` prints the bytes of each table and index as data."""
    logs.configure("WARNING")
    count = int(words[words.index("--count") + 1]) if "--count" in words else 300 if "--quick" in words else 3000
    with tempfile.TemporaryDirectory() as folder, postgres.temporary() as own:
        database = Database(own.url, pool_size=2)
        database.migrate()
        site = make_site(Settings(data=Path(folder)), database, clock=SettableClock())
        town.found(site)
        before = _sizes(database)
        _lived(site, count)
        after = _sizes(database)
        database.dispose()
    grown = {
        name: tuple((new - old) / count for new, old in zip(sizes, before[name], strict=True))
        for name, sizes in after.items()
    }
    _print({name: one for name, one in grown.items() if sum(one) >= 1}, as_json="--json" in words)


def _lived(site: Site, count: int) -> None:
    for number in town.assigned(site, 0, count):
        with site.database.begin() as session:
            handle.act(site.loop, session, number, "sign", town.MARKET, {})


def _sizes(database: Database) -> Sizes:
    """Return the bytes of each table (rows, what lies outside of them, indexes) and of each index."""
    with database.read() as session:
        connection = session.connection()
        tables = {row[0]: tuple(row[1:]) for row in connection.exec_driver_sql(_SIZES)}
        return tables | {row[0]: (row[1],) for row in connection.exec_driver_sql(_INDEXES)}


def _print(grown: Mapping[str, tuple[float, ...]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(grown))  # noqa: T201 the result
        return
    tables = sorted((sizes, name) for name, sizes in grown.items() if len(sizes) == len(_PARTS))
    table = Table(title="接收、受理、签收之后，每件占的字节（含死行，没有清理过）")
    for title in ("表", *_PARTS, "合计"):
        table.add_column(title, justify="left" if title == "表" else "right")
    for sizes, name in sorted(tables, key=lambda one: -sum(one[0])):
        table.add_row(name, *(f"{size:,.0f}" for size in sizes), f"{sum(sizes):,.0f}")
    whole = sum(sum(sizes) for sizes, _ in tables)
    table.add_row(
        "合计",
        *(f"{sum(column):,.0f}" for column in zip(*(sizes for sizes, _ in tables), strict=True)),
        f"{whole:,.0f}",
    )
    Console(width=100).print(table, f"要达到：≤ {WANTED:,} 字节{'' if whole <= WANTED else '，没有达到'}")


if __name__ == "__main__":
    main(sys.argv)
