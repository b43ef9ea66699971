"""流程: the published versions, each with its picture and live counts, what it says, and what differs between two."""

from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.wording.definition import Wording, offset
from wuye_loop.edge.transact import read
from wuye_loop.queries import workflows
from wuye_loop.store.reads.open_counts import census
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_SHAPE = r"^[a-z][a-z0-9-]{1,39}@[1-9][0-9]{0,3}$"
Id = Annotated[str, Path(max_length=50, pattern=_SHAPE)]
Asked = Annotated[str, Query(max_length=50, pattern=_SHAPE)]
#: A picture brings its own style and nothing else.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def _staff(here: Visit) -> None:
    if here.actor.kind is ActorKind.HOTLINE:
        raise Forbidden("流程页给承办、督办和管理的人看")


@router.get("/rules")
async def versions(here: Here) -> Response:
    """Show the published versions."""
    _staff(here)
    found = await read(here.site, lambda session: workflows.listed(here.site.loop, session))
    return page("staff/rules.html", here.frame("rules") | {"versions": found})


@router.get("/rules/diff")
async def diff(here: Here, a: Asked, b: Asked) -> Response:
    """Show what a version changes for whom, in words."""
    from wuye_loop.authoring.diff.compare import differences, grouped  # noqa: PLC0415 compared for few; who is served otherwise does without

    _staff(here)
    old, new = await read(here.site, partial(_two, here, a, b))
    changes = await anyio.to_thread.run_sync(differences, old, new)
    context = here.frame("rules") | {
        "a": a,
        "b": b,
        "groups": grouped(changes),
        "n": len({one.words for one in changes}),
    }
    return page("staff/diff.html", context)


def _two(here: Visit, a: str, b: str, session: Session) -> tuple[Any, Any]:
    loop = here.site.loop
    return workflows.workflow(loop, session, a), workflows.workflow(loop, session, b)


@router.get("/rules/{workflow_id}")
async def version(here: Here, workflow_id: Id) -> Response:
    """Show a version: its picture with live counts, its states, limits and actions, its text."""
    _staff(here)
    found = await here.read(partial(_version, here, workflow_id))
    return page("staff/rule.html", here.frame("rules") | found)


def _version(here: Visit, workflow_id: str, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    found = workflows.definition(loop, session, workflow_id)
    now = here.times.now
    workflow = workflows.workflow(loop, session, workflow_id)
    words = Wording(workflow)
    return {
        "one": found,
        "clocks": [
            {
                "title": clock.title,
                "limits": list(dict.fromkeys(words.long(limit) for limit in workflow.clocks[name].limit)),
                "ladder": [
                    (offset(rung.at), told["does"])
                    for rung, told in zip(
                        workflow.clocks[name].ladder, found["summary"]["clocks"][name]["ladder"], strict=True
                    )
                ],
            }
            for name, clock in workflow.clocks.items()
        ],
        "tally": census(session, here.actor, workflow_id, now),
        "others": [one["id"] for one in workflows.listed(loop, session) if one["id"] != workflow_id],
    }


@router.get("/rules/{workflow_id}/picture.svg")
async def picture(request: Request, here: Here, workflow_id: Id) -> Response:
    """Draw a version; `live=1` with how many are open, and how many late, in each state."""
    from wuye_loop.authoring.drawing.moves import Today  # noqa: PLC0415 drawn for few; who is served otherwise does without
    from wuye_loop.authoring.drawing.sheet import svg  # noqa: PLC0415 the same

    _staff(here)
    found, tally = await here.read(partial(_drawn, here, workflow_id))
    today = Today.at(here.times.now, found.calendar.zone, tally) if request.query_params.get("live") else None
    made = await anyio.to_thread.run_sync(svg, found, today)
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return Response(made, headers=headers, media_type="image/svg+xml")


def _drawn(here: Visit, workflow_id: str, session: Session) -> tuple[Any, Any]:
    loop = here.site.loop
    return workflows.workflow(loop, session, workflow_id), census(session, here.actor, workflow_id, here.times.now)
