import pytest
from tests.site import at, driving, town_on

from wuye_loop.store.database import Database
from wuye_loop.store.grievance import due_rungs


@pytest.mark.anyio
async def test_of_one_instant_the_older_grievance_comes_first_whoever_was_taken_up_first(database: Database) -> None:
    with town_on(database, start=at("2026-03-02 09:00")) as town:
        async with driving(town) as driver:
            numbers = [await driver.push(f"a{n}", title=f"第 {n} 件", body=f"事由 {n}") for n in range(6)]
            for number in reversed(numbers):
                await driver.act("property-centre", number, "accept")
            with town.database.read() as session:
                at_once = due_rungs.due(session, at("2026-06-01 09:00"), None, 500)
                first = at_once[0].at
                told = list(dict.fromkeys(rung.number for rung in at_once if rung.at == first))
                page = due_rungs.due(session, at("2026-06-01 09:00"), at_once[1].key, 500)
    assert told == numbers
    assert page == at_once[2:]
