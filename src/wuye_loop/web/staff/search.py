"""诉求查询: every grievance within one's sight, narrowed by what stands in the address; the list behind every figure."""

import csv
import io
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from wuye_loop.domain.sheets.cells import safe
from wuye_loop.domain.terms import Stage
from wuye_loop.edge.paging import Order, Word, identifier, instant
from wuye_loop.edge.transact import read
from wuye_loop.queries.grievances import grievances
from wuye_loop.queries.surroundings import around
from wuye_loop.store.reads.grievances import Filters
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.staff.addresses import asked, next_page
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_ORDER = Order("search", (instant, identifier))
_PAGE, _MOST_IN_FILE = 50, 2000
_COLUMNS = ("编号", "标题", "类别", "小区", "属地", "状态", "主办单位", "收件", "到期", "紧急程度")


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
    since: date | Literal[""] = ""
    until: date | Literal[""] = ""
    cursor: Annotated[str | None, Field(max_length=600)] = None


@router.get("/search")
async def search(request: Request, here: Here, query: Annotated[SearchQuery, Query()]) -> Response:
    """Show a page of the list."""
    after = _ORDER.read(query.cursor)
    found = await read(here.site, partial(_gather, here, query, (after[0], after[1]) if after else None, _PAGE))
    context = here.frame("search") | found
    context |= {
        "query": query,
        "next": next_page(request, _ORDER.write(found["page"].next)),
        "csv": asked(request).replace("/search", "/search.csv", 1),
        "stages_of": [(stage.value, stage.chinese) for stage in Stage],
    }
    return page("staff/search.html", context)


@router.get("/search.csv")
async def as_csv(here: Here, query: Annotated[SearchQuery, Query()]) -> Response:
    """Give the list as it was seen, for a spreadsheet; no cell of it is a formula."""
    found = await read(here.site, partial(_gather, here, query, None, _MOST_IN_FILE))
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(_COLUMNS)
    for row in found["rows"]:
        near = row["near"]
        cells = (
            row["number"], row["title"], row["category"], near.get("estate_name"), row["area_name"],
            row["state_title"], row["lead_unit_name"], here.times.moment(row["received_at"]),
            here.times.due(row["due_at"]) if row["due_at"] else "", row["urgency"],
        )  # fmt: skip
        writer.writerow([safe("" if cell is None else str(cell)) for cell in cells])
    headers = {"Content-Disposition": 'attachment; filename="list.csv"', "Cache-Control": "no-store"}
    return Response("\ufeff" + sheet.getvalue(), headers=headers, media_type="text/csv; charset=utf-8")


def _gather(here: Visit, query: SearchQuery, after: Any, limit: int, session: Session) -> dict[str, Any]:
    loop, actor, times = here.site.loop, here.actor, here.times
    zone = times.calendar.zone
    filters = Filters(
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
    found = grievances(loop, session, actor, filters, query.area or None, after, limit)
    near = around(loop, session, actor, [item["number"] for item in found.items])
    directory = loop.reference.directory
    rows = [
        item | {"near": near.get(item["number"], {}), "badge": None if item["final"] else times.badge(item["due_at"])}
        for item in found.items
    ]
    return {
        "page": found,
        "rows": rows,
        "unit_name": directory.name_of(query.unit) if query.unit else None,
        "area_name": directory.areas[query.area].name if query.area in directory.areas else query.area,
        "streets": [(area.code, area.name) for area in directory.areas.values() if area.level == "street"],
        "categories": _categories(loop, session),
        "estate_name": next((row["near"].get("estate_name") for row in rows), query.estate) if query.estate else None,
    }


def _categories(loop: Any, session: Session) -> list[str]:
    workflow = loop.reference.rules(session, loop.default_workflow).workflow
    return list(dict.fromkeys(one.category for one in workflow.intake.categories))
