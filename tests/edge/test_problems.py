import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import httpx
import psycopg.errors
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import exc as sa

from wuye_loop import logs
from wuye_loop.domain.errors import IllegalAction, Unavailable
from wuye_loop.domain.privacy.text import clean
from wuye_loop.edge import problems
from wuye_loop.edge.database_faults import fault
from wuye_loop.edge.requests import Requests
from wuye_loop.edge.strict_json import StrictRoute
from wuye_loop.ports import SeededIds

SECRET = "张三丰13812345678"


def never(text: str) -> str:
    raise ValueError(f"cannot parse {text}")


class Place(BaseModel):
    model_config = ConfigDict(extra="forbid")
    estate: str = Field(max_length=5)


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, AfterValidator(lambda text: clean(text, max_len=3))] = ""
    careless: Annotated[str, AfterValidator(never)] | None = None
    count: int = Field(1, ge=1, le=9)
    kind: Literal["求助", "投诉"] = "求助"
    place: Place | None = None
    places: list[Place] = []
    extra: dict[str, int] = {}


def make_app() -> FastAPI:
    router = APIRouter(route_class=StrictRoute)

    @router.post("/orders")
    async def orders(order: Order) -> None:
        """Take an order."""

    @router.get("/orders/{number}")
    async def one(number: int, limit: Annotated[int, Query(le=100)] = 10) -> int:
        return number + limit

    @router.get("/fail/{how}")
    async def fail(how: str) -> None:
        failures: dict[str, Exception] = {
            "illegal": IllegalAction("此时不能办结", actions=["sign"]),
            "later": Unavailable(retry_after=9),
            "bug": RuntimeError(SECRET),
            "http": HTTPException(418, SECRET),
            "http500": HTTPException(500, SECRET),
            "unauthenticated": HTTPException(401, SECRET, {"WWW-Authenticate": "Bearer"}),
            "surrogate": IllegalAction("\ud800", huge=2**70),
            "pool": sa.TimeoutError(SECRET),
            "data": sa.DataError(SECRET, {}, psycopg.errors.UntranslatableCharacter(SECRET)),
        }
        raise failures[how]

    app = FastAPI()
    app.include_router(router, prefix="/v1")
    problems.install(app)
    app.add_middleware(Requests, ids=SeededIds(1))
    return app


APP = make_app()


def ask(method: str, path: str, **more: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=APP), base_url="http://test") as client:
            return await client.request(method, path, **more)

    return asyncio.run(send())


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    root.handlers[:], root.level = before


def test_an_error_of_ours_is_a_problem_document_with_its_members() -> None:
    answer = ask("GET", "/v1/fail/illegal", headers={"X-Request-Id": "abc-1"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/problems/illegal-action",
        "title": "当前不能执行此操作",
        "status": 409,
        "detail": "此时不能办结",
        "actions": ["sign"],
        "request_id": "abc-1",
    }
    assert ask("GET", "/v1/fail/later").headers["retry-after"] == "9"


@pytest.mark.parametrize(
    ("body", "path", "problem"),
    [
        ({"count": 99}, "body.count", "应不大于 9"),
        ({"count": "many"}, "body.count", "应为整数"),
        ({"kind": SECRET}, "body.kind", "应为下列之一：'求助' or '投诉'"),
        ({"place": {"estate": SECRET}}, "body.place.estate", "过长，最多 5 个字"),
        ({"place": {}}, "body.place.estate", "缺少此项"),
        ({"places": [{"estate": "a"}, SECRET]}, "body.places.1", "应为对象"),
        ({"title": SECRET}, "body.title", "过长，最多 3 个字"),
        ({"title": "a\x07"}, "body.title", "含有不允许的控制字符"),
        ({"careless": SECRET}, "body.careless", "内容不符合要求"),
        ({SECRET: 1}, "body", "含有未知字段"),
        ({"place": {"estate": "a", SECRET: 1}}, "body.place", "含有未知字段"),
        ({"extra": {SECRET: "x"}}, "body.extra", "应为整数"),
        ([SECRET], "body", "应为对象"),
    ],
)
def test_a_mistake_is_said_by_path_and_words_and_never_repeated(
    body: object, path: str, problem: str, log: io.StringIO
) -> None:
    answer = ask("POST", "/v1/orders", json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-input")
    assert answer.json()["fields"] == [{"path": path, "problem": problem}]
    for piece in (SECRET, "张三丰", "13812345678"):
        assert piece not in answer.text
        assert piece not in log.getvalue()


def test_an_over_long_field_gets_a_short_answer_and_many_mistakes_get_twenty() -> None:
    assert len(ask("POST", "/v1/orders", json={"place": {"estate": "x" * 200_000}}).content) < 1000
    answer = ask("POST", "/v1/orders", json={"places": [{} for _ in range(500)]})
    assert len(answer.json()["fields"]) == 20


@pytest.mark.parametrize(
    "path", ["/v1/orders/abc", "/v1/orders/1?limit=500", "/v1/orders/" + "9" * 5000, "/v1/orders/%ED%A0%80"]
)
def test_path_and_query_are_checked_alike(path: str) -> None:
    answer = ask("GET", path)
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["path"] in ("path.number", "query.limit")
    assert len(answer.content) < 1000


def test_the_frameworks_own_errors_are_problem_documents_too() -> None:
    missing = ask("GET", "/v1/nothing/" + SECRET)
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    method = ask("DELETE", "/v1/orders/1")
    assert (method.status_code, method.json()["type"], method.headers["allow"]) == (
        405,
        "/problems/method-not-allowed",
        "GET",
    )
    for how, status in (("http", 400), ("http500", 500), ("unauthenticated", 401)):
        answer = ask("GET", f"/v1/fail/{how}")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert SECRET not in answer.text
    assert ask("GET", "/v1/fail/unauthenticated").headers["www-authenticate"] == "Bearer"


def test_a_bug_is_a_500_with_an_id_that_finds_its_log_line(log: io.StringIO) -> None:
    answer = ask("GET", "/v1/fail/bug")
    assert answer.status_code == 500
    assert SECRET not in answer.text
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    faults = [line for line in lines if line["event"] == "unforeseen"]
    assert len(faults) == 1
    assert faults[0]["request_id"] == answer.json()["request_id"] == answer.headers["x-request-id"]
    assert faults[0]["exception"] == ["builtins.RuntimeError"]
    assert any("test_problems.py" in frame for frame in faults[0]["frames"])
    assert SECRET not in log.getvalue()
    assert [line["status"] for line in lines if line["event"] == "request"] == [500]


def test_an_error_that_holds_what_json_cannot_is_still_answered() -> None:
    answer = ask("GET", "/v1/fail/surrogate")
    assert (answer.status_code, answer.json()["huge"]) == (409, 2**70)


def test_a_busy_database_is_503_and_a_text_it_cannot_hold_422() -> None:
    busy = ask("GET", "/v1/fail/pool")
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "2")
    data = ask("GET", "/v1/fail/data")
    assert (data.status_code, SECRET in data.text) == (422, False)


@pytest.mark.parametrize(
    ("wrapper", "cause", "status", "retry"),
    [
        (sa.OperationalError, psycopg.errors.LockNotAvailable, 503, "1"),
        (sa.OperationalError, psycopg.errors.QueryCanceled, 503, "1"),
        (sa.OperationalError, psycopg.errors.DeadlockDetected, 503, "1"),
        (sa.OperationalError, psycopg.errors.SerializationFailure, 503, "1"),
        (sa.OperationalError, psycopg.errors.AdminShutdown, 503, "2"),
        (sa.OperationalError, psycopg.errors.DiskFull, 503, "2"),
        (sa.InternalError, psycopg.errors.ReadOnlySqlTransaction, 503, "2"),
        (sa.OperationalError, psycopg.OperationalError, 503, "2"),
        (sa.InterfaceError, psycopg.InterfaceError, 503, "2"),
        (sa.DataError, psycopg.DataError, 422, None),
        (sa.DataError, psycopg.errors.NumericValueOutOfRange, 422, None),
        (sa.IntegrityError, psycopg.errors.UniqueViolation, 409, None),
    ],
)
def test_every_refusal_of_the_database_has_its_answer(
    wrapper: type[sa.DBAPIError], cause: type[psycopg.Error], status: int, retry: str | None
) -> None:
    known = fault(wrapper("select", {}, cause("x")))
    assert known is not None
    assert (known.status, known.headers.get("Retry-After")) == (status, retry)


def test_a_lost_connection_is_503_and_our_own_mistakes_are_not_excused() -> None:
    lost = fault(sa.DBAPIError("select", {}, psycopg.Error("x"), connection_invalidated=True))
    assert lost is not None
    assert lost.status == 503
    assert fault(sa.ProgrammingError("select", {}, psycopg.errors.UndefinedTable("x"))) is None
    assert fault(sa.IntegrityError("insert", {}, psycopg.errors.ForeignKeyViolation("x"))) is None
    assert fault(sa.InvalidRequestError("x")) is None
