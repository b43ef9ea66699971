"""评价考核: periods with their scores and lists, what stands behind them, entering, closing, publishing, appeals, credit."""

from decimal import Decimal
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import anyio.to_thread
import orjson
from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from wuye_loop.api.assessment_examples import ASSESSMENT, ASSESSMENTS, CASES, CREDIT, DONE, EXPLAINED
from wuye_loop.api.examples import answer, problems
from wuye_loop.api.grievances import as_json
from wuye_loop.domain.grievance.order import CLEAN, FILLED
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.striking import struck
from wuye_loop.edge.actors import Caller
from wuye_loop.edge.paging import Group, Order, Paging, Revision, Word, identifier, listed
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read, transact
from wuye_loop.loop.engine import StepResult
from wuye_loop.loop.evaluate import appeals, closing, publication, scores
from wuye_loop.loop.evaluate.scores import Said
from wuye_loop.queries.assessment import bulletin, credit, tables
from wuye_loop.queries.assessment.sheets import MEDIA, Format, drawn
from wuye_loop.store.assessment.cases import Counted

router = APIRouter(route_class=StrictRoute, tags=["评价考核"])

SchemeName = Annotated[str, Path(max_length=50, pattern=r"^[a-z][a-z0-9-]*(@[0-9]+)?$")]
Code = Annotated[str, Path(max_length=12, pattern=r"^[0-9A-Z-]+$", examples=["2026-11"])]
Subject = Annotated[str, Path(max_length=40, pattern=r"^[\w.-]+$", examples=["company-1"])]
_CASES = Order("cases", (identifier,))
_WRITE = problems(400, 401, 403, 404, 409, 422, 503)


class RevisionQuery(BaseModel):
    """Which revision of a period; the newest where none is named."""

    model_config = ConfigDict(extra="forbid")
    revision: Revision = None


@router.get("/v1/assessments", summary="各期考核", responses=answer(ASSESSMENTS, 401, 422, 503))
async def every(request: Request, actor: Caller) -> Response:
    """已封账的各期（承办单位和热线只见已公布的），新的在前。"""
    site = site_of(request)
    return as_json({"items": await read(site, lambda session: tables.every(site.loop, session, actor))})


@router.get("/v1/assessments/{scheme}/{period}", summary="一期考核", responses=answer(ASSESSMENT, 401, 404, 422, 503))
async def one(
    request: Request, actor: Caller, scheme: SchemeName, period: Code, query: Annotated[RevisionQuery, Query()]
) -> Response:
    """得分、名次、榜单。承办单位只见本单位的得分和公布的榜单；更正另出一版，各版都可查阅（revision）。"""
    site = site_of(request)
    work = partial(tables.table, site.loop, actor=actor, which=scheme, code=period, revision=query.revision)
    return as_json(await read(site, lambda session: work(session=session)))


@router.get(
    "/v1/assessments/{scheme}/{period}/{subject}",
    summary="得分从何而来",
    responses=answer(EXPLAINED, 401, 404, 422, 503),
)
async def explained(
    request: Request,
    actor: Caller,
    scheme: SchemeName,
    period: Code,
    subject: Subject,
    query: Annotated[RevisionQuery, Query()],
) -> Response:
    """一个考核对象的每一项：分子、分母、剔除几件、怎样算的。"""
    site = site_of(request)
    return as_json(
        await read(
            site, lambda session: tables.explained(site.loop, session, actor, scheme, period, subject, query.revision)
        )
    )


class CasesQuery(Paging):
    """Which figure's cases: of all groups of the newest revision where nothing else is said."""

    item: Word
    peer: Group | None = None
    revision: Revision = None


@router.get(
    "/v1/assessments/{scheme}/{period}/{subject}/cases",
    summary="指标后面的诉求",
    responses=answer(CASES, 401, 404, 422, 503),
)
async def cases(
    request: Request,
    actor: Caller,
    scheme: SchemeName,
    period: Code,
    subject: Subject,
    query: Annotated[CasesQuery, Query()],
) -> Response:
    """一个指标（item）数到的诉求，各算多少；只列您能看到的，逐页。"""
    site, after = site_of(request), _CASES.read(query.cursor)
    of, last = Counted(subject, query.item, query.peer), after[0] if after else None
    page = await read(
        site,
        lambda session: tables.cases(site.loop, session, actor, scheme, period, of, last, query.limit, query.revision),
    )
    return listed(request, page.items, _CASES.write(page.next))


Points = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, max_digits=12, decimal_places=4)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1000), CLEAN, FILLED]
Short = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=60), CLEAN, FILLED]


class InputForm(BaseModel):
    """A score: which input, for whom, how much (or item by item), and whose voice it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"input": "owners", "subject": "company-1", "score": 92, "flat": "E1-3-2-501"}},
    )
    input: Short
    subject: Short
    peer: Short | None = None
    score: Points | None = None
    checklist: dict[Short, Points] = Field(default_factory=dict, max_length=100)
    flat: Short | None = None


def _answered(body: dict[str, Any], status: int = 200, jobs: Any = ()) -> StepResult:
    return StepResult(orjson.dumps(body), status, jobs)


@router.post("/v1/assessments/{scheme}/{period}/inputs", summary="评分", responses={**answer(DONE), **_WRITE})
async def enter(
    request: Request, actor: Caller, scheme: SchemeName, period: Code, form: Annotated[InputForm, Body()]
) -> Response:
    """业主、业委会、街道等的评分。封账前可改，一户（或一个单位）一票；谁评了多少分，除合计外无人可查。"""
    site = site_of(request)
    said = Said(form.input, form.subject, form.peer, form.score, form.checklist, form.flat)

    def work(session: Session) -> StepResult:
        return _answered({"new": scores.enter(site.loop, session, scheme, period, said, actor)})

    return await transact(site, work)


@router.post("/v1/assessments/{scheme}/{period}/close", summary="封账", responses={**answer(ASSESSMENT), **_WRITE})
async def close(request: Request, actor: Caller, scheme: SchemeName, period: Code) -> Response:
    """现在封账：数字、案件和办法的版本存下并加哈希，此后只能由申诉另出一版。到时会自动封账。"""
    site = site_of(request)

    def work(session: Session) -> StepResult:
        closing.close(site.loop, session, scheme, period, actor)
        return _shown(site, session, actor, scheme, period)

    return await transact(site, work)


@router.post("/v1/assessments/{scheme}/{period}/publish", summary="公布", responses={**answer(ASSESSMENT), **_WRITE})
async def publish(request: Request, actor: Caller, scheme: SchemeName, period: Code) -> Response:
    """公布：通报编号，榜单带来的整改、扣分等各发生一次。"""
    site = site_of(request)

    def work(session: Session) -> StepResult:
        jobs = publication.publish(site.loop, session, scheme, period, actor)
        return _shown(site, session, actor, scheme, period, jobs)

    return await transact(site, work)


def _shown(site: Site, session: Session, actor: Actor, scheme: str, period: str, jobs: Any = ()) -> StepResult:
    return _answered(tables.table(site.loop, session, actor, scheme, period), jobs=jobs)


class AppealForm(BaseModel):
    """An appeal: which case, or which measure, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"grievance": "WY261121-7KQ2M9XD", "measure": "on_time", "reason": "停电所致"}},
    )
    reason: Text
    measure: Short | None = None
    grievance: Short | None = None
    subject: Short | None = None
    peer: Short | None = None


@router.post(
    "/v1/assessments/{scheme}/{period}/appeals",
    status_code=201,
    summary="申诉",
    responses={**answer(DONE, status=201), **_WRITE},
)
async def appeal(
    request: Request, actor: Caller, scheme: SchemeName, period: Code, form: Annotated[AppealForm, Body()]
) -> Response:
    """考核对象自己提出：哪一件不该算（grievance），或哪个指标的扣分应当恢复（measure）。"""
    site = site_of(request)
    reason = struck(form.reason)

    def work(session: Session) -> StepResult:
        made = appeals.appeal(
            site.loop, session, scheme, period, actor, reason, form.measure, form.grievance, form.peer, form.subject
        )
        return _answered({"id": str(made)}, 201)

    return await transact(site, work)


class RulingForm(BaseModel):
    """What was decided on an appeal."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"upheld": True, "note": "情况属实"}})
    upheld: bool
    note: Text | None = None


@router.post(
    "/v1/assessments/{scheme}/{period}/appeals/{appeal_id}", summary="裁定申诉", responses={**answer(DONE), **_WRITE}
)
async def decide(
    request: Request,
    actor: Caller,
    scheme: SchemeName,
    period: Code,
    appeal_id: UUID,
    form: Annotated[RulingForm, Body()],
) -> Response:
    """成立的：封账前剔除这一件；封账后另出一版，原来的一版照样可查。"""
    site = site_of(request)
    note = None if form.note is None else struck(form.note)

    def work(session: Session) -> StepResult:
        jobs = appeals.decide(site.loop, session, scheme, period, appeal_id, actor, upheld=form.upheld, note=note)
        return _answered({"id": str(appeal_id), "upheld": form.upheld}, jobs=jobs)

    return await transact(site, work)


@router.get("/v1/credit/{unit}", summary="信用分", responses=answer(CREDIT, 401, 403, 404, 422, 503))
async def of_unit(request: Request, actor: Caller, unit: Subject) -> Response:
    """一个单位今天的信用分、等级和每一条记录；到期的记录按日历不再计，不等谁来清理。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: credit.of_unit(site.loop, session, actor, unit)))


@router.get(
    "/v1/bulletins/{bulletin_id}.{form}",
    summary="通报文件",
    response_class=Response,
    responses={
        200: {
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}, "example": "…"} for kind in MEDIA.values()
            }
        },
        **problems(401, 404, 422, 503),
    },
)
async def file(
    request: Request,
    actor: Caller,
    bulletin_id: UUID,
    form: Annotated[Format, Path(description="html、docx、xlsx、json 或 pdf")],
) -> Response:
    """一份通报：打印用的 html、可编辑的 docx、可计算的 xlsx、可用 bulletin check 核对的 json；装了可选组件的，还有 pdf。没有公布的，只有主管部门能取。"""
    site = site_of(request)
    made = await read(site, lambda session: bulletin.by_id(site.loop, session, actor, bulletin_id))
    body = await anyio.to_thread.run_sync(partial(drawn, made, form))
    name = quote(f"{made.title}.{form}")
    headers = {
        "Content-Disposition": f"{'inline' if form == 'html' else 'attachment'}; filename*=UTF-8''{name}",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(body, headers=headers, media_type=MEDIA[form])
