"""Numbered documents: the register, and one by its number."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from wuye_loop.api.examples import answer
from wuye_loop.api.grievances import as_json
from wuye_loop.api.supervision_examples import DOCUMENT, DOCUMENTS
from wuye_loop.edge.actors import Caller
from wuye_loop.edge.paging import NO_QUERY, Order, Paging, Word, instant, listed, text
from wuye_loop.edge.site import site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read
from wuye_loop.loop import papers
from wuye_loop.store.document_register import DocumentFilters

router = APIRouter(route_class=StrictRoute, tags=["文书"])

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
        lambda session: papers.documents(
            site.loop, session, actor, filters, (after[0], after[1]) if after else None, query.limit
        ),
    )
    return listed(request, page.items, _NEWEST.write(page.next))


@router.get(
    "/v1/documents/{number}",
    dependencies=[NO_QUERY],
    summary="一件文书",
    responses=answer(DOCUMENT, 401, 404, 422, 503),
)
async def document(request: Request, actor: Caller, number: DocumentNumber) -> Response:
    """文书和它所发起的任务。文号含〔〕，在网址里要编码。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: papers.document(site.loop, session, actor, number)))
