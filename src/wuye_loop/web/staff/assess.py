"""考核: scores and places of a period, why each is what it is down to the cases, closing, publishing, appeals."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, BadValue, Forbidden
from wuye_loop.domain.figures.exact import half_up
from wuye_loop.domain.privacy.striking import struck
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.paging import Group, Order, Revision, Word, identifier
from wuye_loop.edge.transact import outcome_of, read
from wuye_loop.loop.engine import StepResult
from wuye_loop.loop.evaluate import appeals, publication, schedule
from wuye_loop.queries.assessment import tables
from wuye_loop.queries.assessment.entering import open_to
from wuye_loop.queries.assessment.standing import standing
from wuye_loop.store.assessment.cases import Counted
from wuye_loop.web import charts
from wuye_loop.web.addresses import next_page
from wuye_loop.web.fields import text_of
from wuye_loop.web.refusals import REFUSED
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)
SchemeName = Annotated[str, Path(max_length=50, pattern=r"^[a-z][a-z0-9-]*(@[0-9]+)?$")]
Period = Annotated[str, Path(max_length=12, pattern=r"^[0-9A-Z-]+$")]
Subject = Annotated[str, Path(max_length=40, pattern=r"^[\w.-]+$")]
_CASES: Final = Order("cases", (identifier,))
_PAGE: Final = 50
_LONGEST: Final = 1000
ALL: Final = "all"  # in the address, where a group would stand
_FEW: Final = 2  # groups from which one is shown at a time
_DONE: Final = {
    "closed": "已经封账：数字、案件和办法的版本存下，此后只能由申诉另出一版。",
    "published": "已经公布：通报编了号，榜单带来的整改、扣分各发生一次。",
    "upheld": "申诉成立。",
    "refused": "申诉不成立，已经记下。",
    "appealed": "申诉已经提出，等主管部门裁定。",
}
_NOT_YOURS: Final = "考核页给承办、督办和管理的人用；公布的榜单在 /lists，谁都能看"


def reader(here: Visit) -> Visit:
    """Return the visit of somebody who may read assessments. Raises Forbidden for a hotline's seat."""
    if here.actor.kind is ActorKind.HOTLINE:
        raise Forbidden(_NOT_YOURS)
    return here


@router.get("/assess")
async def every(here: Here) -> Response:
    """Show every closed period by how often it comes, and what may be scored now."""
    reader(here)
    return page("staff/assess.html", here.frame("assess") | await read(here.site, partial(_every, here)))


def _every(here: Visit, session: Session) -> dict[str, Any]:
    loop, groups = here.site.loop, dict[tuple[str, str], dict[str, Any]]()
    for one in tables.every(loop, session, here.actor):
        group = groups.setdefault(
            (one["scheme"].partition("@")[0], one["part"]), {"title": one["part_title"], "rows": []}
        )
        if all(row["period"] != one["period"] for row in group["rows"]):  # the newest revision stands for its period
            group["rows"].append(one | {"name": one["scheme"].partition("@")[0]})
    return {"groups": list(groups.values()), "open": open_to(loop, session, here.actor)}


class TableQuery(BaseModel):
    """Which group of a period, and which revision."""

    model_config = ConfigDict(extra="ignore")
    peer: Word | str = ""
    revision: Revision = None
    done: str = ""


@router.get("/assess/{scheme}/{period}")
async def table(here: Here, scheme: SchemeName, period: Period, query: Annotated[TableQuery, Query()]) -> Response:
    """Show the scores of a period."""
    return await _table(here, scheme, period, query)


async def _table(
    here: Visit, scheme: str, period: str, query: TableQuery, words: str | None = None, status: int = 200
) -> Response:
    reader(here)
    found = await read(here.site, partial(_standing, here, scheme, period, query))
    context = here.frame("assess") | {"name": scheme, "one": found, "words": words, "done": _DONE.get(query.done)}
    context |= _groups(found, query.peer)
    return page("staff/score.html", context, status)


def _standing(here: Visit, scheme: str, period: str, query: TableQuery, session: Session) -> dict[str, Any]:
    return standing(here.site.loop, session, here.actor, scheme, period, query.revision)


def _groups(found: dict[str, Any], peer: str) -> dict[str, Any]:
    """Return the groups with how many are in each, and the rows of the chosen one: the first, unless all are wanted."""
    peers: dict[str, dict[str, Any]] = {}
    for row in found["items"]:
        if row["peer"]:
            peers.setdefault(row["peer"], {"code": row["peer"], "name": row["peer_name"], "n": 0})["n"] += 1
    chosen = peer if peer in peers else "" if peer == ALL or len(peers) < _FEW else next(iter(peers))
    rows = [row for row in found["items"] if not chosen or row["peer"] == chosen]
    for row in rows:
        row["bars"] = _bars(row, found["weights"])
    listed = {one["name"]: one["title"] for one in found["lists"]}
    for one in found["lists"]:
        one["here"] = [member for member in one["members"] if not chosen or member["peer"] == chosen]
    return {
        "peers": list(peers.values()) if len(peers) > 1 else [],
        "peer": chosen,
        "all": ALL,
        "rows": [row for row in rows if row["apart"] is None],
        "apart": [row for row in rows if row["apart"] is not None],
        "listed": listed,
        "moved": any(row["moved"] is not None for row in rows),
        "measures": list(found["measures"].items()),
    }


def _bars(row: dict[str, Any], weights: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the points of each item, and how full its bar is: of its weight, and of what moved to it from missing ones."""
    by_title = {item["title"]: None if item["points"] is None else Decimal(item["points"]) for item in row["points"]}
    whole = sum((item["number"] for item in weights), Decimal(0))
    there = sum((item["number"] for item in weights if by_title.get(item["title"]) is not None), Decimal(0))
    found = []
    for item in weights:
        points, full = by_title.get(item["title"]), None
        if points is not None and item["number"] and there:
            full = min(max(charts.meter(float(points * there), float(item["number"] * whole)), 0), 100)
        said = half_up(points, 2) if points is not None and item["number"] else points
        found.append({"points": None if said is None else f"{said:f}", "full": full})
    return found


@router.get("/assess/{scheme}/{period}/{subject}")
async def explained(
    here: Here, scheme: SchemeName, period: Period, subject: Subject, query: Annotated[TableQuery, Query()]
) -> Response:
    """Show why a subject has its score: each item with its counts, its formula and the way to its cases."""
    return await _explained(here, scheme, period, subject, query)


async def _explained(
    here: Visit, scheme: str, period: str, subject: str, query: TableQuery, words: str | None = None,
    reason: str = "", status: int = 200,
) -> Response:  # fmt: skip
    reader(here)
    found = await read(here.site, partial(_why, here, scheme, period, subject, query.revision))
    context = here.frame("assess") | {"name": scheme, "one": found, "words": words, "reason": reason}
    context |= {"done": _DONE.get(query.done), "revised": query.revision}
    return page("staff/score_why.html", context, status)


def _why(here: Visit, scheme: str, period: str, subject: str, revision: int | None, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    found = tables.explained(loop, session, here.actor, scheme, period, subject, revision)
    place = schedule.place_of(session, scheme, period)
    appeals = here.actor.kind is ActorKind.UNIT and place.scheme.appeals is not None
    return {
        **found,
        "is_unit": subject in loop.reference.directory.units,
        "may_appeal": appeals,
        "within": place.scheme.appeals.within.chinese if place.scheme.appeals else None,
        "countable": set(place.scheme.measures),
        "titles": {name: one.title for name, one in place.scheme.measures.items()},
    }


class CasesQuery(BaseModel):
    """Which figure's cases, of which group and revision, and from where on."""

    model_config = ConfigDict(extra="ignore")
    item: Word
    peer: Group | None = None
    revision: Revision = None
    cursor: Annotated[str | None, Field(max_length=600)] = None


@router.get("/assess/{scheme}/{period}/{subject}/cases")
async def cases(
    request: Request, here: Here, scheme: SchemeName, period: Period, subject: Subject,
    query: Annotated[CasesQuery, Query()],
) -> Response:  # fmt: skip
    """Show the cases behind a figure, those that the reader may see."""
    reader(here)
    after = _CASES.read(query.cursor)
    of = Counted(subject, query.item, query.peer)
    found = await read(here.site, partial(_cases, here, scheme, period, of, after, query.revision))
    context = here.frame("assess") | found | {"name": scheme, "period": period, "subject": subject}
    context["revised"] = query.revision
    context["next"] = next_page(request, _CASES.write(found["page"].next))
    return page("staff/score_cases.html", context)


def _cases(
    here: Visit, scheme: str, period: str, of: Counted, after: Any, revision: int | None, session: Session
) -> dict[str, Any]:
    loop, last = here.site.loop, after[0] if after else None
    found = tables.cases(loop, session, here.actor, scheme, period, of, last, _PAGE, revision)
    one = tables.explained(loop, session, here.actor, scheme, period, of.subject, revision)
    measure = schedule.place_of(session, scheme, period).scheme.measures[of.measure]
    return {"page": found, "one": one, "measure": measure.title}


# --- what is done with a period -------------------------------------------------------------------------------------


async def _done(here: Visit, scheme: str, period: str, work: Callable[[Session], Any], done: str) -> Response:
    def step(session: Session) -> StepResult:
        return StepResult(b"", 200, work(session) or ())

    try:
        await outcome_of(here.site, step)
    except REFUSED as error:
        return await _table(here, scheme, period, TableQuery(), error.detail, error.status)
    return RedirectResponse(f"/assess/{scheme}/{period}?done={done}", 303)


@router.post("/assess/{scheme}/{period}/publish")
async def publish(request: Request, here: Here, scheme: SchemeName, period: Period) -> Response:
    """Publish a closed period: it is asked twice, because what the lists bring cannot be taken back."""
    loop = here.site.loop
    if text_of(await request.form(), "sure") != "1":
        return await _table(here, scheme, period, TableQuery(), "请先勾选“已经核对”，再公布", 422)
    return await _done(
        here,
        scheme,
        period,
        lambda session: publication.publish(loop, session, scheme, period, here.actor),
        "published",
    )


@router.post("/assess/{scheme}/{period}/{subject}/appeal")
async def appeal(request: Request, here: Here, scheme: SchemeName, period: Period, subject: Subject) -> Response:
    """申诉: the subject itself says which case or which figure is wrong, and why."""
    form, loop = await request.form(), here.site.loop
    reason = text_of(form, "reason")
    grievance, measure = text_of(form, "grievance").upper() or None, text_of(form, "measure") or None
    peer = text_of(form, "peer") or None

    def work(session: Session) -> StepResult:
        said = _said(reason)
        appeals.appeal(loop, session, scheme, period, here.actor, said, measure, grievance, peer, subject)
        return StepResult(b"", 201)

    try:
        await outcome_of(here.site, work)
    except REFUSED as error:
        return await _explained(here, scheme, period, subject, TableQuery(), error.detail, reason, error.status)
    return RedirectResponse(f"/assess/{scheme}/{period}/{subject}?done=appealed", 303)


@router.post("/assess/{scheme}/{period}/appeals/{appeal_id}")
async def decide(request: Request, here: Here, scheme: SchemeName, period: Period, appeal_id: UUID) -> Response:
    """Decide an appeal."""
    form, loop = await request.form(), here.site.loop
    ruling, note = text_of(form, "ruling"), text_of(form, "note")

    def work(session: Session) -> Any:
        if ruling not in ("upheld", "refused"):
            raise BadInput("请选成立还是不成立")
        return appeals.decide(
            loop, session, scheme, period, appeal_id, here.actor,
            upheld=ruling == "upheld", note=_said(note) if note else None,
        )  # fmt: skip

    return await _done(here, scheme, period, work, ruling)


def _said(text: str) -> str:
    """Return what somebody wrote, cleaned and with identities struck out. Raises BadInput for none."""
    try:
        words = clean(text, max_len=_LONGEST)
    except BadValue as error:
        raise BadInput(str(error)) from None
    if not words:
        raise BadInput("请写明理由")
    return struck(words)
