"""What came of one run, as plain values that travel between processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wuye_loop.trial.simulation.minutes import DAY, OfficeMinutes
from wuye_loop.trial.simulation.results.stuck import Stuck, stuck_in
from wuye_loop.trial.simulation.run.desk import MOST_RUNGS, Desk
from wuye_loop.trial.simulation.run.flow import ClockLine
from wuye_loop.trial.simulation.run.moving import STEP
from wuye_loop.trial.simulation.run.run import Run


@dataclass(frozen=True, slots=True)
class UnitOutcome:
    """One unit: work in minutes, what it holds, how long it kept things (office minutes -> how many), its clocks.

    `due` and `in_time` are by clock, `rungs` by clock and place on the ladder; `by_week` is what it held each week.
    """

    people: int
    minutes: int
    able: int  # office minutes of all its people
    a_day: int
    taken: int
    held: int
    peak: int
    stays: Mapping[int, int]
    due: Mapping[str, int]
    in_time: Mapping[str, int]
    rungs: Mapping[tuple[str, int], int]
    by_week: Sequence[int]


@dataclass(frozen=True, slots=True)
class SimulatedYear:
    """One run of one seed; `nobody` has the clocks that ran while no unit held the grievance.

    `stuck` is how many grievances stand where and why; `never` is what was to be done and never was, with what it needs.
    """

    seed: int
    arrived: int
    open: int
    cycles: int
    closed: Mapping[str, int]
    actions: Mapping[str, int]
    units: Mapping[str, UnitOutcome]
    nobody: UnitOutcome
    open_by_week: Sequence[int]
    stuck: Mapping[Stuck, int]
    never: Mapping[str, str]


def outcome_of(run: Run, seed: int) -> SimulatedYear:
    """Return what came of a run that was played."""
    clocks = run.flow.clocks
    last = run.agenda.last
    stuck, never = stuck_in(run)
    return SimulatedYear(
        seed=seed,
        arrived=run.arrived,
        open=len(run.moving.live),
        cycles=run.moving.cycles,
        closed={name: number for name, number in run.moving.closed.items() if number},
        actions={name: action.taken for name, action in run.flow.actions.items() if action.taken},
        units={code: _unit(desk, clocks, last, run.office) for code, desk in run.desks.items()},
        nobody=_unit(run.clockwork.nobody, clocks, last, run.office),
        open_by_week=run.open_by_week,
        stuck=stuck,
        never=never,
    )


def _unit(desk: Desk, clocks: Sequence[ClockLine], last: int, office: OfficeMinutes) -> UnitOutcome:
    return UnitOutcome(
        people=desk.people,
        minutes=desk.minutes,
        able=desk.people * desk.office.between(0, last - last % DAY),
        a_day=office.a_day,
        taken=desk.taken,
        held=desk.held,
        peak=desk.peak,
        stays={step * STEP: number for step, number in desk.stays.items()},
        due={line.name: desk.due[line.index] for line in clocks if desk.due[line.index]},
        in_time={line.name: desk.in_time[line.index] for line in clocks if desk.due[line.index]},
        rungs={
            (line.name, rung.index): number
            for line in clocks
            for rung in line.rungs
            if (number := desk.rungs[line.index * MOST_RUNGS + rung.index])
        },
        by_week=desk.series,
    )
