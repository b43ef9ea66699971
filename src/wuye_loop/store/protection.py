"""Who may do what with the tables: the program's account reads and writes rows, and owns nothing.

The owner's account makes and changes tables, and is used for that alone. What only grows can only be added to, so that
neither a fault of ours nor a statement smuggled in can change a ledger or take its guard away.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

#: Tables whose rows are added and read, never changed or removed.
APPEND_ONLY: Final = frozenset({"ledger", "register", "anchor"})
_READ_ONLY: Final = frozenset({"alembic_version"})
_ALL: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_ASKED: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
REFUSED: Final = "42501"  # PostgreSQL's code: insufficient privilege

_HELD: Final = text("""
SELECT c.relname AS name, c.relkind = 'S' AS sequence,
       ARRAY(SELECT p FROM unnest(CAST(:asked AS text[])) p
             WHERE c.relkind <> 'S' AND has_table_privilege(:role, c.oid, p)) AS held,
       c.relkind = 'S' AND has_sequence_privilege(:role, c.oid, 'USAGE') AS usable
FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'S') ORDER BY 1
""")
_OWNS: Final = text("""
SELECT current_user AS name, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
               AND pg_has_role(current_user, c.relowner, 'USAGE')) AS owner
""")


def wanted(table: str) -> frozenset[str]:
    """Return what the program's account may do with a table."""
    if table in _READ_ONLY:
        return frozenset({"SELECT"})
    return frozenset({"SELECT", "INSERT"}) if table in APPEND_ONLY else _ALL


def lacking(connection: Connection, role: str) -> dict[str, frozenset[str]]:
    """Return the tables (and, with no privileges, sequences) whose privileges are not what the account should hold."""
    rows = connection.execute(_HELD, {"role": role, "asked": list(_ASKED)})
    found: dict[str, frozenset[str]] = {}
    for row in rows:
        if row.sequence and not row.usable:
            found[row.name] = frozenset()
        elif not row.sequence and set(row.held) != wanted(row.name):
            found[row.name] = wanted(row.name)
    return found


def grant(connection: Connection, role: str) -> None:
    """Give the program's account what it should hold, and take what it should not; the connection is the owner's."""
    quoted = connection.dialect.identifier_preparer.quote
    to = quoted(role)
    for name, privileges in lacking(connection, role).items():
        if not privileges:
            connection.exec_driver_sql(f"GRANT USAGE, SELECT ON SEQUENCE {quoted(name)} TO {to}")
            continue
        connection.exec_driver_sql(f"REVOKE ALL ON TABLE {quoted(name)} FROM {to}, PUBLIC")
        connection.exec_driver_sql(f"GRANT {', '.join(sorted(privileges))} ON TABLE {quoted(name)} TO {to}")


def owned_by(session: Session) -> str | None:
    """Return in words why the account of this session is not kept from the tables themselves; None where it is."""
    row = session.execute(_OWNS).one()
    if row.superuser:
        return f"数据库账号 {row.name} 是超级用户"
    return f"数据库账号 {row.name} 拥有这些表" if row.owner else None


#: What the program's account must not be able to do, in words, and the statement that tries it; each is rolled back.
TRIES: Final[Mapping[str, str]] = {
    "改台账": "UPDATE ledger SET action = action WHERE false",
    "删台账": "DELETE FROM ledger WHERE false",
    "清空台账": "TRUNCATE ledger",
    "去掉台账的触发器": "DROP TRIGGER ledger_append_only ON ledger",
    "停用台账的触发器": "ALTER TABLE ledger DISABLE TRIGGER ALL",
    "绕过全部触发器": "SET LOCAL session_replication_role = replica",
    "改表结构": "ALTER TABLE grievance ADD COLUMN tried integer",
    "建新表": "CREATE TABLE tried (n integer)",
}


def allowed(session: Session) -> list[str]:
    """Try what must be refused, and return in words what was not; everything is rolled back.

    For an account that owns nothing: an owner's tries would lock tables for a moment.
    """
    found = []
    for what, statement in TRIES.items():
        trying = session.begin_nested()
        try:
            session.connection().exec_driver_sql(statement)
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != REFUSED:
                found.append(what)
        else:
            found.append(what)
        finally:
            trying.rollback()
    return found
