"""Cursors that send BEGIN together with a transaction's first statement: one round trip less in every transaction.

psycopg sends BEGIN by itself and waits for its answer; in a pipeline both travel at once. A step is then three round
trips: lock and read, write, commit. In a pipeline a statement is one command: several in one text are refused.

What a reader's transaction is to put on (store/reach) travels the same way, between the two.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from psycopg import AsyncCursor, Cursor
from psycopg.pq import TransactionStatus

Params = Sequence[Any] | Mapping[str, Any] | None


def _begins(connection: Any) -> bool:
    return connection.info.transaction_status == TransactionStatus.IDLE and not connection.autocommit


_PUT_ON = "SELECT set_config('role', %s, true), set_config('wuye.reach', %s, true)"


def _to_put_on(connection: Any) -> tuple[str, str] | None:
    """Return, once, the lesser account and the reach that the transaction about to begin is to have."""
    found: tuple[str, str] | None = connection.__dict__.pop("put_on", None)
    return found


class OneTripCursor(Cursor[Any]):
    """For plain code."""

    def execute(self, query: Any, params: Params = None, **options: Any) -> Self:
        """Execute; the first statement of a transaction takes BEGIN along."""
        if not _begins(self.connection):
            return super().execute(query, params, **options)
        with self.connection.pipeline():
            if (put_on := _to_put_on(self.connection)) is not None:
                Cursor(self.connection).execute(_PUT_ON, put_on)
            super().execute(query, params, **options)
        return self


class AsyncOneTripCursor(AsyncCursor[Any]):
    """For async code."""

    async def execute(self, query: Any, params: Params = None, **options: Any) -> Self:
        """Execute; the first statement of a transaction takes BEGIN along."""
        if not _begins(self.connection):
            return await super().execute(query, params, **options)
        async with self.connection.pipeline():
            if (put_on := _to_put_on(self.connection)) is not None:
                await AsyncCursor(self.connection).execute(_PUT_ON, put_on)
            await super().execute(query, params, **options)
        return self
