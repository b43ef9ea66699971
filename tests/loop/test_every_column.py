# ruff: noqa: S608 the statements are the forger's
"""Every column of every table, forged by SQL: a verification sees it, or it stands here why it need not."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, LargeBinary, Numeric, Table, Text, Uuid
from sqlalchemy.exc import IntegrityError, NoResultFound
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from tests.assessing import publish_scheme
from tests.database import clone
from tests.loop.test_evaluate import MINIMAL, two_cases
from tests.loop.test_forgery import lived, town_of
from tests.loop.test_vouched_rows import close_due, told
from tests.site import Town, at, build, driving, keys_for
from tests.stories.test_kuiwen_assessment import UNITS

from wuye_loop.loop.custody import destruction
from wuye_loop.loop.custody.adoption import adopt
from wuye_loop.queries.assessment import drift
from wuye_loop.queries.verification import verify
from wuye_loop.queries.verification.report import Report
from wuye_loop.store.database import Database
from wuye_loop.store.keys import accounts, api_keys, approvals, links, sessions
from wuye_loop.store.reads import audit
from wuye_loop.store.reads.recorded import WHOLE
from wuye_loop.store.schema import metadata

#: Tables that nothing is concluded from; a forger changes what somebody sees for a while, and no record of what happened.
TABLES: Final[Mapping[str, str]] = {}
#: The same of columns of tables that a verification looks at.
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {}

_NUMBERS = count(950_000)


@pytest.fixture(scope="module")
def towns(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Town]]:
    """Give two towns that have been lived in: one of grievances and persons, one of an assessed month."""
    with clone(template_url, next(_NUMBERS)) as first, clone(template_url, next(_NUMBERS)) as second:
        databases = [Database(url, pool_size=5) for url in (first, second)]
        plain = town_of(databases[0], tmp_path_factory.mktemp("plain"))
        asyncio.run(_lived(plain))
        data = tmp_path_factory.mktemp("assessed")
        assessed = build(databases[1], data=data, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS))
        asyncio.run(_assessed(assessed))
        for town in (plain, assessed):
            adopt(town.site.loop, town.database)
            assert looked(town) == []
        yield [plain, assessed]
        for database in databases:
            database.dispose()


async def _lived(town: Town) -> None:
    number = await lived(town)
    async with driving(town) as drive:
        await drive.push("a2")
    with town.database.begin() as session:
        persons(town, session)
        destruction.hold(town.site.loop, session, number, "诉讼未结", "王敏")
        destruction.propose(town.site.loop, session, [number], "保管期满", "王敏")


async def _assessed(town: Town) -> None:
    publish_scheme(town, "small@1", MINIMAL)
    async with driving(town) as drive:
        await two_cases(drive)
    town.advance(at("2026-04-01 00:00"))
    close_due(town)
    told(town)


def persons(town: Town, session: Session) -> None:
    """Let somebody sign in and fail, give a link, and ask for more openings."""
    ids, now = town.site.loop.ids, town.now
    who = accounts.create(session, accounts.AccountWish("li", "李强", "unit", unit="market"), "x", now, ids, "命令行")
    accounts.change(session, who, failures=5, locked_until=now + timedelta(minutes=1))
    sessions.begin(session, who, b"d" * 32, now, now + timedelta(hours=12), "10.0.0.1", ids)
    task = session.connection().exec_driver_sql("SELECT id FROM task LIMIT 1").scalar_one()
    links.make(session, links.LinkRow(UUID(int=3), task, "market", who, "施工队", now, now + timedelta(days=1), None, used=False), b"l" * 32)  # fmt: skip
    key = api_keys.listed(session)[0].id
    asked = approvals.Approval(UUID(int=4), "reveals", key, now, {"extra": 5}, "案件多", "open", None, None, None, None)
    approvals.ask(session, asked)


def looked(town: Town) -> list[str]:
    """Return what a verification finds."""
    with town.database.read() as session:
        return looked_in(town, session)


def looked_in(town: Town, session: Session, *, register_alone: bool = False) -> list[str]:
    """Return what a verification finds in what a session has not committed yet."""
    report, loop = Report(), town.site.loop
    chain = loop.chain
    if not register_alone:
        for folder in audit.folders(session, WHOLE):
            try:
                rules = loop.reference.rules(session, folder.workflow)
                calendar = loop.reference.calendar(session, rules.workflow.calendar)
                verify._verify_one(folder, lambda _, known=calendar: known, chain, loop.keyring, report)
            except Exception as error:  # noqa: BLE001 as verify itself
                report.unreadable(repr(error))
        verify._documents(session, report)
        verify._reach(session, report)
        verify._sums(loop, session, report)
    verify._register(session, chain, report)
    broken = [] if register_alone else drift.looked_over(loop, session).broken
    return [*report.problems, *broken]


def forged(column: Column[Any]) -> str:
    """Return an expression for something else than a column holds."""
    name, kind = f'"{column.name}"', column.type
    if isinstance(kind, JSONB):
        return f"""CASE jsonb_typeof({name}) WHEN 'array' THEN {name} || '["x"]' ELSE COALESCE({name}, '{{}}') || '{{"x": 1}}' END"""
    if isinstance(kind, ARRAY):
        item = (
            "'x'"
            if isinstance(kind.item_type, Text)
            else "gen_random_uuid()"
            if isinstance(kind.item_type, Uuid)
            else "1"
        )
        return f"array_append({name}, {item})"
    for one, made in (
        (Uuid, "gen_random_uuid()"), (Boolean, f"NOT COALESCE({name}, false)"), (LargeBinary, f"COALESCE({name}, '') || '\\x00'"),
        (DateTime, f"COALESCE({name}, now()) + interval '1 day'"), (Date, f"COALESCE({name}, current_date) + 1"),
        (Integer, f"COALESCE({name}, 0) + 1000"), (Numeric, f"COALESCE({name}, 0) + 1"), (Text, f"COALESCE({name}, '') || 'x'"),
    ):  # fmt: skip
        if isinstance(kind, one):
            return made
    return f"COALESCE({name}, 0) + 1"


def forge_one(session: Session, table: Table, column: Column[Any]) -> int:
    """Change a column of one row, of one where it says something if there is such a row."""
    row = f'(SELECT ctid FROM {table.name} ORDER BY "{column.name}" IS NULL, ctid LIMIT 1)'
    statement = f'UPDATE {table.name} SET "{column.name}" = {forged(column)} WHERE ctid = {row}'
    return session.connection().exec_driver_sql(statement.replace("%", "%%")).rowcount


@pytest.mark.proof
def test_every_column_that_is_forged_is_seen_or_stands_here(towns: list[Town]) -> None:
    unseen: dict[str, list[str]] = {}
    empty, seen_after_all = [], []
    for table in metadata.sorted_tables:
        town = next((one for one in reversed(towns) if one.rows(f"SELECT 1 FROM {table.name} LIMIT 1")), None)
        if town is None:
            empty.append(table.name)
            continue
        for column in table.columns:
            with town.database.begin() as session:
                before = session.connection().begin_nested()
                session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
                try:
                    assert forge_one(session, table, column) == 1
                    found = looked_in(town, session)
                    print(table.name, column.name, bool(found), flush=True)
                except (IntegrityError, NoResultFound):
                    continue  # no such row can be, or nothing starts without the one that is

                finally:
                    before.rollback()
            named = table.name in TABLES or column.name in COLUMNS.get(table.name, {})
            if not found and not named:
                unseen.setdefault(table.name, []).append(column.name)
            if found and named:
                seen_after_all.append(f"{table.name}.{column.name}")
    print("EMPTY", empty)
    print("UNSEEN", unseen)
    print("SEEN", seen_after_all)
    assert (unseen, [one for one in empty if one not in TABLES], seen_after_all) == ({}, [], [])
