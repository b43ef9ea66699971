"""What auditors read: who looked at whom between two times, whose keys there are, and whose screen a picture shows."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.site import KEYS, Driver, driving, town_on

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio

REVEALS = "/v1/audit/reveals"
PEOPLE: dict[str, dict[str, Any]] = {
    **KEYS,
    "hotline": {"role": "hotline", "holder": "张三 1001"},
    "market": {"role": "unit", "unit": "market", "reveal": True, "holder": "李四 2002"},
    "street-auditor": {"role": "auditor", "area": "370702", "holder": "丙某 0003"},
}


@pytest.fixture
async def drive(database: Database) -> AsyncIterator[Driver]:
    with town_on(database, keys=PEOPLE) as town:
        async with driving(town) as hands:
            yield hands


async def told(drive: Driver, query: str = "", who: str = "auditor") -> list[str]:
    """Return number and holder of what the list shows."""
    items = (await drive.get(who, REVEALS + query))["items"]
    return [f"{item['number']} {item['key']['holder']}" for item in items]


async def opened(drive: Driver) -> tuple[str, str, list[str]]:
    """Open three identities in an hour each; return the two numbers and the marks."""
    here = await drive.push("a1")
    there = await drive.push("b1", place={"estate": "E2"})
    await drive.act("property-centre", here, "accept")
    marks = []
    for who, number, reason in (
        ("hotline", here, "回访"),
        ("market", here, "居民反映漏水需要约时间"),
        ("hotline", there, "上门核实"),
    ):
        answer = await drive.post(who, f"/v1/grievances/{number}/identity", {"reason": reason})
        marks.append(str(answer["watermark"]))
        drive.town.clock.set(drive.town.now + timedelta(hours=1))
    return here, there, marks


async def test_the_list_says_who_saw_whom_when_from_where_and_why_and_never_whom_by_name(drive: Driver) -> None:
    here, _, marks = await opened(drive)
    page = await drive.get("auditor", REVEALS)
    assert [item["watermark"] for item in page["items"]] == marks[::-1]
    second = page["items"][1]
    assert second == {
        "at": "2026-03-02T02:00:00.000000Z",
        "number": here,
        "seq": second["seq"],
        "key": {
            "id": str(drive.town.actors["market"].key_id),
            "prefix": drive.town.keys["market"][:15],
            "holder": "李四 2002",
            "role": "unit",
            "unit": "market",
            "unit_name": "区market部门",
        },
        "from": "127.0.0.1",
        "reason": "居民反映漏水需要约时间",
        "watermark": marks[1],
        "alarm": None,
    }
    assert "张三丰" not in json.dumps(page, ensure_ascii=False)
    assert "13812345678" not in json.dumps(page)


async def test_the_list_is_narrowed_by_time_key_and_unit(drive: Driver) -> None:
    here, there, _ = await opened(drive)
    first, second, third = f"{here} 张三 1001", f"{here} 李四 2002", f"{there} 张三 1001"
    hotline = str(drive.town.actors["hotline"].key_id)
    for query, expected in {
        "?from=2026-03-02&to=2026-03-02": [third, second, first],
        "?from=2026-03-03": [],
        "?to=2026-03-01": [],
        "?from=2026-03-02T02:00:00Z": [third, second],
        "?to=2026-03-02T02:00:00Z": [first],
        "?from=2026-03-02T09:30:00%2B08:00&to=2026-03-02T10:30:00%2B08:00": [second],
        f"?key={hotline}": [third, first],
        f"?key={drive.town.keys['market'][:15]}": [second],
        "?unit=market": [second],
        f"?unit=market&key={hotline}": [],
    }.items():
        assert await told(drive, query) == expected, query


@pytest.mark.parametrize(
    "query",
    ["from=yesterday", "from=2026-13-01", "to=2026-03-02T02:00:00", "key=wyl_live_none", "unit=nobody", "since=2026-03-02", "limit=0"],
)  # fmt: skip
async def test_a_question_that_is_none_is_told_where(drive: Driver, query: str) -> None:
    refused = await drive.get("auditor", f"{REVEALS}?{query}", expect=422)
    assert refused["fields"][0]["path"] in ("query", f"query.{query.partition('=')[0]}")


async def test_pages_follow_one_another(drive: Driver) -> None:
    await opened(drive)
    whole = (await drive.get("auditor", REVEALS))["items"]
    found: list[Any] = []
    page: Any = {"next": ""}
    while page["next"] is not None and len(found) < 4:
        cursor = f"&cursor={page['next']}" if page["next"] else ""
        page = await drive.get("auditor", f"{REVEALS}?limit=1{cursor}")
        found += page["items"]
    assert found == whole


async def test_an_auditor_of_a_street_sees_that_streets_only(drive: Driver) -> None:
    _, there, marks = await opened(drive)
    assert await told(drive, who="street-auditor") == [f"{there} 张三 1001"]
    await drive.get("street-auditor", f"/v1/audit/watermarks/{marks[0]}", expect=404)
    assert (await drive.get("street-auditor", f"/v1/audit/watermarks/{marks[2]}"))["number"] == there


@pytest.mark.parametrize("who", ["admin", "security", "hotline", "market", "company-1", "supervisor"])
async def test_only_auditors_read_who_looked_at_whom(drive: Driver, who: str) -> None:
    _, _, marks = await opened(drive)
    await drive.get(who, REVEALS, expect=403)
    await drive.get(who, f"/v1/audit/watermarks/{marks[0]}", expect=403)
    await drive.get(who, "/v1/audit/keys", expect=200 if who == "security" else 403)


async def test_a_mark_on_a_photograph_leads_to_who_looked(drive: Driver) -> None:
    here, _, marks = await opened(drive)
    written = marks[1].lower().replace("-", " ").replace("0", "O").replace("1", "l")
    found = await drive.get("auditor", f"/v1/audit/watermarks/{written}")
    assert (found["number"], found["key"]["holder"], found["watermark"]) == (here, "李四 2002", marks[1])
    await drive.get("auditor", "/v1/audit/watermarks/7KQ2-M9XD-4H6T-1A5Y", expect=404)  # never given
    await drive.get("auditor", "/v1/audit/watermarks/7KQ2-M9XD-4H6T-1A5Z", expect=422)  # one sign misread


async def test_the_register_says_whose_keys_there_are_and_when_they_were_used(drive: Driver) -> None:
    await opened(drive)
    items = (await drive.get("auditor", "/v1/audit/keys?limit=200"))["items"]
    assert len(items) == len(PEOPLE)
    by_id = {item["id"]: item for item in items}
    market = by_id[str(drive.town.actors["market"].key_id)]
    assert (market["holder"], market["last_used_at"]) == ("李四 2002", "2026-03-02T02:00:00.000000Z")
    assert by_id[str(drive.town.actors["fire"].key_id)]["last_used_at"] is None
    assert by_id[str(drive.town.actors["admin"].key_id)]["holder"] == "未具名"
    assert not any(text in json.dumps(items) for text in drive.town.keys.values())


async def test_the_register_is_narrowed_by_holder_unit_role_and_the_readers_street(drive: Driver) -> None:
    async def holders(query: str, who: str = "auditor") -> set[str | None]:
        items = (await drive.get(who, f"/v1/audit/keys?limit=200&{query}"))["items"]
        return {item["unit"] or item["role"] for item in items}

    assert await holders("holder=李四２００２") == {"market"}
    assert await holders("unit=fire") == {"fire"}
    assert await holders("role=security") == {"security"}
    assert "market" not in await holders("holder=未具名")
    assert await holders("holder=没有这个人") == set()
    assert await holders("role=unit", "street-auditor") == {"office-2", "company-2"}
    await drive.get("auditor", "/v1/audit/keys?role=king", expect=422)


async def test_an_auditor_reads_which_key_wrote_a_row_and_nobody_else_does(drive: Driver) -> None:
    here, _, _ = await opened(drive)
    rows = (await drive.get("auditor", f"/v1/grievances/{here}/ledger"))["items"]
    keys = [row["actor"]["key"] for row in rows if row["actor"]["kind"] != "system"]
    assert str(drive.town.actors["hotline"].key_id) in keys
    assert None not in keys
    for who in ("supervisor", "admin", "market", "hotline"):
        shown = (await drive.get(who, f"/v1/grievances/{here}/ledger"))["items"]
        assert not any("key" in row["actor"] for row in shown), who
