"""What it takes to tell of one clock."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from wuye_loop.domain.grievance.situation import World
from wuye_loop.domain.language.workflow import ClockSpec
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.clock_moves import Clock
from wuye_loop.loop.engine import Loop
from wuye_loop.queries.explain.days import said_at
from wuye_loop.queries.explain.history import History
from wuye_loop.queries.rule_history import RuleHistory
from wuye_loop.store.reads.grievances import LedgerRow


@dataclass(frozen=True)
class Telling:
    """One clock, and where to ask about it."""

    loop: Loop
    session: Session
    world: World
    past: History
    rules_then: RuleHistory
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
