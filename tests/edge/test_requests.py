import asyncio
import io
import json
import logging
import uuid
from collections.abc import Iterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response

from wuye_loop import logs, metrics
from wuye_loop.edge import problems
from wuye_loop.edge.requests import Requests
from wuye_loop.ports import SystemIds

router = APIRouter()


@router.get("/grievances/{number}")
async def read(number: str, request: Request) -> str:
    request.state.key_id = "key-7"
    return number


@router.get("/page")
async def page() -> Response:
    return Response("x", headers={"Content-Security-Policy": "default-src 'self'", "Cache-Control": "max-age=5"})


APP = FastAPI()
APP.include_router(router, prefix="/v1")
problems.install(APP)
APP.add_middleware(Requests, ids=SystemIds())


def get(path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=APP), base_url="http://test") as client:
            return await client.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return asyncio.run(send())


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    root.handlers[:], root.level = before


def test_one_line_says_what_was_asked_by_template_and_not_what_for(log: io.StringIO) -> None:
    get("/v1/grievances/13812345678?q=张三丰")
    [line] = [json.loads(text) for text in log.getvalue().splitlines() if '"wuye_loop.request"' in text]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/grievances/{number}", 200)
    assert line["key_id"] == "key-7"
    assert line["ms"] > 0
    assert "13812345678" not in log.getvalue()
    assert "张三丰" not in log.getvalue()


def test_an_unmatched_path_and_an_invented_method_are_not_labels(log: io.StringIO) -> None:
    get("/wp-admin/张三")
    get("/v1/page", "SECRET")
    shown = metrics.render().decode()
    assert 'wuye_http_requests_total{method="GET",route="unmatched",status="404"}' in shown
    assert 'method="OTHER"' in shown
    assert "SECRET" not in shown + log.getvalue()
    assert "wp-admin" not in shown + log.getvalue()


def test_a_sensible_request_id_is_kept_and_any_other_replaced() -> None:
    assert get("/v1/page", X_Request_Id="a.B_c-1").headers["x-request-id"] == "a.B_c-1"
    for bad in ("", "a b", "x" * 65, "<script>"):
        assert uuid.UUID(get("/v1/page", X_Request_Id=bad).headers["x-request-id"]).version == 7


def test_every_answer_carries_the_guarding_headers_unless_it_brought_its_own() -> None:
    answer = get("/v1/grievances/1")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    page = get("/v1/page")
    assert (page.headers["cache-control"], page.headers["content-security-policy"]) == (
        "max-age=5",
        "default-src 'self'",
    )
    assert "content-security-policy" not in get("/docs").headers
