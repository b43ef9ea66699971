"""Who is calling: the key in the Authorization header, looked up by its digest and kept for a moment."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import structlog
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, Unauthenticated
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access.api_keys import digest, well_formed
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.site import Site
from wuye_loop.edge.transact import read
from wuye_loop.store.keys import api_keys, last_use
from wuye_loop.store.keys.posts import posts_of

if TYPE_CHECKING:
    from uuid import UUID

#: A revoked key stops working within this time; a look-up for every request would be a round trip for every request.
KEPT_SECONDS = 1.0
_MOST_KEPT = 4096

#: The scheme as OpenAPI names it; the header itself is read by `caller`, one dependency instead of two.
SCHEME = {"ApiKey": {"type": "http", "scheme": "bearer", "description": "wuye-loop key create 发放的密钥：wyl_live_…"}}
_BEARER = "bearer "
_log = structlog.get_logger("wuye_loop.keys")


class Callers:
    """The callers of this process's last second, by the digest of their key."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[float, Actor]] = {}
        self._noted: dict[UUID, float] = {}
        self._known: set[bytes] = set()  # were somebody's when last looked up
        self._asked: dict[bytes, asyncio.Task[Actor]] = {}  # look-ups under way

    def kept(self, key: str) -> Actor | None:
        """Return whose key this is if that was found out a moment ago."""
        kept = self._kept.get(digest(key)) if well_formed(key) else None
        return kept[1] if kept is not None and monotonic() < kept[0] else None

    def known(self, key: str) -> bool:
        """Say whether this was somebody's key when it was last looked up."""
        return well_formed(key) and digest(key) in self._known

    async def find(self, site: Site, key: str) -> Actor:
        """Return whose key this is; who asks while the same key is being looked up gets the same answer.

        Raises Unauthenticated, the same for a malformed, unknown, expired or revoked one.
        """
        if not well_formed(key):
            raise Unauthenticated
        hashed = digest(key)
        asked = self._asked.get(hashed)
        if asked is None:
            asked = self._asked[hashed] = asyncio.create_task(self._find(site, hashed))
            asked.add_done_callback(partial(self._answered, hashed))
        found = await asyncio.shield(asked)  # whoever hangs up ends nobody else's look-up
        await self._note(site, found)
        return found

    def _answered(self, hashed: bytes, asked: asyncio.Task[Actor]) -> None:
        self._asked.pop(hashed, None)
        if not asked.cancelled():
            asked.exception()  # looked at here, too: everybody who waited for it may have hung up

    async def _find(self, site: Site, hashed: bytes) -> Actor:
        found = await read(site, partial(_find, site, hashed))
        if found is None:
            self._kept.pop(hashed, None)
            self._known.discard(hashed)
            raise Unauthenticated
        if len(self._known) >= _MOST_KEPT:
            self._kept.clear()
            self._known.clear()
        self._known.add(hashed)
        self._kept[hashed] = (monotonic() + KEPT_SECONDS, found)
        return found

    async def _note(self, site: Site, actor: Actor) -> None:
        """Write down that the key is used, once a minute; a note that fails stops nobody's work."""
        if actor.key_id is None or monotonic() < self._noted.get(actor.key_id, 0.0):
            return
        if len(self._noted) >= _MOST_KEPT:
            self._noted.clear()
        self._noted[actor.key_id] = monotonic() + last_use.EVERY_SECONDS
        work = partial(last_use.note, key_id=actor.key_id, now=site.loop.clock.now())
        try:
            await site.database.write_async(work)
        except SQLAlchemyError as error:
            _log.warning("use_not_noted", key_id=str(actor.key_id), exc_info=error)


def _find(site: Site, hashed: bytes, session: Session) -> Actor | None:
    row = api_keys.find(session, hashed, site.loop.clock.now())
    if row is None:
        return None
    return replace(api_keys.actor_of(row), posts=posts_of(session, row.unit_code, row.holder))


def bearer(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the key that a request shows, whatever it is worth; None for no key."""
    for name, value in headers:
        if name == b"authorization":
            text = value.decode("latin-1")
            return text[len(_BEARER) :].strip() if text.lower().startswith(_BEARER) else None
    return None


async def holder(request: Request) -> Actor:
    """Return whose key a request carries, of whatever role, as `edge.rates` looked it up; log lines name the key from here on.

    Raises Unauthenticated, or what the look-up raised.
    """
    error = getattr(request.state, "caller_error", None)
    if error is not None:
        raise error
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        raise Unauthenticated
    structlog.contextvars.bind_contextvars(key_id=str(actor.key_id))
    return actor


async def caller(request: Request) -> Actor:
    """Return the caller of a door that shows grievances: whoever keeps the keys has no business there."""
    actor = await holder(request)
    if actor.kind is ActorKind.SECURITY:
        raise Forbidden("安全管理员只管密钥，不看也不办诉求")
    return actor


Holder = Annotated[Actor, Depends(holder)]
Caller = Annotated[Actor, Depends(caller)]


def only(*kinds: ActorKind) -> Callable[[Actor], Awaitable[Actor]]:
    """Return a dependency: the caller, whose key must be of one of these kinds."""

    async def checked(actor: Holder) -> Actor:
        if actor.kind not in kinds:
            raise Forbidden("这把密钥的角色不能使用这个接口")
        return actor

    return checked
