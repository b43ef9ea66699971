"""The town that a sandbox stands in: areas, units and estates, derived from a workflow or written by hand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.directory.document import AreaEntry, DirectoryDocument, EstateEntry, UnitEntry
from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.routing.protocol import COMPANY
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.terms import Level
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.store.calendar.working_days import DayTable
from wuye_loop.trial.town.units_named import duties, routed_to

LEVELS: Final = {Level.CITY: "市", Level.DISTRICT: "区", Level.STREET: "街道", Level.COMMUNITY: "社区"}  # the top first
COMPANY_UNIT: Final = "company-1"
ESTATE: Final = "E1"
_YEARS_AROUND: Final = 3  # years before and after the first day whose calendar is held to be published


@dataclass(frozen=True, slots=True)
class Estate:
    """小区 of the town: where it lies and which company runs it."""

    code: str
    name: str
    area_code: str
    company_code: str | None
    kind: str | None


@dataclass(frozen=True)
class Town:
    """A directory with its estates, by code."""

    directory: Directory
    estates: Mapping[str, Estate]

    def estate(self, named: str | None) -> Estate | None:
        """Return the estate of this code, or the only one of this name."""
        if named is None:
            return None
        found = self.estates.get(named)
        if found is not None:
            return found
        same = [estate for estate in self.estates.values() if estate.name == named]
        return same[0] if len(same) == 1 else None


def town_of(rules: Rules, document: DirectoryDocument | None = None) -> Town:
    """Return a town in which the workflow can run: what the rules name, then the entries of a document over it.

    Derived: one area of each level, coded `city` `district` `street` `community`; every unit that roles or routers
    name, in the top area; for every duty a unit at each level, coded `duty-level`, under the one a level above; one
    estate `E1` in the smallest area, run by `company-1`. An entry of the document replaces the one of the same code.
    """
    areas = {entry.code: entry for entry in _areas()}
    units = {entry.code: entry for entry in _units(rules)}
    estates = {entry.code: entry for entry in _estates()}
    if document is not None:
        areas |= {entry.code: entry for entry in document.areas}
        units |= {entry.code: entry for entry in document.units}
        estates |= {entry.code: entry for entry in document.estates}
    paths = _paths(areas)
    directory = Directory(
        (Area(one.code, one.name, one.level.value, one.parent, paths[one.code]) for one in areas.values()),
        (
            Unit(one.code, one.name, one.kind, one.area, one.parent, one.duties, active=one.active, phones=one.phones)
            for one in units.values()
        ),
    )
    return Town(
        directory, {one.code: Estate(one.code, one.name, one.area, one.company, one.kind) for one in estates.values()}
    )


def calendar_of(
    office: OfficeHours, first: date, holidays: Iterable[date] = (), workdays: Iterable[date] = ()
) -> WorkCalendar:
    """Return a calendar with these holidays and make-up days (调休); the years around `first` are held published."""
    days = dict.fromkeys(holidays, False) | dict.fromkeys(workdays, True)
    return _calendar(office.zone, office.hours, tuple(sorted(days.items())), first.year)


@lru_cache(maxsize=64)  # a calendar lays out whole years; the tests of a file share one
def _calendar(zone: str, hours: tuple[str, ...], days: tuple[tuple[date, bool], ...], year: int) -> WorkCalendar:
    published = range(year - _YEARS_AROUND, year + _YEARS_AROUND + 1)
    return DayTable(dict(days), published, 1).calendar(zone, hours)


def _areas() -> Iterator[AreaEntry]:
    above: str | None = None
    for level, name in LEVELS.items():
        yield AreaEntry(code=level.value, name=f"示例{name}", level=level, parent=above)
        above = level.value


def _units(rules: Rules) -> Iterator[UnitEntry]:
    """Give a unit for every code and every duty that the rules name."""
    office: str | None = None
    for duty in dict.fromkeys(duty for duty, _ in duties(rules.workflow)):
        above: str | None = None
        for level, name in LEVELS.items():
            code = f"{duty}-{level.value}"
            yield UnitEntry(
                code=code, name=f"{name}{duty}", kind="office", area=level.value, parent=above, duties=(duty,)
            )
            above = code
            if level is Level.STREET:
                office = office or code
    yield UnitEntry(
        code=COMPANY_UNIT, name="示例物业", kind="company", area=Level.COMMUNITY.value, parent=office, duties=()
    )
    for code in dict.fromkeys((*rules.fixed_units, *routed_to(rules.workflow))):
        if code == COMPANY:
            continue
        yield UnitEntry(code=code, name=code, kind="department", area=next(iter(LEVELS)).value)


def _estates() -> Iterator[EstateEntry]:
    yield EstateEntry(code=ESTATE, name="示例小区", area=Level.COMMUNITY.value, company=COMPANY_UNIT)


def _paths(areas: Mapping[str, AreaEntry]) -> dict[str, str]:
    """Return every area's path; ValueError in words for an area above that is not there, or a circle."""
    paths: dict[str, str] = {}
    for code in areas:
        chain: list[str] = []
        here: str | None = code
        while here is not None:
            if here not in areas:
                raise ValueError(f"上级属地 {here} 不存在")
            if here in chain:
                raise ValueError(f"属地 {here} 的上级绕成了圈")
            chain.append(here)
            here = areas[here].parent
        paths[code] = "".join(f"{one}/" for one in reversed(chain))
    return paths
