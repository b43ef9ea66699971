"""Checks what conditions ask: members of families must exist, values of closed lists must be in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from wuye_loop.domain.checker_cases import Cases
from wuye_loop.domain.checker_finding import listed, nearest, quoted
from wuye_loop.domain.checker_scene import FlowPlace, Scene, StepPlace
from wuye_loop.domain.conditions import Condition, ConditionError
from wuye_loop.domain.forms import FieldSpec
from wuye_loop.domain.terms import Kind
from wuye_loop.domain.workflow import ActionSpec
from wuye_loop.domain.yamldoc import Path

_NO_FORM: Mapping[str, FieldSpec] = {}


@dataclass(frozen=True)
class _Asked:
    """Where a condition stands, and what it may ask there: a form's fields, a task's own data."""

    path: Path
    condition: Condition
    form: Mapping[str, FieldSpec]
    own: Mapping[str, FieldSpec]


def check_conditions(scene: Scene, parts: Sequence[tuple[Path, BaseModel]]) -> None:
    """Note every fact and value that does not exist, in the workflow and in the routers' parameters (`parts`)."""
    cases = Cases(tuple(scene.workflow.states), tuple(scene.workflow.documents))
    for asked in _asked(scene, parts):
        for fact, raw in asked.condition.raw.items():
            _check_member(scene, asked, fact)
            _check_values(scene, cases, asked, fact, raw)
    _check_patterns(scene)
    _check_turns(scene, cases)


def _asked(scene: Scene, parts: Sequence[tuple[Path, BaseModel]]) -> Iterator[_Asked]:
    for place in scene.places:
        own = _opened_with(scene, place)
        for name, clock in place.flow.clocks.items():
            for index, limit in enumerate(clock.limit):
                yield _Asked((*place.path, "clocks", name, "limit", index, "when"), limit.when, _NO_FORM, own)
    for step in scene.steps:
        yield from _asked_by(step, _opened_with(scene, step.place) if step.name else _NO_FORM)
    for index, line in enumerate(scene.workflow.intake.red_lines):
        yield _Asked(("intake", "red_lines", index, "when"), line.when, _NO_FORM, _NO_FORM)
    for path, part in parts:
        for inner, condition in _conditions_in(part, path):
            yield _Asked(inner, condition, _NO_FORM, _NO_FORM)


def _opened_with(scene: Scene, place: FlowPlace) -> Mapping[str, FieldSpec]:
    return scene.workflow.tasks[place.kind].open.needs if place.kind is not None else _NO_FORM


def _asked_by(step: StepPlace, own: Mapping[str, FieldSpec]) -> Iterator[_Asked]:
    """Give the conditions of a step; its `if` is asked before its form is there."""
    yield _Asked((*step.path, "if"), step.step.if_, _NO_FORM, own)
    for name, spec in step.step.needs.items():
        if spec.when is not None:
            yield _Asked((*step.path, "needs", name, "when"), spec.when, step.step.needs, own)
    for index, way in enumerate(step.step.outcomes if isinstance(step.step, ActionSpec) else ()):
        yield _Asked((*step.path, "outcomes", index, "when"), way.when, step.step.needs, own)


def _conditions_in(value: Any, path: Path) -> Iterator[tuple[Path, Condition]]:
    """Find conditions anywhere in a model, third parties' too."""
    if isinstance(value, Condition):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _conditions_in(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _conditions_in(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _conditions_in(item, (*path, str(key)))


def _check_member(scene: Scene, asked: _Asked, fact: str) -> None:
    """Check the second half of `open.assist`, `done.call_back`, `overdue.handle`, `form.result`, `data.promised`."""
    family, dot, member = fact.partition(".")
    if not dot or family == "extra":
        return
    workflow = scene.workflow
    if family in ("open", "tasks"):
        what, allowed = "任务", list(workflow.tasks)
    elif family in ("done", "cycle_done"):
        what, allowed = "主流程的操作", list(workflow.actions)
    elif family == "overdue":
        what, allowed = "时限", [name for place in scene.places for name in place.flow.clocks]
    elif family == "form":
        if not asked.form:
            scene.findings.error(
                (*asked.path, fact),
                "no-form",
                f"这里没有表单可问：{quoted(fact)}只能写在有 needs 的操作的 outcomes、needs 里",
                key=True,
            )
            return
        what, allowed = "表单字段", list(asked.form)
    else:
        what, allowed = "存下的字段", [*scene.stored, *asked.own]
    if member not in allowed:
        message = f"事实{quoted(fact)}问的{what}{quoted(member)}不存在{nearest(member, allowed)}"
        scene.findings.error((*asked.path, fact), "unknown-name", message, key=True)


def _check_values(scene: Scene, cases: Cases, asked: _Asked, fact: str, raw: Any) -> None:
    closed = cases.closed(fact, asked.form)
    for path, value in _values(raw, (*asked.path, fact)):
        if closed is not None and value not in closed and value is not None:
            names = [_name(one) for one in closed]
            message = f"事实{quoted(fact)}没有取值{quoted(_name(value))}，永远不成立{nearest(_name(value), names)}"
            scene.findings.error(path, "unknown-value", message)
        elif fact == "kind" and isinstance(value, str) and value not in list(Kind):
            message = f"诉求类型{quoted(value)}不在常用之列：{listed(Kind)}"
            scene.findings.warn(path, "unknown-kind", message)


def _name(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(raw: Any, path: Path) -> Iterator[tuple[Path, object]]:
    """Give every scalar that stands for a whole value, with its place; bounds and patterns do not."""
    if isinstance(raw, dict):
        for operator in ("any", "not"):
            if operator in raw:
                yield from _values(raw[operator], (*path, operator))
    elif isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from _values(item, (*path, index))
    else:
        yield path, raw


def _check_patterns(scene: Scene) -> None:
    """Check that every pattern of the categories can be compiled by re2."""
    for index, keyword in enumerate(scene.workflow.intake.categories):
        try:
            Condition.parse({"text": {"pattern": keyword.pattern}})
        except ConditionError as error:
            scene.findings.error(("intake", "categories", index, "pattern"), "bad-pattern", error.words)


def _check_turns(scene: Scene, cases: Cases) -> None:
    """Check that a list of limits or outcomes answers every case, and that each of them has a turn."""
    for place in scene.places:
        for name, clock in place.flow.clocks.items():
            path = (*place.path, "clocks", name, "limit")
            conditions = [limit.when for limit in clock.limit]
            if clock.limit:
                _judge(scene, cases, path, conditions, _NO_FORM, "时限")
            else:
                scene.findings.error(path, "no-limit", "时限要有至少一条 limit", key=True)
    for step in scene.steps:
        if isinstance(step.step, ActionSpec) and step.step.outcomes:
            conditions = [way.when for way in step.step.outcomes]
            unasked = "system" in step.step.by
            _judge(scene, cases, (*step.path, "outcomes"), conditions, step.step.needs, "结果", unasked=unasked)


def _judge(
    scene: Scene,
    cases: Cases,
    path: Path,
    conditions: Sequence[Condition],
    form: Mapping[str, FieldSpec],
    what: str,
    *,
    unasked: bool = False,
) -> None:
    bare = next((index for index, condition in enumerate(conditions) if not condition.raw), None)
    verdict = cases.judge(conditions, form, unasked=unasked)
    dead = set(verdict.dead) if verdict is not None else set()
    if bare is not None:
        dead.update(range(bare + 1, len(conditions)))
    for index in sorted(dead):
        words = f"这一条{what}永远轮不到：它不可能成立，或前面的已经包括了它的全部情形"
        scene.findings.error((*path, index), "shadowed", words)
    if bare is not None:
        return
    if verdict is None:
        words = f"{what}的条件太多，无法逐一验证：最后要有一条不写 when 的{what}"
        scene.findings.error(path, "uncovered", words, key=True)
    elif verdict.open_case is not None:
        words = f"{what}没有包括所有情形，例如 {verdict.open_case}：最后要有一条不写 when 的{what}"
        scene.findings.error(path, "uncovered", words, key=True)
