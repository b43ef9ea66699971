"""Published workflows, for all staff: which there are, what each says, and its picture."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from wuye_loop.api.examples import answer, problems
from wuye_loop.api.grievances import as_json
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.actors import only
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read
from wuye_loop.queries import workflows as workflow_queries
from wuye_loop.store.reads.open_counts import census

if TYPE_CHECKING:
    from wuye_loop.authoring.drawing.moves import Today
    from wuye_loop.domain.language.workflow import Workflow

router = APIRouter(route_class=StrictRoute, tags=["流程"])
Staff = Annotated[Actor, Depends(only(ActorKind.UNIT, ActorKind.SUPERVISOR, ActorKind.ADMIN, ActorKind.AUDITOR))]
WorkflowId = Annotated[
    str, Path(max_length=50, pattern=r"^[a-z][a-z0-9-]{1,39}@[1-9][0-9]{0,3}$", examples=["kuiwen@1"])
]

_HEAD: dict[str, Any] = {
    "id": "kuiwen@1",
    "title": "奎文区“物业直通车”",
    "sha256": "5c1f0b3d5a7e9b1c2d4f60718293a4b5c6d7e8f90123456789abcdef01234567",
    "published_at": "2026-11-21T01:00:00.000000Z",
    "default": True,
}
_ONE: dict[str, Any] = {
    **_HEAD,
    "text": "name: kuiwen\nversion: 1\n…",
    "summary": {"stages": [{"stage": "collect", "title": "统一收集", "states": ["received", "refused", "merged"]}]},
}
_MERMAID = "stateDiagram-v2\n  [*] --> received\n"
#: A picture brings its own style and nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/v1/workflows", summary="流程", responses=answer({"items": [_HEAD]}, 401, 403, 503))
async def workflows(request: Request, _: Staff) -> Response:
    """已发布的全部流程版本。发布过的版本不再改动，每件诉求固定用收件时的版本。"""
    site = site_of(request)
    return as_json({"items": await read(site, lambda session: workflow_queries.listed(site.loop, session))})


@router.get("/v1/workflows/{workflow_id}", summary="一个流程版本", responses=answer(_ONE, 401, 403, 404, 422))
async def workflow(request: Request, _: Staff, workflow_id: WorkflowId) -> Response:
    """流程文件原文，以及它规定了哪些环节、状态、时限、动作、任务和文书。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: workflow_queries.definition(site.loop, session, workflow_id)))


class DiagramQuery(BaseModel):
    """Which kind of picture."""

    model_config = ConfigDict(extra="forbid")
    format: Literal["mermaid", "svg"] = "mermaid"
    live: bool = False


@router.get(
    "/v1/workflows/{workflow_id}/diagram",
    summary="流程图",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"example": _MERMAID}, "image/svg+xml": {"example": "<svg …/>"}}},
        **problems(401, 403, 404, 422),
    },
)
async def diagram(
    request: Request, actor: Staff, workflow_id: WorkflowId, query: Annotated[DiagramQuery, Query()]
) -> Response:
    """流程图:Mermaid 文本，或 format=svg；live=true 标上调用者看得到的诉求现在各状态有几件、逾期几件。"""
    from wuye_loop.authoring.drawing.mermaid import mermaid  # noqa: PLC0415 drawn for few; who is served otherwise does without
    from wuye_loop.authoring.drawing.sheet import svg  # noqa: PLC0415 the same

    site = site_of(request)
    found, today = await read(site, partial(_drawn_from, site, actor, workflow_id, live=query.live))
    if query.format == "svg":
        picture = await anyio.to_thread.run_sync(svg, found, today)  # a fifth of a second: others go on meanwhile
        return Response(picture, headers={"Content-Security-Policy": _POLICY}, media_type="image/svg+xml")
    return Response(mermaid(found, today), media_type="text/plain; charset=utf-8")


def _drawn_from(
    site: Site, actor: Actor, workflow_id: str, session: Session, *, live: bool
) -> "tuple[Workflow, Today | None]":
    found = workflow_queries.workflow(site.loop, session, workflow_id)
    if not live:
        return found, None
    from wuye_loop.authoring.drawing.moves import Today  # noqa: PLC0415 as in `diagram`

    now = site.loop.clock.now()
    return found, Today.at(now, found.calendar.zone, census(session, actor, workflow_id, now))
