"""Proves separation of duties: no body may decide on its own work, by any way that the definition opens."""

from collections.abc import Sequence
from itertools import combinations, islice

from pydantic import BaseModel

from wuye_loop.authoring.checker.routers import duties_named, units_named
from wuye_loop.authoring.checker.scene import HOLDER, OPENER, TARGET, Scene, StepPlace, has_effect, target_of
from wuye_loop.authoring.checker.task_separation import kept_apart
from wuye_loop.domain.language.workflow import ActionSpec, DutyUnit, EstateUnit, Role, TaskKind, TaskUnit
from wuye_loop.domain.routing.protocol import COMPANY
from wuye_loop.domain.rulefile.findings import quoted
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.rules.rules import GRANTING
from wuye_loop.domain.terms import Stage

_HOTLINE = ("channel", "complainant")  # both are the key of the hotline that sent the grievance
_MOST_PAIRS = 1_000  # of one definition: a hostile file must not keep the checker busy


def check_duties(scene: Scene, parts: Sequence[tuple[Path, BaseModel]]) -> None:
    """Note pairs that can be one body, decisions open to both sides, and applicants that approve for themselves."""
    groups: list[set[str]] = []
    proved: set[frozenset[str]] = set()
    for index, group in enumerate(scene.workflow.separate):
        path = ("separate", index)
        if any(set(group) <= before for before in groups):
            scene.findings.error(path, "twice", f"{' 和 '.join(group)} 已经写过一次")
            continue
        groups.append(set(group))
        for place, name in enumerate(group):
            if name in group[:place]:
                words = f"{quoted(name)}写了两次：每个角色只写一次，各是不同的单位"
                scene.findings.error((*path, place), "same-body", words)
        every = islice(combinations(dict.fromkeys(group), 2), _MOST_PAIRS + 1)
        pairs = [pair for pair in every if frozenset(pair) not in proved]
        proved.update(map(frozenset, pairs))
        if len(proved) > _MOST_PAIRS:
            words = f"要互不相同的角色超过 {_MOST_PAIRS} 对，无法逐一验证：请只写真正要分离的角色"
            scene.findings.error(path, "too-many-pairs", words)
            break
        for one, other in pairs:
            _check_pair(scene, path, one, other, parts)
    _check_applications(scene)


def _check_pair(scene: Scene, path: Path, one: str, other: str, parts: Sequence[tuple[Path, BaseModel]]) -> None:
    """Prove that two roles are different bodies, by their own definition and by whatever the file can make of them."""
    roles = scene.workflow.roles
    if one not in roles or other not in roles:
        return
    here, there = roles[one], roles[other]
    why = (
        same_body(here, there)
        or met_by_routing(scene, here, there, parts)
        or _met_by_holding(scene, here, there)
        or _met_by_reporting(scene, here, there)
        or _met_in_directory(scene, here, there)
    )
    if why:
        scene.findings.error(path, "same-body", f"{one} 和 {other} 要互不相同，却可能是同一个单位：{why}")
    else:
        _check_decisions(scene, one, other)


def same_body(one: Role, other: Role) -> str | None:
    """Say in words why two roles can be one body by their own definition, or None."""
    both = one.is_ in _HOTLINE and other.is_ in _HOTLINE
    if both or (one.is_ is not None and one.is_ == other.is_):
        return "都由送来诉求的热线代办" if both else f"都是 is: {one.is_}"
    if isinstance(one.unit, DutyUnit) and isinstance(other.unit, DutyUnit):
        same = one.unit.duty == other.unit.duty and same_level(one.unit, other.unit)
        return f"都是职责为 {one.unit.duty} 的单位" if same else None
    kind = _task_of(one)
    if kind is not None and kind == _task_of(other):
        return f"都是任务 {kind} 的持有单位"
    if one.unit is None or one.unit != other.unit:
        return None
    company = isinstance(one.unit, EstateUnit)
    return f"都是{'小区的物业企业' if company else '主办单位' if one.unit == 'lead' else f'单位 {one.unit}'}"


def same_level(one: DutyUnit, other: DutyUnit) -> bool:
    """Say whether the units of two duties can be of the same level."""
    levels = {one.level, other.level}
    return len(levels) == 1 or "current" in levels


def _task_of(role: Role) -> str | None:
    """Return the kind of task whose holders a role stands for."""
    if isinstance(role.unit, TaskUnit):
        return role.unit.task
    return "assist" if role.unit == "assist" else None


def _met_by_holding(scene: Scene, one: Role, other: Role) -> str | None:
    """Say which kind of task makes one role of the other: its holders are the one role, who holds it the other."""
    for doer, fixed in ((one, other), (other, one)):
        kind = _task_of(doer)
        task = scene.workflow.tasks.get(kind or "")
        for name in (task.holder, task.fallback) if task is not None and doer.is_ is None else ():
            holder = scene.workflow.roles.get(name or "")
            if holder is not None and _always_same(holder, fixed):
                return f"任务 {kind} 由 {name} 持有"
    return None


def _met_by_reporting(scene: Scene, one: Role, other: Role) -> str | None:
    """Say which source puts the reporting unit in the complainant's place, where that unit is the other role."""
    for asker, fixed in ((one, other), (other, one)):
        if asker.is_ != "complainant" or fixed.is_ in _HOTLINE:
            continue
        for name, source in scene.workflow.sources.items():
            for by in source.by if source.answered == "reporter" else ():
                role = scene.workflow.roles.get(by)
                if role is not None and role.unit is not None and role.unit == fixed.unit:
                    return f"来源 {name} 由 {by} 提出，也答复给它（answered: reporter）"
    return None


def _met_in_directory(scene: Scene, one: Role, other: Role) -> str | None:
    """Say which unit has two duties that are to be two bodies."""
    if not (isinstance(one.unit, DutyUnit) and isinstance(other.unit, DutyUnit)):
        return None
    if one.unit.duty == other.unit.duty or not same_level(one.unit, other.unit):
        return None
    unit = unit_of_both(scene, one, other)
    return f"单位 {unit} 兼有职责 {one.unit.duty} 和 {other.unit.duty}" if unit is not None else None


def unit_of_both(scene: Scene, one: Role, other: Role) -> str | None:
    """Return the unit of the directory that has the codes or duties of both roles."""
    for unit in scene.directory.units.values() if scene.directory is not None else ():
        if unit.active and all(
            role.unit.duty in unit.duties if isinstance(role.unit, DutyUnit) else role.unit == unit.code
            for role in (one, other)
        ):
            return unit.code
    return None


def met_by_routing(scene: Scene, one: Role, other: Role, parts: Sequence[tuple[Path, BaseModel]]) -> str | None:
    """Say which router can make the unit of one role the lead or an assistant, which the other role is."""
    for doer, fixed in ((one, other), (other, one)):
        if doer.unit not in ("lead", "assist") or doer.is_ is not None or fixed.unit is None:
            continue
        for _, code, assists in units_named(parts):
            if assists is not (doer.unit == "assist"):
                continue
            if code == (COMPANY if isinstance(fixed.unit, EstateUnit) else fixed.unit):
                return f"路由可以把诉求交给 {code}{'（小区的物业企业）' if code == COMPANY else ''}"
            unit = scene.directory.unit(code) if scene.directory is not None else None
            if isinstance(fixed.unit, DutyUnit) and unit is not None and fixed.unit.duty in unit.duties:
                return f"路由可以把诉求交给 {code}，它有职责 {fixed.unit.duty}"
        if doer.unit == "lead" and isinstance(fixed.unit, DutyUnit):
            for duty, level in duties_named(parts):
                if duty == fixed.unit.duty and (
                    {level, fixed.unit.level} & {None, "current"} or level == fixed.unit.level
                ):
                    return f"路由可以把诉求交给职责为 {duty} 的单位"
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
            words = f"{min(here)} 和 {min(there)} 都能做 {step.name}：自己交出去的工作，自己就能认可。请按状态拆成两个操作，各由一方来做"
            scene.findings.error((*step.path, "by"), "self-verify", words)
    _check_in_tasks(scene, mine, theirs)
    for givers, judges in ((mine, theirs), (theirs, mine)):
        if any(_does_the_work(scene.workflow.roles[name]) for name in givers):
            _check_ending(scene, givers, judges)


def _check_in_tasks(scene: Scene, mine: set[str], theirs: set[str]) -> None:
    """Find the same in tasks, where holder and opener stand for the sides."""
    for place in scene.places[1:]:
        task = scene.workflow.tasks[str(place.kind)]
        one, other = (side | _standing_for(scene, task, side) for side in (mine, theirs))
        if one == mine and other == theirs:
            continue
        for name, action in task.actions.items():
            here, there = one & set(action.by), other & set(action.by)
            if not here or not there or all(target_of(action, way) is None for way in action.ways):
                continue
            step = StepPlace(place, name, (*place.path, "actions", name), action, {})
            if _hands_over(scene, step, one, other) or _hands_over(scene, step, other, one):
                words = f"{min(here)} 和 {min(there)} 都能做 {name}：自己交出去的工作，自己就能认可。请按状态拆成两个操作，各由一方来做"
                scene.findings.error((*step.path, "by"), "self-verify", words)


def _standing_for(scene: Scene, task: TaskKind, side: set[str]) -> set[str]:
    """Return which of holder and opener are a side's in a kind of task."""
    roles = scene.workflow.roles
    holds = task.holder in side or (
        task.holder == TARGET and "unit" not in task.open.needs and any(roles[name].unit == "lead" for name in side)
    )
    return ({HOLDER} if holds else set()) | ({OPENER} if side & set(task.open.by) else set())


def _check_ending(scene: Scene, givers: set[str], judges: set[str]) -> None:
    """Find actions by which who did the work ends it, past the other side that holds it to judge it."""
    states, entered = scene.workflow.states, scene.entered_by[None]
    judged = {
        name
        for name, state in states.items()
        if state.stage in (Stage.FEEDBACK, Stage.EVALUATE)
        and state.holder in judges
        and not givers.isdisjoint(entered.get(name, ()))
    }
    for name, action in scene.workflow.actions.items() if judged else ():
        here = givers & set(action.by)
        ends = any((target := target_of(action, way)) in states and states[str(target)].final for way in action.ways)
        if here and ends and judged & set(action.from_) and judges.isdisjoint(action.by):
            state = min(judged & set(action.from_))
            words = f"{min(here)} 把工作交到 {state} 由 {'、'.join(sorted(judges))} 认可，却能自己做 {name} 办结：请改由认可的一方做"
            scene.findings.error(("actions", name, "by"), "self-verify", words)


def _hands_over(scene: Scene, step: StepPlace, givers: set[str], judges: set[str]) -> bool:
    """Say whether a state that the action starts from is held by the judges and entered by an action of the givers."""
    states, entered = step.place.flow.states, scene.entered_by[step.place.kind]
    return any(
        state in states and (states[state].holder or HOLDER) in judges and not givers.isdisjoint(entered.get(state, ()))
        for state in step.step.from_
    )


def _check_applications(scene: Scene) -> None:
    """Who works on a grievance and applies for something must not be the one who grants it."""
    for call in scene.calls:
        kind = call.step.place.kind
        if kind is None or call.step.name is None or call.call.name not in GRANTING:
            continue
        task = scene.workflow.tasks[kind]
        doers = {name for name in task.open.by if _does_the_work(scene.workflow.roles.get(name))}
        if not doers:
            continue
        for index, name in enumerate(call.step.step.by):
            applies = name in doers or name == OPENER
            holds = name == HOLDER and _held_by(task.holder, task.fallback, doers)
            if (applies or holds) and not kept_apart(task, name, OPENER):
                words = (
                    f"申请人自己批准自己：{'、'.join(sorted(doers))} 能申请 {kind}，也能经 {name} 做 {call.step.name}"
                )
                scene.findings.error((*call.step.path, "by", index), "self-approval", words)


def _does_the_work(role: Role | None) -> bool:
    return role is not None and (role.unit in ("lead", "assist") or isinstance(role.unit, TaskUnit | EstateUnit))


def _held_by(holder: str, fallback: str | None, doers: set[str]) -> bool:
    return holder in (OPENER, "target") or holder in doers or fallback in doers


# Checks that work is judged by somebody else also where the file does not say whom to keep apart.


def check_judges(scene: Scene) -> None:
    """Note holders of tasks who may accept what they handed over, and judges whom nothing keeps apart from the doers."""
    for kind, task in scene.workflow.tasks.items():
        _check_task(scene, kind, task)
    _check_kept_apart(scene)


def _check_task(scene: Scene, kind: str, task: TaskKind) -> None:
    """Find a state held by another to be judged, that the holder of the task leads into and can also end."""
    doers = {HOLDER, task.holder}
    for name, action in task.actions.items():
        ends = any(
            (target := target_of(action, way)) in task.states and task.states[str(target)].final for way in action.ways
        )
        doer = next((role for role in action.by if role in doers), None)
        rates = any(has_effect(action, way, "rate") for way in action.ways)  # each side rates the other in its turn
        if not ends or doer is None or rates:
            continue
        for state in action.from_:
            judge = task.states[state].holder if state in task.states else None
            handed = doers & scene.entered_by[kind].get(state, set())
            if judge is not None and judge not in doers and handed:
                who = f"{doer} 和 {judge} 都能做 {name}" if judge in action.by else f"{name} 由 {doer} 做"
                several = {task.states[one].holder for one in action.from_ if one in task.states}
                advice = (
                    f"{name} 管着几级，请按状态拆成几个操作，各由那一级做（{state} 的由 {judge} 做）"
                    if len(several) > 1
                    else f"请改由 {judge} 做"
                )
                words = f"{who}：承办的把任务交到 {state} 由 {judge} 认可，自己却能了结它。{advice}"
                path = ("tasks", kind, "actions", name, "by")
                if not scene.findings.has(path, "self-verify"):  # by way of `separate`
                    scene.findings.error(path, "self-verify", words)
                break


def _check_kept_apart(scene: Scene) -> None:
    """Find judges of finished work whom `separate` does not keep apart from the unit that did it."""
    workflow = scene.workflow
    leads = {name for name, role in workflow.roles.items() if role.unit == "lead"}
    for name, state in workflow.states.items():
        judge = workflow.roles.get(state.holder or "")
        handed = leads & scene.entered_by[None].get(name, set())
        if state.final or state.stage is not Stage.FEEDBACK or judge is None or not _a_unit(judge) or not handed:
            continue
        doer = min(handed)
        if not any(state.holder in group and leads & {*group} for group in workflow.separate):
            words = (
                f"{doer} 把工作交到 {name} 由 {state.holder} 认可，而 separate 没有写这两个要互不相同："
                f"同一个单位会认可自己的工作。请在 separate 里写 [{doer}, {state.holder}]"
            )
            scene.findings.warn(("states", name, "holder"), "not-apart", words)


def _a_unit(role: Role) -> bool:
    return role.unit is not None and role.unit not in ("lead", "assist")
