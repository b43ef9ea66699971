"""Who may act and who holds: roles resolved against one grievance, not only against the person."""

from collections.abc import Iterable

from wuye_loop.domain.situation import Actor, Situation, TaskState, World
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.workflow import DutyUnit, Role

HOLDER, OPENER, SYSTEM = "holder", "opener", "system"


def unit_of(name: str, world: World, situation: Situation, task: TaskState | None = None) -> str | None:
    """Return the code of the unit that a role stands for here; None where it stands for people or for nobody yet."""
    if name == HOLDER:
        return task.holder_unit if task else situation.grievance.holder_unit
    if name == OPENER:
        return task.opener_unit if task else None
    role = world.rules.workflow.roles.get(name)
    return _unit(role, world, situation) if role else None


def _unit(role: Role, world: World, situation: Situation) -> str | None:
    grievance = situation.grievance
    if role.unit is None or role.unit == "assist":
        return None
    if role.unit == "lead":
        return grievance.lead_unit
    if isinstance(role.unit, DutyUnit):
        level = grievance.level if role.unit.level == "current" else role.unit.level
        found = world.directory.by_duty(role.unit.duty, grievance.area_path, level)
        return found.code if found else None
    return role.unit


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
    if name == SYSTEM or actor.kind is ActorKind.SYSTEM:
        return name == SYSTEM and actor.kind is ActorKind.SYSTEM
    if name in (HOLDER, OPENER):
        return _is_named(name, actor, task, world, situation)
    role = world.rules.workflow.roles.get(name)
    if role is None:
        return False
    if role.is_ is not None:
        return _is_kind(role.is_, actor, situation)
    return actor.kind is ActorKind.UNIT and actor.unit is not None and _is_unit(role, actor.unit, world, situation)


def _is_unit(role: Role, unit: str, world: World, situation: Situation) -> bool:
    if role.unit == "assist":
        return any(task.kind == "assist" and task.holder_unit == unit for task in situation.tasks.values())
    return _unit(role, world, situation) == unit


def _is_named(name: str, actor: Actor, task: TaskState | None, world: World, situation: Situation) -> bool:
    if task is None:
        return False
    unit = task.holder_unit if name == HOLDER else task.opener_unit
    if actor.kind is ActorKind.UNIT:
        return unit is not None and actor.unit == unit
    role = world.rules.workflow.roles.get(task.opener_role or "") if name == OPENER else None
    return role is not None and role.is_ is not None and _is_kind(role.is_, actor, situation)


def _is_kind(kind: str, actor: Actor, situation: Situation) -> bool:
    grievance = situation.grievance
    if kind in ("channel", "complainant"):
        return actor.kind is ActorKind.HOTLINE and actor.source == grievance.source
    if kind == "supervisor":
        return actor.kind is ActorKind.SUPERVISOR and grievance.area_path.startswith(actor.area_path)
    return actor.kind is ActorKind.ADMIN


def involved_units(world: World, situation: Situation) -> tuple[str, ...]:
    """Return the units that may see the grievance now: fixed roles, the lead, the holder, and parties of open tasks."""
    grievance = situation.grievance
    units = set(world.rules.fixed_units)
    units.update(unit for unit in (grievance.lead_unit, grievance.holder_unit) if unit)
    for task in situation.tasks.values():
        if not task.final:
            units.update(unit for unit in (task.holder_unit, task.opener_unit) if unit)
    return tuple(sorted(units))
