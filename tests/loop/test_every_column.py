# ruff: noqa: S608 the statements are the forger's
"""Every column of every table, forged by SQL: a verification sees it, or it stands here why it need not."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import count
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, LargeBinary, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError, NoResultFound
from sqlalchemy.orm import Session
from tests.api import test_papers
from tests.assessing import publish_scheme
from tests.database import clone
from tests.loop.test_evaluate import MINIMAL
from tests.loop.test_forgery import lived, town_of
from tests.loop.test_vouched_rows import month_told, publish_again, say
from tests.site import Town, build, driving, keys_for
from tests.stories.test_kuiwen_assessment import UNITS

from wuye_loop.domain.errors import BadInput, Conflict, NotFound
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.notice import Day, Notice
from wuye_loop.loop.custody import anchors, destruction
from wuye_loop.loop.custody.adoption import adopt
from wuye_loop.loop.evaluate import closing, schedule
from wuye_loop.loop.figures import tallying
from wuye_loop.queries.assessment import drift
from wuye_loop.queries.verification import verify
from wuye_loop.queries.verification.report import Report
from wuye_loop.store import registry, rehearsals, vouched
from wuye_loop.store.assessment import periods, voices
from wuye_loop.store.calendar import working_days
from wuye_loop.store.database import Database
from wuye_loop.store.directory.load import load_directory
from wuye_loop.store.keys import accounts, api_keys, approvals, links, sessions
from wuye_loop.store.reads import audit
from wuye_loop.store.reads.recorded import WHOLE
from wuye_loop.store.schema import metadata
from wuye_loop.store.workflows import models

#: Tables that nothing is concluded from: who forges them changes what somebody sees for a while, no record of what happened.
TABLES: Final[Mapping[str, str]] = {
    "absence": "who stands in: a unit's own matter, until the day that is said",
    "anchor": "the file outside of the database is what counts, each line signed; --anchors compares the newest number",
    "assignee": "who of a unit does it: no fact of the grievance, and in no ledger",
    "attached_order": "the answer that a sender gets again; what was attached stands in the ledger",
    "credit_watch": "when balances were looked at: looked at again, it brings nothing twice",
    "idempotency_key": "answers kept for a day for who sends again; the ledger has what was done",
    "key_use": "to the minute, each request would write to the register",
    "rate_use": "for a minute",
    "rung_watch": "up to where the ledger was looked through; from the beginning, it brings nothing twice",
    "saved_view": "a list's address, kept by its reader",
    "searched": "found again from the grievance; a list narrowed otherwise shows it",
}
_FEED = "an order for followers; that the newest row of each grievance is in it is compared"
_TRIES = "when a try failed, and why; a day at most is waited"
#: The same of columns of tables that a verification looks at.
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "account_session": {"seen_at": "to the minute, each request would write to the register"},
    "appeal": {"retry_at": _TRIES},
    "assessment": {"tries": _TRIES, "retry_at": _TRIES, "trouble": _TRIES},
    "calendar_year": {"loaded_at": "when the notice was read in; what it says is vouched for"},
    "change": {"tx": _FEED, "grievance_id": _FEED, "seq": _FEED},
    "epoch": {"id": "nothing starts without the one row"}
    | dict.fromkeys(("directory", "calendar", "workflows"), "how often; whoever sees another number reads anew"),
    "grievance": {"intake_digest": "by which an order that is sent again is known: with another it is refused"},
    "tally_mark": dict.fromkeys(
        ("id", "upto", "good", "recent", "newest", "late_at", "since"),
        "how far the sums were folded; the sums are compared with a recount",
    ),
    "ledger": {"written": "which anchor takes the row in; only the owner of the tables can set it"},
}

_NUMBERS = count(950_000)


@pytest.fixture(scope="module")
def towns(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Town]]:
    """Give three towns that have been lived in: of an assessed month, of notices and a ruling, of grievances and persons."""
    with ExitStack() as stack:
        databases = [Database(stack.enter_context(clone(template_url, next(_NUMBERS))), pool_size=5) for _ in range(3)]
        folders = [tmp_path_factory.mktemp("town") for _ in databases]
        assessed = build(databases[0], data=folders[0], workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS))
        made = [assessed, test_papers.town_of(databases[1], folders[1]), town_of(databases[2], folders[2])]
        for town, live in zip(made, (_assessed, _ruled, _lived), strict=True):
            asyncio.run(live(town))
            tallying.fold(town.site.loop, town.database)
            adopt(town.site.loop, town.database)
            anchors.anchor(town.site.loop, town.database, folders[0] / "anchors.jsonl")
            assert looked(town) == []
        yield made
        for database in databases:
            database.dispose()


async def _lived(town: Town) -> None:
    number = await lived(town)
    async with driving(town) as drive:
        second = await drive.push("a2")
        await drive.push("a3", channel="催办", extra={"parent": second})
    with town.database.begin() as session:
        load_directory(session, {"people": [{"unit": "market", "name": "李强", "duty": "科长"}]})
        persons(town, session)
        destruction.hold(town.site.loop, session, number, "诉讼未结", "王敏")
        destruction.propose(town.site.loop, session, [number], "保管期满", "王敏")


async def _ruled(town: Town) -> None:
    async with driving(town) as drive:
        found = [await test_papers.found(drive, "n1"), await test_papers.found(drive, "n2", "E2")]
        lines = test_papers.line(found[0]), test_papers.line(found[1], "company-2")
        await drive.post("inspection-team", "/v1/documents", test_papers.notice(*lines), expect=201)
        number = await drive.push(category="电梯")
        await drive.act("desk-centre", number, "accept")
        form = {"reason": "非本单位职责", "legal_basis": "职责清单第三条", "suggest": "street-1"}
        await drive.open("grid-1", number, "return_request", form)
        town.advance(timedelta(hours=5))
        await drive.act("desk-centre", number, "route", {"unit": "fire"})
        task = await drive.open("fire", number, "return_request", form | {"suggest": "housing"})
        await drive.on_task("desk-centre", task["id"], "dispute", {"note": "应由消防先到场"})
        ruling = {"unit": "street-1", "grounds": "电梯安全由街道牵头"}
        await drive.on_task("joint-office", task["id"], "rule_out", ruling)


async def _assessed(town: Town) -> None:
    publish_scheme(town, "small@1", MINIMAL)
    async with driving(town) as drive:
        await month_told(drive)


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


def looked_in(town: Town, session: Session, *, grievances: bool = True) -> list[str]:
    """Return what a verification finds in what a session has not committed yet."""
    report, loop = Report(), town.site.loop
    chain = loop.chain
    if grievances:
        for folder in audit.folders(session, WHOLE):
            try:
                rules = loop.reference.rules(session, folder.workflow)
                calendar = loop.reference.calendar(session, rules.workflow.calendar)
                verify._verify_one(folder, partial(_same, calendar), chain, loop.keyring, report)
            except Exception as error:  # noqa: BLE001 as verify itself
                report.unreadable(repr(error))
        verify._documents(session, report)
        verify._files(session, report)
        verify._sums(loop, session, report)
    verify._reach(session, report)
    verify._register(session, chain, report)
    return [*report.problems, *drift.looked_over(loop, session).broken]


def _same(calendar: WorkCalendar, _: str) -> WorkCalendar:
    return calendar


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
    unseen, empty, seen_after_all = walked(towns, metadata.sorted_tables)
    assert (unseen, [one for one in empty if one not in TABLES], seen_after_all) == ({}, [], [])


@pytest.mark.proof
def test_the_walk_sees_a_table_that_nobody_looks_at(towns: list[Town], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(registry.AS_THEY_STAND, vouched.VOICE)
    monkeypatch.setattr(audit, "broken_files", lambda *_: iter(()))
    unseen, _, _ = walked(towns, [metadata.tables["voice"], metadata.tables["attachment"]])
    assert unseen == {"voice": [column.name for column in metadata.tables["voice"].columns], "attachment": ["content"]}


def walked(towns: list[Town], tables: Iterable[Table]) -> tuple[dict[str, list[str]], list[str], list[str]]:
    """Forge each column of these tables; return those unseen and unnamed, empty tables, and those named but seen."""
    unseen: dict[str, list[str]] = {}
    empty, seen_after_all = [], []
    for table in tables:
        town = next((one for one in reversed(towns) if one.rows(f"SELECT 1 FROM {table.name} LIMIT 1")), None)
        if town is None:
            empty.append(table.name)
            continue
        for column in table.columns:
            found = found_of(town, table, column)
            named = table.name in TABLES or column.name in COLUMNS.get(table.name, {})
            if found is False and not named:
                unseen.setdefault(table.name, []).append(column.name)
            if found and named and not column.foreign_keys:  # that it refers to nothing is seen of each
                seen_after_all.append(f"{table.name}.{column.name}")
    return unseen, empty, seen_after_all


def found_of(town: Town, table: Table, column: Column[Any]) -> bool | None:
    """Say whether a forged column is seen; None where no such row can be, or nothing starts without the one that is."""
    with town.database.begin() as session:
        before = session.connection().begin_nested()
        session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
        try:
            assert forge_one(session, table, column) == 1
            return bool(looked_in(town, session))
        except (IntegrityError, NoResultFound):
            return None
        finally:
            before.rollback()


Change = Callable[[Town, Session], object]


def _keys(town: Town, session: Session, *, ends: bool) -> None:
    for key in api_keys.listed(session):
        if ends:
            api_keys.end(session, key.id, town.now)
        else:
            api_keys.rotate(session, key, overlap=timedelta(1), now=town.now, ids=town.site.loop.ids, by={})


def _accounts(session: Session, **values: Any) -> None:
    for row in accounts.listed(session):
        accounts.change(session, row.id, **values)


def _closed(town: Town, session: Session) -> None:
    due = session.connection().exec_driver_sql("SELECT id FROM assessment WHERE state = 'due'").scalars().all()
    for one in due:
        row = periods.locked(session, one)
        assert row is not None
        closing._freeze(town.site.loop, session, row, schedule.place_of(session, row.name, row.period))


def _appeals(town: Town, session: Session) -> None:
    for one in session.connection().exec_driver_sql("SELECT id FROM appeal").scalars().all():
        voices.appeal_for_update(session, one)
        voices.decide_appeal(session, one, upheld=True, note="重判", now=town.now)


def _decided(town: Town, session: Session) -> None:
    one = approvals.locked(session, UUID(int=4))
    if one is not None:
        approvals.decide(session, replace(one, state="approved", decided_by=one.asked_by, decided_at=town.now))


def _held(town: Town, session: Session, number: str, *, again: bool) -> None:
    if again:
        destruction.hold(town.site.loop, session, number, "再次保留", "王敏")
    else:
        destruction.release(session, number, "诉讼已结", "王敏")


def _each_held(town: Town, session: Session, *, again: bool) -> None:
    numbers = session.connection().exec_driver_sql("SELECT number FROM grievance").scalars().all()
    for number in numbers:
        with suppress(NotFound):
            _held(town, session, number, again=again)


def noticed(town: Town, session: Session) -> None:
    """Read in a whole notice for each year that there is."""
    for year in range(2000, 2030):
        days = tuple(Day(date(year, month, 1), works=False, name="") for month in (1, 10))
        working_days.import_notice(session, Notice(days, frozenset({year}), f"通知 {year}"), town.now)


#: What the program may do to rows of each kind, by the table. Kinds whose rows are only ever added are not among them.
LAWFUL: Final[Mapping[str, Mapping[str, Change]]] = {
    "api_key": {
        "rotate": lambda town, session: _keys(town, session, ends=False),
        "revoke": lambda town, session: _keys(town, session, ends=True),
    },
    "account": {
        "password": lambda _, session: _accounts(session, password="y"),
        "disable": lambda town, session: _accounts(session, disabled_at=town.now),
        "wrong password": lambda _, session: _accounts(session, failures=9),
    },
    "account_session": {
        "end": lambda town, session: [sessions.end(session, row.id, town.now) for row in accounts.listed(session)]
    },
    "approval": {"decide": _decided},
    "task_link": {
        "spend": lambda town, session: links.spend(session, UUID(int=3), town.now),
        "withdraw": lambda town, session: links.withdraw(session, UUID(int=3), "market", town.now),
    },
    "learned_model": {
        "choose": lambda town, session: models.choose(session, "town@1", town.now),
        "stop": lambda _, session: models.stop(session),
    },
    "unit": {"load": lambda _, session: load_directory(session, {})},
    "area": {"load": lambda _, session: load_directory(session, {})},
    "estate": {"load": lambda _, session: load_directory(session, {})},
    "calendar_day": {"notice": noticed},
    "calendar_year": {"notice": noticed},
    "assessment": {"close": _closed, "publish": publish_again},
    "figure": {"publish": publish_again},
    "result": {"publish": publish_again},
    "voice": {"change": lambda town, session: say(session, town.now)},
    "appeal": {"decide": _appeals},
    "legal_hold": {
        "hold": lambda town, session: _each_held(town, session, again=True),
        "release": lambda town, session: _each_held(town, session, again=False),
    },
    "epoch": {"rehearse": lambda _, session: rehearsals.begin(session)},
}


@pytest.mark.proof
@pytest.mark.parametrize("table", LAWFUL)
def test_no_lawful_change_hides_what_was_forged_of_a_row(towns: list[Town], table: str) -> None:
    assert hidden_by_changes(towns, table) == []


@pytest.mark.proof
def test_the_walk_sees_changes_that_vouch_for_what_was_forged_before(
    towns: list[Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_apart", lambda *_, **__: {})
    assert hidden_by_changes(towns, "task_link") != []
    assert hidden_by_changes(towns, "voice") == [f"change: {name}" for name in ("score", "detail", "at")]


def hidden_by_changes(towns: list[Town], table: str) -> list[str]:
    """Return after which changes of a table's rows which columns, forged before, are vouched for."""
    town = next(one for one in towns if one.rows(f"SELECT 1 FROM {table} LIMIT 1"))
    hidden = []
    for what, change in LAWFUL[table].items():
        for column in metadata.tables[table].columns:
            if column.name in COLUMNS.get(table, {}):
                continue
            with town.database.begin() as session:
                before = session.connection().begin_nested()
                session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
                try:
                    forge_one(session, metadata.tables[table], column)
                    with suppress(Conflict, BadInput, NotFound), session.begin_nested():
                        change(town, session)
                    if not looked_in(town, session, grievances=False):
                        hidden.append(f"{what}: {column.name}")
                except (IntegrityError, NoResultFound):
                    continue
                finally:
                    before.rollback()
    return hidden
