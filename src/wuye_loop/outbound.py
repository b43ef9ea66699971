"""Sending out: the plug point of notices, and the question to another system that an `http` router wants asked."""

import re
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.metadata import entry_points
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import orjson
import structlog

from wuye_loop.domain.privacy.striking import struck
from wuye_loop.domain.routing.protocol import HttpAsk, Reply

if TYPE_CHECKING:
    import httpx

NOTIFIERS = "wuye_loop.notifiers"
LARGEST_REPLY = 64 * 1024
LONGEST_REASON = 200
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]+")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to a unit about a grievance: `instrument` by name, `title` its name for people; never identity."""

    number: str
    instrument: str
    title: str
    unit: str
    unit_name: str
    urgent: bool
    text: str


class Notifier(Protocol):
    """Carries notices: to a message service, a pager, a log. What it raises is tried again later, so twice is possible."""

    def send(self, notice: Notice) -> None:
        """Send one notice, or raise."""
        ...


class LogNotifier:
    """Writes one line per notice; the text stays out of it, for people write anything there."""

    def send(self, notice: Notice) -> None:
        """Log which instrument went to which unit about which grievance."""
        structlog.get_logger().info(
            "notice", number=notice.number, instrument=notice.instrument, unit=notice.unit, urgent=notice.urgent
        )


@cache
def notifiers() -> Mapping[str, Notifier]:
    """Return every notifier by name: built in, and third parties' (an entry point names a class or an instance)."""
    found: dict[str, Notifier] = {"log": LogNotifier()}
    for point in entry_points(group=NOTIFIERS):
        if point.name in found:
            raise ValueError(f"通知方式“{point.name}”已经有了，插件 {point.value} 要换一个名称")
        plugin: Any = point.load()
        found[point.name] = plugin() if isinstance(plugin, type) else plugin
    return found


def asking_client() -> "httpx.Client":
    """Return a client for `ask_http`: no proxies from the environment, no redirects, a fresh connection each time."""
    import httpx  # noqa: PLC0415 few cities have a system that is asked

    return httpx.Client(trust_env=False, follow_redirects=False, limits=httpx.Limits(max_keepalive_connections=0))


def ask_http(ask: HttpAsk, client: "httpx.Client", allowed: frozenset[str] = frozenset()) -> Reply:
    """Ask another system for a unit; never raises: a reply without a unit says in Chinese why there is none.

    `allowed` holds the hosts (`host` or `host:port`) that may be asked; none of them, not even this machine, unless
    it is named. `client` comes from `asking_client`. The whole exchange is cut off after `ask.timeout` seconds.
    """
    import httpx  # noqa: PLC0415 as above

    try:
        url = httpx.URL(ask.url)
    except httpx.InvalidURL:
        return Reply(None, "外部系统的地址不合法")
    port = url.port or (443 if url.scheme == "https" else 80)
    if url.scheme not in {"http", "https"} or not {url.host, f"{url.host}:{port}"} & allowed:
        return Reply(None, f"外部系统 {url.host} 不在允许询问的名单上")
    with _Cutoff(ask.timeout) as cutoff:
        try:
            reply = _asked(ask, url, client, cutoff)
            late = cutoff.passed  # a reply without a length looks whole when it was cut
        except (httpx.HTTPError, OSError, UnicodeError) as error:  # OSError: no handles left; UnicodeError: odd host
            reply = Reply(None, "外部系统连接不上或中途断开")
            late = cutoff.passed or isinstance(error, httpx.TimeoutException)
    return Reply(None, f"外部系统 {ask.timeout:g} 秒内没有答复") if late else reply


def _asked(ask: HttpAsk, url: "httpx.URL", client: "httpx.Client", cutoff: "_Cutoff") -> Reply:
    request = client.build_request(
        "POST",
        url,
        content=orjson.dumps(dict(ask.send)),
        # Compressed, a small reply could grow to any size here.
        headers={"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=ask.timeout,
        extensions={"trace": cutoff.watch},
    )
    response = client.send(request, stream=True, auth=None, follow_redirects=False)
    try:
        if response.status_code != HTTPStatus.OK:
            return Reply(None, f"外部系统答复状态码 {response.status_code}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            return Reply(None, "外部系统的答复经过压缩，不予解读")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > LARGEST_REPLY:
                return Reply(None, f"外部系统的答复超过 {LARGEST_REPLY // 1024} KiB")
    finally:
        response.close()
    return _understood(bytes(body))


def _understood(body: bytes) -> Reply:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Reply(None, "外部系统的答复不是 JSON")
    code = said.get("unit") if isinstance(said, dict) else None
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return Reply(None, "外部系统的答复里没有单位代码")
    why = said.get("why")
    reason = _UNSEEN.sub(" ", why[: 4 * LONGEST_REASON]).strip() if isinstance(why, str) else ""
    return Reply(code, struck(reason)[:LONGEST_REASON])


class _Cutoff:
    """Ends an exchange after so many seconds in all: httpx limits each read, so a drip of bytes could go on for ever."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of the connection when it is made; a second handle on it survives the change to TLS."""
        if event == "connection.connect_tcp.complete":
            with self._lock:
                self._line = info["return_value"].get_extra_info("socket").dup()
            if self.passed:
                self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._line is not None:
                with suppress(OSError):  # the other side was quicker
                    self._line.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None
