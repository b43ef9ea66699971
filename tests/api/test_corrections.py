"""Orders that change after they were sent: found by their senders' ids, set right, added to, urged through a lead."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests import ROOT
from tests.api.test_papers import town_of, workflow_text
from tests.site import Driver, build, order, seen, story
from tests.stories.test_sixth_city import neighbour

from wuye_loop.store.database import Database
from wuye_loop.store.directory.load import load_directory

pytestmark = pytest.mark.anyio
PUSH = "/v1/grievances"
CASES = ROOT / "tests" / "cases"


def case(name: str) -> Any:
    return json.loads((CASES / name).read_bytes())


@pytest.fixture
async def sixth(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    async with story(town_of(database, tmp_path)) as driver:
        yield driver


async def correct(driver: Driver, number: str, body: Any, *, who: str = "hotline", expect: int = 200) -> Any:
    answer = await driver.client.patch(f"{PUSH}/{number}", json=body, headers=driver.headers(who))
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_the_sender_s_id_is_in_every_answer_to_the_sender_and_in_no_other(driver: Driver) -> None:
    receipt = await driver.post("hotline", PUSH, order("hot-77"), expect=201)
    number = receipt["number"]
    assert receipt["external_id"] == "hot-77"
    assert (await driver.post("hotline", PUSH, order("hot-77"), expect=200))["external_id"] == "hot-77"
    assert (await driver.get("hotline", f"{PUSH}/{number}"))["external_id"] == "hot-77"
    for query in ("external_id=hot-77", "external_id=hot-77&source=12345", "q=hot-7"):
        (item,) = (await driver.get("hotline", f"{PUSH}?{query}"))["items"]
        assert (item["number"], item["external_id"]) == (number, "hot-77"), query
    assert (await driver.act("hotline", number, "urge", {}))["external_id"] == "hot-77"
    assert (await driver.get("hotline", f"{PUSH}?external_id=other"))["items"] == []
    assert (await driver.get("property-centre", f"{PUSH}?external_id=hot-77"))["items"] == []
    assert (await driver.get("property-centre", f"{PUSH}?q=hot-77"))["items"] == []
    assert len((await driver.get("admin", f"{PUSH}?external_id=hot-77&source=12345"))["items"]) == 1
    assert (await driver.get("admin", f"{PUSH}?external_id=hot-77&source=elsewhere"))["items"] == []
    assert "hot-77" not in json.dumps(await driver.get("property-centre", f"{PUSH}/{number}"))


async def test_what_was_wrong_is_set_right_with_a_row_that_keeps_old_and_new(driver: Driver) -> None:
    number = await driver.push(place={}, kind="求助", category="供水")
    before = driver.town.clocks(number, "accept")
    body = {"reason": "来电人更正", "place": {"estate": "E1", "address": "3号楼2单元501"}, "category": "电梯", "kind": "投诉",
            "phone": "13800001111", "title": "电梯停运", "occurred_at": "2026-3-1 9:05"}  # fmt: skip
    shown = await correct(driver, number, body)
    assert (shown["estate"], shown["category"], shown["kind"], shown["title"]) == ("E1", "电梯", "投诉", "电梯停运")
    assert shown["company"] is not None
    assert (await seen(driver, number))["address"] == "3号楼"
    entry = driver.town.folder(number).entries[-1]
    assert (entry.action, entry.facts["reason"]) == ("correct", "来电人更正")
    assert (entry.facts["old"]["category"], entry.facts["new"]["category"]) == ("供水", "电梯")
    assert entry.facts["new"]["estate_code"] == "E1"
    assert entry.facts["routing"]
    assert "13800001111" not in json.dumps(entry.facts, ensure_ascii=False)
    assert driver.town.clocks(number, "accept") == before
    assert driver.town.scalar("SELECT occurred_at FROM grievance") == datetime(2026, 3, 1, 1, 5, tzinfo=UTC)
    routing = await driver.get("property-centre", f"{PUSH}/{number}/routing")
    assert [row["proposal"] for row in routing["items"]] == [True, True]


async def test_texts_are_struck_again_and_the_identity_is_sealed_anew(driver: Driver) -> None:
    number = await driver.push(body="我电话 66778899，请回电", complainant={"name": "张三丰"})
    await correct(driver, number, {"reason": "补电话", "phone": "66778899"})
    shown = await seen(driver, number)
    assert "66778899" not in shown["body"]
    later = await correct(driver, number, {"reason": "改内容", "body": "张三丰家又停电了，66778899"})
    assert not {"张三丰", "66778899"} & {word for word in ("张三丰", "66778899") if word in later["body"]}
    sealed = driver.town.scalar("SELECT count(*) FROM complainant WHERE phone_hash IS NOT NULL")
    assert sealed == 1


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("other-hotline", {"reason": "更正", "category": "电梯"}, 404),
        ("property-centre", {"reason": "更正", "category": "电梯"}, 403),
        ("supervisor", {"reason": "更正", "category": "电梯"}, 403),
        ("hotline", {"category": "电梯"}, 422),
        ("hotline", {"reason": "更正", "state": "closed"}, 422),
        ("hotline", {"reason": "更正", "urgency": "特急"}, 422),
        ("hotline", {"reason": "更正", "title": None}, 422),
        ("hotline", {"reason": "更正", "place": {"area_code": "没有"}}, 422),
    ],
)
async def test_whoever_may_not_and_whatever_may_not_be_set_right_is_refused(
    driver: Driver, who: str, body: Any, status: int
) -> None:
    number = await driver.push()
    await correct(driver, number, body, who=who, expect=status)
    assert driver.town.grievance(number).seq == 1


async def test_words_that_come_later_are_added_and_their_red_lines_alarm(driver: Driver) -> None:
    number = await driver.push(body="电梯停运。")
    path = f"{PUSH}/{number}/supplements"
    shown = await driver.post("hotline", path, {"text": "张三丰说现在有人被困在电梯里"})
    assert shown["body"] == "电梯停运。\n补充：***说现在有人被困在电梯里"
    assert "red-line" in shown["flags"]
    assert shown["urgency"] == "特急"
    assert driver.town.actions(number)[-1] == "supplement"


async def test_a_red_line_of_a_correction_issues_its_paper_as_at_an_intake(database: Database, tmp_path: Path) -> None:
    text = workflow_text().replace("notice: alarm, to: [dispatcher, command]", "notice: interview, to: [dispatcher]")
    async with story(town_of(database, tmp_path, text)) as driver:
        at_once = await driver.push("a1", body="三号楼起火")
        later = await driver.push("a2", body="电梯停运。")
        await driver.post("hotline", f"{PUSH}/{later}/supplements", {"text": "刚才三号楼起火"})
        papers = driver.town.rows("SELECT number, kind FROM document ORDER BY n")
        assert [row.kind for row in papers] == ["约谈通知书"] * 2, at_once


async def test_the_same_key_with_the_same_json_in_another_order_is_the_same_request(driver: Driver) -> None:
    sent = order("k")
    first = await driver.send("hotline", PUSH, sent, key="k1")
    turned = dict(reversed(sent.items()))
    headers = driver.headers("hotline", **{"Idempotency-Key": "k1", "Content-Type": "application/json"})
    again = await driver.client.post(PUSH, content=json.dumps(turned, indent=3), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    other = await driver.client.post(PUSH, content=json.dumps({**sent, "title": "别"}), headers=headers)
    assert other.status_code == 409


async def test_one_tainted_item_of_a_batch_fails_alone(driver: Driver) -> None:
    lone = {"items": [*case("54-batch-nul.json")["items"], {"external_id": "C54d", "extra": {"a": ["\ud800"]}}]}
    headers = driver.headers("hotline", **{"Content-Type": "application/json"})
    answer = await driver.client.post(f"{PUSH}:batch", content=json.dumps(lone), headers=headers)
    assert answer.status_code == 200, answer.text
    assert [item["status"] for item in answer.json()["items"]] == [201, 422, 201, 422]
    outside = await driver.client.post(f"{PUSH}:batch", content='{"items": [], "x": "\\ud800"}', headers=headers)
    assert outside.status_code in (400, 422)


async def test_numbers_right_after_a_word_are_struck_whatever_stands_before_and_behind_them(driver: Driver) -> None:
    number = (await driver.post("hotline", PUSH, case("51-phone-after-word.json"), expect=201))["number"]
    shown = await seen(driver, number)
    assert (shown["title"], shown["body"]) == ("联系电话***", "请联系我爱人，电话***，或座机***")


async def test_the_same_words_without_category_are_suggested_as_duplicates(driver: Driver) -> None:
    items = [{**item, "place": {"estate": "E1"}} for item in case("53-no-category-twice.json")["items"]]
    made = (await driver.post("hotline", f"{PUSH}:batch", {"items": items}))["items"]
    nowhere = [await driver.push(f"n{n}", title="其他", body="楼顶有人养鸽子影响休息", place={}) for n in range(2)]
    for one, other in ((made[0]["number"], made[1]["number"]), (nowhere[0], nowhere[1])):
        shown = await driver.get("property-centre", f"{PUSH}/{one}")
        assert [item["number"] for item in shown["duplicate_candidates"]] == [other]


async def test_two_estates_of_one_name_and_a_place_that_contradicts_its_estate_are_flagged(driver: Driver) -> None:
    area = driver.town.scalar("SELECT area_code FROM estate WHERE code = 'E1'")
    twins = [{"code": code, "name": "阳光花园", "area": area} for code in ("E9001", "E9002")]
    driver.town.run(lambda session: load_directory(session, {"estates": twins}))
    several = await driver.push("s", place={"estate": "阳光花园"})
    shown = await driver.get("property-centre", f"{PUSH}/{several}")
    assert {"unknown-estate", "several-estates"} <= set(shown["flags"])
    assert [item["code"] for item in shown["estate_candidates"]] == ["E9001", "E9002"]
    elsewhere = driver.town.scalar(
        "SELECT a.code FROM area a WHERE NOT EXISTS (SELECT 1 FROM estate e JOIN area w ON w.code = e.area_code"
        " WHERE e.code = 'E1' AND (starts_with(w.path, a.path) OR starts_with(a.path, w.path))) LIMIT 1"
    )
    other = await driver.push("d", place={"estate": "E1", "area_code": elsewhere})
    assert "place-differs" in (await driver.get("property-centre", f"{PUSH}/{other}"))["flags"]
    mended = await correct(driver, several, {"reason": "来电人更正", "place": {"estate": "E9001"}})
    assert not {"unknown-estate", "several-estates"} & set(mended["flags"])


async def test_an_urge_of_a_merged_grievance_reaches_its_lead_and_answers_its_number(sixth: Driver) -> None:
    lead = await sixth.push("lead")
    other = await sixth.push("follower", complainant=neighbour("x"))
    await sixth.act("desk-centre", other, "merge", {"into": lead, "reason": "同一事项"})
    for n, parent in enumerate(("follower", other)):
        urge = order(f"u{n}", channel="催办", body="两天了还没修", extra={"parent": parent}, complainant=neighbour("y"))
        answer = await sixth.post("hotline", PUSH, urge, expect=200)
        assert answer["attached_to"] == lead
    assert sixth.town.grievance(lead).urged == 2
    direct = await sixth.act("hotline", other, "urge", {})
    assert (direct["attached_to"], sixth.town.grievance(lead).urged) == (lead, 3)


DESK = "property-centre"


@pytest.fixture
async def base(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    async with story(build(database, data=tmp_path, workflow="standard@1")) as driver:
        yield driver


async def test_the_desk_sets_an_order_right_by_an_action_with_the_effect(base: Driver) -> None:
    number = await base.push(place={}, kind="求助", category="供水", body="我电话 66778899，请回电")
    before = base.town.clocks(number, "accept")
    form = {"reason": "来电更正，电话 66778899", "estate": "E1", "address": "3号楼2单元501", "category": "电梯", "kind": "投诉",
            "phone": "66778899", "occurred_at": "2026-3-1 9:05"}  # fmt: skip
    shown = await base.act(DESK, number, "set_right", form)
    assert (shown["estate"], shown["category"], shown["kind"], shown["state"]) == ("E1", "电梯", "投诉", "received")
    seen_now = await base.get(DESK, f"{PUSH}/{number}")
    assert seen_now["address"] == "3号楼"
    assert "66778899" not in json.dumps(seen_now, ensure_ascii=False)
    entry = base.town.folder(number).entries[-1]
    assert entry.action == "set_right"
    assert (entry.facts["old"]["category"], entry.facts["new"]["category"]) == ("供水", "电梯")
    assert entry.facts["new"]["estate_code"] == "E1"
    assert "66778899" not in json.dumps(entry.facts, ensure_ascii=False)
    assert "501" not in json.dumps(entry.facts, ensure_ascii=False)
    assert base.town.clocks(number, "accept") == before
    assert base.town.scalar("SELECT occurred_at FROM grievance") == datetime(2026, 3, 1, 1, 5, tzinfo=UTC)
    assert base.town.scalar("SELECT count(*) FROM complainant WHERE phone_hash IS NOT NULL") == 1
    routing = await base.get(DESK, f"{PUSH}/{number}/routing")
    assert [row["proposal"] for row in routing["items"]] == [True, True]
    assert routing["items"][-1]["unit"] == "office-1"


@pytest.mark.parametrize(
    ("who", "form", "status"),
    [
        ("hotline", {"reason": "更正", "category": "电梯"}, 403),
        ("supervisor", {"reason": "更正", "category": "电梯"}, 403),
        (DESK, {"category": "电梯"}, 422),
        (DESK, {"reason": "更正"}, 422),
        (DESK, {"reason": "更正", "urgency": "特急"}, 422),
        (DESK, {"reason": "更正", "area": "没有"}, 422),
        (DESK, {"reason": "更正", "phone": "1" * 25}, 422),
    ],
)
async def test_the_desk_corrects_nothing_that_its_form_does_not_name(
    base: Driver, who: str, form: Any, status: int
) -> None:
    number = await base.push()
    await base.act(who, number, "set_right", form, expect=status)
    assert base.town.grievance(number).seq == 1


async def test_a_red_line_in_the_words_that_the_desk_sets_right_alarms(base: Driver) -> None:
    number = await base.push(body="电梯停运。")
    await base.act(DESK, number, "set_right", {"reason": "来电补充", "body": "张三丰说现在有人被困在电梯里"})
    shown = await base.get(DESK, f"{PUSH}/{number}")
    assert ("red-line" in shown["flags"], shown["urgency"]) == (True, "特急")
    assert shown["body"] == "***说现在有人被困在电梯里"
