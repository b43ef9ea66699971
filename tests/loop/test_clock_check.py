"""A clock that is off is not gone by, and the time of a ledger never runs backwards."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.site import MONDAY, Driver, Town, build, order, story, town_on

from wuye_loop.app import make_site
from wuye_loop.domain.errors import ClockOff
from wuye_loop.domain.time.skew import skew
from wuye_loop.edge import readiness
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
BOUND = timedelta(seconds=60)
PUSH = "/v1/grievances"


@pytest.fixture
async def drive(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Driver]:
    """Give a driver; whatever came in, the ledger must still be true."""
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0)
    async with story(build(database, data=tmp_path)) as driver:
        yield driver


def bound(town: Town, **ahead: float) -> None:
    """Let the town go by its clock as by a machine's own, so much ahead of the database's."""
    town.clock.set(town.scalar("SELECT clock_timestamp()") + timedelta(**ahead))
    town.site.loop = replace(town.site.loop, clock_bound=BOUND)


def test_how_far_two_clocks_are_apart_is_told_only_where_the_looks_tell() -> None:
    second = timedelta(seconds=1)
    assert skew(MONDAY, MONDAY + second, MONDAY + 3 * second) == timedelta()
    assert skew(MONDAY, MONDAY - second, MONDAY + 3 * second) == second
    assert skew(MONDAY, MONDAY + 5 * second, MONDAY + 3 * second) == -2 * second


@pytest.mark.parametrize(("seconds", "words"), [(90, "快 "), (-90, "慢 ")])
async def test_a_clock_that_is_off_stops_what_comes_in_and_the_sweep_and_says_so(
    drive: Driver, seconds: float, words: str
) -> None:
    town = drive.town
    number = await drive.push("a1")
    bound(town, seconds=seconds)
    before = town.scalar("SELECT count(*) FROM ledger")
    refused = await drive.send("hotline", PUSH, order("a2"))
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/clock-off")
    assert words in refused.json()["detail"]
    assert "上限是 60 秒" in refused.json()["detail"]
    assert int(refused.headers["Retry-After"]) > 0
    batch = await drive.post("hotline", f"{PUSH}:batch", {"items": [order("a3")]})
    assert [item["status"] for item in batch["items"]] == [503]
    with pytest.raises(ClockOff):
        town.sweep()
    assert town.scalar("SELECT count(*) FROM ledger") == before
    ready = await drive.client.get("/readyz")
    assert (ready.status_code, ready.json()["type"]) == (503, "/problems/clock-off")
    assert (await drive.get("hotline", f"{PUSH}/{number}"))["number"] == number, "what is there can be read"
    assert (await drive.send("hotline", PUSH, order("a1"))).status_code == 200, "what was taken in is answered as then"

    bound(town)
    assert (await drive.client.get("/readyz")).status_code == 200
    assert (await drive.send("hotline", PUSH, order("a2"))).status_code == 201
    assert town.sweep().failed == 0


async def test_a_clock_within_the_bound_is_gone_by(drive: Driver) -> None:
    bound(drive.town, seconds=50)
    assert (await drive.send("hotline", PUSH, order("a1"))).status_code == 201
    drive.town.sweep()


def test_only_the_machines_own_clock_has_a_bound(database: Database) -> None:
    with town_on(database, clock_bound_seconds=7) as town:
        assert town.site.loop.clock_bound is None
        assert make_site(town.site.settings, database).loop.clock_bound == timedelta(seconds=7)


async def test_the_time_of_a_ledger_never_runs_backwards(drive: Driver) -> None:
    number = await drive.push("a1")
    drive.town.clock.advance(timedelta(seconds=-40))
    await drive.walk(number, "accept")
    drive.town.clock.advance(timedelta(minutes=5))
    await drive.walk(number, "sign")
    times = [entry.at for entry in drive.town.folder(number).entries]
    assert times == sorted(times)
    assert times[1] == MONDAY


async def test_a_rung_is_due_by_the_clock_and_not_by_a_row_from_the_future(drive: Driver) -> None:
    town = drive.town
    number = await drive.push("a1")
    town.clock.advance(timedelta(days=30))
    await drive.walk(number, "accept")
    town.clock.set(MONDAY)
    assert town.sweep().fired == 0
