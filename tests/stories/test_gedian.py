"""葛店 over HTTP: 社区吹哨、部门报到, 接诉即办, three levels, 挂账, 共性难点, 调解, 应急维修资金, 满意度征询.

Instants are worked out by hand on a wall calendar of March to September 2026; the office is open from 08:30 to 12:00 and
from 13:30 to 17:30, Qingming is off on Monday 6 April. The units are made up.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.site import BAD, FINISH, GOOD, Driver, at, build, keys_for, order, seen, story, text_of, wall
from tests.stories.gedian_town import UNITS, closed, contacted, handling

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.domain.language.workflow import Limit, Workflow
from wuye_loop.store.database import Database
from wuye_loop.store.directory.read import read_directory

pytestmark = pytest.mark.anyio
MINUTES, AGENDA = "物业管理联席会议纪要", "/v1/documents/agenda?kind=物业管理联席会议纪要"


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning; when a story has been told its ledger must still be true."""
    town = build(database, data=tmp_path, workflow="gedian@1", units=UNITS, keys=keys_for(UNITS))
    async with story(town) as driver:
        yield driver


def limits(workflow: Workflow) -> list[Limit]:
    """Return every limit of the main flow's and the tasks' clocks."""
    flows = (workflow, *workflow.tasks.values())
    return [limit for flow in flows for clock in flow.clocks.values() for limit in clock.limit]


async def test_the_file_checks_clean_against_the_directory_and_every_limit_says_its_origin(drive: Driver) -> None:
    with drive.town.database.read() as session:
        units = read_directory(session)
    workflow, findings = check(text_of("gedian@1"), "gedian@1.yaml", units)
    assert findings == []
    assert workflow is not None
    base = limits(load(text_of("standard@1"), "standard@1.yaml"))
    own = [limit for limit in limits(workflow) if limit not in base and limit.is_ is not None]
    assert len(own) > 20
    assert [limit for limit in own if limit.source is None] == []


async def test_a_complaint_is_taken_at_once_contacted_first_and_archived(drive: Driver) -> None:
    told = "我是张三丰，电话13812345678，三号楼电梯停运两天。"
    number = await drive.push(body=told)
    row = await drive.act("property-platform", number, "accept")
    assert (row["state"], row["level"], row["lead_unit"]) == ("assigned", "community", "company-1")
    trace = (await drive.get("company-1", f"/v1/grievances/{number}/routing"))["items"][-1]["trace"]
    assert "小事不出社区" in str(trace)
    assert wall(drive, number, "level") == "03-05 17:30"  # three workdays, tomorrow the first  # 规则 3
    assert wall(drive, number, "handle") == "03-23 17:30"  # fifteen workdays
    await drive.act("company-2", number, "sign", expect=404)
    await drive.act("company-1", number, "sign")
    assert wall(drive, number, "contact") == "03-03 09:00"  # 7.5 office hours from now  # 规则 4
    await drive.act("company-1", number, "finish", FINISH, expect=409)  # not before the first contact
    form = {"way": "上门", "contacted": True, "note": "张三丰在家"}
    assert (await drive.act("company-1", number, "first_contact", form))["state"] == "handling"  # 规则 5
    for who in ("company-1", "property-platform", "supervisor"):
        answers = [await seen(drive, number, who), await drive.get(who, f"/v1/grievances/{number}/ledger")]
        assert "张三丰" not in str(answers)  # 规则 17
        assert "13812345678" not in str(answers)
    await drive.act("company-1", number, "finish", FINISH)
    await drive.act("company-1", number, "approve", expect=403)
    await drive.act("property-platform", number, "approve")
    await drive.act("property-platform", number, "call_back", {"outcome": "接通"})
    await drive.act("hotline", number, "rate", BAD)
    assert [(await seen(drive, number))[key] for key in ("state", "cycle")] == ["handling", 2]  # 规则 22
    await closed(drive, number, "company-1")
    rated = drive.town.rows("SELECT cycle, satisfied FROM rating ORDER BY cycle")
    assert [tuple(row) for row in rated] == [(1, "不满意"), (2, "满意")]  # 规则 20


async def test_an_emergency_waits_for_nobody_and_visits_are_answered_through_the_community(drive: Driver) -> None:
    number = await drive.push(body="有人困在电梯里")
    row = await seen(drive, number)
    assert (row["state"], row["urgency"], row["lead_unit"]) == ("assigned", "特急", "company-1")  # 规则 16
    assert ("alarm", "property-platform") in drive.town.notices()
    assert (wall(drive, number, "sign"), wall(drive, number, "handle")) == ("03-02 09:30", "03-02 11:00")  # 规则 1
    await drive.act("company-1", number, "sign")
    assert wall(drive, number, "contact") == "03-02 09:30"
    urge = order("a2", channel="催办", extra={"parent": number})
    answer = await drive.post("hotline", "/v1/grievances", urge)
    assert (answer["attached_to"], answer["urged"]) == (number, 1)  # 规则 14
    # Who names nobody cannot be contacted first.
    anonymous = await drive.push("a3", complainant={"anonymous": True})
    await drive.act("property-platform", anonymous, "accept")
    assert (await drive.act("company-1", anonymous, "sign"))["state"] == "handling"
    # A visit: the community writes it down and answers for the visitor.
    sent = order("v1", channel="来访", place={"estate": "E3"}, complainant={})
    await drive.post("company-2", "/v1/grievances", sent, expect=403)
    visit = (await drive.post("community-2", "/v1/grievances", sent, expect=201))["number"]
    row = await drive.act("property-platform", visit, "accept")
    assert row["lead_unit"] == "grid-2"  # nobody runs this estate: the community's own office does
    await contacted(drive, visit, "grid-2")
    await drive.act("grid-2", visit, "finish", FINISH)
    await drive.act("property-platform", visit, "approve")
    await drive.act("hotline", visit, "rate", GOOD, expect=404)
    await drive.act("community-2", visit, "rate", GOOD)
    assert (await seen(drive, visit))["state"] == "closed"


async def test_three_levels_each_with_its_own_duty_list_and_clock(drive: Driver) -> None:
    number = await handling(drive, category="违法建设", who="grid-1")
    assert wall(drive, number, "level") == "03-05 17:30"
    drive.town.advance(at("2026-03-05 17:29"))
    assert (await seen(drive, number))["lead_unit"] == "grid-1"
    drive.town.advance(at("2026-03-05 17:30"))
    row = await seen(drive, number)
    assert (row["level"], row["state"], row["lead_unit"]) == ("street", "assigned", "town-property")
    assert wall(drive, number, "level") == "03-12 17:30"  # five workdays of the town  # 规则 4
    assert wall(drive, number, "handle") == "03-23 17:30"  # climbing moves nothing
    await drive.act("grid-1", number, "sign", expect=404)
    await contacted(drive, number, "town-property")
    await drive.act("town", number, "climb_up", expect=403)
    row = await drive.act("town-property", number, "climb_up")
    assert (row["level"], row["lead_unit"]) == ("district", "law-enforcement")
    helped = [(task.holder_unit, task.state) for task in drive.tasks(number, "assist")]
    assert helped == [("law-enforcement", "declined"), ("police", "asked")]  # the next level arranges its own help
    trace = (await drive.get("police", f"/v1/grievances/{number}/routing"))["items"][-1]["trace"]
    assert "违章搭建、侵占公共部位、占用消防通道、住改商等突出问题联合查处" in str(trace)
    assert wall(drive, number, "level") == "03-16 17:30"  # seven workdays from Friday 6 March
    await contacted(drive, number, "law-enforcement")
    blocked = await drive.act("law-enforcement", number, "climb_up", expect=409)
    assert "climb_up" not in blocked["actions"]
    drive.town.advance(at("2026-03-20 17:30"))
    assert ("yellow_card", "law-enforcement") in drive.town.notices()  # 规则 11
    drive.town.advance(at("2026-03-23 17:30"))
    assert (await seen(drive, number))["state"] == "supervised"
    drive.town.advance(at("2026-03-30 17:30"))  # an order after two workdays, criticism after five  # 规则 12
    numbers = [row[0] for row in drive.town.rows("SELECT number FROM document ORDER BY issued_at, number")]
    assert numbers[0] == "葛督〔2026〕1号"
    assert "葛通〔2026〕1号" in numbers


async def test_departments_report_in_or_are_named_and_both_sides_rate(drive: Driver) -> None:
    number = await handling(drive, category="违法建设", who="grid-1")
    blown = await drive.open("community-1", number, "whistle", {"unit": "law-enforcement", "demand": "楼顶违建"})
    missed = await drive.open("community-1", number, "whistle", {"unit": "police", "demand": "到场维持秩序"})
    await drive.open("grid-1", number, "whistle", {"unit": "police", "demand": "x"}, expect=403)
    await drive.open("town", number, "whistle", {"unit": "police", "demand": "x"}, expect=403)
    row = await seen(drive, number, "police")
    assert (row["state"], row["standing"]) == ("whistled", "多部门报到会办")
    await drive.get("market", f"/v1/grievances/{number}", expect=404)
    await drive.act("grid-1", number, "finish", FINISH, expect=409)
    await drive.on_task("law-enforcement", blown["id"], "report")
    drive.town.advance(at("2026-03-03 08:59"))
    assert drive.tasks(number, "whistle")[1].state == "blown"
    drive.town.advance(at("2026-03-03 09:00"))  # one working day from the whistle
    task = drive.tasks(number, "whistle")[1]
    assert (str(task.id), task.state, task.final) == (missed["id"], "no_show", True)
    paper = drive.town.rows("SELECT number, addressee, copies FROM document")[0]
    assert (paper.number, paper.addressee) == ("葛报到〔2026〕1号", "police")
    assert {"community-1", "town"} <= set(paper.copies)
    late = await drive.on_task("police", missed["id"], "report", expect=404)
    assert late["type"] == "/problems/not-found"  # too late: it is recorded and the matter is no longer theirs
    await drive.on_task("community-1", blown["id"], "rate_unit", {"score": 95}, expect=409)  # not before it is done
    await drive.on_task("law-enforcement", blown["id"], "finish", {"result": "已拆除"})
    await drive.on_task("community-1", blown["id"], "rate_unit", {"score": 95})
    again = await drive.on_task("community-1", blown["id"], "rate_unit", {"score": 1}, expect=409)
    assert again["detail"] == "最多 1 次，已经用完"
    await drive.on_task("grid-1", blown["id"], "rate_community", {"score": 1}, expect=403)
    assert (await seen(drive, number))["state"] == "whistled"
    await drive.on_task("law-enforcement", blown["id"], "rate_community", {"score": 88})
    assert (await seen(drive, number))["state"] == "handling"  # the join takes the whole back  # 规则 8
    rated = drive.town.rows("SELECT rater, of_unit, answers->>'score' FROM rating ORDER BY rater")
    assert [tuple(row) for row in rated] == [
        ("community_on_unit:1", "law-enforcement", "95"),
        ("unit_on_community:1", "community-1", "88"),
    ]
    # The police are whistled for once more; nobody rates and the term ends it.
    third = await drive.open("community-1", number, "whistle", {"unit": "police", "demand": "再次到场"})
    await drive.on_task("police", third["id"], "report")
    await drive.on_task("police", third["id"], "finish", {"result": "已到场"})
    drive.town.advance(at("2026-03-06 17:30"))
    assert [task.state for task in drive.tasks(number, "whistle")] == ["done", "no_show", "unrated"]
    await closed(drive, number, "grid-1")


WATCH = {
    "unit": "law-enforcement", "owner": "分管副主任", "ground": "群众多次反映", "plan": "分两批拆除", "deadline": "2026-05-15",
}  # fmt: skip


async def test_a_long_running_problem_is_on_the_ledger_until_the_town_signs_it_off(drive: Driver) -> None:
    number = await handling(drive)
    task = (await drive.open("company-1", number, "watchlist", WATCH))["id"]
    assert (await seen(drive, number))["standing"] == "申请挂账"
    for who in ("company-1", "community-1", "law-enforcement"):
        await drive.on_task(who, task, "enter", expect=403)
    await drive.on_task("town", task, "enter")
    row = await seen(drive, number, "law-enforcement")
    assert (row["state"], row["standing"]) == ("watchlisted", "挂账督办中")
    assert wall(drive, number, "watch") == "05-15 17:30"  # the approved date  # 规则 10
    assert [clock.status.value for clock in drive.town.clocks(number, "handle")] == ["paused"]
    paper = drive.town.rows("SELECT number, addressee FROM document")[0]
    assert tuple(paper) == ("葛挂账〔2026〕1号", "law-enforcement")
    ledger = await drive.get("town", "/v1/grievances?state=watchlisted")
    assert [item["number"] for item in ledger["items"]] == [number]
    # Review points: a month each; the first is missed.
    drive.town.advance(at("2026-04-02 17:29"))
    assert ("yellow_card", "law-enforcement") not in drive.town.notices()
    drive.town.advance(at("2026-04-02 17:30"))
    assert {("yellow_card", "law-enforcement"), ("yellow_card", "town")} <= set(drive.town.notices())
    await drive.on_task("law-enforcement", task, "progress", {"progress": "第一批已拆除"})
    await drive.on_task("law-enforcement", task, "go_on", {"opinion": "x"}, expect=403)
    await drive.on_task("town", task, "go_on", {"opinion": "抓紧第二批"})
    assert wall(drive, number, "review") == "05-06 17:30"  # 2 May is a holiday until the 5th
    await drive.act("company-1", number, "finish", FINISH, expect=409)
    await drive.on_task("law-enforcement", task, "apply", {"measures": "全部拆除"})
    await drive.on_task("law-enforcement", task, "sign_off", {"note": "x"}, expect=403)  # nobody signs off their own
    await drive.on_task("town", task, "again", {"reason": "楼顶仍有残留"})
    await drive.on_task("law-enforcement", task, "apply", {"measures": "残留已清"})
    await drive.on_task("town", task, "sign_off", {"note": "现场核验"})
    row = await seen(drive, number)
    assert (row["state"], row["standing"]) == ("handling", "正常办理")  # it returns to handling  # 规则 10
    # It stopped at nine on 2 March: seven hours of that day and fifteen workdays are left on the evening of 2 April.
    assert wall(drive, number, "handle") == "04-27 17:00"  # Qingming is skipped  # 规则 2
    await closed(drive, number, "company-1")


async def test_what_the_town_does_not_enter_is_refused_and_what_expires_is_supervised(drive: Driver) -> None:
    silent, late = await handling(drive, "s1"), await handling(drive, "s2")
    await drive.open("company-1", silent, "watchlist", WATCH | {"deadline": "2026-03-13"})
    task = (await drive.open("community-1", late, "watchlist", WATCH | {"deadline": "2026-03-13"}))["id"]
    await drive.on_task("town", task, "enter")
    drive.town.advance(at("2026-03-09 17:30"))  # two workdays, and three more after the reminder
    assert drive.tasks(silent, "watchlist")[0].state == "refused"
    drive.town.advance(at("2026-03-13 17:30"))
    assert (await seen(drive, late))["state"] == "supervised"
    assert ("name_in_bulletin", "company-1") in drive.town.notices()
    assert drive.tasks(late, "watchlist")[0].state == "listed"  # off the promise, still on the ledger
    await drive.act("company-1", late, "finish", FINISH, expect=409)


async def test_problems_in_common_are_studied_together_and_the_minutes_bind(drive: Driver) -> None:
    numbers = [
        await handling(drive, f"m{n}", f"grid-{n}", category="业委会", place={"estate": f"E{n}"}) for n in (1, 2)
    ]
    alone = await drive.open("grid-1", numbers[0], "common_item", {"nature": "难点问题", "reason": "经费"})
    assert [item["grievance"] for item in (await drive.get("community-1", AGENDA))["items"]] == [numbers[0]]
    await drive.on_task("grid-1", alone["id"], "pass_up", {"reason": "x"}, expect=403)
    await drive.on_task("community-1", alone["id"], "pass_up", {"reason": "社区议不定"})
    assert (await seen(drive, numbers[0]))["lead_unit"] == "town-property"
    await drive.act("grid-2", numbers[1], "climb_up")
    for number in numbers:
        await contacted(drive, number, "town-property")
        await drive.open("town-property", number, "common_item", {"nature": "共性问题", "reason": "业委会组建难"})
    assert (await seen(drive, numbers[1]))["standing"] == "共性难点待研究"
    assert [item["grievance"] for item in (await drive.get("town", AGENDA))["items"]] == numbers
    assert (await drive.get("community-1", AGENDA))["items"] == []
    form = {"demand": "五月底前指导成立业委会", "deadline": "2026-03-20"}
    lines = [{"grievance": number, "unit": f"community-{n}", "form": form} for n, number in enumerate(numbers, 1)]
    lines.append({"grievance": numbers[0], "unit": "finance", "form": form | {"demand": "保障工作经费"}})
    for who, refused in (("town-property", 403), ("community-1", 404), ("housing", 404)):
        await drive.post(who, "/v1/documents", {"kind": MINUTES, "lines": lines}, expect=refused)
    made = await drive.post("town", "/v1/documents", {"kind": MINUTES, "lines": lines}, key="m", expect=201)
    again = await drive.post("town", "/v1/documents", {"kind": MINUTES, "lines": lines}, key="m", expect=201)
    assert (made, made["number"]) == (again, "葛联席〔2026〕1号")
    assert (await drive.get("town", AGENDA))["items"] == []  # both are settled by the one meeting
    row = await seen(drive, numbers[1], "community-2")
    assert row["standing"] == "落实会议议定事项"
    await drive.act("town-property", numbers[1], "finish", FINISH, expect=409)
    await drive.on_task("community-1", made["lines"][1]["task"], "done", {"result": "x"}, expect=404)
    await drive.on_task("community-2", made["lines"][1]["task"], "done", {"result": "已成立"})
    drive.town.advance(at("2026-03-20 17:30"))
    assert ("urge_notice", "finance") in drive.town.notices()
    assert ("urge_notice", "community-2") not in drive.town.notices()


async def test_four_kinds_of_mediation_and_the_peoples_panel(drive: Driver) -> None:
    number = await handling(drive)
    bodies = {"人民调解": "mediators-1", "行业调解": "association", "行政调解": "housing", "司法调解": "justice"}
    for n, (way, body) in enumerate(bodies.items()):
        await drive.act("company-2", number, "mediate", {"way": way, "dispute": "物业费"}, expect=404)
        row = await drive.act("company-1", number, "mediate", {"way": way, "dispute": "物业费和停运"})
        assert (row["state"], row["standing"]) == ("mediating", "调解中")
        task = drive.tasks(number, "mediation")[n]
        assert (task.holder_unit, task.data["way"]) == (body, way)
        if way == "司法调解":
            await drive.on_task(body, task.id, "decline", {"reason": "一方不同意调解"})
            continue
        await drive.on_task("company-1", task.id, "begin", expect=403)
        await drive.on_task(body, task.id, "begin")
        if way == "行业调解":
            await drive.on_task(body, task.id, "fail", {"reason": "分歧较大"})
        elif way == "人民调解":
            drive.town.advance(at("2026-03-11 17:30"))  # seven workdays and nothing agreed
        else:
            await drive.on_task(body, task.id, "ask_panel", {"question": "停运期间物业费减收是否合理"})
            await drive.on_task(body, task.id, "agree", {"agreement": "x"}, expect=409)  # the panel is heard first
            await drive.on_task("association", task.id, "opine", {"opinion": "x"}, expect=404)
            await drive.on_task("panel", task.id, "opine", {"opinion": "减收合理"})
            await drive.on_task(body, task.id, "agree", {"agreement": "减收两个月物业费"})
        assert (await seen(drive, number))["state"] == "handling"
    assert [task.state for task in drive.tasks(number, "mediation")] == ["failed", "failed", "agreed", "declined"]
    assert wall(drive, number, "handle") == "03-23 17:30"  # mediation stops no clock
    fifth = await drive.act("company-1", number, "mediate", {"way": "人民调解", "dispute": "x"}, expect=409)
    assert fifth["detail"] == "最多 4 次，已经用完"
    await closed(drive, number, "company-1")


async def test_the_repair_fund_has_a_fast_path_in_an_emergency(drive: Driver) -> None:
    number = await handling(drive)
    plan = {"emergency": "电梯损坏", "plan": "更换曳引机", "amount": 86000}
    bad = await drive.open("company-1", number, "repair_fund", plan | {"emergency": "粉刷"}, expect=422)
    assert bad["fields"][0]["path"] == "emergency"
    await drive.open("company-2", number, "repair_fund", plan, expect=404)
    await drive.open("community-1", number, "repair_fund", plan, expect=403)
    task = (await drive.open("committee-1", number, "repair_fund", plan))["id"]
    twice = await drive.open("company-1", number, "repair_fund", plan, expect=409)
    assert twice["detail"] == "已有一件正在办理"
    await drive.on_task("hotline", task, "object", {"reason": "报价偏高"})
    await drive.on_task("community-1", task, "endorse", {"opinion": "x"}, expect=409)  # it must be shown first
    drive.town.advance(at("2026-03-05 08:59"))
    assert drive.tasks(number, "repair_fund")[0].state == "publicity"
    drive.town.advance(at("2026-03-05 09:00"))  # three days of 24 hours
    await drive.on_task("company-1", task, "endorse", {"opinion": "x"}, expect=403)
    await drive.on_task("housing", task, "grant", {"opinion": "x"}, expect=404)  # the community reviews before
    await drive.on_task("community-1", task, "endorse", {"opinion": "情况属实，异议已核实"})
    await drive.on_task("community-1", task, "grant", {"opinion": "x"}, expect=403)
    await drive.on_task("housing", task, "grant", {"opinion": "同意使用"})
    paper = drive.town.rows("SELECT number, addressee, copies FROM document")[0]
    assert (paper.number, paper.addressee) == ("葛维急〔2026〕1号", "company-1")
    assert {"community-1", "committee-1"} <= set(paper.copies)
    await drive.act("company-1", number, "finish", FINISH, expect=409)
    await drive.on_task("company-1", task, "complete", {"spent": 85000, "result": "已更换并公布"})
    other = await drive.open("hotline", number, "repair_fund", plan | {"emergency": "外墙脱落"})  # an owner may, too
    drive.town.advance(timedelta(days=3))
    await drive.on_task("community-1", other["id"], "turn_down", {"reason": "不属于紧急情况"})
    assert [item.state for item in drive.tasks(number, "repair_fund")] == ["done", "refused"]
    assert (await seen(drive, number))["level"] == "community"  # while the fund was open it did not climb
    drive.town.advance(at("2026-03-09 17:30"))
    assert (await seen(drive, number))["level"] == "street"  # two workdays after the community's term


async def test_owners_are_asked_each_half_year_and_below_the_floor_the_company_mends(drive: Driver) -> None:
    def sent(name: str, estate: str, grade: str | None) -> dict[str, Any]:
        extra = {"grade": grade} if grade else {}
        return order(
            name, channel="满意度征询", kind="其他", title="半年征询", place={"estate": estate}, extra=extra, complainant={}
        )  # fmt: skip

    await drive.post("assessor", "/v1/grievances", sent("x", "E1", "一级"), expect=403)
    missing = await drive.post("housing", "/v1/grievances", sent("x", "E1", None), expect=422)
    assert missing["fields"] == [{"path": "extra.grade", "problem": "必填"}]  # 规则 25
    floors = {"一级": 90, "二级": 80, "三级": 70, "四级": 60, None: 50}
    below = ""
    for grade, floor in floors.items():
        for rate in (floor, floor - 1):
            name = f"{grade}{rate}"
            answer = await drive.post(
                "housing", "/v1/grievances", sent(name, "E1" if grade else "E2", grade), expect=201
            )
            number = answer["number"]
            assert wall(drive, number, "survey") == ("09-02 17:30" if grade else "06-02 17:30")  # 规则 1
            form = {"asked": 200, "valid": 160, "rate": rate}
            await drive.act("company-1", number, "record_survey", form, expect=404)
            nobody = await drive.act("assessor", number, "record_survey", {"asked": 200, "valid": 0})
            assert nobody["state"] == "surveying"  # a base of nothing is no rate  # 规则 23
            row = await drive.act("assessor", number, "record_survey", form)
            assert row["state"] == ("closed" if rate == floor else "assigned"), (grade, rate)
            below = number
    assert (await seen(drive, below))["lead_unit"] == "company-2"
    await drive.act("company-2", below, "sign")
    drive.town.advance(at("2026-03-16 17:30"))
    assert (await seen(drive, below))["level"] == "community"  # what a survey shows does not climb
    await drive.act("company-2", below, "finish", FINISH)
    row = await drive.act("property-platform", below, "approve")
    assert (row["state"], row["final"]) == ("closed", True)  # nobody is called back
    late = (await drive.post("housing", "/v1/grievances", sent("late", "E2", None), expect=201))["number"]
    drive.town.advance(at("2026-06-16 17:30"))  # a quarter from 16 March
    assert wall(drive, late, "survey") == "06-16 17:30"
    assert ("urge_notice", "assessor") in drive.town.notices()


async def test_an_inspection_goes_to_the_company_and_answers_nobody(drive: Driver) -> None:
    sent = order(
        "n1", channel="双随机检查", kind="其他", complainant={}, extra={"aspect": "其他", "other": "公示栏不全"}
    )
    await drive.post("community-1", "/v1/grievances", sent, expect=403)
    number = (await drive.post("town", "/v1/grievances", sent, expect=201))["number"]
    row = await seen(drive, number)
    assert (row["origin"], row["lead_unit"]) == ("inspection", "company-1")
    assert (await drive.act("company-1", number, "sign"))["state"] == "handling"
    await drive.act("company-1", number, "finish", FINISH)
    assert (await drive.act("property-platform", number, "approve"))["state"] == "closed"
