"""Checks joins: as soon as a condition holds the system makes a move; it must be able to, once, and come to rest."""

from dataclasses import dataclass

from wuye_loop.authoring.checker.conditions import cases_of
from wuye_loop.authoring.checker.graphs import around, circles
from wuye_loop.authoring.checker.names import known
from wuye_loop.authoring.checker.scene import BACK, SYSTEM, Scene, target_of
from wuye_loop.authoring.checker.system_forms import by_system
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import ActionSpec, Branch, EffectCall
from wuye_loop.domain.rulefile.reader import Path

_COUNTS = ("open", "tasks", "done", "cycle_done")  # families of facts that are 0 before anything was done
_BY_TIME = ("hour", "workday", "age_workdays")
_MOST = 60  # joins whose pairs are looked at
# Facts that a move may itself change; what a condition asks of others stays as it is through a chain of joins.
_MOVED = ("state", "stage", "cycle", "level", "lead", "done", "cycle_done", "overdue", "data", "urgency", "category")
_MOVED_BY_TASKS = ("open", "tasks")


@dataclass(frozen=True)
class _Fired:
    """A join as it fires: from which states, with what condition, and where the grievance is when all that follows is done."""

    path: Path
    act: str
    when: Condition
    sources: frozenset[str]
    landings: frozenset[str]
    opens: bool


def check_joins(scene: Scene) -> None:
    """Note joins that the system cannot take, that fire for ever, or that drive a grievance in a circle."""
    actions = scene.workflow.actions
    fired: list[_Fired] = []
    for index, join in enumerate(scene.workflow.joins):
        path = ("joins", index)
        known(scene, (*path, "act"), "主流程的操作", [join.act], tuple(actions))
        action = actions.get(join.act)
        if action is None:
            continue
        by_system(scene, (*path, "act"), join.act, action)
        sources = [
            state for state in action.from_ if state in scene.workflow.states and _there(scene, join.when, state)
        ]
        if action.from_ and not sources:
            words = f"永远不会发生：{join.act} 只能从 {'、'.join(action.from_)} 做，而 when 要求在别的状态"
            scene.findings.error((*path, "when"), "never-joins", words)
        _check_leaves(scene, (*path, "act"), join.act, action, sources)
        _check_condition(scene, (*path, "when"), join.when)
        _check_at_once(scene, (*path, "when"), join.when, join.act, sources)
        landings = frozenset(state for source in sources for state in _landings(scene, action, source))
        opens = any(call.name in ("open", "act_tasks", "route") for call in _calls(action))
        fired.append(_Fired((*path, "act"), join.act, join.when, frozenset(sources), landings, opens))
    if len(fired) > _MOST:
        words = f"joins 超过 {_MOST} 条，无法逐一验证会不会来回推动：请合并条件相近的"
        scene.findings.error(("joins", _MOST), "too-many-joins", words)
    _check_circles(scene, fired[:_MOST])


def _calls(action: ActionSpec) -> list[EffectCall]:
    return [*action.effect, *(call for way in action.outcomes for call in way.effect)]


def _there(scene: Scene, when: Condition, state: str) -> bool:
    """Say whether the condition can hold in a state, by what it asks of state and stage."""
    here = {"state": state, "stage": scene.workflow.states[state].stage}
    asked = {name: raw for name, raw in when.raw.items() if name in here}
    return Condition.parse(asked).holds(here)


def _check_leaves(scene: Scene, path: Path, name: str, action: ActionSpec, sources: list[str]) -> None:
    """Find a join that may leave the grievance where it is: it would be taken again at every step."""
    for source in sources:
        if any(target_of(action, way) in (None, source) for way in action.ways):
            words = f"从状态 {source} 做了 {name} 还可能留在 {source}：条件仍成立，每一步都会再做一次。请让它的每个结果都离开 {source}"
            scene.findings.error(path, "join-stays", words)


def _check_condition(scene: Scene, path: Path, when: Condition) -> None:
    for fact in when.fact_names & {"document"}:
        words = "这里没有任务，也就没有文书可问：document 只能写在任务里"
        scene.findings.error((*path, fact), "no-task", words, key=True)
    for fact in sorted(when.fact_names & set(_BY_TIME)):
        words = f"{fact} 随时间变化，而 joins 只在办理一步之后才看一次：到时自动做的事请写在时限的 ladder 里"
        scene.findings.warn((*path, fact), "by-time", words, key=True)


def _check_at_once(scene: Scene, path: Path, when: Condition, act: str, sources: list[str]) -> None:
    """Find a join that waits for nothing: it holds as soon as somebody brings the grievance into its state."""
    raw = {**when.raw, **scene.workflow.actions[act].if_.raw}
    counts = {name: value for name, value in raw.items() if name.partition(".")[0] in _COUNTS}
    if not counts or not set(raw) <= {*counts, "state", "stage"} or not Condition.parse(counts).holds({}):
        return
    for state in sources:
        for name, action in scene.workflow.actions.items():
            enters = any(target_of(action, way) == state for way in action.ways)
            # What the system is told to do follows from a task, which is there already.
            if enters and set(action.by) != {SYSTEM} and not any(call.name == "open" for call in _calls(action)):
                words = (
                    f"{name} 之后什么都还没有办，这个条件就成立，系统马上会做 {act}。"
                    "若要等任务办完，请再写 tasks.任务名: {min: 1}"
                )
                scene.findings.warn(path, "joins-at-once", words, key=True)
                return


def _landings(scene: Scene, action: ActionSpec, source: str) -> set[str]:
    """Return where a grievance may be after an action from a state and all that follows it by `act` and `then`."""
    found: set[str] = set()
    for way in action.ways:
        here = {target_of(action, way) or source}
        for name in _following(action, way):
            after = scene.workflow.actions.get(name)
            if after is not None:
                here = {target_of(after, one) or state for one in after.ways for state in here}
        found |= here
    return found - {BACK}


def _following(action: ActionSpec, way: Branch) -> list[str]:
    acts = [str(call.params.get("value")) for call in (*action.effect, *way.effect) if call.name == "act"]
    return [*acts, *(way.then or action.then)]


def _check_circles(scene: Scene, fired: list[_Fired]) -> None:
    """Find joins that lead back to one another while their conditions may hold together."""
    cases = cases_of(scene)
    edges: dict[str, set[str]] = {str(place): set() for place in range(len(fired))}
    for place, one in enumerate(fired):
        for turn, other in enumerate(fired):
            if one.landings & other.sources and (place == turn or cases.together(*_kept(one, other))):
                edges[str(place)].add(str(turn))
    groups = circles(edges)
    told: set[int] = set()
    for name, group in sorted(groups.items()):
        first = next((other for other in sorted(edges[name]) if groups.get(other) == group), None)
        if group in told or first is None:
            continue
        told.add(group)
        trail = [fired[int(one)].act for one in around(name, first, edges)]
        words = f"joins 循环：{' → '.join(trail)}，条件可以同时成立，诉求会被来回推动。请让各条的 when 互相排斥"
        scene.findings.error(fired[int(name)].path, "join-circle", words)


def _kept(one: _Fired, other: _Fired) -> tuple[Condition, Condition]:
    """Return of two conditions what the moves between them cannot change."""
    moved = (*_MOVED, *(_MOVED_BY_TASKS if one.opens or other.opens else ()))
    first, second = (
        Condition.parse({name: raw for name, raw in each.when.raw.items() if name.partition(".")[0] not in moved})
        for each in (one, other)
    )
    return first, second
