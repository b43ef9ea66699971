"""通报: bulletins to read, print and take away; 信用分: what each unit has, and every row that says why."""

from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from wuye_loop.edge.transact import read
from wuye_loop.queries.assessment import bulletin, credit, tables
from wuye_loop.queries.assessment.cells import text_of
from wuye_loop.queries.assessment.sheets import MEDIA, drawn
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.staff.assess import reader
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Unit = Annotated[str, Path(max_length=40, pattern=r"^[\w.-]+$")]
_PAGE = 60


class BulletinsQuery(BaseModel):
    """Which kind of bulletin, by its title."""

    model_config = ConfigDict(extra="ignore")
    kind: str = ""


@router.get("/bulletins")
async def every(here: Here, query: Annotated[BulletinsQuery, Query()]) -> Response:
    """Show the bulletins, the newest first."""
    reader(here)
    rows = await read(here.site, partial(_every, here))
    kinds = list(dict.fromkeys(row["bulletin"]["title"] for row in rows))
    kept = [row for row in rows if query.kind not in kinds or row["bulletin"]["title"] == query.kind]
    context = {"rows": kept[:_PAGE], "more": max(len(kept) - _PAGE, 0), "kinds": kinds, "kind": query.kind}
    return page("staff/bulletins.html", here.frame("assess") | context)


def _every(here: Visit, session: Session) -> list[dict[str, Any]]:
    return [one for one in tables.every(here.site.loop, session, here.actor) if one["bulletin"] is not None]


@router.get("/bulletins/{bulletin_id}.{form}")
async def file(here: Here, bulletin_id: UUID, form: Literal["docx", "xlsx"]) -> Response:
    """Give a bulletin as a file to edit or to count with."""
    reader(here)
    made = await read(here.site, partial(_one, here, bulletin_id))
    body = await anyio.to_thread.run_sync(partial(drawn, made, form))
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{made.title}.{form}')}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return Response(body, headers=headers, media_type=MEDIA[form])


@router.get("/bulletins/{bulletin_id}")
async def show(here: Here, bulletin_id: UUID) -> Response:
    """Show a bulletin as a paper that prints."""
    reader(here)
    made = await read(here.site, partial(_one, here, bulletin_id))
    context = here.frame("assess") | {"one": made, "id": bulletin_id, "text_of": text_of}
    return page("staff/bulletin.html", context)


def _one(here: Visit, bulletin_id: UUID, session: Session) -> bulletin.Bulletin:
    return bulletin.by_id(here.site.loop, session, here.actor, bulletin_id)


# --- credit ---------------------------------------------------------------------------------------------------------


@router.get("/credit")
async def units(here: Here) -> Response:
    """Show the units whose credit is kept, those that lost most in front; a unit sees its own."""
    reader(here)
    found = await read(here.site, partial(_units, here))
    return page("staff/credit.html", here.frame("assess") | {"rows": found, "one": None})


def _units(here: Visit, session: Session) -> list[dict[str, Any]]:
    return credit.every(here.site.loop, session, here.actor)


@router.get("/credit/{unit}")
async def of_unit(here: Here, unit: Unit) -> Response:
    """Show the credit of one unit with every row."""
    reader(here)
    found = await read(here.site, lambda session: credit.of_unit(here.site.loop, session, here.actor, unit))
    return page("staff/credit.html", here.frame("assess") | {"rows": [], "one": found})
