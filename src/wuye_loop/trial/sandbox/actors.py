"""Who acts when a test or a sandbox names a role or a unit."""

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.roles import HOLDER, OPENER, SYSTEM_ROLE, reporter_of, unit_of, units_of
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor, Situation, TaskState, World
from wuye_loop.domain.language.workflow import Role
from wuye_loop.domain.terms import ActorKind


def actor_for(by: str, world: World, situation: Situation, task: TaskState | None = None) -> Actor:
    """Return the actor that a role of the workflow, a unit's code, `system`, `holder` or `opener` stands for here.

    A role of people (`is`) acts with such a key over the whole town; a role of units with the one unit that it stands
    for now. Raises BadInput in words when that is nobody, or more than one.
    """
    if by == SYSTEM_ROLE:
        return SYSTEM_ACTOR
    if by in (HOLDER, OPENER):
        return _party(by, world, situation, task)
    role = world.rules.workflow.roles.get(by)
    if role is None:
        if world.directory.unit(by) is None:
            raise BadInput(f"没有角色或单位“{by}”")
        return Actor(ActorKind.UNIT, by)
    if role.is_ is not None:
        return _person(role, situation)
    units = units_of(by, world, situation, task)
    if len(units) != 1:
        now = "没有单位" if not units else f"有几个单位（{'、'.join(units)}），请写单位编码"
        raise BadInput(f"角色“{by}”（{role.title}）现在{now}")
    return Actor(ActorKind.UNIT, units[0])


def _party(by: str, world: World, situation: Situation, task: TaskState | None) -> Actor:
    """Return a task's holder or opener; whoever opened it without being a unit acts with the role's own kind of key."""
    unit = unit_of(by, world, situation, task)
    if unit is not None:
        return Actor(ActorKind.UNIT, unit)
    opened_as = world.rules.workflow.roles.get(task.opener_role or "") if task is not None and by == OPENER else None
    if opened_as is None or opened_as.is_ is None:
        raise BadInput(f"{by} 现在没有单位")
    return _person(opened_as, situation)


def _person(role: Role, situation: Situation) -> Actor:
    """Return the key of a role that stands for people: the hotline it came from, a supervisor, an administrator."""
    grievance = situation.grievance
    if role.is_ == "complainant" and grievance.data.get("answered") is not None:
        reporter = reporter_of(grievance)
        if reporter is None:
            raise BadInput(f"这件诉求没有要答复的人，没有谁能以“{role.title}”的身份办理")
        return Actor(ActorKind.UNIT, reporter)
    if role.is_ in ("channel", "complainant"):
        return Actor(ActorKind.HOTLINE, source=grievance.source)
    unit = role.unit if isinstance(role.unit, str) else None
    return Actor(ActorKind.SUPERVISOR if role.is_ == "supervisor" else ActorKind.ADMIN, unit)
