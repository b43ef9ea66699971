"""Who plays under which rules: whether our own players know their parts, and the units that others need."""

from collections.abc import Mapping
from typing import Any, Final

from wuye_loop.demo.district import DISTRICT, district
from wuye_loop.demo.scene import COMMAND
from wuye_loop.domain.language.workflow import DutyUnit, Workflow
from wuye_loop.domain.routing.protocol import COMPANY
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.trial.town.units_named import CURRENT, duties, routed_to

_MISSING: Final = 2  # units of a workflow that the made-up district may lack: only special parts are theirs
#: What every player knows how to do: action, where it leads.
_STEPS: Final = (
    ("accept", "routing"), ("route", "assigned"), ("sign", "handling"), ("finish", "reviewing"), ("approve", "callback"),
)  # fmt: skip


def known(workflow: Workflow) -> bool:
    """Say whether our own players know their parts under these rules; else everybody goes by the file."""
    units = {str(unit["code"]) for unit in district()["units"]}
    named = {role.unit for role in workflow.roles.values() if isinstance(role.unit, str)} - {"lead", "assist"}
    return len(named - units) <= _MISSING and all(_leads(workflow, *step) for step in _STEPS)


def _leads(workflow: Workflow, name: str, to: str) -> bool:
    """Say whether an action leads where the players expect it to, and nowhere that they do not know."""
    action = workflow.actions.get(name)
    targets = {way.to if way.to is not None else action.to for way in action.ways} if action is not None else set()
    return to in targets and targets <= {*(where for _, where in _STEPS), "closed", None}


def cast_for(workflow: Workflow) -> dict[str, Any]:
    """Return the made-up district with every unit that these rules name: by code, and by duty in each area of its level."""
    document = district()
    units: list[dict[str, Any]] = document["units"]
    have = {str(unit["code"]) for unit in units}
    titles = {role.unit: role.title for role in workflow.roles.values() if isinstance(role.unit, str)}
    codes = dict.fromkeys([*titles, *routed_to(workflow)])
    missing = [code for code in codes if code not in have and code not in ("lead", "assist", COMPANY)]
    units += [_unit(code, titles.get(code, code), DISTRICT, "department") for code in missing]
    for duty, level in duties(workflow):
        levels = [one.value for one in workflow.levels] if level == CURRENT else [level]
        held = {unit["area"] for unit in units if duty in unit.get("duties", ())}
        units += [
            _unit(f"{duty}-{area['code']}", f"{area['name']}{_called(workflow, duty)}", area["code"], "office", duty)
            for area in document["areas"]
            if area["level"] in levels and area["code"] not in held
        ]
    return document


def _called(workflow: Workflow, duty: str) -> str:
    """Return what people call a unit of this duty: the role that it has, else the router that finds it."""
    found = next((role.title for role in workflow.roles.values() if _has(role.unit, duty)), None)
    return found or next(
        (call.title for call in workflow.routers if call.params.get("duty") == duty and call.title), duty
    )


def _has(unit: object, duty: str) -> bool:
    return isinstance(unit, DutyUnit) and unit.duty == duty


def _unit(code: str, name: str, area: str, kind: str, *duties: str) -> dict[str, Any]:
    return {
        "code": code[:40], "name": name[:60], "kind": kind, "area": area, "parent": COMMAND, "duties": list(duties),
    }  # fmt: skip


def asked(rules: Rules, form: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order with what its source asks for, as far as it must be there."""
    _, source = rules.source_of(form["channel"])
    if source is None:
        return dict(form)
    given: dict[str, Any] = {}
    for name, spec in source.needs.items():
        facts = {**form, **{f"{family}.{key}": value for family in ("form", "extra") for key, value in given.items()}}
        if not spec.optional and (spec.when is None or spec.when.holds(facts)):
            given[name] = spec.choices[0] if spec.choices else {"int": 1, "bool": True}.get(spec.type, "见正文")
    return {**form, "extra": given}
