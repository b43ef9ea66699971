"""管城 over HTTP: 业主点单 → 支部派单 → 物业接单 → 业委会督单 → 社区验单, five different bodies on one order.

Instants are worked out by hand on a wall calendar of March 2026.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.site import BAD, FINISH, GOOD, Driver, area, at, build, keys_for, order, seen, story, text_of

from wuye_loop.authoring.checker.check import check
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


def unit(code: str, kind: str, area_code: str, *duties: str, parent: str | None = None) -> dict[str, Any]:
    return {"code": code, "name": f"单位 {code}", "kind": kind, "area": area_code, "parent": parent, "duties": duties}


UNITS: dict[str, Any] = {
    "areas": [
        area("410104", "示范区", "district"),
        area("4101041", "东街道", "street", "410104"),
        area("4101041001", "东一社区", "community", "4101041"),
    ],
    "units": [
        unit("property-committee", "office", "410104"),
        unit("street-office", "office", "4101041", "property-office"),
        unit("mediation", "office", "4101041", "mediation-station"),
        unit("repair", "centre", "4101041", "repair-station"),
        unit("public-company", "company", "4101041", "public-company"),
        unit("branch", "office", "4101041001", "party-branch"),
        unit("owners", "office", "4101041001", "owners-committee"),
        unit("community", "community", "4101041001", "community-office"),
        unit("company", "company", "4101041001"),
    ],
    "estates": [
        {"code": "E1", "name": "甲院", "area": "4101041001", "company": "company", "kind": "老旧小区"},
        {"code": "E2", "name": "乙院", "area": "4101041001", "company": None, "kind": "无主管楼院"},
    ],
}


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning; when a story has been told its ledger must still be true."""
    town = build(database, data=tmp_path, workflow="guancheng@1", units=UNITS, keys=keys_for(UNITS))
    async with story(town) as driver:
        yield driver


async def working(drive: Driver, external_id: str = "a1", **fields: Any) -> str:
    number = await drive.push(external_id, **fields)
    await drive.act("branch", number, "accept")
    await drive.act("company", number, "sign")
    return number


async def test_five_bodies_take_one_order_round(drive: Driver) -> None:
    number = await drive.push(extra={"service": "设施维修"})
    await drive.act("company", number, "accept", expect=404)  # nothing of it is the company's yet
    await drive.act("owners", number, "accept", expect=403)
    row = await drive.act("branch", number, "accept")
    assert (row["state_title"], row["lead_unit"]) == ("待接单", "company")
    assert row["due"]["sign"] == "2026-03-03T01:00:00.000000Z"
    await drive.act("branch", number, "sign", expect=403)
    await drive.act("company", number, "sign")
    # 督单: the owners' committee watches from the first day on, and may issue an order of its own.
    assert (await seen(drive, number, "owners"))["state_title"] == "物业办理中"
    ordered = await drive.open("owners", number, "supervision_order", {"unit": "company", "document": "督单"})
    assert ordered["document_number"] == "管督〔2026〕1号"
    await drive.on_task("company", ordered["id"], "answer", {"measures": "今日换件"})
    await drive.on_task("company", ordered["id"], "sign_off", expect=403)
    await drive.on_task("owners", ordered["id"], "sign_off")
    await drive.act("company", number, "contact", {"contacted": True, "note": "已到场"})
    await drive.act("company", number, "finish", FINISH)
    # 验单: self-verification is impossible; only the community accepts.  # 规则 19
    for who in ("company", "branch", "owners"):
        answer = await drive.send(who, f"/v1/grievances/{number}/actions/approve", {"solved": True})
        assert answer.status_code in (403, 404), (who, answer.text)
    row = await drive.act("community", number, "approve", {"solved": True})
    assert row["state_title"] == "待业主评价"
    row = await drive.act("hotline", number, "rate", GOOD)
    assert (row["state_title"], row["final"]) == ("已列入满意清单", True)
    did = drive.town.rows(
        "SELECT actor->>'unit' FROM ledger WHERE action IN ('accept','sign','finish','approve') ORDER BY seq"
    )
    assert [one[0] for one in did] == ["branch", "company", "company", "community"]


def test_the_file_itself_proves_that_the_five_are_different() -> None:
    text = text_of("guancheng@1")
    assert [item for item in check(text, "guancheng@1.yaml")[1] if item.severity == "error"] == []
    # Were the company to accept its own work, or the community to be the owners' committee, the checker would refuse.
    for was, now in (
        ("    by: acceptor\n    needs: {solved", "    by: [acceptor, handler]\n    needs: {solved"),
        ("{duty: owners-committee, level: community}", "{duty: community-office, level: community}"),
    ):
        assert text.count(was) == 1
        errors = [item for item in check(text.replace(was, now), "x.yaml")[1] if item.severity == "error"]
        assert errors, now


async def test_who_did_one_part_is_kept_from_another_even_by_the_directory(drive: Driver) -> None:
    """The branch dispatches to itself by hand: the engine refuses what the file forbids."""
    number = await drive.push(place={"estate": "E1"})
    await drive.act("branch", number, "accept")
    await drive.act("company", number, "send_back", {"reason": "非本单位职责", "legal_basis": "合同第三条"})
    for who in ("branch", "owners", "community"):
        refused = await drive.act("branch", number, "route", {"unit": who}, expect=409)
        assert "职责分离" in refused["detail"]


async def test_an_overdue_order_goes_to_the_owners_committee_rung_by_rung(drive: Driver) -> None:
    number = await working(drive)
    drive.town.advance(at("2026-03-09 17:30"))
    row = await seen(drive, number)
    assert (row["state_title"], row["holder_unit"]) == ("业委会督单中", "company")
    assert ("red_card", "owners") in drive.town.notices()
    drive.town.advance(at("2026-03-16 17:30"))
    papers = drive.town.rows("SELECT number, addressee, copies FROM document ORDER BY issued_at")
    assert [(row[0], row[1]) for row in papers] == [("管督〔2026〕1号", "company"), ("管挂督〔2026〕1号", "company")]
    assert {"owners", "street-office"} <= set(papers[1][2])  # several copies  # 规则 12
    await drive.act("company", number, "finish", FINISH)
    row = await drive.act("community", number, "reject", {"reason": "办理不到位"})
    assert row["state"] == "handling"


async def test_quarrels_are_mediated_by_the_streets_station(drive: Driver) -> None:
    number = await working(drive)
    await drive.act("owners", number, "send_to_mediation", {"reason": "双方各执一词"})
    assert (await seen(drive, number, "mediation"))["state_title"] == "调解中"
    await drive.act("company", number, "mediated", {"agreed": True, "agreement": "x"}, expect=403)
    row = await drive.act("mediation", number, "mediated", {"agreed": False, "agreement": "未达成一致"})
    assert row["state"] == "handling"
    await drive.act("company", number, "to_mediation", {"reason": "再调"})
    row = await drive.act("mediation", number, "mediated", {"agreed": True, "agreement": "三日内更换"})
    assert (row["state_title"], row["holder_unit"]) == ("待社区验单", "community")


async def test_urgent_orders_go_to_the_repair_station_and_unowned_yards_to_the_public_company(drive: Driver) -> None:
    urgent = await drive.push("u1", body="水管爆裂，水漫楼道")
    assert (await seen(drive, urgent))["urgency"] == "特急"  # 规则 16
    assert ("alarm", "branch") in drive.town.notices()
    row = await drive.act("branch", urgent, "accept")
    assert row["lead_unit"] == "repair"
    await drive.act("repair", urgent, "sign")
    due = drive.town.clocks(urgent, "arrive")[-1].due_at
    assert (due + timedelta(hours=8)).strftime("%m-%d %H:%M") == "03-02 09:30"  # 规则 5
    drive.town.advance(at("2026-03-02 09:30"))
    assert ("urge_notice", "repair") in drive.town.notices()
    yard = await drive.push("y1", place={"estate": "E2"}, complainant={"name": "甲", "phone": "13900000001"})
    row = await drive.act("branch", yard, "accept")
    assert row["lead_unit"] == "public-company"


async def test_a_meetings_list_is_answered_to_the_street_that_wrote_it(drive: Driver) -> None:
    sent = order("m1", channel="居民座谈会", kind="建议", extra={"met_on": "2026-03-01"}, complainant={})
    await drive.post("branch", "/v1/grievances", sent, expect=403)  # who dispatches does not order
    made = await drive.post("street-office", "/v1/grievances", sent, expect=201)
    number = made["number"]
    await drive.act("branch", number, "accept")
    await drive.act("company", number, "sign")
    await drive.act("company", number, "finish", FINISH)
    await drive.act("community", number, "approve", {"solved": True})
    row = await seen(drive, number, "street-office")
    assert (row["state"], row["holder_unit"]) == ("rating", "street-office")  # its author is asked
    await drive.act("street-office", number, "rate", BAD)
    assert (await seen(drive, number))["cycle"] == 2
