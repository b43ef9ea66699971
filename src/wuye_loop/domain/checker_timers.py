"""Checks what the timers of tasks bring with them: by then the grievance itself may have gone where that cannot be done."""

from collections.abc import Iterator

from wuye_loop.domain.checker_scene import SYSTEM, FlowPlace, Scene, target_of
from wuye_loop.domain.workflow import ActionSpec, Outcome
from wuye_loop.domain.yamldoc import Path

Moved = dict[str, dict[str, str]]  # from which state to which others, and the clock whose ladder does it


def check_timers(scene: Scene) -> None:
    """Note actions that a task's ladder brings on the grievance, where the grievance's own ladder may have moved it on."""
    moved = _moved(scene)
    for place in scene.places:
        if place.kind is None:
            continue
        timed = {rung.act for clock in place.flow.clocks.values() for rung in clock.ladder if rung.act is not None}
        for name in sorted(timed & {*place.flow.actions}):
            action = place.flow.actions[name]
            for path, then in _brought(place, name, action) if SYSTEM in action.by else ():
                _check(scene, moved, place, path, action, then)


def _brought(place: FlowPlace, name: str, action: ActionSpec) -> Iterator[tuple[Path, str]]:
    """Give the actions on the grievance that follow an action of a task, each with the place that says so."""
    path: Path = (*place.path, "actions", name)
    parts: list[tuple[Path, ActionSpec | Outcome]] = [(path, action)]
    parts += [((*path, "outcomes", turn), way) for turn, way in enumerate(action.outcomes)]
    for here, part in parts:
        for index, then in enumerate(part.then):
            yield (*here, "then", index), then
        for index, call in enumerate(part.effect):
            if call.name == "act":
                yield (*here, "effect", index, "act"), str(call.params.get("value"))


def _check(scene: Scene, moved: Moved, place: FlowPlace, path: Path, action: ActionSpec, then: str) -> None:
    follows = scene.workflow.actions.get(then)
    if follows is None or "state" in action.if_.raw:  # asked first, it is not even tried there
        return
    opened_in = scene.workflow.tasks[str(place.kind)].open.from_
    for source in {*opened_in} & {*follows.from_}:
        target = min(moved.get(source, {}).keys() - {*follows.from_}, default=None)
        if target is not None:
            words = (
                f"到期由系统做时，诉求可能已被时限 {moved[source][target]} 转到 {target}，而 {then} 只能从"
                f" {'、'.join(follows.from_)} 做：那时这一级只记台账，什么也不做。"
                f"请把 {target} 加进 {then} 的 from，或在阶梯里另写那时怎么办"
            )
            scene.findings.warn(path, "may-be-elsewhere", words)
            return


def _moved(scene: Scene) -> Moved:
    """Return where the grievance's own ladders move it; a move that others follow may lead anywhere, and is left out."""
    workflow, moved = scene.workflow, Moved()
    for name, clock in workflow.clocks.items():
        for action in [workflow.actions[rung.act] for rung in clock.ladder if rung.act in workflow.actions]:
            if SYSTEM not in action.by or action.then or any(way.then for way in action.outcomes):
                continue
            targets = {str(target_of(action, way)) for way in action.ways} & {*workflow.states}
            for source in {*action.from_} & {*clock.during}:
                rest = (target for target in targets if not workflow.states[target].final)
                moved.setdefault(source, {}).update(dict.fromkeys(rest, name))
    return moved
