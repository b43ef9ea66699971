"""Every error as RFC 9457 `application/problem+json`: a stable type, Chinese words, and never a piece of the input."""

import json
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Scope, Send

from wuye_loop.domain.errors import (
    AddressTooLong,
    BadInput,
    BadRequest,
    Conflict,
    Forbidden,
    HeadersTooLarge,
    MethodNotAllowed,
    NotFound,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
    WuyeError,
)
from wuye_loop.edge.database_faults import fault
from wuye_loop.edge.field_errors import Names, findings

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"

_log = structlog.get_logger(__name__)
_ERRORS: dict[int, type[WuyeError]] = {
    one.status: one
    for one in (
        BadRequest,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        Conflict,
        Stale,
        TooLarge,
        AddressTooLong,
        UnsupportedMedia,
        BadInput,
        HeadersTooLarge,
    )
}


def install(app: FastAPI) -> None:
    """Answer every error of this app with a problem document; errors of ours that are faults leave a log line."""
    names = Names(app)

    async def malformed(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            return respond(request, WuyeError())
        fields = findings(error.errors(), names)
        return respond(request, BadInput("请求内容不符合要求，请按 fields 逐项改正", fields=fields))

    app.add_exception_handler(WuyeError, _ours)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unforeseen)


def respond(request: Request, error: WuyeError) -> Response:
    """Return the response for an error, with the request's id, by which the log line is found."""
    return answer(request.scope, error)


def answer(scope: Scope, error: WuyeError) -> Response:
    """Return the answer to a request that went wrong, in or outside of a door: a page to who asked for one, else the document.

    `app.state.page_of` draws the page where the application has pages, and returns None to who asked for none.
    """
    draw: Callable[[Scope, WuyeError], Response | None] | None = getattr(scope["app"].state, "page_of", None)
    if draw is not None and (page := draw(scope, error)) is not None:
        return page
    body = document(error, scope.get("state", {}).get("request_id"))
    return Response(body, error.status, headers={**error.headers, "Content-Type": MEDIA_TYPE})


def document(error: WuyeError, request_id: str | None = None) -> bytes:
    """Return the bytes of the problem document: type, title, status, detail, the error's own members, request_id."""
    members: dict[str, object] = {
        **error.extra,
        "type": TYPE_PREFIX + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if request_id is not None:
        members["request_id"] = request_id
    try:
        return orjson.dumps(members, default=str)
    except orjson.JSONEncodeError:
        # A lone surrogate or a huge integer that slipped into an error must not turn a 4xx into a 500.
        return json.dumps(members, default=str).encode()


async def send_problem(scope: Scope, send: Send, error: WuyeError) -> None:
    """Answer outside of every door, where there is no request to respond to."""
    told = answer(scope, error)
    await send({"type": "http.response.start", "status": told.status_code, "headers": told.raw_headers})
    await send({"type": "http.response.body", "body": told.body})


async def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, WuyeError):
        return await _unforeseen(request, error)
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("fault", exc_info=error)
    return respond(request, error)


async def _http(request: Request, error: Exception) -> Response:
    """Answer Starlette's and FastAPI's own errors in our words; what they say may repeat the input."""
    if isinstance(error.__cause__, WuyeError):
        return await _ours(request, error.__cause__)
    if not isinstance(error, HTTPException):
        return await _unforeseen(request, error)
    translated = _translated(error)
    if isinstance(translated, MethodNotAllowed):
        translated.headers["Allow"] = _allowed(request)
    return respond(request, translated)


def _allowed(request: Request) -> str:
    """Return the methods of all doors at an address; Starlette names those of the first one only."""
    path = request.scope["path"]
    routes = (route for rest, route in _routes(request.app.routes, path) if route.path_regex.fullmatch(rest))
    return ", ".join(sorted({method for route in routes for method in route.methods or ()}))


def _routes(found: Iterable[object], path: str) -> Iterator[tuple[str, Route]]:
    """Yield every route, each with what is left of the address where it stands."""
    for one in found:
        if isinstance(one, Route):
            yield path, one
        elif (inner := getattr(one, "original_router", None)) is not None:  # FastAPI keeps an included router whole
            prefix = one.include_context.prefix  # type: ignore[attr-defined]
            if path.startswith(prefix):
                yield from _routes(inner.routes, path.removeprefix(prefix))
        else:
            yield from _routes(getattr(one, "routes", ()), path)


def _translated(error: HTTPException) -> WuyeError:
    headers = dict(error.headers or {})
    match error.status_code:
        case HTTPStatus.UNAUTHORIZED:
            return Unauthenticated(headers=headers)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return TooMany()
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return Unavailable()
        case code if code in _ERRORS:
            return _ERRORS[code](headers=headers)
        case code if code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return BadRequest(headers=headers)
        case _:
            return WuyeError()


async def _database(request: Request, error: Exception) -> Response:
    """Answer a database's refusal: worth trying again, wrong values, a conflict, or a fault of ours."""
    known = fault(error)
    if known is None:
        return await _unforeseen(request, error)
    _log.warning("database", exc_info=error, answered=known.status)
    return respond(request, known)


async def _gone(request: Request, _error: Exception) -> Response:
    """Answer a caller who hung up before its body was complete; only the log line will show it."""
    return respond(request, BadRequest("请求未发送完整"))


async def _unforeseen(request: Request, error: Exception) -> Response:
    """Answer 500 with the request's id and nothing else; the log has the type and the frames."""
    _log.error("unforeseen", exc_info=error)
    request.state.fault_logged = True  # Starlette raises it again to edge.requests
    return respond(request, WuyeError("服务器出错，请凭 request_id 联系管理员"))


#: What every error answer looks like (RFC 9457); further members depend on the type.
SCHEMA = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "example": "/problems/illegal-action"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "actions": {"type": "array", "items": {"type": "string"}},
        "fields": {"type": "array", "items": {"type": "object"}},
    },
}
