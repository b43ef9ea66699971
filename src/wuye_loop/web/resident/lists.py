"""红黑榜: the published lists for everybody: who is on them and with how many points; nothing of any complainant."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.transact import read
from wuye_loop.queries.assessment import tables
from wuye_loop.web.resident.looks import resident, shown
from wuye_loop.web.routes import ResidentRoute
from wuye_loop.web.times import times

router = APIRouter(route_class=ResidentRoute, include_in_schema=False)
_KEPT = 24  # kinds of periods that are shown


@router.get("/lists")
async def newest(request: Request) -> Response:
    """Show the newest published lists of every kind of period that has any."""
    site = site_of(request)
    return shown(request, "resident/lists.html", **await read(site, partial(_gather, site)))


def _gather(site: Site, session: Session) -> dict[str, Any]:
    loop, seen = site.loop, set[tuple[str, str]]()
    found: list[dict[str, Any]] = []
    for one in tables.every(loop, session, resident()):
        key = (one["scheme"].partition("@")[0], one["part"])
        if key in seen or len(found) >= _KEPT:
            continue
        seen.add(key)
        table = tables.table(loop, session, resident(), key[0], one["period"])
        if table["lists"]:
            found.append(table | {"groups": [_grouped(each) for each in table["lists"]]})
    return {"found": found, "times": times(loop, session)}


def _grouped(listed: dict[str, Any]) -> dict[str, Any]:
    """Return a list with its members by group."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for member in listed["members"]:
        groups.setdefault(member["peer_name"] or "", []).append(member)
    return {"title": listed["title"], "groups": groups}
