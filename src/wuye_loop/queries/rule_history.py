"""Under which version of the rules something happened: what is over is read by the rules it happened under."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import NotFound
from wuye_loop.domain.grievance.situation import TaskState
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.clock_moves import Clock
from wuye_loop.loop.engine import Loop

_MOVES = """
SELECT seq, at, facts->>'from' FROM ledger WHERE grievance_id = %(id)s AND action = 'migrate' ORDER BY seq
"""


def rules_at_hand(loop: Loop, session: Session, version: str) -> Rules | None:
    """Return the rules of a version; None where it was removed, as programs before this one allowed."""
    try:
        return loop.reference.rules(session, version)
    except NotFound:
        return None


class RuleHistory:
    """The versions that one grievance has been under, the oldest first; for nearly every one it is only one.

    What happened under a version that was removed is read by the next one.
    """

    def __init__(self, loop: Loop, session: Session, grievance_id: UUID, present: Rules) -> None:
        rows = session.connection().exec_driver_sql(_MOVES, {"id": grievance_id})
        found = [(row[0], row[1], rules_at_hand(loop, session, row[2])) for row in rows]
        self._past = [(seq, at, rules) for seq, at, rules in found if rules is not None]
        self._present = present

    def of_row(self, seq: int) -> Rules:
        """Return the rules that a ledger row was written under."""
        return next((rules for last, _, rules in self._past if seq < last), self._present)

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
        return (rules for _, last, rules in self._past if at is not None and at <= last)
