"""A snapshot of areas and units, for decisions: who has which duty where, and who is one level up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from wuye_loop.domain.privacy.folding import plain_form
from wuye_loop.domain.terms import Level

if TYPE_CHECKING:
    from wuye_loop.domain.privacy.spared import Spared


@dataclass(frozen=True, slots=True)
class Area:
    """属地: a city, district, street or community; `path` is the codes from the top, each closed by a slash.

    `lon` and `lat` are degrees, or both None: only how areas lie to one another is drawn from them.
    """

    code: str
    name: str
    level: str
    parent_code: str | None
    path: str
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """承办单位: a department, street office, centre, community or property company."""

    code: str
    name: str
    kind: str
    area_code: str | None
    parent_code: str | None
    duties: tuple[str, ...]
    active: bool = True
    phones: tuple[str, ...] = ()  # of the service, public


def posts_in(duty: str) -> list[str]:
    """Return the posts that somebody's duty names: one, or several as a Chinese list."""
    return [post for part in duty.split("、") if (post := part.strip())]


class Directory:
    """Immutable; `version` is the directory epoch it was read at, `estates` are the names of estates.

    `posts` are the posts of the people of each unit, by its code; who they are is not in it.
    """

    def __init__(
        self,
        areas: Iterable[Area],
        units: Iterable[Unit],
        version: int = 0,
        estates: Iterable[str] = (),
        posts: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.posts = posts or {}
        self.areas = {area.code: area for area in areas}
        self.units = {unit.code: unit for unit in units}
        self.version = version
        self._estates = tuple(estates)
        by_duty: dict[tuple[str, str | None], Unit] = {}
        for unit in self.units.values():
            if unit.active:
                for duty in unit.duties:
                    by_duty.setdefault((duty, unit.area_code), unit)
        self._by_duty = by_duty
        self.by_duty = lru_cache(maxsize=8192)(self._nearest)
        self.ancestors = lru_cache(maxsize=8192)(self._ancestors)

    @cached_property
    def public(self) -> "Spared":
        """What of it is never struck out of a text: service phones, names of units, estates and areas."""
        from wuye_loop.domain.privacy.spared import spared  # noqa: PLC0415 its patterns: who proves a file never needs them

        named = (*(area.name for area in self.areas.values()), *(unit.name for unit in self.units.values()))
        phones = [phone for unit in self.units.values() for phone in unit.phones]
        return spared(phones, [plain_form(name) for name in (*named, *self._estates)])

    @cached_property
    def top(self) -> Area | None:
        """The only area under no other; None where there are several, or none."""
        tops = [area for area in self.areas.values() if area.parent_code is None]
        return tops[0] if len(tops) == 1 else None

    def unit(self, code: str | None) -> Unit | None:
        """Return the active unit with this code, if there is one."""
        found = self.units.get(code) if code else None
        return found if found is not None and found.active else None

    def name_of(self, code: str | None) -> str | None:
        """Return the unit's name, or the code itself when nobody knows it."""
        if code is None:
            return None
        found = self.units.get(code)
        return found.name if found else code

    def _ancestors(self, path: str) -> tuple[Area, ...]:
        codes = [code for code in path.split("/") if code]
        return tuple(self.areas[code] for code in codes if code in self.areas)

    def area_at(self, path: str, level: str) -> Area | None:
        """Return the area of this level on the path from the top to the grievance's own area."""
        return next((area for area in self.ancestors(path) if area.level == level), None)

    def _nearest(self, duty: str, path: str, level: str | None = None) -> Unit | None:
        """Return the unit with this duty for the area: at the level asked for, else the nearest one going up."""
        if level is not None:
            area = self.area_at(path, level)
            return self._by_duty.get((duty, area.code)) if area else None
        for area in reversed(self.ancestors(path)):
            found = self._by_duty.get((duty, area.code))
            if found is not None:
                return found
        return self._by_duty.get((duty, None))

    def superior(self, code: str | None) -> Unit | None:
        """Return the unit one level up, if there is one."""
        own = self.unit(code)
        return self.unit(own.parent_code) if own else None


def level_above(level: str, levels: Iterable[str]) -> str | None:
    """Return the next level of a workflow's own list, or None at the top."""
    order = [Level(item).value for item in levels]
    place = order.index(level) + 1 if level in order else 0
    return order[place] if place < len(order) else None
