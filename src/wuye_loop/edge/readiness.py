"""May requests be sent here? Only where a write would be kept, and stamped with the right time."""

import asyncio
from time import monotonic
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Unavailable, WuyeError
from wuye_loop.edge.site import Site, wants_room
from wuye_loop.loop import clock_check
from wuye_loop.store import housekeeping

KEPT_SECONDS: Final = 1.0  # whoever asks oftener, with no key, costs the database nothing
_FORGIVEN_SECONDS: Final = 30.0


class Readiness:
    """Tries a write and compares the clocks when it is asked, at most once a second."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._turn = asyncio.Lock()
        self._tried = 0.0
        self._found: WuyeError | None = None

    async def check(self) -> None:
        """Return where requests may be sent here.

        Raises Unavailable where the database takes no writes, or the last of a request failed for want of room; ClockOff.
        """
        async with self._turn:
            if not self._tried or monotonic() - self._tried >= KEPT_SECONDS:
                self._found = None
                self._tried = 0.0  # what is raised below is not kept
                self._found = await self._try()
                self._tried = monotonic()
        if self._found is not None:
            raise self._found

    async def _try(self) -> WuyeError | None:
        if self._site.writes.failing(_FORGIVEN_SECONDS):
            return Unavailable("数据库写不进去（磁盘满了，或写磁盘出错），请看数据库的日志")
        try:
            await self._site.database.write_async(self._write)
        except WuyeError as error:
            return error
        except DBAPIError as error:
            if wants_room(error):
                return Unavailable("数据库写不进去（磁盘满了，或写磁盘出错），请看数据库的日志")
            raise
        return None

    def _write(self, session: Session) -> None:
        loop = self._site.loop
        before = loop.clock.now()
        wrote = housekeeping.try_writing(session)
        if not wrote.writable:
            raise Unavailable("数据库现在只读，写不进去")
        clock_check.require(loop, before, wrote.at)
