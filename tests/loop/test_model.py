"""A random town against a plain-Python model: whatever people, clocks and faults do, the database says what the model says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from tests.loop.life import Life
from tests.site import Town, build, urged_freely

from wuye_loop.domain.grievance.ledger import Chain, Entry
from wuye_loop.domain.grievance.situation import Actor, GrievanceState
from wuye_loop.domain.step import actions, builder, posting
from wuye_loop.domain.step.records import EntryDraft
from wuye_loop.domain.time.clock_moves import ClockStatus
from wuye_loop.loop import engine
from wuye_loop.loop.engine import Loop, StepResult, Terms
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import locking, writer
from wuye_loop.store.grievance.locking import Locked


def check(town: Town, *, examples: int, steps: int = 5, derandomize: bool = True, shrink: bool = True) -> None:
    """Run so many random lives of a town, each so many steps long."""
    life = type("OneLife", (Life,), {"town": town})
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=derandomize,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return urged_freely(build(database, data=tmp_path))


def test_random_lives_of_a_town_follow_the_model(town: Town) -> None:
    check(town, examples=8)


@pytest.mark.proof
def test_many_random_lives_of_a_town_follow_the_model(town: Town) -> None:
    check(town, examples=60, steps=8, derandomize=False)


def without_replay(patch: pytest.MonkeyPatch) -> None:
    """Forget kept answers: a retry is done again."""
    patch.setattr(engine, "replayed", lambda _stored, _ticket: None)


def without_fired_marks(patch: pytest.MonkeyPatch) -> None:
    """Fire a rung and do not mark it."""
    real = writer._rung_rows
    patch.setattr(writer, "_rung_rows", lambda *args: [(rung, {**row, "fired_at": None}) for rung, row in real(*args)])


def with_clocks_that_touching_moves(patch: pytest.MonkeyPatch) -> None:
    """Give a running clock an hour more with each action."""
    real = builder.Builder._sync

    def moved(self: builder.Builder, *args: Any, **more: Any) -> None:
        real(self, *args, **more)
        for key, clock in list(self.clocks.items()):
            if clock.status is ClockStatus.RUNNING:
                self.clocks[key] = replace(clock, due_at=clock.due_at + timedelta(hours=1))

    patch.setattr(builder.Builder, "_sync", moved)


def with_eyes_everywhere(patch: pytest.MonkeyPatch) -> None:
    """Let everybody see everything."""
    patch.setattr(locking, "visible", lambda _actor, _alias="g": ("TRUE", {}))


def without_limits(patch: pytest.MonkeyPatch) -> None:
    """Forget how often and how late an action may be taken."""
    patch.setattr(actions, "blocked", lambda *_: None)


def with_a_ledger_that_leaves_tasks_out(patch: pytest.MonkeyPatch) -> None:
    """Write what changed without the tasks."""
    real = posting._entry

    def without(grievance: GrievanceState, draft: EntryDraft, changes: dict[str, Any], chain: Chain) -> Entry:
        return real(grievance, draft, {key: value for key, value in changes.items() if key != "tasks"}, chain)

    patch.setattr(posting, "_entry", without)


def with_states_that_nobody_locks(patch: pytest.MonkeyPatch) -> None:
    """Let a stale caller act."""
    real = engine.begun

    def begun(loop: Loop, session: Session, number: str, actor: Actor, terms: Terms, *more: Any) -> Locked | StepResult:
        return real(loop, session, number, actor, replace(terms, seq=None), *more)

    patch.setattr(engine, "begun", begun)


MUTANTS = (
    without_fired_marks,
    with_clocks_that_touching_moves,
    with_eyes_everywhere,
    without_limits,
    with_a_ledger_that_leaves_tasks_out,
    with_states_that_nobody_locks,
)


def test_the_model_sees_when_a_retry_is_done_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    without_replay(monkeypatch)
    with pytest.raises((AssertionError, IntegrityError)):
        check(town, examples=10, shrink=False)


@pytest.mark.proof
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_model_sees_every_mutant(
    town: Town, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        check(town, examples=60, shrink=False)
