import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url
from tests.database import CARELESS, memory

from wuye_loop import postgres
from wuye_loop.postgres import PostgresError, account, binaries, place, watch

HOLD = """
import sys
from pathlib import Path
from wuye_loop import postgres
with postgres.running(Path(sys.argv[1]), options={"fsync": "off"}) as server:
    print(server.url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def room() -> Iterator[Path]:
    """Give a folder that the account of a root-started server may pass through, as a data folder's parents are."""
    with tempfile.TemporaryDirectory(prefix="wuye-", dir=memory()) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder).resolve()


@pytest.fixture
def data(room: Path) -> Iterator[Path]:
    yield room / "var"
    postgres.stop(room / "var")


@contextmanager
def holder(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that uses the server until told to stop; give it and the URL it saw."""
    process = starting(data)
    try:
        yield process, url_of(process)
    finally:
        if process.poll() is None:
            process.communicate("\n", timeout=30)


def starting(data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def ask(url: str, query: str) -> str:
    with connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return str(row[0]) if row else ""


def postmaster(data: Path) -> int:
    return int((place.place(data).cluster / "postmaster.pid").read_text().split()[0])


def stopped(data: Path) -> bool:
    """Whether the server was stopped in order: it takes its pid file away last."""
    return not (place.place(data).cluster / "postmaster.pid").exists()


def eventually(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return what()


def modes_above(folder: Path) -> dict[Path, tuple[int, int, int]]:
    return {p: (p.stat().st_mode, p.stat().st_uid, p.stat().st_gid) for p in (folder, *folder.parents)}


def test_the_first_start_makes_a_durable_utf8_server_in_utc(data: Path) -> None:
    with postgres.running(data) as server:
        assert ask(server.url, "SELECT current_database()") == "wuye"
        for name, value in {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "listen_addresses": "",
        }.items():
            assert ask(server.url, f"SHOW {name}") == value, name
        assert server.version.startswith(ask(server.url, "SHOW server_version"))
        pid = postmaster(data)
        assert os.getsid(pid) != os.getsid(0), "Ctrl-C must not reach the server before us"
    assert stopped(data)


def test_a_second_process_joins_and_the_last_one_out_stops_it(data: Path) -> None:
    with holder(data) as (first, url):
        pid = postmaster(data)
        with postgres.running(data) as server:
            assert server.url == url
            first.communicate("\n", timeout=30)
            assert first.returncode == 0
            assert ask(server.url, "SELECT 1") == "1"
            assert postmaster(data) == pid
        assert stopped(data)
    assert not postgres.stop(data), "nothing is left to stop"


def test_two_processes_that_start_at_once_share_one_server(data: Path) -> None:
    one, other = starting(data), starting(data)
    urls = {url_of(one), url_of(other)}
    assert len(urls) == 1
    assert ask(urls.pop(), "SELECT 1") == "1"
    for process in (one, other):
        process.communicate("\n", timeout=30)
        assert process.returncode == 0
    assert stopped(data)


def test_a_server_whose_owner_was_killed_is_joined_and_then_stopped(data: Path) -> None:
    with holder(data) as (owner, url):
        pid = postmaster(data)
        owner.kill()
        owner.communicate()
        assert ask(url, "SELECT 1") == "1", "the server outlives its owner"
    with postgres.running(data) as server:
        assert postmaster(data) == pid
        assert server.url == url
    assert stopped(data)


def test_a_killed_server_starts_again_with_what_it_acknowledged(data: Path) -> None:
    with postgres.running(data) as server:
        with connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        pid = postmaster(data)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not answers(server.url))
        with postgres.running(data) as again:
            assert ask(again.url, "SELECT answer FROM kept") == "42"
            assert postmaster(data) != pid


def answers(url: str) -> bool:
    try:
        connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_pid_file_left_by_a_crash_does_not_shut_us_out_when_its_number_is_used_again(data: Path) -> None:
    with postgres.running(data, options=CARELESS):
        pid_file = place.place(data).cluster / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    lines[0] = str(os.getpid())
    pid_file.write_text("\n".join(lines) + "\n")
    with postgres.running(data, options=CARELESS) as server:
        assert ask(server.url, "SELECT 1") == "1"


def test_an_error_inside_the_block_stops_the_server_too(data: Path) -> None:
    def fail() -> None:
        with postgres.running(data, options=CARELESS):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert stopped(data)


def test_stop_ends_a_server_that_nobody_uses_any_more(data: Path) -> None:
    with holder(data) as (owner, url):
        owner.kill()
        owner.communicate()
        assert postgres.stop(data)
        assert not answers(url)
        assert not postgres.stop(data)


def test_data_of_another_major_version_is_refused_in_words(data: Path) -> None:
    with postgres.running(data, options=CARELESS) as server:
        ours = server.version.split(".")[0]
    (data / "postgres" / "PG_VERSION").write_text("9\n")
    with (
        pytest.raises(PostgresError, match=rf"written by PostgreSQL 9, and the programs at hand are {ours}\."),
        postgres.running(data),
    ):
        pytest.fail("must not start")
    (data / "postgres" / "PG_VERSION").write_text(f"{ours}\n")


def test_a_given_folder_of_programs_must_match_the_data(room: Path) -> None:
    fake = room / "bin"
    fake.mkdir()
    fake.chmod(0o755)  # whatever the umask is
    for name in ("initdb", "postgres"):
        (fake / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 17.2'\n")
        (fake / name).chmod(0o755)
    runner = account.server_account(room)
    assert binaries.choose(runner, room, major=17, given=fake).version == "17.2"
    with pytest.raises(PostgresError, match=r"17\.2 \(WUYE_PG_BIN\), which cannot read it"):
        binaries.choose(runner, room, major=18, given=fake)


def test_the_server_never_runs_as_root_and_no_permission_above_it_changes(data: Path) -> None:
    before = modes_above(data.parent)
    with postgres.running(data, options=CARELESS):
        assert (data / "postgres" / ".s.PGSQL.5432").stat().st_uid != 0, "a socket belongs to the process that made it"
        assert modes_above(data.parent) == before


def test_a_folder_closed_to_others_stays_closed_and_its_data_is_found_again(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = room / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(place, "ELSEWHERE", (room,))
    before = modes_above(closed)
    for query in ("CREATE TABLE kept AS SELECT 42 AS answer", "SELECT 1"):
        with postgres.running(closed / "var", options=CARELESS) as server, connect(server.url) as connection:
            connection.execute(query.encode())
    with postgres.running(closed / "var", options=CARELESS) as server:
        assert ask(server.url, "SELECT answer FROM kept") == "42"
    assert modes_above(closed) == before
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_a_database_kept_elsewhere_that_is_gone_is_not_silently_begun_anew(room: Path) -> None:
    (room / "var").mkdir()
    (room / "var" / "postgres.moved").write_text(f"{room}/gone\n")
    with pytest.raises(PostgresError, match="but it is gone"), postgres.running(room / "var"):
        pytest.fail("must not start")


def test_programs_in_a_closed_folder_are_copied_not_opened(room: Path) -> None:
    programs = package_in(room / "closed")
    with postgres.running(room / "var", options=CARELESS, pg_bin=programs) as server:
        assert ask(server.url, "SELECT 1") == "1"
    assert stat.S_IMODE((room / "closed").stat().st_mode) == 0o700


def test_an_ordinary_user_has_a_server_of_its_own(room: Path) -> None:
    home = room / "home"
    home.mkdir()
    ordinary = account.server_account(home)
    ordinary.owns(home)
    child = os.fork()  # a new interpreter might lie where that user cannot go
    if child == 0:
        status = 1
        try:
            if not ordinary.is_ours:
                os.setgroups([])
                os.setgid(ordinary.gid)
                os.setuid(ordinary.uid)
            with postgres.running(home / "var", options=CARELESS) as server:
                status = 0 if ask(server.url, "SELECT 42") == "42" else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (home / "var" / "postgres").stat().st_uid == ordinary.uid


@pytest.mark.parametrize(
    "name", ["a folder with spaces", "x" * 120 + "/" + "长" * 40, 'it\'s 100% "quoted"'], ids=["spaces", "long", "odd"]
)
def test_any_path_will_do(room: Path, name: str) -> None:
    with postgres.running(room / name, options=CARELESS) as server:
        assert ask(server.url, "SELECT 1") == "1"
        assert server.data == room / name
    postgres.remove(room / name)  # programs that cannot run from such a path are kept beyond it
    sockets = list(Path("/tmp").glob("wuye-*/.s.PGSQL.5432"))  # noqa: S108 where sockets of long paths are kept
    assert not sockets


@pytest.mark.parametrize("mask", [0o022, 0o077])
@pytest.mark.parametrize("name", ["plain", 'a "quoted" $HOME'])
def test_programs_that_cannot_run_from_where_they_lie_are_copied_to_a_plain_place(
    room: Path, monkeypatch: pytest.MonkeyPatch, name: str, mask: int
) -> None:
    """Root's home is closed to the server's account, and initdb hands its own path to a shell."""
    state = room / "state"
    state.mkdir()
    state.chmod(0o755)
    monkeypatch.setattr(place, "ELSEWHERE", (state,))
    closed = room / name
    programs = package_in(closed)
    before = os.umask(mask)
    try:
        for data in (closed / "var", room / "var" / name):
            with postgres.running(data, options=CARELESS, pg_bin=programs) as server:
                assert ask(server.url, "SELECT 1") == "1"
            kept = postgres.outside(data)
            assert kept or name == "plain"
            assert set(kept) <= set(state.iterdir())
            assert postgres.remove(data) == [*kept, data]
            assert not any(folder.exists() for folder in (data, *kept))
    finally:
        os.umask(before)
    assert list(state.iterdir()) == []
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def package_in(folder: Path) -> Path:
    """Copy the server's programs into a folder that only we may enter; give the folder of the programs there."""
    found = binaries.choose(account.server_account(folder.parent), folder.parent, major=None, given=None).folder
    package = found.parent.parent
    folder.mkdir(mode=0o700)
    shutil.copytree(package, folder / package.name, symlinks=True)
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / found.parent.name / "bin"


def test_what_another_could_have_made_in_a_shared_place_is_not_used(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "ELSEWHERE", (room,))
    data = room / 'a "quoted" name'
    traps = [*place._elsewhere(data), *place._elsewhere(data, "-programs")]
    for trap in traps:
        trap.mkdir()
        trap.chmod(0o777)
        with pytest.raises(PostgresError, match="was not made by us"):
            place.own(trap)
    assert postgres.outside(data) == []
    programs = package_in(room / 'closed "too"')
    with (
        pytest.raises(PostgresError, match="was not made by us"),
        postgres.running(data, options=CARELESS, pg_bin=programs),
    ):
        pytest.fail("must not start")


def test_data_in_use_is_not_removed(data: Path) -> None:
    with holder(data), pytest.raises(PostgresError, match="is in use"):
        postgres.remove(data)
    assert postgres.remove(data) == [data]
    assert not data.exists()


def test_a_temporary_server_leaves_nothing_behind(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "ELSEWHERE", (room,))
    (room / "closed").mkdir(mode=0o700)
    for under in (None, room / "closed"):
        with postgres.temporary(options=CARELESS, under=under) as server:
            folder = server.data.parent
            assert ask(server.url, "SELECT 1") == "1"
        assert not folder.exists()
    assert [one.name for one in room.iterdir()] == ["closed"]


def test_a_watched_server_that_is_killed_comes_back_where_it_was(data: Path) -> None:
    starts: list[int] = []
    with postgres.running(data, options={"fsync": "off"}, watched=lambda: starts.append(1)) as server:
        with connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        for times in (1, 2):
            os.kill(postmaster(data), signal.SIGKILL)
            assert eventually(lambda: len(starts) == times)  # noqa: B023 asked at once
            assert ask(server.url, "SELECT n FROM kept") == "1"
    assert stopped(data)


def test_a_watched_server_that_somebody_stopped_is_left_alone(data: Path) -> None:
    with postgres.running(data, options={"fsync": "off"}, watched=lambda: None):
        assert postgres.stop(data)
        time.sleep(3 * watch.LOOK_SECONDS)
        assert stopped(data)


def test_what_dies_again_and_again_is_started_ever_more_slowly() -> None:
    assert watch.pause([], now=100) == 0
    assert watch.pause([100], now=100) == 1
    assert watch.pause([90, 95, 100], now=100) == 4
    assert watch.pause([float(n) for n in range(90, 101)], now=100) == watch.LONGEST
    assert watch.pause([100], now=100 + watch.WINDOW) == 0, "ten quiet minutes forget it all"


def test_a_folder_from_before_lets_the_programs_own_account_in_at_its_start_or_when_it_is_joined(data: Path) -> None:
    ident = place.place(data).cluster / "pg_ident.conf"
    with postgres.running(data, options=CARELESS) as server:
        with connect(server.url) as connection:
            connection.execute("DROP ROLE wuye_app")
        ident.write_text("".join(line for line in ident.read_text().splitlines(keepends=True) if "_app" not in line))
        with connect(server.url) as connection:
            connection.execute("SELECT pg_reload_conf()")
        with postgres.running(data, options=CARELESS) as joined:
            assert eventually(lambda: lets_in(joined.app_url))
        with connect(server.url) as connection:
            connection.execute("DROP ROLE wuye_app")
    ident.write_text("".join(line for line in ident.read_text().splitlines(keepends=True) if "_app" not in line))
    with postgres.running(data, options=CARELESS) as server:
        assert ask(server.app_url, "SELECT current_user") == "wuye_app"
        assert ask(server.app_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "False"


def lets_in(url: str) -> bool:
    try:
        return ask(url, "SELECT current_user") == "wuye_app"
    except psycopg.OperationalError:
        return False
