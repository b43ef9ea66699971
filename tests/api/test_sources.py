"""Orders from other sources than the hotline, and orders that attach to an earlier one: who may, what is kept, once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.api.test_papers import town_of
from tests.site import Driver, order, story
from tests.stories.test_sixth_city import handling, neighbour

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio
PUSH = "/v1/grievances"


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Give a driver in the sixth city; whatever came in, the ledger must still be true."""
    town = town_of(database, tmp_path)
    async with story(town) as driver:
        yield driver


def inspected(external_id: str = "n1", **fields: Any) -> dict[str, Any]:
    """Return what an inspection found."""
    sent = order(
        external_id, channel="联合检查", kind="其他", category="停车管理", extra={"item": "停车"}, complainant={}
    )
    return sent | fields


def urging(external_id: str, parent: Any = "a1", **fields: Any) -> dict[str, Any]:
    """Return an order that urges an earlier one."""
    return order(external_id, channel="催办", extra={"parent": parent}) | fields


async def test_only_the_units_of_a_source_send_in_from_it_and_only_one_by_one(drive: Driver) -> None:
    for who, status in (
        ("inspection-team", 201), ("desk-centre", 403), ("company-1", 403), ("fire", 403), ("supervisor", 403),
        ("admin", 403), ("auditor", 403), (None, 401),
    ):  # fmt: skip
        assert (await drive.send(who, PUSH, inspected(f"n-{who}"))).status_code == status, who
        assert (await drive.send(who, f"{PUSH}:batch", {"items": [inspected("b1")]})).status_code == (
            403 if who else 401
        )
    assert (await drive.send("inspection-team", PUSH, order())).status_code == 403  # the hotline's own source
    assert (
        await drive.send("inspection-team", PUSH, inspected(channel="上级交办", extra={"notice": "x"}))
    ).status_code == 403
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 1
    number = str(drive.town.scalar("SELECT number FROM grievance"))
    for who, status in (
        ("company-1", 200),
        ("company-2", 404),
        ("hotline", 404),
        ("other-hotline", 404),
        ("fire", 404),
    ):
        await drive.get(who, f"{PUSH}/{number}", expect=status)


async def test_two_units_and_a_hotline_may_use_the_same_external_id(drive: Driver) -> None:
    made = [
        await drive.post("inspection-team", PUSH, inspected("same"), expect=201),
        await drive.post(
            "desk-centre", PUSH, inspected("same", channel="上级交办", extra={"notice": "1 号"}), expect=201
        ),
        await drive.post("hotline", PUSH, order("same"), expect=201),
        await drive.post("other-hotline", PUSH, order("same", complainant=neighbour("x")), expect=201),
    ]
    assert len({item["number"] for item in made}) == 4
    again = await drive.post("inspection-team", PUSH, inspected("same"), expect=200)
    assert again["number"] == made[0]["number"]
    assert (await drive.send("inspection-team", PUSH, inspected("same", title="别的"))).status_code == 409


async def test_what_a_source_asks_for_is_bounded_and_not_repeated(drive: Driver) -> None:
    canary = "Kanarienvogel7319"
    extras: list[Any] = [
        {}, {"item": canary}, {"item": ["停车"]}, {"item": "其他"}, {"item": "其他", "other": ""},
        {"item": "其他", "other": f"{canary}\0"}, {"item": "其他", "other": f"{canary}\x07"}, {"item": "其他", "other": canary * 7},
        {"item": "停车", "other": canary}, {"item": "停车", "x": canary * 1200}, [canary], canary, None,
    ]  # fmt: skip
    for extra in extras:
        answer = await drive.send("inspection-team", PUSH, inspected(extra=extra))
        assert answer.status_code == 422, (extra, answer.text)
        assert canary not in answer.text
    headers = drive.headers("inspection-team") | {"Content-Type": "application/json"}
    lone = b'{"external_id": "s", "extra": {"item": "\\ud800"}}'
    assert (await drive.client.post(PUSH, content=lone, headers=headers)).status_code == 400
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 0
    assert canary not in drive.log.getvalue()


async def test_a_unit_cannot_find_out_by_phone_who_complained(drive: Driver) -> None:
    await drive.push("a1", complainant={"name": "王五", "phone": "13912345678"})
    for phone in ("13912345678", "13900000000"):
        sent = inspected(f"n-{phone}", complainant={"name": "某", "phone": phone})
        await drive.post("inspection-team", PUSH, sent, expect=201)
    rows = drive.town.rows(
        "SELECT g.data, g.flags, g.state, l.facts FROM grievance g JOIN ledger l ON l.grievance_id = g.id AND l.seq = 1"
        " WHERE g.source = 'unit:inspection-team'"
    )
    assert len(rows) == 2
    assert list(rows[0]) == list(rows[1])


async def test_an_urge_sent_ten_times_at_once_counts_once(drive: Driver) -> None:
    number = await handling(drive)
    answers = await asyncio.gather(*(drive.send("hotline", PUSH, urging("u1")) for _ in range(10)))
    assert Counter(answer.status_code for answer in answers) == {200: 10}
    assert len({answer.content for answer in answers}) == 1
    assert drive.town.grievance(number).urged == 1
    assert drive.town.actions(number).count("urge") == 1
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 1
    assert drive.town.scalar("SELECT count(*) FROM attached_order") == 1
    assert (await drive.send("hotline", PUSH, urging("u1", title="别的"))).status_code == 409
    batch = await drive.post("hotline", f"{PUSH}:batch", {"items": [urging("u1"), urging("u2")]})
    assert [item["status"] for item in batch["items"]] == [200, 200]
    assert drive.town.grievance(number).urged == 2


async def test_a_complainant_urges_three_times_a_day_over_all_that_is_theirs_and_again_the_next(drive: Driver) -> None:
    number = await handling(drive)
    other = await drive.push("other-matter", complainant=neighbour("a1"), extra={"new_ground": "又坏了"})
    neighbours = await drive.push("neighbours", complainant=neighbour("n"))
    for n in (1, 2):
        assert (await drive.send("hotline", PUSH, urging(f"u{n}"))).status_code == 200
    await drive.act("hotline", other, "urge")
    before = drive.town.scalar("SELECT count(*) FROM ledger")
    for refused in (
        await drive.send("hotline", PUSH, urging("u4")),
        await drive.send("hotline", PUSH, urging("u5", "other-matter")),
        await drive.send("hotline", f"{PUSH}/{number}/actions/urge"),
    ):
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/daily-limit")
        assert "一天至多催办 3 次" in refused.json()["detail"]
    assert drive.town.scalar("SELECT count(*) FROM ledger") == before, "nothing of it is kept"
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 3, "nor does it become a matter of its own"
    assert (await drive.send("hotline", PUSH, urging("u1"))).status_code == 200, "what was counted is answered as then"
    await drive.act("hotline", neighbours, "urge")
    drive.town.clock.advance(timedelta(hours=14, minutes=59))  # 23:59 in Beijing
    assert (await drive.send("hotline", PUSH, urging("u4"))).status_code == 409
    drive.town.clock.advance(timedelta(minutes=1))
    assert (await drive.send("hotline", PUSH, urging("u4"))).status_code == 200
    assert (drive.town.grievance(number).urged, drive.town.grievance(other).urged) == (3, 1)


async def test_a_key_of_an_attached_order_is_not_to_be_used_for_another(drive: Driver) -> None:
    number = await handling(drive)
    answers = await asyncio.gather(*(drive.send("hotline", PUSH, urging("u1"), key="k1") for _ in range(5)))
    assert Counter(answer.status_code for answer in answers) == {200: 5}
    assert len({answer.content for answer in answers}) == 1
    reused = await drive.send("hotline", PUSH, urging("u2"), key="k1")
    assert (reused.status_code, reused.json()["type"]) == (409, "/problems/idempotency-key-reused")
    assert drive.town.grievance(number).urged == 1


async def test_an_urge_finds_only_what_came_from_its_own_source(drive: Driver) -> None:
    number = await handling(drive)
    for n, (who, parent) in enumerate(
        [("other-hotline", "a1"), ("other-hotline", number), ("hotline", "zz"), ("hotline", ["a1"]), ("hotline", None),
         ("hotline", 7), ("hotline", "' OR 1=1"), ("hotline", "a1 "), ("hotline", "%")]
    ):  # fmt: skip
        sent = urging(f"u{n}", parent, complainant=neighbour(f"u{n}"))
        answer = await drive.send(who, PUSH, sent)
        if isinstance(parent, list | int):
            assert answer.status_code == 422, (parent, answer.text)  # the source's form wants a text
            continue
        assert answer.status_code == 201, (parent, answer.text)
        assert "unattached" in answer.json()["flags"]
        assert number not in answer.text
    assert drive.town.grievance(number).urged == 0


async def test_an_urge_that_meets_a_closing_grievance_is_never_lost(drive: Driver) -> None:
    for n in range(6):
        number = await drive.push(f"p{n}", complainant={"name": "王五", "phone": f"1390000000{n}"})
        form = {"reason": "非本级职责", "public_reply": "请向有关部门反映"}
        closing = drive.send("desk-centre", f"{PUSH}/{number}/actions/refuse", form)
        urge = drive.send(
            "hotline", PUSH, urging(f"u{n}", f"p{n}", complainant={"name": "李四", "phone": f"1380000000{n}"})
        )
        closed, urged = await asyncio.gather(closing, urge)
        assert closed.status_code == 200
        assert urged.status_code in (200, 201), urged.text
        attached = urged.status_code == 200
        assert drive.town.grievance(number).urged == int(attached)
        assert attached or "unattached" in urged.json()["flags"]


async def test_what_was_said_when_urging_is_kept_with_the_grievance(drive: Driver) -> None:
    number = await handling(drive)
    said = urging("u1", body="我是欧阳明月，昨晚又停了三次", complainant={"name": "欧阳明月", "phone": "13987654321"})
    await drive.post("hotline", PUSH, said)
    entry = next(entry for entry in drive.town.folder(number).entries if entry.action == "urge")
    assert entry.facts == {"note": "我是***，昨晚又停了三次"}


async def test_an_urge_with_a_red_line_is_a_matter_of_its_own(drive: Driver) -> None:
    number = await handling(drive)
    made = await drive.post("hotline", PUSH, urging("u1", body="催一下，现在有人困在电梯里"), expect=201)
    assert made["number"] != number
    assert made["urgency"] == "特急"
    assert ("alarm", "desk-centre") in drive.town.notices()


async def test_a_time_is_read_however_it_is_written_and_what_is_none_or_to_come_is_flagged(drive: Driver) -> None:
    told = {
        "2026-3-1 9:05": [],
        "2026年3月1日 上午9时5分": [],
        "昨天": ["unreadable-time"],
        "2026-03-09": ["future-time"],
    }
    for n, (written, flags) in enumerate(told.items()):
        receipt = await drive.post("hotline", PUSH, order(f"t{n}", occurred_at=written), expect=201)
        assert [flag for flag in receipt["flags"] if flag.endswith("-time")] == flags, written
    stored = drive.town.rows("SELECT occurred_at FROM grievance ORDER BY external_id")
    nine = datetime(2026, 3, 1, 1, 5, tzinfo=UTC)
    assert [row[0] for row in stored] == [nine, nine, None, datetime(2026, 3, 8, 16, tzinfo=UTC)]
