"""What a running installation costs: verification, memory, starting, what a grievance takes. `python -m tests.bench.living [--quick] [--steps N]`.

Each figure stands beside what is wanted. Times are of the processor where that is what is wanted; what else the machine does
makes the others longer.
"""

import asyncio
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console
from rich.table import Table

from tests import ROOT
from tests.bench import client, serving, size, town
from tests.site import Town
from wuye_loop import logs
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.edge.site import Site
from wuye_loop.edge.transact import taken_in
from wuye_loop.loop.collect import Incoming, collect
from wuye_loop.ports import SettableClock
from wuye_loop.queries.verification import verify

PROCESSES = 2
_CLIENTS = 16
_A_SECOND = 400  # below what one key may do, 500 actions a second: memory is measured here, not speed
_PROGRAM = Path(sys.executable).with_name("wuye-loop")
_err = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, how much, how much is wanted, in which unit; `most`: no more than that is wanted."""

    what: str
    measured: float
    wanted: float
    unit: str
    most: bool = False
    said: str = ""

    @property
    def missed(self) -> bool:
        """Whether it is not what is wanted."""
        return self.measured > self.wanted if self.most else self.measured < self.wanted


def main(words: Sequence[str]) -> None:
    """Measure and print."""
    logs.configure("WARNING")
    quick = "--quick" in words
    steps = int(words[words.index("--steps") + 1]) if "--steps" in words else 300 if quick else 20_000
    rows = _starting(1 if quick else 5)
    with town.installation() as (site, clock):
        rows += _memory(site.database.url, site.settings.data, town.found(site), steps)
        town.assigned(site, 5_000_000, (count := 200 if quick else 3000))
        rows += _verified(site, clock, "每件收件、受理、签收", count)
        rows += _longest(site)
    with town.installation() as (site, clock):
        town.found(site)
        town.rated(site, clock, 0, count)
        rows += _verified(site, clock, "每件走到评价", count)
    taken = size.whole(size.measured(size.MANY // 10 if quick else size.MANY))
    rows.append(Row("每件占多少（接收、受理、签收，含死行）", taken, size.WANTED, "字节", most=True))
    shown(rows, "一套装好的系统")


def shown(rows: Sequence[Row], title: str) -> None:
    """Print the table."""
    table = Table(title=title)
    for name in ("项目", "测得", "要达到", ""):
        table.add_column(name, justify="left" if name in {"项目", ""} else "right")
    for row in rows:
        sign = "≤" if row.most else "≥"
        wanted = f"{sign} {row.wanted:,.10g} {row.unit}"
        table.add_row(row.what, f"{row.measured:,.4g} {row.unit}{row.said}", wanted, "没有达到" if row.missed else "")
    Console(width=120).print(table)


# --- starting -------------------------------------------------------------------------------------------------------


def _starting(times: int) -> list[Row]:
    _err.print("启动 …")
    helped = statistics.median(_cpu("--help") for _ in range(times))
    checked = statistics.median(_cpu("check", str(ROOT / "workflows" / "kuiwen@1.yaml")) for _ in range(times))
    with tempfile.TemporaryDirectory() as folder:
        _up(Path(folder))  # what is made the first time
        started = statistics.median(_up(Path(folder)) for _ in range(max(1, times // 2)))
    return [
        Row("--help（CPU）", helped, 0.15, "秒", most=True),
        Row("check 一份流程（CPU）", checked, 0.4, "秒", most=True),
        Row("up，已有数据，到第一个 200（CPU）", started, 1.5, "秒", most=True),
    ]


def _cpu(*words: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(_PROGRAM), *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _up(data: Path) -> float:
    """Run `up` on a data folder until it answers 200, stop it, and return its processor's seconds till then."""
    environment = {**os.environ, "WUYE_DATA": str(data), "WUYE_LOG_LEVEL": "WARNING"}
    command = [str(_PROGRAM), "up", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = ""
        while (found := re.search(r"http://[\d.]+:(\d+)", said)) is None:
            said = process.stderr.readline()
            if not said:
                raise RuntimeError(f"the program ended with {process.wait()}")
        _answers(int(found[1]))
        return serving.cpu_seconds(process.pid) or 0.0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def _answers(port: int) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("the program did not get ready")


# --- memory ---------------------------------------------------------------------------------------------------------


def _memory(url: str, data: Path, keys: dict[str, str], steps: int) -> list[Row]:
    """Take so many steps over HTTP: intakes, each accepted and signed for; return what the process holds then."""
    _err.print(f"{steps:,} 步 …")
    held: list[float] = []
    share = steps // 3 // 3
    with serving.server(url, data) as (port, pid):
        for part in range(3):
            _lived(port, keys, part * share, share)
            held.append(_resident(pid))
    said = "（三段之后各 " + "、".join(f"{one:.0f}" for one in held) + "）"
    return [
        Row(f"{3 * 3 * share:,} 步之后的内存", held[-1], 150, "MB", most=True, said=said),
        Row("后一段比前一段多", held[-1] / held[1], 1.05, "倍", most=True),
    ]


def _lived(port: int, keys: dict[str, str], first: int, count: int) -> None:
    orders = [orjson.dumps(town.order(first + n)) for n in range(count)]
    _fired(port, [client.request("/v1/grievances", keys["hotline"], body) for body in orders])
    numbers = _numbers(port, keys["hotline"], first, count)
    for action, who in (("accept", "property-centre"), ("sign", "market")):
        _fired(port, [client.request(f"/v1/grievances/{one}/actions/{action}", keys[who], b"{}") for one in numbers])


def _numbers(port: int, key: str, first: int, count: int) -> list[str]:
    """Return the numbers of what was sent: asking again for an order gives what it came to."""
    found = []
    for n in range(first, first + count):
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/grievances?external_id=bench-{n}&limit=1",
            headers={"Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 our own
            found.append(orjson.loads(answer.read())["items"][0]["number"])
    return found


def _fired(port: int, requests: Sequence[bytes]) -> None:
    for first in range(0, len(requests), _A_SECOND):
        load = asyncio.run(client.fire(port, requests[first : first + _A_SECOND], _CLIENTS))
        if load.bad:
            raise RuntimeError(f"{load.bad} of {load.done} requests failed")
        time.sleep(max(0.0, 1 - load.seconds))


def _resident(pid: int) -> float:
    """Return how much memory a process holds, in MB."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


# --- the longest order that is taken --------------------------------------------------------------------------------

_LONGEST: Final = 20_000  # characters of a body
_BODIES: Final = {
    "平常的话": "三号楼电梯自周四起停运，家中有老人无法下楼，多次联系物业没有结果，希望尽快维修。",
    "满篇是人名和房号": "我是张三丰，住3号楼2单元501，",
}


def _longest(site: Site) -> list[Row]:
    """Take in the longest orders that the form lets in; return our processor's time for each, the median of five."""
    rows = []
    for first, (what, words) in enumerate(_BODIES.items()):
        body = (words * (_LONGEST // len(words) + 1))[:_LONGEST]
        used = []
        for n in range(5):
            form = IntakeForm.model_validate(town.order(8_000_000 + 10 * first + n) | {"body": body})
            began = time.process_time()
            with site.database.begin() as session:
                collect(site.loop, session, form, town.HOTLINE)
            used.append((time.process_time() - began) * 1000)
        rows.append(
            Row(f"收一件最长的（{_LONGEST:,} 字，{what}，CPU）", statistics.median(used), 50, "毫秒", most=True)
        )
    return rows


# --- verification ---------------------------------------------------------------------------------------------------


def _verified(site: Site, clock: SettableClock, what: str, count: int) -> list[Row]:
    """Verify all of a town; then what a tenth of so many more orders adds."""
    _err.print("核对 …")
    whole, rows = _verifying(site, None)
    clock.advance(timedelta(hours=1))
    later = clock.now()
    town.assigned(site, 6_000_000, count // 10)
    some, few = _verifying(site, later)
    return [
        Row(f"verify，两个进程，{what}", rows / whole, 15_000, "行/秒", said=f"（{rows:,} 行 {whole:.1f} 秒）"),
        Row(f"verify --since（{few:,} 行）比全部", some / whole, 0.5, "倍", most=True, said=f"（{some:.1f} 秒）"),
    ]


def _verifying(site: Site, since: datetime | None) -> tuple[float, int]:
    began = time.perf_counter()
    report = verify.verify(site.loop, site.database, since=since, processes=PROCESSES)
    if not report.ok:
        raise RuntimeError(f"verification found: {list(report.problems)[:3]}")
    return time.perf_counter() - began, report.rows


# --- the sweep ------------------------------------------------------------------------------------------------------


def sweep(town_: Town, due: int) -> Row:
    """Bring so many rungs to be due in a city and fire them; return how many a second."""
    site, actors = town_.site, town_.actors
    orders = [
        Incoming(IntakeForm.model_validate(town.order(7_000_000 + n) | {"place": {"estate": f"E{n % 2000}"}}))
        for n in range(due // 2)
    ]
    for found in taken_in(site, orders, actors["hotline"], site.database.write):
        if isinstance(found, Exception):
            raise found
    town_.clock.advance(timedelta(days=40))
    fired, seconds, used = town.swept(site)
    return Row(
        "督办扫描", fired / seconds, 2500, "级/秒", said=f"（{fired:,} 级，每级 CPU {used / fired * 1000:.2f} 毫秒）"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
