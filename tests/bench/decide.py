"""`python -m tests.bench.decide [FILE] [--only NAME]`: median microseconds of machine.decide for every action of a workflow.

Beside it what posting.posted takes: the ledger rows of the same step, with images and hashes, as the engine writes them.

In memory, without a database. The walk takes every action of every flow once from wherever it first finds it open, so a
new file needs nothing here. Compare only numbers of one run: a machine has its own speed.
"""

import argparse
import gc
import statistics
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.conftest import CHAIN
from tests.site import DIRECTORY
from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.errors import BadForm, WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.permissions import openings, options
from wuye_loop.domain.grievance.situation import Actor, Brief, Command, Situation, World
from wuye_loop.domain.language.forms import FieldSpec, Form
from wuye_loop.domain.language.workflow import DutyUnit, Workflow
from wuye_loop.domain.routing.chain import Choice, choose
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.arrival import arrived, first_look
from wuye_loop.domain.step.correction import of_nobody
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.step.routing import routing_case
from wuye_loop.domain.terms import ActorKind
from wuye_loop.ports import SystemIds
from wuye_loop.settings import shipped
from wuye_loop.store.calendar.seed import published_years, seed_days
from wuye_loop.store.calendar.working_days import DayTable
from wuye_loop.store.workflows.files import whole_text

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Beijing
OTHER = Brief(UUID(int=8), "WY260302-00000002", "handling", final=False, merged_into=None)
SAMPLES = 300
MOST_TASKS = 2  # open at one time, so that the walk ends
PATIENCE = 60  # situations in a row that show nothing new, then the walk ends


@dataclass(frozen=True, slots=True)
class Case:
    """One decision to be measured."""

    name: str
    world: World
    situation: Situation
    command: Command

    def micros(self) -> tuple[list[float], list[float]]:
        """Return what deciding and what posting take, in microseconds, each at an instant of its own as in a server's day."""
        worlds = [replace(self.world, now=self.world.now + timedelta(milliseconds=n)) for n in range(SAMPLES)]
        deciding, posting = [], []
        for world in worlds:
            begun = time.perf_counter()
            actions.decide(world, self.situation, self.command)
            deciding.append((time.perf_counter() - begun) * 1e6)
        steps = [actions.decide(world, self.situation, self.command) for world in worlds]
        for step in steps:
            begun = time.perf_counter()
            posted(self.situation, step, CHAIN)
            posting.append((time.perf_counter() - begun) * 1e6)
        return deciding, posting


def main() -> None:
    """Print what every action takes, the slowest first, and the median over all."""
    ask = argparse.ArgumentParser(description=main.__doc__)
    ask.add_argument("file", nargs="?", type=Path, default=shipped("workflows") / "kuiwen@1.yaml")
    ask.add_argument("--only", default="", help="actions with this in their name, such as 'assigned sign'")
    said = ask.parse_args()
    cases = list(walk(parse(whole_text(said.file), said.file.name)))
    gc.freeze()  # what is set up here stays; the collector looks at what decisions leave behind, as in a server
    rows = []
    for case in cases:
        if said.only in case.name:
            deciding, posting = case.micros()
            rows.append((statistics.median(deciding), min(deciding), statistics.median(posting), case.name))
    for row in sorted(rows, reverse=True):
        _print(*row)
    median, best, post, _ = zip(*rows, strict=True)
    _print(statistics.median(median), statistics.median(best), statistics.median(post), f"{len(rows)} actions, median")
    print(f"{_yardstick():8.1f} µs  to count to 1,000: how fast this machine is just now")  # noqa: T201


def _print(median: float, best: float, posting: float, name: str) -> None:
    print(f"{median:8.1f} µs  (best {best:6.1f})  and {posting:6.1f} µs to post  {name}")  # noqa: T201 what this program is for


def _yardstick() -> float:
    """Return the median of what a thousand rounds of an empty loop take."""
    times = []
    for _ in range(SAMPLES):
        begun = time.perf_counter()
        for _ in range(1000):
            pass
        times.append((time.perf_counter() - begun) * 1e6)
    return statistics.median(times)


def walk(workflow: Workflow) -> Iterator[Case]:
    """Yield every action of every flow once, breadth first from a new grievance."""
    world = _world(workflow)
    actors = _actors(world)
    queue = deque([_new(world)])
    met: set[tuple[str, ...]] = set()
    seen: set[str] = set()
    news = 0
    while queue and len(met) < news + PATIENCE:
        situation = queue.popleft()
        kept = _outline(situation)
        if kept in met:
            continue
        met.add(kept)
        world = replace(world, now=world.now + timedelta(seconds=1))
        for actor in actors:
            for name, command in _commands(world, situation, actor):
                if name not in seen:
                    seen.add(name)
                    news = len(met)
                    yield Case(name, world, situation, command)
                queue.append(actions.decide(world, situation, command).situation)
            if len(kept) <= MOST_TASKS:
                queue += _opened(world, situation, actor)


def _outline(situation: Situation) -> tuple[str, ...]:
    """Say where a situation stands, as far as the walk tells situations apart: its state and its open tasks'."""
    tasks = sorted(f"{task.kind} {task.state}" for task in situation.tasks.values() if not task.final)
    return situation.grievance.state, *tasks


def _commands(world: World, situation: Situation, actor: Actor) -> Iterator[tuple[str, Command]]:
    """Yield what the actor may do here, each with its form filled in."""
    for task in (None, *(task for task in situation.tasks.values() if not task.final)):
        for option in options(world, situation, actor, task):
            name = " ".join((*((task.kind, task.state) if task else (situation.grievance.state,)), option["action"]))
            base = Command(option["action"], actor, task_id=task.id if task else None)
            command = None if option["blocked"] else _filled(world, situation, base, option["form"])
            if command is not None:
                yield name, command


def _opened(world: World, situation: Situation, actor: Actor) -> Iterator[Situation]:
    """Yield the situation with each task opened that the actor may open."""
    for opening in openings(world, situation, actor):
        if not opening["blocked"]:
            try:
                step = actions.decide_open(world, situation, opening["task"], actor, _form(opening["form"], ()))
            except WuyeError:
                continue
            yield step.situation


def _filled(world: World, situation: Situation, base: Command, form: Form) -> Command | None:
    """Return the command with a form that passes, or None where the action is not open here."""
    asked: tuple[str, ...] = ()
    for _ in range(2):
        command = replace(base, form=_form(form, asked))
        try:
            actions.decide(world, situation, command)
        except BadForm as bad:
            fields: Any = bad.extra["fields"]
            asked = tuple(field["path"] for field in fields)
        except WuyeError:
            return None
        else:
            return command
    return None


def _form(form: Form, asked: tuple[str, ...]) -> dict[str, object]:
    """Fill in what must be filled in, and what was asked for on top."""
    return {
        name: _answer(spec)
        for name, spec in form.specs.items()
        if name in asked or not (spec.optional or spec.when is not None)
    }


def _answer(spec: FieldSpec) -> object:
    if spec.choices:
        return spec.choices[0]
    answers = {
        "bool": True,
        "int": spec.min or 1,
        "date": (MONDAY + timedelta(days=30)).date().isoformat(),
        "time": MONDAY.isoformat(),
        "unit": "tax",
        "grievance": OTHER.number,
        "file": [str(UUID(int=7))],
    }
    return answers.get(spec.type, "已联系诉求人并上门查看，配件明日到货后更换。")


def _world(workflow: Workflow) -> World:
    days = {day: works for day, works, _, _ in seed_days()}
    calendar = DayTable(days, published_years(), 1).calendar(workflow.calendar.zone, workflow.calendar.hours)
    numbers = iter(range(1, 1_000_000_000))
    world = World(
        rules=Rules(workflow),
        now=MONDAY,
        calendar=calendar,
        directory=_directory(workflow),
        new_id=SystemIds().new,
        next_number=lambda *_: next(numbers),
        others={OTHER.number: OTHER},
        correct=partial(of_nobody, lambda _: None),
    )
    return replace(world, choose=partial(_choose, world))


def _choose(world: World, situation: Situation) -> Choice:
    return choose(world.rules.workflow.routers, routing_case(world, situation), world.directory, lambda _: {})


def _directory(workflow: Workflow) -> Directory:
    """Return the tests' district, and every unit that the file names, with the duties it asks for at every level."""
    paths: dict[str | None, str] = {None: ""}
    areas = []
    for row in DIRECTORY["areas"]:
        path = paths[row["code"]] = f"{paths[row['parent']]}{row['code']}/"
        areas.append(Area(row["code"], row["name"], row["level"], row["parent"], path))
    known = {row["code"]: row for row in DIRECTORY["units"]}
    wanted = [role.unit for role in workflow.roles.values()]
    units = [
        Unit(row["code"], row["name"], row["kind"], row["area"], row["parent"], tuple(row["duties"]))
        for row in known.values()
    ]
    units += [
        Unit(code, code, "office", "3707", None, ()) for code in wanted if isinstance(code, str) and code not in known
    ]
    units += [
        Unit(f"{duty}-{area.code}", duty, "office", area.code, None, (duty,))
        for duty in sorted({unit.duty for unit in wanted if isinstance(unit, DutyUnit)})
        for area in areas
    ]
    return Directory(areas, units)


def _actors(world: World) -> list[Actor]:
    units = [Actor(ActorKind.UNIT, code) for code in world.directory.units]
    supervisor = Actor(ActorKind.SUPERVISOR, "command-office", area_path="3707/")
    return [Actor(ActorKind.HOTLINE, source="12345"), *units, supervisor]


@dataclass(frozen=True, slots=True)
class _Estate:
    code: str = "E1"
    area_code: str = "370701001"
    company_code: str | None = "company-1"
    kind: str | None = "商品房"


def _new(world: World) -> Situation:
    form = IntakeForm.model_validate(
        {
            "external_id": "1", "channel": "电话", "kind": "投诉", "category": "电梯", "title": "三号楼电梯停运",
            "body": "三号楼电梯自周四起停运，家中有老人无法下楼，多次联系物业没有结果，希望尽快维修。",
            "place": {"estate": "E1"},
        }
    )  # fmt: skip
    situation = arrived(world, form, id=world.new_id(), number="WY260302-00000001", source="12345", estate=_Estate())
    situation, notices, facts = first_look(world, situation, form)
    return actions.receive(world, situation, Actor(ActorKind.HOTLINE, source="12345"), facts, notices).situation


if __name__ == "__main__":
    main()
