"""反映问题: the place from the code on the wall, a tile, a few words, a telephone; sent twice it is one grievance."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from wuye_loop import metrics
from wuye_loop.domain.errors import NotFound, WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.terms import Audience
from wuye_loop.edge.field_errors import findings
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.edge.uploading import keep
from wuye_loop.loop.collect import collect
from wuye_loop.loop.engine import StepResult
from wuye_loop.queries.surroundings import estate as estate_of
from wuye_loop.store.reads import surroundings as stored
from wuye_loop.web.codes import query_code
from wuye_loop.web.fields import text_of, uploads
from wuye_loop.web.intake import NAMES, intake_form
from wuye_loop.web.lists import categories
from wuye_loop.web.resident.looks import resident, shown
from wuye_loop.web.routes import ResidentRoute

router = APIRouter(route_class=ResidentRoute, include_in_schema=False)
Code = Annotated[str, Path(max_length=64)]

CHANNEL: Final = "扫码"
MOST_PHOTOS: Final = 6
_TILES: Final = 9
_FIELDS: Final = ("once", "estate", "address", "category", "body", "phone", "name")
_TOKEN_BYTES: Final = 12
_RECENT: Final = timedelta(days=30)
_TITLES: Final = {"body": "说说情况", "phone": "电话", "estate": "小区"}


@router.get("/r")
async def anywhere(request: Request) -> Response:
    """Show the form to somebody who came without a code: the estate is asked for."""
    return await _form(request, {"once": site_of(request).loop.ids.token(_TOKEN_BYTES)})


@router.get("/r/{code}")
async def somewhere(request: Request, code: Code) -> Response:
    """Show the form with the place that the code on the wall names."""
    return await _form(request, {"once": site_of(request).loop.ids.token(_TOKEN_BYTES)}, code)


async def _form(
    request: Request, values: Mapping[str, str], code: str | None = None, words: str | None = None,
    problems: Mapping[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    site = site_of(request)
    found = await read(site, partial(_gather, site, code))
    return shown(
        request,
        "resident/new.html",
        status,
        values={name: values.get(name, "") for name in _FIELDS},
        words=words,
        problems=problems or {},
        most_photos=MOST_PHOTOS,
        action=f"/r/{code}" if code else "/r",
        **found,
    )


def _gather(site: Site, code: str | None, session: Session) -> dict[str, Any]:
    loop = site.loop
    loop.reference.refresh(session)
    place = estate_of(loop, session, code) if code is not None else None
    if code is not None and place is None:
        raise NotFound
    every = categories(loop, session)
    known = stored.open_in_estate(session, place["code"], loop.clock.now() - _RECENT) if place else []
    return {"place": place, "tiles": every[:_TILES], "others": every[_TILES:], "known": known}


@router.post("/r")
async def file_anywhere(request: Request) -> Response:
    """Take a grievance in whose place was written."""
    return await _file(request, None)


@router.post("/r/{code}")
async def file_somewhere(request: Request, code: Code) -> Response:
    """Take a grievance in at the place of the code."""
    return await _file(request, code)


async def _file(request: Request, code: str | None) -> Response:
    site, form = site_of(request), await request.form()
    values = {name: text_of(form, name) for name in _FIELDS}
    try:
        order = _order(values, code)
        outcome = await outcome_of(site, partial(_collect, site, order))
    except ValidationError as error:
        listed = findings(error.errors(include_url=False), NAMES)
        problems = {one["path"].rpartition(".")[2]: one["problem"] for one in listed}
        said = "、".join(_TITLES.get(name, name) for name in problems) or "填写"
        return await _form(request, values, code, f"请改一下：{said}", problems, 422)
    except WuyeError as error:
        metrics.intake_total.labels("refused").inc()
        return await _form(request, values, code, error.detail, None, error.status)
    metrics.intake_total.labels("replayed" if outcome.replayed else "new").inc()
    number = str(orjson.loads(outcome.body)["number"])
    left = await _photos(request, number, form)
    address = f"/p/{number}/{query_code(site.loop.keyring, number)}?new=1"
    return RedirectResponse(f"{address}&left={left}" if left else address, 303)


def _order(values: Mapping[str, str], code: str | None) -> IntakeForm:
    """Return what a resident filled in as an order: anonymous where no number was left. Raises ValidationError."""
    known = {"estate": code or values["estate"], "anonymous": "" if values["phone"] else "1"}
    return intake_form({**values, **known}, f"page-{values['once']}" if values["once"] else "", CHANNEL)


def _collect(site: Site, order: IntakeForm, session: Session) -> StepResult:
    return collect(site.loop, session, order, resident())


async def _photos(request: Request, number: str, form: FormData) -> int:
    """Keep the photos with the grievance; return how many could not be kept: the grievance is in whatever they are."""
    left = 0
    for nth, file in enumerate(uploads("photo", form)):
        if nth >= MOST_PHOTOS:
            left += 1
            continue
        try:
            await keep(request, number, resident(), await file.read(), file.filename or "", Audience.PUBLIC)
        except WuyeError:
            left += 1
    return left
