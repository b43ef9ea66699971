"""The hot statements go straight to the driver, and whatever goes wrong with them is told and mended as before."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError
from sqlalchemy.orm import Session

from wuye_loop.store import straight
from wuye_loop.store.database import Database

ADD = "INSERT INTO house VALUES (%(id)s)"


@pytest.fixture
def houses(database: Database) -> Database:
    with database.begin() as session:
        session.execute(text("CREATE TABLE house (id int PRIMARY KEY)"))
    return database


def all_of(session: Session) -> list[tuple[Any, ...]]:
    return straight.execute(session, "SELECT id FROM house WHERE id < %(most)s ORDER BY id", {"most": 100}).rows


def test_it_gives_the_rows_and_how_many_were_touched(houses: Database) -> None:
    with houses.begin() as session:
        assert straight.execute(session, ADD, {"id": 1}) == ([], 1)
        assert straight.execute(session, "UPDATE house SET id = 2 WHERE id = %(id)s", {"id": 7}) == ([], 0)
        assert all_of(session) == [(1,)]


def test_what_is_refused_has_sqlalchemys_words_and_leaves_nothing(houses: Database) -> None:
    def twice() -> None:
        with houses.begin() as session:
            straight.execute(session, ADD, {"id": 1})
            straight.execute(session, ADD, {"id": 1})

    with pytest.raises(IntegrityError) as refused:
        twice()
    assert refused.value.orig is not None
    assert refused.value.statement == ADD
    with houses.begin() as session:
        assert all_of(session) == []


def test_a_savepoint_takes_a_refusal_back_and_the_rest_stays(houses: Database) -> None:
    def twice(session: Session) -> None:
        with session.begin_nested():
            straight.execute(session, ADD, {"id": 2})
            straight.execute(session, ADD, {"id": 1})

    with houses.begin() as session:
        straight.execute(session, ADD, {"id": 1})
        with pytest.raises(IntegrityError):
            twice(session)
        straight.execute(session, ADD, {"id": 3})
    with houses.begin() as session:
        assert all_of(session) == [(1,), (3,)]


def _killed(houses: Database, session: Session) -> None:
    """Kill the session's connection from another one, and use it."""
    ((mine,),) = straight.execute(session, "SELECT pg_backend_pid()", {}).rows
    with houses.begin() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": mine})
    straight.execute(session, ADD, {"id": 1})


def test_a_connection_that_broke_costs_one_transaction_and_the_next_finds_a_fresh_one(houses: Database) -> None:
    def broken() -> None:
        with houses.begin() as session:
            _killed(houses, session)

    with pytest.raises(OperationalError) as lost:
        broken()
    assert lost.value.connection_invalidated
    with houses.begin() as session:
        straight.execute(session, ADD, {"id": 2})
        assert all_of(session) == [(2,)]


@pytest.mark.anyio
async def test_the_same_from_async_code(houses: Database) -> None:
    def twice(session: Session) -> None:
        straight.execute(session, ADD, {"id": 1})
        straight.execute(session, ADD, {"id": 1})

    with pytest.raises(IntegrityError):
        await houses.write_async(twice)
    with pytest.raises(OperationalError) as lost:
        await houses.write_async(lambda session: _killed(houses, session))
    assert lost.value.connection_invalidated
    assert await houses.write_async(all_of) == []
    await houses.dispose_async()


@pytest.mark.anyio
async def test_a_request_that_is_cancelled_leaves_no_connection_in_the_middle_of_an_answer(houses: Database) -> None:
    begun = asyncio.Event()

    def slow(session: Session) -> None:
        straight.execute(session, ADD, {"id": 1})
        begun.set()
        straight.execute(session, "SELECT pg_sleep(60)", {})

    waiting = asyncio.create_task(houses.write_async(slow))
    await begun.wait()
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await houses.write_async(all_of) == []
    await houses.dispose_async()


def test_who_listens_to_an_engines_statements_hears_these_too(houses: Database) -> None:
    heard: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_: object) -> None:
        heard.append(statement)

    event.listen(houses.engine, "before_cursor_execute", hear)
    with houses.begin() as session:
        assert straight.execute(session, ADD, {"id": 1}) == ([], 1)
        assert all_of(session) == [(1,)]
    event.remove(houses.engine, "before_cursor_execute", hear)
    assert [statement.split()[0] for statement in heard] == ["INSERT", "SELECT"]


def test_begin_does_not_wait_for_an_answer_of_its_own(houses: Database, tmp_path: Path) -> None:
    with houses.begin() as session:
        driver: Any = session.connection().connection.driver_connection
        trace = (tmp_path / "trace").open("wb")
        driver.pgconn.trace(trace.fileno())
        straight.execute(session, "SELECT 1", {})
        driver.pgconn.untrace()
    trace.close()
    directions = [line.split("\t")[1] for line in (tmp_path / "trace").read_text().splitlines() if "\t" in line]
    turns = [one for one, before in zip(directions, ["", *directions], strict=False) if one != before]
    assert turns == ["F", "B"]


_COUNT = "SELECT count(*) FROM house WHERE id > %(least)s"


@pytest.mark.anyio
@pytest.mark.parametrize("last", [False, True])
async def test_what_was_asked_ahead_is_at_hand_as_it_was_then_and_anything_else_is_asked_for(
    houses: Database,
    last: bool,  # noqa: FBT001
) -> None:
    with houses.begin() as session:
        straight.execute(session, ADD, {"id": 1})

    def reading(session: Session) -> list[Any]:
        straight.ahead(session, [(_COUNT, {"least": 0}), (_COUNT, {"least": 5})], last=last)
        with houses.begin() as other:
            straight.execute(other, ADD, {"id": 2})
        return [straight.rows(session, _COUNT, {"least": least}) for least in (0, 5, 1)]

    assert await houses.read_async(reading) == [[(1,)], [(0,)], [(1,)]]
    await houses.dispose_async()
    with houses.read() as session:
        straight.ahead(session, [(_COUNT, {"least": 0})], last=last)
        assert straight.rows(session, _COUNT, {"least": 0}) == [(2,)]
        with pytest.raises(InternalError, match="read-only"):
            straight.execute(session, ADD, {"id": 3})
