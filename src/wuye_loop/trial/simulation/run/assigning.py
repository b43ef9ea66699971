"""Who gets a grievance in a run: roles resolved to units, routers asked as the engine asks them, or a person's choice."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from wuye_loop.domain.directory.directory import level_above
from wuye_loop.domain.language.workflow import DutyUnit, EstateUnit, Workflow
from wuye_loop.domain.routing.chain import choose
from wuye_loop.domain.routing.protocol import COMPANY, RoutingCase
from wuye_loop.trial.simulation.inputs.places import AT, Places
from wuye_loop.trial.simulation.run.desk import Desk, QueuedCase


class Asked(Mapping[str, Any]):
    """Facts that remember which of them were looked at: a router that sees the same again says the same again."""

    __slots__ = ("_facts", "names")

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self.names: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Any:
        """Return a fact; `get` and `in` come here too. KeyError for an unknown one."""
        self.names |= {name}
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        """Give the names of all; whoever asks for them looks at all."""
        self.names |= frozenset(self._facts)
        return iter(self._facts)

    def __len__(self) -> int:
        """Return how many facts there are."""
        return len(self._facts)

    def plain(self, names: Iterable[str]) -> list[object]:
        """Return these facts so that they can be compared, None for unknown ones, without looking at them."""
        values = map(self._facts.get, names)
        return [tuple(value) if isinstance(value, list) else value for value in values]


class Assigning:
    """Finds units; answers that depend on nothing but the mix and the units that returned it are remembered."""

    def __init__(
        self,
        workflow: Workflow,
        places: Places,
        desks: Mapping[str, Desk],
        facts: Callable[[QueuedCase], Mapping[str, Any]],
    ) -> None:
        self._workflow = workflow
        self._places = places
        self._desks = desks
        self._facts = facts
        self._roles: dict[tuple[str, str, str], Desk | None] = {}
        self._routes: dict[tuple[object, ...], Desk | None] = {}
        self._asked: frozenset[str] = frozenset()  # facts that routers looked at
        self._answers: dict[tuple[object, ...], Desk | None] = {}  # what they said, by place and those facts
        self._loads_asked = False
        fixed = {role.unit for role in workflow.roles.values() if isinstance(role.unit, str)}
        self._leads = [code for code in places.codes if code not in fixed] or list(places.codes)

    def unit_of(self, role: str | None, case: QueuedCase) -> Desk | None:
        """Return the unit that a role stands for here; None for people, for nobody yet, for several."""
        spec = self._workflow.roles.get(role or "")
        if spec is None or spec.unit is None:
            return None
        if spec.unit == "lead":
            return case.lead
        if isinstance(spec.unit, EstateUnit):
            return self._desks.get(case.profile.facts[COMPANY] or "")
        key = (role or "", case.profile.street.name, case.level)
        if key not in self._roles:
            self._roles[key] = self._found(spec.unit, case)
        return self._roles[key]

    def _found(self, unit: object, case: QueuedCase) -> Desk | None:
        if isinstance(unit, str):
            return self._desks.get(unit)
        if not isinstance(unit, DutyUnit):
            return None
        level = case.level if unit.level == "current" else str(unit.level)
        found = self._places.directory.by_duty(unit.duty, case.profile.street.path, level)
        return self._desks.get(found.code) if found else None

    def fixed(self, unit: object) -> Desk | None:
        """Return the unit of a role that is the same for every grievance."""
        return self._desks.get(unit) if isinstance(unit, str) else None

    def route(self, case: QueuedCase) -> Desk | None:
        """Ask the workflow's routers; None when a person must decide."""
        key = (case.profile, case.level, case.cycle, case.returned)
        if key in self._routes:
            return self._routes[key]
        facts = Asked(self._facts(case))
        place = case.profile.street.path, case.level, case.returned
        answer = (*place, *facts.plain(self._asked))
        if answer in self._answers:
            found = self._routes[key] = self._answers[answer]
            return found
        self._loads_asked = False
        asked = RoutingCase(facts, case.profile.street.path, case.level, frozenset(case.returned))
        unit = choose(self._workflow.routers, asked, self._places.directory, self._loads).unit
        found = self._desks.get(unit) if unit else None
        if not self._loads_asked:
            self._routes[key] = found
            if not facts.names <= self._asked:
                self._asked = facts.names | self._asked
                self._answers.clear()
            self._answers[(*place, *facts.plain(self._asked))] = found
        return found

    def _loads(self, units: Sequence[str]) -> Mapping[str, int]:
        self._loads_asked = True
        return {code: self._desks[code].held for code in units if code in self._desks}

    def by_hand(self, case: QueuedCase, drawn: int) -> Desk:
        """Return the unit that a person sends it to: one of the street's own, else any that works on grievances."""
        able = [code for code in self._leads if code not in case.returned] or self._leads
        here = (case.profile.street.name, case.profile.street.area)
        own = [code for code in able if code.partition(AT)[2] in here] or able
        return self._desks[own[drawn % len(own)]]

    def climbed(self, level: str) -> str:
        """Return the next level up, or the same at the top."""
        return level_above(level, [one.value for one in self._workflow.levels]) or level
