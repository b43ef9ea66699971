"""济南 over HTTP: the QR code in the lobby, the company first, the community's mediation, the three-way call.

Instants are worked out by hand on a wall calendar of March 2026.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.site import BAD, FINISH, GOOD, Driver, area, at, build, keys_for, made_up, order, seen, story, wall

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


DEPARTMENTS = (
    "market-bureau", "fire-rescue", "police-bureau", "price-bureau", "urban-management", "property-supervision",
)  # fmt: skip
UNITS: dict[str, Any] = {
    "areas": [
        area("370102", "示范区", "district"),
        area("3701021", "泉水街道", "street", "370102"),
        area("3701021001", "一社区", "community", "3701021"),
    ],
    "units": [
        made_up("housing-bureau", "office", "370102", None),
        made_up("call-centre", "centre", "370102", "housing-bureau"),
        *(made_up(code, "department", "370102", "housing-bureau") for code in DEPARTMENTS),
        made_up("street-office", "office", "3701021", "housing-bureau", "property-office"),
        made_up("community", "community", "3701021001", "street-office", "community-office"),
        made_up("committee", "community", "3701021001", "street-office", "property-committee"),
        made_up("company", "company", "3701021001", "street-office"),
    ],
    "estates": [
        {"code": "E1", "name": "泉景", "area": "3701021001", "company": "company", "kind": "商品房"},
        {"code": "E2", "name": "老院", "area": "3701021001", "company": None, "kind": "老旧小区"},
    ],
}


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning; when a story has been told its ledger must still be true."""
    town = build(database, data=tmp_path, workflow="jinan@1", units=UNITS, keys=keys_for(UNITS))
    async with story(town) as driver:
        yield driver


async def scanned(drive: Driver, name: str = "q1", **fields: Any) -> str:
    """Scan the code in the lobby."""
    return await drive.push(name, channel="二维码", **{"extra": {"spot": "电梯间"}} | fields)


async def rated(drive: Driver, number: str, unit: str, answer: Any) -> Any:
    await drive.act(unit, number, "sign")
    await drive.act(unit, number, "finish", FINISH)
    return await drive.act("hotline", number, "rate", answer)


async def test_the_code_in_the_lobby_goes_to_the_company_first(drive: Driver) -> None:
    number = await scanned(drive)
    row = await seen(drive, number)
    assert (row["origin"], row["state_title"], row["lead_unit"]) == ("qr_code", "待受理", "company")
    assert row["category"] == "电梯管理"  # one of the ten hot topics
    assert wall(drive, number, "sign") == "03-02 14:30"  # four working hours, over lunch
    await drive.get("market-bureau", f"/v1/grievances/{number}", expect=404)
    identity = str(await seen(drive, number, "company")) + str(
        await drive.get("company", f"/v1/grievances/{number}/ledger")
    )
    assert "张三丰" not in identity  # 规则 17
    assert "13812345678" not in identity
    row = await rated(drive, number, "company", GOOD)
    assert (row["state"], row["final"]) == ("closed", True)
    bad = await drive.post(
        "hotline", "/v1/grievances", order("q2", channel="二维码", extra={"spot": "月球"}), expect=422
    )
    assert bad["fields"][0]["path"] == "extra.spot"


async def test_who_is_not_satisfied_is_mediated_and_then_the_department_decides(drive: Driver) -> None:
    number = await scanned(drive)
    row = await rated(drive, number, "company", BAD)
    assert (row["state_title"], row["holder_unit"], row["standing"]) == ("社区调解中", "community", "社区调解中")
    assert wall(drive, number, "mediate") == "03-10 00:00"  # seven natural days, tomorrow the first
    await drive.act("company", number, "agree", {"agreement": "x"}, expect=403)
    row = await drive.act("community", number, "agree", {"agreement": "三日内更换门机"})
    assert (row["state"], row["lead_unit"], row["cycle"]) == ("assigned", "company", 2)
    row = await rated(drive, number, "company", BAD)
    assert row["state"] == "mediating"
    # Mediation is silent: after seven days the system refers it to the department of the duty list.
    drive.town.advance(at("2026-03-10 00:00"))
    row = await seen(drive, number)
    assert (row["state"], row["lead_unit"], row["cycle"]) == ("assigned", "market-bureau", 3)
    trace = (await drive.get("street-office", f"/v1/grievances/{number}/routing"))["items"][-1]["trace"]
    assert [step["kind"] for step in trace] == ["table", "table"]
    assert trace[0]["outcome"] == "skipped"  # the company had its turn in the first cycle
    row = await rated(drive, number, "market-bureau", GOOD)
    assert row["final"]
    answers = drive.town.rows("SELECT cycle, of_unit, satisfied FROM rating ORDER BY cycle")
    assert [tuple(one) for one in answers] == [
        (1, "company", "不满意"), (2, "company", "不满意"), (3, "market-bureau", "满意"),
    ]  # fmt: skip  # 规则 20


@pytest.mark.parametrize(
    ("outcome", "state", "holder"),
    [("当场解决", "rating", None), ("转物业办理", "assigned", "company"), ("各执一词", "mediating", "community")],
)
async def test_a_three_way_call_ends_in_one_of_three_ways(
    drive: Driver, outcome: str, state: str, holder: str | None
) -> None:
    number = await drive.push()
    row = await seen(drive, number)
    assert (row["origin"], row["state_title"], row["holder_unit"]) == ("hotline", "三方连线中", "call-centre")
    assert wall(drive, number, "accept") == "03-02 09:30"  # its own short clock
    await drive.act("company", number, "record_call", {"outcome": outcome, "note": "x"}, expect=404)
    row = await drive.act("call-centre", number, "record_call", {"outcome": outcome, "note": "三方通话 8 分钟"})
    assert row["state"] == state
    assert row["holder_unit"] == holder  # the resident is asked: no unit holds it then
    if state == "mediating":
        row = await drive.act("community", number, "agree", {"agreement": "由物业维修"})
        assert (row["state"], row["lead_unit"]) == ("assigned", "company")


async def test_a_call_that_nobody_takes_does_not_stand_still(drive: Driver) -> None:
    number = await drive.push()
    drive.town.advance(timedelta(minutes=30))
    row = await seen(drive, number)
    assert (row["state"], row["lead_unit"]) == ("assigned", "company")
    assert ("remind", "call-centre") in drive.town.notices()
    unmanaged = await drive.push("n1", place={"estate": "E2"}, complainant={"name": "甲", "phone": "13900000001"})
    row = await seen(drive, unmanaged)
    assert (row["state"], row["lead_unit"]) == ("assigned", "market-bureau")  # no company, no call: the duty list


async def test_the_street_whistles_and_departments_report(drive: Driver) -> None:
    number = await scanned(drive, title="楼道乱堆杂物", body="楼道里堆满杂物，消防通道不通")
    await drive.act("company", number, "sign")
    blown = await drive.open("street-office", number, "whistle", {"unit": "fire-rescue", "demand": "现场执法"})
    missed = await drive.open("street-office", number, "whistle", {"unit": "urban-management", "demand": "清运"})
    row = await seen(drive, number, "fire-rescue")
    assert (row["state_title"], row["standing"]) == ("已吹哨", "部门会办中")
    await drive.on_task("fire-rescue", blown["id"], "report")
    await drive.act("company", number, "finish", FINISH, expect=409)
    drive.town.advance(at("2026-03-03 09:00"))
    assert str(drive.tasks(number, "whistle")[1].id) == missed["id"]
    assert drive.tasks(number, "whistle")[1].state == "no_show"
    await drive.on_task("fire-rescue", blown["id"], "finish", {"result": "已责令清理"})
    assert (await seen(drive, number))["state"] == "handling"  # 规则 8


async def test_a_reception_days_matter_is_registered_by_the_community(drive: Driver) -> None:
    sent = order(
        "r1", channel="项目经理接待日", kind="建议", extra={"held_on": "2026-03-01"}, title="希望修路", body="路面坑洼"
    )
    await drive.post("company", "/v1/grievances", sent, expect=403)
    made = await drive.post("community", "/v1/grievances", sent, expect=201)
    row = await seen(drive, made["number"], "community")
    assert (row["origin"], row["category"], row["lead_unit"]) == ("reception", "小区道路维修", "company")
    again = await drive.post("community", "/v1/grievances", sent)
    assert again["number"] == made["number"]
