"""Takes everything recorded through another version, in as many processes as are wanted; reads, and changes nothing."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy.orm import Session

from wuye_loop.domain.checker import parse
from wuye_loop.domain.rules import Rules
from wuye_loop.store import recorded
from wuye_loop.store.database import Database
from wuye_loop.store.recorded import Recorded
from wuye_loop.store.reference import Reference
from wuye_loop.trial.replay import Replay
from wuye_loop.trial.replay_compare import Finding, compare
from wuye_loop.trial.replay_pair import Pair
from wuye_loop.trial.replay_tally import Tally

_FEW = 1000  # starting a process costs as much as this many grievances
_TOLD = 500


@dataclass(frozen=True, slots=True)
class Task:
    """What one process is to do: which share of what was recorded, against which text, up to when."""

    url: str
    text: str
    since: datetime | None
    until: datetime
    part: int = 0
    parts: int = 1


def replay(
    database: Database,
    text: str,
    *,
    since: datetime | None = None,
    processes: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> Tally:
    """Take every grievance received since then through the version that the text defines; return the differences.

    `told` is given how many are done: after some, or after each share where there are several processes.
    """
    with database.read() as session:
        total, last, _ = recorded.summary(session, since)
    tally = Tally()
    if last is None or not total:
        return tally
    parts = 1 if total <= _FEW else max(1, processes)
    if parts == 1:
        return _share(Task(database.url, text, since, last), told)
    shares = parts * 4  # smaller shares: no process waits long for the last one, and progress is seen
    tasks = [Task(database.url, text, since, last, part, shares) for part in range(shares)]
    with ProcessPoolExecutor(parts, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(_share, task) for task in tasks}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in done:
                tally.merge(one.result())
            told(tally.grievances)
    return tally


def findings(
    database: Database, text: str, until: datetime, *, since: datetime | None = None, part: int = 0, parts: int = 1
) -> Iterator[tuple[Recorded, list[Finding] | Exception]]:
    """Yield every grievance received since then (of its share) with its differences, or with what kept it from going.

    `until` is when the record ends. What was migrated on the way is yielded too: see Recorded.migrated.
    """
    with database.read() as own, database.read() as session:
        bench = _bench(database.url, text, until)
        bench.refresh(own)
        for item in recorded.stream(session, since, part=part, parts=parts):
            try:
                yield item, [] if item.migrated else bench.compared(own, item)
            except Exception as error:  # noqa: BLE001 whatever it is, it is counted and shown, and the others go on
                yield item, error


def _share(task: Task, told: Callable[[int], None] = lambda _: None) -> Tally:
    database = Database(task.url, pool_size=2, statement_timeout_ms=0)
    tally = Tally()
    try:
        shares = {"part": task.part, "parts": task.parts}
        for item, found in findings(database, task.text, task.until, since=task.since, **shares):
            if item.migrated:
                tally.skip()
            elif isinstance(found, Exception):
                tally.fail(item.number, found)
            else:
                tally.add(item.number, len(item.acts), found)
            if tally.grievances % _TOLD == 0:
                told(tally.grievances)
    finally:
        database.dispose()
    return tally


class _Bench:
    """What every replay needs: the other version, the pairs it makes with those recorded, calendar, directory."""

    def __init__(self, rules: Rules, until: datetime) -> None:
        self._rules = rules
        self._until = until
        self._reference = Reference()
        self._pairs: dict[str, Pair] = {}

    def refresh(self, session: Session) -> None:
        """Read directory and calendar, unless they were read and stand as they did."""
        self._reference.refresh(session)

    def compared(self, session: Session, item: Recorded) -> list[Finding]:
        """Take one grievance through the other version; return its differences."""
        pair = self._pairs.get(item.workflow)
        if pair is None:
            pair = self._pairs[item.workflow] = Pair(self._reference.rules(session, item.workflow), self._rules)
        calendar = self._reference.calendar(session, self._rules.workflow.calendar)
        outcome = Replay(item, pair, calendar, self._reference.directory, self._until).run()
        return compare(item, outcome, pair)


@lru_cache(maxsize=1)
def _bench(_: str, text: str, until: datetime) -> _Bench:
    """Keep what a process needs for all of its shares of one database: reading and compiling the rules takes as long as many replays."""
    return _Bench(Rules(parse(text, "against.yaml")), until)
