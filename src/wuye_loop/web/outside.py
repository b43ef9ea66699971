"""One-time links: a unit gives one for a task of its own; who has it answers that task without an account, once."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.loop.access import links
from wuye_loop.loop.engine import StepResult
from wuye_loop.queries import choices
from wuye_loop.queries import grievance as grievances
from wuye_loop.queries.surroundings import around
from wuye_loop.store.grievance import locking
from wuye_loop.store.keys import links as stored
from wuye_loop.web import fields, visitors
from wuye_loop.web.fields import Attempt, fields_of, text_of
from wuye_loop.web.lists import unit_names
from wuye_loop.web.refusals import REFUSED, attempted
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.staff.acting import uploaded
from wuye_loop.web.times import times
from wuye_loop.web.visitors import Visit, only

router = APIRouter(route_class=PageRoute, include_in_schema=False)
OfUnit = Annotated[Visit, only(ActorKind.UNIT)]
Token = Annotated[str, Path(max_length=80, pattern=r"^[\w-]+$")]
Name = Annotated[str, Path(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]


@router.get("/t/{task_id}/link")
async def show(here: OfUnit, task_id: UUID) -> Response:
    """Show the links of a task that lies with the unit, and the form for another."""
    return await _shown(here, task_id)


async def _shown(
    here: Visit, task_id: UUID, words: str | None = None, address: str | None = None, status: int = 200
) -> Response:
    found = await read(here.site, partial(_links, here, task_id))
    context = here.frame("inbox") | found | {"task_id": task_id, "words": words, "address": address}
    return page("staff/link.html", context | {"days": links.OPEN_FOR.days}, status)


def _links(here: Visit, task_id: UUID, session: Session) -> dict[str, Any]:
    task = grievances.task(here.site.loop, session, task_id, here.actor)
    return {"task": task, "rows": stored.of_tasks(session, here.actor.unit or "", [task_id]), "now": here.times.now}


@router.post("/t/{task_id}/link")
async def give(request: Request, here: OfUnit, task_id: UUID) -> Response:
    """Make a link and show it, this once."""
    to, loop = text_of(await request.form(), "to"), here.site.loop
    try:
        token = await here.site.database.write_async(lambda session: links.give(loop, session, here.actor, task_id, to))
    except REFUSED as error:
        return await _shown(here, task_id, error.detail, status=error.status)
    return await _shown(here, task_id, address=f"{visitors.own_origin(request)}/k/{token}")


@router.post("/t/{task_id}/link/{link_id}/end")
async def end(here: OfUnit, task_id: UUID, link_id: UUID) -> Response:
    """Take a link back."""
    loop = here.site.loop
    await here.site.database.write_async(lambda session: links.take_back(loop, session, here.actor, link_id))
    return RedirectResponse(f"/t/{task_id}/link", 303)


# --- who has the link -----------------------------------------------------------------------------------------------


@router.get("/k/{token}")
async def ask(request: Request, token: Token) -> Response:
    """Show the task to whoever has its link: what is asked, where, until when, and the forms to answer with."""
    return await _asked(request, token)


async def _asked(request: Request, token: str, attempt: Attempt | None = None, status: int = 200) -> Response:
    found = await read(site_of(request), partial(_gather, site_of(request), token, attempt))
    return page("outside.html", found | {"token": token, "attempt": attempt}, status)


def _gather(site: Site, token: str, attempt: Attempt | None, session: Session) -> dict[str, Any]:
    loop = site.loop
    row, actor = links.opened(loop, session, token)
    task = grievances.task(loop, session, row.task_id, actor)
    offers = [one for one in choices.offered_on_task(loop, session, row.task_id, actor) if not one["blocked"]]
    return {
        "link": row,
        "task": task,
        "near": around(loop, session, actor, [task["grievance"]]).get(task["grievance"], {}),
        "one": grievances.grievance(loop, session, task["grievance"], actor),
        "offers": [
            one | {"fields": fields_of(one, attempt if attempt and attempt.form == one["action"] else None)}
            for one in offers
        ],
        "clock": next((each for each in task["clocks"] if each["status"] == "running"), None),
        "unit_name": loop.reference.directory.name_of(row.unit_code),
        "units": unit_names(loop)
        if any(f.type == "unit" for one in offers for f in one["form"].specs.values())
        else [],
        "times": times(loop, session),
    }


@router.post("/k/{token}/{action}")
async def answer(request: Request, token: Token, action: Name) -> Response:
    """Take an action on the task in the unit's name; one that does more than sign for it uses the link up."""
    site, form = site_of(request), await request.form()
    visitors.check_origin(request)
    specs: dict[str, Any] = {}
    try:
        number, actor, specs, signs = await read(site, partial(_allowed, site, token, action))
        answers = fields.answers(specs, form, site.loop.reference.directory)
        answers |= await uploaded(request, actor, number, specs, form)

        def work(session: Session) -> StepResult:
            return links.answer(site.loop, session, token, action, answers, signs=signs)

        await outcome_of(site, work)
    except REFUSED as error:
        return await _asked(request, token, attempted(action, error, specs, form), error.status)
    return RedirectResponse(f"/k/{token}", 303) if signs else page("outside_done.html", {})


def _allowed(site: Site, token: str, action: str, session: Session) -> tuple[str, Actor, dict[str, Any], bool]:
    row, actor = links.opened(site.loop, session, token)
    number = locking.number_of_task(session, row.task_id, actor) or ""
    offers = choices.offered_on_task(site.loop, session, row.task_id, actor)
    specs = next((dict(one["form"].specs) for one in offers if one["action"] == action), {})
    return number, actor, specs, choices.signing(offers, None) == action
