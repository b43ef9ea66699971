"""Who is calling: the key in the Authorization header, looked up by its digest and kept for a moment."""

from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, Unauthenticated
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.api_keys import digest, well_formed
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.transact import read
from wuye_loop.store.keys import api_keys

#: A revoked key stops working within this time; a look-up for every request would be a round trip for every request.
KEPT_SECONDS = 1.0
_MOST_KEPT = 4096

#: The scheme as OpenAPI names it; the header itself is read by `caller`, one dependency instead of two.
SCHEME = {"ApiKey": {"type": "http", "scheme": "bearer", "description": "wuye-loop key create 发放的密钥：wyl_live_…"}}
_BEARER = "bearer "


class Callers:
    """The callers of this process's last second, by the digest of their key."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[float, Actor]] = {}

    async def find(self, site: Site, key: str) -> Actor:
        """Return whose key this is.

        Raises Unauthenticated, the same for a malformed, unknown, expired or revoked one.
        """
        if not well_formed(key):
            raise Unauthenticated
        hashed = digest(key)
        kept = self._kept.get(hashed)
        if kept is not None and monotonic() < kept[0]:
            return kept[1]
        found = await read(site, partial(_find, site, hashed))
        if found is None:
            self._kept.pop(hashed, None)
            raise Unauthenticated
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[hashed] = (monotonic() + KEPT_SECONDS, found)
        return found


def _find(site: Site, hashed: bytes, session: Session) -> Actor | None:
    row = api_keys.find(session, hashed, site.loop.clock.now())
    return api_keys.actor_of(row) if row is not None else None


async def caller(request: Request) -> Actor:
    """Return the caller of a request."""
    header = request.headers.get("Authorization", "")
    if not header.lower().startswith(_BEARER):
        raise Unauthenticated
    callers: Callers = request.app.state.callers
    actor = await callers.find(site_of(request), header[len(_BEARER) :].strip())
    request.state.key_id = str(actor.key_id)
    return actor


Caller = Annotated[Actor, Depends(caller)]


def only(*kinds: ActorKind) -> Callable[[Actor], Awaitable[Actor]]:
    """Return a dependency: the caller, whose key must be of one of these kinds."""

    async def checked(actor: Caller) -> Actor:
        if actor.kind not in kinds:
            raise Forbidden("这把密钥的角色不能使用这个接口")
        return actor

    return checked
