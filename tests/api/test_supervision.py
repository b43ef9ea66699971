"""What supervisors read and do: overdue clocks, counts, supervision orders; a street sees its own subtree."""

from datetime import timedelta
from typing import Any

import pytest
from tests.api.crowd import crowd, plan
from tests.site import BAD, FINISH, GOOD, Driver, at

from wuye_loop.store.reads.supervision import OverdueFilters, overdue_statement

pytestmark = pytest.mark.anyio
OVERDUE = "/v1/supervision/overdue"
SUMMARY = "/v1/supervision/summary"
ORDERS = "/v1/supervision/orders"


async def items(driver: Driver, who: str, path: str) -> list[dict[str, Any]]:
    return list((await driver.get(who, path))["items"])


async def test_anonymous_is_refused(driver: Driver) -> None:
    for path in [OVERDUE, SUMMARY, ORDERS]:
        await driver.get(None, path, expect=401)


async def test_anonymous_is_refused_an_order(driver: Driver) -> None:
    await driver.post(None, ORDERS, {"grievance": "x"}, expect=401)


async def test_only_who_supervises_may_look(driver: Driver) -> None:
    for path in [OVERDUE, SUMMARY, ORDERS]:
        for who, status in [
            ("hotline", 403),
            ("market", 403),
            ("property-centre", 403),
            ("company-1", 403),
            ("command-office", 200),
            ("supervisor", 200),
            ("supervisor-1", 200),
            ("admin", 200),
            ("auditor", 200),
        ]:
            await driver.get(who, path, expect=status)


async def test_a_bad_question_is_refused_in_words(driver: Driver) -> None:
    for path in [
        f"{OVERDUE}?older_than=soon",
        f"{OVERDUE}?older_than=-1%20days",
        f"{OVERDUE}?older_than=0%20days",
        f"{OVERDUE}?older_than=9999%20months",
        f"{OVERDUE}?rung=-1",
        f"{OVERDUE}?rung=x",
        f"{OVERDUE}?area=nowhere",
        f"{OVERDUE}?unit=nobody",
        f"{OVERDUE}?cursor=zzz",
        f"{OVERDUE}?limit=999",
        f"{OVERDUE}?sort=x",
        f"{SUMMARY}?by=colour",
        f"{SUMMARY}?area=nowhere",
        f"{SUMMARY}?limit=3",
        f"{ORDERS}?area=nowhere",
        f"{ORDERS}?cursor=zzz",
        f"{ORDERS}?unit=nobody",
    ]:
        answer = await driver.get("supervisor", path, expect=422)
        assert answer["fields"][0]["problem"]


async def test_a_street_cannot_ask_about_its_neighbour_or_the_district(driver: Driver) -> None:
    for path in [OVERDUE, SUMMARY, ORDERS]:
        await driver.get("supervisor-1", f"{path}?area=370702", expect=422)
        await driver.get("supervisor-1", f"{path}?area=3707", expect=422)
        await driver.get("supervisor-1", f"{path}?area=370701001")


async def test_an_overdue_clock_says_how_late_how_far_escalated_and_which_orders(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")  # due Monday 9 March 17:30
    driver.town.advance(at("2026-03-12 10:30"))  # two office days of 7.5 hours and two hours late
    (item,) = [one for one in await items(driver, "supervisor", OVERDUE) if one["clock"] == "handle"]
    assert item["overdue_seconds"] == (2 * 15 + 4) * 1800
    assert item["overdue_text"] == "2 个工作日 2 小时"
    assert (item["rung"], item["rung_title"]) == (2, "督办单")
    assert (item["holder_unit"], item["holder_name"], item["lead_unit"]) == ("market", "区market部门", "market")
    assert (item["area"], item["area_name"], item["estate"]) == ("370701001", "东一社区", "E1")
    assert item["due_at"] == "2026-03-09T09:30:00.000000Z"
    (order,) = item["orders"]
    assert (order["number"], order["kind"], order["state_title"]) == ("奎督〔2026〕1号", "督办单", "已签发")


async def test_the_overdue_list_is_narrowed_by_every_filter_and_by_jurisdiction(driver: Driver) -> None:
    one = await driver.push("a1")
    two = await driver.push("a2", place={"estate": "E2"}, category="噪音扰民")
    await driver.walk(one, "accept", "sign")
    driver.town.advance(at("2026-03-10 10:00"))

    async def found(query: str, who: str = "supervisor") -> set[tuple[str, str]]:
        return {(item["number"], item["clock"]) for item in await items(driver, who, f"{OVERDUE}?{query}")}

    desk = {(two, "accept"), (two, "reply")}  # the desk let it wait, and has not answered the order about it
    everything = {(one, "handle"), (one, "assist"), *desk}
    assert await found("") == everything
    assert await found("", "command-office") == everything
    assert await found("", "admin") == everything
    assert await found("", "supervisor-1") == {(one, "handle"), (one, "assist")}
    assert await found("", "supervisor-2") == desk
    assert await found("area=370702") == desk
    assert await found("clock=handle") == {(one, "handle")}
    assert await found("rung=1") == {(one, "handle"), (one, "assist")}
    assert await found("rung=2&clock=accept") == {(two, "accept")}
    assert await found("unit=property-centre") == desk
    assert await found("older_than=1 workday") == {(one, "assist"), *desk}
    assert await found("older_than=5 days") == {(two, "accept")}
    assert await found("older_than=1000 days") == set()


async def test_the_longest_overdue_comes_first_page_by_page(driver: Driver) -> None:
    made = []
    for n in range(5):
        made.append(await driver.push(f"a{n}"))
        if n % 2:
            driver.town.clock.advance(timedelta(minutes=7))
    driver.town.clock.set(at("2026-03-05 09:00"))
    seen: list[Any] = []
    path = f"{OVERDUE}?limit=2"
    while path:
        answer = await driver.client.get(path, headers=driver.headers("supervisor-1"))
        seen.extend((item["due_at"], item["number"]) for item in answer.json()["items"])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert {number for _, number in seen} == set(made)
    assert [due for due, _ in seen] == sorted(due for due, _ in seen)
    assert len(seen) == 5


async def test_a_suspended_clock_is_not_overdue(driver: Driver) -> None:
    number = await driver.push(category="噪音扰民")
    await driver.walk(number, "accept")
    await driver.act("urban-management", number, "sign")
    task = await driver.open("urban-management", number, "suspension", {"until": "2026-04-20", "reason": "等招标"})
    await driver.on_task("command-office", task["id"], "approve")
    driver.town.advance(at("2026-03-20 10:00"))
    assert await items(driver, "supervisor", OVERDUE) == []


async def test_the_summary_counts_open_soon_overdue_late_and_satisfied(driver: Driver) -> None:
    closed = await driver.push("a1", category="噪音扰民")
    await driver.walk(closed, "accept")
    await driver.act("urban-management", closed, "sign")
    await driver.act("urban-management", closed, "finish", FINISH)
    await driver.walk(closed, "approve", "call_back")
    await driver.act("hotline", closed, "rate", GOOD)
    late = await driver.push("a2", category="噪音扰民", place={"estate": "E2"})
    await driver.walk(late, "accept")
    await driver.act("urban-management", late, "sign")
    overdue = await driver.push("a3", category="电梯")
    await driver.walk(overdue, "accept", "sign")
    driver.town.advance(at("2026-03-10 09:00"))
    await driver.act("urban-management", late, "finish", FINISH)
    await driver.walk(late, "approve", "call_back")
    await driver.act("hotline", late, "rate", BAD)
    soon = await driver.push("a4", place={"estate": "E2"})

    async def by(dimension: str, who: str = "supervisor", more: str = "") -> dict[str | None, dict[str, Any]]:
        answer = await driver.get(who, f"{SUMMARY}?by={dimension}{more}")
        return {item["key"]: item for item in answer["items"]}

    total = (await driver.get("supervisor", SUMMARY))["total"]
    assert (total["open"], total["due_soon"], total["overdue_open"], total["closed"]) == (3, 1, 1, 1)
    assert (total["rated"], total["satisfied"]) == (2, 1)
    assert total["satisfaction"] == {"numerator": 1, "denominator": 2, "excluded": 0, "rate": 0.5}
    # This version does not say by which answers they go.
    assert total["response"] == total["solved"] == {"numerator": 0, "denominator": 0, "excluded": 0, "rate": None}
    areas = await by("area")
    assert {key: area["open"] for key, area in areas.items()} == {"370701": 1, "370702": 2}
    assert areas["370701"]["title"] == "东关街道"
    assert set(await by("area", more="&area=370701")) == {"370701001"}
    assert set(await by("area", "supervisor-2")) == {"370702001"}
    units = await by("unit")
    assert units["market"]["overdue_open"] == 1
    assert units["urban-management"]["closed"] == 1
    assert units["urban-management"]["on_time"] == {"numerator": 1, "denominator": 1, "excluded": 0, "rate": 1.0}
    assert units["property-centre"]["due_soon"] == 1
    assert set(await by("estate")) == {"E1", "E2"}
    assert (await by("estate"))["E1"]["title"] == "幸福苑"
    assert (await by("category"))["电梯"]["open"] == 2
    rungs = await by("rung")
    assert rungs["handle:1"]["open"] == 1
    assert rungs["handle:1"]["title"] == "办理时限 · 红牌警示、升级督办"
    assert (await driver.get("supervisor-1", SUMMARY))["total"]["open"] == 1
    assert soon


async def test_what_closed_late_counts_as_late(driver: Driver) -> None:
    number = await driver.push(category="噪音扰民")
    await driver.walk(number, "accept")
    await driver.act("urban-management", number, "sign")
    driver.town.advance(at("2026-03-10 09:00"))
    await driver.act("urban-management", number, "finish", FINISH)
    await driver.walk(number, "approve", "call_back")
    await driver.act("hotline", number, "rate", GOOD)
    (unit,) = (await driver.get("admin", f"{SUMMARY}?by=unit"))["items"]
    assert (unit["key"], unit["closed"], unit["overdue_closed"]) == ("urban-management", 1, 1)
    assert unit["on_time"] == {"numerator": 0, "denominator": 1, "excluded": 0, "rate": 0.0}


async def test_a_supervisor_issues_an_order_which_is_answered_and_signed_off(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")
    order = {"grievance": number, "document": "挂牌督办", "demand": "三日内办结"}
    first = await driver.send("supervisor", ORDERS, order, key="once")
    again = await driver.send("supervisor", ORDERS, order, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    task = first.json()["id"]
    (item,) = await items(driver, "supervisor", ORDERS)
    assert (item["id"], item["number"], item["document"]) == (task, "奎挂督〔2026〕1号", "挂牌督办")
    assert (item["unit"], item["demand"], item["issued_by_title"]) == ("market", "三日内办结", "督办人员")
    assert [copy["unit"] for copy in item["copies"]] == ["property-centre"]
    assert (item["reply"]["limit_text"], item["reply"]["overdue"]) == ("10 个工作日", False)
    assert (item["state_title"], item["signed_off_at"]) == ("已签发", None)
    await driver.on_task("market", task, "receive")
    await driver.on_task("market", task, "answer", {"measures": "已换门机"})
    await driver.on_task("supervisor", task, "sign_off", {})
    (item,) = await items(driver, "supervisor", f"{ORDERS}?state=closed")
    assert item["signed_off_at"] is not None
    assert item["reply"]["ended_at"] is not None
    assert await items(driver, "supervisor", f"{ORDERS}?state=issued") == []
    assert await items(driver, "supervisor", f"{ORDERS}?unit=housing") == []
    assert await items(driver, "supervisor-2", ORDERS) == []
    assert len(await items(driver, "supervisor-1", ORDERS)) == 1
    assert len(await items(driver, "supervisor", f"{ORDERS}?area=370701001&unit=market")) == 1


async def test_an_order_is_refused(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")
    refusals: list[tuple[str, dict[str, Any], int]] = [
        ("market", {}, 403),
        ("supervisor-2", {}, 404),
        ("hotline", {}, 403),
        ("supervisor", {"grievance": "WY260302-00000000"}, 404),
        ("supervisor", {"document": "红头文件"}, 422),
        ("supervisor", {"unit": "nobody"}, 422),
        ("supervisor", {"deadline": "now"}, 422),
        ("supervisor", {"grievance": 7}, 422),
    ]
    for who, change, status in refusals:
        await driver.post(who, ORDERS, {"grievance": number} | change, expect=status)
        assert driver.town.scalar("SELECT count(*) FROM document") == 0


async def test_an_order_on_what_has_moved_since_is_refused(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")
    assert (await driver.send("supervisor", ORDERS, {"grievance": number}, seq=1)).status_code == 412


async def test_the_overdue_list_is_found_by_indexes_among_20000(driver: Driver) -> None:
    await driver.push()
    crowd(driver.town)
    before = driver.town.now + timedelta(days=3)
    for who in ("supervisor", "supervisor-1", "admin"):
        for filters in (
            OverdueFilters(),
            OverdueFilters(clock="accept"),
            OverdueFilters(unit="unit-7"),
            OverdueFilters(area_path="3707/370701/370701001/"),
        ):
            found = plan(driver.town, *overdue_statement(driver.town.actors[who], filters, before, None, 50))
            assert "Seq Scan on clock" not in found, (who, filters, found)
            assert "Seq Scan on grievance" not in found, (who, filters, found)
    assert len(await items(driver, "supervisor-1", f"{OVERDUE}?limit=200")) == 200
