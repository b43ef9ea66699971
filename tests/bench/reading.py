"""How long reading takes in a city: `python -m tests.bench.reading [N ...]`, for N grievances (10,000 and 100,000).

Every route that is asked all day, by whom it is asked, through the queries that the doors call and behind the readers' fence;
each so often that its slowest in a hundred is among them.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from tests.bench import city
from tests.database import CARELESS
from tests.site import Town, build
from wuye_loop import postgres
from wuye_loop.loop.figures import tallying
from wuye_loop.queries import board, grievances, inbox, summary, supervision
from wuye_loop.store.database import Database
from wuye_loop.store.reach import reach_of
from wuye_loop.store.reads.grievances import Filters

Work = Callable[[Session], object]
TIMES = 100


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
            loop, session, actor, clock=None, rung=None, area=area, unit=unit, older_than=None, after=None, limit=50
        )
    return found


def inboxes(town: Town, who: str) -> Mapping[str, Work]:
    """Return the tabs of an inbox."""
    return {
        f"inbox {tab}": lambda session, tab=tab: inbox.of_unit(  # type: ignore[misc]
            town.site.loop, session, town.actors[who], tab, None, 50
        )
        for tab in ("to_sign", "due_soon", "overdue", "all")
    }


def _board(town: Town, who: str) -> Work:
    return lambda session: board.board(town.site.loop, session, town.actors[who], None)


def main(*sizes: int) -> None:
    """Print a line for each route: the median and the slowest in a hundred, in milliseconds, for each size of city."""
    found: dict[str, list[tuple[float, float]]] = {}
    for size in sizes:
        with ExitStack() as stack:
            town = _town(stack, size)
            for who in ("admin", "supervisor-1", "market"):
                routes = {**lists(town, who), **(inboxes(town, who) if who == "market" else boards(town, who))}
                if who != "market":
                    routes["board"] = _board(town, who)
                for name, work in routes.items():
                    found.setdefault(f"{who}: {name}", []).append(_timed(town, who, work))
    for name, figures in found.items():
        sys.stdout.write("\t".join([name, *(f"{p50:.1f} {p99:.1f}" for p50, p99 in figures)]) + "\n")


def _town(stack: ExitStack, size: int) -> Town:
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


def _timed(town: Town, who: str, work: Work) -> tuple[float, float]:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        with town.database.read_within(reach_of(town.actors[who])) as session:
            work(session)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return taken[TIMES // 2], taken[TIMES * 99 // 100 - 1]


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:]) if sys.argv[1:] else (10_000, 100_000)))
