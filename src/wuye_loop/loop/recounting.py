"""Moves open deadlines to where the stored calendar says: after a notice of holidays, and after an import that was interrupted."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import RecordDamaged, WuyeError
from wuye_loop.domain.language.workflow import OfficeHours
from wuye_loop.domain.step.recalculation import recounted
from wuye_loop.loop.engine import Loop, amend
from wuye_loop.store.calendar import moved_clocks
from wuye_loop.store.calendar.moved_clocks import Move
from wuye_loop.store.database import Database
from wuye_loop.store.workflows import versions


def offices(loop: Loop, session: Session) -> tuple[dict[str, OfficeHours], list[str]]:
    """Return the office hours of every published workflow, by its id, and which could not be read: the others go on."""
    hours, damaged = dict[str, OfficeHours](), list[str]()
    for name in versions.names(session):
        try:
            hours[name] = loop.reference.rules(session, name).workflow.calendar
        except WuyeError:
            damaged.append(name)
    return hours, damaged


def outstanding(database: Database, offices: Mapping[str, OfficeHours]) -> list[Move]:
    """Return what does not stand as the calendar says; `offices` are the office hours of every published workflow."""
    with database.read() as session:
        return moved_clocks.outstanding(session, offices)


def recount(loop: Loop, database: Database, moves: Sequence[Move]) -> Iterator[tuple[int, list[str]]]:
    """Recalculate the grievances of these moves, some in a transaction; yield how many are done, and which are damaged."""
    damaged: list[str] = []

    def several(numbers: Sequence[str]) -> None:
        with database.begin() as session:
            for number in numbers:
                try:
                    amend(loop, session, number, recounted)
                except RecordDamaged:
                    damaged.append(number)

    for done in moved_clocks.apply(moves, several):
        yield done, damaged
