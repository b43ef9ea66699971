"""What would become of an order if it came in now: its category, its urgency, its unit and why, when it would be due.

The same decisions as at an intake, up to the first row; nothing is written, nobody is told.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor, Situation, World
from wuye_loop.domain.routing.words import decisive, router_words
from wuye_loop.domain.step.arrival import arrived, first_look
from wuye_loop.domain.suggesting.likeness import compared
from wuye_loop.domain.time.spans import Span
from wuye_loop.loop.collect import world_for
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.striking import unnamed_rows
from wuye_loop.store.grievance import intake
from wuye_loop.store.reads import grievances

_MOST_ALIKE = 6


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an order would come to."""

    estate: str | None  # the code that the place was found to be
    area: str | None
    category: str | None
    urgency: str
    red_line: bool
    unit: str | None
    unit_name: str | None
    why: list[str]  # of the routers that settle it
    passed: list[str]  # of those that do not
    limit: str | None
    due_at: datetime | None
    alike: list[dict[str, Any]]


def foresee(loop: Loop, session: Session, form: IntakeForm, actor: Actor) -> Foreseen:
    """Return what an order would come to if it came in now, and which open or recent ones it resembles.

    Raises BadInput for an unknown area.
    """
    asked = intake.Asked(form.external_id, form.place.estate, form.place.area_code)
    (found,) = intake.look(session, actor.sender, [asked])
    loop.reference.refresh(session, found.epochs)
    world = world_for(loop, session, form, actor, found)
    situation = arrived(
        world, form, id=world.new_id(), number="", source=actor.source or "", estate=found.estate, reporter=actor.unit
    )
    situation, _, _ = first_look(world, situation, form)
    trace = [item.as_json() for item in world.choose(situation).trace]
    unit: Any = next((item["unit"] for item in trace if item.get("unit") and item["outcome"] != "no-match"), None)
    settled, passed = decisive(trace)
    sources = {name: source.title for name, source in world.rules.workflow.sources.items()}
    limit, due = _due(world, situation)
    record = situation.grievance
    return Foreseen(
        estate=record.estate_code,
        area=record.area_code,
        category=record.category,
        urgency=record.urgency,
        red_line="red-line" in record.flags,
        unit=unit,
        unit_name=world.directory.name_of(unit),
        why=[router_words(item, world.directory, sources) for item in settled],
        passed=[router_words(item, world.directory, sources) for item in passed],
        limit=limit,
        due_at=due,
        alike=_alike(loop, session, world, situation, actor),
    )


def _due(world: World, situation: Situation) -> tuple[str | None, datetime | None]:
    """Return the limit in which it would have to be done, counted from now, and the instant at which it ends."""
    facts = facts_of(world, situation)
    for clock in world.rules.workflow.clocks.values():
        line = (
            next((one for one in clock.limit if one.when.holds(facts)), None)
            if clock.assessed and clock.when.holds(facts)
            else None
        )
        if line is not None and line.is_ is not None:
            due = world.calendar.due(world.now, line.is_, line.starts or clock.starts)
            return f"{line.is_.chinese}", due.at
    return None, None


def _alike(loop: Loop, session: Session, world: World, situation: Situation, actor: Actor) -> list[dict[str, Any]]:
    rule, record = world.rules.workflow.intake.duplicates, situation.grievance
    since = world.calendar.shift(world.now, Span(-rule.window.n, rule.window.unit))
    found = []
    for row, similarity in compared(record, grievances.near_in_place(session, actor, record, since, world.now)):
        state = world.rules.workflow.states.get(row.state)
        found.append(
            {
                "number": row.number,
                "title": row.title,
                "state_title": state.title if state else row.state,
                "similarity": round(similarity, 2),
                "likely": similarity >= rule.similarity,
            }
        )
    shown = sorted(found, key=lambda item: -item["similarity"])[:_MOST_ALIKE]
    unnamed_rows(loop, session, shown, ("title",), "number")
    return shown
