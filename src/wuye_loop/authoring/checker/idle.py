"""Checks what would stand idle though every name is right: holders who can do nothing, rungs that cannot act somewhere."""

from collections import Counter
from collections.abc import Iterator, Sequence
from string import digits

from rapidfuzz import fuzz

from wuye_loop.authoring.checker.flow import leaving, prompted_actions
from wuye_loop.authoring.checker.routers import DUTY, Part, named
from wuye_loop.authoring.checker.scene import SYSTEM, FlowPlace, Scene, StepPlace, target_of
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import ActionSpec, ClockSpec, Role, State, StepSpec, TaskUnit
from wuye_loop.domain.rulefile.findings import quoted
from wuye_loop.domain.rulefile.reader import Path
from wuye_loop.domain.terms import Stage


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


def check_following(scene: Scene) -> None:
    """Note kinds of task that stay open although their grievance is over or merged."""
    for kind, task in scene.workflow.tasks.items():
        kept = [
            words for key, words in (("final", "办结"), ("merge", "并案")) if getattr(task.on_parent, key) == "keep"
        ]
        if kept:
            words = (
                f"任务 {kind} 在诉求{'、'.join(kept)}以后仍然开着：照样催办、照样算超期，留在承办方的收件箱里。"
                "不是有意这样的，请删去 on_parent（默认撤回）"
            )
            scene.findings.warn(("tasks", kind, "on_parent"), "outlives", words)


# Checks doors that never open, or that close for good: conditions that cannot hold there, and times that run out.


def check_doors(scene: Scene) -> None:
    """Note steps that can never be taken where they start from, and states that nobody can leave after a while."""
    for step in scene.steps:
        _check_state(scene, step)
        _check_due(scene, step)
        _check_over(scene, step)
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


def _check_over(scene: Scene, step: StepPlace) -> None:
    """Find a condition that asks whether a clock is overdue where that clock is over: it is never overdue there."""
    starts = _starts(step)
    for fact, raw in step.step.if_.raw.items():
        name = fact.removeprefix("overdue.")
        clock = scene.workflow.clocks.get(name)
        if name == fact or clock is None or not starts or raw is not True:
            continue
        over = [state for state in starts if state not in (*clock.during, *clock.paused)]
        if len(over) < len(starts):
            for state in over:
                words = f"if 问时限 {name} 是否超期，而在 {state} 里它已经结束，不算超期：在那里永远做不成"
                scene.findings.warn((*step.path, "if", fact), "clock-over", words)
        else:
            words = (
                f"if 问时限 {name} 是否超期，而这里只能从 {'、'.join(starts)} 做，那时它已经结束，不算超期：永远做不成。"
                f"请把这些状态写进 {name} 的 during 或 paused，或不问它"
            )
            scene.findings.error((*step.path, "if", fact), "never-holds", words)


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


def _closes(step: StepSpec) -> bool:
    return step.within is not None or step.before_due is not None


# Checks names that a file defines and nothing uses, and duties that are written in two ways.

_ALIKE = 90  # of 100: two duties so alike are likely one, miswritten
_DEFINED = {"roles": "角色", "instruments": "督办手段"}  # documents are issued by people, by their names


def check_unused(scene: Scene, parts: Sequence[Part]) -> None:
    """Note roles and instruments that nothing names, and odd duties; `parts` are the parameters of the routers."""
    data = scene.findings.data
    used = set(_texts(data))
    held = {name for name, role in scene.workflow.roles.items() if _needs_no_mention(role)}
    for part, what in _DEFINED.items():
        defined = data.get(part) if isinstance(data, dict) else None
        for name in defined if isinstance(defined, dict) else ():
            if name not in used and name not in held and scene.findings.wrote((part, name)):
                words = f"{what}{quoted(name)}没有一处用到：是写漏了，还是可以删去？"
                scene.findings.warn((part, name), "unused", words, key=True)
    if scene.directory is None:  # else each duty is looked up there
        _check_duties(scene, [(path, name) for path, what, name in named(scene, parts) if what == DUTY])


def _needs_no_mention(role: Role) -> bool:
    return role.is_ is not None or role.unit == "assist" or isinstance(role.unit, TaskUnit)


def _texts(node: object) -> Iterator[str]:
    """Give every text that stands as a value anywhere in a definition; what stands as a key is a name being defined."""
    if isinstance(node, dict):
        for inner in node.values():
            yield from _texts(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _texts(inner)
    elif isinstance(node, str):
        yield node


def _check_duties(scene: Scene, duties: Sequence[tuple[Path, str]]) -> None:
    """Find a duty that stands once and is nearly, but not quite, one that stands elsewhere."""
    times = Counter(name for _, name in duties)
    told: set[str] = set()
    for path, name in duties:
        near = next((other for other in times if other != name and _miswritten(name, other)), None)
        if times[name] == 1 and near is not None and near not in told and scene.findings.wrote(path):
            told.add(name)
            words = f"职责{quoted(name)}只在这里写到，而别处有 {near}：是不是同一个？"
            scene.findings.warn(path, "alike", words)


def _miswritten(one: str, other: str) -> bool:
    """Say whether two names are likely one; those that are numbered apart are two."""
    return fuzz.ratio(one, other) >= _ALIKE and one.strip(digits) != other.strip(digits)
