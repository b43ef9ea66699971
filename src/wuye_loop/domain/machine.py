"""Decisions: what one action, one opened task, one rung or one intake does. Pure: time, ids and answers come in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from wuye_loop.domain import clocks
from wuye_loop.domain.builder import Builder
from wuye_loop.domain.clocks import ClockStatus
from wuye_loop.domain.effecting import Context, Unrouted, apply, issue
from wuye_loop.domain.errors import BadForm, Conflict, Forbidden, IllegalAction
from wuye_loop.domain.facts import facts_of
from wuye_loop.domain.forms import Form, FormProblem
from wuye_loop.domain.permits import blocked, lawful, open_blocked
from wuye_loop.domain.roles import OPENER, SYSTEM, acting_role, unit_of
from wuye_loop.domain.rules import BACK
from wuye_loop.domain.situation import SYSTEM as SYSTEM_ACTOR
from wuye_loop.domain.situation import Actor, Command, Situation, Step, TaskState, World
from wuye_loop.domain.terms import Audience
from wuye_loop.domain.workflow import ActionSpec, RungSpec, TaskKind

MAX_CHAIN = 8  # actions that follow one another in one step; the checker proves there is no cycle


def decide(world: World, situation: Situation, command: Command) -> Step:
    """Decide one action on the grievance or one of its tasks, with everything the system does right after it.

    Raises IllegalAction (409, with the lawful actions), Forbidden (403), BadForm (422).
    """
    builder = Builder(world, situation)
    try:
        _act(builder, command)
    except Unrouted as turn:
        if command.actor is not SYSTEM_ACTOR:
            raise BadForm(
                "没有路由能定出承办单位，请指定", fields=[{"path": "unit", "problem": "请指定承办单位"}]
            ) from None
        builder.grievance = situation.grievance.copy()
        _left_at_desk(builder, command.action, turn)
    _chain(builder)
    return builder.step()


def decide_open(world: World, situation: Situation, kind: str, actor: Actor, form: Mapping[str, Any]) -> Step:
    """Decide whether the actor may open a task of this kind, and open it.

    Raises IllegalAction, Forbidden, BadForm as decide does.
    """
    builder = Builder(world, situation)
    spec = world.rules.task_kind(kind)
    role = acting_role(spec.open.by, actor, world, situation)
    if role is None:
        raise Forbidden("您的角色不能发起这种任务")
    why = open_blocked(world, situation, kind, spec)
    if why is not None:
        raise IllegalAction(why, actions=lawful(world, situation, actor))
    answers = _answers(builder, spec.open.form, form, None)
    _open(builder, kind, spec, actor, role, answers, to=None, document=None, copies=())
    _chain(builder)
    return builder.step()


def decide_rung(world: World, situation: Situation, clock_id: UUID, index: int) -> Step | None:
    """Fire one rung if it is really due, once; None when it is not (paused, ended, moved, fired before)."""
    clock = situation.clocks.get(clock_id)
    if clock is None or clock.status is not ClockStatus.RUNNING:
        return None
    fired = clocks.fire(clock, index, world.now)
    if fired is clock:
        return None
    builder = Builder(world, situation)
    builder.put_clock(fired)
    task = situation.tasks.get(clock.task_id) if clock.task_id else None
    machine = world.rules.machine(task.kind if task else None)
    spec = machine.flow.clocks[clock.name].ladder[index]
    facts: dict[str, Any] = {"clock": clock.name, "rung": index, "due": clocks.as_row(clock)["due_at"]}
    for instrument in spec.do:
        builder.notify(instrument, (*spec.to, *spec.copy_to), task)
        facts.setdefault("do", []).append(instrument)
    if spec.act is not None:
        facts["act"] = spec.act
        facts["applies"] = _applies(world, situation, spec.act, task)
    builder.close_entry(
        f"rung:{clock.name}", actor=SYSTEM_ACTOR.as_json(), facts=facts, audience=Audience.UNITS, task_id=clock.task_id
    )
    if spec.open is not None:
        _open_by_rung(builder, spec, task)
    if facts.get("applies"):
        builder.then.append(str(spec.act))
    _chain(builder, clock.task_id)
    return builder.step()


def next_due_rung(situation: Situation, now: datetime) -> tuple[UUID, int] | None:
    """Return the clock and index of the rung that has been due longest, or None."""
    due = [
        (rung.at, clock.name, rung.index, clock.id)
        for clock in situation.clocks.values()
        if clock.status is ClockStatus.RUNNING
        for rung in clock.rungs
        if rung.at is not None and rung.fired_at is None and rung.at <= now
    ]
    if not due:
        return None
    _, _, index, clock_id = min(due)
    return clock_id, index


def joined(steps: Sequence[Step]) -> Step:
    """Return several steps, each decided on the one before, as one to be written."""
    return Step(
        situation=steps[-1].situation,
        entries=[entry for step in steps for entry in step.entries],
        notices=[notice for step in steps for notice in step.notices],
        documents=[document for step in steps for document in step.documents],
        ratings=[rating for step in steps for rating in step.ratings],
        joins=[join for step in steps for join in step.joins],
        asks=[ask for step in steps for ask in step.asks],
    )


def _applies(world: World, situation: Situation, action: str, task: TaskState | None) -> bool:
    """Say whether the system may take the action now; a rung fires once either way."""
    spec = world.rules.machine(task.kind if task else None).flow.actions[action]
    state = task.state if task else situation.grievance.state
    return (
        state in spec.from_
        and SYSTEM in spec.by
        and blocked(world, situation, action, spec, SYSTEM, SYSTEM_ACTOR, task) is None
    )


def receive(world: World, situation: Situation, actor: Actor, facts: Mapping[str, Any], notices: Any = ()) -> Step:
    """Decide the first row of a new grievance: the start state, its holder, its clocks, the first ledger row."""
    builder = Builder(world, situation)
    builder.move(world.rules.workflow.start)
    builder.sync()
    for instrument, to in notices:
        builder.notify(instrument, to)
    builder.close_entry(
        "receive", actor=actor.as_json(), facts=facts, audience=Audience.PUBLIC, to_state=builder.grievance.state
    )
    return builder.step()


def note(
    world: World,
    situation: Situation,
    action: str,
    facts: Mapping[str, Any],
    actor: Actor = SYSTEM_ACTOR,
    **changes: Any,
) -> Step:
    """Write a row that changes counted fields only: a follower joined, identity was revealed."""
    builder = Builder(world, situation)
    if changes:
        builder.set(**changes)
    builder.close_entry(action, actor=actor.as_json(), facts=facts, audience=Audience.INTERNAL)
    return builder.step()


# --- one action -----------------------------------------------------------------------------------------------------


def _chain(builder: Builder, task_id: UUID | None = None) -> None:
    """Take the actions that follow by themselves: on the task that a rung belongs to first, then on the grievance."""
    taken = 0
    while builder.then:
        taken += 1
        if taken > MAX_CHAIN:
            raise Conflict("系统动作连得太长")
        action = builder.then.pop(0)
        before = builder.grievance.copy()
        try:
            _act(builder, Command(action, SYSTEM_ACTOR, {}, task_id))
        except Unrouted as turn:
            builder.grievance = before
            _left_at_desk(builder, action, turn)
            return
        except IllegalAction as error:
            title = builder.world.rules.title_of(action)
            raise IllegalAction(f"随后的“{title}”现在不能办：{error.detail}") from None
        task_id = None


def _left_at_desk(builder: Builder, action: str, turn: Unrouted) -> None:
    """Keep in the ledger that no router found a unit; a person routes it, or another system is asked first."""
    builder.close_entry(action, actor=SYSTEM_ACTOR.as_json(), facts={"routed": False}, audience=Audience.UNITS)
    if turn.choice.ask is not None:
        builder.asks.append(turn.choice.ask)


def _act(builder: Builder, command: Command) -> None:
    world, situation = builder.world, builder.situation
    task = _task(situation, command.task_id)
    flow = world.rules.machine(task.kind if task else None)
    spec = flow.flow.actions.get(command.action)
    state = task.state if task else situation.grievance.state
    if spec is None or state not in spec.from_:
        raise IllegalAction("当前状态下没有这个动作", actions=lawful(world, situation, command.actor, task))
    role = acting_role(spec.by, command.actor, world, situation, task)
    if role is None:
        raise Forbidden("您的角色不能做这个动作")
    why = blocked(world, situation, command.action, spec, role, command.actor, task)
    if why is not None:
        raise IllegalAction(why, actions=lawful(world, situation, command.actor, task))
    answers = _answers(builder, spec.form, command.form, task) if command.actor is not SYSTEM_ACTOR else {}
    facts = facts_of(world, situation, task, answers)
    target, way = flow.fire(command.action, state, facts)
    _carry_out(builder, command, spec, task, role, answers, target, way)


def _carry_out(
    builder: Builder,
    command: Command,
    spec: ActionSpec,
    task: TaskState | None,
    role: str,
    answers: dict[str, Any],
    target: str,
    way: int,
) -> None:
    before = task.state if task else builder.grievance.state
    outcome = spec.ways[way]
    task_id = task.id if task else None
    context = Context(answers, task, _opener(builder))
    builder.did(role, command.actor.unit)
    builder.count(command.action, task_id)
    for call in (*spec.effect, *outcome.effect):
        apply(call, builder, context)
    wanted = outcome.to if outcome.to is not None else spec.to
    if wanted == BACK:
        target = _way_back(builder)
    if wanted is not None:
        if task is None:
            builder.move(target)
        else:
            builder.move_task(task.id, target)
    builder.sync()
    builder.close_entry(
        command.action,
        actor={**command.actor.as_json(), "role": role},
        facts=answers,
        audience=spec.audience,
        task_id=task_id,
        from_state=before,
        to_state=target,
    )
    builder.then.extend(outcome.then or spec.then)


def _way_back(builder: Builder) -> str:
    back = builder.grievance.data.get("back")
    if not back:
        raise IllegalAction("不知道要回到哪个状态")
    builder.set(data={key: value for key, value in builder.grievance.data.items() if key != "back"})
    return str(back["state"])


def _task(situation: Situation, task_id: UUID | None) -> TaskState | None:
    return situation.tasks[task_id] if task_id is not None else None


def _answers(builder: Builder, form: Form, raw: Mapping[str, Any], task: TaskState | None) -> dict[str, Any]:
    """Check a submitted form; free text is struck of identities before it may reach the ledger."""
    facts = facts_of(builder.world, builder.situation, task)
    try:
        answers = form.validate(dict(raw), facts)
    except FormProblem as problem:
        raise BadForm("表单填写有误", fields=problem.fields) from None
    for name, spec in form.specs.items():
        value = answers.get(name)
        if value is None:
            continue
        if spec.type == "text":
            answers[name] = builder.world.redact(str(value))
        elif spec.type == "unit" and builder.world.directory.unit(str(value)) is None:
            raise BadForm("没有这个单位", fields=[{"path": name, "problem": "没有这个单位，或它已停用"}])
        elif spec.type == "date" and date.fromisoformat(str(value)) < builder.world.calendar.local_date(
            builder.world.now
        ):
            raise BadForm("日期已过", fields=[{"path": name, "problem": "日期不能早于今天"}])
    return answers


# --- tasks ----------------------------------------------------------------------------------------------------------


def _opener(builder: Builder) -> Any:
    def open_task(inner: Builder, kind: str, to: str | None, document: str | None, copies: tuple[str, ...]) -> None:
        spec = inner.world.rules.task_kind(kind)
        _open(inner, kind, spec, SYSTEM_ACTOR, SYSTEM, {}, to=to, document=document, copies=copies, row=False)

    del builder
    return open_task


def _open_by_rung(builder: Builder, spec: RungSpec, task: TaskState | None) -> None:
    names = [unit_of(name, builder.world, builder.situation, task) for name in spec.to]
    # Nobody is assigned yet: whoever holds the grievance gets the order.
    targets: list[str | None] = [*dict.fromkeys(unit for unit in names if unit)] or [builder.grievance.holder_unit]
    copies = tuple(
        dict.fromkeys(unit for name in spec.copy_to if (unit := unit_of(name, builder.world, builder.situation, task)))
    )
    kind = spec.open or ""
    for target in targets:
        task_spec = builder.world.rules.task_kind(kind)
        _open(builder, kind, task_spec, SYSTEM_ACTOR, SYSTEM, {}, to=target, document=spec.document, copies=copies)


def _open(
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
) -> None:
    """Open a task: number it, find its holder, issue its document, start its clocks, write its ledger row."""
    world, grievance = builder.world, builder.grievance
    counts = dict(grievance.counts)
    for key in (f"tasks.{kind}", f"cycle_tasks.{kind}", "task_n"):
        counts[key] = counts.get(key, 0) + 1
    builder.set(counts=counts)
    task = TaskState(
        id=world.new_id(), grievance_id=grievance.id, kind=kind, n=counts["task_n"], state=spec.start, final=False,
        holder_unit=None, opener_unit=actor.unit, opener_role=role, document=None, document_number=None, copies=copies,
        data=answers, counts={}, opened_at=world.now, state_since=world.now, closed_at=None, cycle=grievance.cycle,
    )  # fmt: skip
    named = answers.get("unit")
    holder = to or (str(named) if named else None) or _holder(builder, spec, task)
    chosen = document or answers.get("document")
    if chosen is None and len(world.rules.workflow.documents) and "document" in spec.open.needs:
        chosen = spec.open.needs["document"].choices[0]
    task = replace(task, holder_unit=holder, document=chosen)
    builder.tasks[task.id] = task
    builder.opened = task.id
    if chosen in world.rules.workflow.documents:
        issuers = world.rules.workflow.documents[str(chosen)].by
        if issuers and role not in issuers:
            raise Forbidden("您的角色不能签发这种文书")
        number = issue(builder, str(chosen), holder, copies, task.id)
        builder.set_task(task.id, document_number=number, copies=builder.documents[-1].copies)
    context = Context(answers, builder.tasks[task.id], _opener(builder))
    for call in spec.open.effect:
        apply(call, builder, context)
    builder.sync_task(task.id, holder)
    if row:
        builder.close_entry(
            f"open:{kind}",
            actor={**actor.as_json(), "role": role},
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
    return unit_of(spec.holder, builder.world, builder.situation)
