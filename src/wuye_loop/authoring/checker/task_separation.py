"""Checks whom a kind of task keeps apart (`separate`): names that are known, bodies that can differ, nobody shut out."""

from itertools import combinations, islice

from wuye_loop.authoring.checker.scene import HOLDER, ONE_LEVEL_UP, OPENER, TARGET, Scene, target_of
from wuye_loop.domain.language.workflow import Role, TaskKind, TaskUnit
from wuye_loop.domain.rulefile.findings import quoted
from wuye_loop.domain.rulefile.reader import Path

_MOST_PAIRS = 500  # of one kind of task


def check_apart(scene: Scene) -> None:
    """Note groups that mean nothing or can never be kept, and work that whoever did it may accept."""
    for kind, task in scene.workflow.tasks.items():
        seen: list[set[str]] = []
        for index, group in enumerate(task.separate):
            _check_group(scene, ("tasks", kind, "separate", index), task, group, seen)
        _check_accepted(scene, kind, task)


def kept_apart(task: TaskKind, one: str, other: str) -> bool:
    """Say whether a kind of task keeps two bodies apart; names are roles, `holder` and `opener`."""
    return one != other and any(one in group and other in group for group in task.separate)


def _check_group(scene: Scene, path: Path, task: TaskKind, group: tuple[str, ...], seen: list[set[str]]) -> None:
    roles = scene.workflow.roles
    known = (*roles, HOLDER, OPENER)
    for place, name in enumerate(group):
        if name not in known:
            scene.findings.unknown((*path, place), "角色", name, known)
        elif name in group[:place]:
            words = f"{quoted(name)}写了两次：每一方只写一次，各是不同的单位"
            scene.findings.error((*path, place), "same-body", words)
    if any(set(group) <= before for before in seen):
        scene.findings.error(path, "twice", f"{' 和 '.join(group)} 已经写过一次")
        return
    seen.append(set(group))
    names = [name for name in dict.fromkeys(group) if name in known]
    for one, other in islice(combinations(names, 2), _MOST_PAIRS):
        why = _always_one(scene, task, one, other) or _never_met(roles.get(one), roles.get(other))
        if why is not None:
            words = f"{one} 和 {other} 要互不相同，却{why}"
            scene.findings.error(path, "same-body", words)


def _always_one(scene: Scene, task: TaskKind, one: str, other: str) -> str | None:
    """Say why two bodies of a task are always one, so that nobody could act on it, or None."""
    roles = scene.workflow.roles
    if {one, other} == {HOLDER, OPENER}:
        return "总是同一个单位：这种任务由发起单位自己持有（holder: opener）" if task.holder == OPENER else None
    for special, name in ((one, other), (other, one)):
        if special == HOLDER:
            own = task.fallback if task.holder in (TARGET, OPENER, ONE_LEVEL_UP) else task.holder
            if _same_unit(roles.get(own or ""), roles[name]):
                what = "找不到上一级单位时" if own == task.fallback else ""
                return f"总是同一个单位：这种任务{what}由 {own} 持有"
        if special == OPENER and _opened_only_by(scene, task, roles[name]):
            return f"总是同一个单位：这种任务只由 {'、'.join(task.open.by)} 发起"
    if one in roles and other in roles and _same_unit(roles[one], roles[other]):
        return "总是同一个单位：两个角色的 unit 相同"
    return None


def _same_unit(one: Role | None, other: Role | None) -> bool:
    return one is not None and other is not None and one.unit is not None and one.unit == other.unit


def _opened_only_by(scene: Scene, task: TaskKind, role: Role) -> bool:
    """Say whether whoever opens such a task is always this role."""
    return bool(task.open.by) and all(_same_unit(scene.workflow.roles.get(name), role) for name in task.open.by)


def _never_met(one: Role | None, other: Role | None) -> str | None:
    """Say why two names stand for no one unit each, so that nothing is ever kept apart, or None."""
    for role in (one, other):
        if role is not None and role.unit is None and role.is_ in ("channel", "admin"):
            return f"分不开：{role.title}（is: {role.is_}）是人，不是单位"
    if one is not None and other is not None and _is_many(one) and _is_many(other):
        return f"分不开：{one.title}和{other.title}都没有固定的一个单位，请用 holder、opener 或写着单位的角色"
    return None


def _is_many(role: Role) -> bool:
    """Say whether a role stands for no one unit: for several holders of tasks, or for people."""
    return role.unit == "assist" or isinstance(role.unit, TaskUnit) or (role.unit is None and role.is_ == "supervisor")


def _check_accepted(scene: Scene, kind: str, task: TaskKind) -> None:
    """Find work that any unit may be given, and that a role accepts which may be that very unit."""
    if task.holder != TARGET or not ("unit" in task.open.needs or kind in scene.opened_by_lines):
        return
    handed = scene.entered_by[kind]
    judged = {
        name
        for name, state in task.states.items()
        if state.holder not in (None, HOLDER) and not state.final and HOLDER in handed.get(name, ())
    }
    for name, action in task.actions.items():
        ends = any((to := target_of(action, way)) in task.states and task.states[str(to)].final for way in action.ways)
        if not ends or not judged & set(action.from_) or HOLDER in action.by:
            continue
        for index, judge in enumerate(action.by):
            if _may_be_the_doer(scene, task, judge):
                words = (
                    f"{judge} 能认可自己办的工作：任务 {kind} 可以交给任何单位，也可以交给它。"
                    f"请在任务 {kind} 里写 separate: [[holder, {judge}]]"
                )
                scene.findings.error(("tasks", kind, "actions", name, "by", index), "self-verify", words)


def _may_be_the_doer(scene: Scene, task: TaskKind, judge: str) -> bool:
    """Say whether a role can be the unit that a task was given to, which it does not keep apart."""
    roles = scene.workflow.roles
    role = roles.get(judge)
    # Supervisors and the hotline judge with keys of their own kind, which no unit that carries out a task has.
    if role is None or role.unit is None or role.is_ is not None:
        return False
    return not any(_same_unit(other, role) and kept_apart(task, HOLDER, name) for name, other in roles.items())
