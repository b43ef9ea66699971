"""Checks doors that never open, or that close for good: conditions that cannot hold there, and times that run out."""

from wuye_loop.domain.checker_finding import quoted
from wuye_loop.domain.checker_graph import leaving, prompted_actions
from wuye_loop.domain.checker_scene import SYSTEM, FlowPlace, Scene, StepPlace
from wuye_loop.domain.conditions import Condition
from wuye_loop.domain.workflow import Step


def check_doors(scene: Scene) -> None:
    """Note steps that can never be taken where they start from, and states that nobody can leave after a while."""
    for step in scene.steps:
        _check_state(scene, step)
        _check_due(scene, step)
    for place in scene.places:
        _check_closing(scene, place)


def _starts(step: StepPlace) -> tuple[str, ...]:
    """Return the states of the grievance that a step starts from; an action of a task may find it in any."""
    return () if step.place.kind is not None and step.name is not None else step.step.from_


def _check_state(scene: Scene, step: StepPlace) -> None:
    """Find a condition on the state, or its stage, that holds in none of the states that the step starts from."""
    states = scene.workflow.states
    starts = [state for state in _starts(step) if state in states]
    for fact in ("state", "stage"):
        raw = step.step.if_.raw.get(fact)
        if raw is None or not starts:
            continue
        asked = Condition.parse({fact: raw})
        if not any(asked.holds({"state": name, "stage": states[name].stage}) for name in starts):
            words = f"if 问的 {fact} 在 {'、'.join(starts)} 里都不成立，而只能从那里做：永远做不成"
            scene.findings.error((*step.path, "if", fact), "never-holds", words)


def _check_due(scene: Scene, step: StepPlace) -> None:
    """Find what must come before a clock is due, and starts only where that clock is over or has not begun."""
    clock = scene.workflow.clocks.get(step.step.before_due or "")
    starts = _starts(step)
    if clock is None or not starts or {*starts} & {*clock.during, *clock.paused}:
        return
    words = (
        f"时限 {step.step.before_due} 只在 {'、'.join((*clock.during, *clock.paused))} 里，"
        f"而这里只能从 {'、'.join(starts)} 做：那时它不在走，永远做不成"
    )
    scene.findings.error((*step.path, "before_due"), "never-holds", words)


def _check_closing(scene: Scene, place: FlowPlace) -> None:
    """Find states that can be left only for a while, with no ladder that leaves them afterwards."""
    prompted = prompted_actions(scene, place)
    for name, state in place.flow.states.items():
        ways = leaving(place, name)
        if state.final or state.parked or not ways:
            continue
        driven = any(key in prompted and SYSTEM in action.by for key, action in ways)
        if not driven and all(_closes(action) for _, action in ways):
            words = (
                f"状态{quoted(name)}过了一定时间就没有人能离开：{'、'.join(key for key, _ in ways)} 都限了时（within 或 before_due）。"
                "请给时限写一级 act，或另写一个不限时的操作"
            )
            scene.findings.warn((*place.path, "states", name), "closing-door", words, key=True)


def _closes(step: Step) -> bool:
    return step.within is not None or step.before_due is not None
