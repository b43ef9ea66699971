"""Rows of credit: added once for each cause, ended with what the managers have of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.credit import CARRIED, CreditRow, carried, until
from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.errors import BadInput, Conflict, NotFound
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import authority
from wuye_loop.store.assessment import credit_rows, schemes, voices


@dataclass(frozen=True, slots=True)
class Deed:
    """What brings a row of credit: whose it is, which item, the cause that makes it happen once, and in which area."""

    unit: str
    item: str
    cause: str
    area: str = ""


def add(
    loop: Loop, session: Session, scheme: Scheme, deed: Deed, actor: Actor, reason: str | None = None
) -> UUID | None:
    """Add a row, and with it what the company's managers have of it; None when this cause has its row already."""
    if scheme.credit is None or deed.item not in scheme.credit.items:
        raise BadInput("考核办法里没有这个信用项")
    spec, now = scheme.credit.items[deed.item], loop.clock.now()
    since = scheme.day_of(now)
    row = CreditRow(loop.ids.new(), deed.unit, deed.item, spec.points, since, until(spec, since), None, deed.cause)
    rows = [row]
    if scheme.credit.carries is not None:
        share = scheme.credit.carries.share
        rows += [carried(row, loop.ids.new(), one, share) for one in _managers(loop, deed.unit, deed.area)]
    fresh = [credit_rows.add(session, scheme.name, one, reason=reason, actor=actor.as_json(), now=now) for one in rows]
    return row.id if fresh[0] else None


def _managers(loop: Loop, company: str, area: str) -> list[str]:
    """Return the units under a company that work in an area: all of them where none is named, and who has no area."""
    directory = loop.reference.directory
    here = directory.areas[area].path if area in directory.areas else ""

    def path(code: str | None) -> str:
        return directory.areas[code].path if code in directory.areas else here

    below = [one for one in directory.units.values() if one.active and one.parent_code == company]
    return sorted(one.code for one in below if path(one.area_code).startswith(here))


def add_credit(
    loop: Loop, session: Session, which: str, unit: str, item: str, reason: str, actor: Actor, cause: str | None = None
) -> UUID:
    """Add a row of credit by hand, with the reason; the cause (a case, a document) makes it happen once.

    Raises Forbidden, NotFound for an unknown unit, Conflict when this cause has its row already.
    """
    scheme = schemes.named(session, which)
    authority.admit(loop, session, scheme, actor)
    if unit not in loop.reference.directory.units:
        raise NotFound("没有这个单位")
    made = add(loop, session, scheme, Deed(unit, item, cause or f"手工 {loop.ids.new()}"), actor, reason)
    if made is None:
        raise Conflict("这个事由已经记过")
    return made


def end_credit(loop: Loop, session: Session, one: UUID, reason: str, actor: Actor) -> None:
    """End a row that counts until it is rectified, or that was wrong. Raises NotFound, Forbidden, Conflict."""
    found = credit_rows.find(session, one)
    if found is None or found[1].ends is not None:
        raise NotFound("没有这条信用记录")
    name, row = found
    scheme = schemes.named(session, name)
    authority.admit(loop, session, scheme, actor)
    if not end(loop, session, scheme, row, reason, actor):
        raise Conflict("这条信用记录已经终止")


def end(loop: Loop, session: Session, scheme: Scheme, row: CreditRow, reason: str, actor: Actor) -> bool:
    """End a row, and with it what the company's managers have of it."""
    now = loop.clock.now()
    day = scheme.day_of(now)
    with_it = credit_rows.of_cause(session, scheme.name, row.item, f"{row.cause}{CARRIED}{row.unit}")
    done = []
    for one in (row, *with_it):
        end = CreditRow(loop.ids.new(), one.unit, one.item, Decimal(0), day, None, one.id, f"终止 {one.id}")
        done.append(credit_rows.add(session, scheme.name, end, reason=reason, actor=actor.as_json(), now=now))
    return done[0]


def by_rungs(loop: Loop, session: Session, every: Sequence[tuple[Scheme, datetime]]) -> int:
    """Add the rows of credit that fired rungs bring (整改不到位): once for each rung of each grievance.

    Looked for among the rungs that fired since the last look.
    """
    added = 0
    for scheme, _ in every:
        items = {} if scheme.credit is None else scheme.credit.items
        named = {name: item.when.rung for name, item in items.items() if item.when is not None}
        span = voices.to_look(session, scheme.id) if named else None
        if span is None:
            continue
        since, upto = span
        for name, rung in named.items():
            for row in voices.fired(session, scheme.name, rung, name, since):
                deed = Deed(row.subject, name, f"{row.grievance} #{row.seq}", row.peer)
                made = add(loop, session, scheme, deed, SYSTEM_ACTOR)
                added += made is not None
        voices.looked(session, scheme.id, upto)
    return added
