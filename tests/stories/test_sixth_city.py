"""A sixth city, 青禾区 (made up): its file was written from its regulation alone and uses every construct of the language.

Nothing under src/ knows it. Instants are worked out by hand on a wall calendar of March 2026; the office is open from
09:00 to 12:00 and from 13:00 to 18:00.
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.pictures import png
from tests.site import BAD, FINISH, GOOD, Driver, area, at, build, keys_for, made_up, order, story, wall

from wuye_loop.authoring.checker.check import check
from wuye_loop.loop import feedback
from wuye_loop.settings import shipped
from wuye_loop.store.database import Database
from wuye_loop.store.workflows.files import whole_text

pytestmark = pytest.mark.anyio
FILE = Path(__file__).parent / "qinghe@1.yaml"
PNG = png()


UNITS: dict[str, Any] = {
    "areas": [
        area("9901", "青禾区", "district"),
        area("990101", "南街道", "street", "9901"),
        area("990102", "北街道", "street", "9901"),
        area("990101001", "南一社区", "community", "990101"),
        area("990102001", "北一社区", "community", "990102"),
    ],
    "units": [
        made_up("command-office", "office", "9901", None, "meeting-office"),
        made_up("desk-centre", "centre", "9901", "command-office"),
        made_up("joint-office", "office", "9901", "command-office"),
        made_up("inspection-team", "department", "9901", "command-office"),
        made_up("housing", "department", "9901", "command-office", "handling-office"),
        made_up("fire", "department", "9901", "command-office"),
        made_up("police", "department", "9901", "command-office"),
        *(made_up(f"street-{n}", "office", f"99010{n}", "housing", "handling-office") for n in (1, 2)),
        *(made_up(f"convener-{n}", "office", f"99010{n}", f"street-{n}", "meeting-office") for n in (1, 2)),
        *(made_up(f"verify-{n}", "office", f"99010{n}", f"street-{n}", "verify-office") for n in (1, 2)),
        *(made_up(f"community-{n}", "community", f"99010{n}001", f"street-{n}", "community-office") for n in (1, 2)),
        *(made_up(f"grid-{n}", "community", f"99010{n}001", f"community-{n}", "handling-office") for n in (1, 2)),
        *(made_up(f"company-{n}", "company", f"99010{n}001", f"street-{n}") for n in (1, 2)),
    ],
    "estates": [
        {"code": f"E{n}", "name": f"{n}号院", "area": f"99010{n}001", "company": f"company-{n}", "kind": "商品房"}
        for n in (1, 2)
    ],
}


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning; when a story has been told its ledger must still be true."""
    text = whole_text(FILE, [shipped("workflows")])
    town = build(
        database, data=tmp_path, workflow="qinghe@1", units=UNITS, keys=keys_for(UNITS), texts={"qinghe@1": text}
    )
    async with story(town) as driver:
        yield driver


async def state(drive: Driver, number: str) -> str:
    return str((await drive.get("admin", f"/v1/grievances/{number}"))["state"])


def neighbour(name: str) -> dict[str, Any]:
    """Return a complainant of their own for each name."""
    return {"name": "王五", "phone": f"139{sum(map(ord, name)) * 7919 % 10**8:08d}"}


async def handling(drive: Driver, external_id: str = "a1", who: str = "grid-1", **fields: Any) -> str:
    """Bring a matter of the first estate to the community's handling office, which has signed for it."""
    number = await drive.push(external_id, **{"complainant": neighbour(external_id)} | fields)
    await drive.act("desk-centre", number, "accept")
    await drive.act(who, number, "sign")
    return number


def test_the_file_says_only_what_differs_and_checks_clean() -> None:
    workflow, findings = check(whole_text(FILE, [shipped("workflows")]), str(FILE))
    assert findings == []
    assert workflow is not None
    assert "send_back" not in workflow.actions  # taken out with null
    assert workflow.actions["sign"].text is not None  # taken over from the base


async def test_limits_go_by_urgency_channel_category_and_area_in_every_unit(drive: Driver) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"urgency": "特急"}, "accept", "03-02 09:15"),  # 15 minutes
        ({"channel": "二维码"}, "accept", "03-02 11:00"),  # 2 hours
        ({}, "accept", "03-02 18:00"),  # a workday of 8 hours, from this moment
    ]
    for place, (fields, clock, due) in enumerate(cases):
        number = await drive.push(f"u{place}", complainant=neighbour(f"u{place}"), **fields)
        assert wall(drive, number, clock) == due
    dues: list[tuple[dict[str, Any], str]] = [
        ({"urgency": "特急"}, "03-02 13:00"),  # 4 hours at once  # 规则 1
        ({"kind": "咨询"}, "03-03 18:00"),  # 2 workdays, today the first  # 规则 3
        ({"category": "维修资金"}, "05-06 18:00"),  # 2 months: 2 May is a holiday until the 5th
        ({"place": {"estate": "E2"}}, "03-13 00:00"),  # 10 natural days from tomorrow in the trial street
        ({}, "03-11 18:00"),  # 7 workdays, tomorrow the first
    ]
    for place, (fields, due) in enumerate(dues):
        number = await drive.push(f"d{place}", complainant=neighbour(f"d{place}"), **fields)
        await drive.act("desk-centre", number, "accept")
        assert wall(drive, number, "handle") == due, fields


async def test_silence_accepts_a_return_and_a_ruling_becomes_a_precedent(drive: Driver) -> None:
    number = await drive.push(category="电梯")
    row = await drive.act("desk-centre", number, "accept")
    assert row["lead_unit"] == "grid-1"
    due = wall(drive, number, "handle")
    form = {"reason": "非本单位职责", "legal_basis": "职责清单第三条", "suggest": "street-1"}
    task = await drive.open("grid-1", number, "return_request", form)
    assert (await drive.get("desk-centre", f"/v1/grievances/{number}"))["standing"] == "退单审核中"
    drive.town.advance(timedelta(hours=5))  # four working hours and lunch
    assert drive.tasks(number, "return_request")[0].state == "accepted"  # 规则 6
    row = await drive.get("admin", f"/v1/grievances/{number}")
    assert (row["state"], row["lead_unit"]) == ("routing", None)  # nobody else at this level: to the desk
    assert wall(drive, number, "handle") == due  # no bounce moves the clock from dispatch
    await drive.act("desk-centre", number, "route", {"unit": "fire"})
    task = await drive.open("fire", number, "return_request", form | {"suggest": "housing"})
    await drive.on_task("desk-centre", task["id"], "dispute", {"note": "应由消防先到场"})
    refused = await drive.on_task("desk-centre", task["id"], "rule_in", {"grounds": "x"}, expect=403)
    assert refused["type"] == "/problems/forbidden"
    ruling = {"unit": "street-1", "grounds": "电梯安全由街道牵头"}
    await drive.on_task("joint-office", task["id"], "rule_out", ruling)
    row = await drive.get("desk-centre", f"/v1/grievances/{number}")
    assert (row["state"], row["lead_unit"]) == ("assigned", "street-1")  # the ruling holds at once
    # The next such matter goes where the ruling says, and the trace quotes it.
    other = await drive.push("a2", category="电梯", complainant=neighbour("a2"))
    row = await drive.act("desk-centre", other, "accept")
    assert row["lead_unit"] == "street-1"
    trace = (await drive.get("desk-centre", f"/v1/grievances/{other}/routing"))["items"][-1]["trace"]
    assert trace[0]["kind"] == "precedent"
    assert "裁定同意退单，由单位 street-1承办" in trace[0]["why"]  # 规则 7


async def test_several_departments_are_whistled_and_both_sides_rate(drive: Driver) -> None:
    number = await handling(drive)
    blown = await drive.open("community-1", number, "whistle", {"unit": "fire", "demand": "堵塞消防通道"})
    assert await state(drive, number) == "whistled"  # a join
    missed = await drive.open("community-1", number, "whistle", {"unit": "police", "demand": "到场维持秩序"})
    assert (await drive.get("fire", f"/v1/grievances/{number}"))["standing"] == "多部门会办"
    await drive.open("grid-1", number, "whistle", {"unit": "fire", "demand": "x"}, expect=403)
    await drive.on_task("fire", blown["id"], "report")
    drive.town.advance(timedelta(hours=5))
    assert drive.tasks(number, "whistle")[1].state == "no_show"
    assert ("no_show", "police") in drive.town.notices()
    assert str(drive.tasks(number, "whistle")[1].id) == missed["id"]
    await drive.on_task("fire", blown["id"], "finish", {"result": "已清除"})
    await drive.on_task("community-1", blown["id"], "rate_unit", {"score": 95})
    again = await drive.on_task("community-1", blown["id"], "rate_unit", {"score": 95}, expect=409)
    assert again["detail"] == "最多 1 次，已经用完"
    assert await state(drive, number) == "whistled"
    await drive.on_task("fire", blown["id"], "rate_community", {"score": 88})
    assert await state(drive, number) == "handling"  # all have reported: the join takes it back
    rated = drive.town.rows("SELECT rater, of_unit, answers->>'score' FROM rating ORDER BY rater")
    assert [tuple(row) for row in rated] == [
        ("community_on_unit:1", "fire", "95"),
        ("unit_on_community:1", "community-1", "88"),
    ]


async def test_what_a_level_does_not_settle_climbs_with_a_clock_of_its_own(drive: Driver) -> None:
    number = await handling(drive)
    assert wall(drive, number, "level") == "03-04 18:00"
    drive.town.advance(at("2026-03-04 18:00"))
    row = await drive.get("admin", f"/v1/grievances/{number}")
    assert (row["level"], row["state"], row["lead_unit"]) == ("street", "assigned", "street-1")
    assert wall(drive, number, "level") == "03-10 18:00"  # four workdays of the street  # 规则 4
    assert len(drive.town.clocks(number, "contact")) == 1
    await drive.act("street-1", number, "sign")
    assert len(drive.town.clocks(number, "contact")) == 2  # one for each assignment
    drive.town.advance(at("2026-03-10 18:00"))
    row = await drive.get("admin", f"/v1/grievances/{number}")
    assert (row["level"], row["lead_unit"]) == ("district", "housing")
    await drive.act("housing", number, "sign")
    blocked = await drive.act("housing", number, "climb_up", expect=409)
    assert "climb_up" not in blocked["actions"]


async def test_the_minutes_of_a_joint_meeting_bind(drive: Driver) -> None:
    numbers = [await handling(drive, f"m{n}") for n in range(3)]
    refused = await drive.open("grid-1", numbers[0], "meeting_item", {"reason": "维修资金谁出"}, expect=409)
    assert refused["detail"] == "这里没有“联席会议召集人”，不能发起"  # the community has no convener
    drive.town.advance(at("2026-03-04 18:00"))  # all three have climbed to the street
    for number in numbers:
        await drive.act("street-1", number, "sign")
    for number in numbers[:2]:
        await drive.open("street-1", number, "meeting_item", {"reason": "维修资金谁出"})
    asked = "/v1/documents/agenda?kind=联席会议纪要"
    items = (await drive.get("convener-1", asked))["items"]
    assert [item["grievance"] for item in items] == numbers[:2]
    assert items[0]["data"] == {"reason": "维修资金谁出"}
    assert (await drive.get("convener-2", asked))["items"] == []
    form = {"demand": "先行维修，费用公示", "deadline": "2026-03-13"}
    lines = [
        {"grievance": numbers[0], "unit": "housing", "form": form},
        {"grievance": numbers[0], "unit": "company-1", "form": form | {"demand": "张贴公示"}},
    ]
    await drive.post("street-1", "/v1/documents", {"kind": "联席会议纪要", "lines": lines}, expect=403)
    made = await drive.post(
        "convener-1", "/v1/documents", {"kind": "联席会议纪要", "lines": lines}, key="minutes-1", expect=201
    )
    again = await drive.post(
        "convener-1", "/v1/documents", {"kind": "联席会议纪要", "lines": lines}, key="minutes-1", expect=201
    )
    assert made == again
    assert made["number"] == "青联〔2026〕1号"
    assert [line["unit"] for line in made["lines"]] == ["housing", "company-1"]
    # What got a line is settled; the other matter waits for the next meeting.
    assert [item["grievance"] for item in (await drive.get("convener-1", asked))["items"]] == [numbers[1]]
    clock = (await drive.get("housing", f"/v1/grievances/{numbers[0]}/clocks"))["items"]
    due = next(item["due_at"] for item in clock if item["clock"] == "carry_out")
    assert due == "2026-03-13T10:00:00.000000Z"  # the end of that day's office hours
    await drive.get("housing", f"/v1/grievances/{numbers[1]}", expect=404)
    await drive.on_task("housing", made["lines"][0]["task"], "done", {"result": "已修"})
    drive.town.advance(at("2026-03-13 18:00"))
    assert ("urge_notice", "company-1") in drive.town.notices()


async def test_one_notice_has_many_problems_and_inspections_answer_nobody(drive: Driver) -> None:
    sent = order("n1", channel="联合检查", kind="其他", category="停车管理", extra={"item": "其他"})
    sent["complainant"] = {}
    refused = await drive.post("inspection-team", "/v1/grievances", sent, expect=422)
    assert refused["fields"] == [{"path": "extra.other", "problem": "必填"}]
    sent["extra"]["other"] = "地锁"
    await drive.post("fire", "/v1/grievances", sent, expect=403)
    made = await drive.post("inspection-team", "/v1/grievances", sent, expect=201)
    number = made["number"]
    row = await drive.get("inspection-team", f"/v1/grievances/{number}")
    assert (row["origin"], row["state"], row["lead_unit"]) == ("inspection", "assigned", "company-1")
    lines = [
        {"grievance": number, "unit": "company-1", "form": {"matter": matter, "deadline": "2026-03-20"}}
        for matter in ("拆除地锁", "清理通道", "公示车位")
    ]
    await drive.post("company-1", "/v1/documents", {"kind": "限期整改通知书", "lines": lines}, expect=403)
    bad = [*lines[:2], {"grievance": number, "form": {"matter": "x"}}]
    await drive.post("inspection-team", "/v1/documents", {"kind": "限期整改通知书", "lines": bad}, expect=422)
    assert drive.tasks(number, "problem") == []  # all or nothing, and no number was used up
    made = await drive.post("inspection-team", "/v1/documents", {"kind": "限期整改通知书", "lines": lines}, expect=201)
    assert (made["number"], len(made["lines"])) == ("青改〔2026〕1号", 3)
    await drive.act("company-1", number, "sign")
    await drive.on_task("company-1", made["lines"][1]["task"], "fix", {"result": "已清理"})
    await drive.on_task("inspection-team", made["lines"][1]["task"], "accept")
    paper = await drive.get("inspection-team", "/v1/documents/青改〔2026〕1号")
    assert [line["state"] for line in paper["lines"]] == ["open", "closed", "open"]
    await drive.act("company-1", number, "finish", FINISH)
    await drive.act("verify-1", number, "pass")
    await drive.act("desk-centre", number, "approve")
    assert await state(drive, number) == "closed"  # nobody is asked


async def test_a_repeat_needs_new_ground_and_an_urge_is_counted_on_the_first(drive: Driver) -> None:
    number = await handling(drive)
    again = await drive.push("a2", complainant=neighbour("a1"))
    assert await state(drive, again) == "refused"  # 规则 15
    fresh = await drive.push("a3", complainant=neighbour("a1"), extra={"new_ground": "又停了一次"})
    assert await state(drive, fresh) == "received"
    sent = order("a4", channel="催办", extra={"parent": "a1", "new_ground": "催"})
    for _ in range(2):
        answer = await drive.post("hotline", "/v1/grievances", sent)
        assert (answer["attached_to"], answer["number"], answer["urged"]) == (number, number, 1)  # 规则 14
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 3
    lost = await drive.post(
        "hotline", "/v1/grievances", order("a5", channel="催办", extra={"parent": "zz"}), expect=201
    )
    assert "unattached" in lost["flags"]


async def test_followers_are_answered_with_their_lead_and_rated_by_themselves(drive: Driver) -> None:
    lead = await handling(drive)
    other = await drive.push("b1", complainant={"name": "李四", "phone": "13900000000"})
    await drive.act("desk-centre", other, "merge", {"into": lead, "reason": "同一事项"})
    await drive.act("grid-1", lead, "finish", FINISH)
    await drive.act("verify-1", lead, "pass")
    await drive.act("desk-centre", lead, "approve")
    args = drive.town.rows("SELECT args FROM procrastinate_jobs WHERE task_name = 'close_followers'")[0][0]
    loop = drive.town.site.loop
    drive.town.run(lambda session: feedback.close_followers(loop, session, args["lead"], args["action"]))
    assert [await state(drive, number) for number in (lead, other)] == ["callback", "callback"]
    await drive.act("hotline", other, "rate", GOOD)
    await drive.act("hotline", lead, "rate", BAD)
    assert [await state(drive, number) for number in (lead, other)] == ["handling", "closed"]  # 规则 14


async def test_an_unreasonable_demand_ends_with_evidence_and_counts_in_no_rate(drive: Driver) -> None:
    number = await handling(drive)
    form = {"reason": "要求免交三年物业费", "evidence": ["019aa6f0-0000-7000-8000-000000000000"]}
    refused = await drive.open("grid-1", number, "unreasonable", form, expect=422)
    assert refused["fields"][0]["problem"] == "请先上传文件，再填它的编号"
    headers = drive.headers("grid-1")
    path = f"/v1/grievances/{number}/files"
    assert (await drive.client.post(path, content=b"MZ", headers=headers)).status_code == 415
    file = (await drive.client.post(path, content=PNG, headers=headers)).json()
    assert file["media_type"] == "image/png"
    got = await drive.client.get(f"/v1/files/{file['file']}", headers=drive.headers("joint-office"))
    assert hashlib.sha256(got.content).hexdigest() == file["sha256"]
    assert (await drive.client.get(f"/v1/files/{file['file']}", headers=drive.headers("fire"))).status_code == 404
    task = await drive.open("grid-1", number, "unreasonable", form | {"evidence": [file["file"]]})
    await drive.on_task("joint-office", task["id"], "uphold")
    row = await drive.get("admin", f"/v1/grievances/{number}")
    assert (row["state"], row["final"]) == ("concluded", True)
    assert drive.town.scalar("SELECT number FROM document") == "青终〔2026〕1号"  # 规则 19
    kept = drive.town.scalar("SELECT data->'excluded'->>'satisfaction' FROM grievance")
    assert drive.town.words(number, kept) == "要求免交三年物业费"


async def test_an_upheld_appeal_takes_a_rating_out_of_the_rate_and_says_so(drive: Driver) -> None:
    appealed, praised = await handling(drive, "s0"), await handling(drive, "s1")
    # Still dissatisfied: supervised, then archived.  # 规则 22
    for number, answer in ((appealed, BAD), (appealed, BAD), (appealed, BAD), (praised, GOOD)):
        await drive.act("grid-1", number, "finish", FINISH)
        await drive.act("verify-1", number, "pass")
        await drive.act("desk-centre", number, "approve")
        await drive.act("hotline", number, "rate", answer)
    total = (await drive.get("supervisor", "/v1/supervision/summary?by=unit"))["total"]
    assert total["satisfaction"] == {"numerator": 1, "denominator": 2, "excluded": 0, "rate": 0.5}  # 规则 23
    assert total["response"] == {"numerator": 2, "denominator": 2, "excluded": 0, "rate": 1.0}
    assert total["solved"] == {"numerator": 1, "denominator": 2, "excluded": 0, "rate": 0.5}
    task = await drive.open("grid-1", appealed, "appeal", {"reason": "要求不在合同内", "figure": "满意率"})
    await drive.on_task("command-office", task["id"], "uphold")
    total = (await drive.get("supervisor", "/v1/supervision/summary?by=unit"))["total"]
    assert total["satisfaction"] == {"numerator": 1, "denominator": 1, "excluded": 1, "rate": 1.0}
    assert total["solved"] == {"numerator": 1, "denominator": 2, "excluded": 0, "rate": 0.5}  # that figure stands
    drive.town.clock.set(drive.town.now + timedelta(days=11))
    late = await drive.open("grid-1", praised, "appeal", {"reason": "x", "figure": "满意率"}, expect=409)
    assert late["detail"] == "已过时限：须在10 日内提出"


async def test_extensions_have_a_cap_in_all_and_interviews_are_numbered(drive: Driver) -> None:
    number = await handling(drive)
    first = await drive.open("grid-1", number, "extension", {"days": 8, "reason": "等配件"})
    await drive.on_task("community-1", first["id"], "approve")
    assert wall(drive, number, "handle") == "03-23 18:00"
    second = await drive.open("grid-1", number, "extension", {"days": 3, "reason": "还等"})
    refused = await drive.on_task("community-1", second["id"], "approve", expect=409)
    assert refused["detail"] == "累计延期不能超过10 个工作日，已批准 8"  # 规则 9


async def test_notices_wait_for_the_end_of_the_quiet_hours(drive: Driver) -> None:
    drive.town.clock.set(at("2026-03-02 22:30"))
    await drive.push("q1", body="有人困在电梯里", complainant=neighbour("q1"))
    number = await drive.push("q2", urgency="加急", complainant=neighbour("q2"))
    await drive.act("hotline", number, "urge")
    rows = drive.town.rows(
        "SELECT args->>'instrument', scheduled_at FROM procrastinate_jobs WHERE task_name = 'notify' ORDER BY id"
    )
    assert {row[0]: row[1] for row in rows} == {"alarm": None, "urge_notice": at("2026-03-03 08:00")}


async def test_the_company_of_the_estate_may_explain_itself_and_no_other_company(drive: Driver) -> None:
    number = await handling(drive)
    await drive.get("company-1", f"/v1/grievances/{number}")  # it may act, so it sees what it may act on
    await drive.get("company-2", f"/v1/grievances/{number}", expect=404)
    await drive.act("company-2", number, "explain", {"note": "x"}, expect=404)
    row = await drive.act("company-1", number, "explain", {"note": "地锁已报价，待业委会同意"})
    assert (row["state"], row["lead_unit"]) == ("handling", "grid-1")
    await drive.act("grid-1", number, "explain", {"note": "x"}, expect=403)


async def test_who_accepts_a_rectification_cannot_be_told_to_rectify(drive: Driver) -> None:
    number = await handling(drive)
    form = {"matter": "拆除地锁", "deadline": "2026-03-20"}
    lines = [{"grievance": number, "unit": unit, "form": form} for unit in ("company-1", "inspection-team")]
    refused = await drive.post(
        "inspection-team", "/v1/documents", {"kind": "限期整改通知书", "lines": lines}, expect=409
    )
    assert refused["detail"].startswith("第 2 条：职责分离")
    assert "联合检查组" in refused["detail"]
    assert drive.tasks(number, "problem") == []  # all or nothing
    made = await drive.post(
        "inspection-team", "/v1/documents", {"kind": "限期整改通知书", "lines": lines[:1]}, expect=201
    )
    await drive.on_task("company-1", made["lines"][0]["task"], "fix", {"result": "已拆"})
    await drive.on_task("company-1", made["lines"][0]["task"], "accept", expect=403)
    await drive.on_task("inspection-team", made["lines"][0]["task"], "accept")
