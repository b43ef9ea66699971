"""给物业打分: an owner's voice by the code on the wall, without an account; a flat speaks once, and only a digest of it is kept."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, Conflict, NotFound, TooMany
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.loop.engine import StepResult
from wuye_loop.loop.evaluate import scores
from wuye_loop.loop.evaluate.scores import Said
from wuye_loop.queries.assessment.entering import Asked, open_to_owners
from wuye_loop.queries.surroundings import estate as estate_of
from wuye_loop.store.reads import surroundings as stored
from wuye_loop.web.fields import text_of
from wuye_loop.web.refusals import REFUSED
from wuye_loop.web.resident.filing import Code
from wuye_loop.web.resident.looks import resident, shown
from wuye_loop.web.routes import ResidentRoute
from wuye_loop.web.scoring import ITEM, score_of
from wuye_loop.web.times import times
from wuye_loop.web.visitors import tries_of

router = APIRouter(route_class=ResidentRoute, include_in_schema=False)
_BUSY: Final = "现在打分的人多，请十分钟后再试，或拨打 12345"
_TWICE: Final = "这一户这一期已经打过分。不是您家打的，或要改分，请拨打 12345"


@router.get("/v/{code}")
async def ask(request: Request, code: Code) -> Response:
    """Show whom an owner of this estate may score now."""
    return await _shown(request, code)


async def _shown(
    request: Request, code: str, *, words: str | None = None, values: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    site = site_of(request)
    found = await read(site, partial(_gather, site, code))
    done = request.query_params.get("done") == "1"
    context = {"words": words, "values": values or {}, "done": done, "item": ITEM, "code": code}
    return shown(request, "resident/voice.html", status, **found, **context)


def _gather(site: Site, code: str, session: Session) -> dict[str, Any]:
    place = estate_of(site.loop, session, code)
    if place is None:
        raise NotFound
    return {"place": place, "asked": _asked(site, code, session), "times": times(site.loop, session)}


def _asked(site: Site, code: str, session: Session) -> list[Asked]:
    found = open_to_owners(site.loop, session, resident(), stored.estate(session, code))
    return [one for one in found if one.by_flat]


@router.post("/v/{code}")
async def speak(request: Request, code: Code) -> Response:
    """Take an owner's score: the first of a flat in a period counts, and so many of an estate in ten minutes."""
    site, form = site_of(request), await request.form()
    values = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    tries, estate = tries_of(request), f"voice {code}"
    try:
        tries.check(estate, _BUSY)
        said = await read(site, partial(_said, site, code, form))
        await outcome_of(site, partial(_enter, site, *said))
    except (*REFUSED, TooMany) as error:
        return await _shown(request, code, words=error.detail, values=values, status=error.status)
    tries.failed(estate)
    return RedirectResponse(f"/v/{quote(code)}?done=1", 303)


def _said(site: Site, code: str, form: Any, session: Session) -> tuple[Asked, Said]:
    """Return what was said, of which input; the flat is that of this estate, however it is written."""
    if stored.estate(session, code) is None:
        raise NotFound
    one = next((each for each in _asked(site, code, session) if each.id == text_of(form, "pick")), None)
    if one is None:
        raise Conflict("这一期的评分已经截止")
    said = score_of(one, form, text_of(form, "subject"))
    door = "-".join("".join(each if each.isalnum() else " " for each in said.flat or "").split()).upper()
    if not door:
        raise BadInput("请写门牌，如 3-2-501")
    return one, Said(said.input, said.subject, said.peer, said.score, said.checklist, f"{code} {door}")


def _enter(site: Site, one: Asked, said: Said, session: Session) -> StepResult:
    if not scores.enter(site.loop, session, one.scheme, one.period, said, resident()):
        raise Conflict(_TWICE)  # and nothing of it is kept
    return StepResult(b"")
