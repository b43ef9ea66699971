"""Opens a task: who holds it, which document it carries, its clocks and its ledger row."""

from typing import Any

from wuye_loop.domain.errors import Conflict, Forbidden, IllegalAction
from wuye_loop.domain.grievance.ledger import OPEN
from wuye_loop.domain.grievance.permissions import kept_apart
from wuye_loop.domain.grievance.roles import HOLDER, OPENER, SYSTEM_ROLE, unit_of, units_of
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor, TaskState
from wuye_loop.domain.language.workflow import RungSpec, TaskKind
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.apply import apply, one_is_enough
from wuye_loop.domain.step.effects.context import Context
from wuye_loop.domain.step.effects.documents import issue


def open_by_effect(inner: Builder, kind: str, to: str | None, document: str | None, data: dict[str, Any]) -> None:
    """Open the task that an effect says: an `effecting_context.Opener`."""
    spec = inner.world.rules.task_kind(kind)
    open_task(inner, kind, spec, SYSTEM_ACTOR, SYSTEM_ROLE, data, to=to, document=document, copies=(), row=False)


def open_by_rung(builder: Builder, spec: RungSpec, task: TaskState | None) -> None:
    """Open the task that a rung says, to each of the units it names."""
    names = [unit for name in spec.to for unit in units_of(name, builder.world, builder.situation, task)]
    # Nobody is assigned yet: whoever holds the grievance gets the order.
    targets: list[str | None] = [*dict.fromkeys(unit for unit in names if unit)] or [builder.grievance.holder_unit]
    copies = tuple(
        dict.fromkeys(unit for name in spec.copy_to for unit in units_of(name, builder.world, builder.situation, task))
    )
    kind = spec.open or ""
    for target in targets:
        task_spec = builder.world.rules.task_kind(kind)
        if one_is_enough(builder, kind, task):
            return
        open_task(
            builder, kind, task_spec, SYSTEM_ACTOR, SYSTEM_ROLE, {}, to=target, document=spec.document, copies=copies
        )


def open_task(
    builder: Builder,
    kind: str,
    spec: TaskKind,
    actor: Actor,
    role: str,
    answers: dict[str, Any],
    *,
    to: str | None,
    document: str | None,
    copies: tuple[str, ...],
    row: bool = True,
    number: str | None = None,
) -> None:
    """Open a task: number it, find its holder, issue its document, start its clocks, write its ledger row.

    `number` is that of a document issued for several tasks at once; else the task's own document is numbered here.
    """
    world, grievance = builder.world, builder.grievance
    counts = builder.counted(grievance.counts, f"tasks.{kind}")
    counts["task_n"] = counts.get("task_n", 0) + 1
    builder.set(counts=counts)
    task = TaskState(
        id=world.new_id(), grievance_id=grievance.id, kind=kind, n=counts["task_n"], state=spec.start, final=False,
        holder_unit=None, opener_unit=actor.unit, opener_role=role, document=None, document_number=None, copies=copies,
        data=answers, counts={}, opened_at=world.now, state_since=world.now, closed_at=None, cycle=grievance.cycle,
    )  # fmt: skip
    named = answers.get("unit") if spec.holder == "target" else None
    holder = to or (str(named) if named else None) or _holder(builder, spec, task)
    chosen = document or answers.get("document")
    if chosen is None and len(world.rules.workflow.documents) and "document" in spec.open.needs:
        chosen = spec.open.needs["document"].choices[0]
    task.holder_unit, task.document = holder, chosen
    builder.tasks[task.id] = task
    builder.opened = task.id
    apart = kept_apart(world, builder.situation, task, HOLDER, holder) if role != SYSTEM_ROLE else None
    if apart is not None:
        raise Conflict(apart)
    if number is not None:
        builder.set_task(task.id, document_number=number)
    elif chosen in world.rules.workflow.documents:
        issuers = world.rules.workflow.documents[str(chosen)].by
        if issuers and role not in issuers:
            raise Forbidden("您的角色不能签发这种文书")
        number = issue(builder, str(chosen), holder, copies, task.id)
        builder.set_task(task.id, document_number=number, copies=builder.documents[-1].copies)
    context = Context(answers, builder.tasks[task.id], open_by_effect)
    for call in spec.open.effect:
        apply(call, builder, context)
    builder.sync_task(task.id)
    builder.sync_paused(task.id)
    if row:
        builder.close_entry(
            f"{OPEN}{kind}",
            actor=actor.as_json(role, spec.open.signed_by),
            facts=answers,
            audience=spec.open.audience,
            task_id=task.id,
            to_state=task.state,
        )


def _holder(builder: Builder, spec: TaskKind, task: TaskState) -> str | None:
    """Find who holds a new task: its target, its opener, the unit one level up, or a role's unit."""
    grievance = builder.grievance
    if spec.holder == OPENER:
        return task.opener_unit
    if spec.holder == "one_level_up":
        above = builder.world.directory.superior(task.opener_unit)
        if above is not None:
            return above.code
        return unit_of(spec.fallback, builder.world, builder.situation) if spec.fallback else grievance.holder_unit
    if spec.holder == "target":
        return grievance.lead_unit or grievance.holder_unit
    return unit_of(spec.holder, builder.world, builder.situation) or _instead(builder, spec, task)


def _instead(builder: Builder, spec: TaskKind, task: TaskState) -> str | None:
    """Find who holds a task whose own role has no unit here; nobody opens a task that would lie with nobody.

    Raises IllegalAction; what the system opens lies with whoever holds the grievance.
    """
    role = builder.world.rules.workflow.roles[spec.holder]
    if role.unit is None:
        return None  # people, not a unit
    fallback = unit_of(spec.fallback, builder.world, builder.situation) if spec.fallback else None
    if fallback is None and task.opener_role != SYSTEM_ROLE:
        raise IllegalAction(f"这里没有“{role.title}”，不能发起")
    return fallback or builder.grievance.holder_unit
