"""Rules 14 to 25 of a real city, told over HTTP in 青禾区 where no other story tells them; the others are in test_rules."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.api.test_papers import town_of
from tests.site import BAD, FINISH, GOOD, Driver, at, order, story
from tests.stories.test_rules import up_to
from tests.stories.test_sixth_city import handling, neighbour, state

from wuye_loop.queries import unit_figures
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
SUMMARY = "/v1/supervision/summary?by=unit"


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning; when a story has been told its ledger must still be true."""
    town = town_of(database, tmp_path)
    async with story(town) as driver:
        yield driver


async def answered(drive: Driver, number: str, lead: str = "grid-1", form: Any = FINISH) -> Any:
    """Finish, verify and approve what is being handled."""
    await drive.act(lead, number, "finish", form)
    await drive.act("verify-1", number, "pass")
    return await drive.act("desk-centre", number, "approve")


async def test_every_reason_to_refuse_ends_it_and_an_emergency_is_handed_over(drive: Driver) -> None:
    reasons = [
        "非本级职责",
        "已进入诉讼仲裁",
        "已进入信访程序",
        "同一事项无新情况",
        "诉求不明无法联系",
        "应急事项已移交",
    ]
    for reason in reasons:
        number = await drive.push(reason, complainant={"anonymous": True})
        row = await drive.act("desk-centre", number, "refuse", {"reason": reason, "public_reply": "见规定第五条"})
        assert (row["state"], row["final"]) == ("refused", True), reason  # 规则 15
        said = (await drive.get("hotline", f"/v1/grievances/{number}/ledger"))["items"][-1]["facts"]
        assert said == {"reason": reason, "public_reply": "见规定第五条"}
    number = await drive.push("e1", complainant=neighbour("e1"))
    before = len(drive.town.notices())
    bad = await drive.act(
        "desk-centre", number, "hand_to_emergency", {"line": "12345", "public_reply": "x"}, expect=422
    )
    assert bad["fields"][0]["path"] == "line"
    row = await drive.act("desk-centre", number, "hand_to_emergency", {"line": "119", "public_reply": "已转 119"})
    assert (row["state"], row["final"]) == ("refused", True)
    assert drive.town.notices()[before:] == [("alarm", "command-office")]
    told = (await drive.get("hotline", f"/v1/grievances/{number}/ledger"))["items"][-1]
    assert (told["text"], told["facts"]["line"]) == ("您反映的紧急情况已经移交应急电话处置。", "119")


async def test_words_and_classes_of_the_red_line_lift_and_alarm_at_once(drive: Driver) -> None:
    cases: list[tuple[dict[str, Any], str, list[str]]] = [
        ({"body": "再不修我就跟物业拼命"}, "特急", ["desk-centre", "command-office"]),
        ({"body": "楼道起火"}, "特急", ["desk-centre", "command-office"]),
        ({"title": "家里没水", "body": "自来水停了两天"}, "加急", ["desk-centre"]),  # its class is found from its words
        ({"category": "供水供暖", "body": "十六度"}, "加急", ["desk-centre"]),
        ({"body": "楼道灯坏了"}, "平急", []),
    ]
    for place, (fields, urgency, alarmed) in enumerate(cases):
        before = len(drive.town.notices())
        number = await drive.push(f"r{place}", **{"complainant": neighbour(f"r{place}")} | fields)
        row = await drive.get("admin", f"/v1/grievances/{number}")
        assert (row["urgency"], "red-line" in row["flags"]) == (urgency, bool(alarmed)), fields  # 规则 16
        assert drive.town.notices()[before:] == [("alarm", unit) for unit in alarmed]


async def test_a_person_is_known_again_by_a_hash_and_the_anonymous_are_not_called(drive: Driver) -> None:
    number = await handling(drive, "h1", complainant={"name": "王五", "phone": "139-1234-5678"})
    again = await drive.push("h2", complainant={"name": "王先生", "phone": "+86 13912345678"})
    assert await state(drive, again) == "refused"  # the same person, found without the number being readable
    one, other = drive.town.rows("SELECT c.phone_hash, c::text FROM complainant c")
    assert one[0] == other[0]
    assert "13912345678" not in one[1] + other[1]  # 规则 17
    stranger = await drive.push("h3", complainant=neighbour("h3"))
    assert await state(drive, stranger) == "received"
    nobody = await handling(drive, "anon", complainant={"anonymous": True})
    assert (await answered(drive, nobody))["state"] == "closed"
    assert (await answered(drive, number))["state"] == "callback"
    await drive.act("desk-centre", nobody, "call_back", {"outcome": "接通"}, expect=409)


async def test_a_report_is_answered_in_full_and_rejected_answers_are_counted(drive: Driver) -> None:
    number = await handling(drive, kind="举报")
    form = FINISH | {"result": "部分解决"}
    bad = await drive.act("grid-1", number, "finish", form, expect=422)
    asked = {"matter_true", "lawful", "contacted_at", "contacted_by", "why_unsolved"}
    assert {field["path"] for field in bad["fields"]} == asked  # 规则 18
    bad = await drive.act("grid-1", number, "finish", form | {"contacted": False}, expect=422)
    assert {field["path"] for field in bad["fields"]} == {"matter_true", "lawful", "why_not_contacted", "why_unsolved"}
    for missing in ("internal", "public_reply"):
        bare = {name: value for name, value in form.items() if name != missing}
        bad = await drive.act("grid-1", number, "finish", bare, expect=422)
        assert missing in {field["path"] for field in bad["fields"]}
    form |= {
        "matter_true": "属实", "lawful": "不合法", "contacted_at": "2026-03-02 08:55", "contacted_by": "网格员",
        "why_unsolved": "等配件",
    }  # fmt: skip
    for never in ("3月2日10时", "2026-03-02", "2026-03-02 23:00", 1772413500, "0001-01-01T00:00+08:00"):
        bad = await drive.act("grid-1", number, "finish", form | {"contacted_at": never}, expect=422)
        assert [field["path"] for field in bad["fields"]] == ["contacted_at"], never
    for times in range(3):
        row = await drive.get("grid-1", f"/v1/grievances/{number}")
        assert row["standing"] == ("答复多次退回" if times > 1 else "正常办理")  # rejected answers are counted
        await drive.act("grid-1", number, "finish", form)
        await drive.act("verify-1", number, "pass")
        if times < 2:
            await drive.act("desk-centre", number, "reject", {"reason": "避重就轻"})
            public = await drive.get("hotline", f"/v1/grievances/{number}/ledger")
            assert "电梯已修好" not in str(public)  # nobody outside reads an answer that was sent back
    await drive.act("desk-centre", number, "approve")
    assert drive.town.actions(number).count("reject") == 2
    public = await drive.get("hotline", f"/v1/grievances/{number}/ledger")
    assert "电梯已修好" in str(public)
    assert "换了门机" not in str(public)  # the internal result is never the public reply
    inside = await drive.get("desk-centre", f"/v1/grievances/{number}/ledger")
    said = [row["facts"] for row in inside["items"] if row["action"] == "finish"][-1]
    assert (said["internal"], said["public_reply"]) == ("换了门机", "电梯已修好")
    assert said["contacted_at"] == "2026-03-02T00:55:00.000000Z"  # written in the city's own time


async def test_closing_is_signed_off_by_who_leads_at_the_level_where_it_was_handled(drive: Driver) -> None:
    signers = {"community": None, "street": "convener-1", "district": "command-office"}
    for level, signer in signers.items():
        number = await handling(drive, f"s-{level}", category="维修资金")
        lead = await up_to(drive, number, level)
        row = await answered(drive, number, lead)
        if signer is None:
            assert row["state"] == "callback"
            continue
        assert (row["state"], row["holder_unit"]) == ("signing", signer)
        for who in {lead, "desk-centre", "convener-1", "command-office"} - {signer}:
            answer = await drive.send(who, f"/v1/grievances/{number}/actions/sign_off")
            assert answer.status_code in (403, 404), (level, who)
        row = await drive.act(signer, number, "send_down", {"reason": "票据不全"})
        assert (row["state"], row["lead_unit"]) == ("handling", lead)
        await answered(drive, number, lead)
        assert (await drive.act(signer, number, "sign_off"))["state"] == "callback"  # 规则 19


async def test_each_attempt_to_call_back_is_kept_and_nothing_rated_is_no_rate(drive: Driver) -> None:
    number = await handling(drive)
    await answered(drive, number)
    outcomes = ["无人接听", "无人接听", "拒绝回访"]
    states = [(await drive.act("desk-centre", number, "call_back", {"outcome": one}))["state"] for one in outcomes]
    assert states == ["callback", "callback", "rating"]
    rows = (await drive.get("desk-centre", f"/v1/grievances/{number}/ledger"))["items"]
    assert [row["facts"]["outcome"] for row in rows if row["action"] == "call_back"] == outcomes  # 规则 20
    drive.town.advance(timedelta(days=14))
    assert await state(drive, number) == "closed"
    total = (await drive.get("supervisor", SUMMARY))["total"]
    blank = {"numerator": 0, "denominator": 0, "excluded": 0, "rate": None}
    assert (total["closed"], total["satisfaction"]) == (1, blank)  # a base of nothing is blank, not 0  # 规则 23


async def test_a_scale_of_five_levels_has_its_weights_and_its_denominator(drive: Driver) -> None:
    number = ""
    for satisfied in ("非常满意", "满意", "基本满意", "不满意"):
        number = await handling(drive, satisfied)
        await answered(drive, number)
        bad = await drive.act("hotline", number, "rate", GOOD | {"satisfied": "一般"}, expect=422)
        assert bad["fields"][0]["path"] == "satisfied"
        form = (BAD if satisfied == "不满意" else GOOD) | {"satisfied": satisfied}
        row = await drive.act("hotline", number, "rate", form)
        assert row["final"] is (satisfied != "不满意")
    total = (await drive.get("supervisor", SUMMARY))["total"]
    assert total["satisfaction"] == {"numerator": 2.9, "denominator": 4, "excluded": 0, "rate": 0.725}  # 规则 21
    with drive.town.database.read() as session:
        figures = unit_figures.by_unit(drive.town.site.loop, session, drive.town.actors["admin"])
    found = next(row for row in figures if row["unit"] == "grid-1")
    assert (found["rated"], found["satisfaction"]) == (4, 0.725)  # (1 + 1 + 0.9 + 0) / 4
    # Again dissatisfied, by the lowest word of the scale: supervised.
    await answered(drive, number)
    row = await drive.act("hotline", number, "rate", BAD | {"satisfied": "非常不满意", "reason": "未解决"})
    assert (row["state"], row["cycle"]) == ("supervised", 3)  # 规则 22


async def test_the_hotlines_own_service_is_rated_apart(drive: Driver) -> None:
    number = await handling(drive)
    await answered(drive, number)
    for who, status in (("desk-centre", 403), ("grid-1", 403), ("hotline", 200), ("hotline", 409)):
        form = {"service": "非常不满意"}
        answer = await drive.send(who, f"/v1/grievances/{number}/actions/rate_hotline", form)
        assert answer.status_code == status, (who, answer.text)
    assert await state(drive, number) == "callback"
    await drive.act("hotline", number, "rate", GOOD)
    rated = drive.town.rows("SELECT rater, of_unit, satisfied, answers->>'service' FROM rating ORDER BY rater")
    assert [tuple(row) for row in rated] == [
        ("complainant", "grid-1", "满意", None),
        ("hotline_service", "desk-centre", None, "非常不满意"),
    ]  # 规则 22
    units = {item["key"]: item["satisfaction"] for item in (await drive.get("supervisor", SUMMARY))["items"]}
    assert units == {"grid-1": {"numerator": 1, "denominator": 1, "excluded": 0, "rate": 1.0}}


async def test_points_of_credit_are_valid_for_a_term(drive: Driver) -> None:
    number = await handling(drive)
    form = {"unit": "company-1", "points": 3, "reason": "未公示收费", "valid_until": "2026-09-30"}
    await drive.open("company-1", number, "credit", form, expect=403)
    bad = await drive.open("inspection-team", number, "credit", form | {"points": 21}, expect=422)
    assert bad["fields"][0]["path"] == "points"
    lasting = await drive.open("inspection-team", number, "credit", form)
    taken_back = await drive.open("inspection-team", number, "credit", form | {"points": 5})
    papers = drive.town.rows("SELECT number, addressee FROM document ORDER BY n")
    assert [tuple(row) for row in papers] == [("青信〔2026〕1号", "company-1"), ("青信〔2026〕2号", "company-1")]
    await drive.on_task("command-office", taken_back["id"], "revoke", {"reason": "事实有误"})
    await answered(drive, number)
    assert (await drive.act("hotline", number, "rate", GOOD))["state"] == "closed"
    drive.town.advance(at("2026-09-30 17:59"))
    assert (await drive.get("company-1", f"/v1/tasks/{lasting['id']}"))["state"] == "valid"
    drive.town.advance(at("2026-09-30 18:00"))
    assert [task.state for task in drive.tasks(number, "credit")] == ["expired", "revoked"]  # 规则 24


async def test_an_exchange_says_what_is_missing_flags_what_it_does_not_know_and_can_be_played_again(
    drive: Driver,
) -> None:
    bare = await drive.post("hotline", "/v1/grievances", {"channel": "电话"}, expect=422)
    missing = {field["path"]: field["problem"] for field in bare["fields"]}
    assert missing == {f"body.{name}": "缺少此项" for name in ("external_id", "kind", "title", "body")}  # 规则 25
    odd = order("o1", kind="点赞", urgency="十万火急", place={"estate": "云上小区", "area_code": "990101001"})
    odd["extra"] = {"city_code": "A17", "nested": {"score": [1, 2.5, None]}}
    sent = [odd, order("o2", complainant=neighbour("o2")), {"external_id": "o3"}]
    first = await drive.post("hotline", "/v1/grievances:batch", {"items": sent})
    assert [item["status"] for item in first["items"]] == [201, 201, 422]
    again = await drive.post("hotline", "/v1/grievances:batch", {"items": sent})
    assert [item["status"] for item in again["items"]] == [200, 200, 422]  # a day's exchange, played again
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 2
    number = drive.town.scalar("SELECT number FROM grievance WHERE external_id = 'o1'")
    row = await drive.get("hotline", f"/v1/grievances/{number}")
    assert row["flags"] == ["unknown-kind", "unknown-urgency", "unknown-estate"]
    assert (row["kind"], row["urgency"]) == ("点赞", "十万火急")  # kept as it was said
    assert row["extra"] == odd["extra"]
    await drive.act("desk-centre", number, "accept")  # and worked on like any other
    drive.town.advance(at("2026-03-02 12:00"))
    assert await state(drive, number) == "assigned"
