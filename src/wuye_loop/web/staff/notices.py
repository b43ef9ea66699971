"""装入日历: a notice of holidays and make-up days, with the deadlines that it moves shown before it is taken in."""

import base64
import binascii
from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, Stale
from wuye_loop.domain.time.notice import BadNotice, Notice, read_notice
from wuye_loop.loop.recounting import offices, outstanding, recount
from wuye_loop.queries import scope
from wuye_loop.store.calendar import moved_clocks, working_days
from wuye_loop.store.keys import accounts
from wuye_loop.web.carrying import INCOMPLETE, packed, unpacked, version_of
from wuye_loop.web.fields import uploads
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.visitors import Loader, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_MOST: Final = 5_000  # grievances whose deadlines one page moves
_SHOWN: Final = 100
_WEEKDAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@router.get("/admin/calendar/import")
async def start(here: Loader) -> Response:
    """Show the form that a notice is sent with."""
    return page("staff/notices.html", _context(here))


def _context(here: Visit, **more: Any) -> dict[str, Any]:
    return here.frame("admin") | {"words": None, "tried": None, "most": _SHOWN, "weekdays": _WEEKDAYS} | more


@router.post("/admin/calendar/import")
async def look(request: Request, here: Loader) -> Response:
    """Read a notice, and show which days it changes and which open deadlines it moves; nothing is kept."""
    sent = uploads("file", await request.form())
    if len(sent) != 1:
        return page("staff/notices.html", _context(here, words="请选一个文件，只选一个"), 422)
    content, name = await sent[0].read(), sent[0].filename or ""
    try:
        notice = await anyio.to_thread.run_sync(read_notice, content, name)
    except BadNotice as error:
        return page("staff/notices.html", _context(here, words=str(error), file=name), 422)
    tried = await anyio.to_thread.run_sync(_tried, here, notice)
    tried["packed"] = packed({"name": name, "content": base64.b64encode(content).decode()})
    return page("staff/notices.html", _context(here, tried=tried, file=name))


def _titles(here: Visit, session: Session) -> dict[str, str]:
    """Return what clocks are called, by their names in the files; the present file's word counts first."""
    every = scope.published(here.site.loop, session)
    every.sort(key=lambda rules: rules.id == here.site.loop.default_workflow)
    flows = [flow for rules in every for flow in (*rules.workflow.tasks.values(), rules.workflow)]
    return {name: clock.title for flow in flows for name, clock in flow.clocks.items()}


def _tried(here: Visit, notice: Notice) -> dict[str, Any]:
    """Return what a notice changes: days that come and go, deadlines that move, years that count as published."""
    with here.site.database.read() as session:
        table = working_days.read_table(session)
        guesses = working_days.provisional_days(session)
        hours, unread = offices(here.site.loop, session)
        moves = moved_clocks.preview(session, notice, hours)
        titles = _titles(here, session)
    moved = [move for move in moves if move.moves]
    return {
        "notice": notice,
        "days": [(day, day.date not in table.days, table.days.get(day.date)) for day in notice.days],
        "dropped": [day for day in table.replaced(notice) if day not in guesses],
        "moved": moved,
        "titles": titles,
        "unread": unread,
        "marked": len(moves) - len(moved),
        "too_many": len({move.number for move in moves}) > _MOST,
        "bound": _MOST,
        "version": table.version,
    }


@router.post("/admin/calendar/import/load")
async def load(request: Request, here: Loader) -> Response:
    """Take the notice in and move the deadlines, by what the command calls; the register names who did.

    Raises Stale where the calendar has changed meanwhile, Conflict for more than a page moves, BadInput for what was not
    looked at.
    """
    form = await request.form()
    version, carried = version_of(form), unpacked(form)
    try:
        name, content = str(carried["name"]), base64.b64decode(str(carried["content"]))
        notice = await anyio.to_thread.run_sync(read_notice, content, name)
    except (KeyError, binascii.Error, BadNotice):
        raise BadInput(INCOMPLETE) from None
    moved, damaged = await anyio.to_thread.run_sync(partial(_loaded, here, notice, version))
    return RedirectResponse(f"/admin/calendar?loaded={len(notice.days)}&moved={moved}&damaged={damaged}", 303)


def _loaded(here: Visit, notice: Notice, version: int) -> tuple[int, int]:
    """Return how many grievances' deadlines were moved, and how many could not be because their record is damaged."""
    site = here.site
    with site.database.begin() as session:
        hours, _ = offices(site.loop, session)
        if len({move.number for move in moved_clocks.preview(session, notice, hours)}) > _MOST:
            raise Conflict(f"会改动 {_MOST} 件以上的时限，页面上不做：请用命令 wuye-loop calendar import")
        working_days.import_notice(session, notice, here.times.now)
        if working_days.read_table(session).version != version + 1:
            raise Stale("日历刚刚有了变化，这一次没有装入：请再看一遍会改动什么")
        by = here.person.account
        accounts.note(session, by.id, "calendar loaded", by.login, here.times.now, site.loop.ids)
    done, damaged = 0, list[str]()
    for done, damaged in recount(site.loop, site.database, outstanding(site.database, hours)):  # noqa: B007 the last says all
        pass
    return done - len(damaged), len(damaged)
