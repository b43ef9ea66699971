"""A flood does not shut the door: the real server under load, with its bounds and, as the mutant, without them.

What is compared is the same thing done twice on the same machine in the same minute, never a time.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

import pytest
from tests.site import Town, town_on

from wuye_loop.domain.privacy.access.api_keys import mint
from wuye_loop.store.database import Database

pytestmark = [pytest.mark.anyio, pytest.mark.proof]
# As `serve` does it, but on a test's database, which `serve` refuses because it would not survive a power cut.
SERVER = """
import socket
from wuye_loop import logs
from wuye_loop.app import create_app, make_site
from wuye_loop.edge.connections import server
from wuye_loop.settings import Settings
from wuye_loop.store.database import Database

logs.configure("ERROR")
settings = Settings()
door = socket.create_server(("127.0.0.1", 0), backlog=512)
print(door.getsockname()[1], flush=True)
server(create_app(make_site(settings, Database(settings.database_url, pool_size=10))), settings).run(sockets=[door])
"""
OFF = {
    "WUYE_CONNECTIONS": "0", "WUYE_HEADER_SECONDS": "0", "WUYE_BODY_SECONDS": "0", "WUYE_RATE_READS": "0",
    "WUYE_RATE_ADDRESS": "0", "WUYE_RATE_WRONG_KEYS": "0", "WUYE_RATE_INTAKE": "0",
}  # fmt: skip


@contextmanager
def served(town: Town, settings: Mapping[str, str], files: int = 1024) -> Iterator[int]:
    """Serve the town's database in a process of its own, with so many open files at most; give its port."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("WUYE_")}
    own |= {"WUYE_DATABASE_URL": town.database.url, "WUYE_DATA": str(town.site.settings.data), **settings}
    limited = ["bash", "-c", f'ulimit -n {files}; exec "$0" -c "$1"', sys.executable, SERVER]
    process = subprocess.Popen(limited, env=own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate(timeout=30)


def request(path: str, key: str | None, more: str = "") -> bytes:
    shown = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{shown}{more}\r\n".encode()


async def ask(port: int, sent: bytes, seconds: float = 20) -> int:
    """Ask on a connection of its own; return the status, 0 where none came."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            answer = await reader.read()
            writer.close()
            return int(answer.split()[1]) if answer else 0
    except (OSError, TimeoutError):
        return 0


async def flood(port: int, sent: bytes, stop: asyncio.Event) -> Counter[int]:
    """Ask again and again on one connection, without ever waiting as one is told to; count the answers."""
    answers: Counter[int] = Counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not stop.is_set():
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        answers[int(head.split()[1])] += 1
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
    writer.close()
    return answers


async def served_meanwhile(port: int, flooding: bytes, mine: bytes) -> tuple[float, Counter[int]]:
    """Return how long somebody's ten requests take in a flood, in multiples of what they take alone, and the flood's answers.

    Each of the ten must be answered.
    """

    async def ten() -> float:
        began = perf_counter()
        for _ in range(10):
            assert await ask(port, mine) == 200
        return perf_counter() - began

    alone = min([await ten() for _ in range(3)])
    stop = asyncio.Event()
    floods = [asyncio.create_task(flood(port, flooding, stop)) for _ in range(48)]
    await asyncio.sleep(1)
    try:
        flooded = min([await ten() for _ in range(3)])
    finally:
        stop.set()
        answers = await asyncio.gather(*floods)
    return flooded / alone, sum(answers, Counter())


async def test_one_keys_flood_does_not_starve_another_key(database: Database) -> None:
    with town_on(database) as town:
        flooding, mine = (request("/v1/grievances", town.keys[who]) for who in ("supervisor", "auditor"))
        with served(town, {"WUYE_RATE_READS": "20"}) as port:
            held = await served_meanwhile(port, flooding, mine)
        with served(town, OFF) as port:
            mutant = await served_meanwhile(port, flooding, mine)
        assert held[1][429] > held[1][200], (held, mutant)
        assert held[0] < mutant[0] / 2, (held, mutant)


async def test_a_flood_of_wrong_keys_does_not_starve_a_right_one(database: Database) -> None:
    with town_on(database) as town:
        flooding, mine = request("/v1/grievances", mint(bytes(32))), request("/v1/grievances", town.keys["auditor"])
        with served(town, {}) as port:
            held = await served_meanwhile(port, flooding, mine)
        with served(town, OFF) as port:
            mutant = await served_meanwhile(port, flooding, mine)
        assert held[1][401] * 4 < mutant[1][401], (held, mutant)
        assert held[0] < mutant[0], (held, mutant)


async def half_opened(port: int, number: int) -> list[asyncio.StreamWriter]:
    """Open connections and begin a request on each, and no more."""
    found = []
    for _ in range(number):
        try:
            async with asyncio.timeout(2):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
        except (OSError, TimeoutError):
            continue
        writer.write(b"GET /healthz HT")
        found.append(writer)
    return found


async def test_half_open_connections_do_not_shut_the_door(database: Database) -> None:
    with town_on(database) as town:
        asks = request("/healthz", None)
        answered = {}
        for name, settings in (("bounded", {"WUYE_CONNECTIONS": "100"}), ("mutant", OFF)):
            with served(town, settings, files=250) as port:
                assert await ask(port, asks) == 200
                open_ = await half_opened(port, 400)
                answered[name] = [await ask(port, asks, 3) for _ in range(5)]
                for writer in open_:
                    writer.transport.abort()
        assert answered == {"bounded": [200] * 5, "mutant": [0] * 5}


async def test_slow_bodies_and_slow_readers_do_not_shut_the_door(database: Database) -> None:
    with town_on(database) as town:
        body = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx"
        with served(town, {"WUYE_CONNECTIONS": "100"}, files=250) as port:
            slow = []
            for _ in range(300):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(body)
                slow.append(writer)
            assert [await ask(port, request("/healthz", None)) for _ in range(5)] == [200] * 5
            for writer in slow:
                writer.transport.abort()
