"""Reading one grievance and lists of them: what is shown, to whom, and page by page."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.site import FINISH, Driver, Town, rules_of

from wuye_loop.ports import SettableClock
from wuye_loop.store.keys import api_keys

pytestmark = pytest.mark.anyio

DOORS = [
    "/v1/grievances",
    "/v1/grievances/WY260302-00000000",
    "/v1/grievances/WY260302-00000000/ledger",
    "/v1/grievances/WY260302-00000000/clocks",
    "/v1/grievances/WY260302-00000000/tasks",
    "/v1/grievances/WY260302-00000000/routing",
    "/v1/tasks/00000000-0000-7000-8000-000000000000",
]
NEVER = ["张三丰", "13812345678", "501"]


def key(town: Town, name: str, **key: Any) -> None:
    """Make one more key in the town, by a name."""
    made = town.run(lambda session: api_keys.create(session, now=town.now, ids=town.site.loop.ids, **key))
    town.keys = {**town.keys, name: made}


async def test_anonymous_is_refused(driver: Driver) -> None:
    for path in DOORS:
        await driver.get(None, path, expect=401)


async def test_anonymous_is_refused_an_identity(driver: Driver) -> None:
    await driver.post(None, "/v1/grievances/WY260302-00000000/identity", {"reason": "要上门"}, expect=401)


async def test_a_grievance_is_shown_with_its_building_and_its_seq_as_etag(driver: Driver) -> None:
    number = await driver.push(place={"estate": "E1", "address": "幸福路3号楼2单元501"}, extra={"工单": "甲"})
    answer = await driver.client.get(f"/v1/grievances/{number}", headers=driver.headers("hotline"))
    shown = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert (shown["state"], shown["state_title"], shown["stage_title"]) == ("received", "待受理", "统一收集")
    assert shown["address"] == "幸福路3号楼"
    assert shown["extra"] == {"工单": "甲"}
    assert "extra" not in await driver.get("property-centre", f"/v1/grievances/{number}")


async def test_jurisdiction_decides_who_reads_a_grievance(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept")
    task = driver.tasks(number, "assist")[0].id
    for who, status in [
        ("hotline", 200),
        ("other-hotline", 404),
        ("property-centre", 200),
        ("command-office", 200),
        ("market", 200),  # leads it
        ("company-1", 200),  # assists
        ("company-2", 404),  # a sibling
        ("office-1", 404),  # a unit of the same street with no part in it
        ("supervisor", 200),  # the district above
        ("supervisor-1", 200),  # its own street
        ("supervisor-2", 404),  # the neighbouring street
        ("admin", 200),
        ("auditor", 200),
    ]:
        for part in ("", "/ledger", "/clocks", "/tasks", "/routing", "/actions"):
            await driver.get(who, f"/v1/grievances/{number}{part}", expect=status)
        await driver.get(who, f"/v1/tasks/{task}", expect=status)
        listed = await driver.get(who, "/v1/grievances")
        assert [item["number"] for item in listed["items"]] == ([number] if status == 200 else []), who


async def test_a_unit_that_gave_a_grievance_back_no_longer_sees_it(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept")
    await driver.act("market", number, "send_back", {"reason": "非本单位职责", "legal_basis": "职责清单"})
    await driver.get("market", f"/v1/grievances/{number}", expect=404)
    assert (await driver.get("market", "/v1/grievances"))["items"] == []


async def test_duplicates_are_suggested_to_who_dispatches_and_never_shown_to_the_hotline(driver: Driver) -> None:
    first = await driver.push("a1", complainant={"name": "李四光", "phone": "13900000001"})
    await driver.push(
        "a2", title="楼道灯不亮", body="三单元楼道的灯一直不亮，晚上看不见，请派人来修理。", category="电梯"
    )
    await driver.push("a3", place={"estate": "E2"})
    again = await driver.push("a4", body="电梯停运两天了，家里有老人和孩子。")
    shown = await driver.get("property-centre", f"/v1/grievances/{again}")
    assert [item["number"] for item in shown["duplicate_candidates"]] == [first]
    assert shown["duplicate_candidates"][0]["similarity"] > 0.6
    assert "duplicate_candidates" not in await driver.get("hotline", f"/v1/grievances/{again}")


async def test_what_came_long_before_is_no_duplicate(driver: Driver) -> None:
    await driver.push("a1")
    driver.town.clock.advance(timedelta(days=31))
    again = await driver.push("a2")
    shown = await driver.get("property-centre", f"/v1/grievances/{again}")
    assert shown["duplicate_candidates"] == []


async def test_the_ledger_is_filtered_row_by_row_and_field_by_field(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")
    task = driver.tasks(number, "assist")[0].id
    await driver.on_task("company-1", task, "sign")
    await driver.on_task("company-1", task, "done", {"result": "已配合"})
    await driver.act("market", number, "finish", FINISH)

    async def ledger(who: str) -> dict[str, Any]:
        rows = (await driver.get(who, f"/v1/grievances/{number}/ledger"))["items"]
        assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
        return {row["action"]: row for row in rows}

    public, unit, desk = await ledger("hotline"), await ledger("market"), await ledger("property-centre")
    assert list(public) == ["receive", "accept", "route", "sign"]
    assert unit["finish"]["facts"] == {"result": "解决", "contacted": True, "public_reply": "电梯已修好"}
    assert desk["finish"]["facts"]["internal"] == "换了门机"
    assert desk["finish"]["actor"] == {
        "kind": "unit", "unit": "market", "unit_name": "区market部门", "role": "handler", "role_title": "承办单位",
    }  # fmt: skip
    assert public["sign"]["text"] == rules_of("kuiwen@1").workflow.actions["sign"].text
    assert unit["finish"]["text"] is None
    assert (desk["done"]["title"], desk["done"]["from"], desk["done"]["to"]) == ("协办完成", "working", "done")
    assert len(bytes.fromhex(desk["finish"]["hash"])) == 36


async def test_the_hotline_reads_the_answer_only_when_it_is_approved_and_never_one_sent_back(driver: Driver) -> None:
    number = await driver.push(category="噪音扰民")
    await driver.walk(number, "accept")
    who = "urban-management"
    await driver.act(who, number, "sign")
    await driver.act(who, number, "finish", FINISH | {"public_reply": "初稿"})
    await driver.act("hotline", number, "urge", {})

    async def told() -> list[str]:
        rows = (await driver.get("hotline", f"/v1/grievances/{number}/ledger"))["items"]
        return [row["facts"]["public_reply"] for row in rows if "public_reply" in row["facts"]]

    assert await told() == []
    await driver.act("property-centre", number, "reject", {"reason": "答非所问"})
    await driver.act(who, number, "finish", FINISH | {"public_reply": "定稿"})
    assert await told() == []
    await driver.act("property-centre", number, "approve", {"note": "内部意见"})
    rows = (await driver.get("hotline", f"/v1/grievances/{number}/ledger"))["items"]
    assert rows[-1]["action"] == "approve"
    assert rows[-1]["facts"] == {"public_reply": "定稿"}
    assert await told() == ["定稿"]


async def test_the_ledger_pages_by_seq_and_says_where_the_next_page_is(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")
    seen: list[Any] = []
    path = f"/v1/grievances/{number}/ledger?limit=1"
    while path:
        answer = await driver.client.get(path, headers=driver.headers("admin"))
        assert answer.status_code == 200
        seen.extend(row["seq"] for row in answer.json()["items"])
        assert ("next" in answer.links) == (answer.json()["next"] is not None)
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 4


async def test_clocks_and_tasks_are_shown_with_their_titles(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")
    clocks = (await driver.get("market", f"/v1/grievances/{number}/clocks"))["items"]
    by_name = {clock["clock"]: clock for clock in clocks}
    assert by_name["handle"]["title"] == "办理时限"
    assert by_name["handle"]["status"] == "running"
    assert by_name["accept"]["status"] == "ended"
    assert by_name["assist"]["task"] is not None
    tasks = (await driver.get("market", f"/v1/grievances/{number}/tasks"))["items"]
    assert [(task["kind"], task["state_title"], task["holder_unit"]) for task in tasks] == [
        ("assist", "待签收", "company-1")
    ]
    one = await driver.get("company-1", f"/v1/tasks/{tasks[0]['id']}")
    assert one["clocks"][0]["clock"] == "assist"
    assert one["seq"] == (await driver.get("market", f"/v1/grievances/{number}"))["seq"]


async def test_a_task_hides_from_the_hotline_what_its_opener_wrote_for_the_units(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept", "sign")
    await driver.open("market", number, "extension", {"days": 3, "reason": "等配件"})
    for who, data in (("market", {"days": 3, "reason": "等配件"}), ("hotline", {})):
        tasks = (await driver.get(who, f"/v1/grievances/{number}/tasks"))["items"]
        assert next(task for task in tasks if task["kind"] == "extension")["data"] == data


async def test_every_routing_decision_is_shown_and_the_first_is_only_a_proposal(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept")
    await driver.act("market", number, "send_back", {"reason": "非本单位职责", "legal_basis": "职责清单"})
    await driver.act("property-centre", number, "route", {"unit": "housing"})
    rows = (await driver.get("supervisor", f"/v1/grievances/{number}/routing"))["items"]
    assert [(row["proposal"], row["unit"]) for row in rows] == [(True, "market"), (False, "market"), (False, "housing")]
    assert rows[2]["trace"][0]["why"] == "人工指定"


async def test_a_list_is_narrowed_by_every_filter(driver: Driver) -> None:
    one = await driver.push("a1", title="电梯100%停运")
    two = await driver.push("a2", place={"estate": "E2"}, title="噪音扰民", body="夜里施工", category="噪音扰民")
    await driver.walk(one, "accept")

    async def numbers(query: str, who: str = "admin") -> set[str]:
        return {item["number"] for item in (await driver.get(who, f"/v1/grievances?{query}"))["items"]}

    assert await numbers("") == {one, two}
    assert await numbers("state=assigned") == {one}
    assert await numbers("stage=collect") == {two}
    assert await numbers("area=3707") == {one, two}
    assert await numbers("area=370701") == {one}
    assert await numbers("area=370702001") == {two}
    assert await numbers("area=370702", "supervisor-1") == set()
    assert await numbers("unit=market") == {one}
    assert await numbers("estate=E2") == {two}
    assert await numbers("category=噪音扰民") == {two}
    assert await numbers("q=100%25停") == {one}
    assert await numbers("q=%25") == {one}
    assert await numbers("q=_") == set()
    assert await numbers(f"q={two[-8:].lower()}") == {two}


async def test_a_list_pages_the_newest_first_and_new_arrivals_do_not_shift_it(driver: Driver) -> None:
    made = []
    for n in range(7):
        if n % 2:  # two at the same instant: the id decides
            driver.town.clock.advance(timedelta(minutes=1))
        made.append(await driver.push(f"a{n}"))
    seen: list[Any] = []
    path = "/v1/grievances?limit=3&category=电梯"
    while path:
        answer = await driver.client.get(path, headers=driver.headers("supervisor-1"))
        seen.extend(item["number"] for item in answer.json()["items"])
        await driver.push(f"later{len(seen)}")
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == made[::-1]


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


async def test_a_bad_question_is_refused_in_words_and_not_repeated(driver: Driver) -> None:
    for query in [
        "cursor=x",
        "cursor=%00",
        f"cursor={'A' * 601}",
        "cursor=" + cursor("[]"),
        "cursor=" + cursor("7"),
        "cursor=" + cursor("[1"),
        "cursor=" + cursor('["ledger",3]'),
        "cursor=" + cursor('["grievances","2026-01-01T00:00:00Z"]'),
        "cursor=" + cursor('["grievances","2026-01-01","00000000-0000-7000-8000-000000000000"]'),
        "cursor=" + cursor('["grievances","0001-01-01T00:00:00+23:00","00000000-0000-7000-8000-000000000000"]'),
        "cursor=" + cursor('["grievances",5,"00000000-0000-7000-8000-000000000000"]'),
        "cursor=" + cursor('["grievances","2026-01-01T00:00:00Z","zz"]'),
        "cursor=" + cursor('[["grievances"],null,null]'),
        "limit=0",
        "limit=201",
        "limit=many",
        "area=nowhere",
        "area=%00",
        "stage=nowhere",
        "q=",
        f"q={'长' * 101}",
        "sort=name",
    ]:
        answer = await driver.client.get(f"/v1/grievances?{query}", headers=driver.headers("admin"))
        assert answer.status_code == 422, query
        assert answer.json()["fields"][0]["problem"]
        assert "nowhere" not in answer.text
        assert "sort" not in answer.text


async def test_a_door_without_questions_refuses_any(driver: Driver) -> None:
    number = await driver.push()
    await driver.get("admin", f"/v1/grievances/{number}?expand=all", expect=422)


async def test_an_identity_is_opened_with_a_reason_and_leaves_a_row(driver: Driver) -> None:
    key(driver.town, "desk", role="unit", unit="property-centre", reveal=True)
    number = await driver.push(place={"estate": "E1", "address": "幸福路3号楼2单元501"})
    path = f"/v1/grievances/{number}/identity"
    before = (await driver.get("desk", f"/v1/grievances/{number}"))["seq"]
    reply = await driver.client.post(
        path, json={"reason": "上门核实,联系张三丰"}, headers=driver.headers("desk", Idempotency_Key="k1")
    )
    assert reply.status_code == 200
    person = reply.json()["complainant"]
    assert (person["name"], person["phone"], person["address"]) == ("张三丰", "13812345678", "幸福路3号楼2单元501")
    assert reply.headers["etag"] == f'"{before + 1}"'
    row = (await driver.get("admin", f"/v1/grievances/{number}/ledger"))["items"][-1]
    assert (row["action"], row["audience"], row["actor"]["unit"]) == ("reveal", "internal", "property-centre")
    assert row["facts"]["reason"].startswith("上门核实")
    assert "张三丰" not in str(row)
    rows = (await driver.get("hotline", f"/v1/grievances/{number}/ledger"))["items"]
    assert "reveal" not in [row["action"] for row in rows]
    stored = driver.town.rows("SELECT * FROM idempotency_key WHERE route LIKE '%%identity'")
    assert stored == []


async def test_an_identity_stays_sealed(driver: Driver) -> None:
    number = await driver.push()
    for who, body, status in [
        ("property-centre", {"reason": "要上门"}, 403),  # the key has no such scope
        ("supervisor", {"reason": "要上门"}, 403),
        ("other-hotline", {"reason": "要上门"}, 404),
        ("hotline", {}, 422),
        ("hotline", {"reason": ""}, 422),
        ("hotline", {"reason": " \u200b "}, 422),
        ("hotline", {"reason": "x", "more": 1}, 422),
    ]:
        await driver.post(who, f"/v1/grievances/{number}/identity", body, expect=status)
        assert driver.town.actions(number) == ["receive"]


async def test_a_property_company_never_reads_an_identity_whatever_its_key_says(driver: Driver) -> None:
    number = await driver.push()
    await driver.walk(number, "accept")
    with driver.town.database.begin() as session:
        session.connection().exec_driver_sql(
            "UPDATE api_key SET scopes = ARRAY['act', 'identity:reveal'] WHERE unit_code = 'company-1'"
        )
    await driver.post("company-1", f"/v1/grievances/{number}/identity", {"reason": "要上门"}, expect=403)
    assert "reveal" not in driver.town.actions(number)


async def test_no_answer_that_is_read_holds_an_identity(driver: Driver) -> None:
    said: dict[str, Any] = {"title": "电梯坏了,我是张三丰", "body": "电话13812345678,住3号楼2单元501"}
    number = await driver.push(place={"estate": "E1", "address": "幸福路3号楼2单元501"}, **said)
    await driver.walk(number, "accept", "sign")
    await driver.act("market", number, "contact", {"contacted": True, "note": "已联系张三丰 13812345678"})
    task = driver.tasks(number, "assist")[0].id
    paths = [f"/v1/grievances/{number}{part}" for part in ("", "/ledger", "/clocks", "/tasks", "/routing", "/actions")]
    for who in ("hotline", "property-centre", "market", "company-1", "supervisor", "admin", "auditor"):
        for path in [*paths, f"/v1/tasks/{task}", "/v1/grievances"]:
            answer = await driver.client.get(path, headers=driver.headers(who))
            assert answer.status_code == 200
            assert not [secret for secret in NEVER[:2] if secret in answer.text], (who, path)


async def test_a_task_that_is_not_there_answers_as_one_outside_does(driver: Driver) -> None:
    assert isinstance(driver.town.clock, SettableClock)
    await driver.get("admin", f"/v1/tasks/{UUID(int=7)}", expect=404)
    await driver.get("admin", "/v1/tasks/not-an-id", expect=422)


async def test_the_contract_shows_every_door_with_words_an_example_and_its_errors(driver: Driver) -> None:
    paths = driver.app.openapi()["paths"]
    for path in paths:
        for method, door in paths[path].items():
            if not path.startswith("/v1/") or path.startswith("/v1/rehearsal"):
                continue
            assert door["summary"], path
            assert door.get("description"), path
            success = next(door["responses"][code] for code in ("200", "201") if code in door["responses"])
            assert success.get("content"), (method, path)
            assert {"401", "403"} <= door["responses"].keys(), (method, path)
