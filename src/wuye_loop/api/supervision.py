"""What supervisors work with: what is overdue and how far it was escalated, counts, supervision orders."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from wuye_loop.api.examples import TASK, answer, problems
from wuye_loop.api.grievances import as_json
from wuye_loop.api.supervision_examples import ORDERS, OVERDUE, RISING, SUMMARY
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.edge.actors import Caller
from wuye_loop.edge.idempotency import IdempotencyKey, IfMatch, terms_of
from wuye_loop.edge.paging import Order, Paging, Word, identifier, instant, listed
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.spans import SpanText, span
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read, transact
from wuye_loop.loop import handle
from wuye_loop.loop.engine import StepResult, Terms
from wuye_loop.queries import rising as rising_queries
from wuye_loop.queries import summary as summary_queries
from wuye_loop.queries import supervision
from wuye_loop.store.reads.summary import Dimension

router = APIRouter(route_class=StrictRoute, tags=["升级督办"])

_LATEST = Order("overdue", (instant, identifier))
_NEWEST = Order("orders", (instant, identifier))


class OverdueQuery(Paging):
    """The filters of the overdue list; `unit` is the unit that a clock runs against."""

    clock: Word | None = None
    rung: Annotated[int | None, Field(ge=0, le=100)] = None
    area: Word | None = None
    unit: Word | None = None
    older_than: SpanText | None = None


@router.get("/v1/supervision/overdue", summary="逾期与升级", responses=answer(OVERDUE, 401, 403, 422, 503))
async def overdue(request: Request, actor: Caller, query: Annotated[OverdueQuery, Query()]) -> Response:
    """管辖范围内正在逾期的时限，逾期最久的在前：逾期多少工作时间、升到哪一级、谁在办、发过哪些督办单。"""
    site, after = site_of(request), _LATEST.read(query.cursor)
    page = await read(
        site,
        lambda session: supervision.overdue(
            site.loop,
            session,
            actor,
            supervision.Late(
                query.clock, query.rung, query.area, query.unit, span(query.older_than) if query.older_than else None
            ),
            after=(after[0], after[1]) if after else None,
            limit=query.limit,
        ),
        reader=actor,
    )
    return listed(request, page.items, _LATEST.write(page.next))


class SummaryQuery(BaseModel):
    """By what the counts are taken, and within which area."""

    model_config = ConfigDict(extra="forbid")
    by: Dimension = "area"
    area: Word | None = None


@router.get("/v1/supervision/summary", summary="督办汇总", responses=answer(SUMMARY, 401, 403, 422, 503))
async def summary(request: Request, actor: Caller, query: Annotated[SummaryQuery, Query()]) -> Response:
    """按属地(所问属地的下一级)、单位、小区、类别或督办级计数；每个比率都附分子和分母。按转办方式(router)是另一组数：收件时提出的单位后来怎样。"""
    site = site_of(request)
    return as_json(
        await read(
            site,
            lambda session: summary_queries.summarise(site.loop, session, actor, query.by, query.area),
            reader=actor,
        )
    )


class RisingQuery(BaseModel):
    """Within which area."""

    model_config = ConfigDict(extra="forbid")
    area: Word | None = None


@router.get("/v1/supervision/rising", summary="上升的问题", responses=answer(RISING, 401, 403, 422, 503))
async def rising(request: Request, actor: Caller, query: Annotated[RisingQuery, Query()]) -> Response:
    """最近两周里，哪个小区的哪类诉求在七天里比它自己往常多得不像碰巧；可据此未诉先办。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: rising_queries.rising(site.loop, session, actor, query.area)))


class OrdersQuery(Paging):
    """The filters of the list of supervision orders; `unit` is whom they are addressed to."""

    state: Word | None = None
    unit: Word | None = None
    area: Word | None = None


@router.get("/v1/supervision/orders", summary="督办单", responses=answer(ORDERS, 401, 403, 422, 503))
async def orders(request: Request, actor: Caller, query: Annotated[OrdersQuery, Query()]) -> Response:
    """督办单及其文号、受文单位、抄送、回复时限、签收和销号，新的在前。"""
    site, after = site_of(request), _NEWEST.read(query.cursor)
    page = await read(
        site,
        lambda session: supervision.orders(
            site.loop,
            session,
            actor,
            state=query.state,
            unit=query.unit,
            area=query.area,
            after=(after[0], after[1]) if after else None,
            limit=query.limit,
        ),
        reader=actor,
    )
    return listed(request, page.items, _NEWEST.write(page.next))


class NewOrder(BaseModel):
    """A supervision order to be issued; what may be written is checked by the grievance's own workflow."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"grievance": "WY261121-7KQ2M9XD", "document": "督办单", "demand": "三日内到场处理并书面回复"}
        },
    )
    grievance: Annotated[str, StringConstraints(strict=True, max_length=40)]
    unit: Annotated[str | None, StringConstraints(strict=True, max_length=64)] = None
    document: Annotated[str | None, StringConstraints(strict=True, max_length=64)] = None
    demand: Annotated[str | None, StringConstraints(strict=True, max_length=4000)] = None


@router.post(
    "/v1/supervision/orders",
    status_code=201,
    summary="签发督办单",
    responses={**answer(TASK, status=201), **problems(400, 401, 403, 404, 409, 412, 422, 503)},
)
async def issue(
    request: Request,
    actor: Caller,
    order: Annotated[NewOrder, Body()],
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """对一件诉求签发督办单：编文号、定受文单位、起回复时限。不写 unit 则发给承办单位。"""
    site, terms = site_of(request), await terms_of(request, actor, key, if_match)
    form = order.model_dump(exclude={"grievance"}, exclude_none=True)
    return await transact(site, partial(_issue, site, order.grievance, actor, form, terms))


def _issue(site: Site, number: str, actor: Actor, form: dict[str, Any], terms: Terms, session: Session) -> StepResult:
    kind = supervision.kind_for(site.loop, session, actor, number)
    return handle.open_task(site.loop, session, number, kind, actor, form, terms)
