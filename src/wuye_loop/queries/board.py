"""一屏观全域: where the grievances of a jurisdiction stand, how late, by whom, day by day; every figure can be listed."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.directory.directory import Area
from wuye_loop.domain.errors import Forbidden
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import Level, Stage
from wuye_loop.domain.wording.definition import LEVELS
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.figures.tallying import DAYS, moment
from wuye_loop.queries import scope
from wuye_loop.queries.summary import MOST_GROUPS, composite_of, shown, total, wanted
from wuye_loop.queries.supervision import admit, rung_title
from wuye_loop.store.reads import board as stored
from wuye_loop.store.reads import recent
from wuye_loop.store.reads.recent import LastDays
from wuye_loop.store.reads.summary import Count, Dimension

_LEAST_REPEATS, _MOST_REPEATS, _WORST = 3, 8, 10
_MOST_PLACES = 80  # that a page can show side by side


def supervises(loop: Loop, session: Session, actor: Actor) -> bool:
    """Say whether the actor is let in to what supervisors see."""
    try:
        admit(loop, session, actor)
    except Forbidden:
        return False
    return True


def board(loop: Loop, session: Session, actor: Actor, area: str | None) -> dict[str, Any]:
    """Return the figures of the board, for the actor's whole jurisdiction or one area of it.

    Raises Forbidden, BadInput for an area unknown or outside.
    """
    admit(loop, session, actor)
    path = _path(loop, actor, area)
    asked, published = wanted(loop, session, "area", path)
    composite = composite_of(loop, published)
    sums = stored.sums(session, actor, asked, _WORST + 1)
    at, calendar = moment(loop, session), loop.calendar(session)
    first = at.since.astimezone(calendar.zone).date()
    last = recent.recent(session, actor, LastDays(path, at.since, at.zone, _LEAST_REPEATS, _MOST_REPEATS))

    def worst(by: Dimension) -> list[dict[str, Any]]:
        return shown(loop, session, by, [one for one in sums[by] if one.key is not None][:_WORST], composite)

    return {
        "area": area,
        "area_name": scope.area_name(loop.reference.directory, area),
        "since": first,
        "today": at.now.astimezone(calendar.zone).date(),
        "total": total(sums["area"], composite),
        "areas": shown(loop, session, "area", sums["area"][:MOST_GROUPS], composite),
        "stages": _stages(loop, session, sums["state"]),
        "late": _late(loop, session, sums["reached"]),
        "days": [
            (day, last.received.get(day, 0), last.closed.get(day, 0), calendar.is_workday(day))
            for day in (first + timedelta(days=n) for n in range(DAYS))
        ],
        "channels": last.channels,
        "repeats": last.worst,
        "places": _places(loop, path, sums["place"], last.groups),
        "estates": worst("estate"),
        "units": worst("unit"),
    }


def _path(loop: Loop, actor: Actor, area: str | None) -> str:
    if area is not None:
        return scope.path_of(loop, area, actor)
    top = loop.reference.directory.top
    return actor.area_path or (top.path if top else "")


def _stages(loop: Loop, session: Session, counts: list[Count]) -> list[dict[str, Any]]:
    """Return the six stages in their order: how many are open there, how many late, and in which states."""
    states: dict[str, dict[str, list[int]]] = {stage.value: defaultdict(lambda: [0, 0]) for stage in Stage}
    for (stage, state, name), count in stored.in_states(counts):
        workflow = loop.reference.rules(session, name).workflow
        title = workflow.states[state].title if state in workflow.states else state
        states[stage][title][0] += count.open
        states[stage][title][1] += count.overdue_open
    return [
        {
            "stage": stage.value,
            "title": stage.chinese,
            "n": sum(n for n, _ in states[stage.value].values()),
            "late": sum(late for _, late in states[stage.value].values()),
            "states": [(title, n) for title, (n, _) in states[stage.value].items()],
        }
        for stage in Stage
    ]


def _late(loop: Loop, session: Session, counts: list[Count]) -> dict[str, Any]:
    """Return the late ones by area and by the rung they have reached; rungs are named by the default workflow."""
    found: dict[str | None, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for area, rung, n in stored.late(counts):
        found[area][-1 if rung is None else rung] += n
    rules = loop.reference.rules(session, loop.default_workflow)
    ladder = next((clock.ladder for clock in rules.workflow.clocks.values() if clock.assessed and clock.ladder), ())
    rungs = sorted({rung for one in found.values() for rung in one})
    return {
        "rungs": [(rung, _called(rules, ladder, rung)) for rung in rungs],
        "areas": sorted(
            (
                {"key": key, "title": scope.area_name(loop.reference.directory, key), "n": sum(one.values()), "by": one}
                for key, one in found.items()
            ),
            key=lambda item: (-item["n"], item["key"] or ""),
        ),
    }


def _places(loop: Loop, path: str, counts: list[Count], groups: dict[str, int]) -> dict[str, Any]:
    """Return the areas below a path at the finest level of which there are not too many, each with its figures.

    `elsewhere` counts the open ones that lie in none of them.
    """
    areas = loop.reference.directory.areas
    level, inside = _finest([one for one in areas.values() if one.path.startswith(path) and one.path != path])
    found = {one.code: {"open": 0, "overdue": 0, "repeat": 0} for one in inside}
    elsewhere = 0
    for count in counts:
        held = _holding(found, count.key or "")
        if held is None:
            elsewhere += count.open
        else:
            held["open"] += count.open
            held["overdue"] += count.overdue_open
    for code, n in groups.items():
        held = _holding(found, areas[code].path if code in areas else "")
        if held is not None:
            held["repeat"] += n
    items = [
        {
            "key": one.code,
            "title": one.name,
            "street": scope.area_name(loop.reference.directory, one.parent_code) or "",
            "at": None if one.lon is None or one.lat is None else (one.lon, one.lat),
            **found[one.code],
        }
        for one in inside
    ]
    return {"level": LEVELS[level] if level else "", "items": items, "elsewhere": elsewhere}


def _finest(areas: list[Area]) -> tuple[Level | None, list[Area]]:
    for level in Level:
        here = sorted((one for one in areas if one.level == level.value), key=lambda one: one.path)
        if 0 < len(here) <= _MOST_PLACES:
            return level, here
    return None, []


def _holding(found: dict[str, dict[str, int]], path: str) -> dict[str, int] | None:
    return next((found[code] for code in path.split("/") if code in found), None)


def _called(rules: Any, ladder: Any, rung: int) -> str:
    if rung < 0:
        return "未升级"
    return rung_title(rules, None, ladder[rung]) if rung < len(ladder) else f"第 {rung + 1} 级"
