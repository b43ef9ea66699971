"""Connections within bounds: how many, how large a head, how slow a head, a body, a reader; and who goes when all are taken.

uvicorn bounds none of these for the parser that it is used with here, so its protocol is derived from. The times are kept
in queues by what a connection does, looked at once a second: a request costs two moves between queues and no timer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import structlog
import uvicorn

from wuye_loop import metrics
from wuye_loop.domain.errors import BadRequest, HeadersTooLarge, SlowRequest, Unavailable, WuyeError
from wuye_loop.edge.problems import MEDIA_TYPE, document
from wuye_loop.settings import Settings

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
except (
    ImportError
):  # a system that httptools is not built for: uvicorn's slower parser bounds the head, nothing bounds time
    HttpToolsProtocol = None  # type: ignore[assignment, misc]

_log = structlog.get_logger("wuye_loop.connections")
_LEAVING_SECONDS = 5.0  # for a client to take the rest of its last answer
_CHUNK = 256 * 1024  # the most that comes in one piece
_MOST_PIPELINED = 16
_LOG_SECONDS = 10.0
_LISTENING_SECONDS = 0.25  # for the first bytes of who is turned away: they say in which way to answer
_GLANCE = 8 * 1024
#: Draws a page for who asks for one, by the address, the headers and the error; None for who asks for none.
Draw = Callable[[str, Sequence[tuple[bytes, bytes]], WuyeError], bytes | None]


class Stage(Enum):
    """What a connection does now; in this order they are let go when all are taken, and a busy one never is."""

    LEAVING = "leaving"
    HEAD = "head"
    IDLE = "idle"
    BODY = "body"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections, how many bytes of a head, and how many seconds for each stage; 0 seconds are no bound."""

    connections: int
    head_bytes: int
    head_seconds: float
    body_seconds: float
    idle_seconds: float

    def seconds(self) -> Mapping[Stage, float]:
        """Return how long a connection may stay in each stage; no answer is hurried."""
        return {
            Stage.LEAVING: _LEAVING_SECONDS,
            Stage.HEAD: self.head_seconds,
            Stage.IDLE: self.idle_seconds,
            Stage.BODY: self.body_seconds,
        }


class Door:
    """The connections of one server, by what they do, each queue with the longest waiting first."""

    def __init__(self, bounds: Bounds, draw: Draw) -> None:
        self.bounds, self.draw = bounds, draw
        self.queues: dict[Stage, OrderedDict[Any, float]] = {stage: OrderedDict() for stage in Stage}
        self.unread: OrderedDict[Any, float] = OrderedDict()  # whose answers nobody takes
        self._seconds = {stage: most for stage, most in bounds.seconds().items() if most}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed_since = 0
        self._logged_at = float("-inf")

    def count(self) -> int:
        """Return how many connections there are."""
        return sum(map(len, self.queues.values()))

    def enter(self, connection: Any, loop: asyncio.AbstractEventLoop) -> bool:
        """Let a connection in, another out where all are taken; False where all are busy, and this one must go."""
        if self._loop is None:
            self._loop = loop
            loop.call_later(self._period(), self._look)
        if self.bounds.connections and self.count() >= self.bounds.connections:
            victim = next((queue for stage, queue in self.queues.items() if queue and stage is not Stage.BUSY), None)
            self._full(loop.time(), next(iter(victim)) if victim else connection)
            if victim is None:
                return False
            self.drop(next(iter(victim)), "full")
        self.queues[Stage.HEAD][connection] = loop.time()
        return True

    def note(self, connection: Any, before: Stage, after: Stage) -> None:
        """Note that a connection does something else now."""
        self.queues[before].pop(connection, None)
        self.queues[after][connection] = self._loop.time() if self._loop else 0.0

    def leave(self, connection: Any) -> None:
        """Forget a connection."""
        self.unread.pop(connection, None)
        for queue in self.queues.values():
            queue.pop(connection, None)

    def drop(self, connection: Any, why: str) -> None:
        """End a connection at once."""
        self.leave(connection)
        metrics.connections_closed_total.labels(why).inc()
        connection.transport.abort()

    def _full(self, now: float, victim: Any) -> None:
        self._closed_since += 1
        if now - self._logged_at >= _LOG_SECONDS:
            address = victim.client[0] if victim.client else None
            _log.warning("connections_full", open=self.count(), closed=self._closed_since, address=address)
            self._closed_since, self._logged_at = 0, now

    def _period(self) -> float:
        return min([1.0, *(most / 4 for most in self._seconds.values())])

    def _look(self) -> None:
        """End what has taken too long, and look again in a while."""
        if self._loop is None:
            return
        now = self._loop.time()
        for stage, most in self._seconds.items():
            queue = self.queues[stage]
            while queue and now - (first := next(iter(queue.items())))[1] >= most:
                first[0].expire(stage)
        while self.unread and now - (first := next(iter(self.unread.items())))[1] >= (self.bounds.body_seconds or 30):
            self.drop(first[0], "unread")
        metrics.connections_open.set(self.count())
        if self.count():
            self._loop.call_later(self._period(), self._look)
        else:
            self._loop = None


if HttpToolsProtocol is not None:

    class GuardedProtocol(HttpToolsProtocol):
        """uvicorn's protocol that tells its door what it does, and is ended by it."""

        door: ClassVar[Door]
        _stage = Stage.HEAD
        _in_head = False
        _in_body = False
        _fresh_head = False
        _refused = False
        _turned_away: asyncio.TimerHandle | None = None
        _head_bytes = 0
        _body_bytes = 0
        _body_received = 0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Come in, if there is room."""
            super().connection_made(transport)
            if not self.door.enter(self, self.loop):
                self.door.note(self, self._stage, Stage.LEAVING)
                self._stage = Stage.LEAVING
                self._turned_away = self.loop.call_later(_LISTENING_SECONDS, self._turn_away, b"")

        def connection_lost(self, exc: Exception | None) -> None:
            """Go."""
            if self._turned_away is not None:
                self._turned_away.cancel()
            self.door.leave(self)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            """Read on, within the bounds of a head, of what stands around a body, and of requests sent ahead."""
            if self._refused:
                return
            if self._turned_away is not None:
                self._turn_away(data)
                return
            self._fresh_head = self._asked() is not None and not self._in_head
            super().data_received(data)
            if self._refused:
                return
            if self._in_head and not self._fresh_head:
                self._head_bytes += len(data)
            if self._in_body:
                self._body_received += len(data)
            bounds = self.door.bounds
            if self._in_head and self._head_bytes > bounds.head_bytes:
                self._refuse(HeadersTooLarge(f"请求头过大，最多 {bounds.head_bytes // 1024} KiB"), "large")
            elif self._in_body and self._body_received > bounds.head_bytes + _CHUNK + 8 * self._body_bytes:
                self.door.drop(self, "large")  # chunk after chunk of nothing, or trailers without end
            elif len(self.pipeline) > _MOST_PIPELINED:
                self.door.drop(self, "pipelined")
            else:
                self._settle()

        def on_message_begin(self) -> None:
            """Note where a request begins."""
            self._in_head, self._head_bytes = True, 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            """Note where its head ends."""
            self._in_head, self._in_body = False, True
            self._body_bytes = self._body_received = 0
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            """Count the body."""
            self._body_bytes += len(body)
            super().on_body(body)

        def on_message_complete(self) -> None:
            """Note where a request ends."""
            self._in_body = False
            super().on_message_complete()

        def on_response_complete(self) -> None:
            """Note where its answer ends."""
            super().on_response_complete()
            self._settle()

        def pause_writing(self) -> None:
            """Note when a client no longer takes its answer."""
            super().pause_writing()
            self.door.unread[self] = self.loop.time()

        def resume_writing(self) -> None:
            """Note that it does again."""
            super().resume_writing()
            self.door.unread.pop(self, None)

        def send_400_response(self, msg: str) -> None:  # noqa: ARG002 uvicorn's words are English and no problem document
            """Answer what is no HTTP."""
            self._refuse(BadRequest("请求不是有效的 HTTP"), "malformed")

        def expire(self, stage: Stage) -> None:
            """End, in words where somebody may be waiting for them."""
            asked = self._asked()
            answered = asked is not None and asked.response_started
            silent = stage in (Stage.IDLE, Stage.LEAVING) or answered or (stage is Stage.HEAD and not self._in_head)
            if silent:
                self.door.drop(self, stage.value)
            else:
                self._refuse(SlowRequest("请求发送得太慢，没有收完"), stage.value)

        def _asked(self) -> RequestResponseCycle | None:
            """Return the latest request, which there is not before the first head is whole."""
            return self.cycle

        def _settle(self) -> None:
            asked = self._asked()
            if self.transport.is_closing():
                now = Stage.LEAVING
            elif self._in_body:
                now = Stage.BODY
            elif asked is not None and not asked.response_complete:
                now = Stage.BUSY
            else:
                now = Stage.IDLE if asked is not None and not self._in_head else Stage.HEAD
            if now is not self._stage:
                self.door.note(self, self._stage, now)
                self._stage = now

        def _turn_away(self, first: bytes) -> None:
            """Say that there is no room, in the way that the first bytes ask for; who sends none is told all the same."""
            if self._turned_away is not None:
                self._turned_away.cancel()
                self._turned_away = None
            self.url, self.headers = _glanced(first)
            self._refuse(Unavailable("连接太多，请稍后重试"), "full")

        def _refuse(self, error: WuyeError, why: str) -> None:
            """Answer and close; whatever still comes is dropped."""
            self._refused = True
            metrics.connections_closed_total.labels(why).inc()
            if not self.transport.is_closing():
                path = getattr(self, "url", b"").partition(b"?")[0].decode("latin-1")
                self.transport.write(_answer(error, self.door.draw(path, self.headers or (), error)))
                # Closed on a sender in full flow, the answer would be lost: what still comes is dropped for a moment.
                if self.transport.can_write_eof():
                    self.transport.write_eof()
                else:
                    self.transport.close()
            self.door.leave(self)
            self.door.note(self, self._stage, Stage.LEAVING)
            self._stage = Stage.LEAVING


def _no_page(_path: str, _headers: Sequence[tuple[bytes, bytes]], _error: WuyeError) -> None:
    """Draw no page: the application has none."""


def _glanced(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return what the beginning of a request says, unproved: which address it asks for, and its headers as far as they came."""
    head, *lines = data[:_GLANCE].partition(b"\r\n\r\n")[0].split(b"\r\n")
    parts = head.split(b" ")
    found = [line.partition(b":") for line in lines]
    return parts[1] if len(parts) > 1 else b"", [(name.lower(), value.strip()) for name, _, value in found]


def _answer(error: WuyeError, page: bytes | None) -> bytes:
    body = document(error) if page is None else page
    lines = {
        **error.headers,
        "Content-Type": MEDIA_TYPE if page is None else "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Content-Length": str(len(body)),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {error.status} {error.slug}\r\n{head}\r\n".encode() + body


def bounds_of(settings: Settings, *, idle_seconds: float | None = None) -> Bounds:
    """Return what the settings say, perhaps with another time for connections that wait."""
    return Bounds(
        settings.connections,
        settings.header_limit,
        settings.header_seconds,
        settings.body_seconds,
        settings.idle_seconds if idle_seconds is None else idle_seconds,
    )


def server(app: Any, settings: Settings, *, idle_seconds: float | None = None) -> uvicorn.Server:
    """Return a server for an application, whose connections keep within the settings' bounds."""
    bounds = bounds_of(settings, idle_seconds=idle_seconds)
    draw: Draw = getattr(app.state, "plain_of", _no_page)
    config = uvicorn.Config(
        app,
        http="auto"
        if HttpToolsProtocol is None
        else type("Protocol", (GuardedProtocol,), {"door": Door(bounds, draw)}),
        ws="none",
        h11_max_incomplete_event_size=settings.header_limit,
        log_config=None,
        access_log=False,
        server_header=False,
        reset_contextvars=True,  # whether it is of a crowd, in which language: of one request, not of its connection
        proxy_headers=False,  # edge.client_address says whose word about an address is taken
        timeout_graceful_shutdown=10,
        timeout_keep_alive=int(bounds.idle_seconds) or 5,
    )
    _allow_files(settings.connections)
    return uvicorn.Server(config)


def _allow_files(connections: int) -> None:
    """Let the process have as many sockets as it may have connections, where the system allows it."""
    try:
        import resource  # noqa: PLC0415 not there on every system
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 512
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
