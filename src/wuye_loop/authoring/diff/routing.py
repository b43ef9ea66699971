"""What changes in the way a grievance finds its unit: which cases go elsewhere, which routers are tried, in what order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from wuye_loop.authoring.diff.cases import Line, Turn, turns
from wuye_loop.authoring.diff.sides import CLERK, Change, Sides, rest, told
from wuye_loop.authoring.diff.values import NOTHING, shown
from wuye_loop.domain.language.conditions import ALWAYS, fact_info
from wuye_loop.domain.language.workflow import RouterCall
from wuye_loop.domain.phrases import Phrase, joined, phrase
from wuye_loop.domain.routing.chain import router_params
from wuye_loop.domain.routing.kinds import TITLES, Among, Target
from wuye_loop.domain.terms import Level
from wuye_loop.domain.wording.definition import LEVELS, SPECIAL, listed, quoted

_MOST_TOLD = 200  # cases of one list
_PARAMS = {
    "level": "层级", "duty": "职责", "among": "可选单位", "url": "地址", "timeout": "等候秒数", "send": "送出的事实",
    "fallback": "后备单位", "follow": "照从前的裁定转办",
}  # fmt: skip


def routers(sides: Sides) -> Iterator[Change]:
    """Yield what changes in the chain of routers, for those who lead."""
    old, new = _named(sides.a.routers, ()), _named(sides.b.routers, sides.a.routers)
    was, now = dict(old), dict(new)
    for key, call in old:
        if key not in now:
            words = phrase("不再用{title}转办", title=quoted(_title(call)))
            yield from told(sides.leads, _title(call), "router-removed", words, _path(sides.a, call))
    for key, call in new:
        if key not in was:
            words = phrase(
                "新增转办方式{title}，排在第 {more} 位",
                title=quoted(_title(call)),
                more=sides.b.routers.index(call) + 1,
            )
            yield from told(sides.leads, _title(call), "router-added", words, None, _path(sides.b, call))
    before, after = [key for key, _ in old if key in now], [key for key, _ in new if key in was]
    if before != after:
        orders = [listed(_title(calls[key]) for key in keys) for calls, keys in ((was, before), (now, after))]
        words = phrase("转办方式的次序由{old_orders}改为{new_orders}", old_orders=orders[0], new_orders=orders[1])
        yield from told(sides.leads, "转办方式", "routers-reordered", words, "routers", "routers")
    for key in before:
        if was[key] != now[key]:
            yield from _router(sides, was[key], now[key])


Key = tuple[str, str, int]


def _named(calls: Sequence[RouterCall], others: Sequence[RouterCall]) -> list[tuple[Key, RouterCall]]:
    """Return the calls by kind and title, which say what belongs together in two files.

    A call whose title the other file does not have takes the place of the one of its kind that is left over there.
    """
    keys = _keys(calls)
    if others:
        theirs = _keys(others)
        left = [key for key in theirs if key not in keys]
        for place, key in enumerate(keys):
            if key not in theirs:
                twin = next((one for one in left if one[0] == key[0]), None)
                if twin is not None:
                    left.remove(twin)
                    keys[place] = twin
    return list(zip(keys, calls, strict=True))


def _keys(calls: Sequence[RouterCall]) -> list[Key]:
    found: list[Key] = []
    for call in calls:
        count = sum(key[:2] == (call.kind, _title(call)) for key in found)
        found.append((call.kind, _title(call), count))
    return found


def _title(call: RouterCall) -> str:
    return call.title or TITLES.get(call.kind, call.kind)


def _path(workflow: Any, call: RouterCall) -> str:
    return f"routers.{workflow.routers.index(call)}"


def _router(sides: Sides, old: RouterCall, new: RouterCall) -> Iterator[Change]:
    title, paths = _title(new), (_path(sides.a, old), _path(sides.b, new))
    if _title(old) != title:
        yield from told(
            sides.leads,
            title,
            "renamed",
            phrase("转办方式{old_title}改称{title}", old_title=quoted(_title(old)), title=quoted(title)),
            *paths,
        )
    yield from rest(old, new, {"kind", "title"}, phrase("转办方式{title}", title=quoted(title)), sides.leads, paths[1])
    before, after = _params(old), _params(new)
    if before.get("when", ALWAYS) != after.get("when", ALWAYS):
        asked = [
            words.condition(side.get("when", ALWAYS)) for words, side in ((sides.in_a, before), (sides.in_b, after))
        ]
        said = [phrase("只用于{one}的诉求", one=one) if one else "用于所有诉求" for one in asked]
        yield from told(
            sides.leads,
            title,
            "router-changed",
            phrase("{title}由{old_said}改为{new_said}", title=title, old_said=said[0], new_said=said[1]),
            *paths,
        )
    for name in sorted({*before, *after} - {"rules", "when"}):
        if before.get(name) != after.get(name):
            words = phrase(
                "{title}的{param}由{old_said}改为{new_said}",
                title=title,
                param=_PARAMS.get(name, f" {name} "),
                old_said=_said(name, before),
                new_said=_said(name, after),
            )
            yield from told(sides.leads, title, "router-changed", words, *paths)
    was, now = _lines(before.get("rules", ())), _lines(after.get("rules", ()))
    for turn in turns(was, now)[:_MOST_TOLD]:
        words = _gone_to(turn, title, _case(sides, turn))
        yield from told(sides.leads, title, "route-changed", words, f"{paths[0]}.rules", f"{paths[1]}.rules")
    wording = [_written(side.get("rules", ())) for side in (before, after)]
    if wording[0] != wording[1]:
        words = phrase("{title}各条的条目名称或出处变了", title=title)
        yield from told([CLERK], title, "items-changed", words, f"{paths[0]}.rules", f"{paths[1]}.rules")


def _said(name: str, params: Mapping[str, Any]) -> str:
    """Return a router's parameter in words."""
    value = params.get(name)
    if name == "level" and value is not None:
        return quoted(LEVELS[Level(value)] if value in list(Level) else "当前层级")
    if isinstance(value, Among):
        return shown(phrase("职责为 {duty} 的单位", duty=value.duty) if value.duty else value.codes)
    if name == "send" and isinstance(value, tuple | list):
        return shown([info.title if (info := fact_info(str(one))) else one for one in value])
    return shown(value)


def _params(call: RouterCall) -> dict[str, Any]:
    """Return a call's parameters, defaults filled in; as written where the kind cannot read them."""
    model = router_params().get(call.kind)
    if model is None:
        return call.params
    try:
        read: Any = model.model_validate(call.params)
    except ValidationError:  # an old file under a newer router: as routing itself passes it over, so it is compared raw
        return call.params
    return {name: getattr(read, name) for name in type(read).model_fields}


def _lines(rules: Sequence[Any]) -> list[Line]:
    return [Line(rule.when, (rule.to, tuple(sorted(rule.assist)))) for rule in rules if isinstance(rule, Target)]  # type: ignore[attr-defined]


def _written(rules: Sequence[Any]) -> set[tuple[str | None, str | None]]:
    return {(rule.item, rule.source) for rule in rules if isinstance(rule, Target)}  # type: ignore[attr-defined]


def _case(sides: Sides, turn: Turn) -> str:
    said = joined(sides.in_either.clause(fact, matcher) for fact, matcher in turn.case.items())
    return phrase("{said}的诉求", said=said) if said else "其他的诉求"


def _gone_to(turn: Turn, title: str, case: str) -> Phrase:
    head = {"title": title, "case": case}
    if turn.before is None:
        to = {"unit": _unit(turn.after[0]), "assisting": _assisting(turn.after[1])}
        return phrase("{title}：{case}转给{unit}{assisting}，原由后面的转办方式定", **head, **to)
    if turn.after is None:
        return phrase("{title}：{case}不再转给{unit}，由后面的转办方式定", **head, unit=_unit(turn.before[0]))
    (was, helped), (now, helping) = turn.before, turn.after
    if was != now:
        more = _assisting(helping) if helping != helped else ""
        return phrase(
            "{title}：{case}由{old}改转{new}{assisting}", **head, old=_unit(was), new=_unit(now), assisting=more
        )
    return phrase("{title}：{case}的协办单位由{old}改为{new}", **head, old=_units(helped), new=_units(helping))


def _unit(code: str) -> str:
    return SPECIAL.get(code, f" {code} ")


def _units(codes: Sequence[str]) -> str:
    return listed(map(_unit, codes)) or NOTHING


def _assisting(codes: Sequence[str]) -> str:
    return phrase("，协办{units}", units=_units(codes)) if codes else ""
