"""Connections within bounds, on a real server over loopback; bounds are small here, so that nobody waits for them."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from tests.site import logging_to_memory

from wuye_loop.edge import connections, problems
from wuye_loop.settings import Settings
from wuye_loop.web import routes

pytestmark = pytest.mark.anyio
MINE: ContextVar[str] = ContextVar("mine", default="nobody's")
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def hello() -> str:
        return "hello"

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1)
        return "late"

    @app.get("/mine")
    async def mine() -> str:
        before = MINE.get()
        MINE.set("somebody's")
        return before

    @app.get("/large")
    async def large() -> Response:
        return Response(bytes(64 * 2**20))

    @app.post("/")
    async def swallow(request: Request) -> int:
        return len(await request.body())

    problems.install(app)
    app.state.site = SimpleNamespace(settings=SimpleNamespace(workflows=()))
    routes.install(app)
    return app


@asynccontextmanager
async def serving(tmp_path: Path, **bounds: Any) -> AsyncIterator[int]:
    """Serve with these bounds and give the port."""
    server = connections.server(application(), Settings(data=tmp_path, **bounds))
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    door = socket.create_server(("127.0.0.1", 0), backlog=512)
    await server.startup(sockets=[door])
    try:
        yield door.getsockname()[1]
    finally:
        for one in list(server.server_state.connections):
            one.transport.abort()
        await server.shutdown(sockets=[door])


async def opened(port: int, first: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    await writer.drain()
    return reader, writer


async def asked(port: int, request: bytes = GET) -> bytes:
    """Ask on a connection of its own and return all that comes, to its end."""
    reader, writer = await opened(port, request.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""


def problem(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    said = json.loads(body)
    assert b"application/problem+json" in head
    assert b"connection: close" in head.lower()
    assert int(head.split()[1]) == said["status"]
    return said["status"], said["type"]


async def test_a_head_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    async with serving(tmp_path, header_seconds=0.2) as port:
        reader, writer = await opened(port, b"GET / HTTP/1.1\r\nHost")
        silent, other = await opened(port)
        assert problem(await ended(reader)) == (408, "/problems/slow-request")
        assert await ended(silent) == b""
        for one in (writer, other):
            one.close()
        assert b"hello" in await asked(port)


async def test_a_head_that_comes_letter_by_letter_has_no_more_time(tmp_path: Path) -> None:
    async with serving(tmp_path, header_seconds=0.3) as port:
        reader, writer = await opened(port, b"GET / HTTP/1.1\r\nHost: x\r\n")
        ending = asyncio.create_task(ended(reader))
        while not ending.done():
            writer.write(b"a")
            await asyncio.sleep(0.02)
        assert problem(ending.result()) == (408, "/problems/slow-request")
        writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    async with serving(tmp_path, body_seconds=0.3) as port:
        reader, writer = await opened(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
        assert problem(await ended(reader)) == (408, "/problems/slow-request")
        writer.close()
        # Nor is one that nobody has asked to see: the answer is there, the connection goes.
        reader, writer = await opened(port, b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
        assert (await ended(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_connection_that_asks_nothing_more_goes_and_one_that_asks_stays(tmp_path: Path) -> None:
    async with serving(tmp_path, idle_seconds=0.5, header_seconds=0.5) as port:
        reader, writer = await opened(port)
        for _ in range(8):
            await asyncio.sleep(0.1)
            writer.write(GET)
            assert (await reader.readuntil(b'"hello"')).startswith(b"HTTP/1.1 200")
        assert await ended(reader) == b""
        writer.close()


async def test_an_answer_may_take_its_time(tmp_path: Path) -> None:
    async with serving(tmp_path, idle_seconds=0.2, header_seconds=0.2, body_seconds=0.2) as port:
        assert b"late" in await asked(port, GET.replace(b"/ ", b"/slow "))


async def test_a_client_that_takes_no_answer_goes(tmp_path: Path) -> None:
    async with serving(tmp_path, body_seconds=0.5) as port:
        reader, writer = await opened(port, GET.replace(b"/ ", b"/large "))
        await asyncio.sleep(1.5)
        assert len(await ended(reader)) < 64 * 2**20
        writer.close()


async def test_a_head_has_a_bound_before_it_is_whole(tmp_path: Path) -> None:
    async with serving(tmp_path, header_limit=8192) as port:
        reader, writer = await opened(port, b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
        ending = asyncio.create_task(ended(reader))
        sent = 0
        while not ending.done() and sent < 2**26:
            writer.write(b"x" * 4096)
            sent += 4096
            await asyncio.sleep(0)
        assert problem(await ending) == (431, "/problems/headers-too-large")
        assert sent < 2**22
        writer.close()


@pytest.mark.parametrize("piece", [b"1;" + b"x" * 4000 + b"\r\nx\r\n", b"0\r\nA: " + b"x" * 4000])
async def test_what_stands_around_a_body_has_a_bound_too(tmp_path: Path, piece: bytes) -> None:
    async with serving(tmp_path) as port:
        start = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        reader, writer = await opened(port, start + piece)
        ending = asyncio.create_task(ended(reader))
        sent, more = 0, piece if piece.startswith(b"1") else b"x" * 4000
        while not ending.done() and sent < 2**27:
            try:
                writer.write(more * 16)
                await writer.drain()
            except ConnectionError:
                break
            sent += len(more) * 16
            await asyncio.sleep(0)
        await ending
        assert sent < 2**23
        writer.close()


async def test_small_chunks_are_no_offence(tmp_path: Path) -> None:
    async with serving(tmp_path) as port:
        chunks = b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"
        answer = await asked(port, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert answer.endswith(b"100000")


async def test_what_is_no_http_is_told_so_in_words(tmp_path: Path) -> None:
    async with serving(tmp_path) as port:
        for sent in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost x\r\n\r\n"):
            reader, writer = await opened(port, sent)
            assert problem(await ended(reader)) == (400, "/problems/bad-request"), sent
            writer.close()


async def test_requests_sent_ahead_have_a_bound(tmp_path: Path) -> None:
    async with serving(tmp_path) as port:
        reader, writer = await opened(port, GET * 10)
        for _ in range(10):
            await reader.readuntil(b'"hello"')
        writer.write(GET.replace(b"/ ", b"/slow ") + GET * 5000)
        assert (await ended(reader)).count(b'"hello"') < 5000
        writer.close()


async def test_what_one_request_says_of_itself_is_not_said_of_the_next_on_its_connection(tmp_path: Path) -> None:
    asks = GET.replace(b"/ ", b"/mine ")
    async with serving(tmp_path) as port:
        # sent ahead: a proxy has other people's requests on the connection of a resident's
        reader, writer = await opened(port, asks + asks.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        answers = await asyncio.wait_for(reader.read(), 20)
        writer.close()
    assert answers.count(b"nobody's") == 2


async def test_when_all_are_taken_who_asks_nothing_makes_room(tmp_path: Path) -> None:
    async with serving(tmp_path, connections=20) as port:
        with logging_to_memory() as log:
            half_open = [await opened(port, b"GET / HTT") for _ in range(60)]
            for _ in range(5):
                assert b"hello" in await asked(port)
            await asyncio.sleep(0.05)
        assert "connections_full" in log.getvalue()
        assert "127.0.0.1" in log.getvalue()
        gone = [reader for reader, _ in half_open if reader.at_eof() or reader.exception()]
        assert len(gone) >= 40
        for _, writer in half_open:
            writer.close()


async def test_who_is_being_answered_stays_and_the_next_is_told_to_come_again(tmp_path: Path) -> None:
    async with serving(tmp_path, connections=5) as port:
        busy = [
            await opened(port, GET.replace(b"/ ", b"/slow ").replace(b"Host: x", b"Host: x\r\nConnection: close"))
            for _ in range(5)
        ]
        await asyncio.sleep(0.1)
        reader, writer = await opened(port)
        assert problem(await ended(reader)) == (503, "/problems/unavailable")
        writer.close()
        for one, other in busy:
            assert b"late" in await ended(one)
            other.close()
        assert b"hello" in await asked(port)


BROWSER = b"Host: x\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"


def page(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"text/html; charset=utf-8" in head
    assert b"connection: close" in head.lower()
    assert b"default-src 'none'" in head
    assert f"content-length: {len(body)}".encode() in head.lower()
    return int(head.split()[1]), body.decode()


async def test_a_browser_that_is_refused_before_its_request_was_read_is_told_on_a_page(tmp_path: Path) -> None:
    async with serving(tmp_path, header_limit=8192, header_seconds=0.5) as port:
        status, text = page(await asked(port, b"GET /r HTTP/1.1\r\n" + BROWSER + b"Cookie: x=" + b"y" * 20_000))
        assert (status, "浏览器带来的内容太多" in text, 'lang="zh-CN"' in text, "12345" in text) == (
            431,
            True,
            True,
            True,
        )
        english = b"GET /r HTTP/1.1\r\n" + BROWSER + b"Accept-Language: en\r\nDNT: 1\r\n"
        status, text = page(await asked(port, english + b"no header at all\r\n\r\n"))
        assert (status, "The request is not valid HTTP" in text, 'lang="en"' in text) == (400, True, True)
        status, text = page(await asked(port, english + b"X-Slow: "))
        assert (status, "The request came too slowly" in text) == (408, True)
        for head in (
            b"GET /v1/grievances HTTP/1.1\r\n" + BROWSER,
            b"GET /r HTTP/1.1\r\nHost: x\r\nAccept: application/json, text/html;q=0.5\r\n",
            b"GET /r HTTP/1.1\r\nHost: x\r\n",
        ):
            assert problem(await asked(port, head + b"no header at all\r\n\r\n"))[0] == 400


async def test_a_browser_that_is_turned_away_is_told_on_a_page(tmp_path: Path) -> None:
    async with serving(tmp_path, connections=2) as port:
        slow = GET.replace(b"/ ", b"/slow ").replace(b"Host: x", b"Host: x\r\nConnection: close")
        busy = [await opened(port, slow) for _ in range(2)]
        await asyncio.sleep(0.1)
        status, text = page(await asked(port, b"GET /r HTTP/1.1\r\n" + BROWSER + b"\r\n"))
        assert (status, "连接太多，请稍后重试" in text) == (503, True)
        for one, other in busy:
            assert b"late" in await ended(one)
            other.close()
