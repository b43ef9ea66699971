"""受理台: a caller's complaint is taken down once; who called before, what is like it, where it would go, when it is due."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from wuye_loop import metrics
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.terms import ActorKind, Kind, Stage, Urgency
from wuye_loop.edge.field_errors import findings
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.loop.collect import collect
from wuye_loop.loop.engine import StepResult
from wuye_loop.loop.foresee import foresee
from wuye_loop.queries.grievances import grievances
from wuye_loop.queries.surroundings import around, of_caller
from wuye_loop.store.reads import surroundings as stored
from wuye_loop.store.reads.grievances import Filters
from wuye_loop.web.addresses import taken
from wuye_loop.web.codes import query_code
from wuye_loop.web.fields import text_of
from wuye_loop.web.intake import NAMES, intake_form
from wuye_loop.web.lists import categories, unit_names
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.visitors import Visit, only

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Seat = Annotated[Visit, only(ActorKind.HOTLINE)]

CHANNEL: Final = "电话"
FIELDS: Final = (
    "once", "phone", "name", "estate", "address", "title", "body", "kind", "urgency", "category", "anonymous",
    "confidential", "with", "outcome", "said",
)  # fmt: skip
OUTCOMES: Final = ("当场解决", "转办", "有争议")
_MOST_ESTATES: Final = 500
_FEWEST: Final = 4  # characters of a complaint that can be looked up
_TOKEN_BYTES: Final = 12
_CALLBACKS: Final = 50


@router.get("/desk")
async def show(request: Request, here: Seat) -> Response:
    """Show an empty form, and the receipt of the last complaint."""
    done = request.query_params.get("done")
    values = {"once": here.site.loop.ids.token(_TOKEN_BYTES), "kind": Kind.COMPLAINT.value, "urgency": ""}
    return await _shown(here, values, done=done)


async def _shown(
    here: Visit,
    values: Mapping[str, str],
    *,
    done: str | None = None,
    words: str | None = None,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    found = await read(here.site, partial(_gather, here, values, done))
    context = here.frame("desk") | found
    context |= {
        "values": {name: values.get(name, "") for name in FIELDS},
        "words": words,
        "problems": problems or {},
        "kinds": [kind.value for kind in Kind],
        "urgencies": [urgency.value for urgency in Urgency],
        "outcomes": OUTCOMES,
    }
    return page("staff/desk.html", context, status)


def _gather(here: Visit, values: Mapping[str, str], done: str | None, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    receipt = None
    if done is not None and (near := around(loop, session, here.actor, [done]).get(done)) is not None:
        receipt = near | {"number": done, "code": query_code(loop.keyring, done)}
    return {
        "estates": [row.name for row in stored.estates(session, "", _MOST_ESTATES)],
        "categories": categories(loop, session),
        "units": unit_names(loop),
        "receipt": receipt,
        **_look(here, values, session),
    }


def _look(here: Visit, values: Mapping[str, str], session: Session) -> dict[str, Any]:
    """Return what the desk shows beside the form, as far as the form is filled in; nothing is written."""
    loop = here.site.loop
    phone = values.get("phone", "")
    earlier = of_caller(loop, session, here.actor, phone) if len(phone) > _FEWEST else None
    foreseen = None
    if len(values.get("body", "")) >= _FEWEST:
        try:
            foreseen = foresee(loop, session, intake_form(values, "look", CHANNEL), here.actor)
        except (WuyeError, ValidationError):
            foreseen = None  # what is wrong is said when the form is sent
    return {"earlier": earlier, "foreseen": foreseen}


@router.post("/desk/look")
async def look(request: Request, here: Seat) -> Response:
    """Show what the desk would show beside the form as it stands; without script the whole page again."""
    values = _values(await request.form())
    if request.headers.get("x-fragment"):
        found = await read(here.site, partial(_look, here, values))
        return page("staff/desk_look.html", found | {"times": here.times})
    return await _shown(here, values)


@router.post("/desk")
async def take(request: Request, here: Seat) -> Response:
    """Take a complaint in; the same form sent twice is one complaint."""
    values = _values(await request.form())
    try:
        form = intake_form(values, f"desk-{values['once']}", CHANNEL)
        outcome = await outcome_of(here.site, partial(_collect, here, form))
    except ValidationError as error:
        listed = findings(error.errors(include_url=False), NAMES)
        problems = {one["path"].rpartition(".")[2]: one["problem"] for one in listed}
        return await _shown(here, values, words="有几项要改", problems=problems, status=422)
    except WuyeError as error:
        metrics.intake_total.labels("refused").inc()
        return await _shown(here, values, words=error.detail, status=error.status)
    metrics.intake_total.labels("replayed" if outcome.replayed else "new").inc()
    return RedirectResponse(f"/desk?done={orjson.loads(outcome.body)['number']}{taken(values['once'])}", 303)


def _values(form: FormData) -> dict[str, str]:
    return {name: text_of(form, name) for name in FIELDS}


def _collect(here: Visit, form: IntakeForm, session: Session) -> StepResult:
    return collect(here.site.loop, session, form, here.actor)


# --- callbacks ------------------------------------------------------------------------------------------------------


@router.get("/callbacks")
async def callbacks(here: Seat) -> Response:
    """Show what the hotline is to call back about or enter a rating for, the longest waiting first."""
    return page("staff/callbacks.html", here.frame("callbacks") | await here.read(partial(_callbacks, here)))


def _callbacks(here: Visit, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    rules = loop.reference.rules(session, loop.default_workflow)
    ours = {name for name, role in rules.workflow.roles.items() if role.is_ in ("channel", "complainant")}
    last = (Stage.FEEDBACK, Stage.EVALUATE)
    states = [
        name
        for name, state in rules.workflow.states.items()
        if state.stage in last
        and not state.final
        and any(name in spec.from_ and ours & set(spec.by) for spec in rules.workflow.actions.values())
    ]
    groups = []
    for name in states:
        filters = Filters(state=name, final=False)
        found = grievances(loop, session, here.actor, filters, None, None, _CALLBACKS)
        near = around(loop, session, here.actor, [item["number"] for item in found.items])
        rows = [
            item | {"near": near.get(item["number"], {}), "badge": here.times.badge(item["due_at"])}
            for item in found.items
        ]
        rows.sort(key=lambda item: item["due_at"] or "9")
        groups.append({"title": rules.workflow.states[name].title, "rows": rows, "more": found.next is not None})
    return {"groups": groups}
