"""What every player knows: the doors, the day, the cases seen so far, and how each unit works."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from wuye_loop.demo.chance import Chance
from wuye_loop.demo.doors import Doors
from wuye_loop.demo.invented.complaints import Complaint

HOTLINE: Final = "hotline"
CENTRE: Final = "property-centre"
COMMAND: Final = "command-office"
SUPERVISOR: Final = "supervisor"
CRITICAL: Final = "特急"
_HARD = 0.04


class Character(StrEnum):
    """How a unit works."""

    PUNCTUAL = "punctual"
    SLOW = "slow"
    FORGETFUL = "forgetful"


_UP_TO = {Character.PUNCTUAL: 0.62, Character.SLOW: 0.87, Character.FORGETFUL: 1.0}  # of a district's units


@dataclass(slots=True)
class Case:
    """A complaint that has a number, as far as the players have been told."""

    complaint: Complaint
    number: str
    state: str
    urgency: str
    cycle: int = 1
    lead: str | None = None
    company: str | None = None
    area: str | None = None
    category: str | None = None
    assists: set[str] = field(default_factory=set)  # open ones
    since: dict[str, int] = field(default_factory=dict)  # what began on which working day of the play
    times: dict[str, int] = field(default_factory=dict)  # how often something was done
    leads: set[str] = field(default_factory=set)  # who has led it; an order may lie with one that no longer does

    @property
    def key(self) -> str:
        """What chance is asked about: the same in every run, which numbers are not."""
        return self.complaint.external_id

    @property
    def critical(self) -> bool:
        """Whether it cannot wait for office hours."""
        return self.urgency == CRITICAL

    def learn(self, view: Mapping[str, Any] | None) -> None:
        """Take over what an answer says of the grievance; None is an action that was not allowed."""
        if view is None:
            return
        self.state, self.urgency, self.cycle = view["state"], view["urgency"], view["cycle"]
        self.lead, self.company, self.area = view["lead_unit"], view["company"], view["area"]
        self.category = view["category"]
        if self.lead:
            self.leads.add(self.lead)
        self.assists = {task["id"] for task in view["open_tasks"] if task["kind"] == "assist"}

    def count(self, what: str) -> int:
        """Note that something is done, and return how often it was done before."""
        before = self.times.get(what, 0)
        self.times[what] = before + 1
        return before

    def begun(self, what: str, day: int) -> int:
        """Return for how many working days something has been going on; the first question starts it."""
        return day - self.since.setdefault(what, day)


@dataclass(slots=True)
class Scene:
    """One play: `day` counts working days from 0, `now` is what the clock shows; `hurry` when everybody works off what is left."""

    doors: Doors
    chance: Chance
    today: date
    units: Mapping[str, Mapping[str, Any]]  # of the directory document, by code
    now: datetime
    day: int = 0
    hurry: bool = False
    slot: int = 0  # how often today somebody has sat down to work
    heaviest: str = ""  # the supervision document that presses most, as the workflow has it
    cases: dict[str, Case] = field(default_factory=dict)  # by number
    by_id: dict[str, Case] = field(default_factory=dict)  # by external id

    def add(self, complaint: Complaint, receipt: Mapping[str, Any]) -> Case:
        """Remember a complaint that was taken in."""
        case = Case(complaint, receipt["number"], receipt["state"], receipt["urgency"], category=receipt["category"])
        self.cases[case.number] = self.by_id[case.key] = case
        return case

    def character(self, unit: str) -> Character:
        """Return how a unit works: the same all through a play."""
        lot = self.chance.roll("character", unit)
        return next(character for character, share in _UP_TO.items() if lot < share)

    def hard(self, case: Case) -> bool:
        """Say whether this is one of the few matters in which everything goes wrong (老大难)."""
        return not self.hurry and not case.critical and self.chance.happens(_HARD, "hard", case.key)

    def busy(self) -> list[str]:
        """Return the units that may have something on their desk; the others need not look."""
        found: set[str] = set()
        for case in self.cases.values():
            if case.state not in ("closed", "refused") or case.times.get("order"):
                found |= case.leads
                if case.assists and case.company:
                    found.add(case.company)
        return sorted(found)

    def critical(self) -> list[Case]:
        """Return the cases that cannot wait and that somebody still works on."""
        busy = ("received", "routing", "assigned", "handling", "supervised")
        return [case for case in self.cases.values() if case.critical and case.state in busy]
