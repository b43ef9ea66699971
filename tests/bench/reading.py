"""How long reading takes in a city: `python -m tests.bench.reading [N ...]`, for N grievances (10,000 and 1,000,000).

Every route that is asked all day, by whom it is asked, through the queries that the doors call and behind the readers' fence;
each so often that its slowest in a hundred is among them. `--quick` asks less often, of 1,000 and 10,000. The processor's time
is the program's and the database's together: what else runs on the machine does not change it much.
"""

import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from tests.bench import city, living, serving
from tests.database import CARELESS
from tests.site import Town, build
from wuye_loop import logs, postgres
from wuye_loop.loop.figures import tallying
from wuye_loop.queries import board, grievances, inbox, summary, supervision, unit_figures
from wuye_loop.store.database import Database
from wuye_loop.store.reach import reach_of
from wuye_loop.store.reads.grievances import Filters

Work = Callable[[Session], object]
TIMES = 100
SIZES, QUICK_SIZES, QUICK_TIMES = (10_000, 1_000_000), (1_000, 10_000), 5
DUE, QUICK_DUE = 10_000, 200
#: Of the larger city: so many times the smaller one's slowest in a hundred, and so many milliseconds.
WITHIN, LISTED, SUMMED = 1.5, 30.0, 100.0
#: No list is so short that its page ends before this; further down nobody has read.
DEEP = timedelta(days=900)


def lists(town: Town, who: str) -> Mapping[str, Work]:
    """Return lists of grievances, narrowed to what is common, rare, or not there."""

    def narrowed(area: str | None = None, **asked: Any) -> Work:
        filters = Filters(**asked)
        return lambda session: grievances.grievances(town.site.loop, session, town.actors[who], filters, area, None, 50)

    return {
        "all": narrowed(),
        "category": narrowed(category="电梯"),
        "no such category": narrowed(category="没有"),
        "no such category in a street": narrowed("370701", category="没有"),
        "no such state": narrowed(state="refused"),
        "a unit that holds nothing": narrowed(unit="fire"),
        "an estate": narrowed(estate="E7"),
        "words": narrowed(words="停车"),
        "words that nobody said": narrowed(words="龘龘"),
        "a character": narrowed(words="龘"),
        "a number": narrowed(words="WY000012345"),
        "state and estate that never met": narrowed(state="refused", estate="E7"),
        "overdue": narrowed(late_at=town.now),
        "overdue in a stage": narrowed(late_at=town.now, stage="handle"),
        "deepest page": lambda session: grievances.grievances(
            town.site.loop, session, town.actors[who], Filters(), None, (town.now - DEEP, UUID(int=0)), 200
        ),
        "worst lawful query": narrowed("370701", words="电梯停运" * 25, unit="unit-7", category="电梯", estate="E7"),
    }


def boards(town: Town, who: str) -> Mapping[str, Work]:
    """Return summaries by every dimension, and overdue pages."""
    loop, actor = town.site.loop, town.actors[who]
    found: dict[str, Work] = {
        f"summary by {by}": lambda session, by=by: summary.summarise(loop, session, actor, by, None)  # type: ignore[misc]
        for by in ("area", "unit", "estate", "category", "rung")
    }
    for area, unit in ((None, None), (None, "unit-7"), ("370701001", "fire")):
        found[f"overdue {area} {unit}"] = lambda session, area=area, unit=unit: supervision.overdue(  # type: ignore[misc]
            loop, session, actor, supervision.Late(area=area, unit=unit), after=None, limit=50
        )
    return found


def inboxes(town: Town, who: str) -> Mapping[str, Work]:
    """Return the tabs of an inbox."""
    unit = town.actors[who].unit
    return {
        "figures of the unit": lambda session: unit_figures.by_unit(town.site.loop, session, town.actors[who], unit)
    } | {
        f"inbox {tab}": lambda session, tab=tab: inbox.of_unit(town.site.loop, session, town.actors[who], tab, None, 50)
        for tab in ("to_sign", "due_soon", "overdue", "all")
    }


class Figure(NamedTuple):
    """The median, the slowest in a hundred, and the processor's time for one; in milliseconds."""

    p50: float
    p99: float
    cpu: float


def routes(town: Town) -> Iterator[tuple[str, str, Work]]:
    """Give every route: who asks, what it is called, what is asked."""
    for who in ("admin", "supervisor-1"):
        for name, work in {**lists(town, who), **boards(town, who)}.items():
            yield who, name, work
        yield who, "board", _board(town, who)
    for who in ("market", "unit-7"):
        for name, work in {**lists(town, who), **inboxes(town, who)}.items():
            yield who, name, work


def _board(town: Town, who: str) -> Work:
    return lambda session: board.board(town.site.loop, session, town.actors[who], None)


def main(words: Sequence[str]) -> None:
    """Print a line for each route with its figures in each size of city, those marked that are slower than is wanted."""
    logs.configure("WARNING")
    quick = "--quick" in words
    sizes = [int(one) for one in words if one.isdigit()] or (QUICK_SIZES if quick else SIZES)
    found: dict[str, list[Figure]] = {}
    for size in sizes:
        with ExitStack() as stack:
            began = time.perf_counter()
            town = _town(stack, size)
            sys.stdout.write(f"{size:,} 件装好\t{time.perf_counter() - began:.0f} 秒\n")
            gc.collect()
            gc.freeze()  # as a server does that has started
            for who, name, work in routes(town):
                found.setdefault(f"{who}: {name}", []).append(timed(town, who, work, QUICK_TIMES if quick else TIMES))
            if size == sizes[-1]:
                swept = living.sweep(town, QUICK_DUE if quick else DUE)
    shown(found, sizes)
    living.shown([swept], f"在 {sizes[-1]:,} 件之中")


def shown(found: Mapping[str, Sequence[Figure]], sizes: Sequence[int]) -> None:
    """Print the table."""
    table = Table(title="查阅：中位数 / 百次里最慢 / 处理器（我们的程序和数据库），毫秒")
    for title in ("项目", *(f"{size:,} 件" for size in sizes), "比", ""):
        table.add_column(title, justify="left" if title in {"项目", ""} else "right")
    for name, figures in found.items():
        first, last = figures[0], figures[-1]
        most = SUMMED if "summary" in name else LISTED
        missed = "慢" if last.p99 > most or ("summary" not in name and last.p99 > WITHIN * first.p99) else ""
        told = (f"{one.p50:.1f} / {one.p99:.1f} / {one.cpu:.1f}" for one in figures)
        table.add_row(name, *told, f"{last.p99 / first.p99:.2f}", missed)
    Console(width=120).print(table)


def _town(stack: ExitStack, size: int) -> Town:
    # In the temporary folder, on a disk: a million take some 18 GB.
    own = stack.enter_context(postgres.temporary(options=CARELESS))
    data = stack.enter_context(tempfile.TemporaryDirectory())
    database = Database(own.app_url, owner_url=own.url, pool_size=3, statement_timeout_ms=0)
    stack.callback(database.dispose)
    database.migrate()
    database.protect()
    town = build(database, data=Path(data), units=city.DIRECTORY, keys=city.CITY_KEYS, start=city.START)
    city.found(town)
    owner = Database(own.url, pool_size=1, statement_timeout_ms=0)
    stack.callback(owner.dispose)
    city.grow(owner, size, city.START)
    tallying.fold(town.site.loop, database)
    city.settled(owner)
    return town


def timed(town: Town, who: str, work: Work, times: int) -> Figure:
    """Ask so many times, after once that is not counted."""

    def ask() -> None:
        with town.database.read_within(reach_of(town.actors[who])) as session:
            work(session)

    ask()
    backends = [row[0] for row in town.rows("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")]
    taken, used = [], _used(backends)
    for _ in range(times):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    cpu = (_used(backends) - used) / times * 1000
    return Figure(taken[times // 2], taken[max(times * 99 // 100 - 1, 0)], cpu)


def _used(backends: Sequence[int]) -> float:
    """Return the processor's seconds of this process and of the database's for it."""
    return sum(os.times()[:2]) + sum(serving.cpu_seconds(pid) or 0.0 for pid in backends)


if __name__ == "__main__":
    main(sys.argv[1:])
