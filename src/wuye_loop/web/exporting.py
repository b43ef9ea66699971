"""A list of any length as a file: read a page at a time as its reader sees it, sent as it is drawn, held nowhere whole."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

import anyio.to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.types import Receive, Scope, Send

from wuye_loop.domain.errors import TooMany
from wuye_loop.edge.site import kept_of
from wuye_loop.web import language
from wuye_loop.web.rows import Kind, sheet_of
from wuye_loop.web.sheets import MEDIA, taken_away
from wuye_loop.web.visitors import Visit

MOST: Final = 50_000  # rows of one file
PAGE: Final = 200  # rows read at once: others are served between two pages
SECONDS: Final = 300  # after which a file ends where it is
PROGRESS: Final = "X-Progress"  # a script's wish to be told how far it is
TOTAL: Final = "X-Rows"

#: Returns rows of cells after a key, so many at most, and the key after which there are more; None where the list ends.
Draw = Callable[[Any, int, Session], tuple[Sequence[Sequence[Any]], Any]]
Read = Callable[[Callable[[Session], Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list to be had as a file: the file's name without an ending, its columns, its rows, how many, up to `MOST` + 1."""

    name: str
    columns: Sequence[str]
    draw: Draw
    count: Callable[[Session], int]


async def exported(request: Request, here: Visit, how: Kind, listing: Listing, read: Read | None = None) -> Response:
    """Return a list as a file that is sent while it is read; `read` instead of the visitor's own.

    Raises TooMany where this person has one on its way already (in this process), and what the first page raises.
    """
    reading = read or here.read
    on_the_way, who = _on_the_way(request), here.person.account.id
    if who in on_the_way:
        raise TooMany("您的上一份导出还没有取完，等它取完或停下再取", retry_after=5)
    on_the_way.add(who)
    try:
        total = await reading(listing.count)
        first = await reading(partial(listing.draw, None, min(PAGE, MOST)))
    except BaseException:
        on_the_way.discard(who)
        raise
    told = PROGRESS in request.headers
    headers = taken_away(listing.name, how)
    headers[TOTAL] = whole = str(total) if total <= MOST else f"{MOST}+"
    sending = _sent(reading, how, listing, first, whole, told=told)
    return _Leaving(
        sending, partial(on_the_way.discard, who), headers, "application/octet-stream" if told else MEDIA[how]
    )


class _Leaving(StreamingResponse):
    """An answer that says when it is over, sent, refused or broken off."""

    def __init__(
        self, content: AsyncIterator[bytes], over: Callable[[], None], headers: dict[str, str], media: str
    ) -> None:
        super().__init__(content, headers=headers, media_type=media)
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over()


def _on_the_way(request: Request) -> set[UUID]:
    """Return whose files are on their way in this process."""
    return kept_of(request, "exports", set[UUID])


async def _sent(read: Read, how: Kind, listing: Listing, first: Any, whole: str, *, told: bool) -> AsyncIterator[bytes]:
    """Yield the file; where it is told, each piece behind a line `rows bytes`, the last behind `rows bytes end`.

    Instead of `end` stands `most` or `late` where the file ends before the list does; its last row says so in words. No such
    line: it broke off.
    """
    clock = asyncio.get_running_loop()
    until = clock.time() + SECONDS
    sheet = sheet_of(how)
    columns = [language.say(column) for column in listing.columns]
    (rows, after), done = first, 0
    piece = await anyio.to_thread.run_sync(sheet.begin, columns, rows)
    while True:
        done += len(rows)
        piece += await anyio.to_thread.run_sync(sheet.more, rows)
        if after is None or done >= MOST or clock.time() > until:
            break
        yield _framed(piece, str(done), told=told)
        rows, after = await read(partial(listing.draw, after, min(PAGE, MOST - done)))
        piece = b""
    why = "end" if after is None else "most" if done >= MOST else "late"
    if why != "end":
        piece += await anyio.to_thread.run_sync(sheet.more, [_short(why, done, whole, len(columns))])
    piece += await anyio.to_thread.run_sync(sheet.end)
    yield _framed(piece, str(done), why, told=told)


def _short(why: str, done: int, whole: str, width: int) -> list[str | None]:
    """Return the row that says why a file ends before its list."""
    if why == "most":
        words = language.say("只取了前 {n} 行，后面还有：一份最多这么多，请缩小条件，分几次取", n=done)
    else:
        words = language.say("只取了前 {n} 行，共 {m} 行：时间到了，请缩小条件，分几次取", n=done, m=whole)
    return [words, *[None] * (width - 1)]


def _framed(piece: bytes, rows: str, why: str = "", *, told: bool) -> bytes:
    return f"{rows} {len(piece)} {why}".rstrip().encode() + b"\n" + piece if told else piece
