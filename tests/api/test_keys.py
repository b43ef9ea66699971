"""Keys over HTTP: who keeps them makes, rotates and ends them; what is dangerous takes a second person."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.site import KEYS, Driver, driving, town_on

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio

PATH = "/v1/admin/keys"
PEOPLE: dict[str, dict[str, Any]] = {
    **KEYS,
    "security": {"role": "security", "holder": "甲某 0001"},
    "second": {"role": "security", "holder": "乙某 0002"},
    "same-number": {"role": "security", "holder": "甲 某某 0001"},
    "nobody": {"role": "security"},
    "auditor": {"role": "auditor", "holder": "丙某 0003"},
    "market": {"role": "unit", "unit": "market", "holder": "李四 2002"},
}
ADMIN = {"role": "admin", "holder": "丁某 0004", "reason": "值守换人，需要新的系统管理员"}


@pytest.fixture
async def drive(database: Database) -> AsyncIterator[Driver]:
    with town_on(database, keys=PEOPLE) as town:
        async with driving(town) as hands:
            yield hands


def known(drive: Driver, who: str) -> str:
    return str(drive.town.actors[who].key_id)


def with_key(drive: Driver, name: str, text: str) -> None:
    """Let somebody speak with a key that was made meanwhile, after the second in which callers are kept."""
    drive.town = replace(drive.town, keys={**drive.town.keys, name: text})


async def works(drive: Driver, name: str) -> bool:
    drive.app.state.callers._kept.clear()  # a second later
    answer = await drive.client.get("/v1/grievances", headers=drive.headers(name))
    return answer.status_code != 401


async def test_a_units_key_is_made_by_one_person_and_names_its_holder_and_its_maker(drive: Driver) -> None:
    made = await drive.post(
        "security", PATH, {"role": "unit", "unit": "fire", "holder": "赵六 3003", "days": 30}, expect=201
    )
    assert (made["holder"], made["role"], made["unit"], made["scopes"]) == ("赵六 3003", "unit", "fire", ["act"])
    assert made["made_by"] == {"key": known(drive, "security"), "holder": "甲某 0001"}
    assert (made["made_at"], made["expires_at"]) == ("2026-03-02T01:00:00.000000Z", "2026-04-01T01:00:00.000000Z")
    assert (made["last_used_at"], made["live"]) == (None, True)
    with_key(drive, "new", made["key"])
    assert await works(drive, "new")
    assert made["key"] not in drive.log.getvalue()


@pytest.mark.parametrize("who", ["admin", "auditor", "hotline", "market", "company-1", "supervisor"])
async def test_only_who_keeps_the_keys_makes_or_ends_them(drive: Driver, who: str) -> None:
    target = f"{PATH}/{known(drive, 'market')}"
    for path, body in (
        (PATH, {"role": "unit", "unit": "fire", "holder": "赵六 3003"}),
        (f"{target}/rotate", {}),
        (f"{target}/revoke", {}),
        (f"{PATH}:revoke", {"holder": "李四 2002"}),
    ):
        await drive.post(who, path, body, expect=403)
    assert await works(drive, "market")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"role": "supervisor", "unit": "company-1"}, "物业企业"),
        ({"role": "auditor", "unit": "company-1"}, "物业企业"),
        ({"role": "hotline", "unit": "company-1", "reveal": False}, "物业企业"),
        ({"role": "unit", "unit": "company-1", "reveal": True}, "物业企业"),
        ({"role": "unit", "unit": "market", "area": "370701"}, "不写属地"),
        ({"role": "hotline", "area": "370701"}, "不写属地"),
        ({"role": "security", "area": "370701"}, "不写属地"),
        ({"role": "admin", "unit": "market"}, "不要写单位"),
        ({"role": "supervisor", "reveal": True}, "不能查看诉求人身份"),
        ({"role": "auditor", "reveal": True}, "不能查看诉求人身份"),
        ({"role": "unit"}, "哪个单位"),
        ({"role": "unit", "unit": "market", "source": "wx"}, "没有来源"),
        ({"role": "hotline", "source": "unit:market"}, "unit:"),
        ({"role": "king"}, "角色"),
        ({"role": "system"}, "角色"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(drive: Driver, wish: dict[str, Any], words: str) -> None:
    refused = await drive.post("security", PATH, {"holder": "赵六 3003", **wish}, expect=422)
    assert words in json.dumps(refused, ensure_ascii=False)


async def test_a_key_over_http_has_a_holder(drive: Driver) -> None:
    for holder in ({}, {"holder": ""}, {"holder": "未具名"}, {"holder": None}):
        await drive.post("security", PATH, {"role": "unit", "unit": "fire", **holder}, expect=422)


@pytest.mark.parametrize(
    "wish",
    [
        {"role": "admin"},
        {"role": "security"},
        {"role": "auditor"},
        {"role": "hotline"},
        {"role": "unit", "unit": "fire", "reveal": True},
    ],
)
async def test_what_is_dangerous_is_asked_by_one_approved_by_another_and_taken_once(
    drive: Driver, wish: dict[str, Any]
) -> None:
    before = drive.town.scalar("SELECT count(*) FROM api_key")
    asked = (await drive.post("security", PATH, {**wish, "holder": "丁某 0004", "reason": "换人"}, expect=202))[
        "approval"
    ]
    assert drive.town.scalar("SELECT count(*) FROM api_key") == before
    take = f"/v1/approvals/{asked['id']}/key"
    await drive.post("security", take, expect=409)
    for who in ("security", "same-number", "nobody", "admin", "auditor"):
        await drive.post(who, f"/v1/approvals/{asked['id']}/approve", expect=403)
    await drive.post("second", f"/v1/approvals/{asked['id']}/approve")
    await drive.post("second", take, expect=404)  # whoever approves never sees the key
    made = await drive.post("security", take, expect=201)
    assert made["made_by"] == {"key": known(drive, "security"), "approval": asked["id"], "holder": "甲某 0001"}
    assert (made["role"], made["holder"]) == (wish["role"], "丁某 0004")
    await drive.post("security", take, expect=409)
    (listed,) = (await drive.get("auditor", "/v1/approvals?state=used"))["items"]
    assert (listed["key"], listed["decided_by"]["holder"]) == (made["id"], "乙某 0002")


async def test_who_names_nobody_asks_for_nothing(drive: Driver) -> None:
    refused = await drive.post("nobody", PATH, ADMIN, expect=403)
    assert "持有人" in refused["detail"]


async def test_what_was_refused_or_waited_too_long_is_not_taken(drive: Driver) -> None:
    first = (await drive.post("security", PATH, ADMIN, expect=202))["approval"]["id"]
    await drive.post("second", f"/v1/approvals/{first}/refuse", {"note": "不需要"})
    await drive.post("security", f"/v1/approvals/{first}/key", expect=409)
    second = (await drive.post("security", PATH, ADMIN, expect=202))["approval"]["id"]
    await drive.post("second", f"/v1/approvals/{second}/approve")
    drive.town.clock.set(drive.town.now + timedelta(days=3, seconds=1))
    await drive.post("security", f"/v1/approvals/{second}/key", expect=409)
    assert drive.town.scalar("SELECT count(*) FROM api_key WHERE role = 'admin'") == 1


async def test_nothing_is_approved_for_somebody_whose_key_has_ended(drive: Driver) -> None:
    asked = (await drive.post("security", PATH, ADMIN, expect=202))["approval"]["id"]
    await drive.post("second", f"{PATH}/{known(drive, 'security')}/revoke")
    await drive.post("second", f"/v1/approvals/{asked}/approve", expect=409)


async def test_who_was_revoked_a_moment_ago_approves_nothing(drive: Driver) -> None:
    asked = (await drive.post("security", PATH, ADMIN, expect=202))["approval"]["id"]
    await drive.get("second", "/v1/approvals")  # from here on the caller is kept for a second
    await drive.post("security", f"{PATH}/{known(drive, 'second')}/revoke")
    await drive.post("second", f"/v1/approvals/{asked}/approve", expect=401)


async def test_nobody_holds_two_of_the_three_powers(drive: Driver) -> None:
    for role, holder in (("admin", "甲某 0001"), ("security", "丙某0003"), ("auditor", "别名 0002")):
        refused = await drive.post("security", PATH, {"role": role, "holder": holder}, expect=409)
        assert "三个人" in refused["detail"]


async def test_in_a_rehearsal_one_person_is_enough(database: Database) -> None:
    with town_on(database, keys=PEOPLE, rehearsal=True) as town:
        async with driving(town) as drive:
            made = await drive.post("nobody", PATH, ADMIN, expect=201)
            with_key(drive, "new", made["key"])
            await drive.post("new", "/v1/rehearsal/clock", {"advance": "1 workday"})
            await drive.post("nobody", "/v1/rehearsal/clock", {"advance": "1 workday"}, expect=403)


async def test_two_keys_live_for_a_while_after_rotation(drive: Driver) -> None:
    old = known(drive, "market")
    made = await drive.post("security", f"{PATH}/{old}/rotate", {"overlap": "2 days"}, expect=201)
    assert (made["holder"], made["unit"], made["family"]) == ("李四 2002", "market", old)
    with_key(drive, "new", made["key"])
    assert [await works(drive, who) for who in ("market", "new")] == [True, True]
    await drive.post("security", f"{PATH}/{old}/rotate", {}, expect=409)  # it was rotated before
    await drive.post("security", f"{PATH}/{made['id']}/rotate", {"overlap": "30 days"}, expect=201)
    drive.town.clock.set(drive.town.now + timedelta(days=2))
    assert [await works(drive, who) for who in ("market", "new")] == [False, True]


async def test_rotating_a_dangerous_key_takes_two_but_ones_own_does_not(drive: Driver) -> None:
    asked = (await drive.post("security", f"{PATH}/{known(drive, 'hotline')}/rotate", {}, expect=202))["approval"]
    await drive.post("second", f"/v1/approvals/{asked['id']}/approve")
    made = await drive.post("security", f"/v1/approvals/{asked['id']}/key", expect=201)
    assert (made["role"], made["family"]) == ("hotline", known(drive, "hotline"))
    await drive.post("security", f"{PATH}/{known(drive, 'security')}/rotate", {}, expect=201)


@pytest.mark.parametrize("body", [{"overlap": "soon"}, {"overlap": "31 days"}, {"overlap": "-1 days"}, {"overlap": 7}])
async def test_an_overlap_that_is_none_is_refused(drive: Driver, body: dict[str, Any]) -> None:
    await drive.post("security", f"{PATH}/{known(drive, 'market')}/rotate", body, expect=422)


async def test_keys_of_who_left_end_with_them(drive: Driver) -> None:
    made = await drive.post("security", f"{PATH}/{known(drive, 'market')}/rotate", {"overlap": "7 days"}, expect=201)
    with_key(drive, "new", made["key"])
    ended = await drive.post("security", f"{PATH}:revoke", {"holder": "李四２００２"})
    assert set(ended["revoked"]) == {known(drive, "market"), made["id"]}
    assert [await works(drive, who) for who in ("market", "new")] == [False, False]
    await drive.post("security", f"{PATH}:revoke", {"holder": "李四 2002"}, expect=422)
    assert await works(drive, "hotline")


async def test_a_key_is_revoked_once_and_an_unknown_one_is_not_there(drive: Driver) -> None:
    target = f"{PATH}/{known(drive, 'company-1')}/revoke"
    assert (await drive.post("security", target))["revoked"] == [known(drive, "company-1")]
    assert (await drive.post("security", target))["revoked"] == []
    await drive.post("security", f"{PATH}/{drive.town.site.loop.ids.new()}/revoke", expect=404)
    await drive.post("security", f"{PATH}/{known(drive, 'company-1')}/rotate", {}, expect=409)


async def test_requests_are_seen_by_who_asked_who_keeps_the_keys_and_who_audits(drive: Driver) -> None:
    await drive.post("security", PATH, ADMIN, expect=202)
    seen = {
        who: len((await drive.get(who, "/v1/approvals"))["items"])
        for who in ("security", "second", "auditor", "hotline", "admin")
    }
    assert seen == {"security": 1, "second": 1, "auditor": 1, "hotline": 0, "admin": 0}
