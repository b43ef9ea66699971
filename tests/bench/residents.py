"""Two hundred residents at once, each with a telephone, beside a hotline that goes on taking orders in.

`python -m tests.bench.residents [residents] [seconds]`: each opens the form of the code on the wall, writes, sends it, and looks
at what became of it, within so many seconds (30; 0 is all in the same instant). Over loopback, and never more than 1,000.
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import orjson
from rich.console import Console

from tests.bench import client, serving, town
from wuye_loop import logs, postgres
from wuye_loop.app import make_site
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database

_MOST = 1_000
_HOTLINE_PER_SECOND, _HOTLINE_ALONE = 10, 30
_ONCE = re.compile(rb'name="once" value="([^"]+)"')
_SPREAD = 89  # no common factor with a round number of residents: they come in no order
_WORDS = "三号楼电梯停了两天，没有人来修，家里老人下不了楼。"


@dataclass(slots=True)
class Seen:
    """How long each kind of request took, in milliseconds, and what went wrong."""

    took: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, what: str, began: float) -> None:
        """Note one request."""
        self.took.setdefault(what, []).append((time.perf_counter() - began) * 1000)


@dataclass(slots=True)
class Phone:
    """One telephone: a connection of its own, from an address of its own, as the proxy in front says."""

    port: int
    address: str
    seen: Seen

    async def resident(self, wait: float) -> None:
        """Open the form, write for a while, send it, and look at the progress."""
        await asyncio.sleep(wait / 2)
        async with self._connected() as (reader, writer):
            page, _ = await self._asked(reader, writer, "form", "/r/E1")
        once = _ONCE.search(page)
        if once is None:
            self.seen.wrong.append("the form was not shown")
            return
        await asyncio.sleep(wait / 2)
        form = {"once": once[1].decode(), "category": "电梯", "body": f"{_WORDS}{self.address}", "phone": "13900000000"}
        async with self._connected() as (reader, writer):
            _, head = await self._asked(reader, writer, "filing", "/r/E1", urlencode(form).encode())
            where = head.get("location", "")
            if not where.startswith("/p/"):
                self.seen.wrong.append(f"filing was answered with {head[':status']}")
                return
            receipt, _ = await self._asked(reader, writer, "receipt", where)
        if "收到了" not in receipt.decode():
            self.seen.wrong.append("no receipt")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def _asked(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        what: str,
        path: str,
        body: bytes | None = None,
    ) -> tuple[bytes, Mapping[str, str]]:
        head = [
            f"{'POST' if body is not None else 'GET'} {path} HTTP/1.1",
            "Host: bench",
            f"X-Forwarded-For: {self.address}",
        ]
        if body is not None:
            head += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        began = time.perf_counter()
        writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + (body or b""))
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        found = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        content = await reader.readexactly(int(found.get("content-length", "0")))
        self.seen.add(what, began)
        return content, found | {":status": lines[0].split()[1]}


def main() -> None:
    """Measure and print."""
    residents = min(_MOST, int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    logs.configure("WARNING")
    os.environ["WUYE_TRUSTED_PROXIES"] = "127.0.0.1"
    with tempfile.TemporaryDirectory() as folder, postgres.temporary() as own:
        Path(folder).chmod(0o711)
        database = Database(own.url, pool_size=4)
        database.migrate()
        key = town.found(make_site(Settings(data=Path(folder)), database))["hotline"]
        with serving.server(own.url, Path(folder)) as (port, pid):
            asyncio.run(_warm(port, key))
            alone = asyncio.run(_hotline(port, key, 1_000, _HOTLINE_ALONE))
            before = serving.cpu_seconds(pid) or 0.0
            seen, beside = asyncio.run(_together(port, key, residents, seconds))
            used = (serving.cpu_seconds(pid) or 0.0) - before
        with database.read() as session:
            kept = (
                session.connection()
                .exec_driver_sql("SELECT count(*) FROM grievance WHERE channel = '扫码'")
                .scalar_one()
            )
        database.dispose()
    say = Console(width=120).print
    say(f"residents {residents} within {seconds:g} s; kept {kept - 1} of {residents}; load {os.getloadavg()[0]:.1f}")
    for what, took in (*seen.took.items(), ("hotline alone", alone), ("hotline beside", beside)):
        say(
            f"{what:14} n {len(took):4}  p50 {_at(took, 0.5):6.0f} ms  p95 {_at(took, 0.95):6.0f} ms  most {max(took):6.0f} ms"
        )
    say(f"server CPU {used:.1f} s; wrong: {seen.wrong[:5] or 'nothing'}")
    if seen.wrong or kept != residents + 1:  # one to warm up
        raise SystemExit(1)


async def _warm(port: int, key: str) -> None:
    seen = Seen()
    await Phone(port, "10.9.9.9", seen).resident(0)
    await _hotline(port, key, 0, 10)
    assert not seen.wrong, seen.wrong


async def _hotline(port: int, key: str, first: int, count: int) -> list[float]:
    """Take orders in, so many a second, each on the hotline's own connection; return how long each took."""
    took = []
    for n in range(first, first + count):
        began = time.perf_counter()
        load = await client.fire(port, [client.request("/v1/grievances", key, orjson.dumps(town.order(n)))], 1)
        if load.bad:
            raise RuntimeError("the hotline's order was refused")
        took.append(load.latencies[0] * 1000)
        await asyncio.sleep(max(0.0, 1 / _HOTLINE_PER_SECOND - (time.perf_counter() - began)))
    return took


async def _together(port: int, key: str, residents: int, seconds: float) -> tuple[Seen, list[float]]:
    seen = Seen()
    phones = [Phone(port, f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", seen) for n in range(residents)]
    hotline = asyncio.create_task(_hotline(port, key, 2_000, max(20, int(seconds * _HOTLINE_PER_SECOND))))
    await asyncio.gather(
        *(phone.resident(seconds * (n * _SPREAD % residents) / residents) for n, phone in enumerate(phones))
    )
    return seen, await hotline


def _at(took: list[float], share: float) -> float:
    return sorted(took)[min(len(took) - 1, int(len(took) * share))]


if __name__ == "__main__":
    main()
