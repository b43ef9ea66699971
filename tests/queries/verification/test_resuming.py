# ruff: noqa: S608 the statements are the forger's
"""A verification that was stopped is taken up where it stopped, and comes to what one run would have come to."""

import asyncio
import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from tests.database import clone
from tests.site import KEYS, Town, build, driving

from wuye_loop.domain.errors import BadInput
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.domain.privacy.macs import MacKeys
from wuye_loop.edge.site import Site
from wuye_loop.queries.verification import verify
from wuye_loop.queries.verification.course import BOUND, Course, program_of
from wuye_loop.queries.verification.mark import NAME, Mark
from wuye_loop.queries.verification.report import Report
from wuye_loop.store.database import Database
from wuye_loop.store.schema import metadata

MANY = 5
_NUMBERS = count(930_000)  # of copies: apart from those of the other tests


@pytest.fixture(scope="module")
def lived_in(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site]]:
    """Give the URL of a town's database with five grievances, to be copied, and its site, whose keys the copies share."""
    with clone(template_url, next(_NUMBERS)) as url:
        database = Database(url, pool_size=5)
        town = build(database, data=tmp_path_factory.mktemp("resumed"), keys=KEYS)
        asyncio.run(_pushed(town))
        database.dispose()
        yield url, town.site


async def _pushed(town: Town) -> None:
    async with driving(town) as drive:
        for n in range(MANY):
            await drive.push(f"a{n}")


@pytest.fixture
def site(lived_in: tuple[str, Site]) -> Site:
    return lived_in[1]


@pytest.fixture
def database(lived_in: tuple[str, Site]) -> Iterator[Database]:
    """Give a copy of the town's database."""
    with clone(lived_in[0], next(_NUMBERS)) as url:
        own = Database(url, pool_size=3)
        yield own
        own.dispose()


class Stopped(BaseException):
    """As Ctrl-C stops it."""


def forge(database: Database, statement: str) -> None:
    """Write to the database as its owner may."""
    with database.begin() as session:
        for one in statement.split(";"):
            session.connection().exec_driver_sql(one)


def title(n: int) -> str:
    """Return a statement that forges the title of one of the grievances, in the order in which they are verified."""
    return f"UPDATE grievance SET title = '别的事' WHERE external_id = 'a{n}'"


@contextmanager
def mark_in(folder: Path, chain: Chain) -> Iterator[Mark]:
    mark = Mark(folder / NAME, chain)
    with mark.turn() as ours:
        assert ours
        yield mark


def stopped(
    site: Site, database: Database, folder: Path, after: int, *, processes: int = 1, resume: bool = False
) -> None:
    """Begin a verification, a piece for each grievance, or take one up; stop it when so many have been looked at."""

    def stop(done: int) -> None:
        if done >= after:
            raise Stopped

    with mark_in(folder, site.loop.chain) as mark:
        assert not resume or mark.take_up()
        with pytest.raises(Stopped):
            verify.verify(site.loop, database, mark=mark, size=1, progress=stop, processes=processes)


def taken_up(site: Site, database: Database, folder: Path, *, processes: int = 1) -> Report:
    """Take it up, to the end."""
    with mark_in(folder, site.loop.chain) as mark:
        assert mark.take_up()
        assert mark.course is not None
        with database.read() as session:
            assert mark.course.stale(session, program_of(database), site.loop.clock.now()) is None
        return verify.verify(site.loop, database, mark=mark, processes=processes)


def test_what_was_found_before_it_stopped_is_in_the_end_as_if_it_had_run_at_once(
    site: Site, database: Database, tmp_path: Path
) -> None:
    forge(database, title(0))
    forge(database, title(3))
    at_once = verify.verify(site.loop, database)
    assert (at_once.grievances, at_once.drift) == (MANY, 2)
    stopped(site, database, tmp_path, 2)
    forge(database, "UPDATE grievance SET title = '三号楼电梯停运' WHERE external_id = 'a0'")  # as if nothing had been
    assert verify.verify(site.loop, database).drift == 1
    assert taken_up(site, database, tmp_path).as_json() == at_once.as_json()


def test_what_is_done_is_not_done_again(site: Site, database: Database, tmp_path: Path) -> None:
    stopped(site, database, tmp_path, 3)
    forge(database, title(1))  # as one long run, which was past it, would not see it either
    report = taken_up(site, database, tmp_path)
    assert (report.grievances, report.rows, report.ok, report.again) == (MANY, MANY, True, 0)
    assert verify.verify(site.loop, database).drift == 1
    stopped(site, database, tmp_path, 1)
    assert taken_up(site, database, tmp_path).drift == 1


def test_it_may_be_stopped_again_and_again(site: Site, database: Database, tmp_path: Path) -> None:
    forge(database, title(0))
    forge(database, title(2))
    stopped(site, database, tmp_path, 1)
    stopped(site, database, tmp_path, MANY - 1, resume=True)
    report = taken_up(site, database, tmp_path)
    assert (report.grievances, report.drift) == (MANY, 2)


def test_what_is_beside_grievances_is_looked_at_anew_but_what_was_found_stands(
    site: Site, database: Database, tmp_path: Path
) -> None:
    forge(database, "UPDATE unit SET parent_code = NULL")
    stopped_in_the_end(site, database, tmp_path)
    forge(database, "UPDATE api_key SET area_path = NULL WHERE area_code = '370701'")
    report = taken_up(site, database, tmp_path)
    assert [words for words in report.problems if "组织目录" in words]
    assert not [words for words in report.problems if "管辖范围" in words]  # of it, one run would have seen no more


def stopped_in_the_end(site: Site, database: Database, folder: Path) -> None:
    """Begin a verification and stop it when all has been looked at, before its mark is removed."""
    with mark_in(folder, site.loop.chain) as mark:
        verify.verify(site.loop, database, mark=mark, size=2)


def test_the_register_is_looked_at_anew_where_it_was_good(site: Site, database: Database, tmp_path: Path) -> None:
    stopped_in_the_end(site, database, tmp_path)
    forge(database, "UPDATE api_key SET area_path = NULL WHERE area_code = '370701'")
    assert "管辖范围" in "".join(taken_up(site, database, tmp_path).problems)


def test_a_grievance_that_is_gone_since_it_was_looked_at_is_missed(
    site: Site, database: Database, tmp_path: Path
) -> None:
    stopped(site, database, tmp_path, 3)
    forge(database, "SET LOCAL session_replication_role = replica;DELETE FROM grievance WHERE external_id = 'a1'")
    report = taken_up(site, database, tmp_path)
    assert not report.chain_ok
    assert "少了 1 件" in "".join(report.problems)


@pytest.mark.anyio
async def test_what_came_in_and_what_was_done_since_is_looked_at(template_url: str, tmp_path: Path) -> None:
    with clone(template_url, next(_NUMBERS)) as url:
        database = Database(url, pool_size=5)
        town = build(database, data=tmp_path / "data", keys=KEYS)
        async with driving(town) as drive:
            numbers = [await drive.push(f"a{n}") for n in range(3)]
            forge(database, title(0))
            stopped(town.site, database, tmp_path, 2)
            forge(database, title(1))
            forge(database, title(0))
            await drive.walk(numbers[0], "accept", "sign")
            await drive.walk(numbers[1], "accept", "sign")
            await drive.push("a9")
        report = taken_up(town.site, database, tmp_path)
        assert (report.grievances, report.again, report.drift) == (
            4,
            2,
            2,
        )  # what was found before is not counted again
        at_once = verify.verify(town.site.loop, database)
        assert (at_once.grievances, at_once.drift) == (4, 2)
        database.dispose()


def test_what_was_restored_from_another_server_was_not_written_since(
    site: Site, database: Database, tmp_path: Path
) -> None:
    forge(database, "ALTER TABLE ledger DISABLE TRIGGER USER;UPDATE ledger SET written = written + 1000000000")
    stopped(site, database, tmp_path, 3)
    assert taken_up(site, database, tmp_path).again == 0


@pytest.mark.parametrize("after", [1, 4])
def test_in_several_processes_what_is_in_hand_is_finished_and_kept(
    site: Site, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(verify, "_FEW", 0)
    forge(database, title(0))
    stopped(site, database, tmp_path, after, processes=2)
    report = taken_up(site, database, tmp_path, processes=2)
    assert (report.grievances, report.drift) == (MANY, 1)


@pytest.mark.parametrize("number", [0, 2**128 - 1])
def test_no_id_lies_outside_of_what_is_looked_at(site: Site, database: Database, number: int) -> None:
    """All of a grievance is put under the first or the last id that there can be."""
    where = "(SELECT id FROM grievance WHERE external_id = 'a1')"
    moved = [
        f"UPDATE {table.name} SET grievance_id = '{UUID(int=number)}' WHERE grievance_id = {where}"
        for table in metadata.sorted_tables
        if "grievance_id" in table.columns
    ]
    moved.append(f"UPDATE grievance SET id = '{UUID(int=number)}', title = '别的事' WHERE external_id = 'a1'")
    forge(database, ";".join(("SET LOCAL session_replication_role = replica", *moved)))
    for size in (1, 2, MANY):
        report = verify.verify(site.loop, database, size=size)
        assert (report.grievances, report.chain_ok, report.ok) == (MANY, False, False)


# --- marks that nobody here wrote -----------------------------------------------------------------------------------


def _lines(file: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))


def _found_nothing(line: bytes) -> bytes:
    row = json.loads(line)
    row["said"]["report"] |= {"drift": 0, "problems": []}
    return json.dumps(row).encode() + b"\n"


FORGED: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a finding taken out": lambda lines: [lines[0], _found_nothing(lines[1]), *lines[2:]],
    "another piece said to be done": lambda lines: [*lines, lines[-1].replace(b'"piece":1', b'"piece":4')],
    "a line twice": lambda lines: [*lines, lines[-1]],
    "a line left out": lambda lines: [lines[0], *lines[2:]],
    "lines the other way round": lambda lines: [lines[0], lines[2], lines[1]],
    "another beginning": lambda lines: [lines[0].replace(b'"since":null', b'"since":"2026-03-02T01:00:00Z"'), *lines[1:]],
    "no line at all": lambda lines: [b"{}\n", *lines[1:]],
    "noise": lambda _: [b"\x00\xff\n"],
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_a_mark_that_was_written_by_hand_is_told_and_skips_nothing(
    site: Site, database: Database, tmp_path: Path, what: str
) -> None:
    forge(database, title(0))
    stopped(site, database, tmp_path, 2)
    _lines(tmp_path / NAME, FORGED[what])
    with mark_in(tmp_path, site.loop.chain) as mark:
        with pytest.raises(BadInput, match="行被改动或已损坏"):
            mark.take_up()
        assert (mark.course, mark.done) == (None, {})
        report = verify.verify(site.loop, database, mark=mark)
    assert (report.grievances, report.drift) == (MANY, 1)


def test_a_mark_sealed_with_another_key_is_none_of_ours(site: Site, database: Database, tmp_path: Path) -> None:
    stopped(site, database, tmp_path, 2)
    with mark_in(tmp_path, Chain(MacKeys.of(b"x" * 32))) as mark, pytest.raises(BadInput):
        mark.take_up()


def test_what_broke_off_is_of_a_piece_that_was_not_done(site: Site, database: Database, tmp_path: Path) -> None:
    forge(database, title(1))
    stopped(site, database, tmp_path, 3)
    file = tmp_path / NAME
    file.write_bytes(file.read_bytes()[:-9])
    with mark_in(tmp_path, site.loop.chain) as mark:
        assert mark.take_up()
        assert sorted(mark.done) == [0, 1]
        assert verify.verify(site.loop, database, mark=mark).drift == 1
        assert mark.take_up()  # what was written on is whole
    for content in (b"", b'{"said"'):
        file.write_bytes(content)
        with mark_in(tmp_path, site.loop.chain) as mark:
            assert not mark.take_up()


# --- marks that are of something else -------------------------------------------------------------------------------


def test_a_mark_of_something_else_says_of_what(site: Site, database: Database, tmp_path: Path) -> None:
    stopped(site, database, tmp_path, 2)
    with mark_in(tmp_path, site.loop.chain) as mark:
        assert mark.take_up()
        course = mark.course
    assert course is not None
    assert course == Course.from_json(course.as_json())
    program, now = program_of(database), site.loop.clock.now()
    with database.read() as session:
        assert course.stale(session, program, now + BOUND) is None
        for later in (BOUND + timedelta(seconds=1), timedelta(days=-1)):
            assert "20 小时" in str(course.stale(session, program, now + later))
        assert "另一版程序" in str(course.stale(session, "0.0.9/0001", now))
    forge(
        database,
        "ALTER TABLE register DISABLE TRIGGER USER; UPDATE register SET hash = '\\x00' WHERE n = (SELECT max(n) FROM register)",
    )
    with database.read() as session:
        assert "登记簿" in str(course.stale(session, program, now))


def test_a_copy_of_the_database_is_another(
    lived_in: tuple[str, Site], site: Site, database: Database, tmp_path: Path
) -> None:
    stopped(site, database, tmp_path, 2)
    with mark_in(tmp_path, site.loop.chain) as mark, clone(lived_in[0], next(_NUMBERS)) as url:
        assert mark.take_up()
        assert mark.course is not None
        copy = Database(url, pool_size=1)
        with copy.read() as session:
            assert mark.course.stale(session, program_of(copy), site.loop.clock.now()) == "那次核对的是另一个数据库"
        copy.dispose()


def test_one_verification_at_a_time_has_the_mark(site: Site, database: Database, tmp_path: Path) -> None:
    stopped(site, database, tmp_path, 2)
    kept = (tmp_path / NAME).read_bytes()
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    with mark_in(tmp_path, site.loop.chain) as mark:
        mark.remove()
        assert not (tmp_path / NAME).exists()
        assert not mark.take_up()
    (tmp_path / NAME).write_bytes(kept)
    with mark_in(tmp_path, site.loop.chain) as mark:
        assert mark.take_up()


def test_where_nothing_can_be_locked_no_other_verification_is_told_of(
    site: Site, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    stopped(site, database, tmp_path, 2)
    monkeypatch.setattr(fcntl, "lockf", no_locks)
    with mark_in(tmp_path, site.loop.chain) as mark:  # as where there is no other
        assert mark.take_up()
        assert verify.verify(site.loop, database, mark=mark).grievances == MANY
        assert mark.lost is not None


def test_where_nothing_can_be_written_it_is_verified_all_the_same(
    site: Site, database: Database, tmp_path: Path
) -> None:
    (tmp_path / NAME).mkdir()
    with mark_in(tmp_path, site.loop.chain) as mark:
        assert not mark.take_up()
        assert verify.verify(site.loop, database, mark=mark).grievances == MANY
        assert mark.lost is not None
