"""升级督办: fire what is due. The sweep only narrows; each grievance is looked at again under its own lock."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from time import monotonic
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from wuye_loop import metrics
from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.jobs import Jobs
from wuye_loop.loop import clock_check
from wuye_loop.loop.engine import Fired, Loop, fire_due
from wuye_loop.loop.uncollected import uncollected
from wuye_loop.store import straight
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import due_rungs
from wuye_loop.store.reads import health

_log = structlog.get_logger("wuye_loop.sweep")
_BATCH = 50  # grievances in one transaction: few enough that nobody waits long for a lock
#: After which the collector looks: each time it goes through all of the batch that is being written. Where the database is
#: slow, what others leave behind meanwhile is not kept any longer.
_UNLOOKED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rungs fired, and how many grievances could not be worked on and stay for the next sweep."""

    fired: int = 0
    failed: int = 0


def sweep(loop: Loop, database: Database, *, jobs: Jobs | None = None, limit: int = 500) -> Swept:
    """Fire every rung that is due now, oldest first; any number of sweepers may run at once.

    One grievance that cannot be worked on is logged and passed over: it never stops the others. Raises ClockOff, and fires
    nothing, while the clock is off.
    """
    jobs = jobs or Jobs()
    now = loop.clock.now()
    if loop.clock_bound is not None:
        with database.read() as session:
            clock_check.require(loop, loop.clock.now(), health.time_there(session))
    candidates = _candidates(database, now, limit)
    with ThreadPoolExecutor(1, "sweep") as writing:
        batches = _Batches(loop, database, jobs, writing)
        due = iter(lambda: list(islice(candidates, _BATCH)), [])
        for batch in due:
            until = monotonic() + _UNLOOKED_SECONDS
            with uncollected():
                batches.fire(batch)
                while monotonic() < until and (more := next(due, None)):
                    batches.fire(more)
        batches.settle()
    if not batches.failed:
        metrics.sweep_lag_seconds.set(0)
    return Swept(batches.fired, batches.failed)


def _candidates(database: Database, now: datetime, limit: int) -> Iterator[str]:
    """Yield the numbers of grievances with a due rung, by pages: what was passed over does not come again."""
    after: tuple[Any, ...] | None = None
    seen: set[str] = set()
    while True:
        with database.read() as session:
            page = due_rungs.due(session, now, after, limit)
        if after is None and page:
            metrics.sweep_lag_seconds.set((now - page[0].at).total_seconds())
        for row in page:
            if row.number not in seen:
                seen.add(row.number)
                yield row.number
        if len(page) < limit:
            return
        after = page[-1].key


class _Batches:
    """Fires batches, each in a transaction, in their order: while one is written the next is locked, read and decided.

    Nothing of a batch is written before the one before it has ended. Numbers of documents go on from those that are being
    written; where these come to nothing, or somebody else drew some, the batch is taken again when it is alone.
    """

    def __init__(self, loop: Loop, database: Database, jobs: Jobs, writing: Executor) -> None:
        self.fired = self.failed = 0
        self._loop, self._database, self._jobs, self._writing = loop, database, jobs, writing
        self._written: Future[None] | None = None
        self._last: tuple[Sequence[str], Fired] | None = None  # the batch that is being written
        self._lost: Sequence[str] = ()  # one that was not
        self._drawn: dict[tuple[str, int], int] = {}  # the last numbers, those that are being written among them
        self._relied = True  # whether numbers may be taken from there

    def fire(self, numbers: Sequence[str]) -> None:
        """Work on a batch; grievances that somebody else has locked are left to them."""
        # Nothing follows that could be decided meanwhile; or it would wait for the connection, on a slow disk too long.
        if len(numbers) < _BATCH or self._database.pool_size == 1:
            self.settle()
            self._together(numbers)
            return
        begun = None
        try:
            with ExitStack() as stack:
                session = stack.enter_context(self._database.begin())
                fired = fire_due(self._loop, session, numbers, dict(self._drawn), self._settled)
                statements = fired.statements(self._jobs.rows(fired.jobs))
                self._settled()
                if self._lost:
                    session.rollback()  # it was decided on top of what is not so
                else:
                    begun = stack.pop_all()
        except Exception:  # noqa: BLE001 whatever it is, it is logged, and the others go on
            _log.exception("batch_failed", grievances=len(numbers))
            self.settle()
            self._one_by_one(numbers)
            return
        if begun is None:
            self.settle()
            self._together(numbers)
            return
        if self._relied:
            self._drawn.update(fired.counted.stand)
        self._last, self._written = (numbers, fired), self._writing.submit(_end, begun, session, statements)

    def settle(self) -> None:
        """Wait until the last batch has ended; where it came to nothing, take it again."""
        self._settled()
        if lost := self._lost:
            self._lost = ()
            self._together(lost)

    def _settled(self) -> None:
        """Wait until the last batch has ended, and count what fired of it."""
        if self._written is None or self._last is None:
            return
        written, (numbers, fired) = self._written, self._last
        self._written = self._last = None
        try:
            written.result()
        except Exception:  # noqa: BLE001 as above
            if not fired.counted.assumed:
                _log.exception("batch_failed", grievances=len(numbers))
            self._lost, self._drawn, self._relied = numbers, {}, False
        else:
            self.fired += _counted(fired)

    def _together(self, numbers: Sequence[str]) -> None:
        """Work on a batch when nothing else is under way, and one by one where it fails."""
        self._drawn = {}
        try:
            self.fired += _fire(self._loop, self._database, self._jobs, numbers)
        except Exception:  # noqa: BLE001 as above
            _log.exception("batch_failed", grievances=len(numbers))
            self._one_by_one(numbers)

    def _one_by_one(self, numbers: Sequence[str]) -> None:
        self._drawn = {}
        for number in numbers:
            done, bad = _fire_alone(self._loop, self._database, self._jobs, number)
            self.fired, self.failed = self.fired + done, self.failed + bad


def _end(begun: ExitStack, session: Session, statements: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Write what was decided and end its transaction."""
    with begun:
        if statements:
            straight.end(session, statements)


def _fire(loop: Loop, database: Database, jobs: Jobs, numbers: Sequence[str]) -> int:
    """Work on grievances in one transaction; those that somebody else has locked are left to them."""
    with database.begin() as session:
        fired = fire_due(loop, session, numbers)
        if statements := fired.statements(jobs.rows(fired.jobs)):
            straight.end(session, statements)
    return _counted(fired)


def _counted(fired: Fired) -> int:
    """Count what was committed; return how many rungs it is."""
    for outcome, _ in fired.done:
        for entry in outcome.step.entries if outcome.step else ():
            metrics.steps_total.labels(entry.action).inc()
            if entry.action.startswith(RUNG):
                metrics.sweep_fired_total.labels(entry.action.removeprefix(RUNG)).inc()
    return sum(count for _, count in fired.done)


def _fire_alone(loop: Loop, database: Database, jobs: Jobs, number: str) -> tuple[int, int]:
    try:
        return _fire(loop, database, jobs, [number]), 0
    except Exception as error:  # noqa: BLE001 see below
        # Kept for the next sweep, counted, and seen in the log: a poison record must not stop the rest.
        if not isinstance(error, SQLAlchemyError):
            metrics.damaged_records_total.labels("sweep").inc()
        _log.exception("grievance_failed", number=number)
        return 0, 1
