"""Decisions: what one action, one opened task or one intake does. Pure: time, ids and answers come in."""

from collections.abc import Mapping, Sequence
from typing import Any

from wuye_loop.domain.errors import BadForm, Conflict, Forbidden, IllegalAction
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.permissions import blocked, lawful, open_blocked, rival
from wuye_loop.domain.grievance.roles import SYSTEM_ROLE, acting_role, duty_of
from wuye_loop.domain.grievance.situation import EMPTY, SYSTEM_ACTOR, Actor, Command, Situation, TaskState, World
from wuye_loop.domain.grievance.standing import followed, withdrawn
from wuye_loop.domain.language.results import RESULT
from wuye_loop.domain.rules.actions import CompiledAction
from wuye_loop.domain.rules.flow import BACK
from wuye_loop.domain.step.answers import answered
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.apply import apply
from wuye_loop.domain.step.effects.context import Context, Unrouted
from wuye_loop.domain.step.effects.documents import send
from wuye_loop.domain.step.following import follow
from wuye_loop.domain.step.records import MADE, Line, Step
from wuye_loop.domain.step.tasks import open_by_effect, open_task
from wuye_loop.domain.terms import Audience

MOST_TASKS = 200  # tasks that one step may move
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
        builder.back_to(situation.grievance.copy())
        _left_at_desk(builder, command.action, turn)
    chain(builder)
    return builder.step()


def decide_open(world: World, situation: Situation, kind: str, actor: Actor, form: Mapping[str, Any]) -> Step:
    """Decide whether the actor may open a task of this kind, and open it.

    Raises IllegalAction, Forbidden, BadForm as decide does.
    """
    builder = Builder(world, situation)
    open_on(builder, kind, actor, form)
    return builder.step()


def act_on(builder: Builder, command: Command) -> None:
    """Decide one action on a builder that goes on from the step before; what is refused leaves it half changed."""
    _act(builder, command)
    chain(builder)


def open_on(builder: Builder, kind: str, actor: Actor, form: Mapping[str, Any]) -> None:
    """Open a task on a builder, as decide_open and act_on do."""
    world, situation = builder.world, builder.situation
    spec = world.rules.task_kind(kind)
    role = acting_role(spec.open.by, actor, world, situation)
    if role is None:
        raise Forbidden("您的角色不能发起这种任务")
    why = open_blocked(world, situation, kind, spec, actor)
    if why is not None:
        raise IllegalAction(why, actions=lawful(world, situation, actor))
    answers = answered(builder, spec.open.form, form, None)
    open_task(builder, kind, spec, actor, role, answers, to=None, document=None, copies=())
    chain(builder)


def decide_line(world: World, situation: Situation, issuer: Actor, line: Line) -> Step:
    """Decide one line of a document that gathers and opens tasks: its task, and what it settles on the grievance.

    Raises IllegalAction, Forbidden, BadForm as decide does.
    """
    builder = Builder(world, situation)
    spec = world.rules.workflow.documents.get(line.kind)
    if spec is None or spec.opens is None:
        raise IllegalAction("流程里没有这种逐条发起任务的文书")
    role = acting_role(spec.by, issuer, world, situation)
    if role is None:
        raise Forbidden("您的角色不能签发这种文书")
    kind = world.rules.task_kind(spec.opens)
    why = open_blocked(world, situation, spec.opens, kind, issuer)
    if why is not None:
        raise IllegalAction(why)
    answers = answered(builder, kind.open.form, line.form, None)
    if line.draft is not None:
        builder.documents = [*builder.documents, line.draft]
        builder.remarks["document"] = line.number
    open_task(
        builder, spec.opens, kind, issuer, role, answers,
        to=line.unit, document=line.kind, copies=line.copies, number=line.number,
    )  # fmt: skip
    opened = builder.opened
    for task in situation.tasks.values() if spec.settles else ():
        if task.kind == spec.gathers and not task.final and task.holder_unit == issuer.unit:
            _act(builder, Command(spec.settles or "", issuer, {}, task.id))
    chain(builder)
    builder.opened = opened
    return builder.step()


def joined(steps: Sequence[Step]) -> Step:
    """Return several steps, each decided on the one before, as one to be written."""
    made: Any = {name: [one for step in steps for one in getattr(step, name)] for name in MADE}
    return Step(steps[-1].world, steps[-1].situation, **made)


def applies(world: World, situation: Situation, action: str, task: TaskState | None) -> bool:
    """Say whether the system may take the action now; a rung fires once either way."""
    spec = world.rules.machine(task.kind if task else None).flow.actions[action]
    state = task.state if task else situation.grievance.state
    return (
        state in spec.from_
        and not (task is not None and task.final)
        and SYSTEM_ROLE in spec.by
        and blocked(world, situation, action, spec, SYSTEM_ROLE, SYSTEM_ACTOR, task) is None
    )


def receive(world: World, situation: Situation, actor: Actor, facts: Mapping[str, Any], notices: Any = ()) -> Step:
    """Decide the first row of a new grievance: the start state, its holder, its clocks, the first ledger row."""
    builder = Builder(world, situation)
    receive_on(builder, actor, facts, notices)
    return builder.step()


def receive_on(builder: Builder, actor: Actor, facts: Mapping[str, Any], notices: Any = ()) -> None:
    """Decide the first row on a builder, as receive does."""
    world = builder.world
    _, source = world.rules.source_of(builder.grievance.channel)
    builder.move((source and source.start) or world.rules.workflow.start)
    builder.sync()
    for instrument, to in notices:
        send(builder, instrument, to)
    builder.close_entry(
        "receive", actor=actor.as_json(), facts=facts, audience=Audience.PUBLIC, to_state=builder.grievance.state
    )
    chain(builder)


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


def chain(builder: Builder) -> None:
    """Take the actions that follow by themselves: those on tasks first, then those on the grievance; tasks follow it."""
    _chain(builder)
    follow(builder)


def _chain(builder: Builder) -> None:
    rules = builder.world.rules
    if not (builder.then or builder.then_on_tasks or rules.joins[builder.grievance.state]):
        return
    taken = tasks_moved = 0
    joined_up: set[str] = set()
    while True:
        while builder.then_on_tasks:
            on_task, action = builder.then_on_tasks.pop(0)
            tasks_moved += 1
            if tasks_moved > MOST_TASKS:
                raise Conflict("系统动作连得太长")
            # What one of them did may have moved another, or shut its way: that one is passed over.
            if applies(builder.world, builder.situation, action, builder.tasks[on_task]):
                _act(builder, Command(action, SYSTEM_ACTOR, {}, on_task))
        _join(builder, joined_up)
        if not builder.then:
            return
        taken += 1
        if taken > MAX_CHAIN:
            raise Conflict("系统动作连得太长")
        action = builder.then.pop(0)
        before = builder.grievance.copy()
        try:
            _act(builder, Command(action, SYSTEM_ACTOR, {}))
        except Unrouted as turn:
            builder.back_to(before)
            _left_at_desk(builder, action, turn)
            return
        except IllegalAction as error:
            title = rules.title_of(action)
            raise IllegalAction(f"随后的“{title}”现在不能办：{error.detail}") from None


def _join(builder: Builder, taken: set[str]) -> None:
    """Where nothing else follows, let the first join follow whose condition holds now; each at most once in a step."""
    rules, world = builder.world.rules, builder.world
    joins = () if builder.then else rules.joins[builder.grievance.state]
    if not joins:
        return
    facts = facts_of(world, builder.situation)
    for join in joins:
        if join.act not in taken and join.when.holds(facts) and applies(world, builder.situation, join.act, None):
            taken.add(join.act)
            builder.then.append(join.act)
            return


def _left_at_desk(builder: Builder, action: str, turn: Unrouted) -> None:
    """Keep in the ledger that no router found a unit; a person routes it, or another system is asked first."""
    builder.close_entry(action, actor=SYSTEM_ACTOR.as_json(), facts={"routed": False}, audience=Audience.UNITS)
    if turn.choice.ask is not None:
        builder.asks = [*builder.asks, turn.choice.ask]


def _act(builder: Builder, command: Command) -> None:
    world, situation = builder.world, builder.situation
    task = situation.tasks[command.task_id] if command.task_id is not None else None
    flow = world.rules.machine(task.kind if task else None)
    compiled = flow.actions.get(command.action)
    state = task.state if task else situation.grievance.state
    if task is not None and withdrawn(task.data):
        words = followed(task.data) or {}
        raise IllegalAction(f"{words.get('text', '')}，不能再办", actions=[])
    if compiled is None or state not in compiled.from_:
        raise IllegalAction("当前状态下没有这个动作", actions=lawful(world, situation, command.actor, task))
    role = acting_role(compiled.by, command.actor, world, situation, task)
    if role is None:
        raise Forbidden("您的角色不能做这个动作")
    if compiled.plain and task is None:
        why = rival(world, situation, role, command.actor)
    else:
        why = blocked(world, situation, command.action, compiled.spec, role, command.actor, task)
    if why is not None:
        raise IllegalAction(why, actions=lawful(world, situation, command.actor, task))
    answers = _answers(builder, command, compiled, task)
    facts = EMPTY if compiled.certain else facts_of(world, situation, task, answers)
    target, way = flow.fire(command.action, state, facts)
    _carry_out(builder, command, compiled, task, role, answers, target, way)


def _answers(builder: Builder, command: Command, compiled: CompiledAction, task: TaskState | None) -> dict[str, Any]:
    if command.actor is SYSTEM_ACTOR:
        return {}
    return dict(command.form) if command.checked else answered(builder, compiled.spec.form, command.form, task)


def _carry_out(
    builder: Builder,
    command: Command,
    compiled: CompiledAction,
    task: TaskState | None,
    role: str,
    answers: dict[str, Any],
    target: str,
    way: int,
) -> None:
    before = task.state if task else builder.grievance.state
    transition = compiled.transitions[way]
    task_id = task.id if task else None
    builder.did(duty_of(role, builder.world, task), command.actor.unit)
    builder.count(command.action, task_id)
    if compiled.concludes and task is None and RESULT in answers:
        builder.set(data={**builder.grievance.data, RESULT: answers[RESULT]})
    if transition.effects:
        context = Context(answers, task, open_by_effect)
        for call in transition.effects:
            apply(call, builder, context)
    if transition.to is not None:
        if transition.to == BACK:
            target = _way_back(builder)
        if task is None:
            builder.move(target)
        else:
            builder.move_task(task.id, target)
    builder.sync()
    builder.close_entry(
        command.action,
        actor=command.actor.as_json(role, compiled.spec.signed_by),
        facts=answers,
        audience=compiled.audience,
        task_id=task_id,
        from_state=before,
        to_state=target,
    )
    builder.then.extend(transition.then)


def _way_back(builder: Builder) -> str:
    back = builder.grievance.data.get("back")
    if not back:
        raise IllegalAction("不知道要回到哪个状态")
    builder.set(data={key: value for key, value in builder.grievance.data.items() if key != "back"})
    return str(back["state"])
