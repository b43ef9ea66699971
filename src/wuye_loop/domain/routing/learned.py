"""A router that goes by what a learned model suggested on arrival: pinned in the ledger by the model's hash."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.language.parts import Code
from wuye_loop.domain.routing.protocol import COMPANY, Answer, Loads, RouterParams, RoutingCase, Trace, fit

KIND, TITLE = "learned", "学习所得"
_SHOWN = 12  # characters of a model's hash: as many as tell models apart


class LearnedParams(RouterParams):
    """学习所得: by category the unit, else the unit that the model learned; and how sure the model must be."""

    units: Annotated[dict[str, Code], Field(default_factory=dict, max_length=200)]
    sure: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.8


class Learned:
    """学习所得: the unit of the category that the model suggested, where it was sure enough."""

    Params: ClassVar[type[BaseModel]] = LearnedParams

    def route(self, params: LearnedParams, case: RoutingCase, directory: Directory, loads: Loads) -> Answer:
        """Answer from the suggestion alone: the same for ever, whatever model is in use since."""
        del loads
        said = case.facts.get("data.suggestion")
        if not isinstance(said, Mapping):
            return _none("没有模型的建议")
        if str(said.get("category")) not in params.units and said.get("unit"):
            return _learned(params, said, case, directory)
        if said.get("by") != "model":
            return _none("没有模型的建议")
        category, confidence = str(said.get("category")), _number(said.get("confidence"))
        told = f"建议为{category[:40]}，把握 {confidence:.0%}（模型 {str(said.get('model'))[:_SHOWN]}）{_because(said)}"
        if confidence < params.sure:
            return _none(f"{told}，不到 {params.sure:.0%}")
        target = params.units.get(category)
        if target is None:
            return _none(f"{told}，这一类没有写单位，模型也没有学出单位")
        return _to(target, told, case, directory)


def _learned(params: LearnedParams, said: Mapping[str, object], case: RoutingCase, directory: Directory) -> Answer:
    """Answer the unit that the model learned from where such matters came to rest, after all returns."""
    target, confidence = str(said.get("unit")), _number(said.get("unit_confidence"))
    name = "小区的物业企业" if target == COMPANY else directory.name_of(target) or target[:40]
    told = f"以往这样的多归{name}，把握 {confidence:.0%}（模型 {str(said.get('model'))[:_SHOWN]}）"
    if confidence < params.sure:
        return _none(f"{told}，不到 {params.sure:.0%}")
    return _to(target, told, case, directory)


def _to(target: str, told: str, case: RoutingCase, directory: Directory) -> Answer:
    unit, why_not = fit(target, case, directory)
    if unit is None:
        return _none(f"{told}，但{why_not}")
    return Answer(unit, Trace(KIND, TITLE, "matched", f"{told} → {directory.name_of(unit)}", unit))


def _none(why: str) -> Answer:
    return Answer(None, Trace(KIND, TITLE, "no-match", why))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _because(said: Mapping[str, object]) -> str:
    why = said.get("why")
    words = [str(word)[:12] for word in why[:3]] if isinstance(why, list | tuple) else []
    return f"，因为：{'、'.join(words)}" if words else ""
