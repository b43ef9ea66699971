"""The few hot statements (lock, write, intake), straight on the driver's connection that SQLAlchemy's pool handed out.

The transaction, its end and its errors stay SQLAlchemy's: what the driver raises goes through its handler, which gives it
the same words, throws a broken connection away with its pool, and a connection whose request was cancelled too. Whoever
listens to an engine's statements (a test that counts them, a tracer) gets them as before, the longer way.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from sqlalchemy.util import await_

from wuye_loop.store import reach
from wuye_loop.store.pipelined_cursor import AsyncOneTripCursor, OneTripCursor, each

_AT_HAND = "asked ahead"  # where a session keeps it


class Answer(NamedTuple):
    """The rows of a statement, none for one that returns none, and how many it touched."""

    rows: list[tuple[Any, ...]]
    touched: int


def execute(session: Session, statement: str, params: Mapping[str, Any]) -> Answer:
    """Execute one statement in the session's transaction. Raises as SQLAlchemy does."""
    connection = session.connection()
    if connection.dispatch.before_cursor_execute or connection.dispatch.after_cursor_execute:
        result = connection.exec_driver_sql(statement, params)
        rows = [tuple(row) for row in result] if result.returns_rows else []
        return Answer(rows, result.rowcount)
    driver: Any = connection.connection.driver_connection
    with _sqlalchemys(connection, statement, params):
        if isinstance(driver, psycopg.AsyncConnection):
            return await_(_asked_async(AsyncOneTripCursor(driver), statement, params))
        return _asked(OneTripCursor(driver), statement, params)


def end(session: Session, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Execute the last statements of the session's transaction and end it: all of them and the end are one round trip.

    Nobody looks at what they touched: a statement that must not come to nothing has to fail by itself. Raises as
    SQLAlchemy does; then nothing of the transaction remains, or, where the connection broke, nobody knows.
    """
    connection = session.connection()
    if connection.dispatch.before_cursor_execute or connection.dispatch.after_cursor_execute:
        for statement, params in statements:
            connection.exec_driver_sql(statement, params)
        return  # its end follows by itself
    _one_trip(connection, statements, b"COMMIT")


Asked = tuple[str, Mapping[str, Any]]


def ahead(session: Session, asked: Sequence[Asked], *, last: bool = False) -> None:
    """Ask in one round trip what a reading session is going to ask anyway; `rows` then has the answers, as they were now.

    The `last` time the transaction ends with it. What is asked after all begins another, which reaches no further than the
    first. For sessions that write nothing. Raises as SQLAlchemy does.
    """
    connection = session.connection()
    if connection.dispatch.before_cursor_execute or connection.dispatch.after_cursor_execute:
        return  # each is asked for when its turn comes
    answers = _one_trip(connection, asked, b"ROLLBACK" if last else b"")
    if last:
        reach.ended_early(session)
    for one, answer in zip(asked, answers, strict=True):
        known(session, one, answer)


def known(session: Session, asked: Asked, answer: list[tuple[Any, ...]]) -> None:
    """Have an answer at hand."""
    session.info.setdefault(_AT_HAND, {}).setdefault(asked[0], []).append((asked[1], answer))


def rows(session: Session, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a reading statement: those at hand where it was asked ahead, else the database's."""
    at_hand: list[tuple[Mapping[str, Any], list[tuple[Any, ...]]]]
    at_hand = session.info.get(_AT_HAND, {}).get(statement, [])
    for asked, answer in at_hand:
        if asked == params:
            return answer
    return execute(session, statement, params).rows


def _one_trip(connection: Connection, asked: Sequence[Asked], last: bytes) -> list[list[tuple[Any, ...]]]:
    """Send statements and the last command at once; return the rows of each, none where it returns none."""
    driver: Any = connection.connection.driver_connection
    with _sqlalchemys(connection, *asked[0]):
        if isinstance(driver, psycopg.AsyncConnection):
            return await_(_one_trip_async(driver, asked, last))
        cursors = [psycopg.Cursor(driver) for _ in asked]
        with driver.lock:
            driver.wait(each(cursors, asked, psycopg.Cursor, last=last))
        return [cursor.fetchall() if _has_rows(cursor) else [] for cursor in cursors]


async def _one_trip_async(driver: Any, asked: Sequence[Asked], last: bytes) -> list[list[tuple[Any, ...]]]:
    cursors = [psycopg.AsyncCursor(driver) for _ in asked]
    async with driver.lock:
        await driver.wait(each(cursors, asked, psycopg.AsyncCursor, last=last))
    return [await cursor.fetchall() if _has_rows(cursor) else [] for cursor in cursors]


@contextmanager
def _sqlalchemys(connection: Connection, statement: str, params: Mapping[str, Any]) -> Iterator[None]:
    """Give what the driver raises SQLAlchemy's words, and let it throw away what is broken."""
    try:
        yield
    except BaseException as error:
        # Anything that is no Exception ends the request in the middle of an answer.
        if isinstance(error, psycopg.Error) or not isinstance(error, Exception):
            connection._handle_dbapi_exception(error, statement, params, None, None)  # noqa: SLF001 as it does itself
        raise


def _asked(cursor: OneTripCursor, statement: str, params: Mapping[str, Any]) -> Answer:
    cursor.execute(statement, params)
    return Answer(cursor.fetchall() if _has_rows(cursor) else [], cursor.rowcount)


async def _asked_async(cursor: AsyncOneTripCursor, statement: str, params: Mapping[str, Any]) -> Answer:
    await cursor.execute(statement, params)
    return Answer(await cursor.fetchall() if _has_rows(cursor) else [], cursor.rowcount)


def _has_rows(cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]) -> bool:
    return cursor.pgresult is not None and cursor.pgresult.status == ExecStatus.TUPLES_OK
