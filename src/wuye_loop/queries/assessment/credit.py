"""A unit's credit: what it has on a day, its grade, and every row that says why."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment.credit import CARRIED, Balance, CreditRow, balance
from wuye_loop.domain.assessment.scheme import CreditSpec, Scheme
from wuye_loop.domain.errors import Forbidden, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate.exits import LEAVING
from wuye_loop.loop.evaluate.schedule import is_ours
from wuye_loop.store.assessment import credit_rows, schemes, voices
from wuye_loop.store.assessment.credit_rows import Told


def of_unit(loop: Loop, session: Session, actor: Actor, unit: str, on: date | None = None) -> dict[str, Any]:
    """Return how a unit stands in every scheme that keeps credit, on a day (today where none is named).

    Raises NotFound for an unknown unit, and for another unit's where the reader is a unit; Forbidden for a hotline.
    """
    loop.reference.refresh(session)
    if actor.kind is ActorKind.HOTLINE:
        raise Forbidden("这把密钥的角色不能使用这个接口")
    known = loop.reference.directory.units.get(unit)
    if known is None or (actor.kind is ActorKind.UNIT and actor.unit != unit) or not _covers(loop, actor, unit):
        raise NotFound("没有这个单位，或它不在您的管辖范围内")
    ledgers = []
    for scheme, _ in schemes.newest(session):
        if scheme.credit is None:
            continue
        told = credit_rows.rows_of(session, scheme.name, unit)
        if not told and not is_ours(loop, scheme):
            continue
        ledgers.append(_ledger(loop, session, scheme, scheme.credit, told, on))
    return {"unit": unit, "unit_name": known.name, "ledgers": ledgers}


def every(loop: Loop, session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return how each unit that the reader may see stands in the city's schemes, the fewest points in front.

    `counting` is how many rows count today. A unit sees its own. Raises Forbidden for a hotline.
    """
    loop.reference.refresh(session)
    if actor.kind is ActorKind.HOTLINE:
        raise Forbidden("这把密钥的角色不能使用这个接口")
    found: list[tuple[Balance, str, dict[str, Any]]] = []
    for scheme, _ in schemes.newest(session):
        if scheme.credit is None or not is_ours(loop, scheme):
            continue
        told: dict[str, list[Told]] = defaultdict(list)
        for row in credit_rows.rows_of(session, scheme.name):
            told[row.row.unit].append(row)
        for unit in loop.reference.directory.units.values():
            kept = unit.code in told or (unit.active and scheme.subjects.are_units_of(unit.kind))
            own = actor.kind is not ActorKind.UNIT or actor.unit == unit.code
            if kept and own and _covers(loop, actor, unit.code):
                stands, head = _head(loop, scheme, scheme.credit, told[unit.code], None)
                named = head | {"unit": unit.code, "unit_name": unit.name, "counting": len(stands.counting)}
                found.append((stands, unit.name, named))
    return [named for _, _, named in sorted(found, key=lambda one: (one[0].points, one[1]))]


def _ledger(
    loop: Loop, session: Session, scheme: Scheme, spec: CreditSpec, told: Sequence[Told], on: date | None
) -> dict[str, Any]:
    stands, head = _head(loop, scheme, spec, told, on)
    counting = {row.id for row in stands.counting}
    titles = {name: item.title for name, item in spec.items.items()}
    left = _left(session, scheme, spec, told)
    return head | {"exits": left, "rows": [_row(loop, one, titles, one.row.id in counting) for one in told]}


def _left(session: Session, scheme: Scheme, spec: CreditSpec, told: Sequence[Told]) -> list[dict[str, Any]]:
    """Return what a unit's falls have brought, the newest first: since which day, what, and the grievance that was opened."""
    if spec.exit is None or not told:
        return []
    known = scheme.consequences
    return [
        {
            "since": one.period, "title": spec.exit.title, "grievance": one.grievance, "document": one.document,
            "brings": (known[one.consequence].title if one.consequence in known else None) or one.consequence,
        }
        for one in voices.left(session, scheme.name, told[0].row.unit, LEAVING)
    ]  # fmt: skip


def _head(
    loop: Loop, scheme: Scheme, spec: CreditSpec, told: Sequence[Told], on: date | None
) -> tuple[Balance, dict[str, Any]]:
    day = on or scheme.day_of(loop.clock.now())
    stands = balance(spec, [one.row for one in told], day)
    return stands, {
        "scheme": scheme.name, "title": scheme.title, "on": day.isoformat(),
        "points": f"{stands.points.normalize():f}", "grade": stands.grade, "vetoed": stands.vetoed,
    }  # fmt: skip


def _covers(loop: Loop, actor: Actor, unit: str) -> bool:
    if actor.kind is ActorKind.UNIT or not actor.area_path:
        return True
    area = loop.reference.directory.areas.get(loop.reference.directory.units[unit].area_code or "")
    return area is None or area.path.startswith(actor.area_path)


def _row(loop: Loop, one: Told, titles: dict[str, str], counts: bool) -> dict[str, Any]:  # noqa: FBT001 a fact of the row
    row: CreditRow = one.row
    cause, _, company = row.cause.partition(CARRIED)
    why, _, place = cause.rpartition(" ")
    area = loop.reference.directory.areas.get(place)
    told = f"{why} {area.name}" if area is not None else cause
    with_it = f"（随{loop.reference.directory.name_of(company)}）" if company else ""
    return {
        "id": str(row.id), "item": row.item, "title": titles.get(row.item, row.item),
        "points": f"{row.points.normalize():f}", "since": row.since.isoformat(),
        "until": None if row.until is None else row.until.isoformat(), "counts": counts,
        "ends": None if row.ends is None else str(row.ends), "cause": f"{told}{with_it}", "reason": one.reason,
        "at": as_text(one.at),
    }  # fmt: skip
