"""How subjects stand: a period's scores with the points of every item, and their places one period before."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.assessment import periods as calendar
from wuye_loop.domain.assessment.scheme import Period
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import authority
from wuye_loop.loop.evaluate.schedule import Place
from wuye_loop.queries.assessment import tables
from wuye_loop.store.assessment import periods, voices
from wuye_loop.store.assessment.periods import Assessment


def standing(
    loop: Loop, session: Session, actor: Actor, which: str, code: str, revision: int | None = None
) -> dict[str, Any]:
    """Return a period as `tables.table` does, with the points of every item, places before, weights and what follows.

    Raises NotFound.
    """
    place, one = tables.found(session, actor, which, code, revision)
    results = periods.results(session, one.id)
    found = tables.tabled(loop, session, actor, place, one, results)
    items = {(row.subject, row.peer): list(row.items) for row in results}
    before = _places_before(session, place, one)
    for row in found["items"]:
        key = (row["subject"], row["peer"] or "")
        row["points"] = items.get(key, [])
        then = before.get(key)
        row["moved"] = None if then is None or row["rank"] is None else then - row["rank"]
    runs = decides(loop, session, actor, place)
    return {
        **found,
        "weights": weights(place.spec),
        "plain": {name for name, one in place.scheme.measures.items() if one.count is not None and one.per is None},
        "out_of": f"{place.spec.total.of.normalize():f}",
        "brings": {
            name: [place.scheme.consequences[each].title or each for each in spec.brings]
            for name, spec in place.spec.lists.items()
        },
        "decides": runs,
        "appeals": _waiting(loop, session, actor, place),
        "within": None if place.scheme.appeals is None else place.scheme.appeals.within.chinese,
    }


def weights(spec: Period) -> list[dict[str, Any]]:
    """Return what the items of a period weigh, in the order of the file; a deduction has no weight."""
    return [
        {
            "title": item.title,
            "weight": None if item.weight is None else _plain(item.weight),
            "number": item.weight or Decimal(0),
        }
        for item in spec.items
    ]


def decides(loop: Loop, session: Session, actor: Actor, place: Place) -> bool:
    """Say whether somebody runs an assessment: closes, publishes, decides appeals."""
    return actor.kind is not ActorKind.AUDITOR and authority.admits(loop, session, place.scheme, actor)


def _waiting(loop: Loop, session: Session, actor: Actor, place: Place) -> Sequence[dict[str, Any]]:
    """Return the appeals of a period that nobody has decided, for whose turn it is: never one's own."""
    if actor.kind is ActorKind.AUDITOR:
        return []
    waiting = [row for row in voices.appeals(session, place.scheme.name, place.stretch.code) if row.decided_at is None]
    turns = {row.raised_at is not None: row for row in waiting}  # it depends on nothing else of an appeal
    may = {up: authority.may_decide(loop, session, place.scheme, row, actor) for up, row in turns.items()}
    rows = [row for row in waiting if may[row.raised_at is not None]]
    names = voices.names_of(session, sorted({row.subject for row in rows}))
    measures = place.scheme.measures
    return [
        {
            "id": str(row.id), "subject": row.subject, "subject_name": names.get(row.subject, row.subject),
            "grievance": row.grievance, "reason": row.reason, "at": row.at, "own": row.unit == actor.unit,
            "measure": measures[row.measure].title if row.measure in measures else None,
            "due_at": row.due_at, "raised_at": row.raised_at,
        }
        for row in rows
    ]  # fmt: skip


def _places_before(session: Session, place: Place, one: Assessment) -> dict[tuple[str, str], int]:
    code = calendar.before(place.spec, place.stretch, place.scheme.calendar.zone).code
    then = periods.find(session, one.name, code)
    if then is None or then.state == "due" or (then.state != "published" and one.state == "published"):
        return {}
    return {(row.subject, row.peer): row.rank for row in periods.results(session, then.id) if row.rank is not None}


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
