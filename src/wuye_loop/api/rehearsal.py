"""演练: a clock that an administrator may move. These doors exist only in an installation started with --rehearsal."""

from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from wuye_loop.api.examples import answer
from wuye_loop.api.grievances import as_json
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.edge.actors import only
from wuye_loop.edge.site import site_of
from wuye_loop.edge.spans import SpanText, span
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read
from wuye_loop.loop import rehearsal

router = APIRouter(route_class=StrictRoute, tags=["演练"])
Admin = Annotated[Actor, Depends(only(ActorKind.ADMIN))]

_NOW: dict[str, Any] = {"now": "2026-11-26T01:00:00.000000Z"}


class Advance(BaseModel):
    """How far to move the clock."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"advance": "3 workdays"}})
    advance: SpanText


@router.get("/v1/rehearsal/clock", summary="演练时钟", responses=answer(_NOW, 401, 403))
async def clock(request: Request, _: Admin) -> Response:
    """演练时钟现在的时间。"""
    return as_json({"now": as_text(rehearsal.clock_of(site_of(request).loop).now())})


@router.post("/v1/rehearsal/clock", summary="拨动演练时钟", responses=answer({**_NOW, "fired": 7}, 401, 403, 422, 503))
async def advance(request: Request, _: Admin, form: Annotated[Advance, Body()]) -> Response:
    """往后拨一段时间(至多 400 天);其间到点的提醒、升级、督办单按各自的时刻依次发生。"""
    site = site_of(request)
    until = await read(site, lambda session: rehearsal.target(site.loop, session, span(form.advance)))
    work = partial(rehearsal.advance, site.loop, site.database, site.jobs, until)
    moved = await anyio.to_thread.run_sync(work)
    return as_json({"now": as_text(moved.now), "fired": moved.fired})
