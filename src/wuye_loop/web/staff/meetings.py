"""联席会议: what is stuck and waits for a decision, and the minutes that open a task for each line of theirs."""

from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden
from wuye_loop.domain.step.documents import Paper, PaperLine
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.paging import Word
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.loop import engine
from wuye_loop.loop.engine import StepResult
from wuye_loop.queries import documents, scope
from wuye_loop.web import fields
from wuye_loop.web.fields import Attempt, fields_of, text_of
from wuye_loop.web.lists import unit_names
from wuye_loop.web.refusals import REFUSED, attempted
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.staff.acting import ticket_of
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_MOST = 50
_TOKEN_BYTES = 12


@router.get("/meetings")
async def agenda(request: Request, here: Here, kind: Annotated[Word | Literal[""], Query()] = "") -> Response:
    """Show the agenda of a kind of meeting."""
    return await _agenda(request, here, kind)


async def _agenda(
    request: Request, here: Visit, kind: str, attempt: Attempt | None = None, status: int = 200
) -> Response:
    if not here.supervises and here.actor.kind is not ActorKind.UNIT:
        raise Forbidden("会议页给承办和督办的人用")
    found = await read(here.site, partial(_gather, here, kind, attempt))
    context = here.frame("meetings") | found
    context |= {"attempt": attempt, "once": here.site.loop.ids.token(_TOKEN_BYTES)}
    context["issued"] = request.query_params.get("issued")
    return page("staff/meetings.html", context, status)


def _gather(here: Visit, kind: str, attempt: Attempt | None, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    loop.reference.refresh(session)
    kinds: dict[str, Any] = {}
    for rules in scope.published(loop, session):
        in_use = rules.id == loop.default_workflow
        for name, spec in rules.workflow.documents.items():
            if spec.gathers is not None and (in_use or name == kind):
                kinds[name] = (rules, spec)
    chosen = kind if kind in kinds else next(iter(kinds), "")
    if not chosen:
        return {"kinds": [], "kind": "", "items": [], "offer": None, "fields": [], "units": []}
    rules, spec = kinds[chosen]
    page_of = documents.agenda(loop, session, here.actor, chosen, None, _MOST)
    offer = _line_form(rules, spec)
    return {
        "kinds": list(kinds),
        "kind": chosen,
        "items": page_of.items,
        "offer": offer,
        "fields": fields_of(offer, attempt) if offer else [],
        "units": unit_names(loop),
    }


def _line_form(rules: Any, spec: Any) -> dict[str, Any] | None:
    """Return the form of the task that each line of the minutes opens; None where lines open none."""
    if spec.opens is None:
        return None
    opening = rules.workflow.tasks[spec.opens].open
    labels = rules.workflow.labels
    titles = {name: one.title or labels.get(name, name) for name, one in opening.form.specs.items()}
    return {"form": opening.form, "titles": titles, "whens": {}}


@router.post("/meetings")
async def minutes(request: Request, here: Here) -> Response:
    """Issue the minutes: one number, one task for each matter that was ticked; all of it or nothing."""
    form = await request.form()
    kind = text_of(form, "kind")
    found = await read(here.site, partial(_gather, here, kind, None))
    specs = found["offer"]["form"].specs if found["offer"] else {}
    directory = here.site.loop.reference.directory
    answers = fields.answers(specs, form, directory)
    unit = text_of(form, "line_unit")
    numbers = [str(item) for item in form.getlist("item")]
    lines = [PaperLine(number, fields.unit_named(directory, unit) if unit else None, answers) for number in numbers]
    try:
        if not lines:
            raise Forbidden("请先勾选要列入纪要的事项")
        paper = Paper(kind, lines, text_of(form, "text") or None)
        outcome = await outcome_of(here.site, partial(_issue, here, paper, ticket_of(request, here, form)))
    except REFUSED as error:
        return await _agenda(request, here, kind, attempted("minutes", error, specs, form), error.status)
    return RedirectResponse(f"/papers/{orjson.loads(outcome.body)['number']}?issued=1", 303)


def _issue(here: Visit, paper: Paper, ticket: Any, session: Session) -> StepResult:
    return engine.issue(here.site.loop, session, here.actor, paper, ticket=ticket)
