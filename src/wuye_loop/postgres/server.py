import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

from wuye_loop.postgres import postmaster
from wuye_loop.postgres.account import PostgresError
from wuye_loop.postgres.binaries import choose
from wuye_loop.postgres.cluster import initialise, let_in
from wuye_loop.postgres.place import Place, for_us_alone, outside, place
from wuye_loop.postgres.watch import State, Watch
from wuye_loop.settings import unheed_libpq

NAME = "wuye"  # the database and its owner, the server's superuser: for migrations and for making databases
APP = "wuye_app"  # whom the program works as: no superuser, owner of nothing
OPTIONS = {
    "listen_addresses": "",  # the socket is the only door, and the account behind it the key
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",  # compiling costs more than our short statements take
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "wuye-loop",
    "log_error_verbosity": "terse",  # details quote values, and values may be a complainant's
    "log_min_error_statement": "panic",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its SQLAlchemy URL (`postgresql+psycopg://`) as owner, its data folder, its version as text."""

    url: str
    data: Path
    version: str

    @property
    def app_url(self) -> str:
        """The same as the account that the program works as."""
        return self.url.replace(f"//{NAME}@", f"//{APP}@", 1)


@contextlib.contextmanager
def running(
    data: Path,
    *,
    options: Mapping[str, str] | None = None,
    pg_bin: Path | None = None,
    watched: Callable[[], None] | None = None,
) -> Iterator[Server]:
    """Start the server of a data folder, or join it when it runs, and stop it if we are the last to leave.

    `options` are server settings that win over ours (for the one who starts it); `pg_bin` a folder of programs. With
    `watched`, called each time, a server that dies meanwhile is started again. Raises PostgresError, in words.
    """
    unheed_libpq()
    where, wanted = place(data), {**OPTIONS, **(options or {})}
    with _open(where.starting) as starting, _open(where.users) as users:
        try:
            with _locked(starting):
                fcntl.flock(users, fcntl.LOCK_SH)
                door, reload = _start_or_join(where, wanted, pg_bin)
                server = _server(where, door, reload=reload)
            again = partial(_start_again, where, wanted, pg_bin, door)
            with Watch(again).told(watched) if watched is not None else contextlib.nullcontext():
                yield server
        finally:
            with _locked(starting):
                if _alone(users):
                    postmaster.stop(where)


@contextlib.contextmanager
def temporary(
    *, options: Mapping[str, str] | None = None, pg_bin: Path | None = None, under: Path | None = None
) -> Iterator[Server]:
    """Run a server in a folder of its own, made `under` another; it is removed with all it holds when the block ends."""
    with tempfile.TemporaryDirectory(prefix="wuye-", dir=under) as folder:
        Path(folder).chmod(0o711)  # ours, and the account that runs the server for root must pass through
        data = Path(folder) / "data"
        try:
            with running(data, options=options, pg_bin=pg_bin) as server:
                yield server
        finally:
            for elsewhere in outside(data):
                shutil.rmtree(elsewhere)


def stop(data: Path) -> bool:
    """Stop the server of a data folder, whoever uses it; False when none runs."""
    where = place(data)
    with _open(where.starting) as starting, _locked(starting):
        return postmaster.stop(where)


def remove(data: Path) -> list[Path]:
    """Remove a data folder with all it holds, and what of it is kept elsewhere; return the folders that were removed.

    Raises PostgresError while somebody uses its server.
    """
    where = place(data)
    folders = [*outside(data), where.data]
    with _open(where.starting) as starting, _open(where.users) as users, _locked(starting):
        if not _alone(users):
            raise PostgresError(
                f"{data} 的数据库正在使用，请先停下用它的程序。/ the database of {data} is in use; stop its users first."
            )
        postmaster.stop(where)
        for folder in folders:
            shutil.rmtree(folder)
    return folders


def _open(path: Path) -> IO[str]:
    try:
        return open(path, "a+", opener=for_us_alone)  # Path.open takes no opener
    except PermissionError:
        raise PostgresError(
            f"{path.parent} 属于另一个用户，请以其所有者运行，或另设 WUYE_DATA。"
            f"/ {path.parent} belongs to another user; run as its owner, or choose another WUYE_DATA."
        ) from None


@contextlib.contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _alone(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start_or_join(where: Place, options: Mapping[str, str], pg_bin: Path | None) -> tuple[Path, bool]:
    """Return the folder of the server's socket, and whether who is let in was changed while it runs."""
    process = postmaster.alive(where)
    changed = process is not None and let_in(where.cluster, where.account, (NAME, APP))
    if process is None:
        binaries = choose(where.account, where.programs, major=where.written_by(), given=pg_bin)
        if where.written_by() is None:
            initialise(where, binaries, owner=NAME, sync=options["fsync"] != "off")
        let_in(where.cluster, where.account, (NAME, APP))
        process = postmaster.start(where, binaries, options)
    elif not process.ready:  # its starter was killed meanwhile
        process = postmaster.wait_until_ready(where, lambda: None)
    return process.socket, changed


def _start_again(where: Place, options: Mapping[str, str], pg_bin: Path | None, door: Path) -> State:
    """See that the server runs: start it where it was if it has died, leave it alone if somebody stopped it."""
    if postmaster.alive(where) is not None:
        return State.RUNS
    with _open(where.starting) as starting, _locked(starting):
        if postmaster.alive(where) is not None:  # another who watches was quicker
            return State.RUNS
        binaries = choose(where.account, where.programs, major=where.written_by(), given=pg_bin)
        if postmaster.was_stopped(where, binaries):
            return State.STOPPED
        postmaster.start(where, binaries, options, at=door)
        return State.STARTED


def _server(where: Place, door: Path, *, reload: bool) -> Server:
    url = f"postgresql+psycopg://{NAME}@/{NAME}?host={quote(str(door), safe='')}"
    with psycopg.connect(host=str(door), user=NAME, dbname="postgres", autocommit=True) as connection:
        version = connection.execute("SHOW server_version").fetchone()
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            connection.execute(f"CREATE DATABASE {NAME}")
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP]).fetchone():
            connection.execute(f"CREATE ROLE {APP} LOGIN")
        if reload:
            connection.execute("SELECT pg_reload_conf()")
    return Server(url, where.data, str(version[0]) if version else "")
