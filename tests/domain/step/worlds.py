"""Worlds and situations that decisions are made in: small.yaml, or what a test lays over it, and a case in any state of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from tests.authoring.checker.wall import BASES
from tests.site import MONDAY, order

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.directory.document import DirectoryDocument
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor, Brief, Situation, TaskState, World, newest
from wuye_loop.domain.rulefile.extends import Base
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.arrival import arrived
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.clock import Clock
from wuye_loop.trial.sandbox.routing import Switchboard
from wuye_loop.trial.town.town import Estate, calendar_of, town_of

HOTLINE = Actor(ActorKind.HOTLINE, source="12345")
DESK, MARKET = Actor(ActorKind.UNIT, "centre"), Actor(ActorKind.UNIT, "market")
SUPERVISOR = Actor(ActorKind.SUPERVISOR, area_path="city/")
HOME = Estate("E1", "幸福苑", "community", "company-1", "商品房")
OTHER = Brief(UUID(int=8), "WY260302-00000008", "handling", final=False, merged_into=None)


@cache
def rules(more: str = "") -> Rules:
    """Return small.yaml compiled, with what `more` writes laid over it as a file that extends it."""
    if not more:
        return Rules(load(BASES["small"], "small.yaml"))
    text = f"extends: small@1\nname: here\nversion: 1\ntitle: 此地\n{more}"
    return Rules(load(text, "here.yaml", {"small@1": Base(BASES["small"], "small.yaml")}.get))


def world(more: str = "", now: datetime = MONDAY, *, units: Any = ()) -> World:
    """Return a world of these rules (see `rules`) in the town that is derived from them; `units` are entries over it.

    Ids and the numbers of documents count from 1; routers are asked, and nothing but the situation is in their memory.
    """
    compiled = rules(more)
    ids, numbers, desk = count(1), Counter[tuple[str, int]](), Switchboard({})

    def number(series: str, year: int) -> int:
        numbers[series, year] += 1
        return numbers[series, year]

    made = World(
        rules=compiled,
        now=now,
        calendar=calendar_of(compiled.workflow.calendar, MONDAY.date()),
        directory=town_of(compiled, DirectoryDocument.model_validate({"units": units})).directory,
        new_id=lambda: UUID(int=next(ids)),
        choose=lambda situation: desk.choose(made, situation),
        next_number=number,
        others={OTHER.number: OTHER},
    )
    return made


def form(**fields: Any) -> IntakeForm:
    """Return an order about a broken lift in `HOME`; fields replace its own."""
    return IntakeForm.model_validate(order(**fields))


def entered(here: World, state: str, **fields: Any) -> Situation:
    """Return a case that has just entered a state, led by `market` unless the fields say otherwise; its clocks run."""
    new = arrived(here, form(), id=here.new_id(), number="WY260302-00000001", source="12345", estate=HOME)
    builder = Builder(here, new)
    builder.set(**{"category": "电梯", "lead_unit": "market", "seq": 1} | fields)
    builder.move(state)
    builder.sync()
    return _frozen(builder)


def moved(here: World, situation: Situation, state: str, **fields: Any) -> Situation:
    """Return the case as it stands when it has gone on to another state."""
    builder = Builder(here, situation)
    builder.set(**fields)
    builder.move(state)
    builder.sync()
    return _frozen(builder)


def with_task(here: World, situation: Situation, kind: str, state: str | None = None, **fields: Any) -> Situation:
    """Return the case with one more task, held and asked for by `market` unless the fields say otherwise."""
    made = TaskState(
        id=here.new_id(), grievance_id=situation.grievance.id, kind=kind, n=len(situation.tasks) + 1, state="",
        final=False, holder_unit="market", opener_unit="market", opener_role="handler", document=None,
        document_number=None, copies=(), data={}, counts={}, opened_at=here.now, state_since=here.now, closed_at=None,
        cycle=situation.grievance.cycle,
    )  # fmt: skip
    builder = Builder(here, situation)
    builder.tasks[made.id] = replace(made, **fields)
    builder.move_task(made.id, state or here.rules.task_kind(kind).start)
    return _frozen(builder)


def _frozen(builder: Builder) -> Situation:
    return Situation(builder.grievance, builder.tasks, builder.clocks)


def task_of(situation: Situation, kind: str, n: int = -1) -> TaskState:
    """Return the nth task of a kind, counted from 0; the newest unless said."""
    return [task for task in situation.tasks.values() if task.kind == kind][n]


def clock_of(situation: Situation, name: str, task: TaskState | None = None) -> Clock:
    """Return the newest instance of a clock, of the main flow unless a task is given."""
    found = newest(situation.clocks, name, task.id if task else None)
    assert found is not None, name
    return found


def rows(step: Step) -> list[str]:
    """Return what a step wrote into the ledger: the action of each row."""
    return [draft.action for draft in step.drafts]


@contextmanager
def untouched(situation: Situation) -> Iterator[None]:
    """Hold that a decision leaves the situation it was made on as it was."""
    before = deepcopy(situation)
    yield
    assert situation == before


@contextmanager
def refused(situation: Situation, error: type[WuyeError], words: str) -> Iterator[pytest.ExceptionInfo[WuyeError]]:
    """Hold that what is asked is refused with this very error and these words, and that nothing was changed by asking."""
    with untouched(situation), pytest.raises(error, match=words) as caught:
        yield caught
    assert type(caught.value) is error
