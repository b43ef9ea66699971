"""Who calls: each power within its own doors, the log names the key, and a key's last use is written down."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from tests.site import KEYS, Driver, driving, order, town_on

from wuye_loop.domain.errors import Unauthenticated
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.privacy.access import api_keys
from wuye_loop.edge import actors
from wuye_loop.edge.site import Site
from wuye_loop.store.database import Database
from wuye_loop.store.keys import last_use

pytestmark = pytest.mark.anyio

ANYBODYS = {"/healthz", "/readyz", "/metrics", "/v1/openapi.json", "/docs"}
KEEPERS = {"/v1/audit/keys", "/v1/approvals"}
OTHERS = {"/v1/inbox", "/v1/rehearsal/clock"}  # a unit's own work, and the administrator's clock


@pytest.fixture
async def drive(database: Database) -> AsyncIterator[Driver]:
    with town_on(database, rehearsal=True) as town:
        async with driving(town) as hands:
            yield hands


def doors(drive: Driver, number: str) -> Iterator[tuple[str, str, str]]:
    """Give method, path and address of every door that asks for a key."""
    paths: dict[str, dict[str, Any]] = drive.app.openapi()["paths"]
    for path, operations in paths.items():
        address = path.replace("{number}", number)
        while "{" in address:
            begin, end = address.index("{"), address.index("}")
            address = address[:begin] + str(uuid.UUID(int=7)) + address[end + 1 :]
        for method in operations:
            if path not in ANYBODYS:
                yield method.upper(), path, address


async def test_an_auditor_reads_everything_and_changes_nothing(drive: Driver) -> None:
    number = await drive.push()
    before = drive.town.rows("SELECT count(*), max(seq) FROM ledger")
    walked = 0
    for method, path, address in doors(drive, number):
        answer = await drive.client.request(
            method, address, json={} if method == "POST" else None, headers=drive.headers("auditor")
        )
        if method == "GET":
            assert answer.status_code in (200, 404, 422) or path in OTHERS, (path, answer.text)
        else:
            assert answer.status_code in (403, 404, 422), (method, path, answer.status_code, answer.text)
            walked += 1
    assert walked > 12
    assert drive.town.rows("SELECT count(*), max(seq) FROM ledger") == before


async def test_an_auditor_takes_no_step_not_even_where_the_unit_it_reports_to_could(database: Database) -> None:
    keys = {**KEYS, "auditor": {"role": "auditor", "unit": "market"}}
    with town_on(database, keys=keys) as town:
        async with driving(town) as drive:
            number = await drive.push()
            await drive.walk(number, "accept")
            before = town.actions(number)
            assert (await drive.get("auditor", f"/v1/grievances/{number}/actions"))["actions"] == []
            await drive.act("auditor", number, "sign", expect=403)
            await drive.open("auditor", number, "extension", {"days": 2, "reason": "等待厂家配件"}, expect=403)
            await drive.post("auditor", "/v1/grievances", order("x1"), expect=403)
            await drive.post("auditor", f"/v1/grievances/{number}/identity", {"reason": "回访"}, expect=403)
            await drive.post("auditor", "/v1/approvals", {"extra": 2, "reason": "回访"}, expect=403)
            sent = await drive.client.post(
                f"/v1/grievances/{number}/files", content=b"\xff\xd8\xff", headers=drive.headers("auditor")
            )
            assert sent.status_code == 403
            assert town.actions(number) == before
            await drive.walk(number, "sign")


async def test_who_keeps_the_keys_sees_no_grievance_and_takes_no_step(drive: Driver) -> None:
    number = await drive.push()
    for method, path, address in doors(drive, number):
        if path in KEEPERS or path.startswith(("/v1/admin/keys", "/v1/approvals/")):
            continue
        answer = await drive.client.request(
            method, address, json={} if method == "POST" else None, headers=drive.headers("security")
        )
        assert answer.status_code == 403, (method, path, answer.status_code, answer.text)


async def test_a_system_administrator_keeps_no_keys_and_audits_nothing(drive: Driver) -> None:
    number = await drive.push()
    for method, path, address in doors(drive, number):
        if path.startswith(("/v1/admin/keys", "/v1/audit/", "/v1/approvals/")):
            answer = await drive.client.request(
                method, address, json={} if method == "POST" else None, headers=drive.headers("admin")
            )
            assert answer.status_code == 403, (method, path, answer.status_code, answer.text)


async def test_every_line_of_a_request_names_the_key(drive: Driver) -> None:
    number = await drive.push()
    await drive.act("property-centre", number, "accept")
    lines = [json.loads(line) for line in drive.log.getvalue().splitlines()]
    mine = [line for line in lines if line.get("key_id") == str(drive.town.actors["property-centre"].key_id)]
    assert {"request"} < {line["event"] for line in mine}
    await drive.get(None, "/v1/grievances", expect=401)
    last = json.loads(drive.log.getvalue().splitlines()[-1])
    assert last.get("key_id") is None


async def test_a_keys_last_use_is_written_once_a_minute(drive: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(actors, "monotonic", lambda: now[0])

    async def used() -> list[Any]:
        await drive.get("market", "/v1/inbox")
        key = drive.town.actors["market"].key_id
        return [row[0] for row in drive.town.rows("SELECT at FROM key_use WHERE key_id = %(key)s", key=key)]

    began = drive.town.now
    assert await used() == [began]
    drive.town.clock.set(began + timedelta(seconds=30))
    now[0] += 30
    assert await used() == [began]
    drive.town.clock.set(began + timedelta(seconds=61))
    now[0] += 31
    assert await used() == [began + timedelta(seconds=61)]


async def test_a_note_that_fails_stops_nobodys_work(drive: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(session: Session, **_: Any) -> None:
        raise OperationalError("note", {}, Exception("disk full"))

    monkeypatch.setattr(last_use, "note", broken)
    await drive.get("market", "/v1/inbox")
    assert "use_not_noted" in drive.log.getvalue()


async def test_requests_that_come_at_once_look_a_key_up_once(drive: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []

    def counted(site: Site, hashed: bytes, session: Session) -> Actor | None:
        looked.append(hashed)
        return find(site, hashed, session)

    find = actors._find
    monkeypatch.setattr(actors, "_find", counted)
    key = drive.headers("market")["Authorization"].removeprefix("Bearer ")
    callers = actors.Callers()
    first = asyncio.create_task(callers.find(drive.town.site, key))
    await asyncio.sleep(0)
    others = [asyncio.create_task(callers.find(drive.town.site, key)) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()  # who hangs up takes nobody else's answer away
    found = await asyncio.gather(*others)
    assert {actor.unit for actor in found} == {"market"}
    assert len(looked) == 1
    assert not callers._asked


async def test_the_note_of_a_keys_use_holds_up_none_but_the_one_who_writes_it(
    drive: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, written = drive.town.site, asyncio.Event()

    async def slowly(_: Any) -> None:
        await written.wait()

    monkeypatch.setattr(site.database, "write_async", slowly)
    key = drive.headers("market")["Authorization"].removeprefix("Bearer ")
    callers = actors.Callers()
    asked = {asyncio.create_task(callers.find(site, key)) for _ in range(4)}
    done, writing = await asyncio.wait(asked, timeout=2)
    written.set()
    assert {(await one).unit for one in asked} == {"market"}
    assert (len(done), len(writing)) == (3, 1)


async def test_requests_that_come_at_once_with_a_key_of_nobody_are_each_refused(drive: Driver) -> None:
    callers = actors.Callers()
    key = api_keys.mint(bytes(32))
    asked = await asyncio.gather(*(callers.find(drive.town.site, key) for _ in range(4)), return_exceptions=True)
    assert [type(one) for one in asked] == [Unauthenticated] * 4
    assert not callers._asked
