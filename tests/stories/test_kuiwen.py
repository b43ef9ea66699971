"""The whole loop of 奎文 over HTTP, told as stories. Instants are worked out by hand on a wall calendar of March 2026."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.site import BAD, FINISH, GOOD, SEND_BACK, Driver, at, build, story, wall

from wuye_loop.loop import feedback
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning; when a story has been told its ledger must still be true."""
    town = build(database, data=tmp_path)
    async with story(town) as driver:
        yield driver


async def handling(drive: Driver, external_id: str = "a1") -> str:
    """Bring a lift case to the market department, which has signed for it."""
    number = await drive.push(external_id)
    await drive.walk(number, "accept", "sign")
    return number


async def joined(drive: Driver, number: str) -> None:
    """Let the company do its part."""
    task = drive.tasks(number, "assist")[-1].id
    await drive.on_task("company-1", task, "sign")
    await drive.on_task("company-1", task, "done", {"result": "换了门机"})


async def test_a_grievance_travels_all_six_stages_and_is_archived(drive: Driver) -> None:
    number = await drive.push()
    stages = [(await drive.get("hotline", f"/v1/grievances/{number}/actions"))["state"]]
    row = await drive.act("property-centre", number, "accept")
    assert (row["state"], row["lead_unit"], row["stage"]) == ("assigned", "market", "assign")
    row = await drive.act("market", number, "sign")
    assert (row["state"], row["stage"]) == ("handling", "handle")
    refused = await drive.act("market", number, "finish", FINISH, expect=409)
    assert refused["type"] == "/problems/illegal-action"  # the company has not done its part
    assert "finish" not in refused["actions"]
    await joined(drive, number)
    row = await drive.act("market", number, "finish", FINISH)
    assert (row["state"], row["stage"]) == ("reviewing", "feedback")
    await drive.walk(number, "approve", "call_back")
    row = await drive.act("hotline", number, "rate", GOOD)
    assert (row["state"], row["stage"], row["final"], row["due"]) == ("closed", "evaluate", True, {})
    assert stages == ["received"]
    assert drive.town.actions(number) == [
        "receive", "accept", "route", "sign", "sign", "done", "finish", "approve", "call_back", "rate",
    ]  # fmt: skip
    entries = drive.town.folder(number).entries
    assert [entry.seq for entry in entries] == list(range(1, 11))


async def test_due_instants_are_those_of_the_wall_calendar(drive: Driver) -> None:
    number = await drive.push()
    assert wall(drive, number, "accept") == "03-03 09:00"  # one full office day from Monday 09:00
    drive.town.advance(timedelta(hours=1))
    await drive.act("property-centre", number, "accept")
    assert wall(drive, number, "sign") == "03-03 10:00"
    assert wall(drive, number, "handle") == "03-09 17:30"  # Tuesday is day 1, the weekend is none, Monday is day 5
    await drive.act("market", number, "sign")
    assert wall(drive, number, "handle") == "03-09 17:30"


async def test_urgent_matters_have_hours_and_alarm_at_once(drive: Driver) -> None:
    number = await drive.push(body="有人困在电梯里")
    assert drive.town.grievance(number).urgency == "特急"
    assert wall(drive, number, "accept") == "03-02 09:30"
    assert drive.town.notices() == [("alarm", "property-centre"), ("alarm", "command-office")]
    await drive.act("property-centre", number, "accept")
    assert wall(drive, number, "sign") == "03-02 10:00"
    assert wall(drive, number, "handle") == "03-02 11:00"


async def test_what_nobody_works_on_climbs_the_ladder_rung_by_rung(drive: Driver) -> None:
    town = drive.town
    number = await handling(drive)
    await joined(drive, number)
    town.advance(at("2026-03-06 17:29"))
    assert "rung:handle" not in town.actions(number)
    town.advance(at("2026-03-06 17:30"))  # one workday before Monday's close is Friday's
    assert town.notices()[-1] == ("yellow_card", "market")  # 规则 11
    town.advance(at("2026-03-09 17:30"))
    assert town.grievance(number).state == "supervised"
    assert town.notices()[-2:] == [("red_card", "market"), ("red_card", "command-office")]
    town.advance(at("2026-03-11 17:30"))
    town.advance(at("2026-03-16 17:30"))
    orders = drive.tasks(number, "supervision_order")
    assert [(order.document, order.document_number, order.holder_unit) for order in orders] == [
        ("督办单", "奎督〔2026〕1号", "market"),
        ("挂牌督办", "奎挂督〔2026〕1号", "market"),
    ]
    assert orders[0].copies == ["property-centre", "command-office"]
    handle = town.clocks(number, "handle")
    assert [rung.fired_at is not None for rung in handle[0].rungs] == [True, True, True, True, False]
    assert town.actions(number).count("rung:handle") == 4
    assert town.sweep().fired == 0
    # late is late, yet it can still be done
    await drive.act("market", number, "finish", FINISH)
    await drive.walk(number, "approve", "call_back", "rate")
    assert town.grievance(number).state == "closed"


async def test_a_supervision_order_has_a_reply_clock_a_receipt_and_a_sign_off(drive: Driver) -> None:
    town = drive.town
    number = await handling(drive)
    order = await drive.open("supervisor", number, "supervision_order", {"document": "督办单", "demand": "三日内修好"})
    assert (order["document_number"], order["holder_unit"]) == ("奎督〔2026〕1号", "market")
    assert wall(drive, number, "reply") == "03-04 17:30"
    await drive.on_task("housing", order["id"], "receive", expect=404)
    await drive.on_task("property-centre", order["id"], "receive", expect=403)
    assert (await drive.on_task("market", order["id"], "receive"))["state"] == "received"
    assert (await drive.on_task("market", order["id"], "answer", {"measures": "已加派人手"}))["state"] == "answered"
    await drive.on_task("market", order["id"], "sign_off", expect=403)
    again = await drive.on_task("supervisor", order["id"], "send_again", {"reason": "没有时间表"})
    assert again["state"] == "issued"
    assert wall(drive, number, "reply") == "03-04 17:30"  # no time was won by a poor answer  # 规则 13
    await drive.on_task("market", order["id"], "answer", {"measures": "周三完工"})
    done = await drive.on_task("supervisor", order["id"], "sign_off")
    assert (done["state"], done["final"]) == ("closed", True)
    other = await drive.open("supervisor", number, "supervision_order", {"document": "督办单"})
    assert other["document_number"] == "奎督〔2026〕2号"
    town.advance(at("2026-03-04 17:30"))
    assert town.notices()[-2:] == [("name_in_bulletin", "market"), ("name_in_bulletin", "command-office")]


async def test_a_supervisor_of_another_street_finds_nothing(drive: Driver) -> None:
    number = await handling(drive)
    await drive.get("supervisor-1", f"/v1/grievances/{number}/actions")
    await drive.get("supervisor-2", f"/v1/grievances/{number}/actions", expect=404)
    await drive.open("supervisor-2", number, "supervision_order", expect=404)


async def test_a_return_goes_to_the_next_router_and_time_goes_on(drive: Driver) -> None:
    number = await drive.push()
    await drive.act("property-centre", number, "accept")
    row = await drive.act("market", number, "send_back", SEND_BACK)
    assert (row["state"], row["lead_unit"]) == ("routing", None)
    await drive.get("market", f"/v1/grievances/{number}/actions", expect=404)  # no longer its business
    row = await drive.act("property-centre", number, "route")
    assert row["lead_unit"] == "office-1"  # the duty list's unit has returned it: the street is next
    assert wall(drive, number, "handle") == "03-09 17:30"
    assert len(drive.town.clocks(number, "handle")) == 1
    assert len(drive.town.clocks(number, "sign")) == 2  # 规则 4


async def test_a_return_needs_a_reason_comes_in_time_and_no_more_than_twice(drive: Driver) -> None:
    number = await drive.push()
    await drive.act("property-centre", number, "accept")
    problem = await drive.act("market", number, "send_back", {"reason": "不想办"}, expect=422)
    assert {field["path"] for field in problem["fields"]} == {"reason", "legal_basis"}
    drive.town.clock.set(at("2026-03-04 09:01"))  # the window of two workdays closed a minute ago
    late = await drive.act("market", number, "send_back", SEND_BACK, expect=409)
    assert "时限" in late["detail"]
    drive.town.clock.set(at("2026-03-04 09:00"))
    await drive.act("market", number, "send_back", SEND_BACK)
    await drive.act("property-centre", number, "route", {"unit": "housing"})
    await drive.act("housing", number, "send_back", SEND_BACK)
    await drive.act("property-centre", number, "route", {"unit": "office-1"})
    third = await drive.act("office-1", number, "send_back", SEND_BACK, expect=409)
    assert "2 次" in third["detail"]


async def test_an_extension_is_asked_in_time_decided_one_level_up_and_moves_the_due_day(drive: Driver) -> None:
    number = await handling(drive)
    assert wall(drive, number, "handle") == "03-09 17:30"
    task = await drive.open("market", number, "extension", {"days": 3, "reason": "配件未到"})
    assert task["holder_unit"] == "command-office"
    await drive.open("market", number, "extension", {"days": 1, "reason": "再要"}, expect=409)
    await drive.on_task("market", task["id"], "approve", expect=403)
    assert (await drive.on_task("command-office", task["id"], "approve"))["state"] == "approved"
    assert wall(drive, number, "handle") == "03-12 17:30"  # exactly three workdays
    drive.town.advance(at("2026-03-12 17:30") + timedelta(seconds=1))
    assert drive.town.grievance(number).state == "supervised"
    late = await drive.open("market", number, "extension", {"days": 1, "reason": "再要"}, expect=409)
    assert "届满" in late["detail"]


async def test_an_extension_that_nobody_decides_is_refused(drive: Driver) -> None:
    number = await handling(drive)
    await drive.open("market", number, "extension", {"days": 3, "reason": "配件未到"})
    drive.town.advance(at("2026-03-04 09:00"))  # decided within a workday, refused a workday after that
    assert drive.tasks(number, "extension")[0].state == "refused"
    assert wall(drive, number, "handle") == "03-09 17:30"


async def test_a_suspension_waits_for_the_approved_day_and_the_work_goes_on_then(drive: Driver) -> None:
    town = drive.town
    number = await handling(drive)
    await drive.open("market", number, "suspension", {"until": "2026-03-01", "reason": "等汛期"}, expect=422)
    task = await drive.open("market", number, "suspension", {"until": "2026-03-20", "reason": "等主机"})
    await drive.on_task("command-office", task["id"], "approve")
    assert town.grievance(number).state == "suspended"
    assert wall(drive, number, "promise") == "03-20 17:30"  # 规则 10
    assert town.clocks(number, "handle")[0].status == "paused"
    town.advance(at("2026-03-20 17:29"))
    assert town.grievance(number).state == "suspended"
    town.advance(at("2026-03-20 17:30"))
    assert town.grievance(number).state == "handling"
    # Paused with seven hours of Monday and five days left, taken up on Friday the 20th at closing.
    assert wall(drive, number, "handle") == "03-30 17:00"


async def test_a_suspension_until_a_day_gone_by_is_not_approved(drive: Driver) -> None:
    number = await handling(drive)
    task = await drive.open("market", number, "suspension", {"until": "2026-03-02", "reason": "等主机"})
    drive.town.clock.set(at("2026-03-02 18:00"))
    await drive.on_task("command-office", task["id"], "approve", expect=409)
    assert drive.town.grievance(number).state == "handling"


async def test_the_dissatisfied_get_a_second_cycle_with_its_own_clocks_then_a_third_under_supervision(
    drive: Driver,
) -> None:
    town = drive.town
    number = await handling(drive)
    await joined(drive, number)
    await drive.walk(number, "finish", "approve", "call_back")
    town.advance(at("2026-03-05 10:00"))
    row = await drive.act("hotline", number, "rate", BAD)
    assert (row["state"], row["cycle"], row["lead_unit"]) == ("handling", 2, "market")
    first, second = town.clocks(number, "handle")
    assert (first.status, second.status, second.cycle) == ("ended", "running", 2)
    assert wall(drive, number, "handle") == "03-12 17:30"
    await drive.walk(number, "finish", "approve")
    row = await drive.act("hotline", number, "rate", BAD)
    assert (row["state"], row["cycle"]) == ("supervised", 3)  # 规则 22
    await drive.walk(number, "finish", "approve")
    row = await drive.act("hotline", number, "rate", BAD)
    assert (row["state"], row["cycle"]) == ("closed", 3)
    rated = town.rows("SELECT cycle, satisfied, of_unit FROM rating ORDER BY cycle")
    assert [tuple(row) for row in rated] == [(1, "不满意", "market"), (2, "不满意", "market"), (3, "不满意", "market")]


async def test_what_is_closed_is_reopened_within_fifteen_days_and_no_later(drive: Driver) -> None:
    number = await handling(drive)
    await joined(drive, number)
    await drive.walk(number, "finish", "approve", "rate")
    drive.town.advance(timedelta(days=14))
    await drive.act("market", number, "reopen", {"reason": "又坏了"}, expect=403)
    row = await drive.act("hotline", number, "reopen", {"reason": "又坏了"})
    assert (row["state"], row["cycle"], row["closed_at"]) == ("handling", 2, None)
    await drive.walk(number, "finish", "approve", "rate")
    drive.town.advance(timedelta(days=15, seconds=1))
    await drive.act("hotline", number, "reopen", {"reason": "又坏了"}, expect=409)


async def test_a_duplicate_is_merged_unmerged_and_stands_as_before_but_for_what_was_asked_of_others(
    drive: Driver,
) -> None:
    lead, other = await handling(drive, "a1"), await handling(drive, "a2")
    before = drive.town.grievance(other)
    row = await drive.act("property-centre", other, "merge", {"into": lead, "reason": "同一部电梯"})
    assert (row["state"], row["merged"]) == ("merged", True)
    assert drive.town.grievance(lead).followers == 1
    assert drive.town.clocks(other, "handle")[0].status == "paused"
    await drive.act("property-centre", other, "close_merged", expect=409)
    row = await drive.act("property-centre", other, "unmerge", {"reason": "是两部电梯"})
    assert (row["state"], row["merged"]) == ("handling", False)
    after = drive.town.grievance(other)
    assert {*before.units} - {*after.units} == {"company-1"}  # its help was withdrawn with the merge
    same = ("lead_unit", "holder_unit", "due_at", "due_clock", "merged_into", "data", "cycle", "level")
    assert [getattr(before, name) for name in same] == [getattr(after, name) for name in same]
    assert drive.town.grievance(lead).followers == 0
    assert drive.town.actions(lead)[-2:] == ["follower_joined", "follower_left"]


async def test_followers_of_a_closed_grievance_are_called_back_themselves(drive: Driver) -> None:
    lead, other = await handling(drive, "a1"), await drive.push("a2")
    await drive.act("property-centre", other, "merge", {"into": lead, "reason": "同一部电梯"})
    await joined(drive, lead)
    await drive.walk(lead, "finish", "approve", "rate")
    town = drive.town
    args = town.scalar("SELECT args->>'lead' FROM procrastinate_jobs WHERE task_name = 'close_followers'")
    town.run(lambda session: feedback.close_followers(town.site.loop, session, args))
    assert town.grievance(other).state == "callback"
    # Nobody has ever worked on this one: it is given to a unit before anybody can be asked to handle it again.
    row = await drive.act("hotline", other, "rate", BAD)
    assert (row["state"], row["lead_unit"], row["holder_unit"], row["cycle"]) == ("assigned", "market", "market", 2)


async def test_a_matter_that_nobody_is_found_for_waits_at_the_desk(drive: Driver) -> None:
    number = await drive.push("a1", category="其他", body="请问", title="请问", place={"area_code": "3707"})
    row = await drive.act("property-centre", number, "accept")
    assert (row["state"], row["lead_unit"], row["holder_unit"]) == ("routing", None, "property-centre")
    await drive.act("property-centre", number, "route", expect=422)
    await drive.act("property-centre", number, "route", {"unit": "nobody"}, expect=422)
    row = await drive.act("property-centre", number, "route", {"unit": "housing"})
    assert (row["state"], row["lead_unit"]) == ("assigned", "housing")


async def test_what_waits_at_the_desk_past_its_due_day_is_still_in_somebodys_hands(drive: Driver) -> None:
    number = await drive.push("a1", category="其他", body="请问", title="请问", place={"area_code": "3707"})
    await drive.act("property-centre", number, "accept")
    drive.town.advance(at("2026-03-11 18:00"))
    row = drive.town.grievance(number)
    assert row.holder_unit == "property-centre"
    assert {task.holder_unit for task in drive.tasks(number, "supervision_order")} == {"property-centre"}


async def test_who_dispatches_cannot_be_made_to_handle(drive: Driver) -> None:
    number = await drive.push("a1", category="其他", body="请问", title="请问", place={"area_code": "3707"})
    await drive.act("property-centre", number, "accept")
    for unit in ("property-centre", "command-office"):
        problem = await drive.act("property-centre", number, "route", {"unit": unit}, expect=409)
        assert "职责分离" in problem["detail"]


async def test_urging_is_counted_and_is_never_another_grievance(drive: Driver) -> None:
    number = await handling(drive)
    await drive.act("market", number, "urge", expect=403)
    for n in (1, 2):
        row = await drive.act("hotline", number, "urge", {"note": "还没来人"})
        assert row["urged"] == n
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 1
    assert wall(drive, number, "handle") == "03-09 17:30"


async def test_a_refusal_says_why_and_ends_it(drive: Driver) -> None:
    number = await drive.push()
    await drive.act("property-centre", number, "refuse", {"reason": "不想办"}, expect=422)
    row = await drive.act(
        "property-centre", number, "refuse", {"reason": "已进入诉讼仲裁", "public_reply": "请依法院判决"}
    )
    assert (row["state"], row["final"], row["due"]) == ("refused", True, {})
    await drive.act("property-centre", number, "accept", expect=409)


async def test_three_calls_without_an_answer_are_enough(drive: Driver) -> None:
    number = await handling(drive)
    await joined(drive, number)
    await drive.walk(number, "finish", "approve")
    states = [
        (await drive.act("property-centre", number, "call_back", {"outcome": "无人接听"}))["state"] for _ in range(3)
    ]
    assert states == ["callback", "callback", "rating"]  # 规则 20


async def test_what_nobody_rates_is_archived_unrated(drive: Driver) -> None:
    number = await handling(drive)
    await joined(drive, number)
    await drive.walk(number, "finish", "approve", "call_back")
    assert wall(drive, number, "rating") == "03-09 17:30"
    drive.town.advance(at("2026-03-09 17:30"))
    assert drive.town.grievance(number).state == "closed"
    assert drive.town.scalar("SELECT count(*) FROM rating") == 0


async def test_a_review_sends_poor_work_back_and_the_same_clock_goes_on(drive: Driver) -> None:
    number = await handling(drive)
    await joined(drive, number)
    await drive.walk(number, "finish")
    row = await drive.act("property-centre", number, "reject", {"reason": "避重就轻"})
    assert row["state"] == "handling"
    assert len(drive.town.clocks(number, "handle")) == 1
    assert wall(drive, number, "handle") == "03-09 17:30"


async def test_the_ledger_says_for_whom_each_row_is(drive: Driver) -> None:
    number = await handling(drive)
    await drive.act("property-centre", number, "urge", expect=403)
    await drive.act("market", number, "contact", {"contacted": True, "note": "约了周三"})
    audience = {entry.action: entry.audience for entry in drive.town.folder(number).entries}
    assert audience["receive"] == audience["accept"] == audience["route"] == "public"
    assert audience["contact"] == "units"
    seen = {who: await drive.get(who, f"/v1/grievances/{number}/ledger") for who in ("hotline", "market", "auditor")}
    actions = {who: {row["action"] for row in page["items"]} for who, page in seen.items()}
    assert "contact" not in actions["hotline"]
    assert actions["market"] == actions["auditor"] == set(audience)
