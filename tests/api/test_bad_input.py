"""Whatever is sent, the answer is a 4xx in words, soon, with nothing stored and nothing of the input repeated."""

import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.site import Driver, Town, build, driving, order
from tests.speed import yardstick

from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio

CANARY = "Kanarienvogel7319"
MOST = 500  # yardsticks of this process: a net for what grows without bound; how quick it is, the benchmark says
PUSH, BATCH = "/v1/grievances", "/v1/grievances:batch"
TABLES = (
    "grievance",
    "complainant",
    "ledger",
    "clock",
    "rung",
    "task",
    "document",
    "rating",
    "idempotency_key",
    "procrastinate_jobs",
)


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    town = build(database, data=tmp_path)
    async with driving(town) as driver:
        yield driver


def stored(town: Town) -> dict[str, int]:
    """Return how many rows each table has."""
    return {table: town.scalar(f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608 names of ours


def changed(**fields: Any) -> bytes:
    """Return an order with some fields replaced, as bytes."""
    return json.dumps(order("b1") | fields, ensure_ascii=True).encode()


def nested(depth: int) -> Any:
    """Return a value so many levels deep."""
    value: Any = CANARY
    for _ in range(depth):
        value = [value]
    return value


# What is sent, and the status it must get.
BODIES: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 422),
    "not JSON": (f"{{{CANARY}".encode(), 400),
    "a list": (f'["{CANARY}"]'.encode(), 422),
    "a string": (f'"{CANARY}"'.encode(), 422),
    "null": (b"null", 422),
    "an unknown field": (changed(**{CANARY: CANARY}), 422),
    "a state of the caller's choosing": (changed(state="closed", level="city", lead_unit=CANARY, seq=9), 422),
    "an unknown field in place": (changed(place={"estate": "E1", CANARY: CANARY}), 422),
    "a number for a text": (changed(title=7319), 422),
    "an object for a text": (changed(title={CANARY: CANARY}), 422),
    "a list for an object": (changed(complainant=[CANARY]), 422),
    "a text for a truth": (changed(complainant={"anonymous": CANARY}), 422),
    "an empty text": (changed(title=""), 422),
    "only blanks": (changed(title="   "), 422),
    "a text too long": (changed(title=CANARY * 100), 422),
    "a body too long": (changed(body="字" * 20_001), 422),
    "an id too long": (changed(external_id=CANARY * 10), 422),
    "extra too big": (changed(extra={"x": CANARY * 2000}), 422),
    "an unknown area": (changed(place={"area_code": CANARY}), 422),
    "an instant that is a number": (changed(occurred_at=1_772_413_200), 422),
    "an instant too long": (changed(occurred_at=CANARY * 9), 422),
    "a NUL": (changed(title=f"{CANARY}\0"), 422),
    "a NUL in a key of extra": (changed(extra={f"{CANARY}\0": 1}), 422),
    "a lone surrogate": (changed(title=f"{CANARY}\ud800"), 400),
    "a lone surrogate in extra": (changed(extra={"x": "\udc00"}), 400),
    "raw bytes that are no UTF-8": (b'{"title": "\xff\xfe"}', 400),
    "NaN": (changed(extra={"x": float("nan")}), 400),
    "infinity": (b'{"extra": {"x": 1e999}}', 400),
    "a huge integer": (b'{"extra": {"x": ' + b"9" * 5000 + b"}}", 400),
    "a duplicate key": (b'{"title": "a", "title": "' + CANARY.encode() + b'"}', 400),
    "a duplicate key deep inside": (changed(extra={"x": 1}).replace(b'{"x": 1}', b'{"x": {"y": 1, "y": 2}}'), 400),
    "deep nesting": (changed(extra={"x": nested(100)}), 400),
    "bottomless nesting": (b'{"extra": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", 400),
    "more than a body may be": (changed(body="x" * 300_000), 413),
    "thirty megabytes": (b'{"body": "' + b"x" * 30_000_000 + b'"}', 413),
    "a byte order mark": (b"\xef\xbb\xbf" + changed(), 400),
    "a control character": (changed(title=f"{CANARY}\x07"), 422),
}


def sound(answer: httpx.Response, status: int, seconds: float) -> None:
    """Check that a refusal is a problem in words, soon, without the input."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"].startswith("/problems/")
    assert problem["status"] == status
    assert any("\u4e00" <= letter <= "\u9fff" for letter in problem["detail"])
    assert CANARY.encode() not in answer.content
    assert CANARY not in str(answer.headers)
    assert seconds < MOST * yardstick()


async def test_bad_bodies_are_refused_in_words_and_leave_nothing(drive: Driver) -> None:
    headers = drive.headers("hotline") | {"Content-Type": "application/json"}
    number = await drive.push("a0")
    before = stored(drive.town)
    slowest = 0.0
    for what, (body, status) in BODIES.items():
        began = process_time()
        answer = await drive.client.post(PUSH, content=body, headers=headers)
        seconds = process_time() - began
        slowest = max(slowest, seconds)
        assert answer.status_code == status, (what, answer.status_code, answer.text[:300])
        sound(answer, status, seconds)
        assert stored(drive.town) == before, what
    print(f"bad bodies | {len(BODIES)} | 0 | slowest {slowest:.3f} s")  # noqa: T201 the figure of the proof
    assert CANARY not in drive.log.getvalue()
    assert (await drive.act("hotline", number, "urge"))["urged"] == 1


LOOKS_BLANK = ("\u3000", "\u2800", "\u3164", "\u200b\u2066", "\ufe0f", "\u115f\u00a0")


@pytest.mark.parametrize("blank", LOOKS_BLANK, ids=ascii)
async def test_a_required_text_in_which_nothing_can_be_seen_is_refused(drive: Driver, blank: str) -> None:
    number = await drive.push("a0")
    before = stored(drive.town)
    for name in ("external_id", "channel", "kind", "title", "body"):
        refused = await drive.post("hotline", PUSH, order("b1") | {name: blank}, expect=422)
        assert [field["path"] for field in refused["fields"]] == [f"body.{name}"]
    await drive.post("hotline", f"/v1/grievances/{number}/identity", {"reason": blank}, expect=422)
    await drive.act("property-centre", number, "refuse", {"reason": blank}, expect=422)
    await drive.post(
        "supervisor", "/v1/supervision/orders", {"grievance": number, "document": "督办单", "demand": blank}, expect=422
    )
    answer = await drive.client.get(PUSH, params={"q": blank}, headers=drive.headers("hotline"))
    assert answer.status_code == 422
    assert stored(drive.town) == before


async def test_what_turns_or_hides_letters_is_gone_before_it_is_stored(drive: Driver) -> None:
    turned = "\u202e三号\u2066楼\u200b电梯\U000e0041停运"
    number = await drive.push("b1", title=turned, body=turned, extra={"备\u2067注": [turned, {"x": turned}]})
    shown = await drive.get("hotline", f"/v1/grievances/{number}")
    assert shown["title"] == "三号楼电梯停运"
    assert shown["extra"] == {"备注": ["三号楼电梯停运", {"x": "三号楼电梯停运"}]}
    row = " ".join(map(str, drive.town.grievance(number)))
    assert not any(letter in row for letter in "\u202e\u2066\u2067\u200b\U000e0041")
    await drive.post("hotline", PUSH, order("b2", extra={"x": "a\x07"}), expect=422)


async def test_what_a_form_does_not_ask_for_is_refused(drive: Driver) -> None:
    number = await drive.push("a0")
    await drive.walk(number, "accept", "sign")
    before = stored(drive.town)
    finish = f"/v1/grievances/{number}/actions/finish"
    await drive.on_task(
        "company-1", drive.tasks(number, "assist")[0].id, "decline", {"reason": "无", "legal_basis": "无"}
    )
    before = stored(drive.town)
    good = {"result": "解决", "contacted": True, "internal": "x", "public_reply": "y"}
    bad: list[Any] = [
        {}, {**good, CANARY: 1}, {**good, "state": "closed"}, {**good, "result": CANARY}, {**good, "contacted": "yes"},
        {**good, "contacted": False}, {**good, "internal": CANARY * 1000}, {**good, "internal": "  "},
        {**good, "internal": {"x": CANARY}}, {**good, "why_not_contacted": CANARY}, [CANARY], CANARY, 7, True,
    ]  # fmt: skip
    for form in bad:
        began = process_time()
        answer = await drive.client.post(finish, json=form, headers=drive.headers("market"))
        sound(answer, 422, process_time() - began)
        assert answer.json()["fields"]
        assert stored(drive.town) == before
    for unit in (CANARY, "", "x" * 5000, "../etc", "company-1\n"):
        answer = await drive.client.post(
            f"/v1/grievances/{number}/tasks/assist", json={"unit": unit}, headers=drive.headers("market")
        )
        sound(answer, 422, 0)
    assert stored(drive.town) == before
    assert (await drive.act("market", number, "finish", good))["state"] == "reviewing"


HEADERS: list[tuple[str, str, int]] = [
    *(("If-Match", value, 400) for value in (CANARY, "", "-1", '"x"', "1, 2", "*", "１")),
    ("If-Match", "9" * 24, 412),
    ("If-Match", "9" * 25, 422),
    ("If-Match", '"999999"', 412),
    *(("Idempotency-Key", value, 400) for value in ("", "   ", "caf\xe9", "键".encode().decode("latin-1"))),
    ("Idempotency-Key", "k" * 256, 422),
    ("Authorization", "", 401),
    ("Authorization", f"Bearer {CANARY}", 401),
    ("Authorization", f"Basic {CANARY}", 401),
    ("Authorization", "Bearer wyl_live_" + "A" * 43 + "_00000000", 401),
    ("Authorization", "Bearer " + "A" * 8000, 401),
    ("Content-Type", "text/plain", 415),
    ("Content-Type", "application/json; charset=gbk", 415),
    ("Content-Type", CANARY, 415),
    ("X-Filler", "x" * 70_000, 431),
]


@pytest.mark.parametrize(("name", "value", "status"), HEADERS)
async def test_bad_headers_are_refused_in_words_and_leave_nothing(
    drive: Driver, name: str, value: str, status: int
) -> None:
    number = await drive.push("a0")
    before = stored(drive.town)
    headers = drive.headers("hotline") | {"Content-Type": "application/json"} | {name: value}
    raw = [(key.encode(), text.encode("latin-1", "replace")) for key, text in headers.items()]
    began = process_time()
    answer = await drive.client.post(f"/v1/grievances/{number}/actions/urge", content=b"{}", headers=raw)
    sound(answer, status, process_time() - began)
    assert stored(drive.town) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Host", "a.example"), ("Host", "b.example")], 400),
        ([("Host", "a.example"), ("Host", "a.example")], 400),
        ([("Host", "")], 400),
        ([("Host", f"{CANARY}/x")], 400),
        ([("Host", f"a@{CANARY}")], 400),
        ([("Host", "a b")], 400),
        ([("Host", "[::1]:8000")], 200),
        ([("Host", "127.0.0.1:8000")], 200),
        ([("Host", "奎文.example".encode("idna").decode())], 200),
        ([("Host", "x"), ("Authorization", "Bearer x")], 400),
        ([("Host", "x"), ("Content-Type", "application/json")], 400),
        ([("Host", "x"), ("If-Match", '"1"'), ("If-Match", '"2"')], 400),
        ([("Host", "x"), ("Idempotency-Key", "1"), ("Idempotency-Key", "2")], 400),
        ([("Host", "x"), *((f"X-{n}", "1") for n in range(110))], 431),
    ],
)
async def test_what_two_readers_may_take_for_different_requests_is_refused(
    drive: Driver, headers: list[tuple[str, str]], status: int
) -> None:
    number = await drive.push("a0")
    before = stored(drive.town)
    own = list((drive.headers("hotline") | {"Content-Type": "application/json"}).items())
    answer = await drive.client.post(f"/v1/grievances/{number}/actions/urge", content=b"{}", headers=[*own, *headers])
    if status == 200:
        assert answer.status_code == 200
    else:
        sound(answer, status, 0)
        assert stored(drive.town) == before


HOSTILE = (
    CANARY, "%00", "%0a", "..%2f..%2fetc%2fpasswd", "诉求", "WY260302-AAAAAAAA'--", "%F0%9F%92%A9", "%ff%fe", "a" * 41,
    "a" * 5000, "%2e%2e", "\u202egnp", "WY260302-00000000", "〔2026〕", "{number}", "%25s%25n",
)  # fmt: skip


async def test_hostile_addresses_are_refused_in_words(drive: Driver) -> None:
    number = await drive.push("a0")
    before = stored(drive.town)
    sent = 0
    for path, operations in drive.app.openapi()["paths"].items():
        if "{" not in path:
            continue
        for method in operations:
            for part in HOSTILE:
                raw = part if "%" in part else quote(part)
                names = [
                    name
                    for name in ("number", "task_id", "action", "kind", "workflow_id", "file_id")
                    if f"{{{name}}}" in path
                ]
                for target in names:
                    address = path
                    for name in names:
                        kept = {"number": number, "action": "urge", "kind": "assist"}.get(name, "x")
                        address = address.replace(f"{{{name}}}", raw if name == target else kept)
                    began = process_time()
                    body: dict[str, str] | None = {} if method == "post" else None
                    answer = await drive.client.request(
                        method.upper(), address, headers=drive.headers("supervisor"), json=body
                    )
                    sent += 1
                    assert 400 <= answer.status_code < 500, (method, address, answer.status_code, answer.text[:200])
                    sound(answer, answer.status_code, process_time() - began)
    assert stored(drive.town) == before
    assert sent > 150


async def test_bad_queries_are_refused_in_words(drive: Driver) -> None:
    bad = [CANARY, "0", "-1", "201", "1e3", "%00", "%ff", "a" * 700, "WyJ4Il0", "W10", "bnVsbA", "=" * 8]
    sent = 0
    for path, operations in drive.app.openapi()["paths"].items():
        for name in [one["name"] for one in operations.get("get", {}).get("parameters", []) if one["in"] == "query"]:
            if name not in ("cursor", "limit", "older_than", "tab", "by", "rung"):
                continue
            for value in bad:
                if name == "rung" and value in ("0", "201"):
                    continue
                who = "market" if "inbox" in path else "supervisor"
                began = process_time()
                address = path.replace("{number}", "WY260302-00000000").replace("{workflow_id}", "kuiwen@1")
                answer = await drive.client.get(f"{address}?{name}={value}", headers=drive.headers(who))
                sent += 1
                assert 400 <= answer.status_code < 500, (address, name, value, answer.status_code, answer.text[:200])
                sound(answer, answer.status_code, process_time() - began)
    assert sent > 60


async def test_a_query_parameter_that_a_door_does_not_know_is_refused_by_every_door(drive: Driver) -> None:
    number = await drive.push("a0")
    before = stored(drive.town)
    paths = drive.app.openapi()["paths"]
    doors = [(verb, path, door) for path, verbs in paths.items() for verb, door in verbs.items()]
    for verb, path, door in [*doors, ("get", "/docs", {}), ("get", "/v1/openapi.json", {})]:
        address = re.sub(r"\{(\w+)\}", lambda name: {"number": number, "action": "urge"}.get(name[1], "assist"), path)
        address = address.replace("/documents/assist", "/documents/x").replace(
            "/workflows/assist", "/workflows/kuiwen@1"
        )
        address = re.sub(
            r"/(tasks|files|approvals|keys)/assist(?=/|$)", lambda name: f"/{name[1]}/{uuid.UUID(int=7)}", address
        )
        asks = [one["name"] for one in door.get("parameters", ()) if one["in"] == "query"]
        for query in (f"{CANARY}=1", "page=2", *(f"{name}=1&{name}=1" for name in asks)):
            special = {"inbox": "property-centre", "batch": "hotline", "/audit/": "auditor", "/admin/keys": "security"}
            who = next((key for part, key in special.items() if part in path), "supervisor")
            body = {"items": [order("z")]} if "batch" in path else {}
            sent: Any = body if verb == "post" else None
            target = f"{address}?{query}"
            answer = await drive.client.request(verb.upper(), target, headers=drive.headers(who), json=sent)
            assert answer.status_code == 422, (verb, address, query, answer.status_code, answer.text)
            sound(answer, 422, 0)
            assert "query" in str(answer.json()["fields"])
    assert stored(drive.town) == before


async def test_a_bad_item_of_a_batch_does_not_sink_the_rest(drive: Driver) -> None:
    items: list[Any] = [
        order("c1"),
        {"external_id": CANARY},
        order("c2", place={"area_code": CANARY}),
        order("c3"),
        order("c1"),
    ]
    made = await drive.post("hotline", BATCH, {"items": items})
    assert [item["status"] for item in made["items"]] == [201, 422, 422, 201, 200]
    assert CANARY not in json.dumps(made)
    assert drive.town.scalar("SELECT count(*) FROM grievance") == 2
    for body, status in (
        ({"items": []}, 422),
        ({"items": [order("d")] * 1001}, 422),
        ({"items": CANARY}, 422),
        ({}, 422),
    ):
        answer = await drive.send("hotline", BATCH, body)
        sound(answer, status, 0)


async def test_a_body_without_end_is_cut_off_with_flat_memory(drive: Driver) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(480):
            taken += 65_536
            yield b"x" * 65_536

    headers = drive.headers("hotline") | {"Content-Type": "application/json"}
    answer = await drive.client.post(PUSH, content=endless(), headers=headers)
    sound(answer, 413, 0)


def parts() -> Iterator[str]:
    """Yield the parts of the address space that no key may reach."""
    yield from ("/v1/nothing", "/v1/grievances/x/y/z", "/../etc/passwd", "/v1/rehearsal/clock")


@pytest.mark.parametrize("path", list(parts()))
async def test_addresses_that_do_not_exist_are_404_in_words(drive: Driver, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await drive.client.request(method, path, headers=drive.headers("admin"))
        sound(answer, 404, 0)
