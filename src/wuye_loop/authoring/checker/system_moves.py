"""Checks what the system does by itself: chains of `then` must be lawful and end, and no ladder may run in a circle."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wuye_loop.authoring.checker.graphs import around, circles, lengths
from wuye_loop.authoring.checker.scene import BACK, SYSTEM, FlowPlace, Scene, has_effect, target_of
from wuye_loop.authoring.checker.system_forms import not_for_system
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import ActionSpec, Branch, ClockSpec, EffectCall, Flow
from wuye_loop.domain.rulefile.findings import quoted
from wuye_loop.domain.rulefile.reader import Path

_COUNTED = 1000
_SHOWN = 6  # actions of a circle that a message lists
_OPENING = "open"
LONGEST = 8  # actions that may follow one another by themselves in one step


@dataclass(frozen=True, slots=True)
class _Auto:
    """A move that nobody decides: a rung of `clock` takes `action`."""

    source: str
    target: str
    clock: str
    per: str
    renews: bool
    path: Path


def check_chains(scene: Scene) -> None:
    """Note chains that the system cannot take, chains without end, and ladders that drive a grievance in a circle."""
    _check_then(scene)
    _check_circle(scene)
    for place in scene.places:
        _check_ladders(scene, place)


def _ways(place: FlowPlace, name: str, action: ActionSpec) -> Iterator[tuple[Path, Branch, tuple[str, ...]]]:
    """Give each way of an action with the path of what follows it; an outcome's own `then` stands before the action's."""
    path = (*place.path, "actions", name)
    for index, way in enumerate(action.ways):
        own = bool(action.outcomes and way.then)
        yield ((*path, "outcomes", index, "then") if own else (*path, "then")), way, way.then or action.then


def _check_then(scene: Scene) -> None:
    actions = scene.workflow.actions
    for place in scene.places:
        for name, action in place.flow.actions.items():
            for path, way, follow in _ways(place, name, action):
                target = target_of(action, way)
                landed: set[str] | None = None  # a task does not know where its grievance stands
                if place.kind is None and target != BACK:
                    landed = {target} if target is not None else set(action.from_)
                for index, then in enumerate(follow):
                    if then in actions:
                        _check_follow(scene, (*path, index), name, then, landed)
                        landed = _landings(actions[then], landed)


def _check_follow(scene: Scene, path: Path, name: str, then: str, landed: set[str] | None) -> None:
    action = scene.workflow.actions[then]
    not_for_system(scene, path, f"操作 {then} 要由系统执行", action.by)
    wrong = sorted(landed - set(action.from_)) if landed is not None else []
    if wrong:
        words = f"{name} 之后可能在状态 {wrong[0]}，而 {then} 只能从 {'、'.join(action.from_) or '（没有）'} 做：整个操作会失败"
        scene.findings.error(path, "then-unlawful", words)


def _landings(action: ActionSpec, landed: set[str] | None) -> set[str] | None:
    found: set[str] = set()
    for way in action.ways:
        target = target_of(action, way)
        if target == BACK or (target is None and landed is None):
            return None
        found |= {target} if target is not None else landed or set()
    return found


def _check_circle(scene: Scene) -> None:
    """Follow `then` and the effects `act`, `act_tasks`, `open` from action to action: a circle never ends; a long chain is refused."""
    follows = _follows(scene)
    edges = {name: set(others) for name, others in follows.items()}
    groups = circles(edges)
    told: set[int] = set()
    for name, other, path in [(one, *after) for one in groups for after in follows[one].items()]:
        if groups.get(other) == groups[name] and groups[name] not in told:
            told.add(groups[name])
            trail = around(name, other, edges)
            shown = trail if len(trail) <= _SHOWN else [*trail[:_SHOWN], "…", name]
            scene.findings.error(path, "then-circle", f"系统动作循环：{' → '.join(shown)}，永远停不下来")
    of_main = {name: others & set(scene.workflow.actions) for name, others in edges.items()}
    for name, length in lengths(of_main).items() if not groups else ():
        if length > LONGEST:
            many = f" {length} 个" if length < _COUNTED else "成千上万个"
            words = f"{quoted(name)}之后系统要连续做{many}操作，最多 {LONGEST} 个"
            kind, _, action = name.rpartition(".")
            inside = ("open",) if action == _OPENING else ("actions", action)
            path = ("tasks", kind, *inside) if kind else inside
            scene.findings.error(path, "then-long", words, key=True)


def _follows(scene: Scene) -> dict[str, dict[str, Path]]:
    """Return what the system does right after each action, with the place that says so; names as `_named` gives them."""
    follows: dict[str, dict[str, Path]] = {_named(step.place, step.name): {} for step in scene.steps}
    for place in scene.places:
        for name, action in place.flow.actions.items():
            for path, _, then in _ways(place, name, action):
                for index, other in enumerate(then):
                    if other in scene.workflow.actions:
                        follows[_named(place, name)].setdefault(other, (*path, index))
    for call in scene.calls:
        other = _told(call.call)
        if other in follows:
            follows[_named(call.step.place, call.step.name)].setdefault(other, (*call.path, call.call.name))
    return follows


def _told(call: EffectCall) -> str:
    """Return what an effect tells the system to do next, by the names of `_named`; nothing for the others."""
    params = call.params
    if call.name == "act":
        return str(params.get("value"))
    if call.name == "act_tasks":
        return f"{params.get('task')}.{params.get('action')}"
    return f"{params.get('task')}.{_OPENING}" if call.name == "open" else ""


def _named(place: FlowPlace, action: str | None) -> str:
    """Name an action of the main flow by itself, one of a task `kind.action`, the opening of a task `kind.open`."""
    return str(action) if place.kind is None else f"{place.kind}.{action or _OPENING}"


def _check_ladders(scene: Scene, place: FlowPlace) -> None:
    """Find circles of states that only ladders drive, and whose clocks start anew on every turn: they never end."""
    moves = list(_autos(place))
    while True:
        groups = circles(_edges(moves))
        rings: dict[int, set[str]] = {}
        for state, group in groups.items():
            rings.setdefault(group, set()).add(state)
        kept = [
            move
            for move in moves
            if move.source in groups
            and groups[move.source] == groups.get(move.target)
            and _starts_anew(move, rings[groups[move.source]], place.flow)
        ]
        if len(kept) == len(moves):
            break
        moves = kept
    renewed = {groups[move.source] for move in moves if move.renews}
    endless = [move for move in moves if move.per == "entry" or (move.per != "once" and groups[move.source] in renewed)]
    groups = circles(_edges(endless))
    for move in endless:
        if move.source in groups and groups[move.source] == groups.get(move.target):
            words = f"督办循环：{move.source} 与 {move.target} 之间只由时限来回推动，没有人做什么，永远停不下来"
            scene.findings.error(move.path, "ladder-circle", words)


def _edges(moves: Iterable[_Auto]) -> dict[str, set[str]]:
    edges: dict[str, set[str]] = {}
    for move in moves:
        edges.setdefault(move.source, set()).add(move.target)
    return edges


def _starts_anew(move: _Auto, ring: set[str], flow: Flow) -> bool:
    """Say whether the move's clock starts anew on every turn: a new cycle does it, or leaving the clock's states."""
    clock = flow.clocks[move.clock]
    return move.renews or not ring <= {*clock.during, *clock.paused}


def _reassigns(clock: ClockSpec, action: ActionSpec, way: Branch) -> bool:
    """Say whether a move hands the grievance to another unit, for which the clock starts anew."""
    return clock.per == "assignment" and any(has_effect(action, way, name) for name in ("route", "assign"))


def _autos(place: FlowPlace) -> Iterator[_Auto]:
    for name, clock in place.flow.clocks.items():
        for index, rung in enumerate(clock.ladder):
            action = place.flow.actions.get(rung.act or "")
            if action is None or SYSTEM not in action.by or (action.limit is not None and action.limit.per == "all"):
                continue
            path = (*place.path, "clocks", name, "ladder", index, "act")
            for source in {*clock.during} & {*action.from_}:
                for way in action.ways:
                    target = target_of(action, way)
                    if target not in (None, BACK, source):
                        renews = has_effect(action, way, "new_cycle") or _reassigns(clock, action, way)
                        yield _Auto(source, str(target), name, clock.per, renews, path)


# Checks what tasks bring about on their grievance: by then it may stand, or have gone, where that cannot be done.

Moved = dict[str, dict[str, str]]  # from which state to which others, and the clock whose ladder does it


def check_timers(scene: Scene) -> None:
    """Note actions that a task brings on the grievance, where it may still stand or its own ladder may have moved it on."""
    moved = _moved(scene)
    for place in scene.places:
        if place.kind is None:
            continue
        if not moves_on(scene, place.kind):
            for name, action in place.flow.actions.items():
                if {*action.by} - {SYSTEM}:
                    continue  # people are refused: that is an error, found with the requests
                for path, way, then in brought(place, name, action):
                    _check_start(scene, place.kind, path, (action.if_, way.when), then)
        timed = {rung.act for clock in place.flow.clocks.values() for rung in clock.ladder if rung.act is not None}
        for name in sorted(timed & {*place.flow.actions}):
            action = place.flow.actions[name]
            for path, _, then in brought(place, name, action) if SYSTEM in action.by else ():
                _check(scene, moved, place, path, action, then)


def moves_on(scene: Scene, kind: str) -> bool:
    """Say whether opening such a task moves the grievance on, by itself or by a join that asks for it."""
    opening = scene.workflow.tasks[kind].open
    asked = {f"open.{kind}", f"tasks.{kind}"}
    joined = any(asked & {*join.when.raw} for join in scene.workflow.joins)
    return joined or any(call.name == "act" for call in opening.effect)


def brought(place: FlowPlace, name: str, action: ActionSpec) -> Iterator[tuple[Path, Branch, str]]:
    """Give the actions on the grievance that follow an action of a task: the place that says so, and the outcome."""
    path: Path = (*place.path, "actions", name)
    parts: list[tuple[Path, ActionSpec | Branch, Branch]] = [(path, action, Branch())]
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
