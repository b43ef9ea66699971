"""What each built-in effect does to a step. One small function each; the registry is in effects.py."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from wuye_loop.domain.errors import BadForm, Conflict, DailyLimit, IllegalAction
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.roles import unit_of
from wuye_loop.domain.grievance.situation import TaskState
from wuye_loop.domain.language.effects import ExtendClock, Urged
from wuye_loop.domain.language.results import RESULT
from wuye_loop.domain.language.workflow import EffectCall
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.clock_changes import latest_due
from wuye_loop.domain.step.effects import amending, assignment, documents
from wuye_loop.domain.step.effects.context import Context
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.spans import Span, TimeUnit


def _new_cycle(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """重办: the next cycle, with its own clocks, rungs and counts; who did what starts afresh."""
    builder.end_clocks()
    kept = {key: value for key, value in builder.grievance.counts.items() if not key.startswith("cycle_")}
    data = {key: value for key, value in builder.grievance.data.items() if key not in ("returned", RESULT)}
    builder.set(cycle=builder.grievance.cycle + 1, counts=kept, data=data, did={})


def _merge(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """并案: follow another grievance; reversible."""
    other = builder.world.others.get(str(context.value(builder, params["into"])))
    if other is None:
        raise BadForm("没有这件诉求", fields=[{"path": params["into"], "problem": "没有这件诉求"}])
    if other.id == builder.grievance.id:
        raise Conflict("不能并入自身")
    if other.merged_into is not None or other.final:
        raise Conflict("要并入的诉求已办结，或已并入别件")
    if builder.grievance.followers:
        raise Conflict("已有诉求并入本件，请先撤销")
    back = {"state": builder.grievance.state}
    builder.set(merged_into=other.id, data={**builder.grievance.data, "back": back})
    builder.remarks["into"] = other.number
    builder.joins = [*builder.joins, (other.id, 1)]


def _unmerge(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """撤销并案: stand alone again; `to: back` brings the state back."""
    if builder.grievance.merged_into is not None:
        builder.joins = [*builder.joins, (builder.grievance.merged_into, -1)]
    builder.set(merged_into=None)


def _urged(builder: Builder, _: Context, params: Mapping[str, Any]) -> None:
    """催办: attaches to the grievance and is counted, never a new one; so often in a day of the city, and no oftener."""
    most, world = Urged.model_validate(params).per_day, builder.world
    midnight = world.calendar.local(world.now).replace(hour=0, minute=0, second=0, microsecond=0)
    if world.urged_since(midnight) >= most:
        raise DailyLimit(f"同一诉求人一天至多催办 {most} 次，今天已经用完；明天可以再催")
    builder.set(urged=builder.grievance.urged + 1)


def _lift(builder: Builder, _: Context, params: Mapping[str, Any]) -> None:
    """Lift the urgency."""
    builder.set(urgency=params["urgency"])


def _set(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """Store form fields for later conditions and limits."""
    data = dict(builder.grievance.data)
    for name, source in params.items():
        data[name] = context.value(builder, source)
    builder.set(data=data)


def _extend_clock(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """延期: the clock's due instant moves by what was approved, in all by no more than the cap for such a matter."""
    clock = builder.situation.open_clock(params["clock"], None)
    if clock is None:
        raise IllegalAction("时限已经结束，不能延期")
    number = int(context.value(builder, params["by"]))
    span = _span(number, TimeUnit(params.get("unit", "workday")), str(params["by"]))
    total = builder.grievance.counts.get(f"cycle_extended.{clock.name}", 0) + number
    cap = _cap(builder, context, params)
    if cap is not None and total > cap.n:
        raise IllegalAction(f"累计延期不能超过{cap.chinese}，已批准 {total - number}")
    builder.set(counts={**builder.grievance.counts, f"cycle_extended.{clock.name}": total})
    moved = clock_moves.extend(clock, span, builder.world.now, builder.world.calendar)
    spec = builder.world.rules.workflow.clocks[clock.name]
    last = latest_due(builder.world, spec, builder.situation)
    if last is not None and spec.at_most is not None and moved.due_at > last:
        raise IllegalAction(f"连同已批准的延期和挂起，自收件起不能超过{spec.at_most.chinese}")
    builder.put_clock(moved)
    builder.remarks["extended"] = {"clock": clock.name, "by": str(span)}


def _span(number: int, unit: TimeUnit, field: str) -> Span:
    try:
        return Span(number, unit)
    except ValueError as error:
        raise BadForm("延期太长", fields=[{"path": field, "problem": str(error)}]) from None


def _cap(builder: Builder, context: Context, params: Mapping[str, Any]) -> Span | None:
    """Return the most that may be granted in all, for this matter; None where the file sets no cap."""
    written = params.get("cap")
    if not written:
        return None
    facts = facts_of(builder.world, builder.situation, context.task, context.answers)
    caps = ExtendClock.model_validate(params).cap
    return next((cap.is_ for cap in caps if cap.when.holds(facts)), None)


def _act(builder: Builder, _: Context, params: Mapping[str, Any]) -> None:
    """Let the system take an action on the grievance, right after this one."""
    builder.then.append(str(params["value"]))


def one_is_enough(builder: Builder, kind: str, own: TaskState | None) -> bool:
    """Say whether the system need not open a task: of a single kind one is open, and stays so for all that is known yet."""
    if not builder.world.rules.task_kind(kind).single:
        return False
    moved = {own and own.id, *(task_id for task_id, _ in builder.then_on_tasks)}
    return any(task.kind == kind and not task.final and task.id not in moved for task in builder.tasks.values())


def _open(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """Open a task, to a unit named by a role or a form field; not where it is of a single kind and one is open."""
    if one_is_enough(builder, params["task"], context.task):
        return
    name = params.get("to")
    to = None
    if name is not None:
        value = context.value(builder, name)
        to = str(value) if value else unit_of(name, builder.world, builder.situation, context.task)
    data = {name: context.value(builder, source) for name, source in (params.get("data") or {}).items()}
    context.open_task(
        builder,
        params["task"],
        to,
        params.get("document"),
        {key: item for key, item in data.items() if item is not None},
    )


def _act_tasks(builder: Builder, _: Context, params: Mapping[str, Any]) -> None:
    """Let the system take an action on every open task of a kind that stands where it may be taken, right after this."""
    spec = builder.world.rules.task_kind(params["task"]).actions[params["action"]]
    for task in builder.tasks.values():
        if task.kind == params["task"] and not task.final and task.state in spec.from_:
            builder.then_on_tasks.append((task.id, params["action"]))


Apply = Callable[[Builder, Context, Mapping[str, Any]], None]

_BUILT_IN: dict[str, Apply] = {
    "route": assignment.route,
    "assign": assignment.assign,
    "release": assignment.release,
    "reclassify": assignment.reclassify,
    "correct": amending.correct,
    "climb": assignment.climb,
    "precedent": assignment.precedent,
    "notify": documents.notify,
    "document": documents.document,
    "rate": documents.rate,
    "exclude": documents.exclude,
    "new_cycle": _new_cycle,
    "merge": _merge,
    "unmerge": _unmerge,
    "urged": _urged,
    "lift": _lift,
    "set": _set,
    "extend_clock": _extend_clock,
    "act": _act,
    "act_tasks": _act_tasks,
    "open": _open,
}
_found: dict[str, Apply] = dict(_BUILT_IN)


def apply(call: EffectCall, builder: Builder, context: Context) -> None:
    """Carry out one effect on the step; a third party's is found by its entry point the first time it is named."""
    effect = _found.get(call.name)
    if effect is None:
        point = next(iter(entry_points(group="wuye_loop.effects", name=call.name)))
        effect = _found[call.name] = point.load().apply
    effect(builder, context, call.params)
