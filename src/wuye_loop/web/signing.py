"""The door: signing in and out, one's own password and second factor, one's sessions; the way home."""

from typing import Annotated, Final
from uuid import UUID

import anyio.to_thread
import pyotp
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, TooMany
from wuye_loop.domain.privacy.access import second_factor
from wuye_loop.edge import sign_in as door
from wuye_loop.edge.client_address import address_of
from wuye_loop.edge.sign_in import BadSignIn
from wuye_loop.edge.site import site_of
from wuye_loop.edge.transact import read
from wuye_loop.store.keys import accounts, sessions
from wuye_loop.web import visitors
from wuye_loop.web.addresses import as_code, inside
from wuye_loop.web.fields import text_of
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.times import times
from wuye_loop.web.visitors import ROLES, Here, NotSignedIn, SignedIn

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_LOOK_AGAIN: Final = "3"  # seconds until the door of a demonstration that still plays is looked at anew


@router.get("/")
async def start(request: Request) -> Response:
    """Send everybody where they begin: who signed in to their work, others to the door."""
    try:
        here = await visitors.admitted(request, await visitors.person(request))
    except NotSignedIn:
        return RedirectResponse("/login", 303)
    done = f"?{request.url.query}" if request.query_params.get("gone") else ""  # and the form that was taken
    return RedirectResponse(f"{visitors.home(here)}{done}", 303)


@router.get("/login")
async def login(request: Request, to: str = "/") -> Response:
    """Show the door; in a demonstration also its visitors, who enter with one click."""
    return await _door(request, to)


async def _door(request: Request, to: str, words: str | None = None, status: int = 200, login: str = "") -> Response:
    site, demo = site_of(request), getattr(request.app.state, "visitors", None)
    playing = demo is not None and not demo  # a demonstration whose play is not over: nobody can enter yet
    context = {
        "to": inside(to),
        "words": words,
        "login": login,
        "open": visitors.admits_passwords(request),
        "demo": demo,
        "playing": playing,
        "oidc": getattr(request.app.state, "oidc", None) is not None,
        "now": await read(site, lambda session: times(site.loop, session).clock()) if demo else None,
    }
    response = page("login.html", context, status)
    if playing:
        response.headers["Refresh"] = _LOOK_AGAIN
    return response


@router.post("/login")
async def enter(request: Request) -> Response:
    """Let somebody in. Raises Forbidden on a connection that others could read."""
    visitors.check_origin(request)
    visitors.require_private(request)
    site, form = site_of(request), await request.form()
    name, to = text_of(form, "login"), inside(text_of(form, "to") or "/")
    password = form.get("password")
    address = address_of(request)
    try:
        token = await door.sign_in(
            site,
            visitors.tries_of(request) if not visitors.secure(site) else None,
            name,
            password if isinstance(password, str) else "",
            text_of(form, "code"),
            address,
        )
    except (BadSignIn, TooMany) as error:
        return await _door(request, to, error.detail, error.status, name)
    return _entered(request, token, to)


@router.post("/login/demo")
async def enter_demo(request: Request) -> Response:
    """Let a visitor of the demonstration in with one click; elsewhere there is no such door."""
    visitors.check_origin(request)
    known = getattr(request.app.state, "visitors", None)
    form = await request.form()
    wanted, unit = text_of(form, "login"), text_of(form, "unit")
    if known and unit in {code for _, units in known["units"] for code, _ in units}:
        wanted = await anyio.to_thread.run_sync(known["admit"], unit)
    elif not known or wanted not in {one["login"] for one in known["people"]}:
        raise Forbidden("这里不是演示，请用账号登录")
    token = await door.enter(site_of(request), wanted, address_of(request))
    return _entered(request, token, "/")


@router.post("/login/demo/later")
async def let_pass(request: Request) -> Response:
    """Let time pass for everybody in a demonstration, so that what was filed today can be late, done and reported."""
    visitors.check_origin(request)
    known = getattr(request.app.state, "visitors", None)
    span = text_of(await request.form(), "span")
    if not known or span not in known["spans"]:
        raise Forbidden("这里不是演示，时间不由人拨")
    await anyio.to_thread.run_sync(known["later"], span)
    return RedirectResponse("/login", 303)


def _entered(request: Request, token: str, to: str) -> Response:
    response = RedirectResponse(to, 303)
    visitors.keep(response, site_of(request), token)
    return response


@router.post("/logout")
async def leave(request: Request, person: SignedIn) -> Response:
    """End the session."""
    site = site_of(request)
    await door.sign_out(site, person, address_of(request))
    response = RedirectResponse("/login", 303)
    visitors.forget(response, site)
    return response


# --- oneself --------------------------------------------------------------------------------------------------------


@router.get("/me")
async def me(request: Request, person: SignedIn) -> Response:
    """Show one's own account: password, second factor, sessions."""
    return await _me(request, person)


async def _me(request: Request, person: door.Person, words: str | None = None, status: int = 200) -> Response:
    site, account = site_of(request), person.account
    secret = None if account.totp else pyotp.random_base32()
    address = second_factor.address_of(secret, account.login) if secret else None
    present = await read(site, lambda session: times(site.loop, session))
    context = {
        "person": person,
        "csrf": person.csrf,
        "times": present,
        "role": ROLES.get(account.role, account.role),
        "words": words,
        "done": request.query_params.get("done"),
        "must": account.must_change,
        "needs_totp": visitors.needs_second_factor(site, person),
        "secret": secret,
        "picture": as_code(address, error="m", scale=4, border=2) if address else None,
        "sessions": await read(
            site, lambda session: sessions.listed(session, account.id, site.loop.clock.now())
        ),
    }  # fmt: skip
    return page("me.html", context, status)


@router.post("/me/password")
async def password(request: Request, person: SignedIn) -> Response:
    """Take a new password; every other session ends."""
    form = await request.form()
    old, new, again = (str(form.get(name) or "") for name in ("old", "new", "again"))
    site, address = site_of(request), address_of(request)
    if new != again:
        return await _me(request, person, "两次输入的新口令不一样", 422)
    try:
        token = await door.change_password(site, person, old, new, address)
    except BadSignIn as error:
        return await _me(request, person, error.detail, 422)
    return _entered(request, token, "/me?done=password")


@router.post("/me/totp")
async def totp(request: Request, person: SignedIn) -> Response:
    """Take a second factor, once a code shows that the person has it."""
    form = await request.form()
    address = address_of(request)
    try:
        await door.take_second_factor(site_of(request), person, text_of(form, "secret"), text_of(form, "code"), address)
    except BadSignIn as error:
        return await _me(request, person, error.detail, 422)
    return RedirectResponse("/me?done=totp", 303)


@router.post("/me/sessions/{session_id}")
async def end(here: Here, session_id: Annotated[UUID, Path()]) -> Response:
    """End one of one's own sessions."""
    site, account = here.site, here.person.account
    now = site.loop.clock.now()

    def ended(session: Session) -> None:
        sessions.end(session, account.id, now, only=session_id)
        accounts.note(session, account.id, "session ended", account.login, now, site.loop.ids)

    await site.database.write_async(ended)
    return RedirectResponse("/me?done=session", 303)
