"""文书: the register of numbered documents, and each as a paper that prints in the look of an official one."""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.periods import spoken
from wuye_loop.domain.errors import NotFound
from wuye_loop.edge.paging import Order, Word, instant, text
from wuye_loop.edge.transact import read
from wuye_loop.loop.engine import seen
from wuye_loop.queries import documents
from wuye_loop.queries import grievance as grievances
from wuye_loop.queries.surroundings import around
from wuye_loop.queries.timeline import timeline
from wuye_loop.store.reads.documents import DocumentFilters
from wuye_loop.web import visitors
from wuye_loop.web.addresses import as_code, next_page
from wuye_loop.web.exporting import MOST, Listing, exported
from wuye_loop.web.language import say, worded
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.rows import Kind
from wuye_loop.web.sheets import files
from wuye_loop.web.staff.grievance import Number
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_NEWEST = Order("papers", (instant, text))
_PAGE = 50
_COLUMNS = ("文号", "种类", "诉求", "标题", "主送", "签发", "状态")


class RegisterQuery(BaseModel):
    """What the register is narrowed by."""

    model_config = ConfigDict(extra="ignore")
    kind: Word | Literal[""] = ""
    unit: Word | Literal[""] = ""
    cursor: Annotated[str | None, Field(max_length=600)] = None


@router.get("/papers")
async def register(request: Request, here: Here, query: Annotated[RegisterQuery, Query()]) -> Response:
    """Show the register, the newest first."""
    after = _NEWEST.read(query.cursor)
    found = await read(here.site, partial(_register, here, query, (after[0], after[1]) if after else None))
    context = here.frame("papers") | found | {"query": query, "files": files(request, "/papers")}
    context["next"] = next_page(request, _NEWEST.write(found["page"].next))
    return page("staff/papers.html", context)


@router.get("/papers.{how}")
async def as_file(request: Request, here: Here, how: Kind, query: Annotated[RegisterQuery, Query()]) -> Response:
    """Give the register as it was seen, for a spreadsheet."""
    listing = Listing("papers", _COLUMNS, partial(_drawn, here, query), partial(_count, here, query))
    return await exported(request, here, how, listing, partial(read, here.site))


def _drawn(here: Visit, query: RegisterQuery, after: Any, limit: int, session: Session) -> Any:
    found = _register(here, query, after, session, limit)["page"]
    return [_cells(here, row) for row in found.items], found.next


def _count(here: Visit, query: RegisterQuery, session: Session) -> int:
    return documents.counted(here.site.loop, session, here.actor, _filters(query), MOST + 1)


def _filters(query: RegisterQuery) -> DocumentFilters:
    return DocumentFilters(query.kind or None, query.unit or None)


def _cells(here: Visit, row: dict[str, Any]) -> tuple[Any, ...]:
    state = worded(row["task"]["state_title"]) if row["task"] else _superseded(row)
    return (
        row["number"], worded(row["kind"]), row["grievance"], row["title"] if row["grievance"] else worded(row["title"]),
        row["addressee_name"], here.times.moment(row["issued_at"]), state,
    )  # fmt: skip


def _superseded(row: dict[str, Any]) -> str | None:
    """Return that the score which a paper stands on was revised; None where it was not."""
    revision = (row["assessment"] or {}).get("superseded_by")
    return say("已由第 {n} 版更正", n=revision) if revision else None


def _register(here: Visit, query: RegisterQuery, after: Any, session: Session, limit: int = _PAGE) -> dict[str, Any]:
    loop = here.site.loop
    found = documents.documents(loop, session, here.actor, _filters(query), after, limit)
    rules = loop.reference.rules(session, loop.default_workflow).workflow
    return {"page": found, "kinds": list(rules.documents)}


@router.get("/papers/{number:path}")
async def paper(request: Request, here: Here, number: str) -> Response:
    """Show a document as a paper; the code on it leads back here, so that its number can be checked."""
    found = await read(here.site, partial(_paper, here, number))
    address = f"{visitors.own_origin(request)}{request.url.path}"
    context = here.frame("papers") | found
    context |= {"issued": request.query_params.get("issued"), "picture": as_code(address, error="m", scale=3, border=1)}
    return page("staff/paper.html", context)


def _paper(here: Visit, number: str, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    found = documents.document(loop, session, here.actor, number)
    numbers = [found["grievance"], *(line["grievance"] for line in found["lines"])]
    near = around(loop, session, here.actor, [one for one in numbers if one])
    task = found["task"]
    whole: dict[str, Any] = {}
    if task is not None and found["grievance"] in near:
        whole = _task(here, task["id"], found["grievance"], session)
    rules = loop.reference.rules(session, loop.default_workflow).workflow
    office = (
        found["issuer_name"]
        or loop.reference.directory.name_of(whole.get("opener_unit"))
        or next(
            (
                loop.reference.directory.name_of(role.unit)
                for role in rules.roles.values()
                if role.is_ == "supervisor" and isinstance(role.unit, str)
            ),
            here.district,
        )
    )
    return {"paper": found, "near": near, "task": whole, "office": office, "scored": _scored(found["assessment"])}


def _scored(of: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return which period of which scheme a document comes from, in words, and where its page is: by a unit's fall there is none."""
    if of is None:
        return None
    name, by_day = of["scheme"].partition("@")[0], len(of["period"]) == len("2026-03-10")
    address = "" if by_day else f"/assess/{name}/{of['period']}"
    return {"words": spoken(of["period"]), "address": address, "revision": of.get("superseded_by")}


def _task(here: Visit, task_id: str, number: str, session: Session) -> dict[str, Any]:
    looked = seen(here.site.loop, session, number, here.actor)
    tasks = grievances.tasks(here.site.loop, session, number, here.actor, looked)
    found = next((one for one in tasks if one["id"] == task_id), None)
    if found is None:
        return {}
    clocks = grievances.clocks(here.site.loop, session, number, here.actor, looked)
    first = next((one for one in clocks if one["task"] == task_id), None)
    return found | {"reply": first}


@router.get("/g/{number}/file")
async def dossier(here: Here, number: Number) -> Response:
    """卷宗: one grievance on paper, masked for its reader as everything else is."""
    found = await here.read(partial(_dossier, here, number))
    return page("staff/dossier.html", here.frame("search") | found)


def _dossier(here: Visit, number: str, session: Session) -> dict[str, Any]:
    loop, actor = here.site.loop, here.actor
    near = around(loop, session, actor, [number])
    if number not in near:
        raise NotFound
    looked = seen(loop, session, number, actor)
    return {
        "one": grievances.grievance(loop, session, number, actor, looked),
        "near": near[number],
        "rows": timeline(loop, session, number, actor, looked)[::-1],
        "tasks": grievances.tasks(loop, session, number, actor, looked),
    }
