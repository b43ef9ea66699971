"""What units a workflow names, by code and by duty: a town made up for it must have them all."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from wuye_loop.domain.language.workflow import DutyUnit, Workflow

CURRENT: Final = "current"  # in place of a level: whichever the grievance is at
_TERRITORY_DUTY: Final = "property-office"
_UNITS: Final = ("to", "assist", "fallback", "among", "codes")


def routed_to(workflow: Workflow) -> dict[str, None]:
    """Return the codes that routers name, each once, in their order; `company` among them."""
    return dict.fromkeys(code for call in workflow.routers for code in _texts(call.params, _UNITS))


def duties(workflow: Workflow) -> list[tuple[str, str]]:
    """Return the duties that roles and routers name, each with its level or `current`, each pair once."""
    found: dict[tuple[str, str], None] = {}
    for role in workflow.roles.values():
        if isinstance(role.unit, DutyUnit):
            found[role.unit.duty, str(role.unit.level)] = None
    for call in workflow.routers:
        if call.kind == "territory":
            found[str(call.params.get("duty", _TERRITORY_DUTY)), str(call.params.get("level", CURRENT))] = None
        else:
            found |= dict.fromkeys((duty, CURRENT) for duty in _texts(call.params, ("duty",)))
    return list(found)


def _texts(part: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """Give every text, alone or in a list, that stands under one of the keys."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key in keys:
                yield from (one for one in (value if isinstance(value, list | tuple) else [value]) if _is_text(one))
            if key != "when":  # conditions have facts of the same names
                yield from _texts(value, keys)
    elif isinstance(part, list | tuple):
        for item in part:
            yield from _texts(item, keys)


def _is_text(value: object) -> bool:
    return isinstance(value, str)
