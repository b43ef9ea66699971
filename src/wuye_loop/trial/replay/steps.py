"""How a replay takes its steps: all on one builder, which is quick, or each on its own, which bears a refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.situation import EMPTY, Actor, Command, Situation, World
from wuye_loop.domain.step import actions, rungs
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.context import Unrouted
from wuye_loop.domain.step.records import EntryDraft, Step
from wuye_loop.domain.time.clock_moves import Clock


class Again(Exception):
    """Something was refused half-way on the one builder: the grievance is to be played again, carefully."""


@dataclass(slots=True)
class Row:
    """What a replay asks of a ledger row: nobody will post it."""

    at: datetime
    action: str
    task_id: UUID | None
    actor: Mapping[str, Any]
    facts: Mapping[str, Any]
    lead_unit: str | None


Rows = Sequence[EntryDraft] | Sequence[Row]


class Careful:
    """Each decision on the situation that the one before led to: what is refused leaves nothing behind."""

    def __init__(self, _: World, situation: Situation) -> None:
        self.situation = situation
        self.opened: UUID | None = None

    def receive(self, world: World, actor: Actor) -> Rows:
        """Decide the first row."""
        return self._taken(actions.receive(world, self.situation, actor, EMPTY))

    def act(self, world: World, command: Command) -> Rows:
        """Decide an action; a WuyeError says why it is refused."""
        return self._taken(actions.decide(world, self.situation, command))

    def open(self, world: World, kind: str, actor: Actor, form: Mapping[str, Any]) -> Rows:
        """Open a task; a WuyeError says why it is refused."""
        return self._taken(actions.decide_open(world, self.situation, kind, actor, form))

    def fire(self, world: World, clock: Clock, index: int) -> Rows | None:
        """Fire a rung; None where it does not, or where even its row is refused: as by a sweep it is passed over."""
        try:
            step = rungs.decide_rung(world, self.situation, clock.id, index)
        except WuyeError:
            return None
        return self._taken(step) if step is not None else None

    def leave(self, tasks: Sequence[UUID]) -> None:
        """Leave tasks behind that are over."""
        now = self.situation
        going = {key: task for key, task in now.tasks.items() if key not in tasks}
        self.situation = Situation(now.grievance, going, now.clocks, now.going())

    def _taken(self, step: Step) -> Rows:
        self.situation, self.opened = step.situation, step.opened
        return step.drafts


class Quick:
    """All decisions on one builder, and of each row only what a replay asks; Again is raised for whatever is refused."""

    def __init__(self, world: World, situation: Situation) -> None:
        self._builder = _Running(world, situation)

    @property
    def situation(self) -> Situation:
        """Where the grievance stands now."""
        return self._builder.situation

    @property
    def opened(self) -> UUID | None:
        """The task that the last action opened."""
        return self._builder.opened

    def receive(self, _: World, actor: Actor) -> Rows:
        """Decide the first row."""
        actions.receive_on(self._builder, actor, EMPTY)
        return self._builder.closed()

    def act(self, _: World, command: Command) -> Rows:
        """Decide an action."""
        try:
            actions.act_on(self._builder, command)
        except (WuyeError, Unrouted) as refused:
            raise Again from refused
        return self._builder.closed()

    def open(self, _: World, kind: str, actor: Actor, form: Mapping[str, Any]) -> Rows:
        """Open a task."""
        self._builder.opened = None
        try:
            actions.open_on(self._builder, kind, actor, form)
        except (WuyeError, Unrouted) as refused:
            raise Again from refused
        return self._builder.closed()

    def fire(self, _: World, clock: Clock, index: int) -> Rows | None:
        """Fire a rung that is due."""
        try:
            rungs.rung_on(self._builder, clock, index)
        except (WuyeError, Unrouted) as refused:
            raise Again from refused
        return self._builder.closed()

    def leave(self, tasks: Sequence[UUID]) -> None:
        """Leave tasks behind that are over."""
        for task in tasks:
            del self._builder.tasks[task]


class _Running(Builder):
    """A builder that goes on from step to step."""

    tells = False

    def __init__(self, world: World, situation: Situation) -> None:
        super().__init__(world, situation)
        self._rows: list[Row] = []

    def closed(self) -> Sequence[Row]:
        """Return the rows since it was last asked."""
        rows, self._rows = self._rows, []
        return rows

    def next_due(self) -> None:
        """Leave it: only an inbox asks which clock is due first."""

    def close_entry(
        self,
        action: str,
        *,
        actor: Mapping[str, Any],
        facts: Mapping[str, Any],
        audience: str,  # noqa: ARG002 nobody reads the row
        task_id: UUID | None = None,
        from_state: str | None = None,  # noqa: ARG002
        to_state: str | None = None,  # noqa: ARG002
    ) -> None:
        """Keep of a row what a replay asks."""
        grievance = self.grievance
        grievance.seq += 1
        self._rows.append(Row(self.world.now, action, task_id, actor, self.remarked(facts), grievance.lead_unit))
