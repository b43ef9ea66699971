"""The directory as a tree: areas with their units and estates, and which roles of a workflow each unit fills."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.language.workflow import DutyUnit, EstateUnit, Workflow
from wuye_loop.store.directory.read import EstateLine


def roles_of(workflow: Workflow, directory: Directory, estates: Iterable[EstateLine]) -> dict[str, list[str]]:
    """Return by unit the titles of the roles that it can fill; roles that routing gives out (the lead) are nobody's own."""
    companies = {one.company_code for one in estates if one.company_code is not None}
    found: dict[str, list[str]] = {}
    for role in workflow.roles.values():
        for unit in directory.units.values():
            if unit.active and _fills(role.unit, unit, directory, companies):
                found.setdefault(unit.code, []).append(role.title)
    return found


def _fills(wanted: object, unit: Unit, directory: Directory, companies: set[str]) -> bool:
    if isinstance(wanted, EstateUnit):
        return unit.code in companies
    if isinstance(wanted, DutyUnit):
        area = directory.areas.get(unit.area_code or "")
        fits = wanted.level == "current" or (area is not None and area.level == wanted.level)
        return wanted.duty in unit.duties and fits
    return wanted == unit.code


def tree_of(
    directory: Directory, estates: Iterable[EstateLine], roles: Mapping[str, list[str]], top: str | None = None
) -> list[dict[str, Any]]:
    """Return the areas below one (None: all) as nested mappings: code, name, level, units, estates, areas.

    What lies in no area that is known comes last, under an area without a code.
    """
    every = list(estates)
    first = [directory.areas[top]] if top is not None else _below(directory, None)
    found = [_area(directory, area, every, roles) for area in first]
    if top is None:
        lost = [unit for unit in directory.units.values() if unit.area_code not in directory.areas]
        if lost:
            units = [_unit(unit, roles) for unit in lost]
            found.append(
                {"code": None, "name": "不在属地里", "level": None, "units": units, "estates": [], "areas": []}
            )
    return found


def _below(directory: Directory, code: str | None) -> list[Area]:
    known = directory.areas
    return sorted(
        (one for one in known.values() if (one.parent_code if one.parent_code in known else None) == code),
        key=lambda one: one.code,
    )


def _area(
    directory: Directory, area: Area, estates: list[EstateLine], roles: Mapping[str, list[str]]
) -> dict[str, Any]:
    return {
        "code": area.code,
        "name": area.name,
        "level": area.level,
        "units": [_unit(unit, roles) for unit in directory.units.values() if unit.area_code == area.code],
        "estates": [
            {"code": one.code, "name": one.name, "company": one.company_code}
            for one in estates
            if one.area_code == area.code
        ],
        "areas": [_area(directory, one, estates, roles) for one in _below(directory, area.code)],
    }


def _unit(unit: Unit, roles: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        "code": unit.code,
        "name": unit.name,
        "kind": unit.kind,
        "parent": unit.parent_code,
        "duties": list(unit.duties),
        "active": unit.active,
        "roles": list(roles.get(unit.code, ())),
    }


def lines_of(tree: Iterable[Mapping[str, Any]], depth: int = 0) -> Iterator[str]:
    """Give the tree as lines for people, each level two spaces further in."""
    pad = "  " * depth
    for area in tree:
        yield f"{pad}{area['name']}" + (f" {area['code']}" if area["code"] else "")
        for unit in area["units"]:
            duties = f"，职责 {'、'.join(unit['duties'])}" if unit["duties"] else ""
            roles = f"，可任 {'、'.join(unit['roles'])}" if unit["roles"] else ""
            stopped = "" if unit["active"] else "，已停用"
            yield f"{pad}  · {unit['name']} {unit['code']}{duties}{roles}{stopped}"
        for estate in area["estates"]:
            company = f"，物业 {estate['company']}" if estate["company"] else "，无物业"
            yield f"{pad}  ○ {estate['name']} {estate['code']}{company}"
        yield from lines_of(area["areas"], depth + 1)
