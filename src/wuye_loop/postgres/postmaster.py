import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wuye_loop.postgres.account import PostgresError
from wuye_loop.postgres.binaries import Binaries
from wuye_loop.postgres.place import Place, for_us_alone

SOCKET_FOLDER_LIMIT = 88  # bytes: the system allows 103 to 107 for folder and socket together
LOG_LIMIT = 16 * 1024 * 1024
START_SECONDS = 180  # a server that was killed under load first replays its log
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What a server's own pid file says of it: process, folder of its socket, whether it takes connections."""

    pid: int
    socket: Path
    ready: bool


def start(where: Place, binaries: Binaries, options: Mapping[str, str], *, at: Path | None = None) -> Postmaster:
    """Start the server of a place and wait until it takes connections; PostgresError with its last words.

    `at` is the folder of its socket when it must be found where it was before; else one is chosen.
    """
    _clear_stale(where, kept=at)
    door = _socket_folder(where) if at is None else _made_again(where, at)
    settings = {**options, "unix_socket_directories": str(door)}
    command = [str(binaries.folder / "postgres"), "-D", str(where.cluster)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    deadline = time.monotonic() + START_SECONDS
    while True:
        mark = _rotated(where.log)
        with open(where.log, "ab", opener=for_us_alone) as log:  # Path.open takes no opener
            process = subprocess.Popen(  # noqa: S603 the programs are PostgreSQL's own, chosen by us
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **where.account.child()
            )
        try:
            postmaster = wait_until_ready(where, process.poll)
        except BaseException as error:
            if process.poll() is None:
                process.send_signal(signal.SIGQUIT)
                process.wait()
            said = where.log.read_bytes()[mark:].decode(errors="replace").strip()
            # The parts of a server that was killed hold its memory a moment longer than its head.
            if isinstance(error, PostgresError) and "still in use" in said and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            if at is None:
                _remove_socket_folder(where, door)
            if isinstance(error, PostgresError):
                raise PostgresError(f"{error}:\n{said}") from None
            raise
        process.returncode = 0  # let go of on purpose: it may outlive us, and must not warn when we forget it
        return postmaster


def wait_until_ready(where: Place, ended: Callable[[], int | None]) -> Postmaster:
    """Wait until a server that is starting takes connections; PostgresError when `ended` says that its process has."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if ended() is not None:
            break
        postmaster = _said(where)
        if postmaster and postmaster.ready:
            return postmaster
        time.sleep(0.02)
    raise PostgresError("PostgreSQL 启动失败 / PostgreSQL did not start")


def stop(where: Place) -> bool:
    """Stop the server of a place; False when none runs."""
    postmaster = alive(where)
    if postmaster is None:
        return False
    # First fast: roll back, write out, close. If that hangs, at once: the log is replayed at the next start.
    for kind in (signal.SIGINT, signal.SIGQUIT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(postmaster.pid, kind)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not (where.cluster / "postmaster.pid").exists():  # what it takes away last
                _reap(postmaster.pid)
                _remove_socket_folder(where, postmaster.socket)
                return True
            time.sleep(0.01)
    raise PostgresError(f"PostgreSQL 停不下来 / PostgreSQL (process {postmaster.pid}) does not stop; see {where.log}")


def alive(where: Place) -> Postmaster | None:
    """Return the server if it answers: its socket lies in a private folder, so whoever answers there is it."""
    said = _said(where)
    if said is None:
        return None
    with socket.socket(socket.AF_UNIX) as door:
        try:
            door.connect(str(said.socket / ".s.PGSQL.5432"))
        except OSError:
            return None
    return said


def was_stopped(where: Place, binaries: Binaries) -> bool:
    """Say whether the server that is not there any more was stopped in order, by whomever, and did not die."""
    said = where.account.run([binaries.folder / "pg_controldata", where.cluster]).stdout
    return re.search(r"^Database cluster state:\s+shut down$", said, re.MULTILINE) is not None


def _reap(pid: int, options: int = 0) -> None:
    with contextlib.suppress(ChildProcessError):  # another process started it, or it was seen out before
        os.waitpid(pid, options)


def _said(where: Place) -> Postmaster | None:
    """Return what the pid file says, whether or not its process still lives; None while there is no whole one."""
    try:
        lines = (where.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8:  # noqa: PLR2004 the lines it has when whole
        return None
    return Postmaster(int(lines[0]), Path(lines[4]), lines[7].strip() == "ready")


def _clear_stale(where: Place, *, kept: Path | None = None) -> None:
    """Remove what a killed server left: PostgreSQL itself would take any process of the same id for its former self."""
    said = _said(where)
    if said is None:
        return
    _reap(said.pid, os.WNOHANG)
    # Asked as the server's account, for which its own process is always open to view.
    look = 'readlink "/proc/$1/cwd" || ps -o command= -p "$1"'
    if str(where.cluster) in where.account.run(["/bin/sh", "-c", look, "sh", str(said.pid)]).stdout:
        raise PostgresError(
            f"数据库进程 {said.pid} 还在运行，但连接不上，请先结束它。"
            f"/ the server of {where.cluster} (process {said.pid}) lives but does not answer; end it, then try again."
        )
    if said.socket != kept:
        _remove_socket_folder(where, said.socket)
    for lock in (where.cluster / "postmaster.pid", *where.cluster.glob(".s.PGSQL.*")):
        lock.unlink()


def _socket_folder(where: Place) -> Path:
    plain = re.fullmatch(r"[\w./-]+", str(where.cluster), re.ASCII)  # others would have to be quoted in every URL
    if plain and len(os.fsencode(where.cluster)) <= SOCKET_FOLDER_LIMIT:
        return where.cluster
    folder = Path(tempfile.mkdtemp(prefix="wuye-", dir="/tmp"))  # private by its making, and short
    where.account.owns(folder)
    return folder


def _made_again(where: Place, folder: Path) -> Path:
    """Give the folder in which everybody looks for the socket, empty; PostgresError where somebody else has made it."""
    if folder == where.cluster:
        return folder
    if not folder.exists():
        folder.mkdir(mode=0o700)
        where.account.owns(folder)
    entry = folder.lstat()
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != where.account.uid or entry.st_mode & 0o077:
        raise PostgresError(f"{folder} 不是本程序所建，拒绝使用。/ {folder} was not made by us and is not used.")
    for left in folder.glob(".s.PGSQL.*"):
        left.unlink()
    return folder


def _remove_socket_folder(where: Place, folder: Path) -> None:
    if folder != where.cluster:
        shutil.rmtree(folder, ignore_errors=True)


def _rotated(log: Path) -> int:
    """Put a log that has grown too long aside, and return the length of the one now written to."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(f"{log.name}.1"))
    return log.stat().st_size if log.exists() else 0
