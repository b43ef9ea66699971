"""An order set right after it came in: what of it changes, what is flagged now, whom its words alarm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor, GrievanceState, Situation, World
from wuye_loop.domain.privacy.known import Known
from wuye_loop.domain.step.arrival import (
    FUTURE_TIME,
    PLACE_DIFFERS,
    SEVERAL_ESTATES,
    UNREADABLE_TIME,
    Alarms,
    Estate,
    arrived,
    first_look,
)
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.documents import send
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.terms import Audience

RED_LINE: Final = "red-line"
_TIMES: Final = frozenset({UNREADABLE_TIME, FUTURE_TIME})
_PLACES: Final = frozenset({"unknown-estate", SEVERAL_ESTATES, PLACE_DIFFERS})
_BY_FIELD: Final[Mapping[str, frozenset[str]]] = {
    "place": _PLACES,
    "kind": frozenset({"unknown-kind"}),
    "occurred_at": _TIMES,
    "phone": frozenset({"damaged-phone"}),
}
_FOUND_OUT: Final = ("estate_name", "estate_kind")
#: Fixed at intake: written anew by a correction only.
FIXED: Final = ("kind", "title", "body", "estate_code", "area_code", "area_path", "company_code")


@dataclass(frozen=True, slots=True)
class Corrected:
    """A grievance as it would have come in, on top of what has become of it; `base` has its old changing fields."""

    base: Situation
    after: Situation
    alarms: Alarms


def corrected(
    world: World,
    situation: Situation,
    form: IntakeForm,
    named: frozenset[str],
    *,
    estate: Estate | None,
    estates_named: int,
    person: Known,
    seal: Callable[[str], str] = str,
) -> Corrected:
    """Return the grievance with what an order says now; `form` is the whole order, `named` what of it is corrected.

    State, units, clocks and tasks stay as they are. Raises BadInput for what the source's form finds wrong in `extra`.
    """
    old = situation.grievance
    then = replace(world, now=old.received_at)
    fresh = arrived(
        then, form, id=old.id, number=old.number, source=old.source, estate=estate, person=person, named=estates_named,
        seal=seal,
    )  # fmt: skip
    looked, alarms, _ = first_look(then, fresh, form)
    new = looked.grievance
    base = (
        replace(old, **{name: getattr(new, name) for name in FIXED})
        if "place" in named
        else replace(old, kind=new.kind, title=new.title, body=new.body)
    )
    gone = frozenset[str]().union(*(_BY_FIELD.get(name, frozenset()) for name in named))
    flags = [flag for flag in old.flags if flag not in gone]
    flags += [flag for flag in new.flags if flag not in flags and (flag in gone or flag == RED_LINE)]
    data = dict(old.data)
    if "place" in named:
        data = {name: value for name, value in data.items() if name not in _FOUND_OUT}
        data |= {name: new.data[name] for name in _FOUND_OUT if name in new.data}
    lifted = RED_LINE in new.flags and RED_LINE not in old.flags
    category = new.category if "category" in named or old.category is None else old.category
    after = replace(
        base, category=category, urgency=new.urgency if lifted else old.urgency, flags=tuple(flags), data=data
    )
    return Corrected(replace(situation, grievance=base), replace(situation, grievance=after), alarms if lifted else [])


def decided(world: World, made: Corrected, actor: Actor, action: str, facts: Mapping[str, Any]) -> Step:
    """Decide the row of a correction: what changed, why, and the alarms that its words raise."""
    builder = Builder(world, made.base)
    now: GrievanceState = made.after.grievance
    builder.set(category=now.category, urgency=now.urgency, flags=now.flags, data=now.data)
    for instrument, to in made.alarms:
        send(builder, instrument, to)
    builder.close_entry(action, actor=actor.as_json(), facts=facts, audience=Audience.PUBLIC)
    return builder.step()
