"""`make bench-peers`: our durable step beside those of three libraries, in process, one thread, on the same PostgreSQL.

Each in an environment of its own under `.peers`, made from the package index with the version that is named here; none of them
is a dependency. Steps are taken in turns, so that what the machine does meanwhile falls on all alike.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from tests import ROOT
from tests.bench import town
from wuye_loop import logs, postgres
from wuye_loop.app import make_site
from wuye_loop.edge.site import Site
from wuye_loop.loop import handle
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database

ROUNDS, STEPS = 5, 300
_QUICK_STEPS = 100
_WARM = 30
_HOME = ROOT / ".peers"
_err = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Peer:
    """A library: what the index calls it, which version, the file that drives it, and how many times its rate ours is to be."""

    package: str
    version: str
    program: str
    wanted: float


PEERS = (
    Peer("SpiffWorkflow", "3.2.0", "spiff.py", 1.5),
    Peer("python-statemachine", "3.2.2", "machine.py", 1.0),
    Peer("dbos", "3.4.0", "durable.py", 4.0),
)


class Turn(NamedTuple):
    """Steps a second, and processor time of the process for one, in milliseconds."""

    rate: float
    cpu_ms: float


class NotToBeHad(Exception):
    """A package could not be had, in words."""


def main(words: Sequence[str]) -> int:
    """Measure and print; `--quick` takes fewer steps. 1 where a package cannot be had."""
    logs.configure("WARNING")
    steps = _QUICK_STEPS if "--quick" in words else STEPS
    try:
        pythons = {peer: environment(peer) for peer in PEERS}
    except NotToBeHad as error:
        _err.print(str(error), style="red")
        return 1
    _print(_measured(pythons, steps), steps)
    return 0


def environment(peer: Peer) -> Path:
    """Return the Python of a peer's own environment, made where it is not there yet; NotToBeHad where it cannot be."""
    folder = _HOME / f"{peer.package}-{peer.version}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _err.print(f"安装 {peer.package} {peer.version} …")
    driver = f"psycopg[binary]=={version('psycopg')}"
    wanted = ["-qq", "--only-binary", ":all:", f"{peer.package}=={peer.version}", driver]
    commands = (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", *wanted],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines()[-1:] or ["（没有说明）"]
            raise NotToBeHad(f"装不上 {peer.package} {peer.version}，所以没有比：{said[0]}")
    ready.touch()
    return python


def _measured(pythons: dict[Peer, Path], steps: int) -> dict[str, list[Turn]]:
    """Take turns; return them by who took them: "" is ourselves."""
    found: dict[str, list[Turn]] = {"": [], **{peer.package: [] for peer in pythons}}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o711)
        own = stack.enter_context(postgres.temporary())
        site, numbers = _ours(stack, own.url, folder, _WARM + ROUNDS * steps)
        running = {
            peer: stack.enter_context(_running(peer, python, own.url, _WARM + ROUNDS * steps))
            for peer, python in pythons.items()
        }
        for n in range(ROUNDS + 1):
            many = steps if n else _WARM
            for peer in _turned([None, *running], n):
                if peer is None:
                    turn = _signed(site, [next(numbers) for _ in range(many)])
                else:
                    turn = _told(peer, running[peer], many)
                if n:
                    found[peer.package if peer else ""].append(turn)
    return found


def _turned(peers: list[Peer | None], n: int) -> list[Peer | None]:
    """Return them beginning with another each time."""
    start = n % len(peers)
    return peers[start:] + peers[:start]


def _ours(stack: ExitStack, url: str, folder: Path, count: int) -> tuple[Site, Iterator[str]]:
    database = Database(url, pool_size=2)
    stack.callback(database.dispose)
    database.migrate()
    site = make_site(Settings(data=folder), database)
    town.found(site)
    _err.print("准备诉求 …")
    return site, iter(town.assigned(site, 0, count))


def _signed(site: Site, numbers: Sequence[str]) -> Turn:
    began, cpu = time.perf_counter(), time.process_time()
    for number in numbers:
        with site.database.begin() as session:
            handle.act(site.loop, session, number, "sign", town.MARKET, {})
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    return Turn(len(numbers) / seconds, used / len(numbers) * 1000)


@contextmanager
def _running(peer: Peer, python: Path, url: str, count: int) -> Iterator["subprocess.Popen[str]"]:
    """Give a peer's process with a database of its own on the same server, and all its rows prepared."""
    server = make_url(url).set(drivername="postgresql")
    name = f"peer_{Path(peer.program).stem}"
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # a name of ours
    own = server.set(database=name).render_as_string(hide_password=False)
    program = Path(__file__).parent / peer.program
    command = [str(python), str(program), own, str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        _answer(peer, process)
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _told(peer: Peer, process: "subprocess.Popen[str]", many: int) -> Turn:
    assert process.stdin is not None
    process.stdin.write(f"{many}\n")
    process.stdin.flush()
    said = _answer(peer, process)
    return Turn(many / said["seconds"], said["cpu"] / many * 1000)


def _answer(peer: Peer, process: "subprocess.Popen[str]") -> dict[str, float]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{peer.package} ended without an answer, with {process.wait(20)}")
    found: dict[str, float] = json.loads(line)
    return found


def _print(found: dict[str, list[Turn]], steps: int) -> None:
    table = Table(title=f"一步（进程内，单线程），同一个数据库，轮流 {ROUNDS} 轮、每轮 {steps} 步，中位数")
    for title in ("项目", "每秒", "CPU ms", "我们比它", "要达到", ""):
        table.add_column(title, justify="left" if title in {"项目", ""} else "right")
    ours = found.pop("")
    table.add_row("wuye-loop", *_figures(ours), "", "", "")
    for peer in PEERS:
        theirs = found[peer.package]
        ratio = statistics.median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))
        missed = "" if ratio >= peer.wanted else "没有达到"
        called = f"{peer.package} {peer.version}"
        table.add_row(called, *_figures(theirs), f"{ratio:.2f}", f"≥ {peer.wanted:.1f}", missed)
    Console(width=110).print(table)


def _figures(turns: Sequence[Turn]) -> tuple[str, str]:
    return (
        f"{statistics.median(one.rate for one in turns):,.0f}",
        f"{statistics.median(one.cpu_ms for one in turns):.2f}",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
