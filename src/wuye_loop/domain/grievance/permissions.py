"""What an actor may do now, and for what is blocked, why: the same answers for `GET actions` and for a refusal."""

from typing import Any

from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.roles import OPENER, SPECIAL, SYSTEM_ROLE, acting_role, duty_of, unit_of
from wuye_loop.domain.grievance.situation import Actor, Situation, TaskState, World
from wuye_loop.domain.grievance.standing import followed, withdrawn
from wuye_loop.domain.language.workflow import ActionSpec, StepSpec, TaskKind
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.clock_moves import is_overdue


def blocked(
    world: World, situation: Situation, action: str, spec: ActionSpec, role: str, actor: Actor, task: TaskState | None
) -> str | None:
    """Return in words why an action is not open now, or None. State and role are checked before."""
    counts = task.counts if task else situation.grievance.counts
    if spec.limit is not None:
        key = f"done.{action}" if task is not None else f"{spec.limit.prefix}done.{action}"
        if counts.get(key, 0) >= spec.limit.times:
            return f"最多 {spec.limit.times} 次，已经用完"
    rivalry = rival(world, situation, role, actor, task)
    if rivalry is not None:
        return rivalry
    if task is not None:
        apart = kept_apart(world, situation, task, role, actor.unit)
        if apart is not None:
            return apart
        if (task.kind, action) in world.rules.grants:
            why = _not_now(task, role, actor)
            if why is not None:
                return why
    return unsigned(spec, actor) or _common(world, situation, spec, task)


def unsigned(spec: StepSpec, actor: Actor) -> str | None:
    """Say in words that somebody else of the unit must do this in person, or None; the system signs nothing."""
    if spec.signed_by is None or actor.kind is ActorKind.SYSTEM or actor.holds(spec.signed_by):
        return None
    return f"要由本单位的“{spec.signed_by}”本人签批：按组织目录，这把密钥或这个账号的持有人不是"


def _not_now(task: TaskState, role: str, actor: Actor) -> str | None:
    """Say why this one may not grant what a task asks for: it is his own request, or the grievance is at rest."""
    if task.opener_unit is not None and actor.unit == task.opener_unit and role not in (OPENER, SYSTEM_ROLE):
        return "职责分离：本单位提出的申请，不能由本单位自己决定"
    parent = followed(task.data)
    return f"{parent['text']}，恢复以后再办" if parent is not None else None


def kept_apart(world: World, situation: Situation, task: TaskState, role: str, unit: str | None) -> str | None:
    """Return in words why a unit may not play a role on this task: its kind keeps it apart from another that it has."""
    if unit is None:
        return None
    workflow = world.rules.workflow
    for group in workflow.tasks[task.kind].separate:
        for other in group if role in group else ():
            if other != role and unit == unit_of(other, world, situation, task):
                title = SPECIAL.get(other) or workflow.roles[other].title
                return f"职责分离：本单位是这件任务的“{title}”"
    return None


def open_blocked(world: World, situation: Situation, kind: str, spec: TaskKind, actor: Actor) -> str | None:
    """Return in words why a task of this kind cannot be opened now by this actor, or None."""
    opening = spec.open
    missing = unsigned(opening, actor)
    if missing is not None:
        return missing
    if opening.from_ and situation.grievance.state not in opening.from_:
        return "当前状态下不能发起"
    if spec.single and situation.open_tasks(kind):
        return "已有一件正在办理"
    if opening.limit is not None:
        key = f"{opening.limit.prefix}tasks.{kind}"
        if situation.grievance.counts.get(key, 0) >= opening.limit.times:
            return f"最多 {opening.limit.times} 次，已经用完"
    return _common(world, situation, opening, None)


def _common(world: World, situation: Situation, spec: StepSpec, task: TaskState | None) -> str | None:
    if spec.within is not None:
        since = task.state_since if task else situation.grievance.state_since
        if world.now > world.calendar.shift(since, spec.within):
            return f"已过时限：须在{spec.within.chinese}内提出"
    if spec.before_due is not None:
        clock = situation.open_clock(spec.before_due, None)
        if clock is None or is_overdue(clock, world.now):
            return "只能在时限届满之前提出"
    if not spec.if_.always:
        unmet = spec.if_.unmet(facts_of(world, situation, task), world.rules.words_of(spec.if_))
        if unmet:
            return "；".join(unmet)
    return None


def rival(world: World, situation: Situation, role: str, actor: Actor, task: TaskState | None = None) -> str | None:
    """Separation of duties: who acted in a rival role on this grievance, this cycle, may not act in this one."""
    unit, rivals = actor.unit, world.rules.rivals
    if unit is None or not rivals:
        return None
    for other in rivals.get(duty_of(role, world, task), ()):
        if unit in situation.grievance.did.get(other, ()):
            title = world.rules.workflow.roles[other].title
            return f"职责分离：本单位已以“{title}”的身份办理过本诉求"
    return None


def lawful(world: World, situation: Situation, actor: Actor, task: TaskState | None = None) -> list[str]:
    """Return the names of the actions that this actor may take now on the grievance or the task."""
    return [item["action"] for item in options(world, situation, actor, task) if not item["blocked"]]


def options(world: World, situation: Situation, actor: Actor, task: TaskState | None = None) -> list[dict[str, Any]]:
    """Return what this actor could do in the present state: title, form, and in words what blocks it."""
    machine = world.rules.machine(task.kind if task else None)
    state = task.state if task else situation.grievance.state
    found: list[dict[str, Any]] = []
    if task is not None and withdrawn(task.data):
        return found
    for name in machine.by_state.get(state, ()):
        spec = machine.flow.actions[name]
        role = acting_role(spec.by, actor, world, situation, task)
        if role is None:
            continue
        why = blocked(world, situation, name, spec, role, actor, task)
        found.append({"action": name, "title": spec.title, "role": role, "form": spec.form, "blocked": why})
    return found


def openings(world: World, situation: Situation, actor: Actor) -> list[dict[str, Any]]:
    """Return the kinds of task this actor could open now, with form and what blocks each."""
    found = []
    for kind, spec in world.rules.workflow.tasks.items():
        role = acting_role(spec.open.by, actor, world, situation)
        if role is None or actor.kind is ActorKind.SYSTEM:
            continue
        why = open_blocked(world, situation, kind, spec, actor)
        found.append({"task": kind, "title": spec.open.title, "role": role, "form": spec.open.form, "blocked": why})
    return found
