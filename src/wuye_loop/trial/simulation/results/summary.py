"""The figures of several runs: every rate with its numerator, denominator and range; a zero base is blank, not 0."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.trial.simulation.minutes import quantile
from wuye_loop.trial.simulation.results.outcome import SimulatedYear, UnitOutcome
from wuye_loop.trial.simulation.run.flow import stands

_P90: Final = 0.9
_ITS_OWN: Final = 0.1  # share of assessed clocks among a unit's own from which it is judged by them alone
Figure = dict[str, Any]


def summary_of(workflow: Workflow, outcomes: Sequence[SimulatedYear], titles: Mapping[str, str]) -> Figure:
    """Return what several runs of one scene came to: totals, units, clocks, each with its range over the seeds."""
    return {
        "workflow": workflow.id,
        "seeds": [one.seed for one in outcomes],
        "arrived": _spread(one.arrived for one in outcomes),
        "closed": _spread(sum(one.closed.values()) for one in outcomes),
        "open": _spread(one.open for one in outcomes),
        "again": _spread(one.cycles for one in outcomes),
        "ends": {name: _spread(one.closed.get(name, 0) for one in outcomes) for name in _names(outcomes, "closed")},
        "actions": {
            name: _spread(one.actions.get(name, 0) for one in outcomes) for name in _names(outcomes, "actions")
        },
        "on_time": _on_time(outcomes, _all, _assessed(workflow) or tuple(workflow.clocks)),
        "units": [
            _unit(workflow, outcomes, code, titles)
            for code in outcomes[0].units
            if any(one.units[code].taken or one.units[code].held for one in outcomes)
        ],
        "clocks": [_clock(workflow, outcomes, name) for name in workflow.clocks],
        "open_by_week": [_mean(week) for week in zip(*(one.open_by_week for one in outcomes), strict=True)],
    }


def _names(outcomes: Sequence[SimulatedYear], part: str) -> list[str]:
    return list(dict.fromkeys(name for one in outcomes for name in getattr(one, part)))


def _all(outcome: SimulatedYear) -> Iterable[UnitOutcome]:
    return (*outcome.units.values(), outcome.nobody)


def _assessed(workflow: Workflow) -> tuple[str, ...]:
    return tuple(name for name, clock in workflow.clocks.items() if clock.assessed)


def _unit(workflow: Workflow, outcomes: Sequence[SimulatedYear], code: str, titles: Mapping[str, str]) -> Figure:
    runs = [one.units[code] for one in outcomes]
    stays: Counter[int] = Counter()
    for run in runs:
        stays.update(run.stays)
    number = {name: sum(run.due.get(name, 0) for run in runs) for name in workflow.clocks}
    assessed = [name for name in _assessed(workflow) if number[name]]
    if sum(number[name] for name in assessed) < _ITS_OWN * sum(number.values()):
        assessed = []  # it only passes on what others are assessed for
    counted = assessed or [name for name in workflow.clocks if number[name]]
    return {
        "unit": code,
        "title": titles.get(code, code),
        "people": runs[0].people,
        "usage": _share(sum(run.minutes for run in runs), sum(run.able for run in runs)),
        "handled": _spread(run.taken for run in runs),
        "held": _spread(run.held for run in runs),
        "peak": _spread(run.peak for run in runs),
        "median_workdays": _days(quantile(stays, 0.5), runs[0].a_day),
        "p90_workdays": _days(quantile(stays, _P90), runs[0].a_day),
        "clocks": counted,
        "on_time": _on_time(outcomes, lambda one: (one.units[code],), counted),
        "rungs": _rungs(workflow, outcomes, lambda one: (one.units[code],), workflow.clocks),
        "held_by_week": [_mean(week) for week in zip(*(run.by_week for run in runs), strict=True)],
    }


def _clock(workflow: Workflow, outcomes: Sequence[SimulatedYear], name: str) -> Figure:
    spec = workflow.clocks[name]
    return {
        "clock": name,
        "title": spec.title,
        "assessed": spec.assessed,
        "on_time": _on_time(outcomes, _all, (name,)),
        "rungs": _rungs(workflow, outcomes, _all, (name,)),
    }


def _on_time(
    outcomes: Sequence[SimulatedYear], units: Callable[[SimulatedYear], Iterable[UnitOutcome]], clocks: Iterable[str]
) -> Figure:
    """Return the rate of all runs together, and the lowest and highest of a run."""
    names = tuple(clocks)
    each = []
    for outcome in outcomes:
        runs = tuple(units(outcome))
        due = sum(run.due.get(name, 0) for run in runs for name in names)
        each.append((sum(run.in_time.get(name, 0) for run in runs for name in names), due))
    rates = [rate for in_time, due in each if (rate := _share(in_time, due)) is not None]
    in_time, due = (sum(part) for part in zip(*each, strict=True))
    return {
        "in_time": in_time,
        "due": due,
        "rate": _share(in_time, due),
        "low": min(rates, default=None),
        "high": max(rates, default=None),
    }


def _rungs(
    workflow: Workflow,
    outcomes: Sequence[SimulatedYear],
    units: Callable[[SimulatedYear], Iterable[UnitOutcome]],
    clocks: Iterable[str],
) -> list[Figure]:
    found = []
    for clock in clocks:
        for place, rung in enumerate(workflow.clocks[clock].ladder):
            fired = _spread(sum(run.rungs.get((clock, place), 0) for run in units(one)) for one in outcomes)
            if fired["high"]:
                said = {"clock": clock, "rung": place, "at": stands(rung.offset)}
                found.append(said | {"does": does(workflow, clock, place)} | fired)
    return found


def does(workflow: Workflow, clock: str, place: int) -> str:
    """Say in words what a rung does."""
    rung = workflow.clocks[clock].ladder[place]
    words = [workflow.instruments[name].title if name in workflow.instruments else name for name in rung.do]
    words += [workflow.actions[rung.act].title] if rung.act else []
    words += [rung.document or workflow.tasks[rung.open].title] if rung.open else []
    return "、".join(words)


def _spread(numbers: Iterable[int]) -> Figure:
    each = list(numbers)
    return {"mean": _mean(each), "low": min(each), "high": max(each)}


def _mean(numbers: Sequence[int]) -> float:
    return round(sum(numbers) / len(numbers), 1)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _days(minutes: int | None, a_day: int) -> float | None:
    return None if minutes is None else round(minutes / a_day, 2)
