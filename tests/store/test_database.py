from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, event, make_url, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session
from tests.database import fresh, memory

from wuye_loop import postgres
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database, UnfitDatabase, _revisions, alembic_config, database_of, open_database

TABLE = """
    CREATE TABLE house (id int PRIMARY KEY);
    CREATE TABLE flat (house int REFERENCES house DEFERRABLE INITIALLY DEFERRED, facts jsonb)
"""


@pytest.fixture
def houses(database: Database) -> Database:
    with database.begin() as session:
        for statement in filter(str.strip, TABLE.split(";")):
            session.execute(text(statement))
    return database


def count(session: Session, table: str = "house") -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 a name of ours


def add(session: Session) -> None:
    session.execute(text("INSERT INTO house VALUES (1)"))


def add_homeless_flat(session: Session) -> None:
    add(session)
    session.execute(text("INSERT INTO flat VALUES (99)"))  # the constraint is deferred: only the commit fails


def test_a_block_that_ends_well_is_committed(houses: Database) -> None:
    with houses.begin() as session:
        add(session)
    with houses.read() as session:
        assert count(session) == 1


def test_a_block_that_raises_leaves_nothing(houses: Database) -> None:
    def fail() -> None:
        with houses.begin() as session:
            add(session)
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        fail()
    with houses.read() as session:
        assert count(session) == 0


def test_a_commit_that_fails_raises_and_leaves_nothing(houses: Database) -> None:
    def fail() -> None:
        with houses.begin() as session:
            add_homeless_flat(session)

    with pytest.raises(IntegrityError, match="flat_house_fkey"):
        fail()
    with houses.read() as session:
        assert count(session) == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("work", "error", "left"),
    [(add, None, 1), (add_homeless_flat, IntegrityError, 0)],
    ids=["a good block is committed", "a failing commit leaves nothing"],
)
async def test_async_transactions_end_as_plain_ones_do(
    houses: Database, work: Callable[[Session], None], error: type[Exception] | None, left: int
) -> None:
    async def step() -> None:
        await houses.write_async(work)

    if error:
        with pytest.raises(error):
            await step()
    else:
        await step()
    assert await houses.read_async(count) == left
    await houses.dispose_async()


def test_a_read_cannot_write(houses: Database) -> None:
    with pytest.raises(InternalError, match="read-only transaction"), houses.read() as session:
        add(session)
    with houses.begin() as session:  # and the connection it used can write again
        add(session)


@pytest.mark.parametrize(("said", "within"), [("", 15_000), ("?tcp_user_timeout=4000", "4000")])
def test_a_connection_that_died_without_a_word_is_found_out_in_seconds_or_as_the_url_says(
    said: str, within: int | str
) -> None:
    asked: dict[str, object] = {}

    def noted(_: object, __: object, ___: object, params: dict[str, object]) -> None:
        asked.update(params)
        raise ConnectionAbortedError

    engine = Database(f"postgresql+psycopg://wuye@db.example/wuye{said}").engine
    event.listen(engine, "do_connect", noted)
    with pytest.raises(ConnectionAbortedError):
        engine.connect()
    assert asked["tcp_user_timeout"] == within
    assert asked["keepalives_idle"] == 10


_PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM house%'")


def test_what_is_read_stays_prepared_on_its_connection(houses: Database) -> None:
    for _ in range(4):
        with houses.read() as session:
            count(session)
    with houses.read_at_once() as session:
        assert session.execute(_PREPARED).scalar_one() == 1


@pytest.mark.anyio
async def test_what_async_code_reads_stays_prepared_on_its_connection(houses: Database) -> None:
    for _ in range(4):
        await houses.read_async(count)
    assert await houses.read_async(lambda session: session.execute(_PREPARED).scalar_one()) == 1
    await houses.dispose_async()


def test_what_is_read_is_planned_for_what_is_asked_and_what_is_written_as_the_server_does(houses: Database) -> None:
    for opened, mode in (
        (houses.read, "force_custom_plan"),
        (houses.begin, "auto"),
        (houses.read_at_once, "force_custom_plan"),
    ):
        with opened() as session:
            assert session.execute(text("SHOW plan_cache_mode")).scalar_one() == mode


def test_a_read_that_fails_ends_and_the_next_goes_on(houses: Database) -> None:
    def fail() -> None:
        with houses.read() as session:
            count(session, "no_such_table")

    for _ in range(3):
        with pytest.raises(ProgrammingError, match="no_such_table"):
            fail()
    with houses.read() as session:
        assert count(session) == 0


def test_what_a_database_is_set_to_changes_nothing_of_how_it_is_read(houses: Database) -> None:
    others = {
        "client_encoding": "GBK", "datestyle": "German", "bytea_output": "escape", "extra_float_digits": "-15",
        "timezone": "Asia/Shanghai",
    }  # fmt: skip
    with houses.begin() as session:
        name = session.execute(text("SELECT quote_ident(current_database())")).scalar_one()
        for setting, other in others.items():
            session.execute(text(f"ALTER DATABASE {name} SET {setting} = '{other}'"))
    asked = text(
        "SELECT x, x::text, to_jsonb('\\x00'::bytea), to_jsonb(36.7071::float8), to_jsonb('停水'::text) FROM to_timestamp(0) x"
    )
    fresh_one = Database(houses.url, pool_size=1)
    with fresh_one.read() as session:
        read, *sent = session.execute(asked).one()
    fresh_one.dispose()
    assert (read, sent) == (datetime(1970, 1, 1, tzinfo=UTC), ["1970-01-01 00:00:00+00", "\\x00", 36.7071, "停水"])


def test_json_comes_back_as_it_went_in(houses: Database) -> None:
    flat = Table("flat", MetaData(), Column("facts", JSONB))
    facts = {"title": "电梯“困人”", "times": [1, 2.5, None], "nested": {"ok": True}}
    with houses.begin() as session:
        session.execute(flat.insert().values(facts=facts))
    with houses.read() as session:
        assert session.execute(select(flat.c.facts)).scalar_one() == facts


def test_a_statement_that_runs_too_long_is_stopped(database_url: str) -> None:
    hasty = Database(database_url, statement_timeout_ms=50)
    with pytest.raises(OperationalError, match="statement timeout"), hasty.read() as session:
        session.execute(text("SELECT pg_sleep(5)"))
    hasty.dispose()


def test_statements_are_not_compiled_whatever_the_server_would_do(database: Database) -> None:
    with database.read() as session:
        found = session.execute(text("SELECT setting, source FROM pg_settings WHERE name = 'jit'")).one()
    assert tuple(found) == ("off", "client")


def test_a_lock_that_does_not_come_is_given_up(houses: Database) -> None:
    hasty = Database(houses.url, lock_timeout_ms=50)
    lock = text("SELECT id FROM house FOR UPDATE")
    with houses.begin() as session:
        add(session)
    with houses.begin() as holder:
        holder.execute(lock)
        with pytest.raises(OperationalError, match="lock timeout"), hasty.begin() as session:
            session.execute(lock)
    hasty.dispose()


def test_connections_that_died_cost_one_error_and_then_all_is_well(houses: Database) -> None:
    with houses.read() as first, houses.read() as second:
        for session in (first, second):
            session.execute(text("SELECT 1"))
    with houses.begin() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    errors = 0
    for _ in range(5):
        try:
            with houses.read() as session:
                session.execute(text("SELECT 1"))
        except OperationalError:
            errors += 1
    assert errors <= 1


def test_migrations_make_exactly_the_tables_the_code_declares(database: Database) -> None:
    assert database.current_revision() == database.head_revision()
    with database.engine.connect() as connection:
        command.check(alembic_config(connection=connection))


def test_the_revisions_that_the_program_knows_are_those_that_alembic_finds(database: Database) -> None:
    found = ScriptDirectory.from_config(alembic_config())
    assert {one.revision for one in found.walk_revisions()} == set(_revisions())
    assert found.get_heads() == [database.head_revision()]
    with database.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == database.current_revision()


def test_migrations_can_be_undone_and_done_again(database: Database) -> None:
    with database.engine.connect() as connection:
        command.downgrade(alembic_config(connection=connection), "base")
    with database.read() as session:
        left = session.execute(
            text(
                "SELECT array_agg(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        )
        assert left.scalar_one() == ["alembic_version"]
    database.migrate()
    assert database.current_revision() == database.head_revision()


def test_migrations_that_start_together_take_turns(server_url: str) -> None:
    with fresh(server_url, "wuye_test_turns") as url:
        databases = [Database(url) for _ in range(3)]
        with ThreadPoolExecutor() as pool:
            list(pool.map(Database.migrate, databases))
        assert {d.current_revision() for d in databases} == {databases[0].head_revision()}
        for one in databases:
            one.dispose()


def test_another_database_of_our_own_server_is_opened_by_its_name(server_url: str) -> None:
    with fresh(server_url, "wuye_test_other") as url:
        assert make_url(database_of(server_url, "wuye_test_other")) == make_url(url)
    with pytest.raises(UnfitDatabase, match="没有数据库 wuye_test_other"):
        database_of(server_url, "wuye_test_other")


def test_a_database_newer_than_the_program_is_refused_in_words(database: Database) -> None:
    with database.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnfitDatabase, match=r"9999, which this program .* does not know"):
        database.migrate()


def test_a_database_that_may_forget_is_refused_in_words(database: Database) -> None:
    with database.begin() as session:
        session.execute(text(f"ALTER DATABASE {database.engine.url.database} SET synchronous_commit = off"))
    database.engine.dispose()
    with pytest.raises(UnfitDatabase, match="synchronous_commit=off: it may lose grievances"):
        database.check_durability()


def test_a_server_that_does_not_wait_for_its_disk_is_refused_in_words() -> None:
    with postgres.temporary(options={"fsync": "off", "full_page_writes": "off"}, under=memory()) as server:
        database = Database(server.url)
        with pytest.raises(UnfitDatabase, match="fsync=off, full_page_writes=off: it may lose grievances"):
            database.check_durability()
        database.dispose()


def test_without_a_url_a_server_of_our_own_is_opened_migrated_and_closed() -> None:
    with postgres.temporary(under=memory()) as room:  # only for a folder that the server's account may enter
        data = room.data.parent / "var"
        with open_database(Settings(data=data)) as database:
            assert database.current_revision() == database.head_revision()
            with database.read() as session:
                assert session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0
        assert not postgres.stop(data)
        postgres.remove(data)
    assert not Path(data).exists()


#: What somebody did to the tables by hand -> what is said of it.
MEDDLED = {
    "ALTER TABLE grievance DROP COLUMN urged": "表 grievance 没有列 urged",
    "DROP TABLE rating": "没有表 rating",
    "DROP TABLE procrastinate_events": "没有表 procrastinate_events",
    "ALTER TABLE task ALTER COLUMN n TYPE bigint": "表 task 的列 n 是 bigint，应为 integer",
    "ALTER TABLE clock RENAME COLUMN image TO picture": "表 clock 没有列 image",
    "ALTER TABLE grievance DROP CONSTRAINT uq_grievance_source_external_id": "没有唯一约束 uq_grievance_source_external_id",
    "ALTER TABLE ledger SET SCHEMA elsewhere": "没有表 ledger",
}


@pytest.mark.parametrize(("statement", "said"), MEDDLED.items())
def test_tables_that_lost_something_are_refused_in_words_that_name_it(
    database: Database, statement: str, said: str
) -> None:
    assert database.lacking() == []
    with database.begin() as session:
        session.execute(text("CREATE SCHEMA elsewhere"))
        session.execute(text(statement))
    assert database.lacking() == [found for found in database.lacking() if said in found] != []
    with pytest.raises(UnfitDatabase, match=said):
        database.check_tables()
