"""管理: who may sign in and call, the directory with its QR posters, the calendar, health, what was done with accounts."""

from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.directory.table import SECTIONS, shown
from wuye_loop.domain.errors import Forbidden, NotFound
from wuye_loop.domain.grievance.roles import wants_unit
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.paging import Word
from wuye_loop.edge.transact import read
from wuye_loop.queries.surroundings import estate as estate_of
from wuye_loop.store.calendar import names as day_names
from wuye_loop.store.calendar.working_days import provisional_days
from wuye_loop.store.keys import accounts, api_keys, sessions
from wuye_loop.store.reads import health
from wuye_loop.store.reads import surroundings as stored
from wuye_loop.web import visitors
from wuye_loop.web.addresses import as_code
from wuye_loop.web.language import say
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.visitors import Visit, only

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Reader = Annotated[Visit, only(ActorKind.ADMIN, ActorKind.AUDITOR)]
Keeper = Annotated[Visit, only(ActorKind.ADMIN, ActorKind.SECURITY, ActorKind.AUDITOR)]  # of accounts and keys
Count = Annotated[int, Query(ge=0, le=1_000_000)]

_EVENTS, _ESTATES = 200, 200
_LATE = timedelta(minutes=5)
_WEEKEND = 5
_WHATS = {
    "created": "开账号",
    "signed in": "登录",
    "signed out": "退出",
    "refused": "登录失败",
    "locked": "连续失败，暂时锁定",
    "password changed": "换口令",
    "second factor": "绑定动态口令",
    "session ended": "结束会话",
    "reset": "重设口令",
    "disabled": "停用",
    "remapped": "照身份系统更改",
    "directory loaded": "装入名录",
    "calendar loaded": "装入日历",
}


@router.get("/admin")
async def start(here: Reader) -> Response:
    """Show the health of the installation, and the way to the rest."""
    return page(
        "staff/admin.html", here.frame("admin") | {"tab": "health"} | await read(here.site, partial(_health, here))
    )


def _health(here: Visit, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    jobs = health.jobs(session)
    late, since = health.late_rungs(session, here.times.now - _LATE)
    unheld = [
        say("{workflow} {state} {n} 件", workflow=row.workflow, state=workflow.states[row.state].title, n=row.n)
        for row in health.unheld(session)
        if wants_unit(workflow := loop.reference.rules(session, row.workflow).workflow, row.state)
    ]
    ended = health.held_by_ended(session)
    marks = [
        ("数据库", True, f"PostgreSQL {health.version(session)}"),
        ("督办扫描", not late, f"{late} 级到点没有触发，最早 {here.times.moment(since)}" if late else "到点的都触发了"),
        ("后台进程", bool(jobs.working), "有进程在跑" if jobs.working else "没有 work 进程：不会发通知"),
        ("后台任务", not jobs.failed and not jobs.stalled, f"失败 {jobs.failed}，搁置 {jobs.stalled}，等候 {jobs.waiting}"),
        ("没有单位持有", not unheld, "、".join(unheld) or "没有"),
        ("停用单位持有", not ended, say("{n} 件", n=ended) if ended else "没有"),
    ]  # fmt: skip
    return {"marks": marks, "workflow": loop.default_workflow, "settings": here.site.settings}


@router.get("/admin/users")
async def users(here: Keeper) -> Response:
    """Show the accounts of people, and who is signed in."""
    found = await read(here.site, partial(_users, here))
    return page("staff/admin.html", here.frame("admin") | {"tab": "users", "rows": found, "roles": visitors.ROLES})


def _users(here: Visit, session: Session) -> list[dict[str, Any]]:
    directory, now = here.site.loop.reference.directory, here.times.now
    return [
        {
            "account": row,
            "unit_name": directory.name_of(row.unit_code),
            "sessions": len(sessions.listed(session, row.id, now)),
            "locked": row.locked_until is not None and row.locked_until > now,
        }
        for row in accounts.listed(session)
    ]


@router.post("/admin/users/{login}/end")
async def end_sessions(here: Keeper, login: str) -> Response:
    """End every session of an account. Raises Forbidden for an auditor, who changes nothing."""
    if here.actor.kind is ActorKind.AUDITOR:
        raise Forbidden("审计员只看，不改")
    await here.site.database.write_async(partial(_end, here, login))
    return RedirectResponse("/admin/users", 303)


def _end(here: Visit, login: str, session: Session) -> None:
    row = accounts.find(session, login)
    if row is None:
        raise NotFound
    sessions.end(session, row.id, here.times.now)
    by = here.person.account.login
    accounts.note(session, row.id, "session ended", by, here.times.now, here.site.loop.ids)


@router.get("/admin/keys")
async def keys(here: Keeper) -> Response:
    """Show the API keys by their beginnings; no key can be read again."""
    found = await read(here.site, partial(_keys, here))
    return page("staff/admin.html", here.frame("admin") | {"tab": "keys", "rows": found, "roles": visitors.ROLES})


def _keys(here: Visit, session: Session) -> list[dict[str, Any]]:
    directory, now = here.site.loop.reference.directory, here.times.now
    return [
        {
            "key": row,
            "unit_name": directory.name_of(row.unit_code),
            "live": row.revoked_at is None and (row.expires_at is None or row.expires_at > now),
        }
        for row in api_keys.listed(session)
    ]


@router.get("/admin/directory")
async def directory(
    here: Reader, q: Annotated[Word | None, Query()] = None, loaded: Literal["areas", "units", "estates", "people"] | None = None,
    added: Count = 0, changed: Count = 0,
) -> Response:  # fmt: skip
    """Show units and estates; each estate has a poster with its QR code. `loaded` says what was loaded just now."""
    found = await read(here.site, partial(_directory, here, q or ""))
    said = f"{SECTIONS[loaded].title}已经装入：新增 {added} 条，改动 {changed} 条。" if loaded else None
    return page("staff/admin.html", here.frame("admin") | {"tab": "directory", "q": q or "", "said": said} | found)


def _directory(here: Visit, words: str, session: Session) -> dict[str, Any]:
    known = here.site.loop.reference.directory
    units = [unit for unit in known.units.values() if words in unit.name or words == unit.code]
    rows = [
        {"code": row.code, "name": row.name, "area_name": known.areas[row.area_code].name if row.area_code in known.areas else ""}
        for row in stored.estates(session, words, _ESTATES)
    ]  # fmt: skip
    return {
        "units": [(unit, shown("kind", unit.kind), known.name_of(unit.parent_code)) for unit in units],
        "estates": rows,
        "areas": len(known.areas),
    }


@router.get("/admin/poster/{code}")
async def poster(
    request: Request,
    here: Reader,
    code: str,
    what: Annotated[Literal["report", "voice"], Query(alias="for")] = "report",
) -> Response:
    """Show a poster of an estate's lobby, to report or to score the company: one code, one sentence; made to be printed."""
    found = await read(here.site, lambda session: estate_of(here.site.loop, session, code))
    if found is None:
        raise NotFound
    address = f"{visitors.own_origin(request)}/{'v' if what == 'voice' else 'r'}/{found['code']}"
    picture = as_code(address, error="q", scale=10, border=2)
    context = here.frame("admin") | {"estate": found, "address": address, "picture": picture, "voice": what == "voice"}
    return page("staff/poster.html", context)


@router.get("/admin/calendar")
async def calendar(here: Reader, loaded: Count | None = None, moved: Count = 0, damaged: Count = 0) -> Response:
    """Show the days of this year and the next that differ from Monday to Friday. `loaded` says what was loaded just now."""
    found = await read(here.site, partial(_calendar, here))
    said = f"已经装入 {loaded} 天；调整了 {moved} 件诉求的时限。" if loaded else None
    left = f"{damaged} 件的记录损坏，时限没有调整：请运行 doctor，看是哪几件。" if loaded and damaged else None
    more = {"tab": "calendar", "days": found, "said": said, "left": left}
    return page("staff/admin.html", here.frame("admin") | more)


def _calendar(here: Visit, session: Session) -> list[dict[str, Any]]:
    year = here.times.today.year
    first, last = date(year, 1, 1), date(year + 1, 12, 31)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    book = here.times.calendar
    other = [day for day in every if book.is_workday(day) != (day.weekday() < _WEEKEND)]
    called = day_names.names(session, other)
    guessed = provisional_days(session)
    return [
        {"day": day, "works": book.is_workday(day), "name": called[day].name, "source": called[day].source,
         "provisional": day in guessed}
        for day in other
    ]  # fmt: skip


@router.get("/admin/audit")
async def audit(here: Keeper) -> Response:
    """Show what was done with accounts, the newest first."""
    found = await read(here.site, lambda session: accounts.events(session, _EVENTS))
    return page("staff/admin.html", here.frame("admin") | {"tab": "audit", "events": found, "whats": _WHATS})
