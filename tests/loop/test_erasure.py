"""What is erased is gone everywhere, and everything still verifies."""

from pathlib import Path

import pytest
from tests.loop.test_forgery import found, lived
from tests.site import KEYS, Town, build, driving, order

from wuye_loop.domain.errors import BadInput, Conflict, NotFound
from wuye_loop.domain.privacy.words import ERASED
from wuye_loop.loop.custody import erasure, rewrapping
from wuye_loop.loop.figures import tallying
from wuye_loop.store.database import Database
from wuye_loop.store.keys import keyring

pytestmark = pytest.mark.anyio


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    """Give a town where one key may see who complained."""
    return build(database, data=tmp_path, keys=KEYS | {"revealer": {"role": "hotline", "reveal": True}})


def everything(town: Town) -> str:
    """Return every row of every table as text."""
    tables = town.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return "\n".join(
        str(row[0])
        for (table,) in tables
        for row in town.rows(f"SELECT to_jsonb(t)::text FROM {table} t")  # noqa: S608
    )


async def test_an_erased_person_is_nowhere_and_all_still_verifies(town: Town) -> None:
    number = await lived(town)
    loop = town.site.loop
    phone = town.rows("SELECT phone_hash FROM complainant")[0].phone_hash
    before = town.rows("SELECT count(*), max(seq) FROM ledger")[0]
    counts = town.rows("SELECT rater, satisfied FROM rating")
    tallying.fold(loop, town.database)
    assert town.scalar("SELECT count(*) FROM searched") > 0
    with town.database.begin() as session:
        proof = erasure.erase(loop, session, number, "诉求人书面要求删除")
    assert proof["files"] == 1
    there = everything(town)
    assert bytes(phone).hex() not in there
    assert town.rows("SELECT count(*), max(seq) FROM ledger")[0] == (before[0] + 1, before[1] + 1)
    assert town.rows("SELECT rater, satisfied FROM rating") == counts
    assert town.scalar("SELECT count(*) FROM attachment") == 0
    assert town.scalar("SELECT count(*) FROM searched") == 0
    tallying.fold(loop, town.database)
    assert town.scalar("SELECT said FROM searched").split("\n")[:2] == [ERASED, number.lower()]
    assert town.scalar("SELECT count(*) FROM idempotency_key") == 0
    report = found(town)
    assert report.ok, report.problems
    assert report.erased == 1
    async with driving(town) as drive:
        shown = await drive.get("admin", f"/v1/grievances/{number}")
        assert (shown["title"], shown["body"]) == (ERASED, ERASED)
        rows = (await drive.get("admin", f"/v1/grievances/{number}/ledger"))["items"]
        facts = next(row["facts"] for row in rows if row["action"] == "finish")
        assert ERASED in facts.values()
        await drive.post("revealer", f"/v1/grievances/{number}/identity", {"reason": "需上门核实"}, expect=410)


async def test_what_people_write_is_nowhere_in_the_clear_but_read_by_whom_it_is_for(town: Town) -> None:
    async with driving(town) as drive:
        number = await drive.push("a1")
        await drive.walk(number, "accept", "sign")
        task = drive.tasks(number, "assist")[-1].id
        await drive.on_task("company-1", task, "sign")
        await drive.on_task("company-1", task, "done", {"result": "第七号秘密的答复"})
        assert "第七号秘密" not in everything(town)
        ledger = await drive.get("market", f"/v1/grievances/{number}/ledger")
        assert "第七号秘密的答复" in str(ledger)
        assert "sealed:" not in str(ledger)
        for path in ("", "/tasks", "/clocks", "/routing", "/actions"):
            assert "sealed:" not in str(await drive.get("admin", f"/v1/grievances/{number}{path}"))


async def test_only_what_is_closed_is_erased_once_and_with_a_reason(town: Town) -> None:
    async with driving(town) as drive:
        open_one = await drive.push("a2")
    number = await lived(town)
    loop = town.site.loop
    with pytest.raises(Conflict, match="还在办理"), town.database.begin() as session:
        erasure.erase(loop, session, open_one, "诉求人要求删除")
    with pytest.raises(BadInput), town.database.begin() as session:
        erasure.erase(loop, session, number, " ")
    with pytest.raises(NotFound), town.database.begin() as session:
        erasure.erase(loop, session, "WY260302-ZZZZZZZZ", "诉求人要求删除")
    with town.database.begin() as session:
        erasure.erase(loop, session, number, "诉求人要求删除")
    with pytest.raises(Conflict, match="已经销毁过"), town.database.begin() as session:
        erasure.erase(loop, session, number, "诉求人要求删除")


async def test_keys_are_rotated_under_everything_that_was_sealed(town: Town) -> None:
    number = await lived(town)
    path = town.site.settings.keys
    before = keyring.load(path)
    ring = keyring.activate(path, keyring.add(path))
    done = rewrapping.rewrap_all(ring, town.database)
    assert (done.rows, done.broken) == (1, [])
    assert keyring.retire(path) == [before.active]
    town.site.loop.rings.forget()
    report = found(town)
    assert report.ok, report.problems
    async with driving(town) as drive:
        person = await drive.post("revealer", f"/v1/grievances/{number}/identity", {"reason": "需上门核实"})
        assert person["complainant"]["phone"]
        again = await drive.send("hotline", "/v1/grievances", order("a1", extra={"b": 2}))
        assert again.status_code == 200, again.text
    assert found(town).ok
