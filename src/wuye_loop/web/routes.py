"""How a page fails: in words, on a page, with the way back; who has not signed in is sent to the door."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from wuye_loop.domain.errors import AddressTooLong, BadInput, BadRequest, NotFound, WuyeError
from wuye_loop.edge.database_faults import fault
from wuye_loop.edge.rates import network
from wuye_loop.edge.site import site_of
from wuye_loop.store.database import of_the_crowd
from wuye_loop.web import language
from wuye_loop.web.english.catalogue import catalogue
from wuye_loop.web.language import Tongue
from wuye_loop.web.rendering import HEADERS, page
from wuye_loop.web.visitors import NotSignedIn, Unfinished

Headers = Sequence[tuple[bytes, bytes]]
_log = structlog.get_logger(__name__)
_SERVER_ERROR = 500
_WORDS = {
    403: "没有权限",
    404: "没有找到",
    409: "现在不能这样办",
    412: "刚刚有了新的变化",
    405: "没有这个页面",
    408: "发送得太慢",
    413: "内容太大",
    414: "网址太长",
    422: "填写有误",
    429: "请稍后再试",
    431: "浏览器带来的内容太多",
    503: "暂时不能服务",
}
#: What is wrong with a request itself, and the one who looks can do about it.
_PLAIN: Final = {
    400: "网址或浏览器带来的内容不对，请从首页重新打开。",
    405: "请从首页重新打开。",
    414: "请从首页重新打开。",
    431: "请清除浏览器里本站的 Cookie 再试。",
}
#: What is not there, by the beginning of its address: the same words whether there is none or it is not for this person.
_NOT_THERE: Final = (
    ("/g/", "没有这一件，或它不在您的管辖范围内。"),
    ("/meetings", "没有这一件，或它不在您的管辖范围内。"),
    ("/supervision/", "没有这一件，或它现在没有可以发的督办单。"),
    ("/t/", "没有这项任务，或它不在您的管辖范围内。"),
    ("/files/", "没有这个文件，或它不在您的管辖范围内。"),
    ("/papers/", "没有这份文书，或它不在您的管辖范围内。"),
    ("/bulletins/", "没有这份通报，或它不在您的管辖范围内。"),
    ("/assess/", "没有这个考核办法、这一期或这个考核对象，或它不在您的管辖范围内。"),
    ("/credit/", "没有这个单位，或它不在您的管辖范围内。"),
    ("/rules/", "没有发布过这一版规则。"),
    ("/admin/users/", "没有这个账号，或它不在您的管辖范围内。"),
    ("/admin/poster/", "没有这个小区，或它不在您的管辖范围内。"),
    ("/admin/directory/", "没有这张表。"),
    ("/search/views/", "没有这个视图：可能已经删了。"),
    ("/me/sessions/", "没有这次登录：可能已经结束了。"),
    ("/r/", "没有这个小区：请重新扫码，或点“反映问题”写地点。"),
    ("/v/", "没有这个小区：请重新扫码。"),
    ("/p/", "没有找到。请核对编号和查询码，或重新扫码。"),
    ("/k/", "这个链接不对，或已经失效。"),
    ("", "没有这个页面，请从首页重新打开。"),
)
RESIDENTS: Final = re.compile(r"/(?:r|p|v|lists|big)(?:/.*)?", re.DOTALL)
#: Where in a page that is kept the request's own address and id go: no text of ours has these signs.
_ADDRESS, _ASKING, _REQUEST = "\ue000", "\ue001?", "\ue002"
_TAKEN: Final = "wuye_loop.route"
_PASSED_ON: Final = ("Retry-After", "Allow")
_PROGRAMS: Final = ("application/json", "application/problem+json")
_OF_LANGUAGE: Final = (b"accept-language", b"cookie")


def install(app: FastAPI) -> None:
    """Answer a browser with a page whatever goes wrong, outside of every door too; the API's own addresses answer as ever."""
    app.state.page_of = page_of
    app.state.plain_of = partial(plain_of, app)


def page_of(scope: Scope, error: WuyeError) -> Response | None:
    """Return the page that says what is wrong to a browser that asked for one, else None: too many requests, too large, gone.

    A request whose host or address cannot be trusted is told so without them.
    """
    if not _wants_page(scope["path"], scope["headers"]):
        return None
    template = ResidentRoute.template if RESIDENTS.fullmatch(scope["path"]) else PageRoute.template
    if isinstance(error, AddressTooLong | BadRequest):
        kept = [one for one in scope["headers"] if one[0] in _OF_LANGUAGE]
        scope = {**scope, "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": kept}
    request = Request(scope)
    language.settle(request)
    return told(request, error, template, _PLAIN.get(error.status))


def plain_of(app: FastAPI, path: str, headers: Headers, error: WuyeError) -> bytes | None:
    """Return a plain page for who asked for one and is refused before the request was read, as far as it is known; else None.

    No template is drawn: there may be many who are refused so.
    """
    if not _wants_page(path, headers):
        return None
    kept = [one for one in headers if one[0] in _OF_LANGUAGE]
    english = language.wants_english(Request({"type": "http", "headers": kept}))
    return _plain(_WORDS.get(error.status, error.title), error.detail, language.folders_of(app) if english else None)


@lru_cache(maxsize=64)
def _plain(title: str, words: str, english: tuple[Path, ...] | None) -> bytes:
    said = [title, words, "急事请直接拨打"]
    if english is not None:
        said = [catalogue(english).said(one) or one for one in said]
    title, words, urgent = map(escape, said)
    return (
        f'<!doctype html><html lang="{"zh-CN" if english is None else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title></head>'
        f'<body><h1>{title}</h1><p>{words}</p><p>{urgent} <a href="tel:12345">12345</a></p></body></html>'
    ).encode()


def _wants_page(path: str, headers: Headers) -> bool:
    """Say whether an address is a page's, and who asks would rather have a page than a program's answer."""
    accepted = b",".join(value for name, value in headers if name == b"accept").decode("latin-1")
    wanted = language.wishes(accepted)
    program = max(wanted.get(one, 0.0) for one in _PROGRAMS)
    return not path.startswith("/v1") and wanted.get("text/html", 0.0) > 0 and wanted["text/html"] >= program


class PageRoute(APIRoute):
    """A route whose errors are pages; the status and the words are those of the API's doors."""

    template = "error.html"

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return the handler."""
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            if (elsewhere := language.changed(request)) is not None:
                return elsewhere
            language.settle(request)
            try:
                return await handle(request)
            except NotSignedIn:
                return RedirectResponse(f"/login?to={quote(_back(request))}", 303)
            except Unfinished:
                return RedirectResponse("/me", 303)
            except (RequestValidationError, HTTPException, SQLAlchemyError, WuyeError) as error:
                return self.told(request, meaning(error))
            finally:
                await request.close()  # files that a form brought

        return shown

    def told(self, request: Request, error: WuyeError) -> Response:
        """Return the page that says what is wrong."""
        return told(request, error, self.template)


class ResidentRoute(PageRoute):
    """The same on a resident's page; residents may come in a crowd, and take turns, so that the hotline never waits for them."""

    template = "resident/error.html"

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return the handler."""
        handle = super().get_route_handler()

        async def in_turn(request: Request) -> Response:
            of_the_crowd.set(network(request.scope, site_of(request).settings.trusted_proxies))
            return await handle(request)

        return in_turn


class Branch(BaseRoute):
    """Routes that are tried where an address has the shape of theirs, and passed in one look where it has not."""

    def __init__(self, shape: re.Pattern[str], routes: Sequence[BaseRoute]) -> None:
        self.routes = routes
        self._shape = shape

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether one of the routes takes a request, as the router of all doors asks each."""
        partly: tuple[Match, Scope] = Match.NONE, {}
        if scope["type"] != "http" or not self._shape.fullmatch(scope["path"]):
            return partly
        for route in self.routes:
            found, more = route.matches(scope)
            if found is Match.FULL:
                return found, {**more, _TAKEN: route}
            if found is Match.PARTIAL and partly[0] is Match.NONE:
                partly = found, {**more, _TAKEN: route}
        return partly

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that takes a request answer it."""
        await scope[_TAKEN].handle(scope, receive, send)


def _back(request: Request) -> str:
    """Return where to go on after signing in: the page that was asked for; a form that was sent is not sent again."""
    if request.method != "GET":
        return "/"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def meaning(error: Exception) -> WuyeError:
    """Return what an error means to the one who looks at the page. Raises what is a fault of ours and no database's."""
    if isinstance(error, SQLAlchemyError):
        known = fault(error)
        if known is None:
            raise error
        _log.warning("database", exc_info=error, answered=known.status)
        return known
    if isinstance(error, RequestValidationError):
        return BadInput("网址或表单里有不认识的内容")
    if isinstance(error, HTTPException):
        return error.__cause__ if isinstance(error.__cause__, WuyeError) else BadInput("表单读不出来")
    if not isinstance(error, WuyeError):
        raise error
    if error.status == _SERVER_ERROR:
        _log.error("fault", exc_info=error)
    return error


def told(request: Request, error: WuyeError, template: str = "error.html", words: str | None = None) -> Response:
    """Return a page that says in words what is wrong, with the status of the error."""
    fields = error.extra.get("fields")
    if type(error) is NotFound and error.detail == NotFound.title:
        words = next(words for start, words in _NOT_THERE if request.url.path.startswith(start))
    here, title = language.present(), _WORDS.get(error.status, error.title)
    said = _Refusal(error.status, title, words or error.detail, int(error.headers.get("Retry-After", 0)))
    if isinstance(fields, list) and fields:
        drawn = said.drawn(template, fields)
    else:  # whoever is refused may come again at once, and by the thousand
        mark = (
            _ASKING if "?" in here.address else _ADDRESS
        )  # after the one a link goes on with `&`, after the other with `?`
        drawn = _kept(template, replace(here, address=mark), said).replace(mark, escape(here.address))
    text = drawn.replace(_REQUEST, escape(getattr(request.state, "request_id", "")))
    response = HTMLResponse(text, error.status, headers=dict(HEADERS))
    response.headers.update({name: value for name, value in error.headers.items() if name in _PASSED_ON})
    return response


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What a page says of an error; `after` so many seconds one may try again."""

    status: int
    title: str
    words: str
    after: int

    def drawn(self, template: str, fields: Sequence[Any] = ()) -> str:
        """Return the page in the language that is present, with a mark where its request's id goes."""
        said = {"status": self.status, "title": self.title, "detail": self.words, "after": self.after}
        return bytes(page(template, {**said, "fields": fields, "request_id": _REQUEST}).body).decode()


@lru_cache(maxsize=256)
def _kept(template: str, tongue: Tongue, said: _Refusal) -> str:
    """Return the page with marks where the request's id and its address go."""
    here = language.present()
    language.speak(tongue)
    try:
        return said.drawn(template)
    finally:
        language.speak(here)
