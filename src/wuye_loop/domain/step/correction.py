"""An order set right after it came in: what of it changes, what is flagged now, whom its words alarm."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from wuye_loop.domain.errors import BadForm, BadInput
from wuye_loop.domain.grievance.order import Correction, IntakeForm
from wuye_loop.domain.grievance.situation import Actor, GrievanceState, Situation, World
from wuye_loop.domain.language.effects import CORRECTABLE
from wuye_loop.domain.privacy.known import NOBODY, Known
from wuye_loop.domain.step.arrival import (
    FUTURE_TIME,
    PLACE_DIFFERS,
    SEVERAL_ESTATES,
    UNREADABLE_TIME,
    Estate,
    arrived,
    first_look,
)
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.amending import FIXED, PROPOSAL, Corrected, set_right
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
_TOLD: Final = ("category", "urgency", "flags", "kind", "title", "body", "estate_code", "area_code", "company_code")
_FOUND_OUT: Final = ("estate_name", "estate_kind")
_PLACE: Final[Mapping[str, str]] = {"estate": "estate", "area": "area_code", "address": "address"}


def asked(answers: Mapping[str, Any]) -> Correction:
    """Return the correction that a form's answers ask for: what is left empty stays. Raises BadForm."""
    given = {name: value for name, value in answers.items() if value not in (None, "")}
    place = {key: given[name] for name, key in _PLACE.items() if name in given}
    named = {name: given[name] for name in CORRECTABLE if name in given and name not in _PLACE}
    if not named and not place:
        raise BadForm("没有写要更正什么", fields=[{"path": "reason", "problem": "至少填一项要更正的内容"}])
    try:
        return Correction(reason=given.get("reason", ""), **named, **({"place": place} if place else {}))
    except ValidationError as error:
        wrong = {str(one["loc"][-1]) for one in error.errors()}
        fields = [
            {"path": name, "problem": "不合要求"}
            for name in (*CORRECTABLE, "reason")
            if _PLACE.get(name, name) in wrong
        ]
        raise BadForm("更正的内容不合要求", fields=fields) from None


def order_of(old: GrievanceState, form: Correction, *, title: str, body: str) -> IntakeForm:
    """Return the whole order as it would be sent in today; `title` and `body` are those that were sent.

    Raises BadInput where it would be refused.
    """
    place = {"estate": old.estate_code or old.data.get("estate_name"), "area_code": old.area_code}
    if "place" in form.named:
        given = form.place.model_dump(exclude_unset=True) if form.place is not None else {}
        if form.place is None or ("estate" in given and "area_code" not in given):
            place = {}  # the old area was that of the old estate
        place |= {name: value for name, value in given.items() if name != "address"}
    order = {
        "external_id": "-",
        "channel": old.channel,
        "kind": form.kind if "kind" in form.named else old.kind,
        "category": form.category if "category" in form.named else old.category,
        "urgency": old.urgency,
        "title": form.title if "title" in form.named else title,
        "body": form.body if "body" in form.named else body,
        "occurred_at": form.occurred_at,
        "place": {name: value for name, value in place.items() if value},
        "complainant": {"anonymous": old.anonymous},
        "extra": dict(old.extra),
    }
    try:
        return IntakeForm.model_validate(order)
    except ValidationError:
        raise BadInput("更正以后的内容不合要求") from None


def changed(old: GrievanceState, new: GrievanceState, strike: Callable[[str], str]) -> dict[str, Any]:
    """Return what was and what is of every field that changed, texts struck."""
    names = [name for name in _TOLD if getattr(old, name) != getattr(new, name)]
    was, becomes = ({name: _plain(getattr(one, name)) for name in names} for one in (old, new))
    for told in (was, becomes):
        told |= {name: strike(str(told[name])) for name in ("title", "body") if name in told}
    return {"old": was, "new": becomes}


def proposed(world: World, made: Corrected) -> Corrected:
    """Return a correction that tells where the routers would send the grievance now."""
    trace = [one.as_json() for one in world.choose(made.after).trace]
    return replace(made, told={**made.told, "routing": trace, PROPOSAL: True})


def of_nobody(
    found: Callable[[str | None], Estate | None], world: World, situation: Situation, answers: Mapping[str, Any]
) -> Corrected:
    """Return a correction as a site makes it where nothing is known of a person; `found` is the estate of a name or code."""
    form, old = asked(answers), situation.grievance
    told = order_of(old, form, title=old.title, body=old.body)
    estate = found(told.place.estate)
    made = corrected(world, situation, told, form.named, estate=estate, estates_named=0, person=NOBODY)
    return proposed(world, replace(made, told=changed(old, made.after.grievance, str)))


def as_recorded(_: World, situation: Situation, answers: Mapping[str, Any]) -> Corrected:
    """Return what is known of a correction where it is only played again: the rest stands in the record as it is now."""
    given = answers.get("category")
    after = replace(situation.grievance, category=str(given)) if given else situation.grievance
    return Corrected(situation, replace(situation, grievance=after), [])


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


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
    set_right(builder, made)
    builder.close_entry(action, actor=actor.as_json(), facts=facts, audience=Audience.PUBLIC)
    return builder.step()
