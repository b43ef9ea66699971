"""A client that costs little, for it shares the machine with the server: prepared bytes over plain sockets."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of requests came to."""

    done: int
    bad: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.done / self.seconds


def request(path: str, key: str, body: bytes) -> bytes:
    """Return the bytes of a POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def fire(port: int, requests: Sequence[bytes], clients: int) -> Load:
    """Send the requests over as many keep-alive connections, each waiting for its answer, and time them."""
    queue = iter(requests)
    latencies: list[float] = []
    bad = 0

    async def one() -> None:
        nonlocal bad
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for message in queue:
            began = time.perf_counter()
            writer.write(message)
            head = await reader.readuntil(_HEAD_END)
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - began)
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
                bad += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    return Load(len(latencies), bad, time.perf_counter() - began, sorted(latencies))
