"""Documents over several grievances: who may draw one up, who reads which line, and that it is all of it or nothing."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from time import process_time
from typing import Any
from urllib.parse import quote

import pytest
from tests.site import Driver, Town, build, driving, keys_for, order, story
from tests.stories.test_sixth_city import FILE, UNITS, neighbour

from wuye_loop.queries.verification import verify as audit
from wuye_loop.settings import shipped
from wuye_loop.store.database import Database
from wuye_loop.store.grievance.packing import unpacked
from wuye_loop.store.workflows.files import whole_text

pytestmark = pytest.mark.anyio
NOTICE, MINUTES = "限期整改通知书", "联席会议纪要"
EVERYONE = ("street-2", "company-2", "supervisor-2", "other-hotline", "fire", "auditor-2")
TABLES = ("ledger", "task", "document", "document_line", "document_series", "clock", "procrastinate_jobs")


def workflow_text() -> str:
    """Return the sixth city's rules, whole."""
    return whole_text(FILE, [shipped("workflows")])


def town_of(database: Database, data: Path, text: str | None = None, **settings: Any) -> Town:
    """Make the sixth city's town, with keys over its second street and of another hotline."""
    more: dict[str, dict[str, Any]] = {
        "other-hotline": {"role": "hotline", "source": "other"},
        "supervisor-2": {"role": "supervisor", "area": "990102"},
        "auditor": {"role": "auditor"},
        "auditor-2": {"role": "auditor", "area": "990102"},
    }
    texts = {"qinghe@1": text or workflow_text()}
    return build(
        database, data=data, workflow="qinghe@1", units=UNITS, keys=keys_for(UNITS, **more), texts=texts, **settings
    )


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Give a driver in the town; whatever was done to it, its ledger must still be true."""
    town = town_of(database, tmp_path)
    async with story(town) as driver:
        yield driver


async def found(drive: Driver, external_id: str, estate: str = "E1", **fields: Any) -> str:
    """Take in what an inspection found: it lies with the estate's company at once."""
    sent = order(
        external_id, channel="联合检查", kind="其他", category="停车管理", place={"estate": estate},
        extra={"item": "停车"}, complainant={},
    ) | fields  # fmt: skip
    made = await drive.post("inspection-team", "/v1/grievances", sent, expect=201)
    return str(made["number"])


def line(number: str, unit: str | None = "company-1", **form: Any) -> dict[str, Any]:
    """Return a line of a notice."""
    made = {"grievance": number, "form": {"matter": "地锁", "deadline": "2026-03-20"} | form}
    return made | ({"unit": unit} if unit else {})


def notice(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a notice with these lines."""
    return {"kind": NOTICE, "lines": list(lines)} | fields


async def send(drive: Driver, body: Any, who: str | None = "inspection-team", key: str | None = None) -> Any:
    """Try to issue a document."""
    return await drive.send(who, "/v1/documents", body, key=key)


def stored(town: Town) -> dict[str, Any]:
    """Return how much each table holds, and the numbers drawn."""
    counts = {table: town.scalar(f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608 names of ours
    return counts | {"drawn": [tuple(row) for row in town.rows("SELECT series, n FROM document_series ORDER BY 1")]}


async def test_who_sees_one_line_learns_nothing_of_the_others(drive: Driver) -> None:
    first, second = await found(drive, "n1", title="秘密甲"), await found(drive, "n2", "E2", title="秘密乙")
    made = await drive.post(
        "inspection-team", "/v1/documents", notice(line(first), line(second, "company-2")), expect=201
    )
    path = f"/v1/documents/{quote(made['number'])}"
    for who, own, other in (
        ("company-1", (first, "秘密甲"), (second, "秘密乙")),
        ("company-2", (second, "秘密乙"), (first, "秘密甲")),
        ("supervisor-2", (second, "秘密乙"), (first, "秘密甲")),
        ("auditor-2", (second, "秘密乙"), (first, "秘密甲")),
    ):
        shown = await drive.client.get(path, headers=drive.headers(who))
        assert shown.status_code == 200, who
        listed = await drive.client.get("/v1/documents", headers=drive.headers(who))
        assert [item["number"] for item in listed.json()["items"]] == [made["number"]], who
        assert [item["grievance"] for item in shown.json()["lines"]] == [own[0]]
        for answer in (shown, listed):
            assert other[0] not in answer.text, who
            assert other[1] not in answer.text, who
    for who in ("admin", "auditor", "supervisor", "inspection-team"):
        shown = await drive.get(who, path)
        assert [item["grievance"] for item in shown["lines"]] == [first, second]
        assert (shown["grievance"], shown["title"]) == (first, "秘密甲")
    for who, unit, there in (
        ("supervisor", "company-1", 1), ("supervisor", "company-2", 1), ("supervisor", "fire", 0),
        ("company-1", "company-1", 1), ("company-1", "company-2", 0), ("supervisor-2", "company-1", 0),
    ):  # fmt: skip
        assert len((await drive.get(who, f"/v1/documents?unit={unit}"))["items"]) == there, (who, unit)
    for who in ("fire", "street-1", "hotline", "other-hotline"):
        await drive.get(who, path, expect=404)
        assert (await drive.get(who, "/v1/documents"))["items"] == []
    await drive.get(None, path, expect=401)


async def test_a_line_on_what_the_issuer_cannot_see_is_not_found_and_the_document_does_not_exist(drive: Driver) -> None:
    seen, hidden = await found(drive, "n1"), await found(drive, "n2", "E2")
    before = stored(drive.town)
    for who in EVERYONE:
        for lines in ([line(seen)], [line(hidden), line(seen)]):
            answer = await send(drive, notice(*lines), who)
            assert answer.status_code == (403 if seen not in str(lines) else 404), (who, answer.text)
            assert seen not in answer.text
    for lines in ([line(seen), line("WY260302-AAAAAAAA")], [line("WY260302-AAAAAAAA")]):
        assert (await send(drive, notice(*lines))).status_code == 404
    for who in ("admin", "auditor", "hotline", "company-1", "supervisor", "desk-centre"):
        assert (await send(drive, notice(line(seen)), who)).status_code in (403, 404), who
    assert (await send(drive, notice(line(seen)), None)).status_code == 401
    assert (await drive.send("inspection-team", "/v1/documents?dry_run=1", notice(line(seen)))).status_code == 422
    assert stored(drive.town) == before


async def test_when_a_line_fails_nothing_is_kept_and_the_answer_says_which_line(drive: Driver) -> None:
    numbers = [await found(drive, f"n{n}") for n in range(3)]
    closed = await drive.push("c1", complainant=neighbour("c1"))
    await drive.act("desk-centre", closed, "refuse", {"reason": "非本级职责", "public_reply": "请向有关部门反映"})
    before = stored(drive.town)
    for bad, status in (
        (line(numbers[2], matter=""), 422),
        (line(numbers[2], deadline="2026-03-01"), 422),
        (line(numbers[2], nothing="x"), 422),
        (line(numbers[2], "nobody-of-that-name"), 422),
        (line(closed), 409),
    ):
        answer = await send(drive, notice(line(numbers[0]), line(numbers[1]), bad))
        assert answer.status_code == status, answer.text
        assert "第 3 条" in answer.json()["detail"], answer.text
        assert stored(drive.town) == before
    made = await drive.post("inspection-team", "/v1/documents", notice(*map(line, numbers)), expect=201)
    assert made["number"] == "青改〔2026〕1号"


async def test_a_document_names_only_units_that_there_are(drive: Driver) -> None:
    number = await found(drive, "n1")
    before = stored(drive.town)
    for unit in ("nobody", "欧阳明月", "company-1 ", "company-1\n", "\u202ecompany-1", "x" * 65, ""):
        answer = await send(drive, notice(line(number) | {"unit": unit}))
        assert answer.status_code == 422, (unit, answer.text)
        assert stored(drive.town) == before


async def test_the_same_notice_at_once_is_one_notice_with_equal_answers(drive: Driver) -> None:
    numbers = [await found(drive, f"n{n}") for n in range(3)]
    body = notice(*(line(number) for number in numbers))
    answers = await asyncio.gather(*(send(drive, body, key="k1") for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {201: 8}, [answer.text for answer in answers]
    assert len({answer.content for answer in answers}) == 1
    assert drive.town.scalar("SELECT count(*) FROM task WHERE kind = 'problem'") == 3
    assert drive.town.scalar("SELECT n FROM document_series") == 1
    assert (await send(drive, notice(line(numbers[0])), key="k1")).json()["type"].endswith("idempotency-key-reused")
    assert (await send(drive, notice(line("WY260302-AAAAAAAA")), key="k1")).status_code == 409
    other = await drive.send("convener-1", "/v1/documents", body, key="k1")  # another caller's key is another key
    assert other.status_code in (403, 404)


async def test_a_retry_is_answered_as_the_first_time_where_a_second_document_would_be_refused(drive: Driver) -> None:
    number = await found(drive, "n1")
    body = notice(*(line(number) for _ in range(50)))  # as many as the file allows on one grievance
    answers = await asyncio.gather(*(send(drive, body, key="k1") for _ in range(4)))
    assert Counter(answer.status_code for answer in answers) == {201: 4}, [answer.text for answer in answers]
    assert (await send(drive, body, key="k2")).status_code == 409
    assert drive.town.scalar("SELECT count(*) FROM task WHERE kind = 'problem'") == 50


async def test_issuers_whose_lines_overlap_in_opposite_order_do_not_block_each_other(drive: Driver) -> None:
    numbers = [await found(drive, f"n{n}") for n in range(6)]
    bodies = [notice(*(line(number) for number in way)) for way in (numbers, numbers[::-1]) for _ in range(4)]
    urges = [drive.send("command-office", f"/v1/grievances/{number}/tasks/supervision_order") for number in numbers]
    answers = await asyncio.gather(*(send(drive, body) for body in bodies), *urges)
    issued = [answer.json()["number"] for answer in answers[: len(bodies)] if answer.status_code == 201]
    assert sorted(issued) == sorted(f"青改〔2026〕{n}号" for n in range(1, len(bodies) + 1))
    assert all(answer.status_code < 500 for answer in answers)
    assert drive.town.scalar("SELECT count(*) FROM document_line") == 6 * len(bodies)


async def test_a_document_with_a_hundred_lines_is_one_transaction_of_bounded_length(drive: Driver) -> None:
    numbers = [await found(drive, f"n{n}") for n in range(100)]
    began = process_time()
    made = await drive.post(
        "inspection-team", "/v1/documents", notice(*(line(number) for number in numbers)), expect=201
    )
    seconds = process_time() - began
    assert [item["grievance"] for item in made["lines"]] == numbers
    assert [item["n"] for item in made["lines"]] == list(range(1, 101))
    assert len({item["task"] for item in made["lines"]}) == 100
    assert seconds < 10
    assert (await send(drive, notice(*(line(number) for number in [*numbers, numbers[0]])))).status_code == 422


async def test_the_agenda_shows_a_unit_its_own_matters_and_nobody_what_is_not_for_them(drive: Driver) -> None:
    number = await drive.push("m1", complainant=neighbour("m1"))
    await drive.act("desk-centre", number, "accept")
    drive.town.advance(drive.town.now)
    await drive.act("grid-1", number, "sign")
    await drive.act("grid-1", number, "climb_up")
    await drive.act("street-1", number, "sign")
    await drive.open("street-1", number, "meeting_item", {"reason": "内部理由：经费无着"})
    path = f"/v1/documents/agenda?kind={MINUTES}"
    for who in ("convener-1", "supervisor", "admin", "auditor"):
        assert [item["grievance"] for item in (await drive.get(who, path))["items"]] == [number], who
    for who in ("convener-2", "street-1", "company-1", "fire", "supervisor-2", "auditor-2", "other-hotline"):
        assert (await drive.get(who, path))["items"] == [], who
    shown = await drive.client.get(path, headers=drive.headers("hotline"))
    assert "经费无着" not in shown.text  # what units write to each other is not for the hotline
    for kind, status in (("没有", 409), (NOTICE, 409), ("%00", 422), ("", 422), ("x" * 101, 422)):
        await drive.get("convener-1", f"/v1/documents/agenda?kind={kind}", expect=status)
    await drive.get("convener-1", "/v1/documents/agenda", expect=422)
    await drive.get(None, path, expect=401)


async def test_what_the_lines_say_about_any_of_the_complainants_is_struck_out(drive: Driver) -> None:
    people = {"甲": ("欧阳明月", "13987654321"), "乙": ("司马青衫", "13712340987")}
    numbers = []
    for n, (name, phone) in enumerate(people.values()):
        numbers.append(await found(drive, f"n{n}", f"E{n + 1}", complainant={"name": name, "phone": phone}))
    told = "；".join(f"{name}（{phone}）反映" for name, phone in people.values())
    lines = [line(number, f"company-{n}", matter=told) for n, number in enumerate(numbers, 1)]
    made = await drive.post("inspection-team", "/v1/documents", notice(*lines, text=told), expect=201)
    shown = await drive.client.get(f"/v1/documents/{quote(made['number'])}", headers=drive.headers("company-2"))
    rows = drive.town.rows(
        "SELECT t::text FROM document t UNION ALL SELECT t::text FROM task t UNION ALL SELECT t::text FROM ledger t"
        " UNION ALL SELECT t::text FROM procrastinate_jobs t UNION ALL SELECT encode(body, 'escape') FROM idempotency_key"
    )
    packed = [str(unpacked(row[0])) for row in drive.town.rows("SELECT packed FROM ledger WHERE packed IS NOT NULL")]
    canary = re.compile("|".join(part for pair in people.values() for part in pair))
    for text in (shown.text, drive.log.getvalue(), *(row[0] for row in rows), *packed):
        assert canary.search(text) is None, text[:500]


async def test_hostile_documents_are_refused_in_words_and_leave_nothing(drive: Driver) -> None:
    number = await found(drive, "n1")
    before = stored(drive.town)
    headers = drive.headers("inspection-team") | {"Content-Type": "application/json"}
    lone = b'{"kind": "' + NOTICE.encode() + b'", "lines": [{"grievance": "' + number.encode()
    bodies: list[tuple[Any, int]] = [
        (notice(), 422),
        (notice(line(number), state="closed"), 422),
        (notice(line(number) | {"n": 1}), 422),
        (notice(line(number) | {"form": {f"f{n}": 1 for n in range(51)}}), 422),
        (notice(line(number) | {"form": [1]}), 422),
        (notice(line(number, matter="坏\0")), 422),
        (notice(line(number, matter="坏\x07")), 422),
        (notice(line(number, matter={"x": 1})), 422),
        (notice(line(number, matter="长" * 4001)), 422),
        (notice(line(number), text="坏\0"), 422),
        (notice(line(number), text="长" * 4001), 422),
        (notice(line(number), kind="没有这种"), 409),
        (notice(line(number), kind="督办单"), 409),
        (notice(line(number), kind=["x"]), 422),
        (notice(line("' OR 1=1 --")), 422),
        (notice(line("x" * 41)), 422),
        (lone + b'", "form": {"matter": "\\ud800"}}]}', 400),
        (lone + b'", "form": {"a": 1, "a": 2}}]}', 400),
        (b'{"lines": "' + b"x" * 30_000_000 + b'"}', 413),
        (b"\x00", 400),
    ]
    for body, status in bodies:
        if isinstance(body, bytes):
            answer = await drive.client.post("/v1/documents", content=body, headers=headers)
        else:
            answer = await send(drive, body)
        assert answer.status_code == status, (str(body)[:200], answer.status_code, answer.text[:300])
        assert answer.headers["content-type"] == "application/problem+json"
        assert stored(drive.town) == before, str(body)[:200]


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM document_line WHERE n = 2",
        "UPDATE document_line SET task_id = (SELECT task_id FROM document_line WHERE n = 1) WHERE n = 2",
        "UPDATE document_line SET grievance_id = (SELECT grievance_id FROM document_line WHERE n = 1) WHERE n = 2",
        "UPDATE document_line SET n = 9 WHERE n = 2",
    ],
)
async def test_a_changed_line_is_found_by_verification(database: Database, tmp_path: Path, tampering: str) -> None:
    town = town_of(database, tmp_path)
    async with driving(town) as drive:
        numbers = [await found(drive, f"n{n}") for n in range(2)]
        await drive.post("inspection-team", "/v1/documents", notice(*map(line, numbers)), expect=201)
        assert audit.verify(town.site.loop, town.database).ok
        town.run(lambda session: session.connection().exec_driver_sql(tampering))
        assert audit.verify(town.site.loop, town.database).drift >= 1
