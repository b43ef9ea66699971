"""What the 12345 hotline uses: push orders, one or a thousand at a time."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.util import await_only

from wuye_loop import metrics
from wuye_loop.api.examples import GRIEVANCE, RECEIPT, answer, problems
from wuye_loop.api.grievances import Number
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.order import Complainant, Correction, IntakeForm, Place, Supplement
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.actors import only
from wuye_loop.edge.database_faults import fault
from wuye_loop.edge.field_errors import findings
from wuye_loop.edge.idempotency import IdempotencyKey, IfMatch, terms_of, ticket_of
from wuye_loop.edge.rates import INTAKE, owe
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.strict_json import TAINTED, StrictRoute, by_item
from wuye_loop.edge.transact import push as take_in
from wuye_loop.edge.transact import reply, taken_in, transact
from wuye_loop.loop import correct as correcting
from wuye_loop.loop.collect import Incoming
from wuye_loop.loop.engine import StepResult
from wuye_loop.store.database import Write

router = APIRouter(route_class=StrictRoute, tags=["12345 热线"])
Hotline = Annotated[Actor, Depends(only(ActorKind.HOTLINE))]
Sender = Annotated[Actor, Depends(only(ActorKind.HOTLINE, ActorKind.UNIT))]
Corrector = Annotated[Actor, Depends(only(ActorKind.HOTLINE, ActorKind.ADMIN))]
_MOST = 1000
_A_TURN = 50
_NAMES = frozenset(IntakeForm.model_fields) | frozenset(Place.model_fields) | frozenset(Complainant.model_fields)


class Receipt(BaseModel):
    """The answer to an intake: the number to ask by, where the grievance stands, what the routers would say, when due."""

    model_config = ConfigDict(json_schema_extra={"example": RECEIPT})
    number: str
    state: str
    stage: str
    workflow: str
    category: str | None
    urgency: str
    lead_unit: str | None
    holder_unit: str | None
    routing: list[dict[str, Any]]
    due: dict[str, str]
    flags: list[str]
    text: str | None
    seq: int
    external_id: str


@router.post(
    "/v1/grievances",
    status_code=201,
    summary="推送一件诉求",
    response_model=Receipt,
    responses={
        200: {"model": Receipt, "description": "同一来源同一外部编号，内容相同：与第一次相同的答复"},
        **problems(401, 403, 409, 413, 422, 503),
    },
)
async def push(request: Request, actor: Sender, form: IntakeForm, key: IdempotencyKey = None) -> Response:
    """统一收集：接收一件诉求。重复推送只会有一件。单位登记检查、会议等来源的诉求也用这个接口，哪些单位可以由流程文件规定。"""
    site = site_of(request)
    ticket = await ticket_of(request, actor, key)
    try:
        outcome = await take_in(site, Incoming(form), actor, ticket)
    except WuyeError:
        metrics.intake_total.labels("refused").inc()
        raise
    metrics.intake_total.labels("replayed" if outcome.replayed else "new").inc()
    return reply(outcome)


class Batch(BaseModel):
    """Up to 1,000 orders."""

    model_config = ConfigDict(extra="forbid")
    items: Annotated[list[dict[str, JsonValue]], Field(min_length=1, max_length=_MOST)]


@router.post(
    "/v1/grievances:batch",
    summary="批量推送诉求(至多 1000 件)",
    responses={
        200: {"content": {"application/json": {"example": {"items": [{"status": 201, **RECEIPT}]}}}},
        **problems(401, 403, 413, 422, 503),
    },
)
@by_item
async def push_batch(request: Request, actor: Hotline, batch: Annotated[Batch, Body()]) -> Response:
    """逐件答复，次序与来件相同；一件有误不影响其余。重发整批是安全的。"""
    site = site_of(request)
    owe(request, actor, INTAKE, len(batch.items) - 1)
    read: list[Incoming | dict[str, Any]] = []
    for item in batch.items:
        read.append(_read(item))
        if len(read) % _A_TURN == 0:
            await asyncio.sleep(0)  # others are served meanwhile
    orders = [one for one in read if isinstance(one, Incoming)]
    outcomes = iter(await site.database.writing_async(partial(_taken_in, site, orders, actor)))
    answers = [_answer(next(outcomes)) if isinstance(one, Incoming) else one for one in read]
    return Response(orjson.dumps({"items": answers}), media_type="application/json")


def _taken_in(
    site: Site, orders: Sequence[Incoming], actor: Actor, write: Write
) -> list[StepResult | WuyeError | SQLAlchemyError]:
    return list(taken_in(site, orders, actor, write, lambda: await_only(asyncio.sleep(0))))


def _read(item: dict[str, JsonValue]) -> Incoming | dict[str, Any]:
    """Return the order that an item is, or the answer to one that is none."""
    try:
        if item != TAINTED:
            return Incoming(IntakeForm.model_validate(item))
        fields = [{"path": "", "problem": "含有空字符或不成对的代理字符"}]
    except ValidationError as error:
        fields = findings(error.errors(include_url=False), _NAMES)
    metrics.intake_total.labels("refused").inc()
    return {"status": 422, "type": "/problems/bad-input", "fields": fields}


def _answer(outcome: StepResult | WuyeError | SQLAlchemyError) -> dict[str, Any]:
    if isinstance(outcome, SQLAlchemyError):
        # This item's own transaction failed; the others' stand. It may be sent again.
        trouble = fault(outcome) or WuyeError()
        return {"status": trouble.status, "type": f"/problems/{trouble.slug}", "detail": trouble.detail}
    if isinstance(outcome, WuyeError):
        metrics.intake_total.labels("refused").inc()
        return {
            "status": outcome.status,
            "type": f"/problems/{outcome.slug}",
            "detail": outcome.detail,
            **outcome.extra,
        }
    metrics.intake_total.labels("replayed" if outcome.replayed else "new").inc()
    receipt: dict[str, Any] = orjson.loads(outcome.body)
    return {"status": outcome.status, **receipt}


_CORRECTED = {**answer(GRIEVANCE), **problems(400, 401, 403, 404, 409, 410, 412, 422, 503)}


@router.patch("/v1/grievances/{number}", summary="更正来件", responses=_CORRECTED)
async def correct(
    request: Request,
    actor: Corrector,
    number: Number,
    form: Correction,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """推送它的热线(或管理员)更正小区属地、类别、类型、电话、标题、内容、时间，写明理由；没写的不动。更正前后记入台账，时限不动。"""
    site, terms = site_of(request), await terms_of(request, actor, key, if_match)
    return await transact(site, lambda session: correcting.correct(site.loop, session, number, form, actor, terms))


@router.post("/v1/grievances/{number}/supplements", summary="补充来件", responses=_CORRECTED)
async def supplement(
    request: Request,
    actor: Corrector,
    number: Number,
    form: Supplement,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """诉求人补充的话，接在内容后面；有红线词的照样警示。"""
    site, terms = site_of(request), await terms_of(request, actor, key, if_match)
    return await transact(
        site, lambda session: correcting.supplement(site.loop, session, number, form.text, actor, terms)
    )
