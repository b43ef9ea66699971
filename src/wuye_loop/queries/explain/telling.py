"""What it takes to tell of one clock."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import World
from wuye_loop.domain.language.workflow import ClockSpec
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.clock_moves import Clock
from wuye_loop.loop.engine import Loop
from wuye_loop.queries.explain.days import said_at
from wuye_loop.queries.explain.history import MIGRATED, History
from wuye_loop.queries.rule_history import rules_at_hand
from wuye_loop.store.reads.grievances import LedgerRow

# Under which rules and which office hours each row of a grievance's ledger was written.


class Times:
    """The versions that a grievance has been under; a version that is not to be had any more counts as the present one."""

    def __init__(self, loop: Loop, session: Session, world: World, past: History) -> None:
        self._loop, self._session, self._world = loop, session, world
        self._ends = [(row.seq, str(row.facts["from"])) for row in past.rows if row.action == MIGRATED]

    def rules(self, seq: int) -> Rules:
        """Return the rules that a row was written under, a migration's own row under the new ones; lost: the present ones."""
        return self._found(seq) or self._world.rules

    def lost(self, seq: int) -> str | None:
        """Return the name of the version that a row was written under where it is not to be had any more."""
        return None if self._found(seq) else self._version(seq)

    def _version(self, seq: int) -> str:
        return next((name for last, name in self._ends if seq < last), self._world.rules.id)

    def _found(self, seq: int) -> Rules | None:
        version = self._version(seq)
        if version == self._world.rules.id:
            return self._world.rules
        return rules_at_hand(self._loop, self._session, version)

    def calendar(self, seq: int) -> WorkCalendar:
        """Return the office's calendar by the rules of a row."""
        return self._loop.reference.calendar(self._session, self.rules(seq).workflow.calendar)


@dataclass(frozen=True)
class Telling:
    """One clock, and where to ask about it."""

    loop: Loop
    session: Session
    world: World
    past: History
    times: Times
    clock: Clock
    spec: ClockSpec
    kind: str | None

    @property
    def calendar(self) -> WorkCalendar:
        """The office's calendar."""
        return self.world.calendar

    def at(self, at: datetime, *, due: bool = False) -> str:
        """Say an instant."""
        return said_at(at, self.calendar, due=due)

    def touched(self, row: LedgerRow) -> bool:
        """Say whether a row changed the clock."""
        return any(image["id"] == str(self.clock.id) for image in row.changes.get("clocks", ()))
