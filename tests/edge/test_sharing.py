"""Two processes on one database keep to one rate between them."""

import pytest
from tests.site import again, town_on

from wuye_loop.edge.rates import READS, Allowances
from wuye_loop.edge.sharing import Sharing
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


class Hand:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def taken(allowances: Allowances, who: str, times: int) -> int:
    return sum(not allowances.take(READS, who) for _ in range(times))


async def test_what_one_process_lets_through_is_missing_in_the_other(database: Database) -> None:
    with town_on(database, rate_reads=10) as town:
        clock, settings = Hand(), Settings(rate_reads=10)
        one, other = Allowances(settings, clock), Allowances(settings, clock)
        here, there = Sharing(town.site, one), Sharing(again(town).site, other)
        assert await here.once() == 0
        assert await there.once() == 1
        assert await here.once() == 1
        assert (taken(one, "k", 100), taken(other, "k", 100)) == (
            20,
            20,
        )  # each its own, before they hear of each other
        for _ in range(2):
            await here.once()
            await there.once()
        clock.at += 2  # two seconds' worth pays back what was too much, and is not given a second time
        assert (taken(one, "k", 100), taken(other, "k", 100)) == (0, 0)
        clock.at += 1
        assert taken(one, "k", 100) == 10
        await here.once()
        await there.once()
        assert taken(other, "k", 100) == 0
        assert taken(other, "another", 100) == 20
        assert town.scalar("SELECT count(*) FROM rate_use WHERE bucket LIKE 'reads:%%'") >= 2
        await town.database.dispose_async()


async def test_who_serves_alone_only_says_that_it_is_there(database: Database) -> None:
    with town_on(database) as town:
        allowances = Allowances(town.site.settings)
        alone = Sharing(town.site, allowances)
        for _ in range(3):
            taken(allowances, "k", 5)
            assert await alone.once() == 0
        assert town.rows("SELECT bucket FROM rate_use") == [("",)]
        await town.database.dispose_async()


async def test_what_was_said_long_ago_is_forgotten(database: Database) -> None:
    with town_on(database) as town:
        sharing = Sharing(town.site, Allowances(town.site.settings))
        await Sharing(town.site, Allowances(town.site.settings)).once()
        town.run(lambda s: s.connection().exec_driver_sql("UPDATE rate_use SET at = at - interval '2 minutes'"))
        assert await sharing.once() == 0
        assert town.scalar("SELECT count(*) FROM rate_use") == 1
        await town.database.dispose_async()
