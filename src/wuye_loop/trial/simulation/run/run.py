"""One run: a year of arrivals, work and clocks for one seed."""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.trial.simulation.chance import Lots, lots, many, shared
from wuye_loop.trial.simulation.inputs.load import Load
from wuye_loop.trial.simulation.inputs.places import AT, Places
from wuye_loop.trial.simulation.inputs.profiles import Profiles
from wuye_loop.trial.simulation.inputs.staff import Staff
from wuye_loop.trial.simulation.minutes import DAY, Deadlines, OfficeMinutes
from wuye_loop.trial.simulation.run.assigning import Assigning
from wuye_loop.trial.simulation.run.clocks import Clockwork
from wuye_loop.trial.simulation.run.desk import Agenda, Desk, QueuedCase
from wuye_loop.trial.simulation.run.flow import flow_of
from wuye_loop.trial.simulation.run.moving import Moving
from wuye_loop.trial.simulation.run.preparing import Preparing
from wuye_loop.trial.simulation.run.working import Working

if TYPE_CHECKING:
    from array import array

_WEEK: Final = 7
_AFTER: Final = 20  # days the calendar goes on after the last, for what is due then


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run needs: rules, arrivals, staff with the people of every unit, calendar, days from `first`."""

    rules: Rules
    load: Load
    staff: Staff
    people: Mapping[str, int]
    places: Places
    calendar: WorkCalendar
    first: date
    days: int
    arriving: int | None = None  # days on which anything arrives; None: all


class Run:
    """A run of a scene for one seed; afterwards its desks, flow and counts say what came of it."""

    def __init__(self, scene: Scene, seed: int) -> None:
        workflow = scene.rules.workflow
        self._scene = scene
        self._seed = seed
        self._lots = Lots(seed)
        self.office = OfficeMinutes(scene.calendar, workflow.calendar.hours, scene.first, scene.days + _AFTER)
        deadlines = Deadlines(scene.calendar, self.office, scene.first, workflow.calendar.zone)
        self.agenda = Agenda(scene.days * DAY)
        self.flow = flow_of(workflow, scene.staff, deadlines, self.office.a_day)
        self._profiles = Profiles(scene.rules, scene.load, scene.places)
        self.desks = {code: self._desk(code, workflow.calendar.hours) for code in scene.places.codes}
        self.moving = Moving(self.flow, self.office, self.agenda)
        assigning = Assigning(workflow, scene.places, self.desks, self.moving.facts)
        self.preparing = Preparing(self.flow, self.moving, assigning)
        self._working = Working(
            self.flow, self.office, self.agenda, self.moving, assigning, self.preparing, scene.staff.respond
        )
        self.clockwork = Clockwork(self.flow.clocks, self.office, self.agenda, self.moving.facts, self._working.ring)
        self.moving.settle(self.clockwork, assigning, self._working.ask_again)
        self._level = workflow.levels[0].value
        self.arrived = 0
        self.open_by_week: list[int] = []

    def _desk(self, code: str, hours: Sequence[str]) -> Desk:
        scene = self._scene
        said = scene.staff.units.get(code) or scene.staff.units.get(code.partition(AT)[0])
        office = self.office
        if said is not None and said.hours and said.hours != hours:
            office = OfficeMinutes(scene.calendar, said.hours, scene.first, scene.days + _AFTER)
        return Desk(code, scene.people.get(code, 0), office, len(self.flow.clocks))

    def play(self) -> "Run":
        """Run to the end and count what is left."""
        collecting = gc.isenabled()
        gc.disable()  # nothing here goes in circles, and looking for circles took a fifth of the time
        try:
            self._days()
        finally:
            if collecting:
                gc.enable()
        self.agenda.now = self.agenda.last
        for case in self.moving.live.values():
            self.clockwork.left(case)
        for desk in (*self.desks.values(), self.clockwork.nobody):
            self.clockwork.settle(desk, self.flow.states.values())
        return self

    def _days(self) -> None:
        hours = [int(hour) * 60 for hour in shared(self._scene.load.hours)]
        arriving = self._scene.arriving or self._scene.days
        agenda, early = self.agenda, False
        for day in range(self._scene.days):
            begin = day * DAY
            if early:  # what was noted for midnight before this day was thought of comes before it
                agenda.through(begin, begin + 1)
            if day < arriving:
                if day and day % _WEEK == 0:
                    self._look_around()
                agenda.now = begin
                for one in self._arrivals(day):
                    agenda.at(begin + hours[one >> 52] + one % 60, self._arrive, None)
            early = begin + DAY in agenda.noted
            agenda.through(begin, begin + DAY)

    def _arrivals(self, day: int) -> "array[int]":
        """Return a lot for each grievance that arrives on a day."""
        load = self._scene.load
        (drawn,) = lots(self._seed, "day", day, number=1)
        number = many((load.per_day or 0) * load.factor(self._scene.first + timedelta(days=day)), drawn)
        return lots(self._seed, "arrivals", day, number=number)

    def _look_around(self) -> None:
        self.open_by_week.append(len(self.moving.live))
        for desk in self.desks.values():
            desk.series.append(desk.held)

    def _arrive(self, _: None, __: None, ___: None) -> None:
        n = self.arrived
        self.arrived = n + 1
        block, place = self._lots.of(n)
        profile = self._profiles.of(block[place])
        case = self.moving.live[n] = QueuedCase(n, profile, block, place, self.agenda.now, self._level)
        self.moving.enter(case, self.flow.states[profile.start])
        if self.flow.joins:
            self.moving.join(case)
        self._working.begin(case)
