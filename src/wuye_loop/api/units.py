"""What a unit opens in the morning: its inbox."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from wuye_loop.api.examples import answer
from wuye_loop.api.reading_examples import INBOX
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.actors import only
from wuye_loop.edge.paging import Order, Paging, identifier, instant, listed
from wuye_loop.edge.site import site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read
from wuye_loop.queries import inbox as inbox_queries
from wuye_loop.queries.inbox import TabName

router = APIRouter(route_class=StrictRoute, tags=["承办单位"])
OfUnit = Annotated[Actor, Depends(only(ActorKind.UNIT))]
_TIME_LEFT = Order("inbox", (instant, identifier))


class InboxQuery(Paging):
    """Which tab of the inbox."""

    tab: TabName = "all"


@router.get("/v1/inbox", summary="收件箱", responses=answer(INBOX, 401, 403, 422, 503))
async def inbox(request: Request, actor: OfUnit, query: Annotated[InboxQuery, Query()]) -> Response:
    """本单位手上的诉求和任务，剩余时间最少的在前。to_sign 待签收,due_soon 一个工作日内到期,overdue 已逾期。"""
    site, after = site_of(request), _TIME_LEFT.read(query.cursor)
    page = await read(
        site,
        lambda session: inbox_queries.of_unit(
            site.loop, session, actor, query.tab, (after[0], after[1]) if after else None, query.limit
        ),
        reader=actor,
    )
    return listed(request, page.items, _TIME_LEFT.write(page.next))
