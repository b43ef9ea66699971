"""Cursors that send BEGIN together with a transaction's first statement: one round trip less in every transaction.

psycopg sends BEGIN by itself and waits for its answer, in a pipeline of its own making too. Here all of it is queued, sent
at once and waited for once. A step is then three round trips: lock and read, write, commit. In a pipeline a statement is
one command: several in one text are refused.

What a reader's transaction is to put on (store/reach) travels the same way, between the two; so does how it is planned.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from psycopg import AsyncCursor, Cursor
from psycopg._pipeline_base import BasePipeline
from psycopg.adapt import Transformer
from psycopg.errors import _NO_TRACEBACK
from psycopg.generators import send
from psycopg.pq import TransactionStatus

Params = Sequence[Any] | Mapping[str, Any] | None


def _begins(connection: Any) -> bool:
    return connection.info.transaction_status == TransactionStatus.IDLE and not connection.autocommit


# A list is planned for what is asked each time: a plan that serves a quiet estate reads a whole district to its end. The
# server would keep one for all after five of a kind.
_FOR_WHAT_IS_ASKED = b"SET LOCAL plan_cache_mode = force_custom_plan"
_PUT_ON = "SELECT set_config('role', %s, true), set_config('wuye.reach', %s, true)"


def _to_put_on(connection: Any) -> tuple[str, str] | None:
    """Return, once, the lesser account and the reach that the transaction about to begin is to have."""
    found: tuple[str, str] | None = connection.__dict__.pop("put_on", None)
    return found


def _opening(connection: Any, plain: Any) -> Iterator[Any]:
    """Queue what begins a transaction."""
    yield from connection._exec_command(connection._get_tx_start_command())  # noqa: SLF001 as above
    if connection.read_only:
        yield from connection._exec_command(_FOR_WHAT_IS_ASKED)  # noqa: SLF001 as above
    if (put_on := _to_put_on(connection)) is not None:
        first = plain(connection)
        yield from first._maybe_prepare_gen(_asked(first, _PUT_ON, put_on))  # noqa: SLF001 as above


def each(
    cursors: Sequence[Any], statements: Sequence[tuple[Any, Params]], plain: Any, *, last: bytes = b"", **options: Any
) -> Iterator[Any]:
    """Send statements at once, with what begins a transaction where none has begun, and the `last` command; wait for all answers.

    Each answer is its cursor's. Where a statement is refused, those after it and the last are not carried out: the server
    skips what is left. The connection, which is that of all cursors, is locked.
    """
    connection = cursors[0]._conn  # noqa: SLF001 psycopg's parts are put together otherwise than it does
    connection._check_connection_ok()  # noqa: SLF001 as above
    # Before anything is sent: it may refuse.
    asked = [_asked(cursor, *statement) for cursor, statement in zip(cursors, statements, strict=True)]

    def queued() -> Iterator[Any]:
        if _begins(connection):
            yield from _opening(connection, plain)
        for cursor, query in zip(cursors, asked, strict=True):
            yield from cursor._maybe_prepare_gen(query, **options)  # noqa: SLF001 as above
        if last:
            yield from connection._exec_command(last)  # noqa: SLF001 as above

    yield from _in_one_trip(connection, queued())
    for cursor, (query, _) in zip(cursors, statements, strict=True):
        cursor._last_query = query  # noqa: SLF001 as above
    yield from connection._prepared.maintain_gen(connection)  # noqa: SLF001 as above


def _in_one_trip(connection: Any, queued: Iterator[Any]) -> Iterator[Any]:
    """Queue commands, send them at once, wait for all their answers.

    A generator as psycopg drives them, of its own parts: it wakes once where the driver's pipeline wakes five times.
    """
    pipeline = connection._pipeline = BasePipeline(connection)  # noqa: SLF001 as above
    fault: BaseException | None = None
    try:
        yield from pipeline._enter_gen()  # noqa: SLF001 as above
        yield from queued
        pipeline._enqueue_sync()  # noqa: SLF001 as above
        while pipeline.command_queue:
            pipeline.command_queue.popleft()()
        yield from send(connection.pgconn)
        yield from pipeline._fetch_gen(flush=False)  # noqa: SLF001 as above
    except BaseException as error:
        fault = error
        raise
    finally:
        pipeline.level = 1
        pipeline._exit(fault)  # noqa: SLF001 as above
        connection._pipeline = None  # noqa: SLF001 as above


def _asked(cursor: Any, query: Any, params: Params) -> Any:
    cursor._reset()  # noqa: SLF001 as above
    cursor._last_query, cursor._tx = None, Transformer(cursor)  # noqa: SLF001 as above
    return cursor._convert_query(query, params)  # noqa: SLF001 as above


class OneTripCursor(Cursor[Any]):
    """For plain code."""

    def execute(self, query: Any, params: Params = None, **options: Any) -> Self:
        """Execute; the first statement of a transaction takes BEGIN along."""
        if not _begins(self.connection):
            return super().execute(query, params, **options)
        try:
            with self._conn.lock:
                self._conn.wait(each([self], [(query, params)], Cursor, **options))  # type: ignore[arg-type]
        except _NO_TRACEBACK as error:
            raise error.with_traceback(None) from None
        return self


class AsyncOneTripCursor(AsyncCursor[Any]):
    """For async code."""

    async def execute(self, query: Any, params: Params = None, **options: Any) -> Self:
        """Execute; the first statement of a transaction takes BEGIN along."""
        if not _begins(self.connection):
            return await super().execute(query, params, **options)
        try:
            async with self._conn.lock:
                await self._conn.wait(each([self], [(query, params)], AsyncCursor, **options))  # type: ignore[arg-type]
        except _NO_TRACEBACK as error:
            raise error.with_traceback(None) from None
        return self
