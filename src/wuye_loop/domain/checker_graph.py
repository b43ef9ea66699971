"""Checks the shape of a flow: every state can be reached, can be left by somebody, and leads to an end."""

from wuye_loop.domain.checker_circles import Edges, closure
from wuye_loop.domain.checker_finding import quoted
from wuye_loop.domain.checker_scene import BACK, SYSTEM, FlowPlace, Scene, has_effect, target_of
from wuye_loop.domain.workflow import Flow


def check_graph(scene: Scene) -> None:
    """Note unreachable states, traps, states that nobody can leave, ends that are not ends, and wrong ways back."""
    for place in scene.places:
        edges = edges_of(place.flow)
        reached = closure([place.flow.start], edges)
        _check_reach(scene, place, edges, reached)
        _check_exits(scene, place)
        _check_finals(scene, place)
        _check_back(scene, place)


def edges_of(flow: Flow) -> dict[str, set[str]]:
    """Return where one action can lead from each state; unknown states are kept, a way back leads wherever one came from."""
    edges: dict[str, set[str]] = {state: set() for state in flow.states}
    back: list[str] = []
    for action in flow.actions.values():
        for source in action.from_:
            for way in action.ways:
                target = target_of(action, way)
                if target == BACK:
                    back.append(source)
                elif target is not None:
                    edges.setdefault(source, set()).add(target)
    for parked in back:
        edges.setdefault(parked, set()).update(state for state, to in edges.items() if parked in to and state != parked)
    return edges


def _check_reach(scene: Scene, place: FlowPlace, edges: Edges, reached: set[str]) -> None:
    flow = place.flow
    finals = {name for name, state in flow.states.items() if state.final}
    if not finals:
        words = f"{place.words}没有终态：至少要有一个状态写 final: true"
        scene.findings.error((*place.path, "states"), "no-final", words, key=True)
    if flow.start in finals:
        path = (*place.path, "states", flow.start)
        scene.findings.error(path, "final-start", f"第一个状态{quoted(flow.start)}就是终态：刚开始就已结束", key=True)
    unknown = {target for targets in edges.values() for target in targets} - set(
        flow.states
    )  # each has its own finding
    into: dict[str, set[str]] = {}
    for source, targets in edges.items():
        for target in targets:
            into.setdefault(target, set()).add(source)
    ending = closure([*finals, *unknown], into)
    for name in flow.states:
        path = (*place.path, "states", name)
        if name not in reached:
            words = f"状态{quoted(name)}到达不了：没有操作从 {flow.start} 一路通向它"
            scene.findings.error(path, "unreachable", words, key=True)
        elif finals and name not in ending:
            words = f"状态{quoted(name)}是死胡同：从它出发到不了任何终态（{'、'.join(sorted(finals))}）"
            scene.findings.error(path, "trap", words, key=True)


def _check_exits(scene: Scene, place: FlowPlace) -> None:
    """Find states that no person can leave and the system has no occasion to."""
    prompted = prompted_actions(scene, place)
    for name, action in place.flow.actions.items():
        if set(action.by) == {SYSTEM} and name not in prompted:
            words = f"操作{quoted(name)}只有系统能做，而没有 then、act 或时限会让系统去做它"
            scene.findings.error((*place.path, "actions", name), "never-taken", words, key=True)
    for state, spec in place.flow.states.items():
        if spec.final:
            continue
        leaving = [
            (name, action)
            for name, action in place.flow.actions.items()
            if state in action.from_ and any(target_of(action, way) not in (None, state) for way in action.ways)
        ]
        if leaving and not any(set(action.by) - {SYSTEM} or name in prompted for name, action in leaving):
            words = f"状态{quoted(state)}没有人能离开：{'、'.join(name for name, _ in leaving)} 都没有人或时限去做"
            scene.findings.error((*place.path, "states", state), "no-way-out", words, key=True)


def prompted_actions(scene: Scene, place: FlowPlace) -> set[str]:
    """Return the actions of a flow that the system has an occasion to take."""
    found = {rung.act for clock in place.flow.clocks.values() for rung in clock.ladder if rung.act is not None}
    if place.kind is None:
        for step in scene.steps:
            for way in (step.step, *getattr(step.step, "outcomes", ())):
                found.update(getattr(way, "then", ()))
        found.update(str(call.call.params.get("value")) for call in scene.calls if call.call.name == "act")
        found.update(name for name, action in place.flow.actions.items() if "lead_final" in action.if_.fact_names)
    return found


def _check_finals(scene: Scene, place: FlowPlace) -> None:
    """Find final states that are left without starting a new cycle, which tasks do not have."""
    finals = {name for name, state in place.flow.states.items() if state.final}
    for name, action in place.flow.actions.items():
        for index, source in enumerate(action.from_):
            if source not in finals:
                continue
            wrong = [
                target
                for way in action.ways
                if (target := target_of(action, way)) not in (None, source)
                and (place.kind is not None or not has_effect(action, way, "new_cycle"))
            ]
            if wrong:
                rest = "任务的终态不能再离开" if place.kind is not None else "离开终态要有效果 new_cycle（开始新一轮）"
                words = f"状态{quoted(source)}是终态，操作 {name} 却从它去 {wrong[0]}：{rest}"
                scene.findings.error((*place.path, "actions", name, "from", index), "final-left", words)


def _check_back(scene: Scene, place: FlowPlace) -> None:
    for name, action in place.flow.actions.items():
        path = (*place.path, "actions", name)
        ways = [((*path, "outcomes", index, "to"), way.to) for index, way in enumerate(action.outcomes)]
        for at, target in ((((*path, "to"), action.to)), *ways):
            if target != BACK:
                continue
            loose = [source for source in action.from_ if not _is_parked(scene, place, source)]
            if loose:
                words = f"to: back 只能从并案进入的状态（parked: true）回去，而 {loose[0]} 不是"
                scene.findings.error(at, "back-place", words)


def _is_parked(scene: Scene, place: FlowPlace, state: str) -> bool:
    """Say whether one can go back from a state: it is parked, and merging leads into it, which remembers where from."""
    spec = place.flow.states.get(state)
    if spec is None:
        return True  # an unknown name has its own finding
    entered = any(
        target_of(action, way) == state and has_effect(action, way, "merge")
        for action in scene.workflow.actions.values()
        for way in action.ways
    )
    return place.kind is None and spec.parked and entered
