"""升级督办: fire what is due. The sweep only narrows; each grievance is looked at again under its own lock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from wuye_loop import metrics
from wuye_loop.domain.grievance.ledger import RUNG
from wuye_loop.jobs import Jobs
from wuye_loop.loop import clock_check
from wuye_loop.loop.engine import Loop, fire_due
from wuye_loop.loop.uncollected import uncollected
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import due_rungs
from wuye_loop.store.reads import health

_log = structlog.get_logger("wuye_loop.sweep")
_BATCH = 50  # grievances in one transaction: few enough that nobody waits long for a lock


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
    fired = failed = 0
    candidates = _candidates(database, now, limit)
    while batch := list(islice(candidates, _BATCH)):
        try:
            fired += _fire(loop, database, jobs, batch)
        except Exception:  # noqa: BLE001 whatever it is, it is logged, and the others go on
            _log.exception("batch_failed", grievances=len(batch))
            for number in batch:
                done, bad = _fire_alone(loop, database, jobs, number)
                fired, failed = fired + done, failed + bad
    if not failed:
        metrics.sweep_lag_seconds.set(0)
    return Swept(fired, failed)


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


def _fire(loop: Loop, database: Database, jobs: Jobs, numbers: Sequence[str]) -> int:
    """Work on a batch in one transaction; grievances that somebody else has locked are left to them."""
    with uncollected(), database.begin() as session:
        done = fire_due(loop, session, numbers)
        jobs.defer(session, [job for outcome, _ in done for job in outcome.jobs])
    for outcome, _ in done:
        for entry in outcome.step.entries if outcome.step else ():
            metrics.steps_total.labels(entry.action).inc()
            if entry.action.startswith(RUNG):
                metrics.sweep_fired_total.labels(entry.action.removeprefix(RUNG)).inc()
    return sum(count for _, count in done)


def _fire_alone(loop: Loop, database: Database, jobs: Jobs, number: str) -> tuple[int, int]:
    try:
        return _fire(loop, database, jobs, [number]), 0
    except Exception as error:  # noqa: BLE001 see below
        # Kept for the next sweep, counted, and seen in the log: a poison record must not stop the rest.
        if not isinstance(error, SQLAlchemyError):
            metrics.damaged_records_total.labels("sweep").inc()
        _log.exception("grievance_failed", number=number)
        return 0, 1
