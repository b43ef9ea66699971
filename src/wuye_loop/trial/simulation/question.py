"""A question put to a simulation in full: a scene, what if, the figures of both, and what must be said beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from time import perf_counter

from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.store.calendar.seed import published_years
from wuye_loop.trial.simulation.inputs.changes import limits_changed, limits_kept, people_changed
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation
from wuye_loop.trial.simulation.inputs.staff import changed
from wuye_loop.trial.simulation.minutes import OfficeMinutes
from wuye_loop.trial.simulation.results.cautions import short_limits, worse_elsewhere
from wuye_loop.trial.simulation.results.report import notes
from wuye_loop.trial.simulation.results.standing import standing
from wuye_loop.trial.simulation.results.summary import Figure, summary_of
from wuye_loop.trial.simulation.run.run import Scene
from wuye_loop.trial.simulation.scenario import play, scene_of, with_limits


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A scene, and the same with a change: what it changes, in words, and which limits beside those it leaves alone."""

    scene: Scene
    other: Scene | None = None
    made: Sequence[str] = ()
    kept: Sequence[str] = ()

    @property
    def changes(self) -> str:
        """What is changed, in one line."""
        return "、".join(self.made) or "什么也没有改"


@dataclass(frozen=True, slots=True)
class Answered:
    """The figures of the scene, those of the change where one was asked for, what to know of both, and the time taken."""

    before: Figure
    after: Figure | None
    said: Sequence[str]
    seconds: float


def usual_start() -> date:
    """Return the first day of the last year whose holidays are published."""
    return date(published_years()[-1], 1, 1)


def asked_of(scene: Scene, other: Workflow | None, limits: Iterable[str], people: Mapping[str, int]) -> WhatIf:
    """Return the question: the scene alone, or beside it everything that is to be otherwise, at once.

    Raises BadSimulation in words.
    """
    limits = list(limits)
    if not limits and not people and other is None:
        return WhatIf(scene)
    first, made = scene, []
    if other is not None:
        staff = scene.staff.model_copy(update={"units": {}})
        theirs = scene_of(other, scene.load, staff, scene.first, scene.days)
        stay = {code: number for code, number in scene.people.items() if code in theirs.people}
        scene = replace(theirs, people={**theirs.people, **stay})
        made.append(f"改用 {other.id}")
    workflow = scene.rules.workflow
    limited = with_limits(workflow, limits)
    moved = changed(scene.people, people, scene.places)
    made += [*limits_changed(workflow, limited), *people_changed(scene.people, people, scene.places)]
    return WhatIf(first, replace(scene, rules=Rules(limited), people=moved), made, limits_kept(workflow, limited))


def answered(asked: WhatIf, seeds: int, processes: int | None = None) -> Answered:
    """Return what the question comes to over so many seeds. Raises BadSimulation in words."""
    began = perf_counter()
    scene, other = asked.scene, asked.other
    found = play([scene, other] if other else [scene], seeds, processes)
    took = round(perf_counter() - began, 1)
    before = summary_of(scene.rules.workflow, found[0], scene.places.titles)
    said = [*notes(scene), *_short(scene, before), *standing(scene.rules.workflow, found[0])]
    if other is None:
        return Answered(before, None, said, took)
    after = summary_of(other.rules.workflow, found[1], other.places.titles)
    beside = (*_short(other, after), *standing(other.rules.workflow, found[1]))
    said += [f"如果：{note}" for note in beside if note not in said]
    said += [*asked.kept, *worse_elsewhere(before, after)]
    return Answered(before, after, said, took)


def _short(scene: Scene, figures: Figure) -> list[str]:
    """Say which limits are shorter than the work that is assumed to end them."""
    a_day = OfficeMinutes(scene.calendar, scene.rules.workflow.calendar.hours, scene.first, 1).a_day
    return short_limits(scene.rules.workflow, scene.staff, figures, a_day)


def staff_changes(written: Iterable[str]) -> Mapping[str, int]:
    """Read `单位=-2`, any number of them. Raises BadSimulation."""
    found: dict[str, int] = {}
    for one in written:
        name, _, number = one.rpartition("=")
        try:
            found[name.strip()] = found.get(name.strip(), 0) + int(number)
        except ValueError:
            raise BadSimulation(f"--staff-change 要写成 单位=-2 的样子，不能是“{one[:40]}”") from None
    return found
