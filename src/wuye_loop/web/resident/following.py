"""办理进度 as residents look at it in a crowd: read for all who ask at the same moment, in one transaction under one fence.

All of them look as the complainant of what was filed on residents' pages, so the database lets each see the same; a page is
made for each of its own number, and of nothing else.
"""

from asyncio import sleep
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from wuye_loop.domain.errors import Unavailable, WuyeError
from wuye_loop.edge.database_faults import fault
from wuye_loop.edge.site import Site
from wuye_loop.edge.transact import read
from wuye_loop.loop.engine import Looked
from wuye_loop.queries.looking import looked_ahead
from wuye_loop.store.database import in_turn, of_the_crowd
from wuye_loop.store.gathering import Gathering
from wuye_loop.store.turns import Turns
from wuye_loop.web import language
from wuye_loop.web.language import Tongue
from wuye_loop.web.resident.looks import resident

_log = structlog.get_logger("wuye_loop.progress")
_TOGETHER: Final = 32  # pages that are read together
_AT_ONCE: Final = 1  # what is being filed goes before
_NAME: Final = "progress"  # by which these readings take their turn among the crowd's addresses
#: Makes what one page shows of a number that was looked at.
Make = Callable[[Session, str, Looked], dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One visitor's asking, and the language of the page."""

    number: str
    tongue: Tongue


class Following:
    """What pages of progress show, read in groups; of one event loop."""

    def __init__(self, site: Site, make: Make) -> None:
        self._site, self._make = site, make
        self._places = Turns(2 * _TOGETHER)
        self._gathering: Gathering[_Asked, dict[str, Any] | Exception] = Gathering(
            self._read, lambda one: one, _TOGETHER, _AT_ONCE, _AT_ONCE, 0.0
        )

    async def shown(self, number: str) -> dict[str, Any]:
        """Return what the page of a number shows to who filed it on a resident's page. Raises what reading it raises."""
        async with in_turn(self._places, of_the_crowd.get() or ""):
            found = await self._gathering.add(_Asked(number, language.present()))
        if isinstance(found, Exception):
            raise found
        return found

    async def _read(self, every: Sequence[_Asked]) -> Sequence[dict[str, Any] | Exception]:
        of_the_crowd.set(_NAME)  # a group is nobody's
        try:
            return await self._together(every)
        except Exception as error:
            if len(every) == 1 or _is_away(error):
                raise
            _log.info("read_one_by_one", many=len(every), error=type(error).__name__)
        return [await self._alone(one) for one in every]

    async def _together(self, every: Sequence[_Asked]) -> list[dict[str, Any] | Exception]:
        return await read(self._site, partial(self._made, every), reader=resident())

    async def _alone(self, one: _Asked) -> dict[str, Any] | Exception:
        """Read one by itself: another's record may be what the reading stumbled over. Raises where the database is away."""
        try:
            (found,) = await self._together([one])
        except Exception as error:
            if _is_away(error):
                raise
            return error
        return found

    def _made(self, every: Sequence[_Asked], session: Session) -> list[dict[str, Any] | Exception]:
        looks = looked_ahead(self._site.loop, session, [one.number for one in every], resident())
        made: list[dict[str, Any] | Exception] = []
        for one, looked in zip(every, looks, strict=True):
            if isinstance(looked, WuyeError):
                made.append(looked)
                continue
            language.speak(one.tongue)
            try:
                made.append(self._make(session, one.number, looked))
            except SQLAlchemyError:
                raise
            except Exception as error:  # noqa: BLE001 it is raised where this one is waited for; the others go on
                made.append(error)
            await_only(sleep(0))  # others are served meanwhile
        return made


def _is_away(error: Exception) -> bool:
    """Say whether the database is not to be had: each would wait for it in vain, one after another, and all behind them."""
    return isinstance(fault(error), Unavailable)
