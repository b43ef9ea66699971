"""Checks the shape of a flow: every state can be reached, can be left by somebody, and leads to an end."""

from collections.abc import Iterator, Mapping

from wuye_loop.authoring.checker.graphs import Edges, closure
from wuye_loop.authoring.checker.scene import BACK, SYSTEM, FlowPlace, Scene, has_effect, target_of
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.intake import SourceSpec
from wuye_loop.domain.language.workflow import ActionSpec, Flow
from wuye_loop.domain.rulefile.findings import quoted


def check_graph(scene: Scene) -> None:
    """Note unreachable states, traps, states that nobody can leave, ends that are not ends, and wrong ways back."""
    for place in scene.places:
        edges = edges_of(place.flow)
        starts = starts_of(scene) if place.kind is None else [place.flow.start]
        reached = closure(starts, edges)
        _check_reach(scene, place, edges, reached)
        _check_exits(scene, place)
        _check_finals(scene, place)
        _check_back(scene, place)
    _check_unanswered(scene)
    _check_opened(scene)


def starts_of(scene: Scene) -> list[str]:
    """Return the states of the main flow in which a grievance may begin: the first, and those of the sources."""
    workflow = scene.workflow
    named = [source.start for source in workflow.sources.values() if source.start is not None]
    return list(dict.fromkeys([workflow.start, *(state for state in named if state in workflow.states)]))


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
        ways = leaving(place, state)
        if ways and not any(set(action.by) - {SYSTEM} or name in prompted for name, action in ways):
            words = f"状态{quoted(state)}没有人能离开：{'、'.join(name for name, _ in ways)} 都没有人或时限去做"
            scene.findings.error((*place.path, "states", state), "no-way-out", words, key=True)


def leaving(place: FlowPlace, state: str) -> list[tuple[str, ActionSpec]]:
    """Return the actions of a flow that can lead out of a state, with their names."""
    return [
        (name, action)
        for name, action in place.flow.actions.items()
        if state in action.from_ and any(target_of(action, way) not in (None, state) for way in action.ways)
    ]


def prompted_actions(scene: Scene, place: FlowPlace) -> set[str]:
    """Return the actions of a flow that the system has an occasion to take."""
    found = {rung.act for clock in place.flow.clocks.values() for rung in clock.ladder if rung.act is not None}
    if place.kind is not None:
        pulled = [call.call.params for call in scene.calls if call.call.name == "act_tasks"]
        found.update(str(params.get("action")) for params in pulled if params.get("task") == place.kind)
        return found
    for step in scene.steps:
        for way in (step.step, *getattr(step.step, "outcomes", ())):
            found.update(getattr(way, "then", ()))
    found.update(str(call.call.params.get("value")) for call in scene.calls if call.call.name == "act")
    found.update(join.act for join in scene.workflow.joins)
    found.update(scene.workflow.family.moves.values())
    found.update(name for name, action in place.flow.actions.items() if scene.merged_into & set(action.from_))
    return found


def _check_unanswered(scene: Scene) -> None:
    """Prove that a grievance ends without those whom its source does not have.

    Where nobody is answered there is no complainant; what a unit reported has no hotline that sent it.
    """
    workflow = scene.workflow
    finals = {name for name, state in workflow.states.items() if state.final}
    prompted = prompted_actions(scene, scene.places[0])
    for name, source in workflow.sources.items():
        start = source.start or workflow.start
        for kinds, words in _absent(source) if start in workflow.states and finals else ():
            absent = {role for role, spec in workflow.roles.items() if spec.is_ in kinds}
            edges = _edges_without(scene, {"origin": name, "answered": source.answered}, absent, prompted)
            into: dict[str, set[str]] = {}
            for state, targets in edges.items():
                for target in targets:
                    into.setdefault(target, set()).add(state)
            reached, ending = closure([start], edges), closure(finals, into)
            stuck = [state for state in workflow.states if state in reached and state not in ending]
            if stuck:
                last = next((state for state in stuck if not edges[state]), stuck[0])  # where it stands still
                said = words.format(source=quoted(name), name=name, state=last)
                scene.findings.error(("sources", name, "answered"), "nobody-answers", said)
                break


def _absent(source: SourceSpec) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the kinds of people that a source may lack, with the words for a state that only they could leave."""
    rest = "请另写一个别的角色能做的操作（可写 if: {{answered: nobody}}），或让它不进入 {state}"
    if source.answered == "nobody":
        said = "来源{source}不答复任何人，到了状态 {state} 就只有诉求人能往下办，而没有诉求人："
        yield ("complainant",), said + rest
    if source.by:
        kinds = ("channel",) if source.answered == "reporter" else ("channel", "complainant")
        who = "热线" if source.answered == "reporter" else "热线或诉求人"
        said = (
            f"来源{{source}}可以由单位登记，那样的诉求到了状态 {{state}} 就只有{who}能往下办，而它没有{who}："
            "请另写一个别的角色能做的操作（可写 if: {{origin: {name}}}），或让它不进入 {state}"
        )
        yield kinds, said


def _edges_without(scene: Scene, here: Mapping[str, str], absent: set[str], prompted: set[str]) -> dict[str, set[str]]:
    """Return where the actions lead that somebody may take on a grievance of which these facts are known."""
    workflow = scene.workflow
    edges: dict[str, set[str]] = {state: set() for state in workflow.states}
    for name, action in workflow.actions.items():
        takers = set(action.by) - absent - (set() if name in prompted else {SYSTEM})
        if not takers or not _may_hold(action.if_, here):
            continue
        for way in action.ways:
            if not _may_hold(way.when, here):
                continue
            target = target_of(action, way)
            for state in action.from_ if target not in (None, BACK) else ():
                edges.setdefault(state, set()).add(str(target))
            if way.when.fact_names <= set(here):
                break  # it holds for all of this source: the outcomes after it are for others
    for name in scene.merged_into & set(edges):  # whoever follows another matter ends with it, or comes back
        edges[name].update(state for state, targets in edges.items() if name in targets)
    return edges


def _may_hold(condition: Condition, here: Mapping[str, str]) -> bool:
    """Say whether a condition can hold, by what it asks of these facts alone."""
    asked = {name: raw for name, raw in condition.raw.items() if name in here}
    return not asked or Condition.parse(asked).holds(here)


def _check_opened(scene: Scene) -> None:
    """Find kinds of task that only the system may open, and has no occasion to."""
    opened = {rung.open for place in scene.places for clock in place.flow.clocks.values() for rung in clock.ladder}
    opened |= {str(call.call.params.get("task")) for call in scene.calls if call.call.name == "open"}
    opened |= {*scene.opened_by_lines, "assist"}
    for kind, task in scene.workflow.tasks.items():
        if set(task.open.by) == {SYSTEM} and kind not in opened:
            words = f"任务{quoted(kind)}只有系统能开，而没有 open、时限或文书会让系统去开它"
            scene.findings.error(("tasks", kind), "never-opened", words, key=True)


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
