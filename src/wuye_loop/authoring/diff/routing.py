"""What changes in the way a grievance finds its unit: which cases go elsewhere, which routers are tried, in what order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from wuye_loop.authoring.diff.cases import Line, Turn, turns
from wuye_loop.authoring.diff.sides import CLERK, Change, Sides, rest, told
from wuye_loop.authoring.diff.values import shown
from wuye_loop.domain.language.conditions import ALWAYS, fact_info
from wuye_loop.domain.language.workflow import RouterCall
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
            words = f"不再用{quoted(_title(call))}转办"
            yield from told(sides.leads, _title(call), "router-removed", words, _path(sides.a, call))
    for key, call in new:
        if key not in was:
            words = f"新增转办方式{quoted(_title(call))}，排在第 {sides.b.routers.index(call) + 1} 位"
            yield from told(sides.leads, _title(call), "router-added", words, None, _path(sides.b, call))
    before, after = [key for key, _ in old if key in now], [key for key, _ in new if key in was]
    if before != after:
        orders = [listed(_title(calls[key]) for key in keys) for calls, keys in ((was, before), (now, after))]
        words = f"转办方式的次序由{orders[0]}改为{orders[1]}"
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
        yield from told(sides.leads, title, "renamed", f"转办方式{quoted(_title(old))}改称{quoted(title)}", *paths)
    yield from rest(old, new, {"kind", "title"}, f"转办方式{quoted(title)}", sides.leads, paths[1])
    before, after = _params(old), _params(new)
    if before.get("when", ALWAYS) != after.get("when", ALWAYS):
        asked = [
            words.condition(side.get("when", ALWAYS)) for words, side in ((sides.in_a, before), (sides.in_b, after))
        ]
        said = [f"只用于{one}的诉求" if one else "用于所有诉求" for one in asked]
        yield from told(sides.leads, title, "router-changed", f"{title}由{said[0]}改为{said[1]}", *paths)
    for name in sorted({*before, *after} - {"rules", "when"}):
        if before.get(name) != after.get(name):
            words = f"{title}的{_PARAMS.get(name, f' {name} ')}由{_said(name, before)}改为{_said(name, after)}"
            yield from told(sides.leads, title, "router-changed", words, *paths)
    was, now = _lines(before.get("rules", ())), _lines(after.get("rules", ()))
    for turn in turns(was, now)[:_MOST_TOLD]:
        words = f"{title}：{_case(sides, turn)}{_gone_to(turn)}"
        yield from told(sides.leads, title, "route-changed", words, f"{paths[0]}.rules", f"{paths[1]}.rules")
    wording = [_written(side.get("rules", ())) for side in (before, after)]
    if wording[0] != wording[1]:
        words = f"{title}各条的条目名称或出处变了"
        yield from told([CLERK], title, "items-changed", words, f"{paths[0]}.rules", f"{paths[1]}.rules")


def _said(name: str, params: Mapping[str, Any]) -> str:
    """Return a router's parameter in words."""
    value = params.get(name)
    if name == "level" and value is not None:
        return quoted(LEVELS[Level(value)] if value in list(Level) else "当前层级")
    if isinstance(value, Among):
        return shown(f"职责为 {value.duty} 的单位" if value.duty else value.codes)
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
    said = "、".join(sides.in_either.clause(fact, matcher) for fact, matcher in turn.case.items())
    return f"{said or '其他'}的诉求"


def _gone_to(turn: Turn) -> str:
    if turn.before is None:
        return f"转给{_unit(turn.after[0])}{_assisting(turn.after[1])}，原由后面的转办方式定"
    if turn.after is None:
        return f"不再转给{_unit(turn.before[0])}，由后面的转办方式定"
    (was, helped), (now, helping) = turn.before, turn.after
    if was != now:
        return f"由{_unit(was)}改转{_unit(now)}{_assisting(helping) if helping != helped else ''}"
    return f"的协办单位由{_units(helped)}改为{_units(helping)}"


def _unit(code: str) -> str:
    return SPECIAL.get(code, f" {code} ")


def _units(codes: Sequence[str]) -> str:
    return listed(map(_unit, codes)) or "无"


def _assisting(codes: Sequence[str]) -> str:
    return f"，协办{_units(codes)}" if codes else ""
