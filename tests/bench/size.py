"""What a grievance takes in the database after intake, accept and sign.

`python -m tests.bench.size [--quick | --count N] [--vacuumed] [--left-alone] [--json]`: bytes by which the tables grew over how many
grievances, dead rows among them. `--vacuumed`: as many more after the first were vacuumed, as in a database that is old. `--left-alone`: the
server does not vacuum meanwhile either, as it does every minute where there is reason to.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench import town
from wuye_loop import logs
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.edge.site import Site
from wuye_loop.loop import handle
from wuye_loop.loop.collect import collect
from wuye_loop.store.database import Database

WANTED: Final = 8000
MANY: Final = 3000
_SIZES: Final = """
SELECT c.relname, pg_relation_size(c.oid), coalesce(pg_total_relation_size(c.reltoastrelid), 0), pg_indexes_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public'
"""
_INDEXES: Final = """
SELECT x.relname || ' ' || c.relname, pg_relation_size(c.oid) FROM pg_class c
JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class x ON x.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'
"""
_PARTS: Final = ("行", "行外", "索引")
Sizes = Mapping[str, tuple[float, ...]]


def main(words: Sequence[str]) -> None:
    """Measure and print; `--json` prints the bytes of each table (rows, outside of them, indexes) and each index as data."""
    logs.configure("WARNING")
    count = int(words[words.index("--count") + 1]) if "--count" in words else MANY // 10 if "--quick" in words else MANY
    vacuumed, left_alone = "--vacuumed" in words, "--left-alone" in words
    grown = measured(count, vacuumed=vacuumed, left_alone=left_alone)
    if "--json" in words:
        print(json.dumps(grown))  # noqa: T201 the result
    else:
        _print(grown, "清理过之后再来的" if vacuumed else "含死行")


def measured(count: int, *, vacuumed: bool = False, left_alone: bool = False) -> Sizes:
    """Return by table and index how many bytes each of so many grievances takes, in a database of its own."""
    with town.installation() as (site, _):
        database = site.database
        town.found(site)
        if left_alone:
            _left_alone(database)
        if vacuumed:
            _lived(site, 0, count)
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM")
        before = _sizes(database)
        _lived(site, count, count)
        after = _sizes(database)
    grown = {
        name: tuple((new - old) / count for new, old in zip(sizes, before[name], strict=True))
        for name, sizes in after.items()
    }
    return {name: sizes for name, sizes in grown.items() if sum(sizes) >= 1}


def whole(grown: Sizes) -> float:
    """Return what they come to: an index is in its table."""
    return sum(sum(sizes) for sizes in grown.values() if len(sizes) == len(_PARTS))


def _left_alone(database: Database) -> None:
    """Keep the server from vacuuming when it likes."""
    with database.begin() as session:
        connection = session.connection()
        for name, *_ in connection.exec_driver_sql(_SIZES).all():
            connection.exec_driver_sql(f'ALTER TABLE "{name}" SET (autovacuum_enabled = false)')


def _lived(site: Site, first: int, count: int) -> None:
    """Take in, accept and sign, each in a transaction of its own, as requests are."""
    numbers = []
    for n in range(first, first + count):
        with site.database.begin() as session:
            form = IntakeForm.model_validate(town.order(n))
            numbers.append(collect(site.loop, session, form, town.HOTLINE).number)
    for action, actor in (("accept", town.CENTRE), ("sign", town.MARKET)):
        for number in numbers:
            with site.database.begin() as session:
                handle.act(site.loop, session, number, action, actor, {})


def _sizes(database: Database) -> Sizes:
    with database.read() as session:
        connection = session.connection()
        tables = {row[0]: tuple(row[1:]) for row in connection.exec_driver_sql(_SIZES)}
        return tables | {row[0]: (row[1],) for row in connection.exec_driver_sql(_INDEXES)}


def _print(grown: Sizes, how: str) -> None:
    tables = sorted((item for item in grown.items() if len(item[1]) == len(_PARTS)), key=lambda item: -sum(item[1]))
    table = Table(title=f"接收、受理、签收之后，每件占的字节（{how}）")
    for title in ("表", *_PARTS, "合计"):
        table.add_column(title, justify="left" if title == "表" else "right")
    for name, sizes in tables:
        table.add_row(name, *(f"{size:,.0f}" for size in sizes), f"{sum(sizes):,.0f}")
    parts = (sum(column) for column in zip(*(sizes for _, sizes in tables), strict=True))
    table.add_row("合计", *(f"{size:,.0f}" for size in parts), f"{whole(grown):,.0f}")
    said = "" if whole(grown) <= WANTED else "，没有达到"
    Console(width=100).print(table, f"要达到：≤ {WANTED:,} 字节{said}")


if __name__ == "__main__":
    main(sys.argv)
