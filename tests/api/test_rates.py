"""How often one may ask: by key and kind of request; by address only for who shows no valid key."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.site import Driver, driving, order, town_on

from wuye_loop.domain.privacy.access.api_keys import mint
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


def wrong_key(n: int) -> dict[str, str]:
    """Return a header with a key that is well formed and nobody's."""
    return {"Authorization": f"Bearer {mint(n.to_bytes(32))}"}


async def statuses(drive: Driver, who: str | None, path: str, times: int) -> Counter[int]:
    answers = await asyncio.gather(*(drive.client.get(path, headers=drive.headers(who)) for _ in range(times)))
    return Counter(answer.status_code for answer in answers)


async def test_one_keys_reads_are_bounded_and_another_keys_are_not(database: Database) -> None:
    with town_on(database, rate_reads=2) as town:
        async with driving(town) as drive:
            first = await statuses(drive, "supervisor", "/v1/grievances", 40)
            assert 4 <= first[200] <= 20
            assert first[429] == 40 - first[200]
            refused = await drive.client.get("/v1/grievances", headers=drive.headers("supervisor"))
            while refused.status_code != 429:
                refused = await drive.client.get("/v1/grievances", headers=drive.headers("supervisor"))
            assert refused.json()["type"] == "/problems/too-many-requests"
            assert int(refused.headers["retry-after"]) >= 1
            assert (await drive.client.get("/v1/grievances", headers=drive.headers("auditor"))).status_code == 200
            await drive.push()  # nor does one kind of request hold up another
            assert '"kind":"reads"' in drive.log.getvalue()
            assert 'wuye_rate_limited_total{kind="reads"}' in (await drive.client.get("/metrics")).text


async def test_a_batch_counts_as_many_as_it_holds(database: Database) -> None:
    with town_on(database, rate_intake=1) as town:
        async with driving(town) as drive:
            batch = {"items": [order(f"b{n}") for n in range(60)]}
            assert (await drive.send("hotline", "/v1/grievances:batch", batch)).status_code == 200
            later = await drive.send("hotline", "/v1/grievances", order("c1"))
            assert later.status_code == 429
            assert int(later.headers["retry-after"]) > 10
            assert (await drive.send("other-hotline", "/v1/grievances", order("c1"))).status_code == 201


async def test_wrong_keys_are_slowed_and_logged_and_a_right_one_behind_the_same_address_is_not(
    database: Database,
) -> None:
    with town_on(database, rate_wrong_keys=0.5) as town:
        async with driving(town) as drive:
            answers = await asyncio.gather(
                *(drive.client.get("/v1/grievances", headers=wrong_key(n)) for n in range(60)),
                drive.client.get("/v1/grievances", headers=drive.headers("supervisor")),
            )
            *wrong, right = [answer.status_code for answer in answers]
            assert right == 200
            assert set(wrong) == {401, 429}
            assert Counter(wrong)[401] <= 20
            lines = [line for line in drive.log.getvalue().splitlines() if "wrong_key" in line]
            assert len([line for line in lines if '"wrong_key"' in line]) == Counter(wrong)[401]
            assert all("127.0.0.1" in line for line in lines)
            assert "wyl_live" not in drive.log.getvalue()
            # Also one that is no longer remembered, and one whose key nobody has asked with before: it is looked up, one at a time.
            drive.app.state.callers._kept.clear()
            for who in ("supervisor", "auditor"):
                assert (await drive.client.get("/v1/grievances", headers=drive.headers(who))).status_code == 200


async def test_who_shows_no_key_is_bounded_by_address(database: Database) -> None:
    with town_on(database, rate_address=0.1, trusted_proxies=("127.0.0.1",)) as town:
        async with driving(town) as drive:

            async def asked(address: str, **more: str) -> int:
                return (await drive.client.get("/healthz", headers={"X-Forwarded-For": address, **more})).status_code

            answers = await asyncio.gather(*(asked("192.0.2.1") for _ in range(30)))
            assert Counter(answers)[429] >= 10
            assert await asked("192.0.2.2") == 200
            assert await asked("192.0.2.1", **drive.headers("auditor")) == 200
            assert await asked("192.0.2.1", Authorization="Basic eA==") == 429
            assert await asked("192.0.2.1", **wrong_key(1)) == 429


async def test_two_hundred_residents_behind_one_address_are_within_the_bounds(database: Database) -> None:
    with town_on(database) as town:
        async with driving(town) as drive:
            assert set(await statuses(drive, None, "/healthz", 1000)) == {200}


async def test_a_body_without_a_key_is_not_read(database: Database) -> None:
    with town_on(database) as town:
        async with driving(town) as drive:
            taken = 0

            async def body() -> AsyncIterator[bytes]:
                nonlocal taken
                for _ in range(100):
                    taken += 1
                    yield b"[" * 65_536

            for path in (
                "/v1/grievances:batch",
                "/v1/grievances",
                "/v1/documents",
                "/v1/grievances/WY260302-AAAAAAAA/files",
            ):
                for headers in ({}, wrong_key(2), {"Authorization": "Bearer x"}):
                    said: dict[str, Any] = {"Content-Type": "application/json", **headers}
                    answer = await drive.client.post(path, content=body(), headers=said)
                    assert answer.status_code == 401, (path, answer.text)
            assert taken == 0


async def test_a_look_up_that_fails_is_told_as_what_it_is(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with town_on(database) as town:
        async with driving(town) as drive:
            town.run(lambda session: session.connection().exec_driver_sql("ALTER TABLE api_key RENAME TO gone"))
            answer = await drive.client.get("/v1/grievances", headers=drive.headers("supervisor"))
            assert answer.status_code == 500
            assert (await drive.client.get("/healthz", headers=drive.headers("supervisor"))).status_code == 200
            town.run(lambda session: session.connection().exec_driver_sql("ALTER TABLE gone RENAME TO api_key"))
            assert (await drive.client.get("/v1/grievances", headers=drive.headers("supervisor"))).status_code == 200
