"""The only place that knows everyone: puts the doors, the loop and the database together."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from wuye_loop import metrics
from wuye_loop.api import admin, documents, files, grievances, hotline, reading, rehearsal, supervision, units
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.edge import problems
from wuye_loop.edge.actors import SCHEME, Callers
from wuye_loop.edge.limits import Limits
from wuye_loop.edge.requests import Requests
from wuye_loop.edge.site import Site
from wuye_loop.edge.transact import read
from wuye_loop.loop import attachments
from wuye_loop.loop.engine import Loop
from wuye_loop.ports import Clock, Ids, SystemClock, SystemIds
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database, keys_of
from wuye_loop.store.reads import health
from wuye_loop.store.reference_cache import Reference
from wuye_loop.web import docs

DOORS = (
    hotline.router,
    grievances.router,
    reading.router,
    units.router,
    supervision.router,
    documents.router,
    files.router,
    admin.router,
    docs.router,
)


def make_site(settings: Settings, database: Database, *, clock: Clock | None = None, ids: Ids | None = None) -> Site:
    """Return the installation that these settings and this database make; tests hand in their own time and ids."""
    rings = keys_of(settings, database)
    database.chain = lambda: Chain(rings.ring.chain)
    loop = Loop(
        clock=clock or SystemClock(),
        ids=ids or SystemIds(),
        rings=rings,
        reference=Reference(),
        default_workflow=settings.default_workflow,
    )
    return Site(settings, database, loop)


def create_app(site: Site) -> FastAPI:
    """Return the HTTP application of an installation."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await site.database.dispose_async()

    app = FastAPI(
        title="wuye-loop 物业直通车",
        version="1",
        description=__doc__,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.site = site
    app.state.callers = Callers()
    for router in (*DOORS, rehearsal.router) if site.settings.rehearsal else DOORS:
        app.include_router(router)
    _health(app, site)
    problems.install(app)
    bodies = {"/v1/grievances:batch": site.settings.batch_body_limit}
    shapes = {re.compile(r"/v1/grievances/[^/]+/files"): attachments.MOST_BYTES}
    app.add_middleware(Limits, body=site.settings.body_limit, bodies=bodies, shapes=shapes)
    app.add_middleware(Requests, ids=site.loop.ids)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _health(app: FastAPI, site: Site) -> None:
    @app.get("/healthz", tags=["运行"], summary="进程活着")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["运行"], summary="可以服务：数据库可用")
    async def readyz() -> dict[str, str]:
        await read(site, health.time_there)
        return {"status": "ready"}

    @app.get("/metrics", tags=["运行"], summary="Prometheus 指标")
    async def prometheus() -> Response:
        return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the contract, with the problem document that every error is."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = problems.SCHEMA
        components["securitySchemes"] = SCHEME
        for path, doors in schema["paths"].items():
            for door in doors.values() if path.startswith("/v1/") else ():
                door["security"] = [{name: []} for name in SCHEME]
        app.openapi_schema = schema
    return app.openapi_schema
