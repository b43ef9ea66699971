"""奎文, second version, over HTTP: 未诉先办 inspections, one 限期整改通知书 with many problems, 三重督办.

Instants are worked out by hand on a wall calendar of March and April 2026: Qingming is off on Monday 6 April.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.site import BAD, DIRECTORY, FINISH, GOOD, Driver, at, build, keys_for, order, seen, story, unit, wall

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio

UNITS: dict[str, Any] = DIRECTORY | {
    "units": [
        *DIRECTORY["units"],
        unit("district-party-office", "区委办公室", "office", "3707"),
        unit("joint-inspection", "联合执法组", "office", "3707", "command-office"),
    ],
    "estates": [
        *DIRECTORY["estates"],
        {"code": "E3", "name": "无名里", "area": "370702001", "company": None, "kind": "老旧小区"},
    ],
}
NOTICE, TRIPLE = "限期整改通知书", "三重督办通知单"


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning; when a story has been told its ledger must still be true."""
    town = build(database, data=tmp_path, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS))
    async with story(town) as driver:
        yield driver


async def inspected(drive: Driver, name: str = "n1", estate: str = "E1", who: str = "joint-inspection") -> str:
    """Register what an inspection found in an estate; the system sends it to the company."""
    sent = order(
        name, channel="联合检查", kind="其他", title="飞线充电", body="检查发现的问题", place={"estate": estate},
        extra={"aspect": "电动车管理"}, complainant={},
    )  # fmt: skip
    made = await drive.post(who, "/v1/grievances", sent, expect=201)
    return str(made["number"])


def lines(number: str, *matters: str, unit: str = "company-1", deadline: str = "2026-03-20") -> list[dict[str, Any]]:
    return [{"grievance": number, "unit": unit, "form": {"matter": matter, "deadline": deadline}} for matter in matters]


async def test_one_notice_has_many_problems_each_with_its_own_state(drive: Driver) -> None:
    number = await inspected(drive)
    row = await seen(drive, number, "joint-inspection")
    assert (row["origin"], row["state"], row["lead_unit"]) == ("inspection", "assigned", "company-1")
    assert wall(drive, number, "handle") == "04-02 17:30"  # a month  # 规则 1
    await drive.act("company-1", number, "sign")
    sent = {"kind": NOTICE, "lines": lines(number, "拆除飞线", "清理楼道", "公示收费")}
    refused = await drive.post("company-1", "/v1/documents", sent, expect=403)
    assert refused["detail"] == "您的角色不能签发这种文书"
    made = await drive.post("joint-inspection", "/v1/documents", sent, expect=201)
    assert made["number"] == "奎改〔2026〕1号"
    first, second, third = (line["task"] for line in made["lines"])
    assert (await seen(drive, number))["standing"] == "限期整改中"
    await drive.act("company-1", number, "finish", FINISH, expect=409)  # problems are open
    await drive.on_task("company-1", first, "report", {"measures": "已拆除"})
    await drive.on_task("company-1", second, "report", {"measures": "已清理"})
    await drive.on_task("joint-inspection", first, "pass")
    await drive.on_task("office-1", second, "again", {"reason": "三楼仍有杂物"})
    await drive.on_task("company-1", first, "report", {"measures": "x"}, expect=409)
    paper = await drive.get("joint-inspection", "/v1/documents/奎改〔2026〕1号")
    assert [line["state_title"] for line in paper["lines"]] == ["已销号", "待整改", "待整改"]
    # The third is overdue: card on the day, an interview two workdays later, points five workdays later.  # 规则 12
    await drive.on_task("company-1", second, "report", {"measures": "再次清理"})
    await drive.on_task("office-1", second, "pass")
    drive.town.advance(at("2026-03-27 17:30"))
    numbers = [row[0] for row in drive.town.rows("SELECT number FROM document ORDER BY issued_at, number")]
    assert numbers == ["奎改〔2026〕1号", "奎约〔2026〕1号", "奎信〔2026〕1号"]
    await drive.on_task("company-1", third, "report", {"measures": "已公示"})
    assert (await seen(drive, number))["state"] == "handling"
    await drive.on_task("joint-inspection", third, "pass")
    assert (await seen(drive, number))["state"] == "reviewing"  # the last problem took the whole with it  # 规则 8
    await drive.act("property-centre", number, "approve")
    row = await seen(drive, number)
    assert (row["state"], row["final"]) == ("closed", True)  # nobody is called back
    assert drive.town.scalar("SELECT count(*) FROM rating") == 0


async def test_streets_inspect_too_and_a_company_sees_only_its_own(drive: Driver) -> None:
    number = await inspected(drive, who="office-1")
    await drive.get("company-2", f"/v1/grievances/{number}", expect=404)
    sent = order("x", channel="联合检查", kind="其他", extra={"aspect": "消防安全"}, complainant={})
    refused = await drive.post("company-1", "/v1/grievances", sent, expect=403)
    assert refused["detail"] == "本单位不能从这一来源登记诉求"
    missing = await drive.post("office-1", "/v1/grievances", sent | {"extra": {}}, expect=422)
    assert missing["fields"][0]["path"] == "extra.aspect"  # 规则 25
    unmanaged = await inspected(drive, "n2", "E3")
    assert (await seen(drive, unmanaged))["lead_unit"] == "fire"  # nobody runs it: the duty list decides


async def test_the_party_office_supervises_the_worst_estates_with_one_threefold_notice(drive: Driver) -> None:
    numbers = []
    for rank, estate in enumerate(("E1", "E2"), start=1):
        sent = order(
            f"w{rank}", channel="重点小区名单", kind="其他", title=f"名单第 {rank}", place={"estate": estate},
            extra={"rank": rank}, complainant={},
        )  # fmt: skip
        made = await drive.post("district-party-office", "/v1/grievances", sent, expect=201)
        numbers.append(made["number"])
    demand = {"demand": "一个月内整改完成"}
    sent = {"kind": TRIPLE, "lines": [{"grievance": number, "form": demand} for number in numbers]}
    await drive.post("command-office", "/v1/documents", sent, expect=403)
    made = await drive.post("district-party-office", "/v1/documents", sent, expect=201)
    assert made["number"] == "奎三重〔2026〕1号"  # one numbered notice, many targets  # 规则 13
    assert [line["unit"] for line in made["lines"]] == ["company-1", "company-2"]
    again = await drive.post("district-party-office", "/v1/documents", sent, expect=409)
    assert again["detail"] == "第 1 条：已有一件正在办理"
    own = await drive.get("company-2", "/v1/documents/奎三重〔2026〕1号")
    assert [line["grievance"] for line in own["lines"]] == [numbers[1]]  # of the others it learns nothing
    for number, company in zip(numbers, ("company-1", "company-2"), strict=True):
        await drive.act(company, number, "sign")
    assert (await seen(drive, numbers[0]))["standing"] == "“三重”督办中"
    tasks = [line["task"] for line in made["lines"]]
    clocks = (await drive.get("company-1", f"/v1/tasks/{tasks[0]}"))["data"]
    assert clocks == demand
    await drive.on_task("company-1", tasks[0], "answer", {"measures": "停车整顿完成"})
    await drive.on_task("company-1", tasks[0], "sign_off", expect=403)  # nobody signs off their own work
    await drive.on_task("district-party-office", tasks[0], "sign_off")
    # The second does nothing: due on 2 April, then 全区通报, 集中约谈, 信用扣分, at last 启动退出.  # 规则 12
    drive.town.advance(at("2026-04-02 17:29"))
    kinds = "SELECT kind FROM document WHERE addressee = 'company-2' AND kind <> '督办单' ORDER BY issued_at, number"
    assert drive.town.rows(kinds) == []
    drive.town.advance(at("2026-04-02 17:30"))
    assert ("name_in_bulletin", "company-2") in drive.town.notices()
    drive.town.advance(at("2026-05-08 17:30"))
    issued = [row[0] for row in drive.town.rows(kinds)]
    assert [kind for kind in issued if kind in ("约谈通知书", "信用扣分告知书", "退出告知书")] == [
        "约谈通知书", "信用扣分告知书", "退出告知书",
    ]  # fmt: skip
    assert drive.tasks(numbers[1], "triple")[0].state == "exited"


async def test_the_train_still_goes_round_and_a_repeat_needs_new_ground(drive: Driver) -> None:
    number = await drive.push()
    await drive.walk(number, "accept", "sign")
    again = await drive.push("a2")
    assert (await seen(drive, again))["state"] == "refused"  # 规则 15
    urge = order("a3", channel="催办", extra={"parent": number, "new_ground": "催"})
    answer = await drive.post("hotline", "/v1/grievances", urge)
    assert (answer["attached_to"], answer["urged"]) == (number, 1)  # 规则 14
    task = drive.tasks(number, "assist")[-1].id
    await drive.on_task("company-1", task, "sign")
    await drive.on_task("company-1", task, "done", {"result": "换了门机"})
    await drive.act("market", number, "finish", FINISH)
    await drive.walk(number, "approve", "call_back")
    await drive.act("hotline", number, "rate", BAD)
    row = await seen(drive, number)
    assert (row["state"], row["cycle"]) == ("handling", 2)  # 规则 22
    await drive.act("market", number, "finish", FINISH)
    await drive.walk(number, "approve", "call_back")
    await drive.act("hotline", number, "rate", GOOD)
    rated = drive.town.rows("SELECT cycle, satisfied FROM rating ORDER BY cycle")
    assert [tuple(row) for row in rated] == [(1, "不满意"), (2, "满意")]  # first and final are both kept  # 规则 20
