"""督办台: what is overdue and how far it was escalated; a supervision order is seen before it is issued."""

from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden, NotFound
from wuye_loop.edge.paging import Order, Word, identifier, instant
from wuye_loop.edge.spans import SpanText, span
from wuye_loop.edge.transact import outcome_of
from wuye_loop.loop import handle
from wuye_loop.loop.engine import StepResult, Terms
from wuye_loop.queries import choices, supervision
from wuye_loop.queries.surroundings import around
from wuye_loop.store.pages import Page
from wuye_loop.web import fields
from wuye_loop.web.addresses import next_page
from wuye_loop.web.exporting import MOST, Listing, exported
from wuye_loop.web.fields import Attempt, fields_of
from wuye_loop.web.language import listed, worded
from wuye_loop.web.lists import streets, unit_names
from wuye_loop.web.refusals import REFUSED, attempted
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.rows import Kind
from wuye_loop.web.sheets import files
from wuye_loop.web.staff.acting import ticket_of
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_LATEST = Order("overdue-page", (instant, identifier))
_NEWEST = Order("orders-page", (instant, identifier))
_PAGE = 30
_TOKEN_BYTES = 12
_COLUMNS = ("编号", "标题", "小区", "在谁手里", "时限", "到期", "超期", "督办级", "督办单")
_ORDER_COLUMNS = ("文号", "种类", "诉求", "标题", "主送", "签发", "回复期限", "状态")


class LateQuery(BaseModel):
    """What the overdue list is narrowed by."""

    model_config = ConfigDict(extra="ignore")
    rung: Annotated[int, Field(ge=0, le=100)] | Literal[""] = ""
    area: Word | Literal[""] = ""
    unit: Word | Literal[""] = ""
    clock: Word | Literal[""] = ""
    older: SpanText | Literal[""] = ""
    pick: Word | Literal[""] = ""
    cursor: Annotated[str | None, Field(max_length=600)] = None


@router.get("/supervision")
async def desk(request: Request, here: Here, query: Annotated[LateQuery, Query()]) -> Response:
    """Show what is overdue, the longest first, and the order to be issued for the one that was picked."""
    return await _desk(request, here, query)


async def _desk(
    request: Request, here: Visit, query: LateQuery, attempt: Attempt | None = None, status: int = 200
) -> Response:
    if not here.supervises:
        raise Forbidden("督办台只给督办人员用")
    after = _LATEST.read(query.cursor)
    found = await here.read(partial(_gather, here, query, attempt, (after[0], after[1]) if after else None))
    context = here.frame("supervision") | found
    context |= {
        "query": query,
        "files": files(request, "/supervision"),
        "next": next_page(request, _LATEST.write(found["page"].next)),
        "issued": request.query_params.get("issued"),
        "once": here.site.loop.ids.token(_TOKEN_BYTES),
    }
    return page("staff/supervision.html", context, status)


@router.get("/supervision.{how}")
async def as_file(request: Request, here: Here, how: Kind, query: Annotated[LateQuery, Query()]) -> Response:
    """Give what is overdue as it was seen, for a spreadsheet."""
    if not here.supervises:
        raise Forbidden("督办台只给督办人员用")
    listing = Listing("overdue", _COLUMNS, partial(_drawn, here, query), partial(_count, here, query))
    return await exported(request, here, how, listing)


def _drawn(here: Visit, query: LateQuery, after: Any, limit: int, session: Session) -> Any:
    found, rows = _rows(here, query, after, limit, session)
    return [_cells(row) for row in rows], found.next


def _asked(query: LateQuery) -> supervision.Late:
    return supervision.Late(
        query.clock or None,
        query.rung if isinstance(query.rung, int) else None,
        query.area or None,
        query.unit or None,
        span(query.older) if query.older else None,
    )


def _count(here: Visit, query: LateQuery, session: Session) -> int:
    return supervision.overdue_counted(here.site.loop, session, here.actor, _asked(query), most=MOST + 1)


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    orders = listed(one["number"] for one in row["orders"] if one["number"])
    return (
        row["number"], row["title"], row["near"].get("estate_name"), row["unit_name"] or worded(row["holder_name"]),
        worded(row["clock_title"]), row["badge"].at, row["badge"].words, worded(row["rung_title"]), orders,
    )  # fmt: skip


def _rows(
    here: Visit, query: LateQuery, after: Any, limit: int, session: Session
) -> tuple[Page[Any], list[dict[str, Any]]]:
    """Return a page of what is overdue, and its items with what stands beside each."""
    loop, actor = here.site.loop, here.actor
    found = supervision.overdue(loop, session, actor, _asked(query), after=after, limit=limit)
    near = around(loop, session, actor, [item["number"] for item in found.items])
    return found, [
        item
        | {
            "near": near.get(item["number"], {}),
            "badge": here.times.badge(item["due_at"], seconds=-item["overdue_seconds"]),
        }
        for item in found.items
    ]


def _gather(here: Visit, query: LateQuery, attempt: Attempt | None, after: Any, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    found, rows = _rows(here, query, after, _PAGE, session)
    directory = loop.reference.directory
    ladder = _ladder(loop, session)
    return {
        "page": found,
        "rows": rows,
        "ladder": ladder,
        "ladder_of": _laddered(loop, session),
        "order": _order(here, query.pick, attempt, session) if query.pick else None,
        "streets": streets(here),
        "unit_name": directory.name_of(query.unit) if query.unit else None,
        "units": unit_names(loop),
    }


def _laddered(loop: Any, session: Session) -> str | None:
    """Return the name of the clock whose rungs the page draws as bars."""
    clocks = loop.reference.rules(session, loop.default_workflow).workflow.clocks
    return next((name for name, one in clocks.items() if one.assessed and one.ladder), None)


def _ladder(loop: Any, session: Session) -> list[tuple[int, str]]:
    """Return the rungs of the clock by which units are assessed, as the default workflow names them."""
    rules = loop.reference.rules(session, loop.default_workflow)
    clock = next((one for one in rules.workflow.clocks.values() if one.assessed and one.ladder), None)
    if clock is None:
        return []
    return [(n, supervision.rung_title(rules, None, spec)) for n, spec in enumerate(clock.ladder)]


def _order(here: Visit, number: str, attempt: Attempt | None, session: Session) -> dict[str, Any] | None:
    """Return the order that could be issued for a grievance: its form, and what it would say."""
    loop, actor = here.site.loop, here.actor
    near = around(loop, session, actor, [number]).get(number)
    if near is None:
        return None
    kind = supervision.kind_for(loop, session, actor, number)
    offers = choices.offered(loop, session, number, actor)
    offer = next((one for one in offers["tasks"] if one["task"] == kind), None)
    if offer is None:
        return {"number": number, "near": near, "offer": None, "why": "您的账号不签发督办单"}
    return {
        "number": number,
        "near": near,
        "offer": offer,
        "why": offer["blocked"],
        "fields": fields_of(offer, attempt),
        "seq": offers["seq"],
        "attempt": attempt,
    }


@router.post("/supervision/{number}")
async def issue(request: Request, here: Here, number: Word) -> Response:
    """Issue an order: it takes the next number, which nobody can give back."""
    form = await request.form()
    found = await here.read(partial(_order, here, number, None))
    if found is None or found["offer"] is None:
        raise NotFound
    offer = found["offer"]
    try:
        answers = fields.answers(offer["form"].specs, form, here.site.loop.reference.directory)
        terms = Terms(None, ticket_of(request, here, form))
        outcome = await outcome_of(here.site, partial(_issue, here, number, offer["task"], answers, terms))
    except REFUSED as error:
        attempt = attempted("order", error, offer["form"].specs, form)
        return await _desk(request, here, LateQuery(pick=number), attempt, error.status)
    made = orjson.loads(outcome.body)
    return RedirectResponse(f"/papers/{made['document_number']}?issued=1", 303)


def _issue(here: Visit, number: str, kind: str, form: Any, terms: Terms, session: Session) -> StepResult:
    return handle.open_task(here.site.loop, session, number, kind, here.actor, form, terms)


class OrdersListQuery(BaseModel):
    """What the list of orders is narrowed by."""

    model_config = ConfigDict(extra="ignore")
    state: Word | Literal[""] = ""
    unit: Word | Literal[""] = ""
    cursor: Annotated[str | None, Field(max_length=600)] = None


@router.get("/supervision/orders")
async def orders(request: Request, here: Here, query: Annotated[OrdersListQuery, Query()]) -> Response:
    """Show the supervision orders that were issued: to whom, until when they are to be answered, whether signed off."""
    if not here.supervises:
        raise Forbidden("督办单登记只给督办人员看")
    after = _NEWEST.read(query.cursor)
    key = (after[0], after[1]) if after else None
    found = await here.read(partial(_orders, here, query, key))
    context = here.frame("supervision") | {"query": query, "rows": found.items}
    context["files"] = files(request, "/supervision/orders")
    context["next"] = next_page(request, _NEWEST.write(found.next))
    return page("staff/orders.html", context)


@router.get("/supervision/orders.{how}")
async def orders_as_file(
    request: Request, here: Here, how: Kind, query: Annotated[OrdersListQuery, Query()]
) -> Response:
    """Give the register of orders as it was seen, for a spreadsheet."""
    if not here.supervises:
        raise Forbidden("督办单登记只给督办人员看")
    count = partial(_orders_count, here, query)
    return await exported(
        request, here, how, Listing("orders", _ORDER_COLUMNS, partial(_orders_drawn, here, query), count)
    )


def _orders_drawn(here: Visit, query: OrdersListQuery, after: Any, limit: int, session: Session) -> Any:
    found = _orders(here, query, after, session, limit)
    return [_order_cells(here, row) for row in found.items], found.next


def _orders_count(here: Visit, query: OrdersListQuery, session: Session) -> int:
    return supervision.orders_counted(here.site.loop, session, here.actor, **_ordered(query), most=MOST + 1)


def _order_cells(here: Visit, row: dict[str, Any]) -> tuple[Any, ...]:
    reply = row["reply"]
    return (
        row["number"], worded(row["document"]), row["grievance"], row["title"], row["unit_name"],
        here.times.moment(row["issued_at"]), here.times.due(reply["due_at"]) if reply else None,
        worded(row["state_title"]),
    )  # fmt: skip


def _orders(here: Visit, query: OrdersListQuery, after: Any, session: Session, limit: int = _PAGE) -> Any:
    return supervision.orders(here.site.loop, session, here.actor, **_ordered(query), after=after, limit=limit)


def _ordered(query: OrdersListQuery) -> dict[str, Any]:
    return {"state": query.state or None, "unit": query.unit or None, "area": None}
