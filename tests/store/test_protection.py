"""The program's account reads and writes rows, owns nothing, and cannot touch what only grows."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError
from tests.database import CARELESS, fresh, memory
from tests.loop.test_striking import FEW, reads
from tests.site import Town, build, driving

from wuye_loop import postgres
from wuye_loop.domain.errors import BadInput
from wuye_loop.store import protection, reach, straight
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.temporary(options=CARELESS, under=memory()) as own:
        yield own


@pytest.fixture(scope="module")
def guarded(server: postgres.Server) -> Iterator[Database]:
    """Give the database as the program opens it: migrated by its owner, used by an account that owns nothing."""
    own = Database(server.app_url, owner_url=server.url, pool_size=5)
    own.migrate()
    own.protect()
    yield own
    own.dispose()


@pytest.mark.parametrize("statement", protection.TRIES.values(), ids=protection.TRIES.keys())
def test_the_programs_account_is_refused(guarded: Database, statement: str) -> None:
    with guarded.begin() as session, pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        session.connection().exec_driver_sql(statement)


def test_the_programs_account_is_no_superuser_and_owns_nothing(guarded: Database) -> None:
    with guarded.begin() as session:
        assert protection.owned_by(session) is None
        assert protection.allowed(session) == []
        owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
        assert session.execute(text(owned)).scalar_one() == 0
        attributes = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert set(session.execute(text(attributes)).one()) == {False}


def test_what_is_wrongly_held_is_taken_back_at_the_next_start(guarded: Database, server: postgres.Server) -> None:
    owner = Database(server.url)
    with owner.begin() as session:
        session.execute(text("GRANT UPDATE ON ledger TO wuye_app"))
        assert protection.owned_by(session) == "数据库账号 wuye 是超级用户"
    assert guarded.unprotected()
    guarded.protect()
    assert not guarded.unprotected()
    with guarded.begin() as session:
        assert protection.allowed(session) == []
    owner.dispose()


def test_an_owner_that_may_not_make_accounts_leaves_the_fence_out(server: postgres.Server) -> None:
    with fresh(server.url, "wuye_plain") as url:
        own = Database(url)
        own.migrate()
        with own.engine.begin() as connection:
            connection.exec_driver_sql("CREATE ROLE plain")
            connection.exec_driver_sql("SET LOCAL ROLE plain")
            Database._put_up(connection, "wuye_app")
            connection.exec_driver_sql("RESET ROLE")
            connection.exec_driver_sql("DROP ROLE plain")
            assert not reach.stands(connection, "wuye_app")
        own.dispose()


def test_the_fence_of_readers_stands_and_stays(guarded: Database) -> None:
    assert guarded.fenced == "wuye_app"
    with guarded.begin() as session:
        assert reach.seen_beyond(session, "wuye_app") == 0
        session.rollback()


async def test_a_reader_sees_no_further_than_its_key_whatever_a_query_forgets(server: postgres.Server) -> None:
    """Each fenced table is read whole, with no predicate at all."""
    with fresh(server.url, "wuye_fence") as url, tempfile.TemporaryDirectory() as data:
        own = Database(url.replace("//wuye@", "//wuye_app@"), owner_url=url, pool_size=5)
        own.migrate()
        own.protect()
        town = build(own, data=Path(data))
        async with driving(town) as driver:
            one = await driver.push("a1")
            two = await driver.push("a2", place={"estate": "E2"})
            other = await driver.push("b1", who="other-hotline", place={"estate": "E2"})
            for number in (one, two):
                await driver.walk(number, "accept", "sign")
            ids = {str(row.id): row.number for row in town.rows("SELECT id, number FROM grievance")}
            for who, seen in {
                "company-1": {one}, "company-2": {two}, "market": {one, two}, "fire": set(),
                "supervisor-1": {one}, "supervisor-2": {two, other}, "supervisor": {one, two, other},
                "hotline": {one, two}, "other-hotline": {other}, "admin": {one, two, other},
            }.items():  # fmt: skip
                expected = {number for number in ids.values() if number in seen}
                with own.read_within(reach.reach_of(town.actors[who])) as session:
                    for table in reach.FENCED:
                        column = "id" if table == "grievance" else "grievance_id"
                        found = session.connection().exec_driver_sql(f"SELECT DISTINCT {column}::text FROM {table}")  # noqa: S608 ours
                        numbers = {ids[row[0]] for row in found}
                        assert numbers <= expected, (who, table)
                        if table in ("grievance", "ledger", "complainant", "clock"):
                            assert numbers == expected, (who, table)
            whole = "SELECT count(*) FROM grievance"
            with own.read_within(reach.reach_of(town.actors["other-hotline"])) as session:
                straight.ahead(session, [(whole, {})], last=True)  # its transaction is over
                assert straight.rows(session, whole, {}) == [(1,)]
                assert session.execute(text(whole)).scalar_one() == 1  # of another, which reaches no further
            # After such a reading the connection is the program's own again.
            with own.begin() as session:
                assert session.execute(text("SELECT current_user")).scalar_one() == "wuye_app"
                assert session.execute(text("SELECT count(*) FROM grievance")).scalar_one() == 3
            for who in ("company-1", "supervisor-1", "hotline", "market"):
                for path in ("", f"/{one}", f"/{one}/ledger", f"/{one}/clocks", f"/{one}/tasks", f"/{one}/routing"):
                    await driver.get(who, f"/v1/grievances{path}")
                await driver.get(who, f"/v1/grievances/{other}", expect=404)
            items = (await driver.get("market", "/v1/inbox"))["items"]
            assert {item["number"] for item in items} == {one, two}
        own.dispose()


async def test_who_was_merged_is_struck_out_though_their_own_grievance_lies_beyond_the_fence(
    server: postgres.Server,
) -> None:
    with fresh(server.url, "wuye_family") as url, tempfile.TemporaryDirectory() as data:
        own = Database(url.replace("//wuye@", "//wuye_app@"), owner_url=url, pool_size=5)
        own.migrate()
        own.protect()
        gone, n = await reads(build(own, data=Path(data)), FEW)
        assert not gone, "\n".join(gone[:20])
        assert n > 50
        own.dispose()


def turns(guarded: Database, reached: tuple[str, str] | None) -> int:
    """Return how often the talk turns round in a transaction's first statement; 1 is there and back."""
    connection = guarded.engine.raw_connection()
    driver: Any = connection.driver_connection
    if reached is not None:
        driver.put_on = reached
    with tempfile.TemporaryFile() as trace, driver.cursor() as cursor:
        driver.pgconn.trace(trace.fileno())
        cursor.execute("SELECT current_user::text, current_setting('wuye.reach', true)")
        driver.pgconn.untrace()
        found = cursor.fetchone()
        trace.seek(0)
        lines = [line.split() for line in trace.read().decode(errors="replace").splitlines()]
    driver.rollback()
    connection.close()
    assert reached is None or found == reached
    said = [line[2] for line in lines if len(line) > 2 and line[2] in ("F", "B")]
    return sum(one != other for one, other in pairwise(said))


def test_putting_a_reach_on_takes_no_trip_of_its_own(guarded: Database) -> None:
    assert turns(guarded, ("wuye_app_unit", "nobody")) == turns(guarded, None)


def test_a_reader_who_was_refused_before_the_first_statement_leaves_no_reach_on_the_connection(
    guarded: Database,
) -> None:
    def refused() -> None:
        with guarded.read_within(reach.Reach("unit", "nobody")):
            raise BadInput

    with pytest.raises(BadInput):
        refused()
    with guarded.begin() as session:  # the pool gives the connection that was used last
        assert session.execute(text("SELECT current_user")).scalar_one() == "wuye_app"


async def test_a_grievance_goes_its_whole_way_in_the_programs_account(guarded: Database) -> None:
    with tempfile.TemporaryDirectory() as data:
        town: Town = build(guarded, data=Path(data))
        async with driving(town) as driver:
            number = await driver.push("a1")
            await driver.walk(number, "accept", "sign")
            town.advance(town.now.replace(day=9))
            await driver.client.get("/readyz")
            assert (await driver.client.get("/readyz")).status_code == 200
            await driver.get("supervisor", f"/v1/grievances/{number}/ledger")
            assert town.sweep().failed == 0
        assert town.grievance(number).seq > 3


def test_a_table_of_another_owner_is_not_taken_for_protected(database: Database) -> None:
    with database.read() as session:
        assert protection.owned_by(session) is not None
    database.protect()
    assert make_url(database.url).username is not None
