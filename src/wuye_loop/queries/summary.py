"""The supervisor's counts, with the figures that every rate is made of."""

from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.figures.composite import composed
from wuye_loop.domain.figures.exact import half_up
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.language.documents import Composite
from wuye_loop.domain.routing.kinds import TITLES
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.figures.tallying import good_of
from wuye_loop.queries import scope
from wuye_loop.queries.inbox import SOON
from wuye_loop.queries.supervision import admit, rung_title
from wuye_loop.store.reads import routing_figures, summary
from wuye_loop.store.reads.routing_figures import Proposed
from wuye_loop.store.reads.summary import Count, Dimension, Grouping, Wanted

MOST_GROUPS = 1000


def summarise(loop: Loop, session: Session, actor: Actor, by: Dimension, area: str | None) -> dict[str, Any]:
    """Return the counts by one dimension, and in all.

    Raises Forbidden, BadInput for an area unknown or outside the actor's jurisdiction.
    """
    admit(loop, session, actor)
    if by == "router":
        path = scope.path_of(loop, area, actor) if area is not None else actor.area_path
        return _by_router(routing_figures.proposals(session, actor, path))
    path = scope.path_of(loop, area, actor) if area is not None else actor.area_path or _top(loop, by)
    asked, published = wanted(loop, session, by, path)
    groups, whole = summary.counts(session, actor, asked, MOST_GROUPS + 1)
    composite = composite_of(loop, published)
    return {
        "by": by,
        "items": shown(loop, session, by, groups[:MOST_GROUPS], composite),
        "truncated": len(groups) > MOST_GROUPS,
        "total": total(whole, composite),
    }


def wanted(loop: Loop, session: Session, by: Grouping, path: str) -> tuple[Wanted, list[Rules]]:
    """Return what is to be counted now, and every published workflow, by which it counts."""
    now = loop.clock.now()
    published = scope.published(loop, session)
    return Wanted(by, path, now, loop.calendar(session).shift(now, SOON), good_of(published)), published


def shown(
    loop: Loop, session: Session, by: Dimension, groups: Sequence[Count], composite: Composite | None
) -> list[dict[str, Any]]:
    """Return groups as people read them, each with its title."""
    titles = _titles(loop, session, by, [group.key for group in groups if group.key is not None])
    return [_shown(group, titles.get(group.key or ""), composite) for group in groups]


def total(groups: Sequence[Count], composite: Composite | None) -> dict[str, Any]:
    """Return all groups together."""
    return _shown(_sum(groups), None, composite)


def _by_router(found: Sequence[Proposed]) -> dict[str, Any]:
    """Return how routers did, one item for each kind, and all together."""
    names = [one.name for one in fields(Proposed) if one.name != "kind"]
    whole = Proposed("", *(sum(getattr(one, name) for one in found) for name in names))
    items = [_router(one, one.kind, TITLES.get(one.kind, one.kind)) for one in found]
    return {"by": "router", "items": items, "truncated": False, "total": _router(whole, None, None)}


def _router(one: Proposed, key: str | None, title: str | None) -> dict[str, Any]:
    decided = one.held + one.returned + one.changed
    return {
        "key": key, "title": title, "proposed": one.proposed, "waiting": one.waiting, "held": one.held,
        "returned": one.returned, "changed": one.changed, "accuracy": _rate(one.held, decided, one.waiting),
    }  # fmt: skip


def _top(loop: Loop, by: Dimension) -> str:
    """Return the path whose children are the groups when nobody named an area: that of the only top area."""
    top = loop.reference.directory.top
    return top.path if by == "area" and top else ""


def _titles(loop: Loop, session: Session, by: Dimension, keys: Sequence[str]) -> dict[str, str | None]:
    """Return what people call the groups."""
    directory = loop.reference.directory
    if by == "area":
        return {key: scope.area_name(directory, key) for key in keys}
    if by == "unit":
        return {key: directory.name_of(key) for key in keys}
    if by == "estate":
        return {**summary.estate_names(session, keys)}
    if by == "rung":
        rules = loop.reference.rules(session, loop.default_workflow)
        return {key: _rung(rules, key) for key in keys}
    return dict(zip(keys, keys, strict=True))


def _rung(rules: Rules, key: str) -> str:
    name, _, index = key.partition(":")
    spec = rules.workflow.clocks.get(name)
    if spec is None or int(index) >= len(spec.ladder):
        return key
    return f"{spec.title} · {rung_title(rules, None, spec.ladder[int(index)])}"


def _sum(groups: Sequence[Count]) -> Count:
    names = [one.name for one in fields(Count) if one.name != "key"]
    return Count(None, *(sum(getattr(group, name) for group in groups) for name in names))


def _shown(count: Count, title: str | None, composite: Composite | None) -> dict[str, Any]:
    return {
        "key": count.key,
        "title": title,
        "open": count.open,
        "due_soon": count.due_soon,
        "overdue_open": count.overdue_open,
        "closed": count.closed,
        "overdue_closed": count.overdue_closed,
        "rated": count.rated,
        "satisfied": count.satisfied,
        "on_time": _rate(count.closed - count.untimed - count.late, count.closed - count.untimed, count.untimed),
        "satisfaction": _rate(_plain(count.weighed), count.rated, count.unrated),
        "response": _rate(count.responded, count.asked_response, count.unresponse),
        "solved": _rate(count.solved, count.asked_solved, count.unsolved),
        "composite": _composed(count, composite),
    }


def composite_of(loop: Loop, published: Sequence[Rules]) -> Composite | None:
    """Return the composed figure that the workflow of new grievances names; None where it names none."""
    rules = next((one for one in published if one.id == loop.default_workflow), None)
    ratings = rules.workflow.ratings.values() if rules is not None else ()
    return next((one.composite for one in ratings if one.composite is not None), None)


def _composed(count: Count, composite: Composite | None) -> dict[str, Any] | None:
    if composite is None:
        return None
    counts: dict[str, tuple[Decimal, int]] = {
        "response": (Decimal(count.responded), count.asked_response),
        "solved": (Decimal(count.solved), count.asked_solved),
        "satisfaction": (count.weighed, count.rated),
    }
    top, base = composed(
        (Decimal(str(weight)), Fraction(counts[name][0]) / counts[name][1] if counts[name][1] else None)
        for name, weight in composite.of.items()
    )
    rate = float(half_up(top / base, 4)) if base else None
    return {"title": composite.title, "weights": dict(composite.of), "rate": rate}


def _plain(value: Decimal) -> int | float:
    """Return a weighed count as a number: whole where it is."""
    return int(value) if value == int(value) else float(value)


def _rate(numerator: float, denominator: int, excluded: int) -> dict[str, Any]:
    """Return a rate with what it is made of, and how many were taken out of it; of nothing there is no rate."""
    rate = round(numerator / denominator, 4) if denominator else None
    return {"numerator": numerator, "denominator": denominator, "excluded": excluded, "rate": rate}
