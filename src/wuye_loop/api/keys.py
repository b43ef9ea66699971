"""Keys, for who keeps them (安全管理员): made, rotated, ended; and what takes a second person."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import orjson
import structlog
from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from wuye_loop.api.audit_examples import APPROVAL, APPROVALS, ENDED, MADE
from wuye_loop.api.examples import answer, problems
from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import holders
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time import spans
from wuye_loop.edge.actors import Caller, Holder, only
from wuye_loop.edge.paging import Order, Paging, identifier, instant, listed
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read, transact
from wuye_loop.loop.access import approvals, keys
from wuye_loop.loop.engine import StepResult
from wuye_loop.queries import keys as key_queries
from wuye_loop.store.keys.api_keys import KeyWish, MadeKey
from wuye_loop.store.keys.approvals import Approval, ApprovalState

if TYPE_CHECKING:
    from datetime import timedelta

router = APIRouter(route_class=StrictRoute, tags=["密钥"])
Keeper = Annotated[Actor, Depends(only(ActorKind.SECURITY))]
_NEWEST = Order("approvals", (instant, identifier))
_WRITE = problems(400, 401, 403, 404, 409, 422, 503)
_log = structlog.get_logger("wuye_loop.keys")
_Wanted = Callable[[Session], MadeKey | Approval]


def _cleaned(value: str) -> str:
    return clean(value, max_len=500)


def _overlap(value: str) -> str:
    try:
        spans.elapsed(value)
    except ValueError:
        raise BadValue("要写天、小时、分钟，如 7 days、24 hours") from None
    return value


Text = Annotated[str, StringConstraints(strict=True, max_length=500), AfterValidator(_cleaned)]
HolderName = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=holders.LONGEST), AfterValidator(holders.cleaned)
]
Code = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=64), AfterValidator(_cleaned)]
Days = Annotated[int, Field(strict=True, ge=1, le=3660, description="有效天数；不写不过期")]


class NewKey(BaseModel):
    """A key for a person; what goes with which role is told by who refuses it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"role": "unit", "unit": "market", "holder": "李四 2002", "days": 365}},
    )
    role: Code
    holder: HolderName
    unit: Code | None = None
    area: Code | None = None
    source: Code | None = None
    days: Days | None = None
    reveal: bool | None = None
    reason: Text = ""


@router.post(
    "/v1/admin/keys",
    status_code=201,
    summary="发放密钥",
    responses={
        **answer(MADE, status=201),
        202: {"description": "要第二个人批准", "content": {"application/json": {"example": APPROVAL}}},
        **_WRITE,
    },
)
async def make(request: Request, actor: Keeper, form: Annotated[NewKey, Body()]) -> Response:
    """密钥只在这个答复里出现一次。系统管理员、安全管理员、审计、热线密钥和能看身份的密钥要第二个人批准：先答 202 和申请，
    批准后由申请人领取(POST /v1/approvals/{id}/key)。演练和演示里不用。
    """  # noqa: D205 the second line goes on with the first
    site = site_of(request)
    wish = KeyWish(**form.model_dump(exclude={"reason"}))
    now, ids = site.loop.clock.now(), site.loop.ids
    work = partial(keys.make, actor=actor, wish=wish, reason=form.reason, now=now, ids=ids, alone=site.make_believe)
    return await _answered(site, actor, work)


class Rotation(BaseModel):
    """How long the old key goes on beside the new one, and how long the new one lives."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"overlap": "7 days"}})
    overlap: Annotated[str, StringConstraints(strict=True, max_length=40), AfterValidator(_overlap)] = "7 days"
    days: Days | None = None
    reason: Text = ""


@router.post(
    "/v1/admin/keys/{key_id}/rotate",
    status_code=201,
    summary="轮换密钥",
    responses={
        **answer(MADE, status=201),
        202: {"description": "要第二个人批准", "content": {"application/json": {"example": APPROVAL}}},
        **_WRITE,
    },
)
async def rotate(request: Request, actor: Keeper, key_id: UUID, form: Annotated[Rotation, Body()]) -> Response:
    """同一持有人、同样的权限，换一个新密钥；旧的再用一段时间(overlap,至多 30 天)。要不要第二个人批准，与发放相同。"""
    site = site_of(request)
    now, ids = site.loop.clock.now(), site.loop.ids
    overlap: timedelta = spans.elapsed(form.overlap)
    work = partial(
        keys.rotate, actor=actor, key_id=key_id, overlap=overlap, days=form.days, reason=form.reason, now=now, ids=ids,
        alone=site.make_believe,
    )  # fmt: skip
    return await _answered(site, actor, work)


async def _answered(site: Site, actor: Actor, work: _Wanted) -> Response:
    """Answer with the key that was made, or with the request that waits for a second person."""

    def worked(session: Session) -> StepResult:
        made = work(session)
        if isinstance(made, MadeKey):
            return StepResult(_made(site, session, made), 201)
        return StepResult(orjson.dumps({"approval": key_queries.request_view(session, made)}), 202)

    response = await transact(site, worked)
    _log.info("key_made" if response.status_code == 201 else "key_asked", by=str(actor.key_id))  # noqa: PLR2004 HTTP's own
    return response


def _made(site: Site, session: Session, made: MadeKey) -> bytes:
    return orjson.dumps(
        {"key": made.text, **key_queries.one(site.loop.reference, session, made.id, site.loop.clock.now())}
    )


@router.post("/v1/admin/keys/{key_id}/revoke", summary="吊销密钥", responses={**answer(ENDED), **_WRITE})
async def revoke(request: Request, actor: Keeper, key_id: UUID) -> Response:
    """一秒内生效；已经吊销的答 200 和空的 revoked。"""
    site = site_of(request)
    work = partial(keys.end, actor=actor, key_id=key_id, now=site.loop.clock.now())
    return await _ended(site, actor, work)


class Leaver(BaseModel):
    """Who has left."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"holder": "李四 2002"}})
    holder: HolderName


@router.post("/v1/admin/keys:revoke", summary="吊销一个人的全部密钥", responses={**answer(ENDED), **_WRITE})
async def revoke_holder(request: Request, actor: Keeper, form: Annotated[Leaver, Body()]) -> Response:
    """人走了：他名下的密钥全部吊销，轮换中的旧密钥也在内。"""
    site = site_of(request)
    work = partial(keys.end_holder, actor=actor, holder=form.holder, now=site.loop.clock.now())
    return await _ended(site, actor, work)


async def _ended(site: Site, actor: Actor, work: Callable[[Session], list[UUID]]) -> Response:
    response = await transact(
        site, lambda session: StepResult(orjson.dumps({"revoked": [str(one) for one in work(session)]}))
    )
    _log.info("key_ended", by=str(actor.key_id))
    return response


# --- what takes a second person -------------------------------------------------------------------------------------


class MoreReveals(BaseModel):
    """How many identities more somebody must open today, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"extra": 20, "reason": "三栋楼停水，逐户回访三十户"}}
    )
    extra: Annotated[int, Field(strict=True, ge=1, le=approvals.MOST_EXTRA)]
    reason: Text


@router.post(
    "/v1/approvals",
    status_code=201,
    summary="申请多看几件身份",
    responses={**answer({"approval": APPROVAL["approval"]}, status=201), **problems(400, 401, 403, 409, 422, 503)},
)
async def ask(request: Request, actor: Caller, form: Annotated[MoreReveals, Body()]) -> Response:
    """今天查看身份的次数用完了，申请再加；由安全管理员(另一个人)批准，批准的当天有效。"""
    site = site_of(request)

    def worked(session: Session) -> StepResult:
        now, ids = site.loop.clock.now(), site.loop.ids
        asked = approvals.ask_for_reveals(session, actor, form.extra, form.reason, site.loop.reveals, now, ids)
        return StepResult(orjson.dumps({"approval": key_queries.request_view(session, asked)}), 201)

    return await transact(site, worked)


class ApprovalQuery(Paging):
    """Which requests are wanted: open, approved, refused, used."""

    state: ApprovalState | None = None


@router.get("/v1/approvals", summary="申请", responses=answer(APPROVALS, 401, 422, 503))
async def requests(request: Request, actor: Holder, query: Annotated[ApprovalQuery, Query()]) -> Response:
    """要第二个人批准的申请，新的在前。安全管理员和审计看全部，别人看自己这把密钥提出的。"""
    site, after = site_of(request), _NEWEST.read(query.cursor)
    everybodys = actor.kind in (ActorKind.SECURITY, ActorKind.AUDITOR) and not actor.area_path
    mine = None if everybodys else actor.key_id
    page = await read(
        site,
        lambda session: key_queries.requests(
            session, mine, query.state, (after[0], after[1]) if after else None, query.limit
        ),
    )
    return listed(request, page.items, _NEWEST.write(page.next))


class Decision(BaseModel):
    """What is to be said of it, if anything."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"note": "已电话核实"}})
    note: Text | None = None


DecisionBody = Annotated[Decision | None, Body()]


@router.post("/v1/approvals/{approval_id}/approve", summary="批准申请", responses={**answer(APPROVAL), **_WRITE})
async def approve(request: Request, actor: Keeper, approval_id: UUID, form: DecisionBody = None) -> Response:
    """安全管理员批准另一个人的申请；持有人或工号相同的不算另一个人。"""
    return await _decided(request, actor, approval_id, form, approved=True)


@router.post("/v1/approvals/{approval_id}/refuse", summary="不批准申请", responses={**answer(APPROVAL), **_WRITE})
async def refuse(request: Request, actor: Keeper, approval_id: UUID, form: DecisionBody = None) -> Response:
    """不批准；自己提出的可以这样撤回。"""
    return await _decided(request, actor, approval_id, form, approved=False)


async def _decided(
    request: Request, actor: Actor, approval_id: UUID, form: Decision | None, *, approved: bool
) -> Response:
    site = site_of(request)

    def worked(session: Session) -> StepResult:
        note = form.note if form is not None else None
        decided = approvals.decide(session, actor, approval_id, note, site.loop.clock.now(), approved=approved)
        return StepResult(orjson.dumps({"approval": key_queries.request_view(session, decided)}))

    response = await transact(site, worked)
    _log.info("approval_decided", approval=str(approval_id), approved=approved, by=str(actor.key_id))
    return response


@router.post(
    "/v1/approvals/{approval_id}/key",
    status_code=201,
    summary="领取批准了的密钥",
    responses={**answer(MADE, status=201), **_WRITE},
)
async def take(request: Request, actor: Keeper, approval_id: UUID) -> Response:
    """申请人领取，一次；密钥只在这个答复里出现。"""
    site = site_of(request)

    def worked(session: Session) -> StepResult:
        now, ids = site.loop.clock.now(), site.loop.ids
        made = keys.take(session, actor, approval_id, now, ids)
        return StepResult(_made(site, session, made), 201)

    response = await transact(site, worked)
    _log.info("key_made", by=str(actor.key_id))
    return response
