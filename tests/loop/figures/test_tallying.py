"""Sums that boards read are what counting comes to, at every moment, however far they have been folded."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from sqlalchemy.orm import Session
from tests.site import BAD, FINISH, GOOD, Driver, Town, story, town_on

from wuye_loop.loop.figures import scoring, tallying
from wuye_loop.queries.verification import verify
from wuye_loop.store import tallying as sums
from wuye_loop.store.database import Database
from wuye_loop.store.reads import board, recent, summary, unit_figures
from wuye_loop.store.reads.recent import LastDays
from wuye_loop.store.reads.summary import Count, Dimension, Wanted

pytestmark = pytest.mark.anyio
PLACES = ("", "3707/", "3707/370701/")
READERS = ("admin", "supervisor-1", "supervisor-2")
DIMENSIONS: list[Any] = [*(one for one in get_args(Dimension) if one != "router"), "state", "place", "reached"]


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    with town_on(database) as made:
        yield made


def same(town: Town) -> int:
    """Compare the sums with a recount for everybody, everywhere; return how many groups there were."""
    groups = 0
    with town.database.read() as session:
        good = tallying.good_of(scoring.compiled(town.site.loop, session))
        for by in DIMENSIONS:
            for place in PLACES:
                asked = Wanted(by, place, town.now, town.now + timedelta(days=1), good)
                for who in READERS:
                    actor = town.actors[who]
                    counted = summary.recount(session, actor, asked)
                    assert summary.kept(session, actor, asked) == counted, (by, place, who)
                    groups += len(counted)
        for place in PLACES:
            last_days(town, session, place)
            on_board(town, session, Wanted("area", place, town.now, town.now + timedelta(days=1), good))
        shares(town, session)
    return groups


def on_board(town: Town, session: Session, asked: Wanted) -> None:
    """Compare what a board reads at once with a recount: of some the worst alone, of some what is open and overdue alone."""
    for who in READERS:
        found = board.sums(session, town.actors[who], asked, 1)
        for by in board.GROUPINGS:
            counted = summary.recount(session, town.actors[who], replace(asked, by=by))
            if by in board.LEAN:
                assert found[by] == [shortened(one) for one in counted], (by, who)
            else:
                assert found[by] == (counted[:1] if by in {"estate", "unit"} else counted), (by, who)


def shortened(count: Count) -> Count:
    """Return a count of which only what is open and overdue is known."""
    nothing = dict.fromkeys((one.name for one in fields(Count)), 0)
    return Count(**nothing | {"key": count.key, "open": count.open, "overdue_open": count.overdue_open})  # type: ignore[arg-type]


def shares(town: Town, session: Session) -> None:
    """Compare what is kept of a unit with a recount."""
    assessed = tallying.good_of(scoring.compiled(town.site.loop, session)).assessed
    for unit in ("market", "property-centre", "fire"):
        actor = town.actors[unit]
        counted = unit_figures.recount(session, actor, assessed, unit)
        assert unit_figures.kept(session, unit, assessed) == counted, unit


def last_days(town: Town, session: Session, place: str) -> None:
    """Compare what is kept of the last days with a recount, for everybody who sees all of a place."""
    at = tallying.moment(town.site.loop, session)
    for least in (1, 2):
        asked = LastDays(place, at.since, at.zone, least, 8)
        for who in READERS:
            if place.startswith(town.actors[who].area_path):
                counted = recent.recount(session, town.actors[who], asked)
                assert recent.kept(session, town.actors[who], asked) == counted, (place, who)


def said(town: Town, statement: str) -> None:
    town.run(lambda session: session.connection().exec_driver_sql(statement))


def fold(town: Town) -> int:
    return tallying.fold(town.site.loop, town.database)


async def test_nothing_is_kept_before_the_first_fold_and_nothing_is_done_twice(town: Town) -> None:
    async with story(town) as driver:
        await driver.push("a1")
        with town.database.read() as session:
            asked = Wanted("unit", "", town.now, town.now, tallying.good_of([]))
            assert summary.kept(session, town.actors["admin"], asked) is None
        assert fold(town) == 1
        assert fold(town) == 0
        assert same(town) > 0


@pytest.mark.parametrize("often", [1, 3, 1000])
async def test_the_sums_are_what_counting_comes_to_after_every_step(town: Town, often: int) -> None:
    """Whether they were folded after each step, now and then, or only at first."""
    await _live(town, often)


async def _live(town: Town, often: int) -> None:
    steps = 0

    def check() -> None:
        nonlocal steps
        if steps % often == 0:
            fold(town)
        steps += 1
        same(town)

    fold(town)
    async with story(town) as driver:
        first, second, third = [
            await driver.push(
                f"a{n}", place={"estate": estate}, complainant={"name": "张三丰", "phone": f"1381234567{n}"}
            )
            for n, estate in enumerate(("E1", "E2", "E1"))
        ]
        check()
        for number in (first, second):
            await driver.walk(number, "accept", "sign")
        check()
        await _finish(driver, first, GOOD)
        check()
        town.advance(timedelta(days=8))
        check()
        await _finish(driver, second, BAD)
        check()
        await driver.walk(third, "accept")
        town.advance(timedelta(days=3))
        check()
        assert same(town) > 40


async def _finish(driver: Driver, number: str, rated: Any) -> None:
    for task in driver.tasks(number, "assist"):
        await driver.on_task(task.holder_unit, task.id, "sign")
        await driver.on_task(task.holder_unit, task.id, "done", {"result": "已到场"})
    await driver.act("market", number, "finish", FINISH)
    await driver.walk(number, "approve", "call_back")
    await driver.act("hotline", number, "rate", rated)


@pytest.mark.parametrize("folded", ["after each day", "at the end"])
async def test_the_last_days_are_told_however_long_ago_they_were_folded(town: Town, folded: str) -> None:
    async with story(town) as driver:
        fold(town)
        for n in range(4):
            number = await driver.push(f"a{n}", complainant={"name": "张三丰", "phone": f"1381234567{n}"})
            fold(town)
            town.advance(timedelta(days=9))
            await driver.walk(number, "accept")
            if folded == "after each day":
                fold(town)
            with town.database.read() as session:
                for place in PLACES:
                    last_days(town, session, place)
        fold(town)
        with town.database.read() as session:
            at = tallying.moment(town.site.loop, session)
            found = recent.kept(session, town.actors["admin"], LastDays("", at.since, at.zone, 2, 8))
        assert found is not None
        assert (sum(found.received.values()), [one.n for one in found.worst]) == (3, [3])
        assert town.scalar("SELECT count(DISTINCT day) FROM tally_day") == 3
        assert verify.verify(town.site.loop, town.database).ok


async def test_a_grievance_that_moves_with_its_area_is_counted_where_it_is(town: Town) -> None:
    from tests.site import DIRECTORY  # noqa: PLC0415 changed here alone

    from wuye_loop.store.directory.load import load_directory  # noqa: PLC0415 as above

    async with story(town) as driver:
        await driver.push("a1")
        fold(town)
        areas = [dict(one, parent="370702") if one["code"] == "370701001" else one for one in DIRECTORY["areas"]]
        town.run(lambda session: load_directory(session, DIRECTORY | {"areas": areas}))
        same(town)
        fold(town)
        same(town)


async def test_sums_that_reach_beyond_the_transactions_there_have_been_are_made_anew(town: Town) -> None:
    """As after a database was read back on another server."""
    async with story(town) as driver:
        await driver.push("a1")
        fold(town)
        town.run(lambda session: session.connection().exec_driver_sql("UPDATE tally_mark SET upto = 1000000000000"))
        await driver.push("a2")
        with town.database.read() as session:
            asked = Wanted("unit", "", town.now, town.now, tallying.good_of(scoring.compiled(town.site.loop, session)))
            assert summary.kept(session, town.actors["admin"], asked) is None
        assert fold(town) == 1
        same(town)


async def test_who_verifies_is_told_of_a_sum_that_is_not_what_counting_comes_to(town: Town) -> None:
    async with story(town) as driver:
        await driver.push("a1")
        fold(town)
        assert verify.verify(town.site.loop, town.database).ok
        for statement, back in (
            ("UPDATE tally SET open = open + 1 WHERE dimension = 'unit'", "UPDATE tally SET open = open - 1 WHERE dimension = 'unit'"),
            ("UPDATE tallied SET estate = 'E2'", "UPDATE tallied SET estate = 'E1'"),
            ("UPDATE tally SET overdue_open = overdue_open + 1", "UPDATE tally SET overdue_open = overdue_open - 1"),
            ("UPDATE tally_day SET received = received + 1", "UPDATE tally_day SET received = received - 1"),
            ("UPDATE tally_again SET open = open - 1", "UPDATE tally_again SET open = open + 1"),
            ("INSERT INTO tally_share VALUES ('market', 'late', 1)", "DELETE FROM tally_share WHERE unit = 'market'"),
            ("UPDATE tallied SET closed_at = received_at", "UPDATE tallied SET closed_at = NULL"),
        ):  # fmt: skip
            said(town, statement)
            assert not verify.verify(town.site.loop, town.database).ok, statement
            said(town, back)


async def test_who_verifies_while_others_fold_is_told_of_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async with story(town) as driver:
        for n in range(3):
            await driver.walk(await driver.push(f"v{n}"), "accept", "sign")
    fold(town)

    def folded_meanwhile(session: Session) -> Any:
        found = summary.mark_of(session)
        town.advance(timedelta(days=40))
        assert fold(town) > 0
        return found

    monkeypatch.setattr("wuye_loop.store.tallying.mark_of", folded_meanwhile)
    with town.database.read() as session:
        good = tallying.good_of(scoring.compiled(town.site.loop, session))
        assert sums.strayed(session, good) == 0
