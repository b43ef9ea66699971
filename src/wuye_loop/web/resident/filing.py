"""反映问题: the place from the code on the wall, a tile, a few words, a telephone; sent twice it is one grievance."""

from collections.abc import Mapping
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import FormData

from wuye_loop import metrics
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.terms import Audience
from wuye_loop.edge.field_errors import findings
from wuye_loop.edge.site import site_of
from wuye_loop.edge.transact import file
from wuye_loop.edge.uploading import keep
from wuye_loop.web.codes import query_code
from wuye_loop.web.fields import text_of, uploads
from wuye_loop.web.intake import NAMES, intake_form
from wuye_loop.web.resident.forms import FIELDS, MOST_PHOTOS, TEMPLATE, context, form, forms_of
from wuye_loop.web.resident.looks import resident, shown
from wuye_loop.web.routes import ResidentRoute

router = APIRouter(route_class=ResidentRoute, include_in_schema=False)
Code = Annotated[str, Path(max_length=64)]

CHANNEL: Final = "扫码"
_TITLES: Final = {"body": "说说情况", "phone": "电话", "estate": "小区"}


@router.get("/r")
async def anywhere(request: Request) -> Response:
    """Show the form to somebody who came without a code: the estate is asked for."""
    return await form(request, None)


@router.get("/r/{code}")
async def somewhere(request: Request, code: Code) -> Response:
    """Show the form with the place that the code on the wall names."""
    return await form(request, code)


async def _again(
    request: Request, values: dict[str, str], code: str | None, words: str, problems: Mapping[str, str], status: int
) -> Response:
    """Show the form again as it was filled in, and what is wrong with it."""
    found = context(code, await forms_of(request).shown(code), values)
    return shown(request, TEMPLATE, status, **found | {"words": words, "problems": problems})


@router.post("/r")
async def file_anywhere(request: Request) -> Response:
    """Take a grievance in whose place was written."""
    return await _file(request, None)


@router.post("/r/{code}")
async def file_somewhere(request: Request, code: Code) -> Response:
    """Take a grievance in at the place of the code."""
    return await _file(request, code)


async def _file(request: Request, code: str | None) -> Response:
    site, sent = site_of(request), await request.form()
    values = {name: text_of(sent, name) for name in FIELDS}
    try:
        outcome = await file(site, _order(values, code), resident())
    except ValidationError as error:
        listed = findings(error.errors(include_url=False), NAMES)
        problems = {one["path"].rpartition(".")[2]: one["problem"] for one in listed}
        said = "、".join(_TITLES.get(name, name) for name in problems) or "填写"
        return await _again(request, values, code, f"请改一下：{said}", problems, 422)
    except WuyeError as error:
        metrics.intake_total.labels("refused").inc()
        return await _again(request, values, code, error.detail, {}, error.status)
    metrics.intake_total.labels("replayed" if outcome.replayed else "new").inc()
    number = str(orjson.loads(outcome.body)["number"])
    left = await _photos(request, number, sent)
    address = f"/p/{number}/{query_code(site.loop.keyring, number)}?new=1"
    return RedirectResponse(f"{address}&left={left}" if left else address, 303)


def _order(values: Mapping[str, str], code: str | None) -> IntakeForm:
    """Return what a resident filled in as an order: anonymous where no number was left. Raises ValidationError."""
    known = {"estate": code or values["estate"], "anonymous": "" if values["phone"] else "1"}
    return intake_form({**values, **known}, f"page-{values['once']}" if values["once"] else "", CHANNEL)


async def _photos(request: Request, number: str, sent: FormData) -> int:
    """Keep the photos with the grievance; return how many could not be kept: the grievance is in whatever they are."""
    left = 0
    for nth, photo in enumerate(uploads("photo", sent)):
        if nth >= MOST_PHOTOS:
            left += 1
            continue
        try:
            await keep(request, number, resident(), await photo.read(), photo.filename or "", Audience.PUBLIC)
        except WuyeError:
            left += 1
    return left
