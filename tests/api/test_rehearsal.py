"""演练: moving the clock plays every ladder in the order of time; without the flag there is no such door."""

from collections.abc import AsyncIterator

import pytest
from tests.site import Driver, driving, town_on

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
CLOCK = "/v1/rehearsal/clock"


@pytest.fixture
async def driver(database: Database) -> AsyncIterator[Driver]:
    with town_on(database, rehearsal=True) as town:
        async with driving(town) as hands:
            yield hands


async def test_anonymous_is_refused(driver: Driver) -> None:
    await driver.get(None, CLOCK, expect=401)
    await driver.post(None, CLOCK, {"advance": "1 workday"}, expect=401)


async def test_only_an_administrator_moves_the_clock(driver: Driver) -> None:
    for who in ["hotline", "market", "supervisor", "auditor"]:
        await driver.post(who, CLOCK, {"advance": "1 workday"}, expect=403)


async def test_without_the_flag_there_is_no_such_door(database: Database) -> None:
    with town_on(database) as town:
        async with driving(town) as hands:
            await hands.get("admin", CLOCK, expect=404)
            await hands.post("admin", CLOCK, {"advance": "1 workday"}, expect=404)
            assert CLOCK not in hands.app.openapi()["paths"]


async def test_a_bad_span_is_refused_and_the_clock_stays(driver: Driver) -> None:
    for body in [
        {},
        {"advance": ""},
        {"advance": "soon"},
        {"advance": "0 days"},
        {"advance": "-1 days"},
        {"advance": 3},
        {"advance": "401 days"},
        {"advance": "999 months"},
        {"advance": "1 day", "now": "x"},
    ]:
        before = await driver.get("admin", CLOCK)
        await driver.post("admin", CLOCK, body, expect=422)
        assert await driver.get("admin", CLOCK) == before


async def test_workdays_pass_over_the_weekend(driver: Driver) -> None:
    moved = await driver.post("admin", CLOCK, {"advance": "5 workdays"})
    assert moved == {"now": "2026-03-09T01:00:00.000000Z", "fired": 0}
    assert await driver.get("admin", CLOCK) == {"now": "2026-03-09T01:00:00.000000Z"}


async def test_one_jump_plays_the_whole_ladder_each_rung_at_its_own_hour(driver: Driver) -> None:
    number = await driver.push(category="噪音扰民")
    await driver.walk(number, "accept")
    await driver.act("urban-management", number, "sign")
    moved = await driver.post("admin", CLOCK, {"advance": "20 workdays"})
    entries = driver.town.folder(number).entries
    rungs = [entry for entry in entries if entry.action.startswith("rung:")]
    assert moved["fired"] == len(rungs)
    assert [(entry.facts["rung"], entry.at.isoformat()[:16]) for entry in rungs if entry.action == "rung:handle"] == [
        (0, "2026-03-06T09:30"),
        (1, "2026-03-09T09:30"),
        (2, "2026-03-11T09:30"),
        (3, "2026-03-16T09:30"),
        (4, "2026-03-23T09:30"),
    ]
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    # The order opened on the way runs against its own clock, whose ladder played too.
    assert "rung:reply" in {entry.action for entry in rungs}
    assert driver.town.grievance(number).state == "supervised"
