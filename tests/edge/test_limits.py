import asyncio
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request

from wuye_loop.edge import problems
from wuye_loop.edge.limits import _LINGER_SECONDS as LINGER
from wuye_loop.edge.limits import KIBIBYTE, MAX_BODY, Limits

SERVER = """
import sys, uvicorn
from fastapi import APIRouter, FastAPI
from wuye_loop.edge import problems
from wuye_loop.edge.limits import Limits
from wuye_loop.edge.requests import Requests
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.ports import SystemIds

router = APIRouter(route_class=StrictRoute)

@router.post("/v1/grievances")
async def one(body: dict[str, object]) -> int:
    return len(str(body))

@router.post("/v1/grievances:batch")
async def batch(body: dict[str, object]) -> int:
    return len(str(body))

app = FastAPI()
app.include_router(router)
problems.install(app)
app.add_middleware(Limits, bodies={"/v1/grievances:batch": 4 * 2**20})
app.add_middleware(Requests, ids=SystemIds())
uvicorn.run(app, fd=int(sys.argv[1]), log_level="warning", access_log=False)
"""
MEBIBYTE = 2**20


class Server:
    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid

    def peak_mib(self) -> float:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def post(self, body: bytes, path: str = "/v1/grievances") -> tuple[int, bytes]:
        with closing(self.connect()) as connection:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-c", SERVER, str(listening.fileno())]
        process = subprocess.Popen(command, pass_fds=[listening.fileno()])
        running = Server(listening.getsockname()[1], process.pid)
        try:
            assert running.post(b'{"a": 1}') == (200, b"8")
            yield running
        finally:
            process.terminate()
            process.wait(10)


def body_of(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(server: Server) -> None:
    assert server.post(body_of(MAX_BODY))[0] == 200
    status, answer = server.post(body_of(MAX_BODY + 1))
    assert status == 413
    assert b"/problems/too-large" in answer
    assert b"request_id" in answer


def test_a_batch_may_be_larger(server: Server) -> None:
    assert server.post(body_of(MEBIBYTE), "/v1/grievances:batch")[0] == 200
    assert server.post(body_of(5 * MEBIBYTE), "/v1/grievances:batch")[0] == 413


def test_thirty_megabytes_are_refused_with_an_answer_and_flat_memory(server: Server) -> None:
    server.post(body_of(MAX_BODY))
    before = server.peak_mib()
    body = body_of(30 * MEBIBYTE)
    for _ in range(3):
        assert server.post(body)[0] == 413
    assert server.peak_mib() - before < 8


def test_an_announced_size_is_refused_before_anything_is_sent(server: Server) -> None:
    with closing(server.connect()) as connection:
        connection.putrequest("POST", "/v1/grievances")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(30 * MEBIBYTE))
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert len(answer.read()) > 0


def test_an_endless_chunked_body_is_cut_off_with_flat_memory(server: Server) -> None:
    before = server.peak_mib()
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent, began = 0, time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall(
            b"POST /v1/grievances HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        with pytest.raises(ConnectionError):  # noqa: PT012 which of the sends fails is the server's choice
            while time.perf_counter() - began < 10 * LINGER:
                wire.sendall(chunk)
                sent += len(chunk)
    assert time.perf_counter() - began < 5 * LINGER
    assert sent > MAX_BODY
    assert server.peak_mib() - before < 8


def test_a_chunked_body_over_the_limit_gets_its_answer(server: Server) -> None:
    with closing(server.connect()) as connection:
        chunks = iter([b"x" * 65536] * 8)
        connection.request("POST", "/v1/grievances", chunks, {"Content-Type": "application/json"}, encode_chunked=True)
        assert connection.getresponse().status == 413


def test_the_server_serves_on_afterwards(server: Server) -> None:
    assert server.post(b'{"a": 1}') == (200, b"8")


def ask(app: FastAPI, path: str = "/", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            return await client.post(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return asyncio.run(send())


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.post("/")
    async def swallow(request: Request) -> str:
        try:
            await request.body()
        except Exception:  # noqa: BLE001 an endpoint that hides every error must not hide this one
            return "swallowed"
        return "read"

    problems.install(app)
    app.add_middleware(Limits, body=10)
    return app


def test_addresses_and_headers_have_bounds_too(app: FastAPI) -> None:
    assert ask(app).status_code == 200
    assert ask(app, "/?q=" + "x" * 8 * KIBIBYTE).status_code == 414
    assert ask(app, X_Long="x" * 64 * KIBIBYTE).status_code == 431


@pytest.mark.parametrize(
    ("length", "status"), [("-1", 400), ("abc", 400), ("1e9", 400), ("11", 413), ("9" * 5000, 413)]
)
def test_an_announced_length_is_a_number_within_the_limit(app: FastAPI, length: str, status: int) -> None:
    assert ask(app, Content_Length=length).status_code == status


def test_an_endpoint_cannot_hide_that_a_body_was_too_large(app: FastAPI) -> None:
    async def send() -> httpx.Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(4):
                yield b"12345"

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            return await client.post("/", content=chunks())

    answer = asyncio.run(send())
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
