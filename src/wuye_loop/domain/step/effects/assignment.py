"""What effects do about who is in charge: routing, assignment, release, classification, levels, precedents."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wuye_loop.domain.directory.directory import level_above
from wuye_loop.domain.errors import BadForm, Conflict, IllegalAction
from wuye_loop.domain.grievance.roles import unit_of
from wuye_loop.domain.grievance.situation import Situation
from wuye_loop.domain.routing.protocol import Precedent
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.amending import PROPOSAL
from wuye_loop.domain.step.effects.context import Context, Unrouted
from wuye_loop.domain.step.records import PrecedentDraft


def route(builder: Builder, context: Context, _: Mapping[str, Any]) -> None:
    """转办: to the unit a person named, else as the routers decide; the trace goes into the ledger."""
    named = context.answers.get("unit")
    builder.remarks.pop(PROPOSAL, None)  # of a correction in the same action: it is done now
    if named:
        _appoint(builder, str(named))
        builder.remarks["routing"] = [{"kind": "desk", "outcome": "matched", "why": "人工指定", "unit": named}]
        return
    choice = builder.world.choose(_with_rulings(builder))
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
            context.open_task(builder, "assist", assist, None, {})


def _with_rulings(builder: Builder) -> Situation:
    """Return the grievance as the routers are to see it: a unit may be ruled to be in charge in this very step."""
    if not builder.precedents:
        return builder.situation
    area, calendar = builder.grievance.area_path, builder.world.calendar
    ruled = (
        Precedent(draft.ruling, draft.to_unit, area, calendar.local_date(draft.at).isoformat())
        for draft in reversed(builder.precedents)
    )
    return replace(builder.situation, ruled=tuple(ruled))


def _appoint(builder: Builder, code: str) -> None:
    """Make the unit that a person named the lead, unless separation of duties forbids it."""
    if _rival_of_lead(builder, code):
        raise Conflict("职责分离：这个单位在本诉求上另有职责，不能承办")
    _lead(builder, code)


def _lead(builder: Builder, code: str) -> None:
    """Make a unit the lead, unless it is unknown; whether it has a rival role was asked before."""
    unit = builder.world.directory.unit(code)
    if unit is None:
        raise BadForm("没有这个单位，或它已停用", fields=[{"path": "unit", "problem": "没有这个单位，或它已停用"}])
    if code != builder.grievance.lead_unit:
        builder.end_per("assignment")
    builder.set(lead_unit=code)


def _rival_of_lead(builder: Builder, code: str) -> bool:
    """Say whether the unit has, or had this cycle, a role that must be another body than the lead's."""
    did, world, situation = builder.grievance.did, builder.world, builder.situation
    for rival in world.rules.lead_rivals:
        if code in did.get(rival, ()) or code == unit_of(rival, world, situation):
            return True
    return False


def assign(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """指定承办: change the lead without a move; the handle clock goes on."""
    _appoint(builder, str(context.value(builder, params["to"])))
    builder.hold()
    builder.sync()


def release(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """退单: the lead lets go; routers must not choose it again in this cycle."""
    lead = builder.grievance.lead_unit
    if lead is not None:
        returned = list(builder.grievance.data.get("returned", []))
        if lead not in returned:
            returned.append(lead)
        builder.set(data={**builder.grievance.data, "returned": returned}, lead_unit=None)


def reclassify(builder: Builder, context: Context, _: Mapping[str, Any]) -> None:
    """更正分类: only what was given; a clock that already runs keeps its stored limit."""
    given = {name: context.answers[name] for name in ("category", "urgency") if name in context.answers}
    # Columns are searched by: of a text that knows its sealed form only the words.
    changes = {name: value if value is None else str(value) for name, value in given.items()}
    if changes:
        builder.set(**changes)


def climb(builder: Builder, _: Context, __: Mapping[str, Any]) -> None:
    """升级: one level up, where clocks that belong to a level start anew."""
    above = level_above(builder.grievance.level, [level.value for level in builder.world.rules.workflow.levels])
    if above is None:
        raise IllegalAction("已在最高一级")
    builder.end_per("level")
    builder.set(level=above)
    builder.hold()


def precedent(builder: Builder, context: Context, params: Mapping[str, Any]) -> None:
    """裁定成为先例: who was ruled to be in charge of such a matter, shown by the routers the next time."""
    grievance = builder.grievance
    named = params.get("unit")
    unit = context.value(builder, named) if named else None
    reason = context.value(builder, params["reason"]) if params.get("reason") else None
    draft = PrecedentDraft(
        grievance.seq + 1,
        grievance.category,
        grievance.lead_unit,
        str(unit) if unit else None,
        str(context.value(builder, params["ruling"]) or params["ruling"]),
        reason or None,  # as it is: a text knows its sealed form
        builder.world.now,
    )
    builder.precedents = [*builder.precedents, draft]
    builder.remarks["precedent"] = {"ruling": draft.ruling, "unit": draft.to_unit}
