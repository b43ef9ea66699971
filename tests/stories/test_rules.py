"""Rules 1 to 13 of a real city, told over HTTP in 青禾区 where no other story tells them; 14 to 25 are in test_rules_answers.

Instants are worked out by hand on a wall calendar of March 2026; the office is open from 09:00 to 12:00 and from 13:00
to 18:00.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.api.test_papers import town_of
from tests.site import FINISH, Driver, at, story, wall
from tests.stories.test_sixth_city import handling, neighbour, state

from wuye_loop.domain.step.recalculation import recounted
from wuye_loop.domain.time.notice import read_notice
from wuye_loop.loop.engine import amend
from wuye_loop.store.calendar import working_days
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning; when a story has been told its ledger must still be true."""
    town = town_of(database, tmp_path)
    async with story(town) as driver:
        yield driver


async def clock(drive: Driver, number: str, name: str) -> Any:
    """Return the newest instance of a clock as a reader sees it."""
    found = (await drive.get("admin", f"/v1/grievances/{number}/clocks"))["items"]
    return [item for item in found if item["clock"] == name][-1]


async def running(drive: Driver, number: str) -> set[str]:
    """Return which clocks of the grievance itself run now."""
    return set((await drive.get("admin", f"/v1/grievances/{number}"))["due"])


async def up_to(drive: Driver, number: str, level: str) -> str:
    """Let a matter climb until it is handled at a level; return who is in charge there and has signed."""
    leads = {"community": "grid-1", "street": "street-1", "district": "housing"}
    for place, lead in leads.items():
        if place == level:
            break
        await drive.act(lead, number, "climb_up")
    if await state(drive, number) == "assigned":
        await drive.act(leads[level], number, "sign")
    return leads[level]


def notice(drive: Driver, days: str) -> None:
    """Load a notice of holidays and count the open deadlines again, as `calendar import` does."""
    loop, out = drive.town.site.loop, read_notice(f"date,works\n{days}".encode(), "notice.csv")
    with drive.town.database.begin() as session:
        working_days.import_notice(session, out, drive.town.now)
    for row in drive.town.rows("SELECT number FROM grievance WHERE NOT final"):
        with drive.town.database.begin() as session:
            amend(loop, session, row.number, recounted)


async def test_the_limit_is_kept_on_the_order_in_its_own_unit(drive: Driver) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"urgency": "特急"}, "15 minutes", "4 hours"),
        ({"channel": "二维码"}, "2 hours", "7 workdays"),
        ({"kind": "咨询"}, "1 workday", "2 workdays"),
        ({"category": "维修资金"}, "1 workday", "2 months"),
        ({"place": {"estate": "E2"}}, "1 workday", "10 days"),
    ]
    for place, (fields, accept, handle) in enumerate(cases):
        number = await drive.push(f"r{place}", **{"complainant": neighbour(f"r{place}")} | fields)
        assert (await clock(drive, number, "accept"))["limit"] == accept  # 规则 1
        await drive.act("desk-centre", number, "accept")
        assert (await clock(drive, number, "handle"))["limit"] == handle
    number = await drive.push("late", complainant=neighbour("late"))
    await drive.act("desk-centre", number, "classify", {"urgency": "特急"})
    found = await clock(drive, number, "accept")
    assert (found["limit"], found["limit_text"]) == ("1 workday", "1 个工作日")  # what was promised stays promised
    signed = await handling(drive, "w1")
    assert (await clock(drive, signed, "contact"))["limit"] == "4 workhours"


async def test_a_notice_that_changes_after_publication_moves_what_is_open(drive: Driver) -> None:
    number, other = await handling(drive), await drive.push("done", complainant=neighbour("done"))
    await drive.act("desk-centre", other, "refuse", {"reason": "非本级职责", "public_reply": "请向有关部门反映"})
    assert wall(drive, number, "handle") == "03-11 18:00"
    # As in January 2020: days of a published year become days off, and a Saturday is worked for one of them.
    notice(drive, "2026-03-05,0\n2026-03-06,0\n2026-03-07,1\n")
    assert wall(drive, number, "handle") == "03-12 18:00"  # 规则 2
    assert wall(drive, number, "level") == "03-04 18:00"  # what ends before the change stands
    assert wall(drive, other, "accept") == "03-02 18:00"
    row = (await drive.get("admin", f"/v1/grievances/{number}/ledger"))["items"][-1]
    moved = {"clock": "handle", "from": "2026-03-11T10:00:00.000000Z", "to": "2026-03-12T10:00:00.000000Z"}
    assert (row["action"], row["facts"]["moved"]) == ("calendar", [moved])
    assert "calendar" not in drive.town.actions(other)
    drive.town.advance(at("2026-03-11 18:00"))
    assert await state(drive, number) != "supervised"


async def test_next_year_is_provisional_until_its_notice_is_out(drive: Driver) -> None:
    drive.town.clock.set(at("2026-12-28 09:00"))
    number = await handling(drive)
    guessed = await clock(drive, number, "handle")
    assert guessed["provisional"]  # 规则 2
    assert not (await clock(drive, number, "contact"))["provisional"]
    assert wall(drive, number, "handle") == "01-07 18:00"
    notice(drive, "2027-01-01,0\n2027-01-02,0\n2027-01-03,0\n2027-01-04,0\n")
    known = await clock(drive, number, "handle")
    assert not known["provisional"]
    assert wall(drive, number, "handle") == "01-08 18:00"


async def test_several_clocks_run_at_once_and_every_stage_has_its_own(drive: Driver) -> None:
    number = await drive.push(category="其他", place={"area_code": "9901"})
    seen = [await running(drive, number)]
    for who, action, form in (
        ("desk-centre", "accept", {}), ("desk-centre", "route", {"unit": "housing"}), ("housing", "sign", {}),
        ("housing", "finish", FINISH),
    ):  # fmt: skip
        await drive.act(who, number, action, form)
        seen.append(await running(drive, number))
    assert seen == [
        {"accept"},
        {"dispatch", "handle"},
        {"sign", "handle", "level"},
        {"contact", "handle", "level"},  # three at once  # 规则 4
        {"verify"},
    ]
    nobody = (await drive.get("admin", f"/v1/grievances/{number}"))["holder_unit"]
    assert nobody == "housing"  # no verifier for a matter of the whole district: it stays where it was
    drive.town.advance(at("2026-03-04 18:00"))
    assert await running(drive, number) == {"review"}
    await drive.act("desk-centre", number, "approve")
    assert await running(drive, number) == {"callback"}


async def test_a_return_comes_in_time_with_its_reason_basis_and_suggestion(drive: Driver) -> None:
    number = await drive.push()
    await drive.act("desk-centre", number, "accept")
    due = wall(drive, number, "handle")
    bad = await drive.open("grid-1", number, "return_request", {"reason": "不想办"}, expect=422)
    assert {field["path"] for field in bad["fields"]} == {"reason", "legal_basis"}
    form = {"reason": "非本单位职责", "legal_basis": "职责清单第三条", "suggest": "street-1"}
    bad = await drive.open("grid-1", number, "return_request", form | {"suggest": "nobody"}, expect=422)
    assert bad["fields"][0]["path"] == "suggest"
    drive.town.clock.set(at("2026-03-03 09:01"))
    late = await drive.open("grid-1", number, "return_request", form, expect=409)
    assert late["detail"] == "已过时限：须在1 个工作日内提出"  # 规则 6
    drive.town.clock.set(at("2026-03-03 09:00"))
    for who, to in (("grid-1", "fire"), ("fire", "police")):
        task = await drive.open(who, number, "return_request", form)
        await drive.on_task("desk-centre", task["id"], "accept")
        await drive.act("desk-centre", number, "route", {"unit": to})
    third = await drive.open("police", number, "return_request", form, expect=409)
    assert third["detail"] == "最多 2 次，已经用完"  # returns are counted  # 规则 7
    assert wall(drive, number, "handle") == due  # and win no time  # 规则 4
    again = await drive.open("fire", number, "return_request", form, expect=404)
    assert again["type"] == "/problems/not-found"
    row = await drive.act("police", number, "climb_up")
    assert (row["level"], row["lead_unit"]) == ("street", "street-1")
    await drive.open("street-1", number, "return_request", form | {"suggest": "housing"})  # counted per level  # 规则 7


async def test_the_lead_stays_the_lead_and_each_assisting_unit_has_its_state_and_clock(drive: Driver) -> None:
    number = await handling(drive)
    first = await drive.open("grid-1", number, "assist", {"unit": "fire"})
    drive.town.clock.set(at("2026-03-03 10:00"))
    second = await drive.open("grid-1", number, "assist", {"unit": "police"})
    await drive.on_task("fire", first["id"], "sign")
    shown = [await drive.get("grid-1", f"/v1/tasks/{task['id']}") for task in (first, second)]
    assert [(task["holder_unit"], task["state"]) for task in shown] == [("fire", "working"), ("police", "asked")]
    dues = [task["clocks"][0]["due_at"] for task in shown]
    assert dues == ["2026-03-05T10:00:00.000000Z", "2026-03-06T10:00:00.000000Z"]  # 规则 8
    row = await drive.get("police", f"/v1/grievances/{number}")
    assert (row["lead_unit"], row["state"], row["standing"]) == ("grid-1", "handling", "协办未完")
    await drive.act("fire", number, "finish", FINISH, expect=403)  # who assists does not answer for the whole
    await drive.on_task("fire", first["id"], "done", {"result": "已清障"})
    await drive.act("grid-1", number, "finish", FINISH, expect=409)
    await drive.on_task("police", second["id"], "decline", {"reason": "非警情", "legal_basis": "职责清单"})
    row = await drive.get("grid-1", f"/v1/grievances/{number}")
    assert (row["lead_unit"], row["standing"]) == ("grid-1", "正常办理")
    assert (await drive.act("grid-1", number, "finish", FINISH))["state"] == "verifying"


async def test_an_extension_has_all_its_bounds_and_a_refusal_is_kept(drive: Driver) -> None:
    fund, plain = await handling(drive, "f1", category="维修资金"), await handling(drive, "p1")
    bad = await drive.open("grid-1", fund, "extension", {"days": 11}, expect=422)
    assert {field["path"] for field in bad["fields"]} == {"days", "reason"}  # at most ten at a time, with a reason
    for _ in range(2):
        task = await drive.open("grid-1", fund, "extension", {"days": 10, "reason": "等审计"})
        assert task["holder_unit"] == "community-1"  # one level up
        await drive.on_task("grid-1", task["id"], "approve", expect=403)
        await drive.on_task("community-1", task["id"], "approve")  # 20 workdays in all: this matter's cap
    third = await drive.open("grid-1", fund, "extension", {"days": 1, "reason": "再等"}, expect=409)
    assert third["detail"] == "最多 2 次，已经用完"  # 规则 9
    told = [row for row in (await drive.get("hotline", f"/v1/grievances/{fund}/ledger"))["items"] if row["text"]]
    assert [row["text"] for row in told][-1] == "您的诉求办理时限经审批延长。"  # the complainant is told
    task = await drive.open("grid-1", plain, "extension", {"days": 5, "reason": "人手不足"})
    due = wall(drive, plain, "handle")
    await drive.on_task("community-1", task["id"], "refuse", {"reason": "不属于延期事由"})
    kept = await drive.get("grid-1", f"/v1/tasks/{task['id']}")
    assert (kept["state"], kept["data"]["reason"]) == ("refused", "人手不足")
    row = (await drive.get("grid-1", f"/v1/grievances/{plain}/ledger"))["items"][-1]
    assert (row["title"], row["facts"]["reason"]) == ("不同意延期", "不属于延期事由")  # and why, for ever
    assert wall(drive, plain, "handle") == due
    lead = await up_to(drive, plain, "district")
    drive.town.advance(at("2026-03-11 18:00") + timedelta(seconds=1))
    assert await state(drive, plain) == "supervised"
    late = await drive.open(lead, plain, "extension", {"days": 1, "reason": "再等"}, expect=409)
    assert "届满" in late["detail"]  # only before it is due


async def test_will_be_late_is_late_and_was_late_are_three_counts(drive: Driver) -> None:
    form = {"reason": "非本级职责", "public_reply": "请向有关部门反映"}
    numbers = [await drive.push(f"c{n}", complainant=neighbour(f"c{n}")) for n in range(3)]
    await drive.act("desk-centre", numbers[0], "refuse", form)  # in time
    drive.town.advance(at("2026-03-04 09:00"))
    await drive.act("desk-centre", numbers[1], "refuse", form)  # closed, a day late
    await drive.push("c9", complainant=neighbour("c9"))  # due tomorrow
    total = (await drive.get("supervisor", "/v1/supervision/summary"))["total"]
    counted = [total[name] for name in ("due_soon", "overdue_open", "closed", "overdue_closed")]
    assert counted == [1, 1, 2, 1]  # 规则 11


async def test_every_rung_of_the_ladder_comes_at_its_hour_with_a_copy_to_who_leads(drive: Driver) -> None:
    number = await handling(drive)
    await up_to(drive, number, "district")
    await drive.act("hotline", number, "urge")
    assert ("urge_notice", "housing") in drive.town.notices()  # 催办
    heard: list[tuple[str, set[tuple[str, str]]]] = []
    for day in ("03-10", "03-11", "03-12", "03-13", "03-17", "03-18"):
        before = len(drive.town.notices())
        drive.town.advance(at(f"2026-{day} 18:00"))
        heard.append((day, {item for item in drive.town.notices()[before:] if item[0] != "remind"}))
    both = ("housing", "command-office")
    assert heard == [
        ("03-10", {("yellow_card", "housing")}),  # one workday before  # 规则 11
        ("03-11", {("red_card", unit) for unit in both}),
        ("03-12", {("interview", unit) for unit in both}),  # 约谈
        ("03-13", set()),  # 督办单
        ("03-17", {("name_in_bulletin", unit) for unit in both}),  # 通报: the order was not answered
        ("03-18", set()),  # 挂账
    ]
    papers = drive.town.rows("SELECT kind, number, addressee, copies FROM document ORDER BY issued_at")
    assert [(row.kind, row.number, row.addressee) for row in papers] == [
        ("约谈通知书", "青约〔2026〕1号", "housing"),
        ("督办单", "青督〔2026〕1号", "housing"),
        ("挂账督办单", "青挂〔2026〕1号", "housing"),
    ]  # 规则 12
    assert all("command-office" in row.copies for row in papers)


async def test_a_joint_supervision_is_signed_by_two_and_has_targets_and_a_term_of_its_own(drive: Driver) -> None:
    number = await handling(drive)
    form = {"demand": "联合整治", "deadline": "2026-03-06"}
    orders = [
        (await drive.open("supervisor", number, "joint_order", form | {"unit": unit}))["id"]
        for unit in ("fire", "company-1")
    ]
    await drive.on_task("fire", orders[0], "answer", {"measures": "x"}, expect=409)  # not issued yet
    await drive.on_task("supervisor", orders[0], "countersign", expect=403)
    for task in orders:
        await drive.on_task("joint-office", task, "countersign")  # 规则 13
    papers = drive.town.rows("SELECT number, addressee FROM document ORDER BY n")
    assert [tuple(row) for row in papers] == [("青联督〔2026〕1号", "fire"), ("青联督〔2026〕2号", "company-1")]
    assert await state(drive, number) == "handling"  # the matter goes its own way meanwhile
    await drive.on_task("fire", orders[0], "receive")
    await drive.on_task("fire", orders[0], "answer", {"measures": "已部署"})
    await drive.on_task("fire", orders[0], "check", expect=403)
    await drive.on_task("supervisor", orders[0], "again", {"reason": "没有时间表"})
    await drive.on_task("fire", orders[0], "answer", {"measures": "周四完成"})
    done = await drive.on_task("supervisor", orders[0], "check")
    assert (done["state"], done["final"]) == ("closed", True)
    drive.town.advance(at("2026-03-06 18:00"))  # the term of the order, not of the matter
    assert ("name_in_bulletin", "company-1") in drive.town.notices()
    assert ("name_in_bulletin", "fire") not in drive.town.notices()
