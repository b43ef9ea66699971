# ruff: noqa: S608 the statements are the forger's
"""Who writes to the database behind the program's back: whatever is forged by SQL, a verification or the anchors show."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import orjson
import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from tests.database import clone
from tests.pictures import png
from tests.site import FINISH, GOOD, KEYS, Driver, Town, at, build, driving

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.ledger import GENESIS, unkeyed
from wuye_loop.domain.privacy.words import as_kept
from wuye_loop.edge.site import Site
from wuye_loop.loop.custody import anchors
from wuye_loop.loop.custody.adoption import adopt
from wuye_loop.queries.verification import anchored, verify
from wuye_loop.queries.verification.report import Report
from wuye_loop.store.database import Database
from wuye_loop.store.keys import accounts, api_keys

#: What is forged, each with a piece of what is said of it.
FORGERIES = {
    "a rating": ("UPDATE rating SET satisfied = '不满意', answers = '{}'", "rating"),
    "a rating removed": ("DELETE FROM rating", "rating"),
    "title": ("UPDATE grievance SET title = '别的事'", "标题、内容"),
    "body": ("UPDATE grievance SET body = '没有这回事'", "标题、内容"),
    "address": ("UPDATE grievance SET address = '别处'", "标题、内容"),
    "extra": ("""UPDATE grievance SET extra = '{"a": 1}'""", "标题、内容"),
    "time of receipt": ("UPDATE grievance SET received_at = received_at + interval '1 day'", "received_at"),
    "place path": ("UPDATE grievance SET area_path = '3707/370702/'", "area_path"),
    "kind": ("UPDATE grievance SET kind = '求助'", "kind"),
    "external id": ("UPDATE grievance SET external_id = 'z9'", "external_id"),
    "number": ("UPDATE grievance SET number = 'WY260302-ZZZZZZZZ'", "number"),
    "confidential": ("UPDATE grievance SET confidential = NOT confidential", "confidential"),
    "estate": ("UPDATE grievance SET estate_code = 'E2'", "estate_code"),
    "state": ("UPDATE grievance SET state = 'received'", "state"),
    "the complainant deleted": ("DELETE FROM complainant", "封存记录不见了"),
    "the complainant emptied": ("UPDATE complainant SET wrapped_key = ''", "没有销毁的记录"),
    "the complainant garbled": ("UPDATE complainant SET ciphertext = ciphertext || '\\x00'", "诉求人"),
    "the phone's hash": ("UPDATE complainant SET phone_hash = '\\x00'", "电话索引"),
    "a document's text": ("UPDATE document SET text = '不必答复'", "document"),
    "a document's addressee": ("UPDATE document SET addressee = 'company-1'", "document"),
    "a document's issuer": ("UPDATE document SET issuer = 'company-1'", "发文单位"),
    "a task's holder": ("UPDATE task SET holder_unit = 'fire'", "task"),
    "a task's text": ("""UPDATE task SET data = '{"demand": "算了"}' WHERE kind = 'supervision_order'""", "task"),
    "a clock": ("UPDATE clock SET due_at = due_at + interval '9 days'", "clock"),
    "a rung more": (
        """INSERT INTO rung (clock_id, idx, grievance_id, at) SELECT clock_id, 90, grievance_id, '2026-03-01 00:00+08' FROM rung LIMIT 1""",
        "督办级",
    ),
    "a rung of no clock": (
        """INSERT INTO rung (clock_id, idx, grievance_id, at)
           SELECT gen_random_uuid(), 1, id, '2026-03-01 00:00+08' FROM grievance LIMIT 1""",
        "没有这个时限",
    ),
    "a rating of nothing": (
        """SET LOCAL session_replication_role = replica;
           INSERT INTO rating (grievance_id, cycle, rater, answers, at) VALUES (gen_random_uuid(), 1, '12345', '{}', now())""",
        "不属于任何记录",
    ),
    "the numbers of a series": ("DELETE FROM document_series", "文号"),
    "a file": ("UPDATE attachment SET content = 'x', sha256 = encode(sha256('x'), 'hex')", "file"),
    "a file's content": ("UPDATE attachment SET content = 'x'", "文件"),
    "the published rules": ("UPDATE workflow SET text = text || ' '", "流程"),
    "a key's scopes": ("UPDATE api_key SET scopes = scopes || '{identity:reveal}'", "密钥"),
    "a key put in": (
        """INSERT INTO api_key (id, family, digest, prefix, role, scopes, created_at)
           VALUES (gen_random_uuid(), gen_random_uuid(), '\\x00', 'x', 'admin', '{}', now())""",
        "密钥",
    ),
    "a key that sees more": ("UPDATE api_key SET area_path = NULL WHERE area_code = '370701'", "管辖范围"),
    "a key brought back": ("UPDATE api_key SET revoked_at = NULL", "密钥"),
    "how far the boards' sums reach": ("DELETE FROM tally_mark", "看板合计"),
    "the calendar": ("UPDATE calendar_day SET works = NOT works WHERE extract(year FROM day) = 2026", "日历"),
    "the directory": ("UPDATE unit SET parent_code = NULL", "组织目录"),
    "a row of the register": ("ALTER TABLE register DISABLE TRIGGER USER; UPDATE register SET image = '{}' WHERE n = 2", "登记簿"),
    "the register's hashes gone": (
        """ALTER TABLE register ALTER hash DROP NOT NULL; ALTER TABLE register DISABLE TRIGGER USER;
           UPDATE register SET hash = NULL""",
        "登记簿第 1 行被改动",
    ),
    "published rules that cannot be read": (
        "ALTER TABLE workflow ALTER text DROP NOT NULL; UPDATE workflow SET text = NULL",
        "登记簿读不出来",
    ),
    "the register's end": (
        "ALTER TABLE register DISABLE TRIGGER USER; DELETE FROM register WHERE n = (SELECT max(n) FROM register)",
        "登记簿",
    ),
    "the register": ("ALTER TABLE register DISABLE TRIGGER USER; DELETE FROM register", "登记簿是空的"),
    "a reply in the ledger": (
        "ALTER TABLE ledger DISABLE TRIGGER USER; UPDATE ledger SET facts = '{}' WHERE action = 'finish'",
        "被改动",
    ),
    "who acted": (
        """ALTER TABLE ledger DISABLE TRIGGER USER; UPDATE ledger SET actor = '{"kind": "system"}' WHERE action = 'rate'""",
        "被改动",
    ),
    "a hash that is gone": (
        """ALTER TABLE ledger ALTER hash DROP NOT NULL; ALTER TABLE ledger DISABLE TRIGGER USER;
           UPDATE ledger SET hash = NULL WHERE seq = 2""",
        "第 2 行被改动",
    ),
    "a head that is gone": (
        "ALTER TABLE grievance ALTER head DROP NOT NULL; UPDATE grievance SET head = NULL",
        "末尾与诉求不符",
    ),
    "a seal that is gone": (
        "ALTER TABLE complainant ALTER ciphertext DROP NOT NULL; UPDATE complainant SET ciphertext = NULL",
        "诉求人",
    ),
    "a task that no supervisor sees": (
        "ALTER TABLE task ALTER area_path DROP NOT NULL; UPDATE task SET area_path = NULL",
        "任务",
    ),
    "a row cut out": ("ALTER TABLE ledger DISABLE TRIGGER USER; DELETE FROM ledger WHERE action = 'sign'", "缺第"),
    "the last row": ("ALTER TABLE ledger DISABLE TRIGGER USER; DELETE FROM ledger WHERE action = 'reveal'", "末尾"),
    "the last row, with the head of before": (
        """ALTER TABLE ledger DISABLE TRIGGER USER; DELETE FROM ledger WHERE action = 'reveal';
           UPDATE grievance g SET seq = l.seq, head = l.hash FROM ledger l WHERE l.grievance_id = g.id
           AND l.seq = (SELECT max(seq) FROM ledger WHERE grievance_id = g.id)""",
        "末尾",
    ),
}  # fmt: skip


_NUMBERS = count(900_000)  # of copies: apart from those of the other tests


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    """Give a town with a revoked key, and one that may see who complained."""
    return town_of(database, tmp_path)


def town_of(database: Database, tmp_path: Path) -> Town:
    """Make the town."""
    own = build(database, data=tmp_path, keys=KEYS | {"revealer": {"role": "hotline", "reveal": True}})
    with database.begin() as session:
        key = api_keys.create(session, role="auditor", now=own.now, ids=own.site.loop.ids)
        api_keys.revoke(session, key, own.now)
    return own


async def lived(town: Town) -> str:
    """Take one grievance through an order, a file, an answer, a rating and a look at who complained."""
    async with driving(town) as drive:
        number = await drive.push("a1", extra={"b": 2})
        await drive.walk(number, "accept", "sign")
        await _helped(drive, number)
        town.advance(at("2026-03-11 17:30"))
        await drive.act("market", number, "finish", FINISH)
        await drive.walk(number, "approve", "call_back")
        await drive.act("hotline", number, "rate", GOOD)
        await _revealed(drive, number)
    report = verify.verify(town.site.loop, town.database)
    assert report.ok, report.problems
    return number


async def _helped(drive: Driver, number: str) -> None:
    headers = drive.headers("market") | {"Content-Type": "image/png"}
    sent = await drive.client.post(f"/v1/grievances/{number}/files", content=png(), headers=headers)
    assert sent.status_code == 201, sent.text
    task = drive.tasks(number, "assist")[-1].id
    await drive.on_task("company-1", task, "sign")
    await drive.on_task("company-1", task, "done", {"result": "换了门机"})


async def _revealed(drive: Driver, number: str) -> None:
    path = f"/v1/grievances/{number}/identity"
    await drive.post("revealer", path, {"reason": "核实诉求人所在的楼栋号"})


def forge(database: Database, statements: str) -> None:
    """Write to the database as its owner may."""
    with database.begin() as session:
        for statement in statements.split(";"):
            session.connection().exec_driver_sql(statement)


def found(town: Town) -> Report:
    """Return what a verification finds."""
    return verify.verify(town.site.loop, town.database)


@pytest.fixture(scope="module")
def lived_in(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site]]:
    """Give the URL of a town's database that has been lived in, to be copied, and its site, whose keys the copies share."""
    with clone(template_url, next(_NUMBERS)) as url:
        database = Database(url, pool_size=5)
        made = town_of(database, tmp_path_factory.mktemp("lived"))
        asyncio.run(lived(made))
        database.dispose()
        yield url, made.site


@pytest.mark.parametrize("what", FORGERIES)
def test_what_is_forged_by_sql_is_found(lived_in: tuple[str, Site], what: str) -> None:
    statements, words = FORGERIES[what]
    template, site = lived_in
    with clone(template, next(_NUMBERS)) as url:
        database = Database(url, pool_size=2)
        forge(database, statements)
        report = verify.verify(site.loop, database)
        database.dispose()
    assert not report.ok
    assert any(words in problem for problem in report.problems), report.problems


@pytest.mark.anyio
@pytest.mark.parametrize("read", ["LEFT JOIN complainant", "FROM register ORDER BY n"])
async def test_what_is_written_while_somebody_verifies_is_no_forgery(town: Town, read: str) -> None:
    async with driving(town) as drive:
        await drive.walk(await drive.push("a1"), "accept", "sign")
    written: list[str] = []

    def meanwhile(_: object, __: object, statement: str, *___: object) -> None:
        if read in statement and not written:
            written.append(statement)
            town.advance(timedelta(days=12))
            town.run(lambda session: _signed_in(town, session))

    event.listen(town.database.engine, "after_cursor_execute", meanwhile)
    report = verify.verify(town.site.loop, town.database)
    event.remove(town.database.engine, "after_cursor_execute", meanwhile)
    assert written
    assert report.ok, report.problems
    assert verify.verify(town.site.loop, town.database).ok


def _signed_in(town: Town, session: Session) -> None:
    accounts.create(
        session, accounts.AccountWish("li", "李强", "unit", unit="market"), "x", town.now, town.site.loop.ids, "命令行"
    )


@pytest.mark.anyio
async def test_a_chain_that_is_hashed_anew_without_the_key_is_found(town: Town) -> None:
    await lived(town)
    folder = town.folder(town.scalar("SELECT number FROM grievance"))
    head, rows = GENESIS, []
    for entry in folder.entries:
        if entry.action == "finish":
            entry.facts = {**entry.facts, "reply": "没有问题"}
        entry.hash = head = unkeyed(folder.id, entry, head)
        rows.append(entry)
    forge(town.database, "ALTER TABLE ledger DISABLE TRIGGER USER")
    with town.database.begin() as session:
        for entry in rows:
            session.connection().exec_driver_sql(
                "UPDATE ledger SET hash = %(hash)s WHERE seq = %(seq)s", {"hash": entry.hash, "seq": entry.seq}
            )
        session.connection().exec_driver_sql("UPDATE grievance SET head = %(head)s", {"head": head})
    assert not found(town).ok
    assert adopt(town.site.loop, town.database).taken in (0, 1)


@pytest.mark.anyio
async def test_the_anchors_show_a_grievance_that_was_removed_and_a_database_put_back(
    town: Town, tmp_path: Path
) -> None:
    number = await lived(town)
    loop, file = town.site.loop, tmp_path / "anchors.jsonl"
    made = anchors.anchor(loop, town.database, file)
    assert made is not None
    assert set(made.heads) == {number}
    assert anchors.anchor(loop, town.database, file) is None  # nothing has changed
    assert compared(town, file).ok
    async with driving(town) as drive:
        other = await drive.push("a2")
    again = anchors.anchor(loop, town.database, file)
    assert again is not None
    assert (again.n, set(again.heads)) == (2, {other})
    forge(
        town.database,
        "ALTER TABLE ledger DISABLE TRIGGER USER; "
        + "; ".join(
            f"DELETE FROM {table} WHERE grievance_id = (SELECT id FROM grievance WHERE external_id = 'a2')"
            for table in ("change", "ledger", "clock", "rung", "complainant", "idempotency_key")
        )
        + "; DELETE FROM grievance WHERE external_id = 'a2'",
    )
    assert found(town).ok  # nothing is left that could tell
    report = compared(town, file)
    assert not report.ok
    assert any(other in words and "不见了" in words for words in report.problems), report.problems
    forge(town.database, "ALTER TABLE anchor DISABLE TRIGGER USER; DELETE FROM anchor WHERE n = 2")
    assert any("只到第 1 号" in words for words in compared(town, file).problems)


@pytest.mark.anyio
async def test_an_anchor_file_that_was_touched_is_refused_with_its_line(town: Town, tmp_path: Path) -> None:
    await lived(town)
    file = tmp_path / "anchors.jsonl"
    anchors.anchor(town.site.loop, town.database, file)
    file.write_text(file.read_text().replace('"n":1', '"n":2'))
    with pytest.raises(BadInput, match="第 1 行"):
        compared(town, file)
    assert not compared(town, tmp_path / "none.jsonl").ok


def compared(town: Town, file: Path) -> Report:
    """Return what a comparison with the anchors finds."""
    report = Report()
    with town.database.read() as session:
        anchored.compare(session, town.site.loop.chain, file, report)
    return report


@pytest.mark.anyio
async def test_many_processes_find_what_one_finds_and_since_looks_at_what_changed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(town)
    town.advance(at("2026-03-20 09:00"))
    async with driving(town) as drive:
        await drive.push("a2")
    monkeypatch.setattr(verify, "_FEW", 0)
    alone, together = found(town), verify.verify(town.site.loop, town.database, processes=2)
    assert (together.grievances, together.rows, together.ok) == (alone.grievances, alone.rows, True)
    assert verify.verify(town.site.loop, town.database, since=at("2026-03-19 09:00")).grievances == 1


@pytest.mark.anyio
async def test_one_damaged_record_is_told_and_the_others_are_verified(town: Town) -> None:
    await lived(town)
    async with driving(town) as drive:
        await drive.push("a2")
    forge(
        town.database,
        "UPDATE clock SET image = '{}', packed = NULL WHERE grievance_id = (SELECT id FROM grievance WHERE external_id = 'a2')",
    )
    report = found(town)
    assert (report.grievances, report.damaged) == (2, 1)
    assert not report.ok


@pytest.mark.anyio
async def test_what_was_kept_before_chains_were_keyed_is_checked_then_taken_over_once(town: Town) -> None:
    number = await lived(town)
    aged(town)
    report = found(town)
    assert not report.ok
    forge(
        town.database,
        "ALTER TABLE register DISABLE TRIGGER USER; DELETE FROM register; UPDATE epoch SET register = NULL",
    )
    done = adopt(town.site.loop, town.database)
    assert (done.taken, done.broken) == (1, [])
    report = found(town)
    assert report.ok, report.problems
    assert town.actions(number)[-1] == "adopt"
    aged(town)  # forged to look old
    assert adopt(town.site.loop, town.database).taken == 0
    assert not found(town).ok


def _as_kept(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=as_kept).decode()


def aged(town: Town) -> None:
    """Bring ledgers to what they were before chains were keyed."""
    folder = town.folder(town.scalar("SELECT number FROM grievance"))
    head = GENESIS
    forge(town.database, "ALTER TABLE ledger DISABLE TRIGGER USER")
    with town.database.begin() as session:
        for entry in folder.entries:
            entry.changes = {
                name: value
                for name, value in entry.changes.items()
                if name not in ("order", "documents", "ratings", "precedents")
            }
            head = unkeyed(folder.id, entry, head)
            session.connection().exec_driver_sql(
                "UPDATE ledger SET hash = %(hash)s, facts = %(facts)s::jsonb, changes = %(changes)s::jsonb, packed = NULL"
                " WHERE seq = %(seq)s",
                {"hash": head, "seq": entry.seq, "facts": _as_kept(entry.facts), "changes": _as_kept(entry.changes)},
            )
        session.connection().exec_driver_sql("UPDATE grievance SET head = %(head)s", {"head": head})
