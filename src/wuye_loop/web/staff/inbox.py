"""收件箱: what lies with one's unit, least time left first; what is to be signed for can be signed for together."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.terms import ActorKind, Stage
from wuye_loop.edge.paging import Order, identifier, instant
from wuye_loop.edge.transact import outcome_of
from wuye_loop.loop import handle
from wuye_loop.loop.engine import StepResult
from wuye_loop.queries import choices, inbox, unit_figures
from wuye_loop.queries.inbox import PageTab
from wuye_loop.queries.surroundings import around
from wuye_loop.store.keys import desks
from wuye_loop.store.pages import Page
from wuye_loop.web.addresses import next_page
from wuye_loop.web.exporting import Listing, exported
from wuye_loop.web.language import say, worded
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.rows import Kind
from wuye_loop.web.sheets import files
from wuye_loop.web.visitors import Visit, only

router = APIRouter(route_class=PageRoute, include_in_schema=False)
OfUnit = Annotated[Visit, only(ActorKind.UNIT)]

_ORDER = Order("inbox", (instant, identifier))
_PAGE = 30
MOST_AT_ONCE = 100
_COLUMNS = ("编号", "标题", "种类", "类别", "小区", "社区", "状态", "紧急程度", "剩余时间", "到期")
TABS = (
    ("to_sign", "待签收"), ("all", "在手"), ("mine", "我经办"), ("due_soon", "将到期"), ("overdue", "超期"), ("feedback", "待审核回访"),
)  # fmt: skip


@router.get("/inbox")
async def show(
    request: Request, here: OfUnit, tab: PageTab = "all", cursor: Annotated[str | None, Query(max_length=600)] = None
) -> Response:
    """Show a part of the inbox."""
    after = _ORDER.read(cursor)
    found = await here.read(partial(_gather, here, tab, (after[0], after[1]) if after else None))
    context = here.frame("inbox") | found
    context |= {
        "tab": tab,
        "tabs": TABS,
        "files": files(request, "/inbox"),
        "next": next_page(request, _ORDER.write(found["page"].next)),
        "signed": request.query_params.get("signed"),
        "gone": request.query_params.get("gone"),
        "left_over": request.query_params.get("left"),
        "given": request.query_params.get("given"),
    }
    return page("staff/inbox.html", context)


@router.get("/inbox/badge")
async def badge(here: OfUnit) -> Response:
    """Say how many wait for the unit: to be signed for, and late; the menu of an open page shows it."""
    loop, actor = here.site.loop, here.actor
    found = await here.read(lambda session: inbox.counts(loop, session, actor))
    words = say("{sign} 件待签收，{late} 件超期", sign=found.to_sign, late=found.overdue)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return JSONResponse({"n": found.to_sign + found.overdue, "words": words}, headers=headers)


@router.get("/inbox.{how}")
async def as_file(request: Request, here: OfUnit, how: Kind, tab: PageTab = "all") -> Response:
    """Give a part of the inbox as it was seen, for a spreadsheet."""
    return await exported(
        request, here, how, Listing(f"inbox-{tab}", _COLUMNS, partial(_drawn, here, tab), partial(_count, here, tab))
    )


def _drawn(here: Visit, tab: PageTab, after: Any, limit: int, session: Session) -> Any:
    found, rows = _rows(here, tab, after, limit, session)
    return [_cells(row) for row in rows], found.next


def _count(here: Visit, tab: PageTab, session: Session) -> int:
    return int(getattr(inbox.counts(here.site.loop, session, here.actor), tab))


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    near, badge = row["near"], row["badge"]
    return (
        row["number"], row["title"], worded(row["kind_title"]), worded(near.get("category")), near.get("estate_name"),
        near.get("area_name"), worded(row["state_title"]), worded(row["urgency"]), badge.words if badge else None, badge.at if badge else None,
    )  # fmt: skip


def _rows(
    here: Visit, tab: PageTab, after: Any, limit: int, session: Session
) -> tuple[Page[Any], list[dict[str, Any]]]:
    """Return a page of the inbox, and its items with what stands beside each."""
    loop, actor = here.site.loop, here.actor
    found = inbox.of_unit(loop, session, actor, tab, after, limit)
    near = around(loop, session, actor, [item["number"] for item in found.items])
    return found, [item | {"near": near.get(item["number"], {}), "badge": _badge(here, item)} for item in found.items]


def _gather(here: Visit, tab: PageTab, after: Any, session: Session) -> dict[str, Any]:
    loop, actor = here.site.loop, here.actor
    found, rows = _rows(here, tab, after, _PAGE, session)
    numbers = [item["number"] for item in found.items if not item["task_id"]]
    tasks = [UUID(item["task_id"]) for item in found.items if item["task_id"]]
    given = desks.assigned(session, actor.unit or "", numbers, tasks)
    counts = inbox.counts(loop, session, actor)
    return {
        "page": found,
        "rows": [row | {"given": given.get(row["task_id"] or row["number"] or "")} for row in rows],
        "counts": counts,
        "tally": {name: getattr(counts, name) for name, _ in TABS},
        "colleagues": desks.colleagues(session, actor.unit or "", here.times.now),
        "figures": next(iter(unit_figures.by_unit(loop, session, actor, actor.unit)), None),
    }


def _badge(here: Visit, item: dict[str, Any]) -> Any:
    """Return how an item's deadline looks: what is left is counted as its limit is, in office time or as the hours go by."""
    working = bool(item.get("working"))
    return here.times.badge(item["due_at"], seconds=item["remaining_seconds"], working=working)


@router.post("/inbox/sign")
async def sign(request: Request, here: OfUnit) -> Response:
    """Sign for everything that was ticked; each by itself, so that one that cannot be does not stop the others."""
    form = await request.form()
    wanted = [str(item) for item in form.getlist("item")][:MOST_AT_ONCE]
    signed = 0
    for item in wanted:
        try:
            signed += await _signed(here, item)
        except WuyeError:
            continue  # counted below as left over: the page says how many
    return RedirectResponse(f"/inbox?tab=to_sign&signed={signed}&left={len(wanted) - signed}", 303)


async def _signed(here: Visit, item: str) -> bool:
    """Sign for one grievance or task; False where there is nothing to sign for."""
    try:
        task_id = UUID(item)
    except ValueError:
        task_id = None
    action = await here.read(partial(_signing, here, item, task_id))
    if action is None:
        return False
    await outcome_of(here.site, partial(_sign, here, item, task_id, action))
    return True


def _sign(here: Visit, item: str, task_id: UUID | None, action: str, session: Session) -> StepResult:
    if task_id is not None:
        return handle.act_on_task(here.site.loop, session, task_id, action, here.actor, {})
    return handle.act(here.site.loop, session, item, action, here.actor, {})


def _signing(here: Visit, item: str, task_id: UUID | None, session: Session) -> str | None:
    if task_id is not None:
        return choices.signing(choices.offered_on_task(here.site.loop, session, task_id, here.actor), None)
    offer = choices.offered(here.site.loop, session, item, here.actor)
    return choices.signing(offer["actions"], Stage.HANDLE)
