"""A grievance by its number: what it is, what may be done, doing it. For every kind of key, within its jurisdiction."""

import re
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import JsonValue

from wuye_loop.api.examples import ACTIONS, GRIEVANCE, TASK, answer, problems
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.edge.actors import Caller, caller
from wuye_loop.edge.idempotency import LONGEST_KEY, LONGEST_MATCH, IdempotencyKey, IfMatch, terms_of
from wuye_loop.edge.site import site_of
from wuye_loop.edge.strict_json import StrictRequest, StrictRoute, quick
from wuye_loop.edge.transact import act as take
from wuye_loop.edge.transact import read, transact
from wuye_loop.loop import handle
from wuye_loop.loop.grouped import Act
from wuye_loop.queries import choices

router = APIRouter(route_class=StrictRoute, tags=["诉求办理"])

_NUMBER = re.compile(r"[\w〔〕.-]{1,40}")
_ACTION = re.compile(r"[a-z][a-z0-9_]{0,39}")
Number = Annotated[str, Path(max_length=40, pattern=r"^[\w〔〕.-]+$", examples=["WY261121-7KQ2M9XD"])]
Name = Annotated[str, Path(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
FormBody = Annotated[
    dict[str, JsonValue] | None,
    Body(
        description="动作的表单，字段见 GET …/actions 给出的 JSON Schema",
        examples=[{"reason": "非本单位职责", "legal_basis": "职责清单第 3 条"}],
    ),
]
_WRITE = problems(400, 401, 403, 404, 409, 412, 422, 503)


def as_json(value: Any) -> Response:
    """Return an answer of JSON."""
    return Response(orjson.dumps(value), media_type="application/json")


@router.get("/v1/grievances/{number}/actions", summary="现在能做什么", responses=answer(ACTIONS, 401, 404))
async def actions(request: Request, actor: Caller, number: Number) -> Response:
    """本密钥此刻可做的动作与可发起的任务，各附表单(JSON Schema);做不了的说明原因。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: choices.on_grievance(site.loop, session, number, actor)))


@router.post("/v1/grievances/{number}/actions/{action}", summary="办理动作", responses={**answer(GRIEVANCE), **_WRITE})
async def act(
    request: Request,
    actor: Caller,
    number: Number,
    action: Name,
    form: FormBody = None,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """受理、转办、签收、退单、办结、审核、回访、评价……名称和表单由本件的流程文件规定。"""
    return await _take(request, actor, number, action, form or {}, key, if_match)


@quick(act)
async def act_quickly(request: StrictRequest) -> Response | None:
    """Do the same for a request that has nothing unusual; see edge/strict_json.quick."""
    number, action = request.path_params["number"], request.path_params["action"]
    key, if_match = request.headers.get("idempotency-key"), request.headers.get("if-match")
    form = await request.json() if await request.body() else {}
    ordinary = (
        _NUMBER.fullmatch(number) is not None
        and _ACTION.fullmatch(action) is not None
        and isinstance(form, dict)
        and len(key or "") <= LONGEST_KEY
        and len(if_match or "") <= LONGEST_MATCH
    )
    if not ordinary:
        return None
    return await _take(request, await caller(request), number, action, form, key, if_match)


async def _take(
    request: Request,
    actor: Actor,
    number: str,
    action: str,
    form: dict[str, Any],
    key: str | None,
    if_match: str | None,
) -> Response:
    site, terms = site_of(request), await terms_of(request, actor, key, if_match)
    return await take(site, Act(number, action, actor, form, terms))


@router.post(
    "/v1/grievances/{number}/tasks/{kind}",
    status_code=201,
    summary="发起任务(协办、延期、挂起、督办单……)",
    responses={**answer(TASK, status=201), **_WRITE},
)
async def open_task(
    request: Request,
    actor: Caller,
    number: Number,
    kind: Name,
    form: FormBody = None,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """在诉求上发起一件任务；任务的种类由流程文件规定。"""
    site, terms = site_of(request), await terms_of(request, actor, key, if_match)
    return await transact(
        site, lambda session: handle.open_task(site.loop, session, number, kind, actor, form or {}, terms)
    )


@router.get("/v1/tasks/{task_id}/actions", summary="任务上现在能做什么", responses=answer(ACTIONS, 401, 404))
async def task_actions(request: Request, actor: Caller, task_id: UUID) -> Response:
    """本密钥此刻在这件任务上可做的动作。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: choices.on_task(site.loop, session, task_id, actor)))


@router.post("/v1/tasks/{task_id}/actions/{action}", summary="任务动作", responses={**answer(TASK), **_WRITE})
async def act_on_task(
    request: Request,
    actor: Caller,
    task_id: UUID,
    action: Name,
    form: FormBody = None,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """签收、完成、同意、不同意、回复、销号……由流程文件规定。If-Match 用诉求的 seq。"""
    site, terms = site_of(request), await terms_of(request, actor, key, if_match)
    return await transact(
        site, lambda session: handle.act_on_task(site.loop, session, task_id, action, actor, form or {}, terms)
    )
