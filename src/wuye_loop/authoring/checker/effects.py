"""Checks effects: that each exists, has the right parameters, and can be carried out where it is written."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from wuye_loop.authoring.checker.names import known
from wuye_loop.authoring.checker.scene import SYSTEM, CallPlace, Scene, target_of
from wuye_loop.authoring.checker.system_forms import not_for_system
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.effects import CORRECTABLE, OF_A_PERSON, OWN_WORDS, ExtendClock, effect_params
from wuye_loop.domain.language.forms import NAME, FieldSpec
from wuye_loop.domain.language.workflow import ActionSpec, Branch
from wuye_loop.domain.rulefile.findings import quoted
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.rulefile.shape import note_shape
from wuye_loop.domain.terms import Urgency

Params = Mapping[str, Any]


def check_effects(scene: Scene) -> None:
    """Note what is wrong with every effect."""
    registry = effect_params()
    for place in scene.calls:
        model = registry.get(place.call.name)
        if model is None:
            scene.findings.unknown(place.path, "效果", place.call.name, registry)
            continue
        path = (*place.path, place.call.name)
        try:
            model.model_validate(place.call.params)
        except ValidationError as error:
            note_shape(error, model, path, scene.findings)
            continue
        check = _CHECKS.get(place.call.name)
        if check is not None:
            check(scene, place, path, place.call.params)


def _field(scene: Scene, place: CallPlace, path: Path, name: str, types: Sequence[str]) -> None:
    """Check that a form field exists, has the right type, and is there when the system acts, which fills in no form."""
    spec = place.step.fields.get(name)
    if spec is None:
        if name not in scene.stored:
            scene.findings.unknown(path, "表单字段", name, place.step.fields)
        return
    if types and spec.type not in types:
        scene.findings.error(
            path, "wrong-field", f"表单字段{quoted(name)}的类型是 {spec.type}，这里要 {' 或 '.join(types)}"
        )
    elif types and (spec.optional or spec.when is not None):
        words = f"表单字段{quoted(name)}可以不填，不填时这个效果无法执行：请去掉 ? 和 when"
        scene.findings.error(path, "optional-field", words)
    own = name in place.step.step.needs
    if types and own and place.step.name is not None and SYSTEM in place.step.step.by:
        words = f"by 里有 system，而系统不填表单：没有{quoted(name)}，这个效果无法执行"
        scene.findings.error(path, "system-form", words)
    given = place.step.name is None or not own  # what the task was opened with
    where = _opened_without(scene, place.step.place.kind, name) if types and given else None
    if where is not None:
        words = f"{quoted(name)}是开任务时填的，而{where}由系统开这种任务，那时没有人填：这个效果无法执行"
        scene.findings.error(path, "system-form", words)


def _opened_without(scene: Scene, kind: str | None, field: str) -> str | None:
    """Say where the system opens this kind of task without handing over a field, or None."""
    if kind is None:
        return None
    for place in scene.places:
        for name, clock in place.flow.clocks.items():
            if any(rung.open == kind for rung in clock.ladder):
                return f"时限 {name} "
    for call in scene.calls:
        params = call.call.params
        if call.call.name == "open" and params.get("task") == kind and field not in (params.get("data") or {}):
            return f"操作 {call.step.name or call.step.place.kind} "
    return None


def _typed(scene: Scene, place: CallPlace, path: Path, name: str, type_: str | None) -> None:
    """Check that a form field that may be left out exists, and has the right type."""
    _field(scene, place, path, name, ())
    spec = place.step.fields.get(name)
    if spec is not None and type_ is not None and spec.type != type_:
        words = f"表单字段{quoted(name)}的类型是 {spec.type}，这里要 {type_}"
        scene.findings.error(path, "wrong-field", words)


def _route(scene: Scene, place: CallPlace, path: Path, _: Params) -> None:
    action = place.step.step
    if place.step.place.kind is not None or not isinstance(action, ActionSpec):
        scene.findings.error(path, "route-place", "route 只能写在主流程的操作里")
        return
    for way in (place.way,) if place.way is not None else action.ways:
        again = next((name for name in way.then or action.then if _routes(scene, name)), None)
        if again is not None:
            words = f"这里转办一次，随后的操作 {again} 又转办一次：会记两次转办、通知两家。请只留一个"
            scene.findings.error(path, "routes-twice", words)
        target = target_of(action, way)
        if target is None or (target in scene.workflow.states and not scene.held_by_lead(target)):
            words = "route 之后要进入由主办单位（unit: lead 的角色）持有的状态"
            scene.findings.error(
                path, "route-place", f"{words}，而这里{'状态不变' if target is None else f'进入 {target}'}"
            )


def _routes(scene: Scene, name: str) -> bool:
    action = scene.workflow.actions.get(name)
    parts: tuple[ActionSpec | Branch, ...] = (action, *action.outcomes) if action is not None else ()
    return any(call.name == "route" for part in parts for call in part.effect)


def _assign(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    _field(scene, place, (*path, "to"), str(params["to"]), ("unit",))


def _merge(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    _field(scene, place, (*path, "into"), str(params["into"]), ("grievance",))
    action = place.step.step
    for way in (place.way,) if place.way is not None else getattr(action, "ways", ()):
        target = target_of(action, way) if isinstance(action, ActionSpec) and isinstance(way, Branch) else None
        state = scene.workflow.states.get(target or "")
        if state is None or not state.parked:
            scene.findings.error(path, "merge-place", "并案要进入 parked: true 的状态")
            return


def _extend(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    known(scene, (*path, "clock"), "主流程的时限", [str(params["clock"])], tuple(scene.workflow.clocks))
    _field(scene, place, (*path, "by"), str(params["by"]), ("int",))
    spec = place.step.fields.get(str(params["by"]))
    if spec is not None and spec.type == "int" and not spec.min:
        words = f"延长的数至少是 1：请给字段{quoted(str(params['by']))}写 min: 1"
        scene.findings.error((*path, "by"), "zero-extension", words)
    _caps(scene, (*path, "cap"), params)


def _caps(scene: Scene, path: Path, params: Params) -> None:
    """Check the caps of an extension: each in the unit of the extension, and one for every matter."""
    spec = ExtendClock.model_validate(params)
    for index, cap in enumerate(spec.cap):
        if cap.is_.n < 1:
            scene.findings.error((*path, index, "is"), "no-time", "累计上限至少是 1")
        if cap.is_.unit.value != spec.unit:
            words = f"上限的单位是 {cap.is_.unit.value}，延长的单位是 {spec.unit}：两处要相同，才能累计"
            scene.findings.error((*path, index, "is"), "other-unit", words)
        if index < len(spec.cap) - 1 and not cap.when.raw:
            words = "后面的上限永远轮不到：这一条没有写 when，包括了全部情形"
            scene.findings.error((*path, index), "shadowed", words)
    if spec.cap and spec.cap[-1].when.raw:
        words = "上限没有包括所有情形，其余的诉求可以无限延长：最后要有一条不写 when 的上限"
        scene.findings.error(path, "uncovered", words, key=True)


def _set(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    for name, source in params.items():
        _field(scene, place, (*path, name), str(source), ())


def _act(scene: Scene, _: CallPlace, path: Path, params: Params) -> None:
    name = str(params["value"])
    known(scene, (*path, "value"), "主流程的操作", [name], tuple(scene.workflow.actions))
    action = scene.workflow.actions.get(name)
    if action is not None:
        not_for_system(scene, (*path, "value"), f"操作 {name} 要由系统执行", action.by)


def _open(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    known(scene, (*path, "task"), "任务", [str(params["task"])], tuple(scene.workflow.tasks))
    to, document = params.get("to"), params.get("document")
    for name, source in (params.get("data") or {}).items():
        _field(scene, place, (*path, "data", name), str(source), ())
    actors = scene.actors(place.step.place)
    if to is not None and to not in actors:
        if str(to) in place.step.fields:
            _typed(scene, place, (*path, "to"), str(to), "unit")
        else:
            units = [name for name, field in place.step.fields.items() if field.type == "unit"]
            scene.findings.unknown((*path, "to"), "角色或单位字段", str(to), [*units, *actors])
    if document is not None:
        known(scene, (*path, "document"), "文书", [str(document)], tuple(scene.workflow.documents))


def _notify(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    known(scene, (*path, "instrument"), "督办手段", [str(params["instrument"])], tuple(scene.workflow.instruments))
    names = params["to"]
    known(scene, (*path, "to"), "角色", [names] if isinstance(names, str) else names, scene.actors(place.step.place))


def _document(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    name = str(params["kind"])
    known(scene, (*path, "kind"), "文书", [name], tuple(scene.workflow.documents))
    if params.get("to") is not None:
        known(scene, (*path, "to"), "角色", [str(params["to"])], scene.actors(place.step.place))
    spec = scene.workflow.documents.get(name)
    by = place.step.step.by
    if spec is not None and spec.by and not set(by) & set(spec.by):
        words = f"文书{quoted(name)}只能由 {'、'.join(spec.by)} 签发，而这里是 {'、'.join(by)}"
        scene.findings.error((*path, "kind"), "not-the-issuer", words)


def _lift(scene: Scene, _: CallPlace, path: Path, params: Params) -> None:
    known(scene, (*path, "urgency"), "紧急程度", [str(params["urgency"])], [item.value for item in Urgency])


def _rate(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    """Check that the form asks what the rating asks, with the same choices, and that those rate who are to."""
    ratings, action = scene.workflow.ratings, place.step.step
    named = params.get("rating")
    if named is not None:
        known(scene, (*path, "rating"), "评价", [str(named)], tuple(ratings))
    name = str(named) if named is not None else next(iter(ratings), "")
    rating = ratings.get(name)
    if rating is None or not isinstance(action, ActionSpec):
        if named is None or rating is not None:
            scene.findings.error(path, "no-rating", "ratings 里没有一种评价是在这个操作的状态里问的")
        return
    anywhere = place.step.place.kind is not None and not rating.in_  # in a task: wherever the task is
    if not anywhere and not set(rating.in_) & set(action.from_):
        words = f"ratings 里没有一种评价是在这个操作的状态里问的：{name} 的 in 里要有 {'、'.join(action.from_)}"
        scene.findings.error(path, "no-rating", words)
    for ask, field in rating.asks.items():
        unlike = _unlike(name, ask, field, action.needs.get(ask), place.words)
        if unlike is not None:
            form, asked = (*place.step.path, "needs", ask), ("ratings", name, "asks", ask)
            scene.findings.error(scene.findings.own(path, form, asked), "rating-form", unlike)
    others = [one for one in action.by if one not in rating.by] if rating.by else []
    if others:
        words = f"评价 {name} 由 {'、'.join(rating.by)} 来评，而这里 {'、'.join(others)} 也能评"
        scene.findings.error(path, "not-the-rater", words)


def _unlike(rating: str, ask: str, field: FieldSpec, given: FieldSpec | None, action: str) -> str | None:
    """Say how the form of an action differs from what a rating asks."""
    if given is None or given.type != field.type:
        return f"评价 {rating} 要问{quoted(ask)}，{action} 的 needs 里要有同样类型、同样选项的这一项"
    if {*given.choices} != {*field.choices}:
        have, want = ("、".join(choices) for choices in (given.choices, field.choices))
        return f"评价 {rating} 的{quoted(ask)}有选项 {want}，而{action} 的 needs 里是 {have}：两处的选项要一样"
    return None


def _precedent(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    """Check the fields of a ruling; one that is no name is the ruling's own words."""
    ruling = str(params["ruling"])
    if re.fullmatch(NAME, ruling):
        _field(scene, place, (*path, "ruling"), ruling, ())
    for key in ("unit", "reason"):
        if params.get(key) is not None:
            _typed(scene, place, (*path, key), str(params[key]), "unit" if key == "unit" else None)


def _act_tasks(scene: Scene, _: CallPlace, path: Path, params: Params) -> None:
    kind, name = str(params["task"]), str(params["action"])
    known(scene, (*path, "task"), "任务", [kind], tuple(scene.workflow.tasks))
    task = scene.workflow.tasks.get(kind)
    if task is None:
        return
    known(scene, (*path, "action"), f"任务 {kind} 的操作", [name], tuple(task.actions))
    action = task.actions.get(name)
    if action is not None:
        not_for_system(scene, (*path, "action"), f"操作 {name} 要由系统执行", action.by)


def _exclude(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    if params.get("reason") is not None:
        _field(scene, place, (*path, "reason"), str(params["reason"]), ())


def _climb(scene: Scene, place: CallPlace, path: Path, _: Params) -> None:
    """Find a climb that must fail: the topmost level has none above it, and the system must not try."""
    levels = scene.workflow.levels
    if not levels[1:]:
        scene.findings.error(
            path, "no-level-above", "levels 只有一级，没有上一级可升：请在 levels 里按从低到高写出各级"
        )
        return
    conditions = [place.step.step.if_, *([place.way.when] if place.way is not None else [])]
    top = {"level": levels[-1].value}
    kept = any(
        not Condition.parse({"level": condition.raw["level"]}).holds(top)
        for condition in conditions
        if "level" in condition.raw
    )
    if not kept and SYSTEM in place.step.step.by:
        words = f"已在最高一级 {top['level']} 时不能再升，系统会一直做不成：请写 if: {{level: {{not: {top['level']}}}}}"
        scene.findings.error(path, "climb-top", words)


def _correct(scene: Scene, place: CallPlace, path: Path, _: Params) -> None:
    """Check the form of a correction: a reason, at least one thing to set right, and nothing of a person kept elsewhere."""
    step = place.step
    asks = step.step.needs
    reason = asks.get("reason")
    if reason is None or reason.type not in ("text", "choice") or reason.optional or reason.when is not None:
        words = "更正来件要写明理由：needs 里要有一项必填的 reason（文字或单选）"
        scene.findings.error(path, "correct-reason", words)
    named = {name: spec for name, spec in asks.items() if name in CORRECTABLE}
    if not named:
        words = f"表单里没有可以更正的项：needs 里要有 {'、'.join(CORRECTABLE)} 中的至少一项"
        scene.findings.error(path, "correct-nothing", words)
    for name, spec in named.items():
        if spec.type not in CORRECTABLE[name]:
            words = f"表单字段{quoted(name)}的类型是 {spec.type}，这里要 {' 或 '.join(CORRECTABLE[name])}"
            scene.findings.error((*step.path, "needs", name), "wrong-field", words)
    if SYSTEM in step.step.by:
        words = "by 里有 system，而系统不填表单：没有可更正的内容，这个效果无法执行"
        scene.findings.error(path, "system-form", words)
    for other in scene.calls:
        kept = [str(name) for name in _stored(other)] if other.step.path == step.path else []
        told = [name for name in kept if name in (*OF_A_PERSON, *OWN_WORDS)]
        if told:
            words = f"{quoted(told[0])}是诉求人的话或身份，更正时单独封存：不能再用 {other.call.name} 存到别处"
            scene.findings.error(other.path, "correct-kept", words)


def _stored(place: CallPlace) -> list[Any]:
    """Return the form fields that an effect keeps a copy of."""
    params = place.call.params
    return list(params.values() if place.call.name == "set" else (params.get("data") or {}).values())


_CHECKS: Mapping[str, Callable[[Scene, CallPlace, Path, Params], None]] = {
    "route": _route,
    "assign": _assign,
    "correct": _correct,
    "merge": _merge,
    "extend_clock": _extend,
    "set": _set,
    "act": _act,
    "open": _open,
    "notify": _notify,
    "document": _document,
    "lift": _lift,
    "rate": _rate,
    "precedent": _precedent,
    "act_tasks": _act_tasks,
    "exclude": _exclude,
    "climb": _climb,
}
