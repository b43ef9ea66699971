"""What auditors read: who looked at whom, which keys there are, whose screen a photograph shows. It changes nothing."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy.orm import Session

from wuye_loop.api.audit_examples import KEYS, REVEAL, REVEALS
from wuye_loop.api.examples import answer
from wuye_loop.api.grievances import as_json
from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.timestamps import from_text
from wuye_loop.edge.actors import only
from wuye_loop.edge.paging import Order, Paging, Word, identifier, instant, integer, listed
from wuye_loop.edge.site import Site, site_of
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.edge.transact import read
from wuye_loop.queries import keys as key_queries
from wuye_loop.queries import reveals
from wuye_loop.store.keys.api_keys import KeyFilters

if TYPE_CHECKING:
    from uuid import UUID

router = APIRouter(route_class=StrictRoute, tags=["审计"])
Auditor = Annotated[Actor, Depends(only(ActorKind.AUDITOR))]
Reader = Annotated[Actor, Depends(only(ActorKind.AUDITOR, ActorKind.SECURITY))]
_LATEST = Order("reveals", (instant, identifier, integer))
_NEWEST = Order("keys", (instant, identifier))


def _when(value: str) -> str:
    try:
        moment(value, timedelta())
    except (ValueError, OverflowError):
        raise BadValue(
            "要写带时区的时间，如 2026-03-02T01:00:00Z（网址里 + 写成 %2B），或日期，如 2026-03-02"
        ) from None
    return value


def moment(text: str, more: timedelta) -> date | datetime:
    """Read an instant with its zone, or a day, to which `more` is added. Raises ValueError, OverflowError."""
    if len(text) <= len("2026-03-02"):
        return date.fromisoformat(text) + more
    return from_text(text)


When = Annotated[str, StringConstraints(max_length=40), AfterValidator(_when)]


class RevealQuery(Paging):
    """Between which two instants (`from` in, `to` out; a day is the whole of it), by which key, of which unit."""

    since: Annotated[When | None, Field(alias="from", description="从何时起；只写日期，从这天零点")] = None
    until: Annotated[When | None, Field(alias="to", description="到何时止，不含；只写日期，含这一天")] = None
    key: Word | None = None
    unit: Word | None = None


@router.get("/v1/audit/reveals", summary="谁看了谁的身份", responses=answer(REVEALS, 401, 403, 422, 503))
async def list_reveals(request: Request, actor: Auditor, query: Annotated[RevealQuery, Query()]) -> Response:
    """两个时刻之间，谁(密钥和持有人)从哪里、为什么查看了哪件诉求的身份，新的在前。里面没有诉求人的身份。"""
    site, after = site_of(request), _LATEST.read(query.cursor)
    page = await read(
        site,
        lambda session: reveals.listed(
            site.loop.reference,
            site.loop.keyring,
            session,
            actor,
            since=_instant(site, session, query.since, timedelta()),
            until=_instant(site, session, query.until, timedelta(days=1)),
            key=query.key,
            unit=query.unit,
            after=(after[0], after[1], after[2]) if after else None,
            limit=query.limit,
        ),
    )
    return listed(request, page.items, _LATEST.write(page.next))


def _instant(site: Site, session: Session, text: str | None, more: timedelta) -> datetime | None:
    found = moment(text, more) if text is not None else None
    if found is None or isinstance(found, datetime):
        return found
    return datetime(found.year, found.month, found.day, tzinfo=site.loop.calendar(session).zone)


Mark = Annotated[str, Path(min_length=1, max_length=40, examples=["7KQ2-M9XD-4H6T-1A5Y"])]


def _decoded(site: Site, session: Session, actor: Actor, mark: str) -> dict[str, Any]:
    return reveals.decoded(site.loop.reference, site.loop.keyring, session, actor, mark)


@router.get("/v1/audit/watermarks/{watermark}", summary="水印是谁的", responses=answer(REVEAL, 401, 403, 404, 422, 503))
async def decode(request: Request, actor: Auditor, watermark: Mark) -> Response:
    """由照片、截图上的水印编号查出：谁、何时、从哪里、为什么看的，是哪件诉求。大小写、短横不限，I、L 当 1,O 当 0。"""
    site = site_of(request)
    return as_json(await read(site, lambda session: _decoded(site, session, actor, watermark)))


class KeyQuery(Paging):
    """Whose keys, of which unit, of which role."""

    holder: Word | None = None
    unit: Word | None = None
    role: ActorKind | None = None


@router.get("/v1/audit/keys", summary="密钥登记", responses=answer(KEYS, 401, 403, 422, 503))
async def list_keys(request: Request, actor: Reader, query: Annotated[KeyQuery, Query()]) -> Response:
    """每把密钥是谁的、能做什么、谁何时发的、最近何时用过、何时到期或吊销，新的在前。看不到密钥本身。"""
    site, after = site_of(request), _NEWEST.read(query.cursor)
    filters = KeyFilters(query.holder, query.unit, query.role)
    key: tuple[datetime, UUID] | None = (after[0], after[1]) if after else None
    page = await read(
        site,
        lambda session: key_queries.listed(
            site.loop.reference, session, actor, filters, key, query.limit, site.loop.clock.now()
        ),
    )
    return listed(request, page.items, _NEWEST.write(page.next))
