"""评分: scores of streets, committees and the owners' paper votes, entered by whom the scheme names; nobody reads them back."""

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.loop.engine import StepResult
from wuye_loop.loop.evaluate import scores
from wuye_loop.queries.assessment.entering import Asked, open_to
from wuye_loop.web.fields import text_of
from wuye_loop.web.refusals import REFUSED
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.scoring import ITEM, score_of
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_DONE = {"new": "评分已记下。", "changed": "已改成现在这个分。"}


@router.get("/assess/enter")
async def show(request: Request, here: Here) -> Response:
    """Show what the visitor may score now."""
    done = request.query_params.get("done")
    return await _shown(here, request.query_params.get("pick", ""), done=_DONE.get(done or ""))


async def _shown(
    here: Visit, pick: str, *, done: str | None = None, words: str | None = None,
    values: Mapping[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    found = await read(here.site, partial(_open, here))
    one = next((each for each in found if each.id == pick), found[0] if found else None)
    context = {"open": found, "one": one, "done": done, "words": words, "values": values or {}, "item": ITEM}
    return page("staff/enter.html", here.frame("assess") | context, status)


def _open(here: Visit, session: Session) -> list[Asked]:
    return open_to(here.site.loop, session, here.actor)


@router.post("/assess/enter")
async def enter(request: Request, here: Here) -> Response:
    """Take a score; the same voice may change it until the period is closed."""
    form, loop = await request.form(), here.site.loop
    pick = text_of(form, "pick")
    open_now = await read(here.site, partial(_open, here))
    one = next((each for each in open_now if each.id == pick), None)
    values = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    try:
        if one is None:
            raise BadInput("这项评分已经截止，或不由您来评")
        said = score_of(one, form, text_of(form, "subject"))

        def work(session: Session) -> StepResult:
            new = scores.enter(loop, session, one.scheme, one.period, said, here.actor)
            return StepResult(b"new" if new else b"changed")

        outcome = await outcome_of(here.site, work)
    except REFUSED as error:
        return await _shown(here, pick, words=error.detail, values=values, status=error.status)
    return RedirectResponse(f"/assess/enter?pick={pick}&done={outcome.body.decode()}", 303)
