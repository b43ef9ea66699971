"""A question put to a simulation: a scene, what is changed in it, and as many runs as there are seeds."""

import signal
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from math import ceil
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from os import cpu_count
from typing import TYPE_CHECKING, Final

from wuye_loop.domain.language.workflow import ClockSpec, Workflow
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.bounds import FIRST_YEAR, LAST_YEAR, OUT_OF_RANGE
from wuye_loop.domain.time.spans import Span
from wuye_loop.trial.simulation.inputs.load import Load
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation
from wuye_loop.trial.simulation.inputs.places import AT, Places
from wuye_loop.trial.simulation.inputs.staff import Staff
from wuye_loop.trial.simulation.minutes import DAY, OfficeMinutes, shipped_calendar
from wuye_loop.trial.simulation.results.outcome import SimulatedYear, outcome_of
from wuye_loop.trial.simulation.run.run import Run, Scene

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

MOST_SEEDS: Final = 100
MOST_DAYS: Final = 3660
_TRIED_DAYS: Final = 14  # whose arrivals tell how many people a unit needs
_TRIED_UNTIL: Final = 75
_YEAR: Final = 365
_TRIED_A_DAY: Final = 200
_ENOUGH: Final = 1_000_000  # people: nobody waits
_WORTH_A_PROCESS: Final = 30_000  # grievances
_USUAL_SEEDS: Final = (2, 5)
_USUAL_WORK: Final = 800_000  # grievances of all seeds together: about a minute on two processors


def scene_of(workflow: Workflow, load: Load, staff: Staff, first: date, days: int) -> Scene:
    """Return a scene in which every unit has people: as the staff file says, else as many as its work needs."""
    if not 1 <= days <= MOST_DAYS:
        raise BadSimulation(f"--days 应在 1 与 {MOST_DAYS} 之间")
    if first.year < FIRST_YEAR or first.toordinal() + days > date(LAST_YEAR, 12, 31).toordinal():
        raise BadSimulation(f"--start 加上 --days 应在日历的 {FIRST_YEAR} 至 {LAST_YEAR} 年之内")
    places = Places(workflow, load.streets)
    calendar = shipped_calendar(workflow.calendar)
    scene = Scene(Rules(workflow), load, staff, {}, places, calendar, first, days)
    said = {code: unit.people for name, unit in staff.units.items() if unit.people is not None
            for code in places.named(name)}  # fmt: skip
    said |= {name: unit.people for name, unit in staff.units.items() if unit.people is not None and AT in name}
    needed = _needed(scene) if set(places.codes) - set(said) else {}
    return replace(scene, people={code: said.get(code, needed.get(code, 1)) for code in places.codes})


def _needed(scene: Scene) -> dict[str, int]:
    """Return how many people keep each unit as busy as `usage` says: tried out with two weeks' arrivals and no queue."""
    days = [scene.first + timedelta(days=n) for n in range(scene.days)]
    a_day = (scene.load.per_day or 1) * sum(map(scene.load.factor, days)) / scene.days
    trial = replace(
        scene,
        load=scene.load.model_copy(update={"per_day": _TRIED_A_DAY, "months": {}}),
        people=dict.fromkeys(scene.places.codes, _ENOUGH),
        days=_TRIED_UNTIL,
        arriving=_TRIED_DAYS,
    )
    run = _played(trial, 0)
    year = OfficeMinutes(scene.calendar, scene.rules.workflow.calendar.hours, scene.first, _YEAR)
    usual = year.between(0, _YEAR * DAY) / _YEAR  # office minutes of a calendar day
    return {
        code: max(1, ceil(desk.minutes / max(1, run.arrived) * a_day / usual / scene.staff.usage))
        for code, desk in run.desks.items()
    }


def with_limits(workflow: Workflow, limits: Iterable[str]) -> Workflow:
    """Return the workflow with other limits: `handle=3 workdays` for the general line, `handle:2=1 workday` for one.

    The general line is the one without a condition, else the last. Raises BadSimulation in words.
    """
    clocks = dict(workflow.clocks)
    for written in limits:
        where, sign, span = written.partition("=")
        name, _, line = where.strip().partition(":")
        if not sign:
            raise BadSimulation(f'--limit 要写成 时限=多长，例如 handle="3 workdays"，不能是“{written[:40]}”')
        if name not in clocks:
            raise BadSimulation(f"--limit：流程里没有时限“{name[:40]}”；可写：{'、'.join(clocks)}")
        try:
            clocks[name] = _limited(clocks[name], line, Span.parse(span.strip().strip("\"'")))
        except ValueError as error:
            raise BadSimulation(f"--limit {where}：{error}") from None
    return workflow.model_copy(update={"clocks": clocks})


def _limited(clock: ClockSpec, line: str, span: Span) -> ClockSpec:
    if span.n < 1:
        raise ValueError("时限至少是 1")
    lines = list(clock.limit)
    general = next((n for n, limit in enumerate(lines) if not limit.when.raw), len(lines) - 1)
    place = int(line) - 1 if line.isdecimal() else general if not line else -1
    if not 0 <= place < len(lines):
        raise ValueError(f"没有第 {line[:10]} 条，共 {len(lines)} 条")
    lines[place] = lines[place].model_copy(update={"is_": span, "until": None})
    return clock.model_copy(update={"limit": tuple(lines)})


def usual_seeds(scene: Scene) -> int:
    """Return how many seeds are run where nobody says: 5, but fewer, at least 2, where so many grievances take long."""
    fewest, most = _USUAL_SEEDS
    return max(fewest, min(most, int(_USUAL_WORK / ((scene.load.per_day or 1) * scene.days))))


def play(scenes: Sequence[Scene], seeds: int, processes: int | None = None) -> list[list[SimulatedYear]]:
    """Run every scene once for each seed from 1 on, on every processor where that is worth it; outcomes by scene.

    The same scenes give the same outcomes, however many processes there are; `processes` bounds them.
    """
    if not 1 <= seeds <= MOST_SEEDS:
        raise BadSimulation(f"--seeds 应在 1 与 {MOST_SEEDS} 之间")
    asked = [(n, seed) for n in range(len(scenes)) for seed in range(1, seeds + 1)]
    work = sum((scene.load.per_day or 0) * scene.days for scene in scenes) * seeds
    several = min(len(asked), processes or cpu_count() or 1)
    if several > 1 and work > _WORTH_A_PROCESS and "fork" in get_all_start_methods():
        outcomes = _in_processes(scenes, asked, several)
    else:
        outcomes = [outcome_of(_played(scenes[n], seed), seed) for n, seed in asked]
    return [[one for (of, _), one in zip(asked, outcomes, strict=True) if of == n] for n in range(len(scenes))]


def _in_processes(scenes: Sequence[Scene], asked: Sequence[tuple[int, int]], several: int) -> list[SimulatedYear]:
    """Deal the runs out to forked processes: compiled rules cannot be sent, but a fork has them as they are."""
    context = get_context("fork")
    workers: list[tuple[ForkProcess, Connection]] = []
    outcomes: dict[tuple[int, int], SimulatedYear] = {}
    try:
        for n in range(several):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(scenes, asked[n::several], theirs), daemon=True)
            process.start()
            theirs.close()
            workers.append((process, ours))
        for _, ours in workers:
            came: dict[tuple[int, int], SimulatedYear] | BadSimulation = ours.recv()
            if isinstance(came, BadSimulation):
                raise came
            outcomes |= came
    except EOFError:
        raise BadSimulation("一个模拟进程意外结束了，请再试一次") from None
    finally:
        for process, ours in workers:
            process.terminate()
            process.join()
            ours.close()
    return [outcomes[one] for one in asked]


def _work(scenes: Sequence[Scene], asked: Sequence[tuple[int, int]], answer: Connection) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # the program's own way of ending is for the program itself
    try:
        answer.send({(n, seed): outcome_of(_played(scenes[n], seed), seed) for n, seed in asked})
    except BadSimulation as error:
        answer.send(error)


def _played(scene: Scene, seed: int) -> Run:
    """Return a run that was played. Raises BadSimulation where it or one of its limits leads out of the calendar."""
    try:
        return Run(scene, seed).play()
    except ValueError as error:
        if OUT_OF_RANGE not in str(error):
            raise
        words = f"这些日子加上时限走出了日历（{FIRST_YEAR} 至 {LAST_YEAR} 年）：换一个 --start，或改短时限"
        raise BadSimulation(words) from None
