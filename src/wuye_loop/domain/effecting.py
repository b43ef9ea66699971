"""What each built-in effect does to a step. One small function each; the registry is in effects.py."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any
from uuid import UUID

from wuye_loop.domain import clocks
from wuye_loop.domain.builder import Builder
from wuye_loop.domain.directory import level_above
from wuye_loop.domain.errors import BadForm, Conflict, IllegalAction
from wuye_loop.domain.roles import unit_of
from wuye_loop.domain.situation import DocumentDraft, RatingDraft, TaskState
from wuye_loop.domain.spans import Span, TimeUnit
from wuye_loop.domain.workflow import EffectCall

#: Opens a task on behalf of the system: (builder, kind, to, document, copies). machine.py supplies it.
Opener = Callable[[Builder, str, str | None, str | None, tuple[str, ...]], None]


@dataclass(frozen=True, slots=True)
class Context:
    """What an effect may look at: the answers of the form and the task it is taken on."""

    answers: Mapping[str, Any]
    task: TaskState | None
    open_task: Opener

    def value(self, builder: Builder, name: str) -> Any:
        """Return a form answer, or what the task or the grievance stored under that name."""
        if name in self.answers:
            return self.answers[name]
        if self.task is not None and name in self.task.data:
            return self.task.data[name]
        return builder.grievance.data.get(name)


def _route(builder: Builder, context: Context, _: Mapping[str, Any]) -> None:
    """转办: to the unit a person named, else as the routers decide; the trace goes into the ledger."""
    named = context.answers.get("unit")
    if named:
        _lead(builder, str(named))
        builder.remarks["routing"] = [{"kind": "desk", "outcome": "matched", "why": "人工指定", "unit": named}]
        return
    choice = builder.world.choose(builder.situation)
    builder.remarks["routing"] = [trace.as_json() for trace in choice.trace]
    if choice.unit is None:
        raise Unrouted(choice)
    if _rival_of_lead(builder, choice.unit):
        builder.remarks["routing"].append(
            {
                "kind": "separate",
                "outcome": "no-match",
                "why": "职责分离：该单位另有职责，留待人工转办",
                "unit": choice.unit,
            }
        )
        raise Unrouted(choice)
    _lead(builder, choice.unit)
    for assist in choice.assists:
        if assist != choice.unit and builder.world.directory.unit(assist):
            context.open_task(builder, "assist", assist, None, ())


class Unrouted(Exception):
    """No router found a unit: a person at the desk decides, or another system is asked first."""

    def __init__(self, choice: Any) -> None:
        super().__init__("unrouted")
        self.choice = choice


def _lead(builder: Builder, code: str) -> None:
    """Make a unit the lead, unless it is unknown or separation of duties forbids it."""
    unit = builder.world.directory.unit(code)
    if unit is None:
        raise BadForm("没有这个单位，或它已停用", fields=[{"path": "unit", "problem": "没有这个单位，或它已停用"}])
    if _rival_of_lead(builder, code):
        raise Conflict("职责分离：这个单位在本诉求上另有职责，不能承办")
    builder.set(lead_unit=code)


def _rival_of_lead(builder: Builder, code: str) -> bool:
    """Say whether the unit has, or had this cycle, a role that must be another body than the lead's."""
    rules = builder.world.rules
    for name, role in rules.workflow.roles.items():
        if role.unit != "lead":
            continue
        for rival in rules.rivals.get(name, ()):
            if code in builder.grievance.did.get(rival, ()) or code == unit_of(rival, builder.world, builder.situation):
                return True
    return False


def _assign(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """指定承办: change the lead without a move; the handle clock goes on."""
    _lead(builder, str(context.value(builder, params["to"])))
    builder.hold()
    builder.sync()


def _release(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """退单: the lead lets go; routers must not choose it again in this cycle."""
    lead = builder.grievance.lead_unit
    if lead is not None:
        returned = list(builder.grievance.data.get("returned", []))
        if lead not in returned:
            returned.append(lead)
        builder.set(data={**builder.grievance.data, "returned": returned}, lead_unit=None)


def _reclassify(builder: Builder, context: Context, _: Mapping[str, Any]) -> None:
    """更正分类: only what was given; a clock that already runs keeps its stored limit."""
    changes = {name: context.answers[name] for name in ("category", "urgency") if name in context.answers}
    if changes:
        builder.set(**changes)


def _new_cycle(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """重办: the next cycle, with its own clocks, rungs and counts; who did what starts afresh."""
    builder.end_clocks()
    kept = {key: value for key, value in builder.grievance.counts.items() if not key.startswith("cycle_")}
    data = {key: value for key, value in builder.grievance.data.items() if key != "returned"}
    builder.set(cycle=builder.grievance.cycle + 1, counts=kept, data=data, did={})


def _rate(builder: Builder, context: Context, _: Mapping[str, Any]) -> None:
    """评价: one rating per cycle and rater; first and final are both kept."""
    satisfied = context.answers.get("satisfied")
    builder.ratings.append(
        RatingDraft(
            builder.grievance.cycle,
            "complainant",
            builder.grievance.lead_unit,
            {key: value for key, value in context.answers.items() if key != "comment"},
            str(satisfied) if satisfied is not None else None,
            builder.world.now,
        )
    )


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
    builder.joins.append((other.id, 1))


def _unmerge(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """撤销并案: stand alone again; `to: back` brings the state back."""
    if builder.grievance.merged_into is not None:
        builder.joins.append((builder.grievance.merged_into, -1))
    builder.set(merged_into=None)


def _urged(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """催办: attaches to the grievance and is counted, never a new one."""
    builder.set(urged=builder.grievance.urged + 1)


def _climb(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """升级: one level up."""
    above = level_above(builder.grievance.level, [level.value for level in builder.world.rules.workflow.levels])
    if above is None:
        raise IllegalAction("已在最高一级")
    builder.set(level=above)


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
    """延期: the clock's due instant moves by what was approved."""
    clock = builder.situation.open_clock(params["clock"], None)
    if clock is None:
        raise IllegalAction("时限已经结束，不能延期")
    number = int(context.value(builder, params["by"]))
    span = Span(number, TimeUnit(params.get("unit", "workday")))
    moved = clocks.extend(clock, span, builder.world.now, builder.world.calendar)
    builder.put_clock(moved)
    builder.remarks["extended"] = {"clock": clock.name, "by": str(span)}


def _act(builder: Builder, _: Context, params: Mapping[str, Any]) -> None:
    """Let the system take an action on the grievance, right after this one."""
    builder.then.append(str(params["value"]))


def _open(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """Open a task, to a unit named by a role or a form field."""
    name = params.get("to")
    to = None
    if name is not None:
        value = context.value(builder, name)
        to = str(value) if value else unit_of(name, builder.world, builder.situation, context.task)
    context.open_task(builder, params["task"], to, params.get("document"), ())


def _notify(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """Send an instrument's notice."""
    names = params["to"]
    builder.notify(params["instrument"], [names] if isinstance(names, str) else names, context.task)


def _document(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """Issue a numbered document."""
    name = params.get("to")
    addressee = unit_of(name, builder.world, builder.situation, context.task) if name else None
    issue(builder, params["kind"], addressee, (), context.task.id if context.task else None)


def issue(builder: Builder, kind: str, addressee: str | None, copies: tuple[str, ...], task_id: UUID | None) -> str:
    """Draw a document's number from its series (gap-free per series and year), add it to the step, return the number."""
    spec = builder.world.rules.workflow.documents[kind]
    year = builder.world.calendar.local_date(builder.world.now).year
    n = builder.world.next_number(spec.series, year)
    number = spec.series.replace("{year}", str(year)).replace("{n}", str(n))
    cc = dict.fromkeys(unit for name in spec.copies if (unit := unit_of(name, builder.world, builder.situation)))
    cc.update(dict.fromkeys(copies))
    cc.pop(addressee or "", None)
    builder.documents.append(
        DocumentDraft(number, kind, spec.series, year, n, task_id, addressee, tuple(cc), spec.text, builder.world.now)
    )
    builder.remarks["document"] = number
    return number


Apply = Callable[[Builder, Context, Mapping[str, Any]], None]

_BUILT_IN: dict[str, Apply] = {
    "route": _route,
    "assign": _assign,
    "release": _release,
    "reclassify": _reclassify,
    "new_cycle": _new_cycle,
    "rate": _rate,
    "merge": _merge,
    "unmerge": _unmerge,
    "urged": _urged,
    "climb": _climb,
    "lift": _lift,
    "set": _set,
    "extend_clock": _extend_clock,
    "act": _act,
    "open": _open,
    "notify": _notify,
    "document": _document,
}
_found: dict[str, Apply] = dict(_BUILT_IN)


def apply(call: EffectCall, builder: Builder, context: Context) -> None:
    """Carry out one effect on the step; a third party's is found by its entry point the first time it is named."""
    effect = _found.get(call.name)
    if effect is None:
        point = next(iter(entry_points(group="wuye_loop.effects", name=call.name)))
        effect = _found[call.name] = point.load().apply
    effect(builder, context, call.params)
