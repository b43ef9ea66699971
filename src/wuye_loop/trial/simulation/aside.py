"""The process that simulates for a page: `python -m wuye_loop.trial.simulation.aside`, a question in, an answer out, as JSON.

A simulation takes a processor for seconds. Here it has a process of its own and nothing else: no key, no database, bounded
time, memory and cases; what is cut is said.
"""

import sys
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from wuye_loop.authoring.checker.check import check
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.trial.simulation.inputs.load import Load, completed
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation
from wuye_loop.trial.simulation.inputs.staff import Staff
from wuye_loop.trial.simulation.question import answered, asked_of, staff_changes, usual_start
from wuye_loop.trial.simulation.results.report import compared, rung_rows, unit_rows, whole_rows
from wuye_loop.trial.simulation.results.summary import Figure
from wuye_loop.trial.simulation.run.run import Scene
from wuye_loop.trial.simulation.scenario import scene_of

REFUSED: Final = 3
MOST_CASES: Final = 40_000  # of all runs together: some seconds
SECONDS: Final = 30
_SEEDS: Final = 2  # the least that gives a range
_LEAST_DAYS: Final = 28
_MEMORY: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Question:
    """What a page asks: the texts of a definition and of another, how many a day, how long, and what is changed."""

    text: str
    per_day: float
    days: int
    other: str | None = None
    limits: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)


def main() -> int:
    """Answer; the exit is REFUSED, with the words, for a question that cannot be asked."""
    _confine()
    try:
        found = _answer(Question(**orjson.loads(sys.stdin.buffer.read())))
    except (BadSimulation, ValueError) as error:
        sys.stdout.buffer.write(str(error).encode())
        return REFUSED
    sys.stdout.buffer.write(orjson.dumps(found))
    return 0


def _answer(question: Question) -> dict[str, Any]:
    workflow = _workflow(question.text, "现行.yaml")
    other = _workflow(question.other, "草稿.yaml") if question.other is not None else None
    changes = staff_changes(question.people)
    runs = _SEEDS * (2 if other or question.limits or changes else 1)
    days = fitting(question, runs)
    arrivals = completed(Load(), workflow, question.per_day)
    scene = scene_of(workflow, arrivals, Staff(), usual_start(), days)
    asked = asked_of(scene, other, question.limits, changes)
    found = answered(asked, _SEEDS, processes=1)
    return {
        "days": days,
        "wanted": question.days,
        "start": scene.first.isoformat(),
        "seeds": _SEEDS,
        "changes": asked.changes if asked.other else None,
        "now": _side(scene, found.before),
        "if": _side(asked.other, found.after) if asked.other and found.after else None,
        "compared": [list(row) for row in compared(found.before, found.after)] if found.after else [],
        "said": found.said,
        "seconds": found.seconds,
    }


def _workflow(text: str, file: str) -> Workflow:
    workflow, findings = check(text, file)
    if workflow is None:
        raise BadSimulation("\n".join(str(one) for one in findings if one.severity == "error"))
    return workflow


def fitting(question: Question, runs: int) -> int:
    """Return how many of the days fit a page, at least four weeks. Raises BadSimulation where not even those do."""
    days = min(question.days, max(_LEAST_DAYS, int(MOST_CASES / (question.per_day * runs))))
    if days * question.per_day * runs > MOST_CASES * 2:
        raise BadSimulation(f"每天 {question.per_day:g} 件太多，页面上试不了：请用命令 wuye-loop simulate")
    return days


def _side(scene: Scene, figures: Figure) -> dict[str, Any]:
    """Return the tables of one side as the command prints them, and what its charts are drawn from."""
    workflow = scene.rules.workflow
    return {
        "title": f"{workflow.id} {workflow.title}",
        "whole": [list(row) for row in whole_rows(workflow, figures)],
        "units": [list(row) for row in unit_rows(figures)],
        "rungs": [list(row) for row in rung_rows(figures)],
        "open_by_week": figures["open_by_week"],
        "clocks": [
            {"title": clock["title"], "assessed": clock["assessed"], **clock["on_time"]}
            for clock in figures["clocks"]
            if clock["on_time"]["due"]
        ],
    }


def _confine() -> None:
    """Bound this process before it has read a byte; where the system has no such bounds, the parent's clock alone holds."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 not there on every system

    for what, most in {resource.RLIMIT_AS: _MEMORY, resource.RLIMIT_CPU: SECONDS, resource.RLIMIT_FSIZE: 0}.items():
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


if __name__ == "__main__":
    sys.exit(main())
