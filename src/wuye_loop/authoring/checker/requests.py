"""Checks requests on a grievance: nobody grants his own, and no decision comes too late to be carried out."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import BaseModel

from wuye_loop.authoring.checker.scene import (
    HOLDER,
    ONE_LEVEL_UP,
    OPENER,
    SYSTEM,
    FlowPlace,
    Scene,
    has_effect,
    target_of,
)
from wuye_loop.authoring.checker.separation import met_by_routing, same_body, same_level, unit_of_both
from wuye_loop.authoring.checker.system_moves import brought, moves_on
from wuye_loop.authoring.checker.task_separation import kept_apart
from wuye_loop.domain.language.workflow import ActionSpec, Branch, DutyUnit, Role, TaskKind
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.rules.rules import grants, resting

_ASKED: Final = {"state", "stage"}
_MOST_PAIRS: Final = 2_000  # of one definition: a hostile file must not keep the checker busy


def check_requests(scene: Scene, parts: Sequence[tuple[Path, BaseModel]]) -> None:
    """Note requests that their requester may decide, and decisions that can no longer be carried out when they are made."""
    left = _MOST_PAIRS
    for place in scene.places[1:]:
        kind, task = str(place.kind), scene.workflow.tasks[str(place.kind)]
        stays = _stays(scene, place)
        for name, action in task.actions.items():
            path = (*place.path, "actions", name)
            if {*action.by} - {SYSTEM}:
                _check_overtaken(scene, place, stays, name, action)
            if left > 0 and grants(action) and not task.opener_decides:
                left -= len(action.by) * len(task.open.by)
                _check_own(scene, parts, kind, task, path, action)


# --- who decides ----------------------------------------------------------------------------------------------------


def _check_own(
    scene: Scene, parts: Sequence[tuple[Path, BaseModel]], kind: str, task: TaskKind, path: Path, action: ActionSpec
) -> None:
    """Find a requester who is, or may be, the one who decides."""
    for index, by in enumerate(action.by):
        for name in _deciders(task, action, by):
            for asker in task.open.by:
                if by in (SYSTEM, OPENER) or _apart(scene, task, by, name, asker):
                    continue
                _check_pair(scene, parts, kind, (*path, "by", index), asker, name, path[-1])


def _deciders(task: TaskKind, action: ActionSpec, by: str) -> Iterator[str]:
    """Give the roles that a name in `by` stands for: who holds the task in the states that the action starts from."""
    if by != HOLDER:
        yield by
        return
    holders = {task.states[state].holder or HOLDER for state in action.from_ if state in task.states}
    for name in sorted(holders):
        if name != HOLDER:
            yield name
        elif task.holder == ONE_LEVEL_UP:
            if task.fallback is not None:
                yield task.fallback
        else:
            yield task.holder
            if task.fallback is not None:
                yield task.fallback


def _apart(scene: Scene, task: TaskKind, by: str, name: str, asker: str) -> bool:
    """Say whether the file keeps requester and decider apart, on this kind of task or on the whole grievance."""
    pairs = [(one, other) for one in {by, name} for other in (OPENER, asker)]
    if any(kept_apart(task, one, other) for one, other in pairs):
        return True
    return name != asker and any(name in group and asker in group for group in scene.workflow.separate)


def _check_pair(
    scene: Scene, parts: Sequence[tuple[Path, BaseModel]], kind: str, path: Path, asker: str, name: str, action: object
) -> None:
    one, other = scene.workflow.roles.get(asker), scene.workflow.roles.get(name)
    if one is None or other is None or one.is_ is not None or other.is_ is not None:
        return
    if scene.findings.has(path, "self-approval"):
        return
    why = "同一个角色" if asker == name else same_body(one, other) or met_by_routing(scene, one, other, parts)
    mend = f"请在任务 {kind} 里写 separate: [[opener, {name}]]，或改由别的角色决定"
    if why is not None:
        words = f"申请人自己批准自己：{asker} 能申请 {kind}，也能做 {action}（{why}）。{mend}"
        scene.findings.error(path, "self-approval", words)
        return
    if not _may_meet(one, other):
        return
    if scene.directory is None:
        words = (
            f"{asker} 能申请 {kind}，{name} 能做 {action}；目录里同一个单位兼有这两种身份时，申请人就自己批准自己"
            f"（运行时会拒绝）。用 check --units 按目录核对，或{mend.removeprefix('请')}"
        )
        scene.findings.warn(path, "self-approval", words)
        return
    unit = unit_of_both(scene, one, other)
    if unit is not None:
        words = f"申请人自己批准自己：单位 {unit} 既是 {asker}，能申请 {kind}，又是 {name}，能做 {action}。{mend}"
        scene.findings.error(path, "self-approval", words)


def _may_meet(one: Role, other: Role) -> bool:
    """Say whether only the directory can tell if two roles are one unit: at least one of them is found by its duty."""
    units = (one.unit, other.unit)
    if not all(
        isinstance(unit, DutyUnit) or (isinstance(unit, str) and unit not in ("lead", "assist")) for unit in units
    ):
        return False
    duties = [unit for unit in units if isinstance(unit, DutyUnit)]
    if len(duties) == len(units):
        return same_level(*duties)
    return bool(duties)


# --- decisions that come too late -----------------------------------------------------------------------------------


def _stays(scene: Scene, place: FlowPlace) -> frozenset[str] | None:
    """Return the states in which the grievance may stand while somebody can decide on such a task; None: unknown."""
    workflow, kind = scene.workflow, str(place.kind)
    task = workflow.tasks[kind]
    if moves_on(scene, kind):
        return None
    told, rests = task.follows, resting(workflow)
    seen: set[str] = set()
    todo = [state for state in (task.open.from_ or workflow.states) if state in workflow.states]
    todo = [state for state in todo if not workflow.states[state].final and not workflow.states[state].parked]
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        for action in workflow.actions.values():
            if state in action.from_ and not _waits(action, kind):
                targets = (_goes(scene, kind, rests, action, way) for way in action.ways)
                todo += [target for target in targets if target is not None]
    idle = {state for state in seen if state in rests and told("suspend") != "keep"}
    if told("leave") != "keep" and task.open.from_:
        idle |= seen - {*task.open.from_}
    return frozenset(seen - idle)


def _waits(action: ActionSpec, kind: str) -> bool:
    """Say whether an action cannot be taken while such a task is open."""
    opened = f"open.{kind}"
    return opened in action.if_.raw and not action.if_.holds({opened: 1})


def _goes(scene: Scene, kind: str, rests: frozenset[str], action: ActionSpec, way: Branch) -> str | None:
    """Return where a way leads, unless such a task is over by then, or rests until the grievance comes back."""
    target = target_of(action, way)
    state = scene.workflow.states.get(target or "")
    if target is None or state is None:
        return None
    task = scene.workflow.tasks[kind]
    told = task.follows
    merged = has_effect(action, way, "merge")
    settled = any(
        call.name == "act_tasks" and call.params.get("task") == kind for call in (*action.effect, *way.effect)
    )
    gone = (state.final and told("final") != "keep") or (merged and told("merge") != "keep") or settled
    left = told("leave") == "withdraw" and bool(task.open.from_) and target not in task.open.from_
    rested = told("suspend") == "withdraw" and target in rests
    return None if gone or left or rested else target


def _check_overtaken(
    scene: Scene, place: FlowPlace, stays: frozenset[str] | None, name: str, action: ActionSpec
) -> None:
    """Find what a decision brings about where the grievance may no longer stand so that it can be done."""
    if stays is None:
        return
    workflow = scene.workflow
    for path, way, then in brought(place, name, action):
        follows = workflow.actions.get(then)
        if follows is not None and follows.from_ and not _ASKED & {*action.if_.raw, *way.when.raw}:
            _say(
                scene,
                path,
                str(place.kind),
                name,
                [one for one in workflow.states if one in stays - {*follows.from_}],
                f"随后的 {then} 只能从 {'、'.join(follows.from_)} 做",
                f"加进 {then} 的 from",
            )
    for way in action.ways:
        if _ASKED & {*action.if_.raw, *way.when.raw}:
            continue
        for call in (*action.effect, *way.effect):
            clock = workflow.clocks.get(str(call.params.get("clock"))) if call.name == "extend_clock" else None
            if clock is not None:
                alive = {*clock.during, *clock.paused}
                where = [one for one in workflow.states if one in stays - alive]
                path = (*place.path, "actions", name)
                _say(
                    scene,
                    path,
                    str(place.kind),
                    name,
                    where,
                    f"时限 {call.params.get('clock')} 在那里已经结束，不能延期",
                    "写进它的 paused",
                )


def _say(scene: Scene, path: Path, kind: str, name: str, where: list[str], why: str, mend: str) -> None:
    if not where:
        return
    words = (
        f"任务 {kind} 还没有决定时，诉求可能已经到了 {'、'.join(where)}，而{why}：{name} 会被拒绝。"
        f"请把 {where[0]} {mend}，或在任务里写 on_parent: {{leave: withdraw}}（离开能发起的状态就撤回）"
    )
    scene.findings.error(path, "overtaken", words)
