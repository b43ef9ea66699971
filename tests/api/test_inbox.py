"""A unit's inbox: what it holds, in which tab, the least time left first."""

from datetime import timedelta
from typing import Any

import pytest
from tests.api.crowd import crowd, plan
from tests.site import FINISH, Driver, at

from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.store.reads.inbox import Tab, inbox_statement

pytestmark = pytest.mark.anyio


async def inbox(driver: Driver, who: str, tab: str = "all") -> list[dict[str, Any]]:
    items = (await driver.get(who, f"/v1/inbox?tab={tab}"))["items"]
    return list(items)


async def test_anonymous_is_refused(driver: Driver) -> None:
    await driver.get(None, "/v1/inbox", expect=401)


async def test_only_units_have_an_inbox(driver: Driver) -> None:
    for who in ["hotline", "supervisor", "admin", "auditor"]:
        await driver.get(who, "/v1/inbox", expect=403)


async def test_a_bad_question_is_refused(driver: Driver) -> None:
    for query in ["tab=lost", "limit=0", "cursor=abc", "unit=market"]:
        await driver.get("market", f"/v1/inbox?{query}", expect=422)


async def test_a_grievance_moves_from_inbox_to_inbox(driver: Driver) -> None:
    number = await driver.push()
    assert [item["number"] for item in await inbox(driver, "property-centre")] == [number]
    await driver.walk(number, "accept")
    assert await inbox(driver, "property-centre") == []
    assert [item["number"] for item in await inbox(driver, "market")] == [number]
    await driver.walk(number, "sign")
    task = driver.tasks(number, "assist")[0].id
    await driver.on_task("company-1", task, "sign")
    await driver.on_task("company-1", task, "done", {"result": "好"})
    assert await inbox(driver, "company-1") == []
    await driver.act("market", number, "finish", FINISH)
    assert await inbox(driver, "market") == []
    assert [item["state"] for item in await inbox(driver, "property-centre")] == ["reviewing"]


async def test_what_must_be_signed_for_is_what_was_assigned_and_tasks_at_their_start(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept")
    assert [item["state_title"] for item in await inbox(driver, "market", "to_sign")] == ["待签收"]
    assert await inbox(driver, "property-centre", "to_sign") == []
    (item,) = await inbox(driver, "company-1", "to_sign")
    assert (item["type"], item["kind"], item["clock"]) == ("task", "assist", "assist")
    assert item["task_id"] == str(driver.tasks(number, "assist")[0].id)
    await driver.walk(number, "sign")
    await driver.on_task("company-1", item["task_id"], "sign")
    assert await inbox(driver, "market", "to_sign") == []
    assert await inbox(driver, "company-1", "to_sign") == []
    assert len(await inbox(driver, "company-1")) == 1


async def test_what_waits_to_be_dispatched_is_not_to_be_signed_for(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept")
    await driver.act("market", number, "send_back", {"reason": "材料不全", "legal_basis": "无"})
    assert [item["state"] for item in await inbox(driver, "property-centre")] == ["routing"]
    assert await inbox(driver, "property-centre", "to_sign") == []


async def test_due_soon_and_overdue_part_at_now_and_at_one_workday_from_now(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")  # Monday 9:00; five workdays: next Monday 17:30
    assert await inbox(driver, "market", "due_soon") == []
    assert (await inbox(driver, "market"))[0]["due_at"] == "2026-03-09T09:30:00.000000Z"
    driver.town.clock.set(at("2026-03-06 17:29"))
    assert await inbox(driver, "market", "due_soon") == []
    driver.town.clock.set(at("2026-03-06 17:31"))
    (item,) = await inbox(driver, "market", "due_soon")
    assert (item["overdue"], item["remaining_seconds"]) == (False, 7 * 3600 + 1800)
    assert await inbox(driver, "market", "overdue") == []
    driver.town.clock.set(at("2026-03-10 08:31"))
    assert await inbox(driver, "market", "due_soon") == []
    (item,) = await inbox(driver, "market", "overdue")
    assert (item["overdue"], item["remaining_seconds"], item["provisional"]) == (True, -60, False)


async def test_grievances_and_tasks_are_one_list_by_time_left_page_by_page(driver: Driver) -> None:
    urgent = await driver.push("a1", urgency="特急")
    late = await driver.push("a2")
    driver.town.clock.advance(timedelta(hours=1))
    later = await driver.push("a3")
    for number in (urgent, late, later):
        await driver.walk(number, "accept", "sign")
    order = await driver.post(
        "supervisor", "/v1/supervision/orders", {"grievance": later, "unit": "market"}, expect=201
    )
    seen: list[Any] = []
    path = "/v1/inbox?limit=1"
    while path:
        answer = await driver.client.get(path, headers=driver.headers("market"))
        seen.extend((item["number"], item["task_id"]) for item in answer.json()["items"])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen[0] == (urgent, None)
    assert seen[1] == (later, order["id"])
    assert {number for number, _ in seen[2:]} == {late, later}
    assert len(seen) == 4


async def test_an_answered_order_lies_with_the_supervisors_office_and_not_with_who_answered(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")
    order = await driver.post("supervisor", "/v1/supervision/orders", {"grievance": number}, expect=201)
    assert order["id"] in [item["task_id"] for item in await inbox(driver, "market", "to_sign")]
    await driver.on_task("market", order["id"], "answer", {"measures": "已整改"})
    assert order["id"] not in [item["task_id"] for item in await inbox(driver, "market")]
    assert order["id"] in [item["task_id"] for item in await inbox(driver, "command-office")]
    assert await inbox(driver, "company-2") == []


async def test_an_inbox_is_found_by_indexes_among_20000(driver: Driver) -> None:
    await driver.push()
    crowd(driver.town)
    found = plan(driver.town, *inbox_statement(Actor(ActorKind.UNIT, "unit-7"), Tab(), [], None, 50))
    assert "Seq Scan on clock" not in found, found
    assert "Seq Scan on grievance" not in found, found


async def test_an_item_says_whether_its_time_is_office_time(driver: Driver) -> None:
    for external_id, urgency in (("a1", "一般"), ("a2", "特急")):
        number = await driver.push(external_id, urgency=urgency)
        await driver.walk(number, "accept", "sign")
    found = {item["urgency"]: item for item in await inbox(driver, "market") if item["clock"] == "handle"}
    assert {urgency: item["working"] for urgency, item in found.items()} == {"一般": True, "特急": False}
    for item in found.values():
        clocks = (await driver.get("market", f"/v1/grievances/{item['number']}/clocks"))["items"]
        assert {one["working"] for one in clocks if one["clock"] == "handle"} == {item["working"]}
