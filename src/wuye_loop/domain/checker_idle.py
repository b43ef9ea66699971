"""Checks what would stand idle though every name is right: holders who can do nothing, rungs that cannot act somewhere."""

from wuye_loop.domain.checker_finding import quoted
from wuye_loop.domain.checker_scene import SYSTEM, FlowPlace, Scene, target_of
from wuye_loop.domain.terms import Stage
from wuye_loop.domain.workflow import ActionSpec, ClockSpec, State
from wuye_loop.domain.yamldoc import Path


def check_idle(scene: Scene) -> None:
    """Note states whose holder can only wait to be overdue, and rungs that cannot act where their clock runs."""
    _check_hands(scene)
    for place in scene.places:
        for name, clock in place.flow.clocks.items():
            _check_rungs(scene, place, clock, (*place.path, "clocks", name, "ladder"))


def _check_hands(scene: Scene) -> None:
    """Find states of the main flow that their holder has no action in, and that nothing but escalation leaves."""
    workflow = scene.workflow
    for name, state in workflow.states.items():
        if state.final or state.parked or state.stage is Stage.ESCALATE or state.holder is None:
            continue
        here = {key: action for key, action in workflow.actions.items() if name in action.from_}
        holds = any(state.holder in action.by for action in here.values())
        ways = [action for action in here.values() if _goes_on(scene, name, action)]
        if holds or ways or not here:
            continue
        words = (
            f"状态{quoted(name)}由 {state.holder} 持有，而它在这里一个操作也做不了，只能等到升级督办或别人改派："
            f"请写一个它能从 {name} 做的操作"
        )
        scene.findings.warn(("states", name, "holder"), "no-hands", words)


def _goes_on(scene: Scene, state: str, action: ActionSpec) -> bool:
    """Say whether an action leads on from a state, other than to where it is escalated."""
    states = scene.workflow.states
    targets = {target_of(action, way) for way in action.ways} - {None, state}
    return any(not _escalated(states.get(str(target))) for target in targets)


def _escalated(state: State | None) -> bool:
    return state is not None and state.stage is Stage.ESCALATE


def _check_rungs(scene: Scene, place: FlowPlace, clock: ClockSpec, path: Path) -> None:
    """Find states in which a clock runs out and what its rung would do cannot be done: it is only written down."""
    for index, rung in enumerate(clock.ladder):
        action = place.flow.actions.get(rung.act or "")
        if action is None or SYSTEM not in action.by or {"state", "stage"} & {*rung.when.raw, *action.if_.raw}:
            continue
        after = {target_of(action, way) for way in action.ways}
        states = place.flow.states
        left = [name for name in clock.during if name not in action.from_ and name not in after and name in states]
        left = [name for name in left if not _escalated(states[name])]
        if left and len(left) < len(clock.during):
            words = (
                f"时限在状态{quoted(left[0])}里也走，而 {rung.act} 不能从那里做：在那里到期只记台账，什么也不做。"
                f"请把 {left[0]} 加进 {rung.act} 的 from，或给这一级写 when: {{state: …}}"
            )
            at = scene.findings.own((*path, index, "act"), (*path[:-1], "during"), (*place.path, "states", left[0]))
            scene.findings.warn(at, "idle-rung", words)
