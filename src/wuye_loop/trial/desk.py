"""The intake desk of a sandbox: reads an order, knows who sends it, and finds the earlier grievance that it belongs to."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from wuye_loop.domain.errors import BadInput, Forbidden
from wuye_loop.domain.facts import facts_of, with_texts
from wuye_loop.domain.intake import IntakeForm
from wuye_loop.domain.roles import acting_role
from wuye_loop.domain.rules import Rules
from wuye_loop.domain.situation import Actor, Situation, World
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.workflow import Attach, DutyUnit
from wuye_loop.trial.town import Town

HOTLINE: Final = Actor(ActorKind.HOTLINE, source="12345")
#: What an order has where nothing else is written.
ORDER: Final[Mapping[str, Any]] = {"channel": "电话", "kind": "投诉", "title": "示例诉求"}


def read_order(town: Town, order: Mapping[str, Any], n: int) -> IntakeForm:
    """Return the nth order with defaults for what it leaves out; without a `place` it lies in the first estate.

    Raises BadInput naming what cannot be read.
    """
    filled = {"external_id": str(n), **ORDER, **order}
    filled.setdefault("body", filled["title"])
    if "place" not in filled and town.estates:
        filled["place"] = {"estate": next(iter(town.estates))}
    try:
        form = IntakeForm.model_validate(filled)
    except ValidationError as error:
        places = [".".join(map(str, one["loc"])) for one in error.errors(include_url=False)]
        fields = [{"path": place, "problem": "没有写，或写法不对"} for place in places]
        raise BadInput("工单填写有误", fields=fields) from None
    if form.place.area_code and form.place.area_code not in town.directory.areas:
        raise BadInput("没有这个属地", fields=[{"path": "place.area_code", "problem": "没有这个属地代码"}])
    return form


def sender_for(rules: Rules, town: Town, by: str) -> Actor:
    """Return who sends an order in: a unit by its code or by a role that stands for one, else a hotline.

    Raises BadInput when it is neither a role nor a unit.
    """
    role = rules.workflow.roles.get(by)
    unit = by if role is None else role.unit
    if isinstance(unit, DutyUnit):
        level = rules.workflow.levels[0] if unit.level == "current" else unit.level
        estate = next(iter(town.estates.values()), None)
        area = town.directory.areas.get(estate.area_code) if estate is not None else None
        found = town.directory.by_duty(unit.duty, area.path if area is not None else "", level)
        unit = found.code if found is not None else None
    elif not isinstance(unit, str):
        return HOTLINE
    if town.directory.unit(unit) is None:
        raise BadInput(f"没有角色“{by}”所指的单位" if role is not None else f"没有角色或单位“{by}”")
    return Actor(ActorKind.UNIT, unit)


def see_sender(world: World, situation: Situation, actor: Actor) -> None:
    """Refuse a unit that the file does not let send in from such a source, as the real desk does. Raises Forbidden."""
    if actor.kind is ActorKind.HOTLINE:
        return
    _, source = world.rules.source_of(situation.grievance.channel)
    if source is None or acting_role(source.by, actor, world, situation) is None:
        raise Forbidden("本单位不能从这一来源登记诉求")


def attaching(world: World, situation: Situation, form: IntakeForm) -> tuple[Attach | None, str | None]:
    """Return the rule (催办) by which an order belongs to an earlier grievance, and the number or id it names."""
    rules = world.rules.workflow.intake.attach
    facts = with_texts(facts_of(world, situation), world, situation) if rules else {}
    rule = next((one for one in rules if one.when.holds(facts)), None)
    named = form.extra.get(rule.to.removeprefix("extra.")) if rule is not None else None
    return rule, named if isinstance(named, str) else None
