"""Taking an action from a page: the form is read, its files kept, the step taken on its terms; a refusal is shown where it was made."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.edge.idempotency import route_of
from wuye_loop.edge.transact import outcome_of
from wuye_loop.edge.uploading import keep
from wuye_loop.loop import handle
from wuye_loop.loop.engine import StepResult, Terms
from wuye_loop.queries import choices
from wuye_loop.store.grievance import locking
from wuye_loop.store.grievance.locking import Ticket
from wuye_loop.web import fields
from wuye_loop.web.addresses import taken
from wuye_loop.web.fields import text_of
from wuye_loop.web.refusals import REFUSED, attempted
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.staff.grievance import Number, shown
from wuye_loop.web.visitors import FORM_TOKEN, Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Name = Annotated[str, Path(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]

_LONGEST_TOKEN: Final = 40
_AMONG_US: Final = frozenset({FORM_TOKEN, "once", "seq"})  # fields of the page, not of the form


@router.post("/g/{number}/do/{action}")
async def act(request: Request, here: Here, number: Number, action: Name) -> Response:
    """Take an action on a grievance."""
    offer = await here.read(partial(_offer, here, number, None, action))

    def work(session: Session, form: Mapping[str, Any], terms: Terms) -> StepResult:
        return handle.act(here.site.loop, session, number, action, here.actor, form, terms)

    return await _take(request, here, number, f"do-{action}", offer, work, action)


@router.post("/g/{number}/open/{kind}")
async def open_task(request: Request, here: Here, number: Number, kind: Name) -> Response:
    """Open a task on a grievance."""
    offer = await here.read(partial(_opening, here, number, kind))

    def work(session: Session, form: Mapping[str, Any], terms: Terms) -> StepResult:
        return handle.open_task(here.site.loop, session, number, kind, here.actor, form, terms)

    return await _take(request, here, number, f"open-{kind}", offer, work, kind)


@router.post("/t/{task_id}/do/{action}")
async def act_on_task(request: Request, here: Here, task_id: UUID, action: Name) -> Response:
    """Take an action on a task; its page is its grievance's."""
    number, offer = await here.read(partial(_on_task, here, task_id, action))

    def work(session: Session, form: Mapping[str, Any], terms: Terms) -> StepResult:
        return handle.act_on_task(here.site.loop, session, task_id, action, here.actor, form, terms)

    done = f"{offer['task_kind']}.{action}" if offer else action
    return await _take(request, here, number, f"task-{task_id}-{action}", offer, work, done)


@router.get("/t/{task_id}")
async def task(here: Here, task_id: UUID) -> Response:
    """Send who looks for a task to its grievance."""
    number = await here.read(partial(_number, here, task_id))
    return RedirectResponse(f"/g/{number}#task-{task_id}", 303)


def _number(here: Visit, task_id: UUID, session: Session) -> str:
    number = locking.number_of_task(session, task_id, here.actor)
    if number is None:
        raise NotFound
    return number


def _on_task(here: Visit, task_id: UUID, action: str, session: Session) -> tuple[str, dict[str, Any] | None]:
    number = _number(here, task_id, session)
    return number, _offer(here, number, task_id, action, session)


def _offer(here: Visit, number: str, task_id: UUID | None, action: str, session: Session) -> dict[str, Any] | None:
    loop, actor = here.site.loop, here.actor
    if task_id is not None:
        offers = choices.offered_on_task(loop, session, task_id, actor)
    else:
        offers = choices.offered(loop, session, number, actor)["actions"]
    return next((one for one in offers if one["action"] == action), None)


def _opening(here: Visit, number: str, kind: str, session: Session) -> dict[str, Any] | None:
    offers = choices.offered(here.site.loop, session, number, here.actor)["tasks"]
    return next((one for one in offers if one["task"] == kind), None)


async def _take(
    request: Request,
    here: Visit,
    number: str,
    form_id: str,
    offer: dict[str, Any] | None,
    work: Callable[[Session, Mapping[str, Any], Terms], StepResult],
    done: str,
) -> Response:
    """Take the step and show the grievance as it is then; refused, show it with the form as it was filled in."""
    form = await request.form()
    specs = offer["form"].specs if offer else {}
    try:
        answers = fields.answers(specs, form, here.site.loop.reference.directory)
        answers |= await uploaded(request, here.actor, number, specs, form)
        terms = Terms(fields.seq_of(form), ticket_of(request, here, form))
        await outcome_of(here.site, lambda session: work(session, answers, terms))
    except REFUSED as error:
        attempt = attempted(form_id, error, specs, form)
        return await shown(request, here, number, attempt, error.status)
    named = taken(text_of(form, "once"))
    if not await here.read(lambda session: choices.seen(session, number, here.actor)):
        return RedirectResponse(f"/?gone=1{named}", 303)  # what was done took it out of one's own sight
    return RedirectResponse(f"/g/{number}?done={done}{named}", 303)


def ticket_of(request: Request, here: Visit, form: FormData) -> Ticket | None:
    """Return the ticket of a form: the page gave it a token, so that sending it twice does the thing once."""
    once = text_of(form, "once")
    if not once or not once.isascii() or len(once) > _LONGEST_TOKEN or here.actor.key_id is None:
        return None
    sent = sorted(
        (name, value) for name, value in form.multi_items() if isinstance(value, str) and name not in _AMONG_US
    )
    body = b"page\x00" + orjson.dumps(sent)
    return Ticket.of(here.actor.key_id, route_of(request), once, body, here.site.loop.keyring.index)


async def uploaded(
    request: Request, actor: Actor, number: str, specs: Mapping[str, Any], form: FormData
) -> dict[str, list[str]]:
    """Keep the files that a form brings and return their ids by field; the same bytes again are the same file."""
    found: dict[str, list[str]] = {}
    for name, spec in specs.items():
        for file in fields.uploads(name, form) if spec.type == "file" else ():
            outcome = await keep(request, number, actor, await file.read(), file.filename or "")
            found.setdefault(name, []).append(orjson.loads(outcome.body)["file"])
    return found
