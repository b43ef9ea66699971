"""Around every request: its id, one log line, its count and time, and the headers that keep a browser out of trouble."""

import re
from time import perf_counter

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wuye_loop import metrics
from wuye_loop.domain.errors import WuyeError
from wuye_loop.edge.problems import send_problem
from wuye_loop.ports import Ids

REQUEST_ID = "X-Request-Id"
UNMATCHED = "unmatched"

_log = structlog.get_logger("wuye_loop.request")
_ACCEPTABLE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}  # any other is a label of the caller's choosing
_QUIET = {"/healthz", "/readyz", "/metrics"}  # asked for every few seconds: counted, not logged
_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
_POLICY = "default-src 'none'; frame-ancestors 'none'"
_DOCS = ("/docs",)  # this page has a policy of its own


class Requests:
    """ASGI middleware, the outermost: after it nothing is unlogged, uncounted or unanswered.

    `request.state.request_id` is the id; a door that knows its caller sets `request.state.key_id` for the log.
    Neither path, query, body nor an error's words are logged: the route's template stands for them.
    """

    def __init__(self, app: ASGIApp, ids: Ids) -> None:
        self._app = app
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the request its id, pass it on, and say afterwards what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        request_id = self._id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        status, finished = 0, False

        async def answer(message: Message) -> None:
            nonlocal status, finished
            finished = message["type"] == "http.response.body" and not message.get("more_body", False)
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope["path"], request_id)
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 passed on, a server would log it whole, with the input in its words
            if not state.get("fault_logged"):
                _log.error("unforeseen", exc_info=error)
            if not status:
                await send_problem(scope, answer, WuyeError("服务器出错，请凭 request_id 联系管理员"))
            elif not finished:
                raise _Broken from None
        finally:
            _record(scope, status, perf_counter() - began)

    def _id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _ACCEPTABLE_ID.fullmatch(value):
                return str(value, "ascii")
        return str(self._ids.new())


class _Broken(Exception):
    """An answer that failed half way; the server closes the connection, so that nobody takes it for whole."""


def template(scope: Scope) -> str:
    """Return the template of the route that took a request, as /v1/grievances/{number}; `unmatched` when none did."""
    # FastAPI keeps the included route, with its prefixes, apart from the route as it was written.
    context = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(context, "path", None) or getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else UNMATCHED


def _add_headers(message: Message, path: str, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    headers[REQUEST_ID] = request_id
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    if path.startswith("/v1"):
        headers.setdefault("Cache-Control", "no-store")
    if not path.startswith(_DOCS):
        headers.setdefault("Content-Security-Policy", _POLICY)


def _record(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    route = template(scope)
    metrics.http_requests_total.labels(method, route, str(status)).inc()
    metrics.http_request_seconds.labels(method, route).observe(seconds)
    if route not in _QUIET:
        key_id = scope["state"].get("key_id")
        _log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2), key_id=key_id)
