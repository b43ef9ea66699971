"""Numbered documents: the register, and one by its number."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from wuye_loop.api.examples import answer, problems
from wuye_loop.api.grievances import as_json
from wuye_loop.api.supervision_examples import AGENDA, DOCUMENT, DOCUMENTS, PAPER
from wuye_loop.domain.grievance.order import CLEAN
from wuye_loop.domain.step.documents import Paper, PaperLine
from wuye_loop.edge.actors import Caller
from wuye_loop.edge.idempotency import IdempotencyKey, ticket_of
from wuye_loop.edge.paging import Order, Paging, Word, identifier, instant, listed, text
from wuye_loop.edge.site import site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read, transact
from wuye_loop.loop import engine
from wuye_loop.queries import documents as document_queries
from wuye_loop.store.reads.documents import DocumentFilters

router = APIRouter(route_class=StrictRoute, tags=["文书"])

_OLDEST = Order("agenda", (instant, identifier))
_NEWEST = Order("documents", (instant, text))
DocumentNumber = Annotated[str, Path(max_length=80, pattern=r"^[\w〔〕()()\[\].-]+$", examples=["奎督〔2026〕12号"])]


class DocumentQuery(Paging):
    """The filters of the register: a series or kind, a unit that a document is addressed or copied to."""

    series: Word | None = None
    unit: Word | None = None


@router.get("/v1/documents", summary="文书登记", responses=answer(DOCUMENTS, 401, 422, 503))
async def documents(request: Request, actor: Caller, query: Annotated[DocumentQuery, Query()]) -> Response:
    """管辖范围内的文书，新的在前;series 填文号格式或文书种类,unit 填受文或抄送单位。"""
    site, after = site_of(request), _NEWEST.read(query.cursor)
    filters = DocumentFilters(query.series, query.unit)
    page = await read(
        site,
        lambda session: document_queries.documents(
            site.loop, session, actor, filters, (after[0], after[1]) if after else None, query.limit
        ),
    )
    return listed(request, page.items, _NEWEST.write(page.next))


class AgendaQuery(Paging):
    """Which kind of document the matters wait for."""

    kind: Word


class LineBody(BaseModel):
    """One line: the grievance, the unit that is to do it, the form of the task it opens."""

    model_config = ConfigDict(extra="forbid")
    grievance: Annotated[str, StringConstraints(max_length=40, pattern=r"^[\w-]+$")] = Field(
        examples=["WY261121-7KQ2M9XD"]
    )
    unit: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    form: dict[str, JsonValue] = Field(default_factory=dict, max_length=50)


class PaperBody(BaseModel):
    """A document with lines."""

    model_config = ConfigDict(extra="forbid")
    kind: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(examples=["联席会议纪要"])
    text: Annotated[str, StringConstraints(max_length=4000), CLEAN] | None = None
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=100)]


@router.get("/v1/documents/agenda", summary="待议事项", responses=answer(AGENDA, 401, 409, 422, 503))
async def agenda(request: Request, actor: Caller, query: Annotated[AgendaQuery, Query()]) -> Response:
    """等待列入下一份文书(如联席会议纪要)的事项：单位看自己持有的，督办人员看辖区内的。先提出的在前。"""
    site, after = site_of(request), _OLDEST.read(query.cursor)
    page = await read(
        site,
        lambda session: document_queries.agenda(
            site.loop, session, actor, query.kind, (after[0], after[1]) if after else None, query.limit
        ),
    )
    return listed(request, page.items, _OLDEST.write(page.next))


@router.post(
    "/v1/documents",
    status_code=201,
    summary="签发一份逐条交办的文书",
    responses={**answer(PAPER, status=201), **problems(400, 401, 403, 404, 409, 422, 503)},
)
async def issue(request: Request, actor: Caller, body: PaperBody, key: IdempotencyKey = None) -> Response:
    """一份文书一个文号，每一条在所写的诉求上发起一件任务(限期整改通知书的问题、联席会议纪要的任务)。要么全部办成，要么都不办。"""
    site = site_of(request)
    ticket = await ticket_of(request, actor, key)
    lines = [PaperLine(line.grievance, line.unit, line.form) for line in body.lines]
    paper = Paper(body.kind, lines, body.text)
    return await transact(site, lambda session: engine.issue(site.loop, session, actor, paper, ticket=ticket))


@router.get("/v1/documents/{number}", summary="一件文书", responses=answer(DOCUMENT, 401, 404, 422, 503))
async def document(request: Request, actor: Caller, number: DocumentNumber) -> Response:
    """文书和它所发起的任务。文号含〔〕，在网址里要编码。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: document_queries.document(site.loop, session, actor, number)))
