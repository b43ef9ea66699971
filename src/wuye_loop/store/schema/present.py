"""What a database lacks of the tables that the program declares: told in words, before a request runs into it."""

from typing import Final

from sqlalchemy import Connection, PrimaryKeyConstraint, Table, UniqueConstraint, text
from sqlalchemy.dialects import postgresql

from wuye_loop.store.schema.columns import metadata

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
#: The job engine's own; what is in them is its affair.
_JOBS: Final = ("procrastinate_jobs", "procrastinate_events", "procrastinate_workers")
_COLUMNS: Final = text("""
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
  AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
""")
# By whose names a row is found again, or a second one refused; without them every write goes wrong.
_KEYS: Final = text("""
SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype IN ('p', 'u') AND pg_table_is_visible(c.oid)
""")


def lacking(connection: Connection) -> list[str]:
    """Return in words each table, column or key that is missing, and each column of another type; empty: all is there."""
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(_COLUMNS):
        columns.setdefault(table, {})[column] = kind
    keys: dict[str, set[str]] = {}
    for table, key in connection.execute(_KEYS):
        keys.setdefault(table, set()).add(key)
    found = [f"没有表 {name}" for name in _JOBS if name not in columns]
    for table in metadata.sorted_tables:
        if table.name not in columns:
            found.append(f"没有表 {table.name}")
        else:
            found += _lacking_of(table, columns[table.name], keys.get(table.name, set()))
    return found


def _lacking_of(table: Table, columns: dict[str, str], keys: set[str]) -> list[str]:
    found = []
    for column in table.columns:
        kind = column.type.compile(_DIALECT).lower()  # as the catalogue names it
        if column.name not in columns:
            found.append(f"表 {table.name} 没有列 {column.name}")
        elif columns[column.name] != kind:
            found.append(f"表 {table.name} 的列 {column.name} 是 {columns[column.name]}，应为 {kind}")
    wanted = {str(one.name) for one in table.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint)}
    found += [f"表 {table.name} 没有唯一约束 {name}" for name in sorted(wanted - keys)]
    return found
