"""How far a reader's key reaches, said to the database too: a second fence behind the visibility predicate.

For the length of one reading transaction the program puts on a lesser account, whose row policies hold what the key may see
whatever a query forgets to ask. The account is put on together with the transaction's first statement.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind

Kind = Literal["unit", "area", "source"]
_PUT_ON: Final = "reader's account"  # where a session remembers it
_REACHES: Final = "reader's account and reach"
_SETTING: Final = "current_setting('wuye.reach', true)"
_UNDER: Final = f"area_path ~>=~ {_SETTING} AND area_path ~<~ ({_SETTING} || chr(1114111))"
_SEEN: Final = "EXISTS (SELECT 1 FROM grievance g WHERE g.id = {table}.grievance_id)"  # as far as the reader reaches

#: What a lesser account sees of a grievance.
_GRIEVANCE: Final[dict[Kind, str]] = {
    "unit": f"units @> ARRAY[{_SETTING}]",
    "area": _UNDER,
    "source": f"source = {_SETTING}",
}
#: Tables that hang on a grievance; the first carry its area themselves.
_WITH_AREA: Final = ("task", "clock", "tallied")
FENCED: Final = ("grievance", *_WITH_AREA, "ledger", "complainant", "attachment", "rating", "rung")
#: Sums over many, each of one area: for those who see areas.
_SUMS: Final = ("tally", "tally_day", "tally_again")
_POLICED: Final = (*FENCED, *_SUMS)
#: What no reader's transaction asks.
_KEPT_BACK: Final = frozenset({
    "api_key", "key_use", "approval", "idempotency_key", "attached_order", "rate_use", "register", "anchor", "legal_hold",
    "destruction_list", "searched", "tally_share", "alembic_version",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """What one key may see: what a unit has a part in, what lies under an area's path, or what came from a source."""

    kind: Kind
    value: str


def reach_of(actor: Actor) -> Reach | None:
    """Return how far an actor reaches; None where it is everything."""
    if actor.kind is ActorKind.SYSTEM:
        return None
    if actor.kind is ActorKind.HOTLINE:
        return Reach("source", actor.source or "")
    if actor.kind is ActorKind.UNIT:
        return Reach("unit", actor.unit or "")
    return Reach("area", actor.area_path) if actor.area_path else None


def account(role: str, kind: Kind) -> str:
    """Return the name of the lesser account that the program's account puts on."""
    return f"{role}_{kind}"


@contextmanager
def within(session: Session, role: str, reach: Reach) -> Iterator[None]:
    """Let a transaction that has not begun yet reach no further; the cursor sends it with the first statement.

    Where the block ends before any statement, the connection does not keep it for whom it serves next.
    """
    connection: Any = session.connection().connection.driver_connection
    connection.put_on = session.info[_REACHES] = (account(role, reach.kind), reach.value)
    session.info[_PUT_ON] = account(role, reach.kind)
    try:
        yield
    finally:
        connection.__dict__.pop("put_on", None)


def ended_early(session: Session) -> None:
    """Let whatever a session still asks reach no further either: its transaction was ended before its block."""
    if (reaches := session.info.get(_REACHES)) is not None:
        connection: Any = session.connection().connection.driver_connection
        connection.put_on = reaches


@contextmanager
def beyond(session: Session) -> Iterator[None]:
    """Let what is read in the block be seen whole, for what the program must know and its reader is never shown."""
    worn = session.info.get(_PUT_ON)
    if worn is None:
        yield
        return
    connection = session.connection()
    connection.exec_driver_sql("SELECT set_config('role', 'none', true)")
    yield
    # Not where the block failed: the transaction is over then, and the account with it.
    connection.exec_driver_sql("SELECT set_config('role', %(account)s, true)", {"account": worn})


_READY: Final = text("""
SELECT (SELECT count(*) FROM pg_roles r WHERE r.rolname = ANY(CAST(:accounts AS text[]))
          AND pg_has_role(:role, r.oid, 'MEMBER'))
     + (SELECT count(*) FROM pg_policies p WHERE p.schemaname = current_schema() AND p.policyname = ANY(CAST(:policies AS text[])))
     + (SELECT count(*) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
          AND c.relname = ANY(CAST(:fenced AS text[])) AND c.relrowsecurity)
     + (SELECT count(*) FROM pg_tables t, unnest(CAST(:accounts AS text[])) a WHERE t.schemaname = current_schema()
          AND t.tablename <> ALL(CAST(:kept_back AS text[])) AND t.tablename NOT LIKE 'procrastinate\\_%'
          AND NOT has_table_privilege(a, quote_ident(t.tablename), 'SELECT')) * -1
""")
_KINDS: Final = tuple(_GRIEVANCE)


def _policies(role: str) -> dict[tuple[str, str], str]:
    """Return the policies: (table, name) -> the statement that makes it."""
    found = {}
    for table in _POLICED:
        name = f"{role}_writes"
        found[table, name] = f'CREATE POLICY "{name}" ON "{table}" TO "{role}" USING (true) WITH CHECK (true)'
        for kind, own in _GRIEVANCE.items():
            if table == "grievance":
                seen = own
            elif kind == "area" and table in (*_WITH_AREA, *_SUMS):
                seen = _UNDER
            else:
                seen = "false" if table in _SUMS else _SEEN.format(table=table)
            name = account(role, kind)
            found[table, name] = f'CREATE POLICY "{name}" ON "{table}" FOR SELECT TO "{name}" USING ({seen})'
    return found


def stands(connection: Connection, role: str) -> bool:
    """Say whether the fence stands: the lesser accounts, what they may read, and every policy."""
    policies = _policies(role)
    accounts = [account(role, kind) for kind in _KINDS]
    named = sorted({name for _, name in policies})
    known = connection.execute(
        text("SELECT count(*) FROM pg_roles WHERE rolname = ANY(CAST(:accounts AS text[]))"), {"accounts": accounts}
    ).scalar_one()
    if known != len(accounts):
        return False
    there = connection.execute(
        _READY,
        {
            "role": role, "accounts": accounts, "policies": named, "fenced": list(_POLICED), "kept_back": sorted(_KEPT_BACK),
        },
    ).scalar_one()  # fmt: skip
    return bool(there == len(accounts) + len(policies) + len(_POLICED))


def put_up(connection: Connection, role: str) -> None:
    """Put the fence up; the connection is the owner's, and may make accounts. What stands already stays."""
    for kind in _KINDS:
        name = account(role, kind)
        if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first():
            connection.exec_driver_sql(f'CREATE ROLE "{name}" NOLOGIN')
        connection.exec_driver_sql(f'GRANT "{name}" TO "{role}"')
        for table in connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        ).scalars():
            if table not in _KEPT_BACK and not table.startswith("procrastinate_"):
                connection.exec_driver_sql(f'GRANT SELECT ON "{table}" TO "{name}"')
    have = {
        (row.tablename, row.policyname)
        for row in connection.execute(
            text("SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema()")
        )
    }
    for (table, name), statement in _policies(role).items():
        if (table, name) not in have:
            connection.exec_driver_sql(statement)
    for table in _POLICED:
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')


def seen_beyond(session: Session, role: str) -> int:
    """Count the rows that readers who reach nothing see after all, in tables of the fence; must be 0.

    Undone by the end of the transaction.
    """
    connection, found = session.connection(), 0
    for kind in _KINDS:
        nobody = {"account": account(role, kind), "reach": "（谁也不是）"}
        connection.exec_driver_sql(
            "SELECT set_config('role', %(account)s, true), set_config('wuye.reach', %(reach)s, true)", nobody
        )
        for table in _POLICED:
            found += int(connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one())
        connection.exec_driver_sql("SELECT set_config('role', 'none', true)")
    return found
