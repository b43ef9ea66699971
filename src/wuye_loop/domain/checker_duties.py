"""Proves separation of duties: no body may decide on its own work, by any way that the definition opens."""

from collections.abc import Sequence

from pydantic import BaseModel

from wuye_loop.domain.checker_finding import quoted
from wuye_loop.domain.checker_routers import units_named
from wuye_loop.domain.checker_scene import HOLDER, OPENER, Scene, StepPlace, target_of
from wuye_loop.domain.workflow import ActionSpec, DutyUnit, Role
from wuye_loop.domain.yamldoc import Path

_HOTLINE = ("channel", "complainant")  # both are the key of the hotline that sent the grievance
_APPROVALS = ("extend_clock", "act")


def check_duties(scene: Scene, parts: Sequence[tuple[Path, BaseModel]]) -> None:
    """Note pairs that can be one body, decisions open to both sides, and applicants that approve for themselves."""
    roles = scene.workflow.roles
    seen: set[frozenset[str]] = set()
    for index, (one, other) in enumerate(scene.workflow.separate):
        path = ("separate", index)
        if frozenset((one, other)) in seen:
            scene.findings.error(path, "twice", f"{one} 和 {other} 已经写过一次")
            continue
        seen.add(frozenset((one, other)))
        if one == other:
            scene.findings.error(path, "same-body", f"{quoted(one)}写了两次：要写两个不同的角色")
        elif one in roles and other in roles:
            why = same_body(roles[one], roles[other]) or _met_by_routing(scene, roles[one], roles[other], parts)
            if why:
                scene.findings.error(path, "same-body", f"{one} 和 {other} 要互不相同，却可能是同一个单位：{why}")
            else:
                _check_decisions(scene, one, other)
    _check_applications(scene)


def same_body(one: Role, other: Role) -> str | None:
    """Say in words why two roles can be one body by their own definition, or None."""
    if one.is_ in _HOTLINE and other.is_ in _HOTLINE:
        return "都由送来诉求的热线代办"
    if one.is_ is not None and one.is_ == other.is_:
        return f"都是 is: {one.is_}"
    if isinstance(one.unit, DutyUnit) and isinstance(other.unit, DutyUnit):
        levels = {one.unit.level, other.unit.level}
        same = one.unit.duty == other.unit.duty and (len(levels) == 1 or "current" in levels)
        return f"都是职责为 {one.unit.duty} 的单位" if same else None
    if one.unit is None or one.unit != other.unit:
        return None
    return {"lead": "都是主办单位", "assist": "都是协办单位"}.get(str(one.unit), f"都是单位 {one.unit}")


def _met_by_routing(scene: Scene, one: Role, other: Role, parts: Sequence[tuple[Path, BaseModel]]) -> str | None:
    """Say which router can make the unit of one role the lead or an assistant, which the other role is."""
    for doer, fixed in ((one, other), (other, one)):
        if doer.unit not in ("lead", "assist") or doer.is_ is not None or fixed.unit is None:
            continue
        for _, code, assists in units_named(parts):
            if assists is not (doer.unit == "assist"):
                continue
            if code == fixed.unit:
                return f"路由可以把诉求交给 {code}"
            unit = scene.directory.unit(code) if scene.directory is not None else None
            if isinstance(fixed.unit, DutyUnit) and unit is not None and fixed.unit.duty in unit.duties:
                return f"路由可以把诉求交给 {code}，它有职责 {fixed.unit.duty}"
    return None


def _twins(scene: Scene, name: str) -> set[str]:
    """Return the roles that are always the same body as this one."""
    role = scene.workflow.roles[name]
    return {other for other, spec in scene.workflow.roles.items() if other == name or _always_same(role, spec)}


def _always_same(one: Role, other: Role) -> bool:
    return one.is_ is None and other.is_ is None and one.unit is not None and one.unit == other.unit


def _check_decisions(scene: Scene, one: str, other: str) -> None:
    """Find moves by which a side may judge what it handed over itself: its own work, held by the other side to be judged."""
    mine, theirs = _twins(scene, one), _twins(scene, other)
    for step in scene.open_to(mine, theirs):
        action = step.step
        if not isinstance(action, ActionSpec) or all(target_of(action, way) is None for way in action.ways):
            continue
        here, there = mine & set(action.by), theirs & set(action.by)
        if _hands_over(scene, step, mine, theirs) or _hands_over(scene, step, theirs, mine):
            words = f"{min(here)} 和 {min(there)} 都能做 {step.name}：自己交出去的工作，自己就能认可"
            scene.findings.error((*step.path, "by"), "self-verify", words)


def _hands_over(scene: Scene, step: StepPlace, givers: set[str], judges: set[str]) -> bool:
    """Say whether a state that the action starts from is held by the judges and entered by an action of the givers."""
    states, entered = step.place.flow.states, scene.entered_by[step.place.kind]
    return any(
        state in states and states[state].holder in judges and not givers.isdisjoint(entered.get(state, ()))
        for state in step.step.from_
    )


def _check_applications(scene: Scene) -> None:
    """Who works on a grievance and applies for something must not be the one who grants it."""
    for call in scene.calls:
        kind = call.step.place.kind
        if kind is None or call.step.name is None or call.call.name not in _APPROVALS:
            continue
        task = scene.workflow.tasks[kind]
        doers = {name for name in task.open.by if _does_the_work(scene.workflow.roles.get(name))}
        if not doers:
            continue
        for index, name in enumerate(call.step.step.by):
            if name in doers or name == OPENER or (name == HOLDER and _held_by(task.holder, task.fallback, doers)):
                words = (
                    f"申请人自己批准自己：{'、'.join(sorted(doers))} 能申请 {kind}，也能经 {name} 做 {call.step.name}"
                )
                scene.findings.error((*call.step.path, "by", index), "self-approval", words)


def _does_the_work(role: Role | None) -> bool:
    return role is not None and role.unit in ("lead", "assist")


def _held_by(holder: str, fallback: str | None, doers: set[str]) -> bool:
    return holder in (OPENER, "target") or holder in doers or fallback in doers
