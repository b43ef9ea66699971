"""The feed of changes: whoever follows it misses nothing, whatever commits while it is read."""

import asyncio
import threading
from typing import Any

import pytest
from tests.site import Driver, order

from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.loop.collect import collect
from wuye_loop.queries import changes
from wuye_loop.store.reads.changes import BEGINNING

pytestmark = pytest.mark.anyio


async def follow(
    driver: Driver, who: str = "hotline", after: str | None = None, limit: int = 200
) -> tuple[list[Any], str]:
    """Return everything since a cursor, page by page, and the cursor to go on from."""
    found: list[Any] = []
    while True:
        query = f"?limit={limit}" + (f"&after={after}" if after else "")
        page = await driver.get(who, f"/v1/changes{query}")
        found += page["items"]
        after = page["next"]
        if not page["more"]:
            return found, str(after)


async def test_every_step_is_told_once_in_order_and_nothing_twice(driver: Driver) -> None:
    number = await driver.push("a1")
    items, cursor = await follow(driver)
    assert [(item["number"], item["seq"], item["external_id"]) for item in items] == [(number, 1, "a1")]
    assert (await follow(driver, after=cursor))[0] == []
    await driver.walk(number, "accept")
    second = await driver.push("a2")
    items, cursor = await follow(driver, after=cursor, limit=1)
    assert [item["number"] for item in items] == [number, second]
    assert items[0]["seq"] == items[0]["now_seq"]
    assert items[0]["state"] == driver.town.grievance(number).state
    everything, _ = await follow(driver, limit=1)
    assert (everything[0]["number"], everything[0]["seq"]) == (number, 1)
    assert len(everything) == 3


async def test_each_key_is_told_of_what_it_sees_and_of_nothing_else(driver: Driver) -> None:
    number = await driver.push("a1")
    assert (await follow(driver, "other-hotline"))[0] == []
    (item,) = (await follow(driver, "property-centre"))[0]
    assert item["number"] == number
    assert "external_id" not in item
    for bad in ("x", "WyJncmlldmFuY2VzIl0", "e30"):
        await driver.get("hotline", f"/v1/changes?after={bad}", expect=422)
    await driver.get("hotline", "/v1/changes?cursor=x", expect=422)
    await driver.get(None, "/v1/changes", expect=401)


async def test_what_an_open_transaction_will_commit_is_not_passed_over(driver: Driver) -> None:
    town, actor = driver.town, driver.town.actors["hotline"]
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        with town.database.begin() as session:
            collect(town.site.loop, session, IntakeForm.model_validate(order("slow")), actor)
            begun.set()
            go_on.wait(timeout=30)

    writer = threading.Thread(target=slowly)
    writer.start()
    assert await asyncio.to_thread(begun.wait, 30)
    await driver.push("quick", complainant={"name": "李四", "phone": "13900000000"})
    items, cursor = await follow(driver)
    assert items == []  # the quick one waits for the slow one, which may yet come before it
    go_on.set()
    await asyncio.to_thread(writer.join)
    later, _ = await follow(driver, after=cursor)
    assert sorted(item["external_id"] for item in later) == ["quick", "slow"]


async def test_a_reader_beside_many_writers_sees_every_change_and_each_grievance_in_its_order(driver: Driver) -> None:
    town, actor = driver.town, driver.town.actors["hotline"]
    each, writers = 8, 4
    done = threading.Event()

    def write(n: int) -> None:
        for k in range(each):
            with town.database.begin() as session:
                for part in range(1 + k % 3):  # transactions of several sizes
                    form = order(f"w{n}-{k}-{part}", complainant={"name": "李四", "phone": f"139{n:04d}{k:03d}{part}"})
                    collect(town.site.loop, session, IntakeForm.model_validate(form), actor)

    seen: list[Any] = []

    def read() -> None:
        mark, finishing = BEGINNING, False
        while True:
            finishing = done.is_set()
            with town.database.read() as session:
                items, mark, more = changes.since(town.site.loop, session, actor, mark, 5)
            seen.extend(items)
            if finishing and not more and not items:
                return

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    reader = threading.Thread(target=read)
    for thread in (*threads, reader):
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    done.set()
    await asyncio.to_thread(reader.join)
    stored = {(row[0], row[1]) for row in town.rows("SELECT g.number, g.seq FROM grievance g")}
    told = [(item["number"], item["seq"]) for item in seen]
    assert set(told) == stored
    assert len(told) == len(stored)
