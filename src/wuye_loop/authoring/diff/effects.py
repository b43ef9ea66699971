"""What changes in what the system does when an action is taken: effects in words, with all that they take."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, RootModel, ValidationError

from wuye_loop.authoring.diff.sides import SYSTEM, Change, Sides, told
from wuye_loop.authoring.diff.values import plain
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.effects import Cap, effect_params
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import EffectCall
from wuye_loop.domain.wording.definition import Wording, listed, quoted

Fields = Mapping[str, FieldSpec]
Asked = tuple[Fields, Fields]  # the forms on either side
_UNITS: Final = {"workday": "个工作日", "day": "日", "hour": "小时", "workhour": "个工作小时", "month": "个月"}


def effects(
    sides: Sides, old: Sequence[EffectCall], new: Sequence[EffectCall], what: str, asked: Asked, paths: tuple[str, str]
) -> Iterator[Change]:
    """Yield what the system does now, or no longer, or otherwise, when the action `what` is taken."""
    was, now = list(map(whole, old)), list(map(whole, new))
    gone, fresh = [call for call in was if call not in now], [call for call in now if call not in was]
    where = f"{paths[0]}.effect", f"{paths[1]}.effect"
    for before in list(gone):
        after = next((call for call in fresh if call.name == before.name), None)
        if after is None:
            continue
        gone.remove(before)
        fresh.remove(after)
        words = f"{what}时的{quoted(sides.in_a.effect(before))}改为{quoted(sides.in_b.effect(after))}"
        if sides.in_a.effect(before) == sides.in_b.effect(after):
            said = in_full(sides.in_a, before, asked[0]), in_full(sides.in_b, after, asked[1])
            words = f"{what}时由{quoted(said[0])}改为{quoted(said[1])}"
        yield from told([SYSTEM], what, "effect-changed", words, *where)
    for call in gone:
        yield from told([SYSTEM], what, "effect-removed", f"{what}时不再{sides.in_a.effect(call)}", where[0])
    for call in fresh:
        yield from told([SYSTEM], what, "effect-added", f"{what}时另{sides.in_b.effect(call)}", None, where[1])


@cache
def _models() -> dict[str, type[BaseModel]]:
    return effect_params()


def whole(call: EffectCall) -> EffectCall:
    """Return a call with what it leaves unsaid filled in, and addressees in one order; as it is where it cannot be read."""
    model = _models().get(call.name)
    if model is None:
        return call
    try:
        read = model.model_validate(call.params)
    except ValidationError:  # a third party's effect of another day: compared as it was written
        return call
    if isinstance(read, RootModel):
        return call
    params = {info.alias or name: getattr(read, name) for name, info in type(read).model_fields.items()}
    if call.name == "notify":
        params["to"] = sorted({params["to"]} if isinstance(params["to"], str) else set(params["to"]))
    return EffectCall(name=call.name, params={name: value for name, value in params.items() if value is not None})


def in_full(words: Wording, call: EffectCall, fields: Fields) -> str:
    """Return in words what an effect does and what it takes: from which field, for whom, at most how much."""

    def filled(name: object) -> str:
        return f"所填{words.field(str(name), fields.get(str(name)))}"

    said = _FULL.get(call.name)
    more = said(words, call.params, filled) if said is not None else ""
    if said is None and call.name not in _models():
        more = plain(call.params)
    return words.effect(call) + (f"（{more}）" if more else "")


Filled = Callable[[object], str]
Params = Mapping[str, Any]


def _extended(words: Wording, params: Params, filled: Filled) -> str:
    caps = [f"{_case(words, cap.when)}{cap.is_.chinese}" for cap in params.get("cap", ()) if isinstance(cap, Cap)]
    most = f"，累计最多：{'、'.join(caps)}" if caps else ""
    return f"{filled(params.get('by'))}{_UNITS.get(str(params.get('unit')), '个工作日')}{most}"


def _case(words: Wording, when: Condition) -> str:
    said = words.condition(when)
    return f"{said} " if said else ""


def _opened(words: Wording, params: Params, filled: Filled) -> str:
    stored = [f"{filled(name)}存为{words.field(key)}" for key, name in (params.get("data") or {}).items()]
    paper = f"文书{quoted(params['document'])}" if params.get("document") else ""
    return "，".join(filter(None, [_to(words, params, filled), paper, *stored]))


def _to(words: Wording, params: Params, filled: Filled) -> str:
    to = params.get("to")
    if to is None:
        return ""
    title = words.role(str(to))
    return f"给{title if title != to else filled(to)}"


_FULL: Final[Mapping[str, Callable[[Wording, Params, Filled], str]]] = {
    "extend_clock": _extended,
    "open": _opened,
    "document": _to,
    "assign": lambda _words, params, filled: filled(params.get("to")),
    "merge": lambda _words, params, filled: f"并入{filled(params.get('into'))}",
    "set": lambda words, params, filled: listed(
        f"{filled(name)}存为{words.field(key)}" for key, name in params.items()
    ),
    "rate": lambda words, params, _filled: words.rating(str(params["rating"])) if params.get("rating") else "",
    "exclude": lambda _words, params, filled: f"理由：{filled(params['reason'])}" if params.get("reason") else "",
    "precedent": lambda _words, params, filled: listed(
        f"{title}：{filled(params[key])}"
        for key, title in (("ruling", "裁定"), ("unit", "承办单位"), ("reason", "理由"))
        if params.get(key)
    ),
}
