import asyncio
import contextlib
import json
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Body, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.speed import cost, yardstick

from wuye_loop.domain.errors import BadInput, BadRequest, WuyeError
from wuye_loop.edge import problems
from wuye_loop.edge.strict_json import MAX_DEPTH, StrictRoute, loads

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii", min_codepoint=32)), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_every_honest_value_is_read_as_it_was_written(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0d8 1e+-.', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(body: bytes) -> None:
    try:
        loads(body)
    except WuyeError as error:
        assert error.status in (400, 422)  # noqa: PT017 a refusal is as right as a value
        assert error.detail  # noqa: PT017 and says why


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"{} {}",
        b"{'a': 1}",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        '{"标题": "x"}'.encode("gbk"),
        '{"a": 1}'.encode("utf-16"),
        b'"\\ud800"',
        b'{"a": "\\udfff x"}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 2}',
        b'[{"x": {"a": 1, "b": 2, "a": 1}}]',
        b'{"a": "\x00"}',
        b'"line\nbreak"',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 900 + b"]" * 900,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
    ],
)
def test_what_has_no_one_meaning_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b'"\\u0000"',
        b'{"a": ["x\\u0000y"]}',
        b'{"\\u0000": 1}',
        b"9223372036854775808",
        b"[-9223372036854775809]",
        b'{"a": 99999999999999999999999}',
        b"9" * 300,
    ],
)
def test_what_no_column_can_hold_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        loads(body)


def test_what_only_looks_dangerous_is_read() -> None:
    assert loads(rb'"\\u0000"') == r"\u0000"
    assert loads(b'"1234567890123456789012"') == "1234567890123456789012"
    assert loads(b"[9223372036854775807, -9223372036854775808]") == [2**63 - 1, -(2**63)]
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert loads(('"' + "[" * 100 + '"').encode()) == "[" * 100
    assert loads(b'"\\ud83d\\ude00"') == "😀"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"a":' * 50_000,
        b'"' * 262_144,
        b'"' + b"\\" * 262_142,
        b"[" + b"9" * 262_140 + b"]",
        b"[" + b"0," * 131_000 + b"0]",
        b"[" + b"{}," * 87_000 + b"{}]",
        b"{" + b",".join(b'"%d":1' % n for n in range(25_000)) + b"}",
        b"[" + b"[]," * 19_900 + b'"\\u0000"]',
        b"[" + b"9" * 4000 + (b"," + b"9" * 4000) * 60 + b"]",
        b" " * 262_144,
    ],
    ids=["arrays", "objects", "quotes", "escapes", "digits", "zeros", "empties", "members", "late", "longs", "blanks"],
)
def test_no_body_of_the_largest_size_is_dear_to_read(body: bytes) -> None:
    assert reading(body) < 16 * yardstick()


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"0," * 4_000_000 + b"0]",
        b"[" * 8_000_000,
        b'"' + b"\\u4e00" * 1_300_000 + b'"',
        b'"' + b"x" * 8_000_000 + b'"',
    ],
    ids=["zeros", "arrays", "escapes", "text"],
)
def test_a_batch_thirty_times_as_large_takes_no_more_than_its_share(body: bytes) -> None:
    assert reading(body) < 16 * yardstick() * len(body) / 262_144


def test_a_usual_body_is_cheap_to_read() -> None:
    order = {
        "external_id": "12345-20261121-000001",
        "title": "电梯停运",
        "body": "三号楼电梯停运三天" * 30,
        "place": {"estate": "金马小区", "area_code": "370705", "address": "3号楼"},
        "complainant": {"name": "张三", "phone": "13812345678", "anonymous": False},
        "extra": {},
    }
    body = json.dumps(order, ensure_ascii=False).encode()
    assert len(body) > 1000
    assert cost(lambda: [loads(body) for _ in range(50)], 20) / 50 < yardstick() / 150


def reading(body: bytes) -> float:
    """Return what one reading costs."""

    def once() -> None:
        with contextlib.suppress(WuyeError):  # some of these bodies are lawful
            loads(body)

    return cost(once)


class Place(BaseModel):
    estate: str


class Order(BaseModel):
    title: str
    place: Place | None = None


def make_app() -> FastAPI:
    router = APIRouter(route_class=StrictRoute)

    @router.post("/orders")
    async def orders(order: Order) -> str:
        return order.title

    @router.post("/maybe")
    async def maybe(title: Annotated[str | None, Body(embed=True)] = None) -> str | None:
        return title

    @router.post("/none")
    async def none() -> str:
        return "none"

    app = FastAPI()
    app.include_router(router, prefix="/v1")
    problems.install(app)
    return app


def post(path: str, content: bytes, content_type: str | None = "application/json") -> httpx.Response:
    async def send() -> httpx.Response:
        headers = {} if content_type is None else {"Content-Type": content_type}
        transport = httpx.ASGITransport(app=make_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(path, content=content, headers=headers)

    return asyncio.run(send())


def test_a_route_reads_its_model_strictly() -> None:
    assert post("/v1/orders", '{"title": "电梯"}'.encode()).json() == "电梯"
    twice = post("/v1/orders", b'{"title": "a", "title": "b"}')
    assert (twice.status_code, twice.json()["type"]) == (400, "/problems/bad-request")
    assert post("/v1/orders", b'{"title": "\\u0000"}').status_code == 422
    assert post("/v1/orders", b'{"title": "\\ud800"}').status_code == 400


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/json; charset=gbk", "application/xml", "multipart/form-data"]
)
def test_another_content_type_is_refused(kind: str | None) -> None:
    assert post("/v1/orders", b'{"title": "x"}', kind).status_code == 415


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])
def test_utf8_may_be_said(kind: str) -> None:
    assert post("/v1/orders", b'{"title": "x"}', kind).status_code == 200


def test_no_body_is_left_to_the_model_and_a_bodiless_route_asks_for_none() -> None:
    assert post("/v1/orders", b"", None).json()["fields"] == [{"path": "body", "problem": "缺少此项"}]
    assert post("/v1/maybe", b"", None).json() is None
    assert post("/v1/none", b"", None).json() == "none"


def test_the_schema_still_shows_the_model() -> None:
    operation = make_app().openapi()["paths"]["/v1/orders"]["post"]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Order"}
