"""What changes in what the system does when an action is taken: effects in words, with all that they take."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, RootModel, ValidationError

from wuye_loop.authoring.diff.sides import SYSTEM, Change, Sides, told
from wuye_loop.authoring.diff.values import plain
from wuye_loop.domain.language.effects import Cap, effect_params
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import EffectCall
from wuye_loop.domain.phrases import joined, phrase
from wuye_loop.domain.wording.definition import Wording, listed, quoted

Fields = Mapping[str, FieldSpec]
Asked = tuple[Fields, Fields]  # the forms on either side
_UNITS: Final = {
    "workday": "{by}个工作日",
    "day": "{by}日",
    "hour": "{by}小时",
    "workhour": "{by}个工作小时",
    "month": "{by}个月",
}


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
        words = phrase(
            "{what}时的{old_effect}改为{new_effect}",
            what=what,
            old_effect=quoted(sides.in_a.effect(before)),
            new_effect=quoted(sides.in_b.effect(after)),
        )
        if sides.in_a.effect(before) == sides.in_b.effect(after):
            said = in_full(sides.in_a, before, asked[0]), in_full(sides.in_b, after, asked[1])
            words = phrase(
                "{what}时由{old_said}改为{new_said}", what=what, old_said=quoted(said[0]), new_said=quoted(said[1])
            )
        yield from told([SYSTEM], what, "effect-changed", words, *where)
    for call in gone:
        yield from told(
            [SYSTEM],
            what,
            "effect-removed",
            phrase("{what}时不再{effect}", what=what, effect=sides.in_a.effect(call)),
            where[0],
        )
    for call in fresh:
        yield from told(
            [SYSTEM],
            what,
            "effect-added",
            phrase("{what}时另{effect}", what=what, effect=sides.in_b.effect(call)),
            None,
            where[1],
        )


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
        return phrase("所填{field}", field=words.field(str(name), fields.get(str(name))))

    takes = _FULL.get(call.name)
    more = takes(words, call.params, filled) if takes is not None else ""
    if takes is None and call.name not in _models():
        more = plain(call.params)
    said = words.effect(call)
    return phrase("{said}（{more}）", said=said, more=more) if more else said


Filled = Callable[[object], str]
Params = Mapping[str, Any]


def _extended(words: Wording, params: Params, filled: Filled) -> str:
    caps = [_capped(words, cap) for cap in params.get("cap", ()) if isinstance(cap, Cap)]
    said = phrase(_UNITS.get(str(params.get("unit")), _UNITS["workday"]), by=filled(params.get("by")))
    return phrase("{said}，累计最多：{caps}", said=said, caps=joined(caps)) if caps else said


def _capped(words: Wording, cap: Cap) -> str:
    when = words.condition(cap.when)
    return phrase("{when} {long}", when=when, long=cap.is_.chinese) if when else cap.is_.chinese


def _opened(words: Wording, params: Params, filled: Filled) -> str:
    stored = [
        phrase("{filled}存为{field}", filled=filled(name), field=words.field(key))
        for key, name in (params.get("data") or {}).items()
    ]
    paper = phrase("文书{params}", params=quoted(params["document"])) if params.get("document") else ""
    return joined(filter(None, [_to(words, params, filled), paper, *stored]), "，")


def _to(words: Wording, params: Params, filled: Filled) -> str:
    to = params.get("to")
    if to is None:
        return ""
    title = words.role(str(to))
    return phrase("给{more}", more=title if title != to else filled(to))


_FULL: Final[Mapping[str, Callable[[Wording, Params, Filled], str]]] = {
    "extend_clock": _extended,
    "open": _opened,
    "document": _to,
    "assign": lambda _words, params, filled: filled(params.get("to")),
    "merge": lambda _words, params, filled: phrase("并入{filled}", filled=filled(params.get("into"))),
    "set": lambda words, params, filled: listed(
        phrase("{filled}存为{field}", filled=filled(name), field=words.field(key)) for key, name in params.items()
    ),
    "rate": lambda words, params, _filled: words.rating(str(params["rating"])) if params.get("rating") else "",
    "exclude": lambda _words, params, filled: (
        phrase("理由：{filled}", filled=filled(params["reason"])) if params.get("reason") else ""
    ),
    "precedent": lambda _words, params, filled: listed(
        phrase("{title}：{filled}", title=title, filled=filled(params[key]))
        for key, title in (("ruling", "裁定"), ("unit", "承办单位"), ("reason", "理由"))
        if params.get(key)
    ),
}
