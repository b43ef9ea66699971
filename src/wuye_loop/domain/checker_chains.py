"""Checks what the system does by itself: chains of `then` must be lawful and end, and no ladder may run in a circle."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wuye_loop.domain.checker_circles import around, circles, lengths
from wuye_loop.domain.checker_finding import quoted
from wuye_loop.domain.checker_scene import BACK, SYSTEM, FlowPlace, Scene, has_effect, target_of
from wuye_loop.domain.workflow import ActionSpec, ClockSpec, EffectCall, Flow, Outcome
from wuye_loop.domain.yamldoc import Path

_COUNTED = 1000
_SHOWN = 6  # actions of a circle that a message lists
_OPENING = "发起"
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


def _ways(place: FlowPlace, name: str, action: ActionSpec) -> Iterator[tuple[Path, Outcome, tuple[str, ...]]]:
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
    if SYSTEM not in action.by:
        words = f"操作 {then} 要由系统执行，它的 by 里没有 system"
        scene.findings.error(path, "not-for-system", words)
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
    """Name an action of the main flow by itself, one of a task `kind.action`, the opening of a task `kind.发起`."""
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


def _reassigns(clock: ClockSpec, action: ActionSpec, way: Outcome) -> bool:
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
