"""诉求查询: every grievance within one's sight, narrowed by what stands in the address; the list behind every figure."""

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, WuyeError
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.time.bounds import FIRST_YEAR, LAST_YEAR
from wuye_loop.edge.paging import Order, Word, identifier, instant
from wuye_loop.loop import desk
from wuye_loop.queries.grievances import counted, grievances
from wuye_loop.queries.surroundings import around
from wuye_loop.store.keys import desks
from wuye_loop.store.pages import Page
from wuye_loop.store.reads.grievances import Filters
from wuye_loop.web.addresses import next_page
from wuye_loop.web.exporting import MOST, Listing, exported
from wuye_loop.web.fields import text_of
from wuye_loop.web.language import worded
from wuye_loop.web.lists import categories, streets
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.rows import Kind
from wuye_loop.web.sheets import files
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_ORDER = Order("search", (instant, identifier))
_PAGE = 50
_COUNTED: Final = 999  # up to which a view is counted
_LONGEST_QUERY: Final = 1000
_COLUMNS = ("编号", "标题", "类别", "小区", "属地", "状态", "主办单位", "收件", "到期", "紧急程度")


#: A day that a calendar has a next one for.
Day = Annotated[date, Field(ge=date(FIRST_YEAR, 1, 1), le=date(LAST_YEAR, 12, 31))]


class SearchQuery(BaseModel):
    """What a list is narrowed by; an answer left empty narrows nothing."""

    model_config = ConfigDict(extra="ignore")
    q: Word | Literal[""] = ""
    stage: Stage | Literal[""] = ""
    state: Word | Literal[""] = ""
    area: Word | Literal[""] = ""
    unit: Word | Literal[""] = ""
    estate: Word | Literal[""] = ""
    category: Word | Literal[""] = ""
    final: Literal["", "0", "1"] = ""
    late: Literal["", "1"] = ""
    soon: Literal["", "1"] = ""
    since: Day | Literal[""] = ""
    until: Day | Literal[""] = ""
    cursor: Annotated[str | None, Field(max_length=600)] = None


@router.get("/search")
async def search(request: Request, here: Here, query: Annotated[SearchQuery, Query()]) -> Response:
    """Show a page of the list."""
    after = _ORDER.read(query.cursor)
    found = await here.read(partial(_shown, here, query, (after[0], after[1]) if after else None))
    context = here.frame("search") | found
    context |= {
        "query": query,
        "next": next_page(request, _ORDER.write(found["page"].next)),
        "files": files(request, "/search"),
        "asked": request.url.query,
        "stages_of": [(stage.value, stage.chinese) for stage in Stage],
    }
    return page("staff/search.html", context)


@router.get("/search.{how}")
async def as_file(request: Request, here: Here, how: Kind, query: Annotated[SearchQuery, Query()]) -> Response:
    """Give the list as it was seen, for a spreadsheet."""
    count = partial(_count, here, query, MOST + 1)
    return await exported(request, here, how, Listing("list", _COLUMNS, partial(_drawn, here, query), count))


def _drawn(here: Visit, query: SearchQuery, after: Any, limit: int, session: Session) -> Any:
    found, rows = _rows(here, query, after, limit, session)
    return [_cells(here, row) for row in rows], found.next


def _count(here: Visit, query: SearchQuery, most: int, session: Session) -> int:
    return counted(here.site.loop, session, here.actor, _filters(here, query), query.area or None, most)


def _cells(here: Visit, row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        row["number"], row["title"], worded(row["category"]), row["near"].get("estate_name"), row["area_name"],
        worded(row["state_title"]), row["lead_unit_name"], here.times.moment(row["received_at"]),
        here.times.due(row["due_at"]) if row["due_at"] else None, worded(row["urgency"]),
    )  # fmt: skip


def _filters(here: Visit, query: SearchQuery) -> Filters:
    times, zone = here.times, here.times.calendar.zone
    return Filters(
        state=query.state or None,
        stage=query.stage or None,
        unit=query.unit or None,
        estate=query.estate or None,
        category=query.category or None,
        words=query.q or None,
        final=query.final == "1" if query.final else None,
        late_at=times.now if query.late else None,
        due_from=times.now if query.soon else None,
        due_by=times.soon if query.soon else None,
        since=datetime.combine(query.since, time(), zone) if query.since else None,
        until=datetime.combine(query.until, time(), zone) + timedelta(days=1) if query.until else None,
    )


def _shown(here: Visit, query: SearchQuery, after: Any, session: Session) -> dict[str, Any]:
    return _gather(here, query, after, session) | {"views": _views(here, session)}


def _rows(
    here: Visit, query: SearchQuery, after: Any, limit: int, session: Session
) -> tuple[Page[Any], list[dict[str, Any]]]:
    """Return a page of the list, and its items with what stands beside each."""
    loop, actor, times = here.site.loop, here.actor, here.times
    found = grievances(loop, session, actor, _filters(here, query), query.area or None, after, limit)
    near = around(loop, session, actor, [item["number"] for item in found.items])
    return found, [
        item | {"near": near.get(item["number"], {}), "badge": None if item["final"] else times.badge(item["due_at"])}
        for item in found.items
    ]


def _gather(here: Visit, query: SearchQuery, after: Any, session: Session) -> dict[str, Any]:
    loop = here.site.loop
    found, rows = _rows(here, query, after, _PAGE, session)
    directory = loop.reference.directory
    return {
        "page": found,
        "rows": rows,
        "unit_name": directory.name_of(query.unit) if query.unit else None,
        "area_name": directory.areas[query.area].name if query.area in directory.areas else query.area,
        "streets": streets(here),
        "categories": categories(loop, session),
        "estate_name": next((row["near"].get("estate_name") for row in rows), query.estate) if query.estate else None,
    }


# --- views that somebody keeps --------------------------------------------------------------------------------------


def _views(here: Visit, session: Session) -> list[dict[str, Any]]:
    """Return the visitor's views, each with how many it lists now; none is counted by words, or by filters not known any more."""
    found = []
    for view in desks.views(session, here.person.account.id):
        n = None
        with suppress(ValidationError, WuyeError):
            query = SearchQuery.model_validate(dict(parse_qsl(view.query)))
            if not query.q:  # words are looked for in every title: too much for a count beside the list
                n = _count(here, query, _COUNTED + 1, session)
        found.append({"id": view.id, "title": view.title, "address": f"/search?{view.query}", "n": n, "most": _COUNTED})
    return found


@router.post("/search/views")
async def keep_view(request: Request, here: Here) -> Response:
    """Keep the list as it is seen under a title."""
    form = await request.form()
    try:
        asked = SearchQuery.model_validate(dict(parse_qsl(text_of(form, "query")[:_LONGEST_QUERY])))
    except ValidationError:
        raise BadInput("这些条件存不下来，请先查一次再存") from None
    kept = asked.model_dump(mode="json", exclude={"cursor"}, exclude_defaults=True)
    query = urlencode({name: value for name, value in kept.items() if value})
    loop, account = here.site.loop, here.person.account.id
    await here.site.database.write_async(
        lambda session: desk.keep_view(loop, session, account, text_of(form, "title"), query)
    )
    return RedirectResponse(f"/search?{query}", 303)


@router.post("/search/views/{view_id}/drop")
async def drop_view(here: Here, view_id: UUID) -> Response:
    """Forget one of one's own views."""
    await here.site.database.write_async(lambda session: desks.drop(session, here.person.account.id, view_id))
    return RedirectResponse("/search", 303)
