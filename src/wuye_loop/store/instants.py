"""Instants that no datetime holds: one that somebody wrote into a row must not make a whole list unreadable."""

from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from wuye_loop.domain.time.timestamps import as_text

#: What stands for `infinity` and for any instant before or after what a datetime holds; a day from the end, for zones.
FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)
_TIMESTAMPTZ: Final = psycopg.postgres.types["timestamptz"].oid


class AnyInstant(Loader):
    """Reads a timestamptz as psycopg does, and one that it refuses as the first or the last instant there is."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        whole: Any = psycopg.adapters.get_loader(_TIMESTAMPTZ, Format.TEXT)
        self._load = whole(oid, context).load

    def load(self, data: Buffer) -> datetime:
        """Return the instant that a text says."""
        try:
            found: datetime = self._load(data)
        except psycopg.DataError:
            text = bytes(data)
            return FIRST if text.startswith(b"-") or text.endswith(b"BC") else LAST
        return found


def read_any(dbapi_connection: Any, _: object) -> None:
    """Let a new connection read any instant; a listener of an engine's `connect`."""
    dbapi_connection.adapters.register_loader("timestamptz", AnyInstant)


def text_of(sent: str) -> str:
    """Return, as a ledger writes it, the instant that the server sent as text."""
    if sent[-3:] == "+00" and sent[4] == "-":
        return f"{sent[:10]}T{sent[11:19]}.{sent[20:-3]:0<6}Z"
    try:
        return as_text(datetime.fromisoformat(sent))  # a pooler in between may not pass on that a session is in UTC
    except (ValueError, OverflowError):
        return as_text(FIRST if sent.startswith("-") or sent.endswith("BC") else LAST)
