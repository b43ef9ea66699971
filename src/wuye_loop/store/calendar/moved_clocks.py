"""Which open deadlines a calendar moves: shown before it is done, then done grievance by grievance."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.calendar import WorkCalendar
from wuye_loop.domain.time.notice import Notice
from wuye_loop.store.calendar.working_days import provisional_days, read_table
from wuye_loop.store.grievance.packing import clock_image
from wuye_loop.store.schema.tables import clock, grievance

_BATCH: Final = 1000
_OPEN: Final = (
    select(grievance.c.number, grievance.c.workflow, func.to_jsonb(clock.table_valued()).label("clock"))
    .join(grievance, grievance.c.id == clock.c.grievance_id)
    .where(clock.c.status.in_([clock_moves.ClockStatus.RUNNING.value, clock_moves.ClockStatus.PAUSED.value]))
)


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """One open clock that a calendar changes; the due instant may stay while its mark or a rung's instant changes."""

    number: str
    clock: str
    old_due: datetime
    new_due: datetime

    @property
    def moves(self) -> bool:
        """Whether the deadline itself moves."""
        return self.old_due != self.new_due


def preview(session: Session, notice: Notice, offices: Mapping[str, OfficeHours]) -> list[Move]:
    """List the open clocks that a notice would change, by number; `offices` are the office hours of each workflow."""
    table = read_table(session).with_notice(notice, provisional_days(session))
    return _moves(session, {name: table.calendar(office.zone, office.hours) for name, office in offices.items()})


def outstanding(session: Session, offices: Mapping[str, OfficeHours]) -> list[Move]:
    """List the open clocks that do not stand as the stored calendar says: what an interrupted import left undone."""
    table = read_table(session)
    return _moves(session, {name: table.calendar(office.zone, office.hours) for name, office in offices.items()})


def apply(moves: Sequence[Move], recalculate: Callable[[Sequence[str]], None], *, batch: int = 50) -> Iterator[int]:
    """Have every grievance of these moves recalculated, some at a time; yield how many are done after each batch.

    `recalculate` is given numbers and does them in one transaction of its own; it may be called again for the same ones.
    """
    numbers = list(dict.fromkeys(move.number for move in moves))
    for start in range(0, len(numbers), batch):
        recalculate(numbers[start : start + batch])
        yield min(start + batch, len(numbers))


def _moves(session: Session, calendars: Mapping[str, WorkCalendar]) -> list[Move]:
    """Compare each open clock with what the calendar of its workflow makes of it; read through a cursor, in batches."""
    found = []
    rows = session.execute(_OPEN, execution_options={"yield_per": _BATCH})
    for number, workflow, row in rows:
        calendar = calendars.get(workflow)
        if calendar is None:  # published by a newer program; that one recalculates it
            continue
        try:
            before = clock_moves.from_row(clock_image(row))
            after = clock_moves.recompute(before, calendar)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            continue  # damaged: `doctor` names it, and the others are looked at
        if after != before:
            found.append(Move(number, before.name, before.due_at, after.due_at))
    return sorted(found)
