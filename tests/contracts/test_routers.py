"""What every router kind owes: run over all that are registered, so a third party's router meets the same tests."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any, ClassVar

import httpx
import pytest
import structlog
from pydantic import ValidationError
from tests.speed import cost, yardstick

from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.language.workflow import RouterCall
from wuye_loop.domain.routing.chain import choose, registry, router_params
from wuye_loop.domain.routing.protocol import HttpAsk, Precedent, Reply, RoutingCase
from wuye_loop.outbound import LogNotifier, Notice, ask_http, asking_client, notifiers

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "table": [
        {
            "rules": [
                {"when": {"category": "消防安全"}, "to": "fire", "assist": ["company", "closed", "nobody", "fire"]}
            ]
        },
        {"rules": [{"when": {}, "to": "nobody"}, {"when": {}, "to": "closed"}, {"when": {}, "to": "company"}]},
        {"rules": [{"when": {"category": "消防安全", "urgency": "特急"}, "to": "fire", "item": "消防通道"}]},
    ],
    "territory": [{"level": "street"}, {"level": "current"}, {"level": "city", "duty": "fire"}],
    "keyword": [{"rules": [{"pattern": "税|发票", "to": "tax"}, {"pattern": ".", "to": "company", "assist": "fire"}]}],
    "least_loaded": [{"among": ["closed", "nobody", "fire", "tax"]}, {"among": {"duty": "property-office"}}],
    "http": [{"url": "http://dispatch.example/route", "fallback": "fire"}, {"url": "https://x.example:8443/a?b=c"}],
    "precedent": [{"follow": True}, {}, {"follow": True, "level": "street"}],
    "learned": [
        {"units": {"消防安全": "fire"}},
        {"units": {"消防安全": "closed"}, "sure": 0},
        {"units": {"电梯": "company"}, "sure": 0.99},
        {},
        {"units": {"电梯": "fire"}, "sure": 0.95},
    ],
    "desk": [{}],
}
SUGGESTED = {
    "category": "消防安全",
    "confidence": 0.93,
    "why": ["飞线", "充电"],
    "runner_up": "电梯",
    "by": "model",
    "model": "ab" * 32,
    "unit": "company",
    "unit_confidence": 0.9,
}
RULINGS = tuple(
    Precedent("同意退单", unit, path, "2026-03-02")
    for unit, path in (("nobody", "370705/"), ("closed", ""), ("fire", "370705/370705001/"), (None, "370705/"))
)
AREAS = [
    Area("370705", "奎文区", "district", None, "370705/"),
    Area("370705001", "东关街道", "street", "370705", "370705/370705001/"),
    Area("370705001001", "苇湾社区", "community", "370705001", "370705/370705001/370705001001/"),
]
UNITS = [
    Unit("fire", "消防救援大队", "department", "370705", None, ("fire",)),
    Unit("tax", "税务局", "department", "370705", None, ()),
    Unit("street-1", "东关街道办", "street", "370705001", None, ("property-office",)),
    Unit("community-1", "苇湾社区居委会", "community", "370705001001", "street-1", ("property-office",)),
    Unit("co-1", "安居物业", "company", "370705001", None, ()),
    Unit("closed", "已撤销的办公室", "department", "370705", None, ("property-office",), active=False),
]
DIRECTORIES = {"full": Directory(AREAS, UNITS), "empty": Directory([], []), "no units": Directory(AREAS, [])}
FACTS: dict[str, dict[str, object]] = {
    "usual": {
        "category": "消防安全",
        "text": "楼道堆物",
        "company": "co-1",
        "area": "370705001001",
        "urgency": "平急",
        "data.suggestion": SUGGESTED,
    },
    "nothing known": {},
    "all null": dict.fromkeys(("category", "text", "company", "area", "areas", "estate", "kind", "urgency", "title")),
    "closed company": {
        "category": "消防安全",
        "text": "开发票" * 3000,
        "company": "closed",
        "title": "电话 13812345678",
    },
    "unknown company": {"text": "\x00\u202e\ud800", "company": "who", "category": "没有这一类", "areas": []},
    "wrong types": {"text": 7, "company": 12, "category": ["消防安全"], "title": ["x"], "data.suggestion": "x"},
    "odd suggestion": {"data.suggestion": {"by": "model", "category": None, "confidence": "much", "why": 7}},
    "unsure": {"data.suggestion": {**SUGGESTED, "confidence": 0.5}},
}
PLACES = [
    ("370705/370705001/370705001001/", "community"),
    ("", "community"),
    ("///no/such/", "nowhere"),
    ("370705/", ""),
]
RETURNED = [frozenset[str](), frozenset({"fire", "co-1"}), frozenset(unit.code for unit in UNITS)]
CASES = [
    RoutingCase(facts, path, level, returned, RULINGS)
    for facts, (path, level), returned in product(FACTS.values(), PLACES, RETURNED)
]
KINDS = sorted(registry())


def no_loads(units: Sequence[str]) -> Mapping[str, int]:
    """Answer that nobody has anything open."""
    del units
    return {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_samples_here(kind: str) -> None:
    assert SAMPLES.get(kind), f"give the router {kind} sample parameters in SAMPLES"


@pytest.mark.parametrize("directory", DIRECTORIES.values(), ids=DIRECTORIES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_grievance_gets_an_answer_in_words_and_never_an_error(kind: str, directory: Directory) -> None:
    router = registry()[kind]
    for raw, case in product(SAMPLES[kind], CASES):
        answer = router.route(router.Params.model_validate(raw), case, directory, no_loads)
        assert answer.trace.kind == kind
        assert any("\u4e00" <= character <= "\u9fff" for character in answer.trace.why)
        assert len(answer.trace.why) < 1000
        assert len(answer.trace.near) <= 3
        assert (answer.unit, answer.assists) == (answer.trace.unit, answer.trace.assists)
        assert (answer.unit is not None) == (answer.trace.outcome == "matched")
        assert (answer.ask is not None) == (answer.trace.outcome == "asked")
        assert json.loads(json.dumps(answer.trace.as_json()))["why"] == answer.trace.why


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_grievance_gets_the_same_answer(kind: str) -> None:
    router = registry()[kind]
    for raw, case, directory in product(SAMPLES[kind], CASES, DIRECTORIES.values()):
        twin = replace(case, facts=dict(reversed(case.facts.items())))
        first = router.route(router.Params.model_validate(raw), case, directory, no_loads)
        assert first == router.route(router.Params.model_validate(raw), twin, directory, no_loads)


@pytest.mark.parametrize("directory", DIRECTORIES.values(), ids=DIRECTORIES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_unknown_inactive_or_returned_unit_is_ever_named(kind: str, directory: Directory) -> None:
    router = registry()[kind]
    for raw, case in product(SAMPLES[kind], CASES):
        answer = router.route(router.Params.model_validate(raw), case, directory, no_loads)
        named = [*answer.assists, *([answer.unit] if answer.unit else [])]
        assert all(directory.unit(code) and code not in case.returned for code in named)
        assert len(set(named)) == len(named)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"desk", "http"}))
def test_every_kind_that_looks_for_a_unit_finds_one_for_a_usual_grievance(kind: str) -> None:
    router = registry()[kind]
    case = RoutingCase(FACTS["usual"], *PLACES[0], precedents=RULINGS)
    assert any(
        router.route(router.Params.model_validate(raw), case, DIRECTORIES["full"], no_loads).unit
        for raw in SAMPLES[kind]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_parameters_are_refused_at_their_place(kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        router_params()[kind].model_validate(SAMPLES[kind][0] | {"whenn": {}})
    assert [(one["type"], one["loc"]) for one in caught.value.errors()] == [("extra_forbidden", ("whenn",))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_may_be_limited_by_a_condition(kind: str) -> None:
    call = RouterCall.model_validate({"kind": kind, "when": {"urgency": "特急"}} | SAMPLES[kind][0])
    choice = choose([call], RoutingCase(FACTS["usual"], *PLACES[0]), DIRECTORIES["full"], no_loads)
    assert choice.trace[0].outcome == "skipped"
    assert "特急" in choice.trace[0].why
    assert choice.desk


EVIL = [r"(a+)+$\1", "(?=x)", "(?<!x)y", "(", "", "a{1001}", "((a{1,100}){1,100}){1,100}", "x" * 501]


@pytest.mark.parametrize("pattern", EVIL)
@pytest.mark.parametrize("kind", ["table", "keyword"])
def test_an_evil_pattern_is_refused_in_words_when_it_is_loaded(kind: str, pattern: str) -> None:
    when: dict[str, Any] = {"pattern": pattern} if kind == "keyword" else {"when": {"text": {"pattern": pattern}}}
    with pytest.raises(ValidationError) as caught:
        router_params()[kind].model_validate({"rules": [{"to": "fire"} | when]})
    assert caught.value.errors()[0]["loc"][:2] == ("rules", 0)
    assert "pattern " in caught.value.errors()[0]["msg"]


def test_a_pattern_that_hangs_other_engines_is_answered_at_once() -> None:
    router = registry()["keyword"]
    params = router.Params.model_validate({"rules": [{"pattern": r"^(\w+\s?)*$", "to": "fire"}]})
    case = RoutingCase({"text": "a" * 10_000 + "!"}, *PLACES[0])
    assert router.route(params, case, DIRECTORIES["full"], no_loads).unit is None
    assert cost(lambda: router.route(params, case, DIRECTORIES["full"], no_loads)) < 10 * yardstick()


class _Dispatch(BaseHTTPRequestHandler):
    """Another town's dispatching system, in all its moods."""

    received: ClassVar[list[tuple[str, object]]]
    enough: ClassVar[threading.Event]

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.append((self.path, sent))
        with suppress(OSError):  # the asker hung up, as it should
            getattr(self, f"_{self.path.strip('/')}")()

    def _answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _good(self) -> None:
        why = "消防职责\u202e，报警人 13812345678" + "很长" * 500
        self._answer(json.dumps({"unit": "fire", "why": why, "more": 1}).encode())

    def _silent(self) -> None:
        self.enough.wait(5)

    def _drop(self, drop: bytes) -> None:
        for _ in range(60):  # three seconds: an asker without patience of its own fails its test, and does not hang it
            if not self.enough.wait(0.05):
                self.wfile.write(drop)

    def _drips(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self._drop(b"x")

    def _drips_body(self) -> None:
        self.wfile.write(b'HTTP/1.1 200 OK\r\n\r\n{"unit": "fire"}')
        self._drop(b" ")

    def _broken(self) -> None:
        self._answer(b'{"unit": "fire"}', 500)

    def _away(self) -> None:
        self._answer(b'{"unit": "fire"}', 307, Location="/good")

    def _huge(self) -> None:
        self._answer(b'{"unit": "fire", "why": "' + b"x" * 70_000 + b'"}')

    def _packed(self) -> None:
        self._answer(b'{"unit": "fire"}', Content_Encoding="gzip")

    def _garbage(self) -> None:
        self._answer(b"\xff\x00<html>")

    def _a_list(self) -> None:
        self._answer(b'["fire"]')

    def _no_unit(self) -> None:
        self._answer(b'{"unit": null, "why": "?"}')

    def _odd_unit(self) -> None:
        self._answer(b'{"unit": "fire\\n13812345678"}')

    def _hangs_up(self) -> None:
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the parent's name
        """Keep the tests' output clean."""


@pytest.fixture(scope="module")
def dispatch() -> Iterator[tuple[str, type[_Dispatch]]]:
    class Handler(_Dispatch):
        received: ClassVar[list[tuple[str, object]]] = []
        enough: ClassVar[threading.Event] = threading.Event()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}", Handler
    Handler.enough.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with asking_client() as client:
        yield client


def put(host: str, mood: str, client: httpx.Client, timeout: float = 5.0) -> Reply:
    """Ask the other system in this mood."""
    ask = HttpAsk(f"http://{host}/{mood}", timeout, {"category": "消防安全", "area": None})
    return ask_http(ask, client, frozenset({"127.0.0.1"}))


def test_another_system_is_asked_and_its_words_are_made_safe(
    dispatch: tuple[str, type[_Dispatch]], client: httpx.Client
) -> None:
    reply = put(dispatch[0], "good", client)
    assert reply.unit == "fire"
    assert reply.why.startswith("消防职责 ，报警人 ***很长")
    assert len(reply.why) == 200
    assert dispatch[1].received[-1] == ("/good", {"category": "消防安全", "area": None})


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ("broken", "状态码 500"),
        ("away", "状态码 307"),
        ("huge", "超过 64 KiB"),
        ("packed", "压缩"),
        ("garbage", "不是 JSON"),
        ("a_list", "没有单位代码"),
        ("no_unit", "没有单位代码"),
        ("odd_unit", "没有单位代码"),
        ("hangs_up", "断开"),
    ],
)
def test_a_bad_reply_names_no_unit_and_says_why(
    dispatch: tuple[str, type[_Dispatch]], client: httpx.Client, mood: str, words: str
) -> None:
    asked_before = len(dispatch[1].received)
    reply = put(dispatch[0], mood, client)
    assert reply.unit is None
    assert words in reply.why
    assert len(dispatch[1].received) == asked_before + 1  # a redirect is not followed, nothing is asked twice


@pytest.mark.parametrize("mood", ["silent", "drips", "drips_body"])
def test_a_system_that_hangs_or_drips_is_cut_off_in_time(
    dispatch: tuple[str, type[_Dispatch]], client: httpx.Client, mood: str
) -> None:
    before = time.perf_counter()
    reply = put(dispatch[0], mood, client, timeout=0.3)
    assert reply == Reply(None, "外部系统 0.3 秒内没有答复")
    assert time.perf_counter() - before < 20 * 0.3


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[::1", "http://" + "x" * 70 + ".example/"])
def test_a_system_that_cannot_be_reached_is_no_error(client: httpx.Client, url: str) -> None:
    reply = ask_http(HttpAsk(url, 1.0, {}), client, frozenset({"127.0.0.1", "x" * 70 + ".example"}))
    assert reply.unit is None
    assert "外部系统" in reply.why


@pytest.mark.parametrize("allowed", [(), ("localhost",), ("127.0.0.1:1",), ("127.0.0",)])
def test_a_host_that_is_not_allowed_is_not_asked_not_even_this_machine(
    dispatch: tuple[str, type[_Dispatch]], client: httpx.Client, allowed: tuple[str, ...]
) -> None:
    asked_before = len(dispatch[1].received)
    reply = ask_http(HttpAsk(f"http://{dispatch[0]}/good", 1.0, {}), client, frozenset(allowed))
    assert reply == Reply(None, "外部系统 127.0.0.1 不在允许询问的名单上")
    assert len(dispatch[1].received) == asked_before


def test_a_host_may_be_allowed_with_its_port(dispatch: tuple[str, type[_Dispatch]], client: httpx.Client) -> None:
    assert ask_http(HttpAsk(f"http://{dispatch[0]}/good", 5.0, {}), client, frozenset({dispatch[0]})).unit == "fire"


@pytest.mark.parametrize("name", sorted(notifiers()))
def test_every_notifier_takes_a_notice_and_logs_no_words_of_people(name: str) -> None:
    notice = Notice("KW-1", "red_card", "红牌警示", "fire", "消防救援大队", urgent=True, text="张三 13812345678")
    with structlog.testing.capture_logs() as lines:
        notifiers()[name].send(notice)
    assert "13812345678" not in str(lines)


def test_the_log_notifier_writes_one_line() -> None:
    with structlog.testing.capture_logs() as lines:
        LogNotifier().send(Notice("KW-1", "red_card", "红牌警示", "fire", "消防救援大队", urgent=False, text=""))
    assert [line["number"] for line in lines] == ["KW-1"]
