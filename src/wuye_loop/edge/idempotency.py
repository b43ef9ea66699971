"""Idempotency-Key and If-Match: what makes a repeated request harmless and a stale one visible."""

from typing import Annotated

import orjson
from fastapi import Header, Request

from wuye_loop.domain.errors import BadRequest
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.edge.site import site_of
from wuye_loop.loop.engine import Terms
from wuye_loop.store.grievance.locking import Ticket

LONGEST_KEY = 255  # characters
LONGEST_MATCH = 24

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=LONGEST_KEY,
        description="同一个键的重复请求得到第一次的答复，保留 30 天；换了内容则 409",
    ),
]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=LONGEST_MATCH, description='期望的 seq,如 "3";已变化则 412')
]


async def ticket_of(request: Request, actor: Actor, key: str | None) -> Ticket | None:
    """Return the ticket of a request that carries an Idempotency-Key.

    The digest is keyed: without the key nobody can try phone numbers against it.
    """
    if key is None or actor.key_id is None:
        return None
    if not key.isascii() or not key.isprintable() or not key.strip():
        raise BadRequest("Idempotency-Key 要用 1 到 255 个可打印的 ASCII 字符")
    body = b"ticket\x00" + await _asked(request)
    return Ticket.of(actor.key_id, route_of(request), key, body, site_of(request).loop.keyring.index)


def route_of(request: Request) -> str:
    """Return what a ticket is for: the method and the address, cut where nobody's address is as long."""
    return f"{request.method} {request.url.path}"[:300]


async def _asked(request: Request) -> bytes:
    """Return what is asked for: JSON without its order and spacing, anything else byte for byte."""
    body = await request.body()
    if not body or not request.headers.get("content-type", "").lower().startswith("application/json"):
        return body
    return orjson.dumps(await request.json(), option=orjson.OPT_SORT_KEYS)


async def terms_of(request: Request, actor: Actor, key: str | None, if_match: str | None) -> Terms:
    """Return on which terms a request acts: what its Idempotency-Key and its If-Match say. Raises BadRequest."""
    seq = seq_of(if_match)
    return Terms(seq, await ticket_of(request, actor, key))


def seq_of(if_match: str | None) -> int | None:
    """Return the seq that a caller expects.

    Raises BadRequest for anything but a quoted or bare number.
    """
    if if_match is None:
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit()):
        raise BadRequest('If-Match 要写成带引号的 seq,如 "3"')
    return int(text)
