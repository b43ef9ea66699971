"""Takes everything recorded through another version, in as many processes as are wanted; reads, and changes nothing."""

import gc
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy.orm import Session

from wuye_loop.domain.privacy.sealing import KeyRing
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.store.database import Database
from wuye_loop.store.reads import recorded
from wuye_loop.store.reads.recorded import WHOLE, Recorded, Share
from wuye_loop.store.reference_cache import Reference
from wuye_loop.trial.replay.compare import Finding, compare
from wuye_loop.trial.replay.pair import Pair
from wuye_loop.trial.replay.replay import played
from wuye_loop.trial.replay.tally import Tally

_FEW = 1000  # starting a process costs as much as this many grievances
_TOLD = 500
_SHARES = 8  # of each process: none waits long for the last one, and progress is seen
# A fork has everything imported already. It is safe here: a share opens its own connection, and takes no lock that a
# thread of the parent could hold. Elsewhere than on Linux the system's own libraries do not bear it.
_START = "fork" if sys.platform == "linux" else "spawn"


@dataclass(frozen=True, slots=True)
class Task:
    """What one process is to do: which share of what was recorded, against which text, up to when."""

    url: str
    keyring: KeyRing
    text: str
    since: datetime | None
    until: datetime
    share: Share = WHOLE


def replay(
    database: Database,
    keyring: KeyRing,
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
        parts = 1 if total <= _FEW else max(1, processes)
        shares = recorded.shares(session, since, parts * _SHARES) if parts > 1 else []
    tally = Tally()
    if last is None or not total:
        return tally
    if parts == 1:
        return _alone(Task(database.url, keyring, text, since, last), told)
    tasks = [Task(database.url, keyring, text, since, last, share) for share in shares]
    context = multiprocessing.get_context(_START)
    with ProcessPoolExecutor(parts, mp_context=context, initializer=_settle) as pool:
        waiting = {pool.submit(_share, task) for task in tasks}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in done:
                tally.merge(one.result())
            told(tally.grievances)
    return tally


def findings(
    database: Database,
    keyring: KeyRing,
    text: str,
    until: datetime,
    *,
    since: datetime | None = None,
    share: Share = WHOLE,
) -> Iterator[tuple[Recorded, list[Finding] | Exception]]:
    """Yield every grievance received since then (of its share) with its differences, or with what kept it from going.

    `until` is when the record ends. What was migrated on the way is yielded too: see Recorded.migrated.
    """
    with database.read() as session:
        bench = _bench(database.url, text, until)
        bench.refresh(session)
        for item in recorded.stream(session, keyring, since, share):
            try:
                yield item, [] if item.migrated else bench.compared(session, item)
            except Exception as error:  # noqa: BLE001 whatever it is, it is counted and shown, and the others go on
                yield item, error


def _alone(task: Task, told: Callable[[int], None]) -> Tally:
    database = _database(task.url)
    try:
        return _tally(database, task, told)
    finally:
        database.dispose()


def _settle() -> None:
    """Leave alone what was there before, and look for circles after each share only: few replays make any."""
    gc.freeze()
    gc.disable()


def _share(task: Task) -> Tally:
    try:
        return _tally(_database(task.url), task, lambda _: None)
    finally:
        gc.collect()


@lru_cache(maxsize=1)
def _database(url: str) -> Database:
    """Keep one connection for all shares of a process: to open one costs as much as many replays."""
    return Database(url, pool_size=1, statement_timeout_ms=0)


def _tally(database: Database, task: Task, told: Callable[[int], None]) -> Tally:
    tally = Tally()
    for item, found in findings(database, task.keyring, task.text, task.until, since=task.since, share=task.share):
        if item.migrated:
            tally.skip()
        elif isinstance(found, Exception):
            tally.fail(item.number, found)
        else:
            tally.add(item.number, len(item.acts), found)
        if tally.grievances % _TOLD == 0:
            told(tally.grievances)
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
        outcome = played(item, pair, calendar, self._reference.directory, self._until)
        return compare(item, outcome, pair)


@lru_cache(maxsize=1)
def _bench(_: str, text: str, until: datetime) -> _Bench:
    """Keep what a process needs for all of its shares of one database: reading and compiling the rules takes as long as many replays."""
    return _Bench(Rules(parse(text, "against.yaml")), until)
