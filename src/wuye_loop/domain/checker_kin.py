"""Checks what ties a definition to other matters and versions: followers of a merged matter, and what migrates from where."""

import re
from collections.abc import Iterable, Mapping

from wuye_loop.domain.checker_finding import nearest, quoted
from wuye_loop.domain.checker_names import known
from wuye_loop.domain.checker_scene import Scene
from wuye_loop.domain.checker_taken import by_system
from wuye_loop.domain.yamldoc import Path

_ID = re.compile(r"([a-z][a-z0-9-]{1,39})@([1-9][0-9]{0,3})")


def check_kin(scene: Scene) -> None:
    """Note moves that followers cannot make, and names that an older version's cannot become."""
    _check_family(scene)
    for old, migration in scene.workflow.migrates.items():
        path = ("migrates", old)
        _check_version(scene, path, old)
        _check_new(scene, (*path, "states"), "状态", migration.states, scene.workflow.states)
        for kind, states in migration.tasks.items():
            task = scene.workflow.tasks.get(kind)
            if task is None:
                words = f"新版没有任务{quoted(kind)}{nearest(kind, scene.workflow.tasks)}"
                scene.findings.error((*path, "tasks", kind), "unknown-name", words, key=True)
            else:
                _check_new(scene, (*path, "tasks", kind), f"任务 {kind} 的状态", states, task.states)
        ends = {name for name, state in scene.workflow.states.items() if state.final}
        for was, now in migration.states.items():
            if now in ends and was not in ends:
                words = f"在办的诉求不能迁到终态：{was} 要对应一个还没有结束的状态，{now} 是终态"
                scene.findings.error((*path, "states", was), "final-place", words)
        clocks = [name for place in scene.places for name in place.flow.clocks]
        _check_new(scene, (*path, "clocks"), "时限", migration.clocks, clocks)
        _check_new(scene, (*path, "roles"), "角色", migration.roles, scene.workflow.roles)


def _check_new(scene: Scene, path: Path, what: str, names: Mapping[str, str], allowed: Iterable[str]) -> None:
    every = list(allowed)
    for old, new in names.items():
        if new not in every:
            scene.findings.unknown((*path, old), f"新版的{what}", new, every)


def _check_version(scene: Scene, path: Path, old: str) -> None:
    found = _ID.fullmatch(old)
    if found is None:
        words = f"{quoted(old)}不是版本：要写成 名称@版本，如 {scene.workflow.name}@1"
        scene.findings.error(path, "bad-version", words, key=True)
    elif found[1] == scene.workflow.name and int(found[2]) >= scene.workflow.version:
        words = f"{quoted(old)}不比本版（{scene.workflow.id}）早：只能从较早的版本迁来"
        scene.findings.error(path, "bad-version", words, key=True)


def _check_family(scene: Scene) -> None:
    """Check that followers, which stand where merging put them, can answer the moves of their lead."""
    actions, moves = scene.workflow.actions, scene.workflow.family.moves
    for lead, follower in moves.items():
        path = ("family", "moves", lead)
        if lead not in actions:
            words = f"没有主流程的操作{quoted(lead)}{nearest(lead, actions)}"
            scene.findings.error(path, "unknown-name", words, key=True)
        known(scene, path, "主流程的操作", [follower], tuple(actions))
        action = actions.get(follower)
        if action is None:
            continue
        by_system(scene, path, follower, action)
        if not scene.merged_into & set(action.from_):
            words = (
                f"并案后的诉求在状态 {'、'.join(sorted(scene.merged_into))}，而 {follower} 只能从 {'、'.join(action.from_) or '（没有）'} 做"
                if scene.merged_into
                else "没有一个操作有效果 merge：不会有并案的诉求跟随"
            )
            scene.findings.error(path, "never-follows", words)
