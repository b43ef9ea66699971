"""Identities are opened within bounds: so many a person and day, more by a second person's word, many at once alarming."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session
from tests.site import KEYS, Driver, Town, driving, town_on

from wuye_loop.domain.errors import BadInput, RevealsUsedUp
from wuye_loop.domain.privacy.access import api_keys as api_key_text
from wuye_loop.domain.privacy.access import watermarks
from wuye_loop.loop.identity import ALARM, NO_UNIT, reveal
from wuye_loop.store.database import Database
from wuye_loop.store.keys import api_keys

pytestmark = pytest.mark.anyio

HOLDER = "张三 1001"
PEOPLE: dict[str, dict[str, Any]] = {
    **KEYS,
    "hotline": {"role": "hotline", "holder": HOLDER},
    "twin": {"role": "hotline", "holder": "张三１００１"},  # the same person's second key
    "colleague": {"role": "hotline", "holder": "李四 1002"},
    "security": {"role": "security", "holder": "安全员 9001"},
}


@pytest.fixture
async def drive(database: Database) -> AsyncIterator[Driver]:
    """Give hands in a town where a person may open three identities a day, and the second in ten minutes is alarming."""
    with town_on(database, keys=PEOPLE, reveals_per_day=3, reveal_alarm=2, trusted_proxies="127.0.0.0/8") as town:
        async with driving(town) as hands:
            yield hands


async def look(drive: Driver, who: str, number: str, reason: str = "回访", **headers: str) -> httpx.Response:
    path = f"/v1/grievances/{number}/identity"
    return await drive.client.post(path, json={"reason": reason}, headers=drive.headers(who, **headers))


async def opened(drive: Driver, who: str, number: str, *times: int) -> list[int]:
    return [(await look(drive, who, number)).status_code for _ in times]


def rows(drive: Driver, number: str) -> list[Any]:
    return [entry for entry in drive.town.folder(number).entries if entry.action == "reveal"]


async def test_beyond_the_days_bound_nothing_is_opened_and_nothing_written(drive: Driver) -> None:
    number = await drive.push()
    assert await opened(drive, "hotline", number, 1, 2, 3) == [200, 200, 200]
    refused = await look(drive, "hotline", number)
    assert refused.status_code == 429
    assert refused.json()["type"] == "/problems/reveals-used-up"
    assert "3 件" in refused.json()["detail"]
    assert "13812345678" not in refused.text
    assert int(refused.headers["Retry-After"]) == 15 * 3600  # it is nine in the morning in Beijing
    assert len(rows(drive, number)) == 3


async def test_a_second_key_or_a_rotated_one_is_the_same_person(drive: Driver) -> None:
    number = await drive.push()
    assert await opened(drive, "hotline", number, 1, 2) == [200, 200]
    assert await opened(drive, "twin", number, 3, 4) == [200, 429]

    def rotated(session: Session) -> str:
        row = api_keys.find(session, api_key_text.digest(drive.town.keys["twin"]), drive.town.now)
        assert row is not None
        now, ids = drive.town.now, drive.town.site.loop.ids
        made = api_keys.rotate(session, row, overlap=timedelta(days=1), now=now, ids=ids, by={"terminal": "root"})
        return made.text

    drive.town.keys = {**drive.town.keys, "next": drive.town.run(rotated)}
    assert await opened(drive, "next", number, 5) == [429]
    assert await opened(drive, "colleague", number, 1) == [200]


async def test_a_key_that_names_nobody_is_counted_with_those_made_from_it(database: Database) -> None:
    with town_on(database, reveals_per_day=1) as town:
        async with driving(town) as drive:
            number = await drive.push()
            assert await opened(drive, "hotline", number, 1, 2) == [200, 429]
            other = await drive.push(who="other-hotline", external_id="b1")
            assert await opened(drive, "other-hotline", other, 1) == [200]


async def test_the_next_day_begins_at_midnight_in_beijing(drive: Driver) -> None:
    number = await drive.push()
    drive.town.clock.set(drive.town.now + timedelta(hours=14, minutes=59))
    assert await opened(drive, "hotline", number, 1, 2, 3, 4) == [200, 200, 200, 429]
    drive.town.clock.set(drive.town.now + timedelta(minutes=1))
    assert await opened(drive, "hotline", number, 1) == [200]


async def test_of_many_at_once_no_more_than_the_bound_are_shown(drive: Driver) -> None:
    numbers = [await drive.push(f"a{n}", title=f"第 {n} 件") for n in range(8)]
    answers = await asyncio.gather(
        *(look(drive, who, number) for number, who in zip(numbers, ("hotline", "twin") * 4, strict=True))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 3, 429: 5}
    assert sum(len(rows(drive, number)) for number in numbers) == 3


async def test_a_second_person_allows_more_today_and_only_as_many(drive: Driver) -> None:
    number = await drive.push()
    await opened(drive, "hotline", number, 1, 2, 3)
    wanted = {"extra": 2, "reason": "三栋楼停水，逐户回访三十户"}
    asked = (await drive.post("hotline", "/v1/approvals", wanted, expect=201))["approval"]
    assert (asked["state"], asked["asked_by"]["holder"]) == ("open", HOLDER)
    assert await opened(drive, "hotline", number, 4) == [429]
    await drive.post("twin", "/v1/approvals", wanted, expect=409)
    await drive.post("hotline", f"/v1/approvals/{asked['id']}/approve", expect=403)
    decided = await drive.post("security", f"/v1/approvals/{asked['id']}/approve", {"note": "已核实"})
    assert decided["approval"]["decided_by"]["holder"] == "安全员 9001"
    await drive.post("security", f"/v1/approvals/{asked['id']}/approve", expect=409)
    assert await opened(drive, "twin", number, 4, 5, 6) == [200, 200, 429]
    drive.town.clock.set(drive.town.now + timedelta(days=1))
    assert await opened(drive, "hotline", number, 1, 2, 3, 4) == [200, 200, 200, 429]


async def test_what_is_refused_or_asked_without_words_allows_nothing(drive: Driver) -> None:
    number = await drive.push()
    await opened(drive, "hotline", number, 1, 2, 3)
    for wrong in ({"extra": 2, "reason": "要"}, {"extra": 0, "reason": "回访"}, {"extra": 501, "reason": "回访"}, {}):
        await drive.post("hotline", "/v1/approvals", wrong, expect=422)
    await drive.post("other-hotline", "/v1/approvals", {"extra": 2, "reason": "回访"}, expect=403)  # it names nobody
    await drive.post("market", "/v1/approvals", {"extra": 2, "reason": "回访"}, expect=403)  # it opens none
    asked = (await drive.post("hotline", "/v1/approvals", {"extra": 2, "reason": "回访"}, expect=201))["approval"]
    await drive.post("security", f"/v1/approvals/{asked['id']}/refuse")
    assert await opened(drive, "hotline", number, 4) == [429]


async def test_a_request_that_waited_three_days_is_asked_anew(drive: Driver) -> None:
    asked = (await drive.post("hotline", "/v1/approvals", {"extra": 2, "reason": "回访"}, expect=201))["approval"]
    drive.town.clock.set(drive.town.now + timedelta(days=3, seconds=1))
    late = await drive.post("security", f"/v1/approvals/{asked['id']}/approve", expect=409)
    assert "重新申请" in late["detail"]


async def test_many_in_a_short_while_are_told_to_the_auditors_unit_at_once_and_once(database: Database) -> None:
    keys = {
        **PEOPLE,
        "auditor": {"role": "auditor", "unit": "command-office"},
        "street-auditor": {"role": "auditor", "unit": "office-2", "area": "370702"},
    }
    with town_on(database, keys=keys) as town:
        async with driving(town) as drive:
            number = await drive.push()
            before = town.notices()
            assert await opened(drive, "hotline", number, *range(9)) == [200] * 9
            assert town.notices() == before
            assert await opened(drive, "twin", number, 10, 11, 12) == [200] * 3
            assert [one for one in town.notices() if one not in before] == [(ALARM, "command-office")]
            assert [row.facts.get("alarm") for row in rows(drive, number)] == [None] * 9 + [10, None, None]
            job = town.rows("SELECT args FROM procrastinate_jobs WHERE args->>'instrument' = %(a)s", a=ALARM)[0][0]
            assert job["urgent"] is True
            assert "张三" not in json.dumps(job, ensure_ascii=False)
            said = [line for line in drive.log.getvalue().splitlines() if "reveal_alarm" in line]
            assert len(said) == 1
            assert json.loads(said[0])["key_id"] == str(town.actors["twin"].key_id)
            town.clock.set(town.now + timedelta(minutes=11))
            await opened(drive, "hotline", number, *range(10))
            assert len([one for one in town.notices() if one[0] == ALARM]) == 2


async def test_slowly_is_not_alarming(drive: Driver) -> None:
    number = await drive.push()
    for _ in range(3):
        assert await opened(drive, "hotline", number, 1) == [200]
        drive.town.clock.set(drive.town.now + timedelta(minutes=10))
    assert ALARM not in dict(drive.town.notices())


async def test_without_an_auditors_unit_the_alarm_still_goes_out(drive: Driver) -> None:
    number = await drive.push()
    await opened(drive, "hotline", number, 1, 2)
    assert (ALARM, NO_UNIT) in drive.town.notices()


async def test_a_row_says_who_from_where_why_and_which_mark(drive: Driver) -> None:
    number = await drive.push()
    through = await look(drive, "hotline", number, "上门核实", X_Forwarded_For="198.51.100.9, 203.0.113.7")
    again = await look(drive, "hotline", number, "居民反映漏水需要约时间")
    first, second = rows(drive, number)
    assert first.facts["from"] == "203.0.113.7"  # what the named proxy wrote, not what the client wrote before it
    assert second.facts["from"] == "127.0.0.1"
    assert first.facts["reason"] == "上门核实"
    assert {first.actor["key"], second.actor["key"]} == {str(drive.town.actors["hotline"].key_id)}
    marks = [first.facts["watermark"], second.facts["watermark"]]
    assert marks == [through.json()["watermark"], again.json()["watermark"]]
    assert len(set(marks)) == 2
    assert [watermarks.read(mark) for mark in marks] == marks


async def test_a_stranger_is_not_believed_about_the_address(database: Database) -> None:
    with town_on(database) as town:
        async with driving(town) as drive:
            number = await drive.push()
            await look(drive, "hotline", number, X_Forwarded_For="203.0.113.7")
            assert rows(drive, number)[0].facts["from"] == "127.0.0.1"


@pytest.mark.parametrize("reason", ["", "看看", "。。。。。。。。。。。。", "九个字还差一个字啊"])
async def test_a_reason_that_says_nothing_opens_nothing(drive: Driver, reason: str) -> None:
    number = await drive.push()
    refused = await look(drive, "hotline", number, reason)
    assert refused.status_code == 422
    assert refused.json()["fields"][0]["path"] == "body.reason"
    assert rows(drive, number) == []


async def test_reasons_that_are_given_as_they_stand_are_a_setting(database: Database) -> None:
    with town_on(database, reveal_reasons="入户|复核") as town:
        async with driving(town) as drive:
            number = await drive.push()
            assert (await look(drive, "hotline", number, "入户")).status_code == 200
            told = await look(drive, "hotline", number, "回访")
            assert (told.status_code, "入户、复核" in told.text) == (422, True)


def test_the_loop_itself_refuses_not_only_its_door(database: Database) -> None:
    with town_on(database, keys=PEOPLE, reveals_per_day=0) as town:
        number = _pushed(town)
        actor = town.actors["hotline"]
        with pytest.raises(RevealsUsedUp):
            town.run(lambda session: reveal(town.site.loop, session, number, actor, "回访"))
        with pytest.raises(BadInput):
            town.run(lambda session: reveal(town.site.loop, session, number, actor, "看"))


def _pushed(town: Town) -> str:
    async def push() -> str:
        async with driving(town) as drive:
            return await drive.push()

    return asyncio.run(push())
