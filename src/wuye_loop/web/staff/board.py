"""一屏观全域: six stages, rates with their bases, what is late where, day by day; every figure opens its list."""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from wuye_loop.domain.errors import Forbidden
from wuye_loop.edge.paging import Word
from wuye_loop.queries.board import board as figures
from wuye_loop.web import charts
from wuye_loop.web.language import say
from wuye_loop.web.lists import streets
from wuye_loop.web.rendering import page
from wuye_loop.web.routes import PageRoute
from wuye_loop.web.tiles import Figure, grid
from wuye_loop.web.visitors import Here, Visit

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_CHANNELS = 3  # that are named
_BAR, _LINE_WIDTH, _LINE_HEIGHT = 230.0, 358.0, 150.0


@router.get("/board")
async def show(
    here: Here, area: Annotated[Word | Literal[""], Query()] = "", wall: Literal["", "1"] = "", tiles: Figure = "open"
) -> Response:
    """Show the board; `wall` is the one on the wall, dark and large, `tiles` the figure that colours the communities."""
    if not here.supervises:
        raise Forbidden("一屏观全域只给督办人员、管理员和审计员看")
    found = await here.read(partial(_gather, here, area or None))
    return page(
        "staff/board.html",
        here.frame("board") | found | {"wall": wall == "1", "grid": grid(found["board"]["places"], tiles)},
    )


def _gather(here: Visit, area: str | None, session: Session) -> dict[str, Any]:
    found = figures(here.site.loop, session, here.actor, area)
    late, days = found["late"], found["days"]
    most = max((item["n"] for item in late["areas"]), default=0)
    steps = {rung: place for place, (rung, _) in enumerate(late["rungs"])}
    for item in late["areas"]:
        parts = [(steps[rung], item["by"].get(rung, 0)) for rung, _ in late["rungs"]]
        item["shares"] = charts.shares(parts, most, _BAR)
        item["width"] = _BAR * item["n"] / most if most else 0
    received, closed = [day[1] for day in days], [day[2] for day in days]
    top = charts.ceiling(max([*received, *closed, 0]))
    curve = charts.curve(received, top, _LINE_WIDTH, _LINE_HEIGHT)
    gap = _LINE_WIDTH / max(len(days) - 1, 1)
    worst = max((item["open"] + item["closed"] for item in found["estates"]), default=0)
    return {
        "board": found,
        "late_most": most,
        "curves": {
            "top": top,
            "width": _LINE_WIDTH,
            "height": _LINE_HEIGHT,
            "received": curve,
            "closed": charts.curve(closed, top, _LINE_WIDTH, _LINE_HEIGHT),
            "off": [round(n * gap - gap / 2, 1) for n, day in enumerate(days) if not day[3]],
            "gap": round(gap, 1),
            "labels": [(round(n * gap, 1), day[0]) for n, day in enumerate(days) if n % 7 == 1],
            "sums": (sum(received), sum(closed)),
            "most_day": days[curve.most_at][0],
        },
        "estate_most": worst,
        "channels": " · ".join(say("{channel} {n}", channel=name, n=n) for name, n in found["channels"][:_CHANNELS]),
        "meter": charts.meter,
        "stage_most": max((stage["n"] for stage in found["stages"]), default=0),
        "streets": streets(here),
    }
