"""JSON as it may come from outside: one meaning or none, and soon told which."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

import orjson
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute

from wuye_loop.domain.errors import BadInput, BadRequest, UnsupportedMedia
from wuye_loop.edge.actors import caller, holder

MAX_DEPTH = 32
MAX_CONTAINERS = 20_000  # a batch of 1,000 grievances has a quarter of it; more is an attack on our time
MAX_MEMBERS = 200_000

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_INT64 = 2**63
_INT64_DIGITS = len(str(-_INT64))
_JSON_UTF8 = re.compile(r"application/json(?:\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE)


class _DuplicateKey(ValueError):
    """Two members of one object have the same name."""


def loads(body: bytes) -> object:
    """Return the value of a strict JSON text in UTF-8, in time linear in its length.

    BadRequest for what is not JSON (also NaN, a byte order mark, lone surrogates), for a duplicate key and for too much
    nesting; BadInput for a NUL character and for a number that no database column holds. Words only, no input.
    """
    containers = body.count(b"{") + body.count(b"[")
    if containers > MAX_CONTAINERS or body.count(b",") > MAX_MEMBERS:
        raise BadRequest("JSON 的对象、数组或成员过多")
    try:
        # The first pass refuses everything malformed, infinite or bottomless at C speed, but lets the last duplicate win.
        orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest(
            "请求正文不是有效的 UTF-8 编码 JSON，或含有超出范围的数、不成对的代理字符、过深的嵌套"
        ) from None
    try:
        value = _DECODER.decode(str(body, "utf-8"))
    except _DuplicateKey:
        raise BadRequest("JSON 对象中有重复的键") from None
    except RecursionError:
        raise BadRequest(f"JSON 嵌套过深，最多 {MAX_DEPTH} 层") from None
    if containers > MAX_DEPTH or b"\\u0000" in body:
        _inspect(value)
    return value


#: Stands in a list for an item that holds a NUL or half a surrogate pair: no name that a sender can write.
TAINTED: dict[str, Any] = {"\0": None}


def loads_items(body: bytes) -> object:
    """Return the value of a strict JSON text whose `items` fail one by one: a tainted one is replaced by TAINTED.

    Raises what `loads` does for everything else.
    """
    try:
        return loads(body)
    except (BadRequest, BadInput):
        if b"\\u" not in body or body.count(b"{") + body.count(b"[") > MAX_CONTAINERS or body.count(b",") > MAX_MEMBERS:
            raise
        value = _tolerant(body)
        items = value.get("items") if isinstance(value, dict) else None
        if not isinstance(items, list) or not any(map(_tainted, items)):
            raise
        kept = {**value, "items": [TAINTED if _tainted(item) else item for item in items]}
        if _tainted({name: item for name, item in kept.items() if name != "items"}):
            raise
        return kept


def _tolerant(body: bytes) -> Any:
    try:
        return _TOLERANT.decode(str(body, "utf-8"))
    except (ValueError, RecursionError, BadInput):
        return None


def _not_finite(_: str) -> float:
    raise ValueError


def _tainted(value: object) -> bool:
    """Say whether a text somewhere in a value holds a NUL or half a surrogate pair; also of one that is too deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        texts = [item for item in level if isinstance(item, str)]
        texts += [name for item in level if isinstance(item, dict) for name in item]
        if any(_TAINT.search(text) for text in texts):
            return True
        level = list(_containers_of(level))
        if not level:
            return False
    return True


def _containers_of(level: Iterable[object]) -> Iterator[object]:
    for item in level:
        if isinstance(item, dict):
            yield from item.values()
        elif isinstance(item, list):
            yield from item


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateKey
    return members


def _within_int64(digits: str) -> int:
    # Length first: turning thousands of digits into a number takes time that grows with their square.
    if len(digits) > _INT64_DIGITS or not -_INT64 <= (value := int(digits)) < _INT64:
        raise BadInput("整数超出 64 位范围")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_int=_within_int64)
_TOLERANT = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_int=_within_int64, parse_constant=_not_finite)
_TAINT = re.compile("[\0\ud800-\udfff]")


def _inspect(root: object) -> None:
    """Look at every value, level by level; called only when the bytes hold what may be wrong."""
    level = list(_containers([root]))
    for _ in range(MAX_DEPTH):
        inner: list[dict[str, Any] | list[Any]] = []
        for container in level:
            if isinstance(container, dict):
                inner += _containers(container.keys())
                inner += _containers(container.values())
            elif container:
                inner += _containers(container)
        if not inner:
            return
        level = inner
    raise BadRequest(f"JSON 嵌套过深，最多 {MAX_DEPTH} 层")


def _containers(values: Iterable[Any]) -> Iterator[dict[str, Any] | list[Any]]:
    """Check the texts among these and yield what holds more; numbers were checked as they were read."""
    for value in values:
        kind = type(value)
        if kind is str:
            if "\0" in value:
                raise BadInput("文本中含有空字符（NUL）")
        elif kind is dict or kind is list:
            yield value


class StrictRequest(Request):
    """A request whose body is read strictly, once; `by_item`: its `items` fail one by one."""

    by_item = False

    async def json(self) -> Any:
        """Return the body's value; errors as in `loads`, UnsupportedMedia for another content type."""
        if not hasattr(self, "_strict"):
            body = await self.body()
            if not _JSON_UTF8.fullmatch(self.headers.get("content-type", "")):
                raise UnsupportedMedia("请求正文的内容类型应为 application/json（UTF-8）")
            self._strict = loads_items(body) if self.by_item else loads(body)
        return self._strict


_by_item: set[Callable[..., Any]] = set()


def by_item(endpoint: Endpoint) -> Endpoint:
    """Let an endpoint's `items` fail one by one: see `loads_items`."""
    _by_item.add(endpoint)
    return endpoint


Quick = Callable[[StrictRequest], Awaitable[Response | None]]
_quick: dict[Callable[..., Any], Quick] = {}


def quick(endpoint: Callable[..., Any]) -> Callable[[Quick], Quick]:
    """Let a function answer an endpoint's ordinary requests before FastAPI looks at them.

    It returns None for anything out of the ordinary; FastAPI then does all of it, and finds the words for what is wrong.
    """

    def remember(function: Quick) -> Quick:
        _quick[endpoint] = function
        return function

    return remember


class StrictRoute(APIRoute):
    """A route that takes only the query parameters it declares, each once, and whose JSON body passes through `loads`.

    All of that before FastAPI and its models see the request. A door that declares a closed model of parameters names
    the unknown ones itself; any other door takes none.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return the handler."""
        handle = super().get_route_handler()
        asks = bool(self.dependant.query_params)
        known = _asks_who(self.dependant)
        if self.body_field is None or isinstance(self.body_field.field_info, Form):

            async def plainly(request: Request) -> Response:
                if known:
                    await holder(request)
                if request.scope["query_string"]:
                    _look_at_query(request, asks=asks)
                return await handle(request)

            return plainly

        async def strictly(request: Request) -> Response:
            if known:  # before the body is read: a stranger's costs nothing
                await holder(request)
            if request.scope["query_string"]:
                _look_at_query(request, asks=asks)
            strict = StrictRequest(request.scope, request.receive)
            strict.by_item = self.endpoint in _by_item
            # Read here, because FastAPI turns any error inside its own reading into a bare 400.
            if await strict.body():
                await strict.json()
            quickly = _quick.get(self.endpoint)
            answer = await quickly(strict) if quickly is not None else None
            return answer if answer is not None else await handle(strict)

        return strictly


def _asks_who(dependant: Dependant) -> bool:
    """Say whether a door is for callers with a key."""
    return dependant.call in (holder, caller) or any(map(_asks_who, dependant.dependencies))


def _look_at_query(request: Request, *, asks: bool) -> None:
    """Raise BadInput for a parameter given twice, of which one would be taken in silence, and for any where none is asked."""
    given = request.query_params.multi_items()
    if given and not asks:
        raise BadInput("这个接口没有查询参数", fields=[{"path": "query", "problem": "含有未知参数"}])
    if len({name for name, _ in given}) < len(given):
        raise BadInput("查询参数重复", fields=[{"path": "query", "problem": "同一个参数写了两次"}])
