"""What every resident's page has: the size of its letters, which is kept, and the one who looks, as the loop knows it."""

from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from wuye_loop.domain.grievance.order import RESIDENTS
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.web.addresses import path_of
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import ResidentRoute

router = APIRouter(route_class=ResidentRoute, include_in_schema=False)
_BIG, _YEAR = "big", 365 * 86_400


def resident(source: str = RESIDENTS) -> Actor:
    """Return who acts when a resident does: the complainant of what came from this source."""
    return Actor(ActorKind.HOTLINE, source=source)


class Frame(NamedTuple):
    """What stands around a resident's page: whether letters are large, where they are changed, whether it is all played."""

    big: bool
    size: str
    played: bool


def frame(request: Request) -> Frame:
    """Return what stands around the page that is asked for."""
    played = bool(getattr(request.app.state, "visitors", None))
    return Frame(request.cookies.get(_BIG) == "1", f"/big?to={quote(path_of(request))}", played)


def shown(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a resident's page in the size that was chosen."""
    return page(template, {**context, **frame(request)._asdict()}, status)


@router.get("/big")
async def bigger(request: Request, to: str = "/r") -> Response:
    """Change between large and usual letters, and go back."""
    inside = to.startswith(("/r", "/p", "/v/", "/lists")) and to.isprintable() and "//" not in to and "\\" not in to
    response = RedirectResponse(to if inside else "/r", 303)
    wanted = "0" if request.cookies.get(_BIG) == "1" else "1"
    response.set_cookie(_BIG, wanted, max_age=_YEAR, samesite="lax", httponly=True)
    return response
