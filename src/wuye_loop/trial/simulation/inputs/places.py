"""Where a simulation happens: the load's streets as areas, and every unit that the workflow's roles and routers name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.language.workflow import EstateUnit, Workflow
from wuye_loop.domain.routing.protocol import COMPANY
from wuye_loop.domain.terms import Level
from wuye_loop.trial.town.units_named import CURRENT, duties, routed_to

_TOP: Final = (("city", Level.CITY), ("district", Level.DISTRICT))
AT: Final = "@"  # a duty's unit is named duty@area


@dataclass(frozen=True, slots=True)
class Street:
    """One street of the load, with one community: `area` is what a grievance there has, `path` all above it too."""

    name: str
    area: str
    path: str


class Places:
    """The units of a workflow over some streets, each by its code; a duty's units are coded `duty@area`."""

    def __init__(self, workflow: Workflow, streets: Iterable[str]) -> None:
        self._workflow = workflow
        above = "".join(f"{code}/" for code, _ in _TOP)
        self.streets = [Street(name, _community(name), f"{above}{name}/{_community(name)}/") for name in streets]
        self._codes: dict[str, str] = {}  # unit -> the name it may also be called by: its duty, or its own code
        units = [*self._fixed(), *self._with_duties()]
        self.directory = Directory(self._areas(above), units)
        self.titles = {unit.code: unit.name for unit in units}

    @property
    def codes(self) -> tuple[str, ...]:
        """Every unit's code."""
        return tuple(self._codes)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that stands for units: codes, and duties for all their units."""
        return tuple(dict.fromkeys((*self._codes.values(), *self._codes)))

    def named(self, name: str) -> tuple[str, ...]:
        """Return the codes of the units that a name stands for; none when nobody has it."""
        return tuple(code for code, called in self._codes.items() if name in (code, called))

    def _fixed(self) -> Iterable[Unit]:
        titles = {
            role.unit: role.title for role in reversed(self._workflow.roles.values()) if isinstance(role.unit, str)
        }
        for code in _fixed_codes(self._workflow):
            self._codes[code] = code
            title = "物业企业" if code == COMPANY else titles.get(code, code)
            yield Unit(code, title, "company" if code == COMPANY else "department", None, None, ())

    def _with_duties(self) -> Iterable[Unit]:
        wanted: dict[tuple[str, str], list[str]] = {}
        for duty, level in _duties(self._workflow):
            for area in self._at(level):
                wanted.setdefault((duty, area), []).append(level)
        for duty, area in wanted:
            code = f"{duty}{AT}{area}"
            self._codes[code] = duty
            yield Unit(code, code, "office", area, None, (duty,))

    def _at(self, level: str) -> list[str]:
        if level == Level.STREET:
            return [street.name for street in self.streets]
        if level == Level.COMMUNITY:
            return [street.area for street in self.streets]
        return [code for code, known in _TOP if known == level]

    def _areas(self, above: str) -> Iterable[Area]:
        parent, path = None, ""
        for code, level in _TOP:
            path += f"{code}/"
            yield Area(code, code, level.value, parent, path)
            parent = code
        for street in self.streets:
            yield Area(street.name, street.name, Level.STREET.value, parent, f"{above}{street.name}/")
            yield Area(street.area, street.area, Level.COMMUNITY.value, street.name, street.path)


def _community(street: str) -> str:
    return f"{street}社区"


def _fixed_codes(workflow: Workflow) -> list[str]:
    """Return the codes that roles and routers name, each once; `company` for every property company together."""
    special = ("lead", "assist")
    found = {role.unit: None for role in workflow.roles.values() if isinstance(role.unit, str)}
    if any(isinstance(role.unit, EstateUnit) for role in workflow.roles.values()):
        found[COMPANY] = None
    found |= routed_to(workflow)
    return [code for code in found if code not in special]


def _duties(workflow: Workflow) -> list[tuple[str, str]]:
    """Return the duties that roles and routers name, each with its levels."""
    every = [level.value for level in workflow.levels]
    named = ((duty, every if level == CURRENT else [level]) for duty, level in duties(workflow))
    return list(dict.fromkeys((duty, level) for duty, levels in named for level in levels))
