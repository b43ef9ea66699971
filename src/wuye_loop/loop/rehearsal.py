"""演练: moves an installation's clock and lets every rung on the way fire at its own hour, in the order of time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.orm import Session

from wuye_loop.domain.errors import BadInput, NotFound
from wuye_loop.domain.time.spans import Span
from wuye_loop.jobs import Jobs
from wuye_loop.loop import escalate
from wuye_loop.loop.engine import Loop
from wuye_loop.loop.evaluate import closing
from wuye_loop.ports import SettableClock
from wuye_loop.store.assessment import periods, voices
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import due_rungs

FURTHEST = timedelta(days=400)
_turn = Lock()  # two people moving one clock would each skip what lies between


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the clock stands now, and how many rungs fired on the way."""

    now: datetime
    fired: int


def clock_of(loop: Loop) -> SettableClock:
    """Return the clock that may be moved.

    Raises NotFound where time is the machine's own.
    """
    if not isinstance(loop.clock, SettableClock):
        raise NotFound
    return loop.clock


def target(loop: Loop, session: Session, span: Span) -> datetime:
    """Return where a span from now leads, workdays counted by the default workflow's calendar.

    Raises BadInput for more than 400 days.
    """
    now = clock_of(loop).now()
    at = loop.calendar(session).shift(now, span)
    if at - now > FURTHEST:
        problem = f"一次最多拨动 {FURTHEST.days} 天"
        raise BadInput(problem, fields=[{"path": "body.advance", "problem": problem}])
    return at


def advance(loop: Loop, database: Database, jobs: Jobs, until: datetime) -> Moved:
    """Move the clock to an instant, stopping at each rung that falls due on the way, so that ladders play as in life."""
    clock = clock_of(loop)
    fired = 0
    with _turn:
        while True:
            seen = clock.now()
            fired += escalate.sweep(loop, database, jobs=jobs).fired
            closing.close_due(loop, database, jobs=jobs)
            with database.read() as session:
                due = _next(
                    _next(due_rungs.next_due(session, seen), periods.next_due(session, seen)),
                    voices.next_appeal(session, seen),
                )
            if due is None or due > until:
                break
            clock.set(max(due, clock.now()))
        clock.set(max(until, clock.now()))
        fired += escalate.sweep(loop, database, jobs=jobs).fired
        closing.close_due(loop, database, jobs=jobs)
        return Moved(clock.now(), fired)


def _next(rung: datetime | None, closing: datetime | None) -> datetime | None:
    """Return what comes first, a rung or the closing of a period."""
    return min((at for at in (rung, closing) if at is not None), default=None)
