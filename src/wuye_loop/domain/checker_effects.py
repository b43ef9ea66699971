"""Checks effects: that each exists, has the right parameters, and can be carried out where it is written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from wuye_loop.domain.checker_finding import quoted
from wuye_loop.domain.checker_names import known
from wuye_loop.domain.checker_scene import SYSTEM, CallPlace, Scene, target_of
from wuye_loop.domain.checker_shape import note_shape
from wuye_loop.domain.effects import effect_params
from wuye_loop.domain.terms import Urgency
from wuye_loop.domain.workflow import ActionSpec, Outcome
from wuye_loop.domain.yamldoc import Path

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


def _route(scene: Scene, place: CallPlace, path: Path, _: Params) -> None:
    action = place.step.step
    if place.step.place.kind is not None or not isinstance(action, ActionSpec):
        scene.findings.error(path, "route-place", "route 只能写在主流程的操作里")
        return
    for way in (place.way,) if place.way is not None else action.ways:
        target = target_of(action, way)
        if target is None or (target in scene.workflow.states and not scene.held_by_lead(target)):
            words = "route 之后要进入由主办单位（unit: lead 的角色）持有的状态"
            scene.findings.error(
                path, "route-place", f"{words}，而这里{'状态不变' if target is None else f'进入 {target}'}"
            )


def _assign(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    _field(scene, place, (*path, "to"), str(params["to"]), ("unit",))


def _merge(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    _field(scene, place, (*path, "into"), str(params["into"]), ("grievance",))
    action = place.step.step
    for way in (place.way,) if place.way is not None else getattr(action, "ways", ()):
        target = target_of(action, way) if isinstance(action, ActionSpec) and isinstance(way, Outcome) else None
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


def _set(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    for name, source in params.items():
        _field(scene, place, (*path, name), str(source), ())


def _act(scene: Scene, _: CallPlace, path: Path, params: Params) -> None:
    name = str(params["value"])
    known(scene, (*path, "value"), "主流程的操作", [name], tuple(scene.workflow.actions))
    action = scene.workflow.actions.get(name)
    if action is not None and SYSTEM not in action.by:
        words = f"操作 {name} 要由系统执行，它的 by 里没有 system"
        scene.findings.error((*path, "value"), "not-for-system", words)


def _open(scene: Scene, place: CallPlace, path: Path, params: Params) -> None:
    known(scene, (*path, "task"), "任务", [str(params["task"])], tuple(scene.workflow.tasks))
    to, document = params.get("to"), params.get("document")
    if to is not None and to not in scene.actors(place.step.place):
        _field(scene, place, (*path, "to"), str(to), ())
        spec = place.step.fields.get(str(to))
        if spec is not None and spec.type != "unit":
            words = f"表单字段{quoted(str(to))}的类型是 {spec.type}，这里要 unit"
            scene.findings.error((*path, "to"), "wrong-field", words)
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


def _rate(scene: Scene, place: CallPlace, path: Path, _: Params) -> None:
    """Check that the form asks what the rating of one of the action's states asks, with the same choices."""
    action = place.step.step
    ratings = {name: spec for name, spec in scene.workflow.ratings.items() if set(spec.in_) & set(action.from_)}
    if place.step.place.kind is not None or not ratings:
        words = "ratings 里没有一种评价是在这个操作的状态里问的"
        scene.findings.error(path, "no-rating", words)
        return
    for name, spec in ratings.items():
        for ask, field in spec.asks.items():
            given = action.needs.get(ask)
            if given is None or given.type != field.type or not set(given.choices) <= set(field.choices):
                words = f"评价 {name} 要问{quoted(ask)}，needs 里要有同样类型、同样选项的这一项"
                scene.findings.error(path, "rating-form", words)


_CHECKS: Mapping[str, Callable[[Scene, CallPlace, Path, Params], None]] = {
    "route": _route,
    "assign": _assign,
    "merge": _merge,
    "extend_clock": _extend,
    "set": _set,
    "act": _act,
    "open": _open,
    "notify": _notify,
    "document": _document,
    "lift": _lift,
    "rate": _rate,
}
