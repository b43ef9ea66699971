"""What is read of grievances: one, what hangs on it, and lists. For every kind of key, within its jurisdiction."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from wuye_loop.api.examples import answer, problems
from wuye_loop.api.grievances import Number, as_json
from wuye_loop.api.reading_examples import (
    CHANGES,
    CLOCKS,
    IDENTITY,
    LEDGER,
    LISTED,
    ONE,
    ONE_TASK,
    ROUTING,
    SIMILAR,
    TASKS,
)
from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.terms import Stage
from wuye_loop.edge.actors import Caller
from wuye_loop.edge.paging import LONGEST_CURSOR, Order, Paging, Word, identifier, instant, integer, listed, transaction
from wuye_loop.edge.revealing import revealed
from wuye_loop.edge.site import site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read, reply
from wuye_loop.queries import changes as changes_queries
from wuye_loop.queries import grievance as grievance_queries
from wuye_loop.queries import grievances as grievances_queries
from wuye_loop.store.reads.changes import BEGINNING
from wuye_loop.store.reads.grievances import Filters

router = APIRouter(route_class=StrictRoute, tags=["诉求查阅"])

_NEWEST = Order("grievances", (instant, identifier))
_BY_CHANGE = Order("changes", (transaction, identifier, integer))
_BY_SEQ = Order("ledger", (integer,))
_SEEN = (401, 404, 422, 503)


class GrievanceQuery(Paging):
    """The filters of a list of grievances; `area` means its whole subtree."""

    state: Word | None = None
    stage: Stage | None = None
    area: Word | None = None
    unit: Word | None = None
    estate: Word | None = None
    category: Word | None = None
    q: Word | None = None
    external_id: Word | None = None
    source: Word | None = None


@router.get("/v1/grievances", summary="查诉求", responses=answer(LISTED, 401, 422, 503))
async def grievances(request: Request, actor: Caller, query: Annotated[GrievanceQuery, Query()]) -> Response:
    """管辖范围内的诉求，新的在前；属地按整片查,`q` 查标题、编号和自己来件的外部编号;`external_id` 只查自己的来件,督办和管理员查全部。"""
    site, after = site_of(request), _NEWEST.read(query.cursor)
    filters = Filters(
        query.state,
        query.stage,
        None,
        query.unit,
        query.estate,
        query.category,
        query.q,
        query.external_id,
        query.source,
    )
    page = await read(
        site,
        lambda session: grievances_queries.grievances(
            site.loop, session, actor, filters, query.area, (after[0], after[1]) if after else None, query.limit
        ),
        reader=actor,
    )
    return listed(request, page.items, _NEWEST.write(page.next))


class ChangesQuery(BaseModel):
    """Where to go on, and how many at once."""

    model_config = ConfigDict(extra="forbid")
    after: Annotated[str | None, Field(max_length=LONGEST_CURSOR, description="上次答复里的 next;不写从头")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="至多几项")] = 200


@router.get("/v1/changes", summary="有变化的诉求", responses=answer(CHANGES, 401, 422, 503))
async def changes(request: Request, actor: Caller, query: Annotated[ChangesQuery, Query()]) -> Response:
    """自游标以来管辖范围内有变化的诉求，按提交的次序，不漏；可能重复。没有新的也给 `next`,下次从那里问；`more` 说还有没有。"""
    site, after = site_of(request), _BY_CHANGE.read(query.after, "after")
    mark = (after[0], after[1], after[2]) if after else BEGINNING
    items, following, more = await read(
        site, lambda session: changes_queries.since(site.loop, session, actor, mark, query.limit)
    )
    written = _BY_CHANGE.write(following)
    return as_json({"items": items, "next": written, "more": more})


@router.get("/v1/grievances/{number}", summary="一件诉求", responses=answer(ONE, *_SEEN))
async def grievance(request: Request, actor: Caller, number: Number) -> Response:
    """诉求现在的样子。诉求人身份不在其中，地址只到楼栋;ETag 是 seq,可放进 If-Match。"""
    site = site_of(request)
    shown = await read(
        site, lambda session: grievance_queries.grievance(site.loop, session, number, actor), reader=actor
    )
    response = as_json(shown)
    response.headers["ETag"] = f'"{shown["seq"]}"'
    return response


@router.get("/v1/grievances/{number}/ledger", summary="流转台账", responses=answer(LEDGER, *_SEEN))
async def ledger(request: Request, actor: Caller, number: Number, query: Annotated[Paging, Query()]) -> Response:
    """何时、谁、做了什么、从哪到哪。逐行逐项按读者过滤：热线看公开的，单位看办理的，派单和督办看全部。"""
    site, after = site_of(request), _BY_SEQ.read(query.cursor)
    page = await read(
        site,
        lambda session: grievance_queries.ledger(
            site.loop, session, number, actor, after[0] if after else 0, query.limit
        ),
        reader=actor,
    )
    return listed(request, page.items, _BY_SEQ.write(page.next))


@router.get("/v1/grievances/{number}/clocks", summary="时限", responses=answer(CLOCKS, *_SEEN))
async def clocks(request: Request, actor: Caller, number: Number) -> Response:
    """诉求和它的任务的全部时限：从何时、到何时、为何移动、哪一级已触发。"""
    site = site_of(request)
    return as_json(
        {
            "items": await read(
                site, lambda session: grievance_queries.clocks(site.loop, session, number, actor), reader=actor
            )
        }
    )


@router.get("/v1/grievances/{number}/similar", summary="同类诉求", responses=answer(SIMILAR, 401, 403, 404, 422, 503))
async def similar(request: Request, actor: Caller, number: Number) -> Response:
    """同一小区或同一属地、前后一段时间里，说的可能是同一件事的诉求，附相似度；只提示，不并案。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: grievance_queries.similar(site.loop, session, number, actor)))


@router.get("/v1/grievances/{number}/tasks", summary="任务", responses=answer(TASKS, *_SEEN))
async def tasks(request: Request, actor: Caller, number: Number) -> Response:
    """诉求上的全部任务：协办、延期、挂起、督办单……"""
    site = site_of(request)
    return as_json(
        {
            "items": await read(
                site, lambda session: grievance_queries.tasks(site.loop, session, number, actor), reader=actor
            )
        }
    )


@router.get("/v1/grievances/{number}/routing", summary="转办依据", responses=answer(ROUTING, *_SEEN))
async def routing(request: Request, actor: Caller, number: Number) -> Response:
    """每一次转办试过哪些规则、为何定给这个单位；收件时的一行只是建议。"""
    site = site_of(request)
    return as_json(
        {
            "items": await read(
                site, lambda session: grievance_queries.routing(site.loop, session, number, actor), reader=actor
            )
        }
    )


@router.get("/v1/tasks/{task_id}", summary="一件任务", responses=answer(ONE_TASK, *_SEEN))
async def task(request: Request, actor: Caller, task_id: UUID) -> Response:
    """任务和它的时限;ETag 是诉求的 seq。"""
    site = site_of(request)
    shown = await read(site, lambda session: grievance_queries.task(site.loop, session, task_id, actor), reader=actor)
    response = as_json(shown)
    response.headers["ETag"] = f'"{shown["seq"]}"'
    return response


def _reason(value: str) -> str:
    cleaned = clean(value, max_len=500)
    if not cleaned:
        raise BadValue("请写明理由")
    return cleaned


class Reveal(BaseModel):
    """Why somebody must know who complained."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "需上门核实，联系诉求人"}})
    reason: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=500), AfterValidator(_reason)]


@router.post(
    "/v1/grievances/{number}/identity",
    summary="查看诉求人身份",
    responses={**answer(IDENTITY), **problems(400, 401, 403, 404, 410, 422, 429, 503)},
)
async def identity(request: Request, actor: Caller, number: Number, form: Annotated[Reveal, Body()]) -> Response:
    """须有 identity:reveal 权限；理由照写规定的几种之一，或至少十个字。谁、何时、从哪个地址、为何查看，同时记入台账。

    答复带水印编号 watermark，前端应显示在身份旁边：凭它能查出是谁看的。一人一天有上限，超过要另一人批准(429)。
    物业企业永远不能查看。答复不留存。
    """
    return reply(await revealed(request, number, actor, form.reason))
