"""Who may act and who holds: roles resolved against one grievance, not only against the person."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from wuye_loop.domain.directory.directory import Directory
from wuye_loop.domain.grievance.situation import Actor, GrievanceState, Situation, TaskState, World
from wuye_loop.domain.language.workflow import DutyUnit, EstateUnit, Workflow
from wuye_loop.domain.rules.roles import CompiledRole
from wuye_loop.domain.terms import ActorKind

if TYPE_CHECKING:
    from wuye_loop.domain.rules.rules import Rules

# By names of their own: looking a member up on its class takes ten times as long.
_SYSTEM, _UNIT, _HOTLINE = ActorKind.SYSTEM, ActorKind.UNIT, ActorKind.HOTLINE
_SUPERVISOR, _ADMIN = ActorKind.SUPERVISOR, ActorKind.ADMIN
HOLDER, OPENER, SYSTEM_ROLE = "holder", "opener", "system"
SPECIAL = {HOLDER: "承办方", OPENER: "发起方"}  # what people read for the names that are no roles of the file


def wants_unit(workflow: Workflow | None, state: str) -> bool:
    """Say whether a state is to be held by a unit: some wait for the complainant, some for nobody."""
    spec = workflow.states.get(state) if workflow is not None else None
    role = workflow.roles.get(spec.holder) if workflow is not None and spec is not None and spec.holder else None
    return role is not None and role.unit is not None and role.is_ is None


def unit_of(name: str, world: World, situation: Situation, task: TaskState | None = None) -> str | None:
    """Return the code of the unit that a role stands for here; None where it stands for people or for nobody yet."""
    role = world.rules.roles.get(name)
    if role is not None:
        return _unit(role, world, situation)
    if name == HOLDER:
        return task.holder_unit if task else situation.grievance.holder_unit
    return task.opener_unit if task and name == OPENER else None


def task_holder(world: World, situation: Situation, task: TaskState) -> str | None:
    """Return the unit that a task lies with in the state that it is in: the state's own holder, else the task's."""
    state = (
        world.rules.workflow.tasks[task.kind].states.get(task.state)
        if task.kind in world.rules.workflow.tasks
        else None
    )
    role = state.holder if state is not None else None
    unit = unit_of(role, world, situation, task) if role not in (None, HOLDER) else None
    return unit or task.holder_unit


def units_of(name: str, world: World, situation: Situation, task: TaskState | None = None) -> tuple[str, ...]:
    """Return the codes of all units that a role stands for here: assisting units are several."""
    role = world.rules.roles.get(name)
    if role is not None and role.task is not None:
        kind = role.task
        holders = (each.holder_unit for each in situation.tasks.values() if each.kind == kind and not each.final)
        return tuple(dict.fromkeys(unit for unit in holders if unit))
    unit = unit_of(name, world, situation, task)
    return (unit,) if unit else ()


def _unit(role: CompiledRole, world: World, situation: Situation) -> str | None:
    if role.code is not None:
        return role.code
    grievance = situation.grievance
    if role.leads:
        return grievance.lead_unit
    if role.placed is not None:
        return _placed(role.placed, world.directory, grievance.area_path, grievance.level, grievance.company_code)
    return reporter_of(grievance) if role.is_ == "complainant" and not role.held else None


def _placed(
    unit: DutyUnit | EstateUnit, directory: Directory, area_path: str, level: str, company: str | None
) -> str | None:
    """Return the unit found by where the grievance lies: by a duty for its area, or the company of its estate."""
    if isinstance(unit, EstateUnit):
        return company
    found = directory.by_duty(unit.duty, area_path, level if unit.level == "current" else unit.level)
    return found.code if found else None


def issuing_role(by: Sequence[str], named: str | None) -> str | None:
    """Return the role that issues a document which nobody's act issues: the one that is named, else the system (None) where it may, else the first of `by`."""
    return named or (None if SYSTEM_ROLE in by or not by else by[0])


def unit_at(role: CompiledRole, directory: Directory, area_path: str, level: str) -> str | None:
    """Return the unit that a role stands for at a place before there is a grievance; None where only one can tell."""
    if role.code is not None or role.placed is None:
        return role.code
    return _placed(role.placed, directory, area_path, level, None)


def reporter_of(grievance: GrievanceState) -> str | None:
    """Return the unit that stands in the complainant's place: its source says that the reporting unit is answered."""
    return grievance.data.get("reporter") if grievance.data.get("answered") == "reporter" else None


def duty_of(name: str, world: World, task: TaskState | None) -> str:
    """Return the role that separation of duties knows an actor by: the holder of a task stands for its holder's role."""
    if name != HOLDER or task is None:
        return name
    kind = world.rules.workflow.tasks[task.kind]
    holder = kind.states[task.state].holder or HOLDER
    return kind.holder if holder == HOLDER else holder


def acting_role(
    by: Iterable[str], actor: Actor, world: World, situation: Situation, task: TaskState | None = None
) -> str | None:
    """Return the first of the roles that the actor has on this grievance, or None."""
    for name in by:
        if plays(name, actor, world, situation, task):
            return name
    return None


def plays(name: str, actor: Actor, world: World, situation: Situation, task: TaskState | None = None) -> bool:
    """Say whether the actor has this role on this grievance."""
    if name == SYSTEM_ROLE or actor.kind is _SYSTEM:
        return name == SYSTEM_ROLE and actor.kind is _SYSTEM
    role = world.rules.roles.get(name)
    if role is None:
        return name in (HOLDER, OPENER) and _is_named(name, actor, task, world, situation)
    if role.is_ is not None:
        return _is_kind(role.is_, actor, situation)
    unit = actor.unit
    if actor.kind is not _UNIT or unit is None:
        return False
    if role.task is not None:
        # A unit that has done its part still stands for the role: it may say more until the grievance moves on.
        return any(task.kind == role.task and task.holder_unit == unit for task in situation.tasks.values())
    return _unit(role, world, situation) == unit


def _is_named(name: str, actor: Actor, task: TaskState | None, world: World, situation: Situation) -> bool:
    if task is None:
        return False
    unit = task.holder_unit if name == HOLDER else task.opener_unit
    if actor.kind is _UNIT:
        return unit is not None and actor.unit == unit
    role = world.rules.roles.get(task.opener_role or "") if name == OPENER else None
    return role is not None and role.is_ is not None and _is_kind(role.is_, actor, situation)


def _is_kind(kind: str, actor: Actor, situation: Situation) -> bool:
    grievance = situation.grievance
    answered = grievance.data.get("answered") if kind == "complainant" else None
    if answered == "nobody":
        return False
    reporter = reporter_of(grievance) if answered else None  # None too where the hotline itself reported it
    if reporter is not None:
        return actor.kind is _UNIT and actor.unit == reporter
    if kind in ("channel", "complainant"):
        return actor.kind is _HOTLINE and actor.source == grievance.source
    if kind == "supervisor":
        return actor.kind is _SUPERVISOR and grievance.area_path.startswith(actor.area_path)
    return actor.kind is _ADMIN


def involved_units(world: World, grievance: GrievanceState, tasks: Iterable[TaskState]) -> tuple[str, ...]:
    """Return the units that may see the grievance now.

    Fixed roles, the lead, the holder, who reported it, the parties of open tasks, and the roles found by duty that may
    act in the present state or watch it.
    """
    rules = world.rules
    parties = [grievance.lead_unit, grievance.holder_unit, grievance.data.get("reporter")]
    places: tuple[tuple[str | None, str], ...] = ((None, grievance.state),)
    for task in tasks:
        if not task.final:
            parties += (task.holder_unit, task.opener_unit)
            places += ((task.kind, task.state),)
    found = _onlookers(
        rules, world.directory, places, grievance.area_path, grievance.level, grievance.company_code
    ).union(parties)
    return tuple(sorted(filter(None, found)))


@lru_cache(maxsize=8192)  # few of them for thousands of steps
def _onlookers(
    rules: "Rules",
    directory: Directory,
    places: tuple[tuple[str | None, str], ...],
    area_path: str,
    level: str,
    company: str | None,
) -> frozenset[str | None]:
    """Return the units that see any grievance lying there whose flows stand in these states."""
    units = {unit for place in places for unit in rules.seeing.get(place, ())}
    placed = (_placed(unit, directory, area_path, level, company) for unit in units)
    return frozenset((*rules.fixed_units, *placed))
