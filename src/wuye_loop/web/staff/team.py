"""本单位的人: who does what, giving and taking over, and who stands in for whom while somebody is away."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput
from wuye_loop.loop import desk
from wuye_loop.store.keys import desks
from wuye_loop.web.fields import text_of
from wuye_loop.web.refusals import REFUSED
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.staff.inbox import MOST_AT_ONCE, TABS, OfUnit
from wuye_loop.web.visitors import Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/team")
async def show(here: OfUnit) -> Response:
    """Show the people of the unit with how much each has."""
    return await _shown(here)


async def _shown(here: Visit, words: str | None = None, status: int = 200) -> Response:
    def gather(session: Session) -> list[desks.Colleague]:
        return desks.colleagues(session, here.actor.unit or "", here.times.now)

    people = await here.read(gather)
    own = here.person.account.id
    context: dict[str, Any] = {
        "people": people,
        "names": {one.id: one.name for one in people},
        "me": next((one for one in people if one.id == own), None),
        "words": words,
    }
    return page("staff/team.html", here.frame("inbox") | context, status)


@router.post("/inbox/assign")
async def assign(request: Request, here: OfUnit) -> Response:
    """Give what was ticked to one of the unit's people, oneself among them."""
    form, loop = await request.form(), here.site.loop
    wanted = [str(item) for item in form.getlist("item")][:MOST_AT_ONCE]
    to = _account(text_of(form, "to"))
    n = await here.site.database.write_async(lambda session: desk.assign(loop, session, here.actor, wanted, to))
    tab = text_of(form, "tab")
    known = tab if tab in {name for name, _ in TABS} else "all"
    return RedirectResponse(f"/inbox?tab={known}&given={n}", 303)


@router.post("/team/away")
async def away(request: Request, here: OfUnit) -> Response:
    """Name who stands in for oneself, and until the end of which day."""
    form, loop = await request.form(), here.site.loop
    try:
        until = _end_of(here, text_of(form, "until"))
        by = _account(text_of(form, "by"))
        await here.site.database.write_async(lambda session: desk.stand_in(loop, session, here.actor, by, until))
    except REFUSED as error:
        return await _shown(here, error.detail, error.status)
    return RedirectResponse("/team", 303)


@router.post("/team/back")
async def back(here: OfUnit) -> Response:
    """Say that one is there again."""
    await here.site.database.write_async(lambda session: desk.back(session, here.actor))
    return RedirectResponse("/team", 303)


def _account(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInput("请选一个人") from None


def _end_of(here: Visit, text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day, time(), here.times.calendar.zone) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise BadInput("请写明代办到哪天") from None
