"""Checks the chain of routers: each exists and has the right parameters, none is in vain, and the chain ends with somebody."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from wuye_loop.authoring.checker.conditions import cases_of
from wuye_loop.authoring.checker.scene import Scene
from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import DutyUnit
from wuye_loop.domain.routing.chain import router_params
from wuye_loop.domain.routing.protocol import COMPANY
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.rulefile.shape import note_shape

_SURE = ("desk", "least_loaded")
DUTY, _UNIT = "职责", "单位"
Part = tuple[Path, BaseModel]


def read_routers(scene: Scene) -> list[Part]:
    """Return the parameters of every router that can be read, with their paths; note the others."""
    registry = router_params()
    found: list[Part] = []
    for index, call in enumerate(scene.workflow.routers):
        path = ("routers", index)
        model = registry.get(call.kind)
        if model is None:
            scene.findings.unknown((*path, "kind"), "转办方式", call.kind, registry)
            continue
        try:
            found.append((path, model.model_validate(call.params)))
        except ValidationError as error:
            note_shape(error, model, path, scene.findings)
    return found


def check_routers(scene: Scene, parts: Sequence[Part]) -> None:
    """Note chains that can end with nobody, routers and rules that never have a turn, and units that do not exist."""
    calls = scene.workflow.routers
    read = dict(parts)
    sure = [
        index
        for index, call in enumerate(calls)
        if call.kind in _SURE and not _conditional(read.get(("routers", index)))
    ]
    if not calls:
        scene.findings.error(("routers",), "no-end", "至少要有一个转办方式：最后写 {kind: desk}", key=True)
    elif not sure:
        last = len(calls) - 1
        words = "转办可能没有人接：最后一个要是 {kind: desk}（人工转办），或不写 when 的 least_loaded"
        scene.findings.error(("routers", last), "no-end", words)
    desk = next((index for index in sure if calls[index].kind == "desk"), None)
    for index in range(desk + 1 if desk is not None else len(calls), len(calls)):
        words = f"这个转办方式永远轮不到：前面第 {(desk or 0) + 1} 个 desk 已经把一切交给人"
        scene.findings.error(("routers", index), "shadowed", words)
    kept = any(call.call.name == "precedent" for call in scene.calls)
    for index, call in enumerate(calls):
        if call.kind == "precedent" and not kept:
            words = "没有一个操作留下裁定（效果 precedent）：先例永远是空的"
            scene.findings.warn(("routers", index, "kind"), "no-precedents", words)
    _check_rules(scene, parts)
    _check_assists(scene, parts)
    _check_roles(scene, parts)
    if scene.directory is not None:
        _check_units(scene, scene.directory, parts)


def _conditional(params: BaseModel | None) -> bool:
    when = getattr(params, "when", None)
    return isinstance(when, Condition) and bool(when.raw)


def units_named(parts: Sequence[Part]) -> Iterator[tuple[Path, str, bool]]:
    """Give every unit's code in the routers with its place, and whether the unit would only assist."""
    for path, params in parts:
        for index, rule in enumerate(_rules(params)):
            if isinstance(getattr(rule, "to", None), str):
                yield (*path, "rules", index, "to"), rule.to, False
            for place, code in enumerate(getattr(rule, "assist", ())):
                yield (*path, "rules", index, "assist", place), code, True
        for place, code in enumerate(getattr(getattr(params, "among", None), "codes", ())):
            yield (*path, "among", place), code, False
        fallback = getattr(params, "fallback", None)
        if isinstance(fallback, str):
            yield (*path, "fallback"), fallback, False


def duties_named(parts: Sequence[Part]) -> Iterator[tuple[str, str | None]]:
    """Give every duty by which routers look for the lead unit, with the level where they look; None: any."""
    for _, params in parts:
        among = getattr(getattr(params, "among", None), "duty", None)
        for duty, level in ((getattr(params, "duty", None), getattr(params, "level", None)), (among, None)):
            if isinstance(duty, str):
                yield duty, str(level) if level is not None else None


def _rules(params: BaseModel) -> Sequence[Any]:
    return getattr(params, "rules", ())


def _check_rules(scene: Scene, parts: Sequence[Part]) -> None:
    cases = cases_of(scene)
    for path, params in parts:
        conditions = [rule.when for rule in _rules(params) if isinstance(getattr(rule, "when", None), Condition)]
        if len(conditions) != len(_rules(params)) or not conditions:
            continue
        bare = next((index for index, condition in enumerate(conditions) if not condition.raw), len(conditions))
        verdict = cases.judge(conditions, {})
        dead = {*range(bare + 1, len(conditions)), *(verdict.dead if verdict is not None else ())}
        seen: dict[Condition, int] = {}
        for index, condition in enumerate(conditions):
            if index in dead or condition in seen:
                words = "这一条规则永远轮不到：它不可能成立，或前面的已经包括了它的全部情形"
                scene.findings.error((*path, "rules", index), "shadowed", words)
            seen.setdefault(condition, index)


def _check_assists(scene: Scene, parts: Sequence[Part]) -> None:
    for path, _, assists in units_named(parts):
        if assists and "assist" not in scene.workflow.tasks:
            words = "要有名为 assist 的任务，才能有协办单位"
            scene.findings.error(path, "no-assist", words)


def _check_roles(scene: Scene, parts: Sequence[Part]) -> None:
    """Find names of roles where the code of a unit is wanted; a unit may have the same word for its code."""
    roles = scene.workflow.roles
    codes = {role.unit for role in roles.values() if isinstance(role.unit, str)}
    known = scene.directory.units if scene.directory is not None else {}
    for path, code, assists in units_named(parts):
        if code in roles and code != COMPANY and code not in codes and code not in known:
            may = "单位编码或 company" if assists or path[-1] == "to" else "单位编码"
            words = f"“{code}”是角色的名称，这里要写{may}"
            scene.findings.error(path, "role-for-unit", words)


def _check_units(scene: Scene, directory: Directory, parts: Sequence[Part]) -> None:
    """Find codes of units and names of duties that the directory does not have."""
    if not directory.units:
        words = "单位名录是空的，先用 wuye-loop directory load 装入：否则没有单位可以核对"
        scene.findings.error(("roles",), "no-directory", words, key=True)
        return
    active = [unit for unit in directory.units.values() if unit.active]
    codes = [unit.code for unit in active]
    duties = list(dict.fromkeys(duty for unit in active for duty in unit.duties))
    for path, what, name in named(scene, parts):
        allowed = codes if what == _UNIT else duties
        if name not in allowed:
            scene.findings.unknown(path, what, name, allowed)


def named(scene: Scene, parts: Sequence[Part]) -> Iterator[tuple[Path, str, str]]:
    """Give every code of a unit and every name of a duty with its place and which of the two it is."""
    yield from _named_by_routers(parts)
    yield from _named_by_roles(scene)


def _named_by_routers(parts: Sequence[Part]) -> Iterator[tuple[Path, str, str]]:
    yield from ((path, _UNIT, code) for path, code, _ in units_named(parts) if code != COMPANY)
    for path, params in parts:
        among = getattr(getattr(params, "among", None), "duty", None)
        for at, duty in (((*path, "duty"), getattr(params, "duty", None)), ((*path, "among", "duty"), among)):
            if isinstance(duty, str):
                yield at, DUTY, duty


def _named_by_roles(scene: Scene) -> Iterator[tuple[Path, str, str]]:
    for name, role in scene.workflow.roles.items():
        path = ("roles", name, "unit")
        if isinstance(role.unit, DutyUnit):
            yield (*path, "duty"), DUTY, role.unit.duty
        elif isinstance(role.unit, str) and role.unit not in ("lead", "assist"):
            yield path, _UNIT, role.unit
