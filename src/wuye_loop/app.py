"""The only place that knows everyone: puts the doors, the loop and the database together."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache

import structlog
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import PlainTextResponse
from starlette.routing import BaseRoute

from wuye_loop import metrics
from wuye_loop.api import (
    admin,
    assessments,
    audit,
    documents,
    files,
    grievances,
    hotline,
    keys,
    reading,
    rehearsal,
    supervision,
    units,
)
from wuye_loop.api.contract import contract
from wuye_loop.domain.directory.table import MOST_BYTES
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.domain.privacy.access.reveals import RevealBounds
from wuye_loop.edge import problems
from wuye_loop.edge.actors import Callers
from wuye_loop.edge.limits import Limits
from wuye_loop.edge.multipart import ENVELOPE
from wuye_loop.edge.rates import Allowances, Rates
from wuye_loop.edge.readiness import Readiness
from wuye_loop.edge.requests import Requests
from wuye_loop.edge.sharing import Sharing
from wuye_loop.edge.site import Site
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.loop import attachments
from wuye_loop.loop.engine import Loop
from wuye_loop.ports import Clock, Ids, SystemClock, SystemIds
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database, keys_of
from wuye_loop.store.reference_cache import Reference
from wuye_loop.store.workflows.files import workflow_rules
from wuye_loop.uploads.bounds import Bounds
from wuye_loop.uploads.rewriting import Rewriting
from wuye_loop.web import routes
from wuye_loop.web.oidc.provider import MISSING, Provider, installed, provider_of
from wuye_loop.web.pages import BIG_FORMS, CROWD, SHEET_FORMS, STAFF

DOORS = (
    hotline.router,
    grievances.router,
    reading.router,
    units.router,
    supervision.router,
    documents.router,
    assessments.router,
    files.router,
    admin.router,
    keys.router,
    audit.router,
    *STAFF,
)
CLOCK_DOOR = rehearsal.router


def make_site(settings: Settings, database: Database, *, clock: Clock | None = None, ids: Ids | None = None) -> Site:
    """Return the installation that these settings and this database make; tests hand in their own time and ids."""
    rings = keys_of(settings, database)
    database.chain = lambda: Chain(rings.ring.chain)
    time = clock or SystemClock()
    loop = Loop(
        clock=time,
        ids=ids or SystemIds(),
        rings=rings,
        reference=Reference(),
        default_workflow=settings.default_workflow,
        workflow_by=workflow_rules(settings.workflow_by or ""),
        reveals=RevealBounds(
            settings.reveals_per_day,
            settings.reveal_alarm,
            timedelta(minutes=settings.reveal_alarm_minutes),
            settings.reveal_reasons,
        ),
        clock_bound=timedelta(seconds=settings.clock_bound_seconds) if isinstance(time, SystemClock) else None,
    )
    return Site(settings, database, loop)


def create_app(site: Site) -> FastAPI:
    """Return the HTTP application of an installation."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sharing = asyncio.create_task(Sharing(site, app.state.allowances).run())
        yield
        sharing.cancel()
        await site.database.dispose_async()

    app = FastAPI(
        title="wuye-loop 物业直通车",
        version="1",
        description=__doc__,
        openapi_url=None,  # web.docs has the door
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        # What it would tell of every request holds its address, where a search has a name or a phone in it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        # The framework works out each route that it passes: who asks whether we live waits for none.
        routes=[*_health(site).routes, CROWD, *_doors(rehearsal=site.settings.rehearsal)],
    )
    app.state.site = site
    app.state.callers = Callers()
    app.state.allowances = Allowances(site.settings)
    app.state.oidc = _identity_system(site.settings)
    app.state.rewriting = Rewriting(_bounds(site.settings), site.settings.upload_processes)
    problems.install(app)
    routes.install(app)
    bodies = {"/v1/grievances:batch": site.settings.batch_body_limit}
    shapes = {
        re.compile(r"/v1/grievances/[^/]+/files"): attachments.MOST_BYTES + ENVELOPE,
        re.compile(BIG_FORMS): 3 * attachments.MOST_BYTES + ENVELOPE,
        re.compile(SHEET_FORMS): MOST_BYTES + ENVELOPE,
    }
    app.add_middleware(Rates, site=site, callers=app.state.callers, allowances=app.state.allowances)
    app.add_middleware(
        Limits,
        body=site.settings.body_limit,
        bodies=bodies,
        shapes=shapes,
        headers=site.settings.header_limit,
        most_headers=site.settings.header_count,
    )
    app.add_middleware(Requests, ids=site.loop.ids)
    app.openapi = lambda: contract(app)  # type: ignore[method-assign]
    return app


@cache
def _doors(*, rehearsal: bool) -> Sequence[BaseRoute]:
    """Return the routes of all doors: what the framework works out of one when it is first asked serves every application."""
    doors = APIRouter(strict_content_type=True)  # as an application has it
    for router in (*DOORS, CLOCK_DOOR) if rehearsal else DOORS:
        doors.include_router(router)
    return doors.routes


def _identity_system(settings: Settings) -> Provider | None:
    """Return the identity system by which people may sign in; where it is asked for and cannot be had, that is said."""
    found = provider_of(settings)
    if found is not None and not installed():
        structlog.get_logger(__name__).warning("oidc", words=MISSING)
        return None
    return found


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        pixels=settings.upload_pixels,
        pages=settings.upload_pages,
        seconds=settings.upload_seconds,
        memory_mib=settings.upload_memory_mib,
        bytes=attachments.MOST_BYTES,
    )


def _health(site: Site) -> APIRouter:
    router = APIRouter(route_class=StrictRoute, tags=["运行"])

    @router.get("/healthz", summary="进程活着")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    readiness = Readiness(site)

    @router.get("/readyz", summary="可以服务：数据库写得进去，时钟对得上")
    async def readyz() -> dict[str, str]:
        await readiness.check()
        return {"status": "ready"}

    @router.get("/metrics", summary="Prometheus 指标", response_class=PlainTextResponse)
    async def prometheus() -> Response:
        return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)

    return router
