"""Under which version of the rules something happened: what is over is read by the rules it happened under."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.grievance.situation import TaskState
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.clock_moves import Clock
from wuye_loop.loop.engine import Loop
from wuye_loop.store.reads import grievances


class RuleHistory:
    """The versions that one grievance has been under, the oldest first; for nearly every one it is only one.

    What happened under a version that was removed, as programs before this one allowed, is read by the next one.
    """

    def __init__(self, loop: Loop, session: Session, grievance_id: UUID, present: Rules) -> None:
        self._loop, self._session, self._present = loop, session, present
        moves = grievances.migrations_of(session, grievance_id)
        self._past = [(seq, at, name, self._at_hand(name)) for seq, at, name in moves]

    def _at_hand(self, version: str) -> Rules | None:
        try:
            return self._loop.reference.rules(self._session, version)
        except NotFound:
            return None

    def of_row(self, seq: int) -> Rules:
        """Return the rules that a ledger row was written under, a migration's own row under the new ones."""
        known = (rules for last, _, _, rules in self._past if seq < last)
        return next((rules for rules in known if rules is not None), self._present)

    def lost(self, seq: int) -> str | None:
        """Return the name of the version that a row was written under where it is not to be had any more."""
        return next((None if rules else name for last, _, name, rules in self._past if seq < last), None)

    def calendar(self, seq: int) -> WorkCalendar:
        """Return the office's calendar by the rules of a row."""
        return self._loop.calendar(self._session, self.of_row(seq))

    def of_task(self, task: TaskState) -> Rules:
        """Return the rules that know a task: those it was closed under, else the present ones."""
        for rules in self._until(task.closed_at):
            kind = rules.workflow.tasks.get(task.kind)
            if kind is not None and task.state in kind.states:
                return rules
        return self._present

    def of_clock(self, clock: Clock, kind: str | None) -> Rules:
        """Return the rules that know a clock of the grievance or of a kind of task."""
        for rules in self._until(clock.ended_at):
            if (kind is None or kind in rules.workflow.tasks) and clock.name in rules.workflow.flow(kind).clocks:
                return rules
        return self._present

    def _until(self, at: datetime | None) -> Iterator[Rules]:
        return (rules for _, last, _, rules in self._past if rules is not None and at is not None and at <= last)
