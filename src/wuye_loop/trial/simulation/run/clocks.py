"""Clocks of a run: started, stopped and counted as states change; what the engine does, in whole minutes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wuye_loop.trial.simulation.minutes import OfficeMinutes
from wuye_loop.trial.simulation.run.desk import MOST_RUNGS, Agenda, Desk, QueuedCase, Timer
from wuye_loop.trial.simulation.run.flow import ClockLine, LimitLine, Rung, StateLine

Facts = Callable[[QueuedCase], Mapping[str, Any]]
Change = tuple[Sequence[ClockLine], Sequence[ClockLine], Sequence[ClockLine]]  # that end, are held, run


class Clockwork:
    """The clocks of every grievance of one run; `ring` is told of rungs that take an action."""

    def __init__(
        self,
        clocks: Sequence[ClockLine],
        office: OfficeMinutes,
        agenda: Agenda,
        facts: Facts,
        ring: Callable[[QueuedCase, Rung], None],
    ) -> None:
        self._clocks = [line for line in clocks if not line.simple]
        self._office = office
        self._agenda = agenda
        self._facts = facts
        self._ring = ring
        self.nobody = Desk("", 0, office, len(clocks))  # clocks that run while no unit holds

    def change(self, old: StateLine | None, new: StateLine) -> Change:
        """Return the clocks that end, are held and run when one state follows another."""
        was, comes = old.name if old else "", new.name
        lively = [line for line in self._clocks if was in line.during or was in line.paused]
        return (
            [line for line in lively if comes not in line.during and comes not in line.paused],
            [line for line in lively if comes in line.paused and was in line.during],
            [
                line
                for line in self._clocks
                if comes in line.during and (was not in line.during or line.per in ("level", "assignment"))
            ],
        )

    def leave(self, case: QueuedCase, state: StateLine, now: int) -> None:
        """Count the simple clocks of a state that is left, and remember how soon is soon enough."""
        for line in state.simple:
            self.left_state(case, line, now)
        if case.profile not in state.quick:
            limits = [self._limit(case, line) for line in state.simple if not line.early and line.keys == ()]
            known = [limit.worked for limit in limits if limit is not None and limit.due is not None]
            state.quick[case.profile] = min(known) if len(known) == len(state.simple) else 0

    def left_state(self, case: QueuedCase, line: ClockLine, now: int) -> None:
        """Count a simple clock when its state is left: it has run since the state was entered."""
        desk, start, n = case.desk or self.nobody, case.entered, line.index
        if now - start <= line.least:
            desk.due[n] += 1
            desk.in_time[n] += 1
            return
        limit = line.known.get(case.profile) or self._limit(case, line)
        if limit is None or limit.due is None:
            return
        due = limit.due(start)
        desk.due[n] += 1
        if now <= due:
            desk.in_time[n] += 1
            if not line.early:
                return
        self._climbed(case, line, start, due, now, desk)

    def stop(self, case: QueuedCase, line: ClockLine) -> None:
        """End a clock: one that may go on is kept with what is left, another is counted at once."""
        timer = case.timers.get(line.name)
        if timer is None or timer.ended:
            return
        if timer.stopped is None:
            timer.stopped = self._agenda.now
            timer.desk = case.desk
        if line.per == "entry":
            del case.timers[line.name]
            self.count(case, timer)
        else:
            timer.ended = True

    def hold(self, case: QueuedCase, line: ClockLine) -> None:
        """Hold a running clock."""
        timer = case.timers.get(line.name)
        if timer is not None and timer.stopped is None:
            timer.stopped, timer.desk = self._agenda.now, case.desk

    def run(self, case: QueuedCase, line: ClockLine) -> None:
        """Start a clock, or let it run on."""
        key = case.cycle if line.per == "cycle" else _key(case, line.per)
        timer = case.timers.get(line.name)
        if timer is not None:
            if timer.key == key:
                if timer.stopped is not None:
                    self._go_on(case, timer)
                return
            self._give_up(case, timer)
        chosen = line.known.get(case.profile) or self._limit(case, line)
        if chosen is None or chosen.due is None:
            return
        now = self._agenda.now
        timer = case.timers[line.name] = Timer(line, key, now, chosen.due(now), chosen.office)
        if line.acting:
            self._note(case, timer)

    def _give_up(self, case: QueuedCase, timer: Timer) -> None:
        if timer.stopped is None:
            timer.stopped, timer.desk = self._agenda.now, case.desk
        self.count(case, timer)

    def _go_on(self, case: QueuedCase, timer: Timer) -> None:
        now, stopped = self._agenda.now, timer.stopped or 0
        late = timer.ended and timer.due < stopped  # a case that comes back late is still late
        if not late and timer.office:
            timer.due = self._office.add(timer.due, self._office.between(stopped, now))
        elif not late:
            timer.due = min(self._office.end, timer.due + now - stopped)
        timer.stopped, timer.ended = None, False
        if timer.line.acting:
            self._note(case, timer)

    def _note(self, case: QueuedCase, timer: Timer) -> None:
        agenda, due = self._agenda, timer.due
        for at, rung in timer.line.marks(due).acting:
            if at > agenda.now:
                agenda.at(at, self._rings, case, timer, (rung, due))

    def _rings(self, case: QueuedCase, timer: Timer, noted: tuple[Rung, int]) -> None:
        if timer.stopped is not None:
            return
        rung, due = noted
        if timer.due == due and case.timers.get(timer.line.name) is timer:
            self._ring(case, rung)

    def _limit(self, case: QueuedCase, line: ClockLine) -> LimitLine | None:
        if line.limits[0].when is None:
            return line.limits[0]
        if line.keys is None:
            return self._look(case, line)
        key: Any = case.profile
        if line.keys:
            facts = self._facts(case)
            key = (case.profile, *(facts.get(name) for name in line.keys))
        if key not in line.known:
            line.known[key] = self._look(case, line)
        return line.known[key]

    def _look(self, case: QueuedCase, line: ClockLine) -> LimitLine | None:
        facts = self._facts(case)
        return next((limit for limit in line.limits if limit.when is None or limit.when.holds(facts)), None)

    def count(self, case: QueuedCase, timer: Timer) -> None:
        """Count a clock that is over, and the rungs that fired on the way, for the unit that held it last."""
        line, at = timer.line, timer.stopped if timer.stopped is not None else self._agenda.now
        desk = timer.desk or self.nobody
        desk.due[line.index] += 1
        if at <= timer.due:
            desk.in_time[line.index] += 1
            if not line.early:
                return
        self._climbed(case, line, timer.start, timer.due, at, desk)

    def settle(self, desk: Desk, states: Iterable[StateLine]) -> None:
        """Count for each clock of a unit what was counted for whole states."""
        for state in states:
            number = desk.quick.pop(state.index, 0)
            for line in state.simple if number else ():
                desk.due[line.index] += number
                desk.in_time[line.index] += number

    def left(self, case: QueuedCase) -> None:
        """Count what a grievance leaves behind at the end of the run: clocks that are over, or overdue."""
        last = self._agenda.last
        for line in case.state.simple if case.state else ():
            limit = self._limit(case, line)
            if limit is not None and limit.due is not None and limit.due(case.entered) < last:
                self.left_state(case, line, last)
        for timer in case.timers.values():
            if timer.stopped is None:
                timer.desk = case.desk
                if timer.due < last:
                    timer.stopped = last
                    self.count(case, timer)
                else:
                    self._climbed(case, timer.line, timer.start, timer.due, last, timer.desk or self.nobody)
            elif timer.ended:
                self.count(case, timer)

    def _climbed(self, case: QueuedCase, line: ClockLine, start: int, due: int, at: int, desk: Desk) -> None:
        marks = line.marks(due)
        if marks.first >= at:
            return
        for stands, rung in marks.all:
            if start <= stands < at and (rung.when is None or rung.when.holds(self._facts(case))):
                desk.rungs[line.index * MOST_RUNGS + rung.index] += 1


def _key(case: QueuedCase, per: str) -> object:
    if per == "cycle":
        return case.cycle
    if per == "level":
        return (case.cycle, case.level)
    return (case.cycle, case.assigned) if per == "assignment" else None
