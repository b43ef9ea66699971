"""Why an action is blocked: for every action and opening of the present state who may take it, and what stands in the way."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from wuye_loop.domain.grievance.permissions import blocked, open_blocked
from wuye_loop.domain.grievance.roles import HOLDER, OPENER, SYSTEM_ROLE, plays, unit_of, units_of
from wuye_loop.domain.grievance.situation import ANY_POST, SYSTEM_ACTOR, Actor, Situation, TaskState, World
from wuye_loop.domain.language.workflow import ActionSpec, StepSpec, TaskKind
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.wording.definition import Wording, quoted

_OPEN = "可以"


def actions(world: World, situation: Situation, viewer: Actor | None) -> list[dict[str, Any]]:
    """Return every action of the present state, of the grievance and of its open tasks, and every opening.

    With a viewer, what blocks that one; also for what belongs to its roles but to another state.
    """
    found = [*_moves(world, situation, None)]
    for task in situation.tasks.values():
        if not task.final:
            found += _moves(world, situation, task)
    found += _openings(world, situation)
    if viewer is None:
        return [_plain(item) for item in found]
    told = [_for_viewer(world, situation, item, viewer) for item in found]
    return [_plain(item) for item in told] + list(_elsewhere(world, situation, viewer))


def _moves(world: World, situation: Situation, task: TaskState | None) -> Iterator[dict[str, Any]]:
    machine = world.rules.machine(task.kind if task else None)
    state = task.state if task else situation.grievance.state
    kind = world.rules.workflow.tasks.get(task.kind) if task else None
    of = f"“{kind.title}”（{world.directory.name_of(task.holder_unit)}）的" if kind and task else ""
    for name in machine.by_state.get(state, ()):
        spec = machine.flow.actions[name]
        yield _item(world, situation, name, f"{of}{quoted(spec.title)}", spec, task)


def _openings(world: World, situation: Situation) -> Iterator[dict[str, Any]]:
    for name, kind in world.rules.workflow.tasks.items():
        if not kind.open.from_ or situation.grievance.state in kind.open.from_:
            yield _item(world, situation, name, f"{quoted(kind.open.title)}（任务{quoted(kind.title)}）", kind, None)


def _item(
    world: World, situation: Situation, name: str, title: str, spec: ActionSpec | TaskKind, task: TaskState | None
) -> dict[str, Any]:
    step: StepSpec = spec.open if isinstance(spec, TaskKind) else spec
    roles = [
        {"role": role, "title": _title(world, role), **who}
        for role in step.by
        for who in _who(world, situation, name, spec, role, task)
    ]
    said = "；".join(
        f"{one['who']}{'可以做' if one['blocked'] is None else '不能做：' + one['blocked']}" for one in roles
    )
    kind = "open" if isinstance(spec, TaskKind) else "action"
    return {
        kind: name,
        "title": title,
        "task": str(task.id) if task else None,
        "by": roles,
        "words": [f"{title}——{said}{_signed(step)}。"],
        "_spec": spec,
        "_task": task,
    }


def _signed(step: StepSpec) -> str:
    return f"；要由单位的“{step.signed_by}”本人签批" if step.signed_by is not None else ""


def _title(world: World, role: str) -> str:
    return Wording(world.rules.workflow).role(role)


def _who(
    world: World, situation: Situation, name: str, spec: ActionSpec | TaskKind, role: str, task: TaskState | None
) -> Iterator[dict[str, Any]]:
    """Yield those who play a role here, each with what blocks it; one that nobody plays is blocked by that."""
    title = _title(world, role)
    found = list(_players(world, situation, role, task))
    if not found:
        yield {"unit": None, "who": title, "blocked": "现在没有单位是这个角色"}
    for actor in found:
        unit = world.directory.name_of(actor.unit)
        yield {
            "unit": actor.unit,
            "who": f"{title}（{unit}）" if unit and unit != title else title,
            "blocked": _blocked(world, situation, name, spec, role, actor, task),
        }


def _players(world: World, situation: Situation, role: str, task: TaskState | None) -> Iterator[Actor]:
    """Yield an actor for each unit or kind of key that plays a role on this grievance."""
    if role == SYSTEM_ROLE:
        yield SYSTEM_ACTOR
        return
    units: Sequence[str | None] = units_of(role, world, situation, task)
    if role in (HOLDER, OPENER):
        units = [unit_of(role, world, situation, task)]
    grievance = situation.grievance
    keys = (
        Actor(ActorKind.HOTLINE, source=grievance.source),
        Actor(ActorKind.SUPERVISOR, area_path=grievance.area_path),
        Actor(ActorKind.ADMIN),
    )
    candidates = (*keys, *(Actor(ActorKind.UNIT, unit=code) for code in units if code))
    yield from (actor for actor in candidates if plays(role, actor, world, situation, task))


def _blocked(
    world: World,
    situation: Situation,
    name: str,
    spec: ActionSpec | TaskKind,
    role: str,
    actor: Actor,
    task: TaskState | None,
) -> str | None:
    actor = replace(actor, posts=frozenset({ANY_POST}))  # it is told of the unit; who of it must sign is told beside
    if isinstance(spec, TaskKind):
        return open_blocked(world, situation, name, spec, actor)
    return blocked(world, situation, name, spec, role, actor, task)


# --- for one viewer -------------------------------------------------------------------------------------------------


def _for_viewer(world: World, situation: Situation, item: dict[str, Any], viewer: Actor) -> dict[str, Any]:
    spec, task = item["_spec"], item["_task"]
    step: StepSpec = spec.open if isinstance(spec, TaskKind) else spec
    name = item.get("action") or item["open"]
    role = next((one for one in step.by if plays(one, viewer, world, situation, task)), None)
    if role is None:
        why: str | None = f"要由{'、'.join(dict.fromkeys(one['who'] for one in item['by']))}来做"
    else:
        why = _blocked(world, situation, name, spec, role, viewer, task)
    said = f"{_OPEN}做" if why is None else f"不能做：{why}"
    return {**item, "blocked": why, "role": role, "words": [f"{item['title']}——{said}{_signed(step)}。"]}


def _elsewhere(world: World, situation: Situation, viewer: Actor) -> Iterator[dict[str, Any]]:
    """Yield what the viewer's roles may do, but in other states than this one."""
    workflow, state = world.rules.workflow, situation.grievance.state
    words = Wording(workflow)
    for name, spec in workflow.actions.items():
        role = next((one for one in spec.by if plays(one, viewer, world, situation)), None)
        if state in spec.from_ or role is None:
            continue
        why = f"要在{words.states(spec.from_)}才能做，现在是{words.state(state)}"
        said = [f"{quoted(spec.title)}——不能做：{why}。"]
        yield {"action": name, "title": quoted(spec.title), "task": None, "role": role, "blocked": why, "words": said}


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if not key.startswith("_")}
