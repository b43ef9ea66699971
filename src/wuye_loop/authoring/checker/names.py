"""Checks that every name written in a definition is one that it defines, and that nothing is written twice."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel

from wuye_loop.authoring.checker.scene import (
    BACK,
    HOLDER,
    ONE_LEVEL_UP,
    OPENER,
    SYSTEM,
    TARGET,
    FlowPlace,
    Scene,
    StepPlace,
)
from wuye_loop.domain.directory.directory import Directory, Unit
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import ActionSpec, DutyUnit, TaskUnit
from wuye_loop.domain.rulefile.findings import listed, quoted
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.terms import Level, Urgency

_SHOWN = 5  # units that a message names
_DAY = 1440  # minutes


def check_names(scene: Scene) -> None:
    """Note every unknown or repeated name; names inside effects, conditions and routers are checked elsewhere."""
    for place in scene.places:
        _check_states(scene, place)
        _check_clocks(scene, place)
    for step in scene.steps:
        _check_step(scene, step)
    _check_tasks(scene)
    _check_intake(scene)
    _check_lists(scene)
    _check_office(scene)


def known(scene: Scene, path: Path, what: str, names: Iterable[str], allowed: Sequence[str]) -> None:
    """Note each name of a list that is not allowed, or that is written twice."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name not in allowed:
            scene.findings.unknown((*path, index), what, name, allowed)
        elif name in seen:
            scene.findings.error((*path, index), "twice", f"{what}{quoted(name)}写了两次")
        seen.add(name)


def _check_states(scene: Scene, place: FlowPlace) -> None:
    actors = scene.actors(place)
    for name, state in place.flow.states.items():
        path = (*place.path, "states", name)
        if name == BACK:
            scene.findings.error(path, "reserved", "back 是保留字（回到挂起、并案之前的状态），不能作状态名", key=True)
        if state.holder is not None:
            known(scene, (*path, "holder"), "角色", [state.holder], actors)
            _check_one_holder(scene, (*path, "holder"), state.holder)
        known(scene, (*path, "watched_by"), "角色", state.watched_by, actors)
        if place.kind is None and state.stage is None:
            scene.findings.error(path, "no-stage", f"主流程的状态{quoted(name)}要写 stage（六个环节之一）", key=True)
        if place.kind is None and state.holder is None and not state.final:
            scene.findings.error(
                path, "no-holder", f"状态{quoted(name)}没有写 holder：没有人的待办里会出现它", key=True
            )
    if place.kind is not None and not place.flow.states:
        scene.findings.error((*place.path, "states"), "no-states", "至少要有一个状态", key=True)


def _check_one_holder(scene: Scene, path: Path, name: str) -> None:
    """Find a holder that stands for several units, or for none: the matter would lie with nobody."""
    role = scene.workflow.roles.get(name)
    if role is not None and (role.unit == "assist" or isinstance(role.unit, TaskUnit)):
        kind = role.unit.task if isinstance(role.unit, TaskUnit) else "assist"
        words = (
            f"{name} 不能持有：它是任务 {kind} 的持有单位，可能有好几个，也可能一个没有。"
            "请写一个只指一个单位的角色；要让它们看得见，写在 watched_by 里"
        )
        scene.findings.error(path, "many-holders", words)


def _check_clocks(scene: Scene, place: FlowPlace) -> None:
    workflow, states, actors = scene.workflow, tuple(place.flow.states), scene.actors(place)
    for name, clock in place.flow.clocks.items():
        path = (*place.path, "clocks", name)
        known(scene, (*path, "during"), "状态", clock.during, states)
        known(scene, (*path, "paused"), "状态", clock.paused, states)
        for index, rung in enumerate(clock.ladder):
            at = (*path, "ladder", index)
            known(scene, (*at, "do"), "督办手段", rung.do, tuple(workflow.instruments))
            known(scene, (*at, "to"), "角色", rung.to, actors)
            known(scene, (*at, "copy"), "角色", rung.copy_to, actors)
            if rung.act is not None:
                known(scene, (*at, "act"), "操作", [rung.act], tuple(place.flow.actions))
            if rung.open is not None:
                known(scene, (*at, "open"), "任务", [rung.open], tuple(workflow.tasks))
            if rung.document is not None:
                known(scene, (*at, "document"), "文书", [rung.document], tuple(workflow.documents))


def _check_signed(scene: Scene, step: StepPlace) -> None:
    """Check a step that somebody of a unit signs in person: units do it, and with a directory somebody there has the post."""
    post, path = step.step.signed_by, (*step.path, "signed_by")
    if post is None:
        return
    roles = scene.workflow.roles
    for name in step.step.by:
        if name in roles and roles[name].is_ is not None:
            words = (
                f"{name}（is: {roles[name].is_}）不是以单位的身份做，没有人有职务{quoted(post)}：签批的只能是单位的人"
            )
            scene.findings.error(path, "no-unit-signs", words)
    if set(step.step.by) <= {SYSTEM}:
        scene.findings.error(path, "no-unit-signs", "只有系统做，没有人签批：by 里写单位的角色，或去掉 signed_by")
    if scene.directory is None or not scene.directory.units:
        return
    lacking = [
        unit for unit in _may_sign(scene, step, scene.directory) if post not in scene.directory.posts.get(unit.code, ())
    ]
    if lacking:
        shown = listed(f"{unit.name}（{unit.code}）" for unit in lacking[:_SHOWN])
        more = f"等 {len(lacking)} 个单位" if len(lacking) > _SHOWN else ""
        words = (
            f"目录里没有人担任{quoted(post)}：{shown}{more}办到这一步没有人能签；在 people 里写上这个人，duty: {post}"
        )
        scene.findings.error(path, "nobody-signs", words)


def _may_sign(scene: Scene, step: StepPlace, directory: Directory) -> list[Unit]:
    """Return the units of whose people one has to sign: those of a code or a duty; where only a grievance tells, all, if none can."""
    roles = [scene.workflow.roles[name].unit for name in step.step.by if name in scene.workflow.roles]
    duties = {unit.duty for unit in roles if isinstance(unit, DutyUnit)}
    active = [unit for unit in directory.units.values() if unit.active]
    fixed = [unit for unit in active if unit.code in roles or duties & set(unit.duties)]
    told_later = any(not isinstance(unit, DutyUnit) and unit not in directory.units for unit in roles)
    anybody = any(step.step.signed_by in directory.posts.get(unit.code, ()) for unit in active)
    return active if (told_later or {HOLDER, OPENER} & set(step.step.by)) and not anybody else fixed


def _check_step(scene: Scene, step: StepPlace) -> None:
    workflow, place, spec = scene.workflow, step.place, step.step
    special = (SYSTEM, HOLDER, OPENER) if place.kind is not None and step.name is not None else (SYSTEM,)
    for index, name in enumerate(spec.by):
        if name in (HOLDER, OPENER) and name not in special:
            words = f"{name} 只能写在任务的操作里：这里还没有任务，请写角色"
            scene.findings.error((*step.path, "by", index), "no-task", words)
    known(
        scene,
        (*step.path, "by"),
        "角色",
        [name for name in spec.by if name not in (HOLDER, OPENER)],
        (*workflow.roles, SYSTEM),
    )
    if not spec.by and not (step.name is None and place.kind in scene.opened_by_lines):
        scene.findings.error((*step.path, "by"), "nobody", "by 是空的：没有人能做", key=True)
    states = tuple(place.flow.states if step.name is not None else workflow.states)
    known(scene, (*step.path, "from"), "状态", spec.from_, states)
    if spec.before_due is not None:
        known(scene, (*step.path, "before_due"), "主流程的时限", [spec.before_due], tuple(workflow.clocks))
    _check_signed(scene, step)
    check_fields(scene, (*step.path, "needs"), spec.needs)
    for name, field in spec.needs.items():
        if field.type == "file" and SYSTEM in spec.by and not field.optional:
            words = f"by 里有 system，而系统不能上传文件：请把{quoted(name)}写成 file?，或另写一个只由人做的操作"
            scene.findings.error((*step.path, "needs", name), "system-file", words, key=True)
    if isinstance(spec, ActionSpec):
        _check_moves(scene, step, spec, states)


def check_fields(scene: Scene, path: Path, fields: Mapping[str, FieldSpec]) -> None:
    """Note the fields of a form that have no usable name, or that nothing can be filled in."""
    for name, field in fields.items():
        if hasattr(BaseModel, name) or name.startswith("model_"):
            words = f"{quoted(name)}是保留字，不能作表单字段的名字"
            scene.findings.error((*path, name), "reserved", words, key=True)
        if field.min is not None and field.max is not None and field.min > field.max:
            scene.findings.error((*path, name), "empty-range", "min 大于 max：没有一个数能填", key=True)


def _check_moves(scene: Scene, step: StepPlace, spec: ActionSpec, states: Sequence[str]) -> None:
    """Check where an action leads; what follows an action of a task is taken on the grievance, by the main flow's names."""
    follow = tuple(scene.workflow.actions)
    what = "操作" if step.place.kind is None else "主流程的操作"
    known(scene, (*step.path, "then"), what, spec.then, follow)
    if spec.to is not None:
        known(scene, (*step.path, "to"), "状态", [spec.to], (*states, BACK))
    for index, way in enumerate(spec.outcomes):
        path = (*step.path, "outcomes", index)
        known(scene, (*path, "then"), what, way.then, follow)
        if way.to is not None:
            known(scene, (*path, "to"), "状态", [way.to], (*states, BACK))
    if not spec.from_:
        words = "没有写 from：从哪个状态都做不了"
        scene.findings.error(step.path, "no-from", words, key=True)


def _check_tasks(scene: Scene) -> None:
    roles = tuple(scene.workflow.roles)
    for kind, task in scene.workflow.tasks.items():
        path = ("tasks", kind)
        known(scene, (*path, "holder"), "角色", [task.holder], (*roles, TARGET, OPENER, ONE_LEVEL_UP))
        _check_one_holder(scene, (*path, "holder"), task.holder)
        if task.fallback is not None:
            known(scene, (*path, "fallback"), "角色", [task.fallback], roles)
            _check_one_holder(scene, (*path, "fallback"), task.fallback)
            if task.holder in (TARGET, OPENER):
                words = "fallback 只在 holder 是 one_level_up 或一个角色时有用"
                scene.findings.error((*path, "fallback"), "idle-key", words, key=True)
    for name, role in scene.workflow.roles.items():
        if isinstance(role.unit, TaskUnit):
            known(scene, ("roles", name, "unit", "task"), "任务", [role.unit.task], tuple(scene.workflow.tasks))
    assist = next((name for name, role in scene.workflow.roles.items() if role.unit == "assist"), None)
    if assist is not None and "assist" not in scene.workflow.tasks:
        words = f"角色{quoted(assist)}永远没有人：协办单位由名为 assist 的任务产生，而这里没有这种任务"
        scene.findings.error(("roles", assist), "no-assist", words, key=True)


def _check_intake(scene: Scene) -> None:
    workflow = scene.workflow
    urgencies = tuple(item.value for item in Urgency)
    for index, line in enumerate(workflow.intake.red_lines):
        path = ("intake", "red_lines", index)
        known(scene, (*path, "urgency"), "紧急程度", [line.urgency], urgencies)
        known(scene, (*path, "to"), "角色", line.to, tuple(workflow.roles))
        if line.notice is not None:
            known(scene, (*path, "notice"), "督办手段", [line.notice], tuple(workflow.instruments))


def _check_lists(scene: Scene) -> None:
    workflow = scene.workflow
    known(scene, ("levels",), "层级", workflow.levels, workflow.levels)
    order = list(Level)
    wrong = next((here for last, here in pairwise(workflow.levels) if order.index(last) > order.index(here)), None)
    if wrong is not None:
        right = ", ".join(level for level in order if level in workflow.levels)
        words = f"levels 要由小到大写：{quoted(wrong)}要在前面，例如 [{right}]"
        scene.findings.error(("levels", workflow.levels.index(wrong)), "out-of-order", words)
    if not workflow.levels:
        scene.findings.error(("levels",), "no-levels", "至少要有一个层级", key=True)
    for index, pair in enumerate(workflow.separate):
        for side, role in enumerate(pair):
            if role not in workflow.roles:
                scene.findings.unknown(("separate", index, side), "角色", role, workflow.roles)


def _check_office(scene: Scene) -> None:
    """Check that office hours can be kept: a known zone, real times, shifts that do not cross."""
    office = scene.workflow.calendar
    try:
        ZoneInfo(office.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        scene.findings.error(("calendar", "zone"), "bad-zone", f"没有时区{quoted(office.zone)}：例如 Asia/Shanghai")
    last = ""
    for index, shift in enumerate(office.hours):
        opens, _, closes = shift.partition("-")
        if not (_is_time(opens) and (_is_time(closes) or closes == "24:00") and last <= opens < closes):
            words = f"办公时间{quoted(shift)}不对：每段要先开后关，各段按先后写，不能重叠"
            scene.findings.error(("calendar", "hours", index), "bad-hours", words)
        last = closes
    _check_quiet(scene)


def _check_quiet(scene: Scene) -> None:
    """Check that quiet hours are hours: real times, and not the whole day, when no notice would ever go out."""
    quiet: set[int] = set()
    for index, written in enumerate(scene.workflow.calendar.quiet):
        begins, _, ends = written.partition("-")
        path = ("calendar", "quiet", index)
        if not (_is_time(begins) and (_is_time(ends) or ends == "24:00")):
            words = f"免打扰时段{quoted(written)}不是钟点：要写成 21:00-08:00 的样子"
            scene.findings.error(path, "bad-hours", words)
            return
        start, end = _minutes(begins), _minutes(ends) % _DAY
        quiet.update(range(start, end) if start < end else (*range(start, _DAY), *range(end)))
        if len(quiet) == _DAY:
            words = "免打扰时段占满了一整天：不紧急的通知永远发不出去"
            scene.findings.error(path, "all-quiet", words)
            return


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _is_time(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True
