"""统一身份认证: out to the city's identity system and back, with a session like any other at the end."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import quote, unquote

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, NotFound, WuyeError
from wuye_loop.domain.privacy.access.claims import Mapped
from wuye_loop.edge import sign_in
from wuye_loop.edge.client_address import address_of
from wuye_loop.edge.site import Site, site_of
from wuye_loop.ports import unmoved
from wuye_loop.store.keys import outside
from wuye_loop.web import visitors
from wuye_loop.web.addresses import inside
from wuye_loop.web.oidc.provider import NotVouched, Provider
from wuye_loop.web.routes import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_log = structlog.get_logger(__name__)
_SECRET: Final = 32  # bytes of state, nonce and verifier
_SECONDS: Final = 600
_BACK: Final = "/login/oidc/back"
_UNMAPPED: Final = (
    "统一身份认证认得您，但对照文件里没有您的单位和角色，所以不能登录。请告诉本系统的系统管理员，由他加进去"
)


def provider(request: Request) -> Provider:
    """Return the identity system. Raises NotFound where there is none."""
    found: Provider | None = getattr(request.app.state, "oidc", None)
    if found is None:
        raise NotFound
    return found


def _cookie(site: Site) -> str:
    return f"{visitors.cookie_name(site)}-oidc"


@router.get("/login/oidc")
async def out(request: Request, to: str = "/") -> Response:
    """Send somebody to the identity system; what proves the answer to be to this browser stays in a cookie."""
    there, site = provider(request), site_of(request)
    visitors.require_private(request)
    state, nonce, verifier = (site.loop.ids.token(_SECRET) for _ in range(3))
    with _logged(request):
        response = RedirectResponse(await there.address(_back(request), state, nonce, verifier), 303)
    response.set_cookie(
        _cookie(site),
        ".".join((state, nonce, verifier, quote(inside(to), safe=""))),
        max_age=_SECONDS,
        path="/",
        secure=visitors.secure(site),
        httponly=True,
        samesite="lax",
    )
    return response


def _back(request: Request) -> str:
    return f"{visitors.own_origin(request)}{_BACK}"


@router.get(_BACK)
async def back(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
    """Take somebody in whom the identity system vouches for and the file knows."""
    there = provider(request)
    with _logged(request):
        return await _taken_in(request, there, state, code, error)


@contextmanager
def _logged(request: Request) -> Iterator[None]:
    """Log who is not let in: from where, and what kind of fault it was; neither the words nor the cause, which may tell who."""
    try:
        yield
    except WuyeError as refused:
        cause = type(refused.__cause__).__name__ if refused.__cause__ is not None else None
        _log.warning("oidc_refused", status=refused.status, cause=cause, address=address_of(request))
        raise


async def _taken_in(request: Request, there: Provider, state: str, code: str, error: str) -> Response:
    site = site_of(request)
    kept = request.cookies.get(_cookie(site), "").split(".", 3)
    if len(kept) != 4 or not hmac.compare_digest(kept[0].encode(), state.encode()):  # noqa: PLR2004 as they were set
        raise NotVouched("这次登录不是从本系统的登录页开始的，或者隔得太久，请再登录一次")
    if error or not code:
        raise NotVouched("统一身份认证没有放行，没有登录")
    _, nonce, verifier, to = kept
    now = int(unmoved(site.loop.clock).timestamp())
    claims = await there.claims(code, _back(request), nonce, verifier, now)
    mapped = there.rules.of(claims)
    if mapped is None:
        raise Forbidden(_UNMAPPED)
    subject = f"{there.issuer} {claims['sub']}"
    token = await sign_in.enter_as(site, partial(_admitted, site, subject, mapped), address_of(request))
    response = RedirectResponse(inside(unquote(to)), 303)
    visitors.keep(response, site, token)
    response.delete_cookie(_cookie(site), path="/", secure=visitors.secure(site), httponly=True, samesite="lax")
    return response


def _admitted(site: Site, subject: str, mapped: Mapped, session: Session) -> Any:
    return outside.admitted(session, subject, mapped, site.loop.clock.now(), site.loop.ids)


@router.get("/login/oidc/out")
async def leave(request: Request) -> Response:
    """Send somebody who has signed out here to sign out there too."""
    door = await provider(request).leaving(f"{visitors.own_origin(request)}/login")
    return RedirectResponse(door or "/login", 303)
