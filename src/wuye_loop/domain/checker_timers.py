"""Checks what tasks bring about on their grievance: by then it may stand, or have gone, where that cannot be done."""

from collections.abc import Iterator

from wuye_loop.domain.checker_scene import SYSTEM, FlowPlace, Scene, target_of
from wuye_loop.domain.conditions import Condition
from wuye_loop.domain.workflow import ActionSpec, Outcome
from wuye_loop.domain.yamldoc import Path

Moved = dict[str, dict[str, str]]  # from which state to which others, and the clock whose ladder does it


def check_timers(scene: Scene) -> None:
    """Note actions that a task brings on the grievance, where it may still stand or its own ladder may have moved it on."""
    moved = _moved(scene)
    for place in scene.places:
        if place.kind is None:
            continue
        if not _moves_on(scene, place.kind):
            for name, action in place.flow.actions.items():
                for path, way, then in _brought(place, name, action):
                    _check_start(scene, place.kind, path, (action.if_, way.when), then)
        timed = {rung.act for clock in place.flow.clocks.values() for rung in clock.ladder if rung.act is not None}
        for name in sorted(timed & {*place.flow.actions}):
            action = place.flow.actions[name]
            for path, _, then in _brought(place, name, action) if SYSTEM in action.by else ():
                _check(scene, moved, place, path, action, then)


def _moves_on(scene: Scene, kind: str) -> bool:
    """Say whether opening such a task moves the grievance on, by itself or by a join that asks for it."""
    opening = scene.workflow.tasks[kind].open
    asked = {f"open.{kind}", f"tasks.{kind}"}
    joined = any(asked & {*join.when.raw} for join in scene.workflow.joins)
    return joined or any(call.name == "act" for call in opening.effect)


def _brought(place: FlowPlace, name: str, action: ActionSpec) -> Iterator[tuple[Path, Outcome, str]]:
    """Give the actions on the grievance that follow an action of a task: the place that says so, and the outcome."""
    path: Path = (*place.path, "actions", name)
    parts: list[tuple[Path, ActionSpec | Outcome, Outcome]] = [(path, action, Outcome())]
    parts += [((*path, "outcomes", turn), way, way) for turn, way in enumerate(action.outcomes)]
    for here, part, way in parts:
        for index, then in enumerate(part.then):
            yield (*here, "then", index), way, then
        for index, call in enumerate(part.effect):
            if call.name == "act":
                yield (*here, "effect", index, "act"), way, str(call.params.get("value"))


def _check_start(scene: Scene, kind: str, path: Path, asked: tuple[Condition, ...], then: str) -> None:
    """Find a task that can be opened where what its decision brings about cannot be done."""
    follows = scene.workflow.actions.get(then)
    if follows is None or any("state" in condition.raw for condition in asked):
        return
    left = [state for state in scene.workflow.tasks[kind].open.from_ if state not in follows.from_]
    if left and follows.from_:
        words = (
            f"任务 {kind} 能在 {left[0]} 里发起，而随后的 {then} 只能从 {'、'.join(follows.from_)} 做："
            f"诉求还在 {left[0]} 时，这个操作会被拒绝。请把 {left[0]} 加进 {then} 的 from，或不让它在那里发起"
        )
        scene.findings.warn(path, "may-be-elsewhere", words)


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
