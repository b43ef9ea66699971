"""Checks what a definition says of the versions before it: which names of theirs become which of its own."""

import re
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from wuye_loop.authoring.checker.scene import Scene
from wuye_loop.domain.language.workflow import Migration, State, Workflow
from wuye_loop.domain.rulefile.extends import Bases, read_whole
from wuye_loop.domain.rulefile.findings import nearest, quoted
from wuye_loop.domain.rulefile.reader import Path, YamlDocError

_ID = re.compile(r"([a-z][a-z0-9-]{1,39})@([1-9][0-9]{0,3})")


def check_migrates(scene: Scene, bases: Bases | None) -> None:
    """Note names that an older version's cannot become, and, where that version is at hand, names it does not have."""
    for old, migration in scene.workflow.migrates.items():
        path = ("migrates", old)
        _check_version(scene, path, old)
        _check_targets(scene, path, migration)
        before = _at_hand(old, bases)
        if before is not None:
            _check_origins(scene, path, migration, before)


def _at_hand(name: str, bases: Bases | None) -> Workflow | None:
    """Return the older version, if it can be found and read; what is wrong with it is said where it is checked."""
    found = bases(name) if bases is not None and _ID.fullmatch(name) else None
    if found is None:
        return None
    try:
        return Workflow.model_validate(read_whole(found.text, found.file, bases).data)
    except (YamlDocError, ValidationError):
        return None


def _check_targets(scene: Scene, path: Path, migration: Migration) -> None:
    _check_new(scene, (*path, "states"), "状态", migration.states, scene.workflow.states)
    for kind, states in migration.tasks.items():
        task = scene.workflow.tasks.get(kind)
        if task is None:
            words = f"新版没有任务{quoted(kind)}{nearest(kind, scene.workflow.tasks)}"
            scene.findings.error((*path, "tasks", kind), "unknown-name", words, key=True)
        else:
            _check_new(scene, (*path, "tasks", kind), f"任务 {kind} 的状态", states, task.states)
    clocks = [name for place in scene.places for name in place.flow.clocks]
    _check_new(scene, (*path, "clocks"), "时限", migration.clocks, clocks)
    _check_new(scene, (*path, "roles"), "角色", migration.roles, scene.workflow.roles)


def _check_origins(scene: Scene, path: Path, migration: Migration, before: Workflow) -> None:
    """Note names that the older version does not have, and states in which work goes on that become ends."""
    flows = (before, *before.tasks.values())
    clocks = [name for flow in flows for name in flow.clocks]
    _check_old(scene, (*path, "states"), f"{before.id} 没有状态", migration.states, before.states)
    _check_old(scene, (*path, "clocks"), f"{before.id} 没有时限", migration.clocks, clocks)
    _check_old(scene, (*path, "roles"), f"{before.id} 没有角色", migration.roles, before.roles)
    _check_old(scene, (*path, "tasks"), f"{before.id} 没有任务", migration.tasks, before.tasks)
    for kind, states in migration.tasks.items():
        if kind in before.tasks:
            there = before.tasks[kind].states
            _check_old(scene, (*path, "tasks", kind), f"{before.id} 的任务 {kind} 没有状态", states, there)
            if kind in scene.workflow.tasks:
                _check_ends(scene, (*path, "tasks", kind), "任务", states, there, scene.workflow.tasks[kind].states)
    _check_ends(scene, (*path, "states"), "诉求", migration.states, before.states, scene.workflow.states)


def _check_ends(
    scene: Scene, path: Path, what: str, names: Mapping[str, str], before: Mapping[str, State], now: Mapping[str, State]
) -> None:
    for was, becomes in names.items():
        old, new = before.get(was), now.get(becomes)
        if old is not None and new is not None and new.final and not old.final:
            words = f"在办的{what}不能迁到终态：{was} 要对应一个还没有结束的状态，{becomes} 是终态"
            scene.findings.error((*path, was), "final-place", words)


def _check_old(scene: Scene, path: Path, what: str, names: Iterable[str], allowed: Iterable[str]) -> None:
    every = list(allowed)
    for name in names:
        if name not in every:
            words = f"{what}{quoted(name)}{nearest(name, every)}"
            scene.findings.error((*path, name), "unknown-name", words, key=True)


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
