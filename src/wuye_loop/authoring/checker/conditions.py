"""Checks what conditions ask: members of families must exist, values of closed lists must be in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from wuye_loop.authoring.checker.cases import Cases, as_asked
from wuye_loop.authoring.checker.extra_fields import check_extra
from wuye_loop.authoring.checker.scene import FlowPlace, Scene, StepPlace
from wuye_loop.domain.language.conditions import Condition, ConditionError
from wuye_loop.domain.language.effects import ExtendClock
from wuye_loop.domain.language.fact_names import EARLIER
from wuye_loop.domain.language.forms import FieldSpec
from wuye_loop.domain.language.workflow import ActionSpec, Join, Standing
from wuye_loop.domain.rulefile.findings import listed, nearest, quoted
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.terms import Kind

if TYPE_CHECKING:
    from wuye_loop.domain.language.documents import ReplyText
    from wuye_loop.domain.language.intake import Attach, RedLine

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
    cases = cases_of(scene)
    for asked in _asked(scene, parts):
        for fact, raw in asked.condition.raw.items():
            _check_member(scene, asked, fact)
            _check_values(scene, cases, asked, fact, raw)
            for path, pattern in _patterns(raw, (*asked.path, fact)):
                _check_empty(scene, path, pattern)
            if fact.startswith("extra."):
                check_extra(scene, asked.path, fact, _values(raw, (*asked.path, fact)), asked.condition.raw)
    _check_patterns(scene)
    _check_turns(scene, cases)


def _asked(scene: Scene, parts: Sequence[tuple[Path, BaseModel]]) -> Iterator[_Asked]:
    for place in scene.places:
        own = _opened_with(scene, place)
        for name, clock in place.flow.clocks.items():
            yield _Asked((*place.path, "clocks", name, "when"), clock.when, _NO_FORM, own)
            for index, limit in enumerate(clock.limit):
                yield _Asked((*place.path, "clocks", name, "limit", index, "when"), limit.when, _NO_FORM, own)
            for index, rung in enumerate(clock.ladder):
                yield _Asked((*place.path, "clocks", name, "ladder", index, "when"), rung.when, _NO_FORM, own)
    for step in scene.steps:
        yield from _asked_by(step, _opened_with(scene, step.place) if step.name else _NO_FORM)
    yield from _asked_in_caps(scene)
    yield from _asked_of_the_whole(scene)
    for path, part in parts:
        for inner, condition in _conditions_in(part, path):
            yield _Asked(inner, condition, _NO_FORM, _NO_FORM)


def _opened_with(scene: Scene, place: FlowPlace) -> Mapping[str, FieldSpec]:
    if place.kind is None:
        return _NO_FORM
    return {**scene.handed.get(place.kind, {}), **scene.workflow.tasks[place.kind].open.needs}


def _asked_in_caps(scene: Scene) -> Iterator[_Asked]:
    for call in scene.calls:
        if call.call.name == "extend_clock" and "cap" in call.call.params:
            try:
                spec = ExtendClock.model_validate(call.call.params)
            except ValidationError:
                continue  # has its own finding
            own = _opened_with(scene, call.step.place)
            for index, cap in enumerate(spec.cap):
                path = (*call.path, "extend_clock", "cap", index, "when")
                yield _Asked(path, cap.when, call.step.step.needs, own)


def _asked_of_the_whole(scene: Scene) -> Iterator[_Asked]:
    """Give the conditions on arrival, of joins and of the standing: there is no form, and no task of one's own."""
    workflow = scene.workflow
    whole: dict[Path, Sequence[RedLine | Attach | Join | Standing | ReplyText]] = {
        ("intake", "red_lines"): workflow.intake.red_lines,
        ("intake", "attach"): workflow.intake.attach,
        ("joins",): workflow.joins,
        ("standing",): workflow.standing,
        ("replies",): workflow.replies,
    }
    for path, parts in whole.items():
        for index, part in enumerate(parts):
            yield _Asked((*path, index, "when"), part.when, _NO_FORM, _NO_FORM)
    for name, source in workflow.sources.items():
        for field, spec in source.needs.items():
            if spec.when is not None:
                yield _Asked(("sources", name, "needs", field, "when"), spec.when, source.needs, _NO_FORM)


def cases_of(scene: Scene) -> Cases:
    """Return what knows the values of facts in this definition."""
    workflow = scene.workflow
    every = any(not source.channels for source in workflow.sources.values())
    return Cases(tuple(workflow.states), tuple(workflow.documents), tuple(workflow.sources), always_from_a_source=every)


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
    elif family == "earlier":
        what, allowed = "上一件诉求的事实", list(EARLIER)
    elif family in ("done", "cycle_done"):
        what, allowed = "主流程的操作", list(workflow.actions)
        inside = asked.path[0] == "tasks" and asked.path[2] != "open"  # while one is opened nothing was done on it yet
        if family == "done" and inside:  # in a task's own conditions it counts the task's actions too
            allowed = [*workflow.tasks[str(asked.path[1])].actions, *allowed]
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
        if closed is not None and as_asked(fact, value, closed) not in closed and value is not None:
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


def _patterns(raw: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Give every pattern in a condition, with its place."""
    inner = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for key, item in inner:
        if key == "pattern":
            yield (*path, key), str(item)
        else:
            yield from _patterns(item, (*path, key))


def _check_patterns(scene: Scene) -> None:
    """Check that every pattern of the intake can be compiled by re2, and asks for something."""
    intake = scene.workflow.intake
    for index, keyword in enumerate(intake.categories):
        _check_pattern(scene, ("intake", "categories", index, "pattern"), keyword.pattern)
        _check_pattern(scene, ("intake", "categories", index, "not"), keyword.not_)
    for index, line in enumerate(intake.red_lines):
        _check_pattern(scene, ("intake", "red_lines", index, "not"), line.not_)
        asks = any(isinstance(raw, dict) and "pattern" in raw for _, raw in _texts_of(line.when))
        if (line.stated or line.not_) and not asks:
            words = "stated 和 not 说的是 when 里的字词，这条红线没有用 pattern 问标题或内容：请写 text: {pattern: …}，或去掉它们"
            scene.findings.error(("intake", "red_lines", index), "stated-without-words", words)


def _texts_of(when: Condition) -> Iterator[tuple[str, Any]]:
    """Give what a condition asks of title and body."""
    return ((name, raw) for name, raw in when.raw.items() if name in ("text", "title", "body"))


def _check_pattern(scene: Scene, path: Path, pattern: str | None) -> None:
    if pattern is None:
        return
    try:
        _check_empty(scene, path, pattern)
    except ConditionError as error:
        scene.findings.error(path, "bad-pattern", error.words)


def _check_empty(scene: Scene, path: Path, pattern: str) -> None:
    """Find a pattern that even no text meets, as an empty branch does: then every text meets it."""
    if Condition.parse({"text": {"pattern": pattern}}).holds({"text": ""}):
        words = "这个 pattern 什么文字都匹配：有空的一支（如 a||b、a|），或只有可有可无的部分。要问“有没有填”，请写 {not: null}"
        scene.findings.error(path, "empty-pattern", words)


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
            unasked = "system" in step.step.by or (step.place.kind, step.name) in scene.settling
            _judge(scene, cases, (*step.path, "outcomes"), conditions, step.step.needs, "结果", unasked=unasked)
    _check_standing(scene, cases)


def _check_standing(scene: Scene, cases: Cases) -> None:
    """Find lines of the standing that are never shown, and say when none may be."""
    conditions = [line.when for line in scene.workflow.standing]
    if not conditions:
        return
    verdict = cases.judge(conditions, _NO_FORM)
    bare = next((index for index, condition in enumerate(conditions) if not condition.raw), len(conditions))
    for index in sorted({*range(bare + 1, len(conditions)), *(verdict.dead if verdict is not None else ())}):
        words = "这一条永远不会显示：它不可能成立，或前面的已经包括了它的全部情形"
        scene.findings.error(("standing", index), "shadowed", words)
    if bare == len(conditions) and (verdict is None or verdict.open_case is not None):
        words = "standing 没有包括所有情形，其余的诉求这一栏是空白：如不愿空白，最后写一条不带 when 的"
        scene.findings.warn(("standing", bare - 1), "uncovered", words)


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
