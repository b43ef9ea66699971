"""The intake desk of a sandbox: reads an order, knows who sends it, and finds the earlier grievance that it belongs to."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.language.workflow import DutyUnit, EstateUnit
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.arrival import know_area
from wuye_loop.domain.terms import ActorKind
from wuye_loop.trial.town.town import Town

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
    know_area(town.directory, form)
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
    elif isinstance(unit, EstateUnit):
        unit = next((estate.company_code for estate in town.estates.values()), None)
    elif not isinstance(unit, str):
        return HOTLINE
    if town.directory.unit(unit) is None:
        raise BadInput(f"没有角色“{by}”所指的单位" if role is not None else f"没有角色或单位“{by}”")
    return Actor(ActorKind.UNIT, unit)
