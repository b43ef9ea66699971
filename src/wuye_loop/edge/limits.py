"""How much one request may send. Plain ASGI: it sees bytes as they come and keeps none."""

import asyncio
import contextlib
import re
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wuye_loop.domain.errors import AddressTooLong, BadRequest, HeadersTooLarge, TooLarge, WuyeError
from wuye_loop.edge.problems import answer

KIBIBYTE = 1024
MAX_BODY = 256 * KIBIBYTE
MAX_ADDRESS = 8 * KIBIBYTE
MAX_HEADERS = 64 * KIBIBYTE
MOST_HEADERS = 100
_LONGEST_LENGTH = 19  # digits of a Content-Length that is a number at all
# Of two of these a proxy may believe the one and we the other.
_ONCE = {b"host", b"authorization", b"content-length", b"content-type", b"idempotency-key", b"if-match"}
_HOST = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")

# A connection closed on a sender in full flow loses the answer (TCP reset), so some of the rest is read and dropped first.
_LINGER_SECONDS = 1.0


class _Overflow(TooLarge):
    """Ends the reading of a body; the middleware that raises it also answers."""


class Limits:
    """ASGI middleware: 400, 413, 414 or 431, and the end of the connection, for a request beyond its bounds.

    `bodies` gives single paths another body limit, `shapes` those that a pattern matches whole. Memory stays flat
    however much is sent, announced or not.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        body: int = MAX_BODY,
        bodies: Mapping[str, int] | None = None,
        shapes: Mapping[re.Pattern[str], int] | None = None,
        headers: int = MAX_HEADERS,
        most_headers: int = MOST_HEADERS,
    ) -> None:
        self._app = app
        self._body = body
        self._bodies = dict(bodies or {})
        self._shapes = dict(shapes or {})
        self._headers = headers
        self._most_headers = most_headers

    def _limit(self, path: str) -> int:
        shaped = next((limit for shape, limit in self._shapes.items() if shape.fullmatch(path)), self._body)
        return self._bodies.get(path, shaped)

    def _announced(self, scope: Scope, limit: int) -> WuyeError | None:
        """Return what is wrong with a request before a byte of its body is read."""
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_ADDRESS:
            return AddressTooLong(f"请求地址过长，最多 {MAX_ADDRESS // KIBIBYTE} KiB")
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if len(headers) > self._most_headers:
            return HeadersTooLarge(f"请求头过多，最多 {self._most_headers} 个")
        if sum(len(name) + len(value) for name, value in headers) > self._headers:
            return HeadersTooLarge(f"请求头过大，最多 {self._headers // KIBIBYTE} KiB")
        return _ambiguous(headers, scope["http_version"]) or _announced_length(headers, limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it keeps within its bounds, and count what it sends."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        if error := self._announced(scope, limit):
            await _refuse(scope, receive, send, error)
            return
        counter = _Counter(receive, send, limit)
        with contextlib.suppress(_Overflow):  # answered below, as when the app itself has answered to it
            await self._app(scope, counter.receive, counter.send)
        if counter.overflown and not counter.started:
            await _refuse(scope, receive, send, _too_large(limit), more=counter.more)


class _Counter:
    """Counts a body as it is read; past the limit the app gets an error, and its answer to that is dropped."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._left = limit
        self.more = True
        self.overflown = False
        self.started = False

    async def receive(self) -> Message:
        if self.overflown:
            raise _Overflow
        message = await self._receive()
        self.more = _more(message)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.overflown = True
            raise _Overflow
        return message

    async def send(self, message: Message) -> None:
        if self.overflown and not self.started:
            return
        self.started = True
        await self._send(message)


def _ambiguous(headers: list[tuple[bytes, bytes]], version: str) -> WuyeError | None:
    """Return what keeps two readers from taking a request for the same one; HTTP/1.0 need not name its host."""
    once = [(name, value) for name, value in headers if name in _ONCE]
    hosts = [value for name, value in once if name == b"host"]
    if (len(hosts) != 1 or _HOST.fullmatch(hosts[0]) is None) and (hosts or version != "1.0"):
        return BadRequest("请求要写明一个 Host，只写一次")
    if len({name for name, _ in once}) < len(once):
        return BadRequest("同一个请求头写了两次")
    return None


def _announced_length(headers: list[tuple[bytes, bytes]], limit: int) -> WuyeError | None:
    length = next((value for name, value in headers if name == b"content-length"), b"0")
    if not length.isdigit():
        return BadRequest("Content-Length 无效")
    if len(length) > _LONGEST_LENGTH or int(length) > limit:
        return _too_large(limit)
    return None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"请求正文过大，最多 {limit // KIBIBYTE} KiB")


async def _refuse(scope: Scope, receive: Receive, send: Send, error: WuyeError, *, more: bool = True) -> None:
    """Send the whole answer at once, drop what still comes for a moment, then let the server close the connection."""
    told = answer(scope, error)
    told.headers["connection"] = "close"
    await send({"type": "http.response.start", "status": told.status_code, "headers": told.raw_headers})
    await send({"type": "http.response.body", "body": told.body, "more_body": True})
    with contextlib.suppress(TimeoutError):  # still sending after that: the reset is of its own making
        async with asyncio.timeout(_LINGER_SECONDS):
            while more:
                more = _more(await receive())
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _more(message: Message) -> bool:
    return message["type"] == "http.request" and bool(message.get("more_body", False))
