"""The limit of taking in many at once: COPY of the very rows that they became, into the same tables with their indexes."""

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

_KEYS = {
    "grievance": "id",
    "complainant": "grievance_id",
    "ledger": "grievance_id",
    "clock": "grievance_id",
    "rung": "clock_id",
    "change": "grievance_id",
}
_COLUMNS = (
    "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position"
)


def rate(conninfo: str, numbers: Sequence[str]) -> float:
    """Take these grievances' rows out and put them back by COPY, committed; return how many a second came back."""
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        ids = _column(cursor, "SELECT id FROM grievance WHERE number = ANY(%s)", list(numbers))
        clocks = _column(cursor, "SELECT id FROM clock WHERE grievance_id = ANY(%s)", ids)
        kept = {
            table: _taken_out(cursor, table, column, clocks if column == "clock_id" else ids)
            for table, column in _KEYS.items()
        }
        cursor.execute("SET LOCAL session_replication_role = replica")  # the ledger lets nobody delete
        for table, column in reversed(_KEYS.items()):
            gone = sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(sql.Identifier(table), sql.Identifier(column))
            cursor.execute(gone, [clocks if column == "clock_id" else ids])
        connection.commit()
        began = time.perf_counter()
        for table, (columns, rows) in kept.items():
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)) as into:
                into.write(rows)
        connection.commit()
        return len(ids) / (time.perf_counter() - began)


def _taken_out(cursor: "psycopg.Cursor[Any]", table: str, column: str, ids: list[Any]) -> tuple[sql.Composable, bytes]:
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in _column(cursor, _COLUMNS, table))
    chosen = sql.SQL("COPY (SELECT {} FROM {} WHERE {} = ANY({})) TO STDOUT").format(
        columns, sql.Identifier(table), sql.Identifier(column), sql.Literal(ids)
    )
    with cursor.copy(chosen) as out:
        return columns, b"".join(bytes(part) for part in out)


def _column(cursor: "psycopg.Cursor[Any]", query: str, value: object) -> list[Any]:
    return [row[0] for row in cursor.execute(query, [value]).fetchall()]
