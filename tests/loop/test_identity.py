"""Who complained is nowhere but in its own sealed table: not in any answer, header, log line, job, or other row."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from tests.api.test_papers import town_of, workflow_text
from tests.loop.versions import publish
from tests.pictures import telling_jpeg
from tests.site import BAD, FINISH, Driver, Town, build, driving

from wuye_loop.domain.errors import SealBroken
from wuye_loop.domain.privacy.sealing import Sealed
from wuye_loop.loop import migrate
from wuye_loop.queries.explain import explain
from wuye_loop.queries.verification import verify as audit
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import identity
from wuye_loop.store.grievance.packing import unpacked
from wuye_loop.trial.replay.run import replay

NAME, PHONE, ADDRESS = "欧阳明月", "13987654321", "幸福路8号3号楼2单元1703"
PERSON = {"name": NAME, "phone": PHONE}
TOLD = f"我是{NAME}（欧 阳 明 月），电话 139 8765 4321 或１３９８７６５４３２１，住{ADDRESS}，就是1703室"
# What gives the complainant away, however it is written; a number only where it stands by itself.
CANARY = re.compile(
    r"欧\s?阳\s?明\s?月|明月"
    r"|1\s?3\s?9[\s-]?8\s?7\s?6\s?5[\s-]?4\s?3\s?2\s?1"
    r"|１３９８"
    r"|(?<![0-9A-Za-z.:-])1703(?![0-9A-Za-z:-])"
)
ROLES = (
    None, "hotline", "other-hotline", "property-centre", "market", "company-1", "office-2", "supervisor", "supervisor-2",
    "auditor", "admin", "security",
)  # fmt: skip
REVEAL = "/v1/grievances/{number}/identity"


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[Town]:
    own = build(database, data=tmp_path)
    yield own
    report = audit.verify(own.site.loop, own.database)
    assert report.ok, report.problems


def telltale(external_id: str, estate: str = "E1") -> dict[str, Any]:
    """Return an order that names its complainant everywhere that words can go."""
    return {
        "external_id": external_id,
        "channel": "电话",
        "kind": "投诉",
        "title": f"{NAME}反映电梯停运",
        "body": TOLD,
        "place": {"estate": estate, "address": ADDRESS},
        "complainant": PERSON,
        "extra": {"来电人": NAME, "回访": [f"打{PHONE}", {"备用": TOLD}], NAME: "键里也有"},
    }


async def lived(drive: Driver) -> tuple[str, str, str]:
    """Lead a grievance through everything that takes free text; return its number, a task's id and a document's number."""
    made = await drive.post("hotline", "/v1/grievances", telltale("a1"), expect=201)
    number = str(made["number"])
    await drive.act("hotline", number, "urge", {"note": TOLD})
    await drive.act("property-centre", number, "accept")
    await drive.act("market", number, "sign")
    await drive.act("market", number, "contact", {"contacted": True, "note": TOLD})
    task = await drive.open("market", number, "extension", {"days": 2, "reason": TOLD})
    await drive.on_task("command-office", task["id"], "refuse", {"reason": TOLD})
    await drive.open("supervisor", number, "supervision_order", {"document": "督办单", "demand": TOLD})
    order = drive.tasks(number, "supervision_order")[0]
    await drive.on_task("market", order.id, "answer", {"measures": TOLD})
    assist = drive.tasks(number, "assist")[0].id
    await drive.on_task("company-1", assist, "sign")
    await drive.on_task("company-1", assist, "done", {"result": TOLD})
    await drive.act("market", number, "finish", {**FINISH, "internal": TOLD, "public_reply": TOLD})
    await drive.act("property-centre", number, "approve", {"note": TOLD})
    await drive.act("property-centre", number, "call_back", {"outcome": "接通", "note": TOLD})
    await drive.act("hotline", number, "rate", {**BAD, "comment": TOLD})
    return number, str(order.id), str(order.document_number)


def routes(schema: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield method, path and parameters of every operation in the OpenAPI document."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation.get("parameters", [])


def filled(path: str, number: str, task: str, document: str) -> Iterator[str]:
    """Yield the addresses that a path stands for here."""
    values = {
        "{task_id}": [task],
        "{workflow_id}": ["kuiwen@1"],
        "{action}": ["urge", "sign_off"],
        "{kind}": ["assist", "supervision_order"],
        "{number}": [document if "documents" in path else number],
    }
    addresses = [path]
    for name, options in values.items():
        addresses = [one.replace(name, option) for one in addresses for option in (options if name in one else [""])]
    yield from dict.fromkeys(addresses)


def everything(answer: httpx.Response) -> str:
    """Return all that an answer says, headers too; its length may be any number."""
    headers = [header for header in answer.headers.multi_items() if header[0] != "content-length"]
    return f"{headers} {answer.content.decode('utf-8', 'replace')}"


def dump(session: Session) -> Iterator[tuple[str, str]]:
    """Yield every row of every table but the sealed one, as text, and what its bytes say: unpacked, or as text."""
    connection = session.connection()
    columns = connection.exec_driver_sql(
        "SELECT table_name, array_agg(column_name::text) FILTER (WHERE data_type = 'bytea') FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'complainant' GROUP BY table_name"
    )
    for table, binary in columns.all():
        for row in connection.exec_driver_sql(f'SELECT t::text FROM "{table}" t').scalars():  # noqa: S608 names of ours
            yield str(table), str(row)
        for name in binary or ():
            kept = connection.exec_driver_sql(f'SELECT {name} FROM "{table}" WHERE {name} IS NOT NULL')  # noqa: S608 names of ours
            for one in kept.scalars():
                yield table, str(unpacked(one)) if name == "packed" else bytes(one).decode("utf-8", "replace")


@pytest.mark.anyio
async def test_no_route_shows_any_role_who_complained_and_no_log_line_or_row_keeps_it(town: Town) -> None:
    leaks: list[str] = []
    outputs = 0
    async with driving(town) as drive:
        number, task, document = await lived(drive)
        reached = set()
        for method, path, _ in routes(drive.app.openapi()):
            for who in ROLES:
                may_reveal = path == REVEAL and who == "hotline"
                for address in filled(path, number, task, document):
                    for body in bodies(method, path):
                        answer = await drive.client.request(method, address, headers=drive.headers(who), json=body)
                        outputs += 1
                        reached.add((method, path))
                        assert answer.status_code < 500, (method, address, who, answer.text)
                        if may_reveal and answer.status_code == 200:
                            assert PHONE in answer.text
                        elif found := CANARY.search(everything(answer)):
                            leaks.append(f"{method} {address} as {who}: {answer.status_code} {found[0]!r}")
        lines = drive.log.getvalue()
        assert lines.count("\n") > 0.9 * outputs  # health and metrics are not logged
        leaks += [f"log: {line[:200]}" for line in lines.splitlines() if CANARY.search(line)]
        assert len(reached) == sum(1 for _ in routes(drive.app.openapi()))
    with town.database.read() as session:
        rows = list(dump(session))
    leaks += [f"table {table}: {found[0]!r} in {row[:300]}" for table, row in rows if (found := CANARY.search(row))]
    assert not leaks, "\n".join(leaks[:20])
    assert {"grievance", "ledger", "task", "document", "procrastinate_jobs"} <= {table for table, _ in rows}
    assert outputs > 400


def bodies(method: str, path: str) -> list[Any]:
    """Return what is posted to a route: what it takes, and what it must refuse without repeating it."""
    if method != "POST":
        return [None]
    if path == REVEAL:
        return [{"reason": f"核实，{TOLD}"}]
    if path == "/v1/grievances":
        return [
            telltale("a1"),
            telltale("a2", "E2"),
            {**telltale("a3"), NAME: TOLD},
            {**telltale("a4"), "kind": [TOLD]},
        ]
    if path == "/v1/grievances:batch":
        return [{"items": [telltale("b1"), {**telltale("b2"), "title": {NAME: TOLD}}, {TOLD: PHONE}]}]
    return [{"note": TOLD}, {NAME: TOLD, "reason": TOLD, "unit": NAME, "document": PHONE, "grievance": NAME}]


@pytest.mark.anyio
async def test_the_sealed_row_opens_with_the_key_and_only_for_its_own_grievance(town: Town) -> None:
    async with driving(town) as drive:
        await drive.post("hotline", "/v1/grievances", telltale("a1"), expect=201)
    row = town.rows("SELECT * FROM complainant")[0]
    sealed = Sealed(row.key_id, row.alg, bytes(row.wrapped_key), bytes(row.nonce), bytes(row.ciphertext))
    person = identity.opened(town.site.loop.keyring, row.grievance_id, sealed)
    assert (person["name"], person["phone"], person["address"], person["body"]) == (NAME, PHONE, ADDRESS, TOLD)
    raw = b"".join((sealed.wrapped_key, sealed.nonce, sealed.ciphertext, bytes(row.phone_hash)))
    assert PHONE.encode() not in raw
    assert NAME.encode() not in raw
    with pytest.raises(SealBroken):
        identity.opened(town.site.loop.keyring, uuid.UUID(int=1), sealed)


@pytest.mark.anyio
async def test_who_may_see_the_complainant_gives_a_reason_and_leaves_a_row(town: Town) -> None:
    async with driving(town) as drive:
        made = await drive.post("hotline", "/v1/grievances", telltale("a1"), expect=201)
        path = f"/v1/grievances/{made['number']}/identity"
        await drive.post("hotline", path, {}, expect=422)
        shown = await drive.post("hotline", path, {"reason": "回访"})
        assert shown["complainant"]["phone"] == PHONE
        for who in ("property-centre", "company-1", "market", "supervisor", "auditor", "admin", "security"):
            assert (await drive.send(who, path, {"reason": "看看"})).status_code in (403, 404), who
        assert (await drive.send("other-hotline", path, {"reason": "看看"})).status_code == 404
    entries = town.folder(made["number"]).entries
    assert [entry.action for entry in entries] == ["receive", "reveal"]
    assert entries[1].facts == {"reason": "回访", "from": "127.0.0.1", "watermark": shown["watermark"]}
    assert entries[1].actor["key"] == str(town.actors["hotline"].key_id)
    assert entries[1].audience == "internal"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "statement", ["UPDATE ledger SET facts = '{}'", "DELETE FROM ledger", "TRUNCATE ledger", "TRUNCATE ledger CASCADE"]
)
async def test_the_database_itself_refuses_to_change_the_ledger(town: Town, statement: str) -> None:
    async with driving(town) as drive:
        await drive.push()
    with pytest.raises(DBAPIError, match="append"):
        town.run(lambda session: session.connection().exec_driver_sql(statement))
    assert town.scalar("SELECT count(*) FROM ledger") == 1


READERS = (
    "hotline", "other-hotline", "company-1", "street-1", "fire", "desk-centre", "inspection-team", "supervisor-2",
    "supervisor", "auditor", "admin",
)  # fmt: skip


async def told_to_units(drive: Driver) -> dict[str, str]:
    """Name the complainant wherever the sixth city takes words: forms of sources, lines, minutes, rulings, files, urges."""
    number = (await drive.post("hotline", "/v1/grievances", telltale("a1") | {"category": "电梯"}, expect=201))[
        "number"
    ]
    await drive.act("desk-centre", number, "accept")
    form = {"reason": "非本单位职责", "legal_basis": TOLD, "suggest": "street-1"}
    asked = await drive.open("grid-1", number, "return_request", form)
    await drive.on_task("desk-centre", asked["id"], "dispute", {"note": TOLD})
    await drive.on_task("joint-office", asked["id"], "rule_out", {"unit": "street-1", "grounds": TOLD})
    await drive.act("street-1", number, "climb_up")
    await drive.act("desk-centre", number, "route", {"unit": "street-1"})
    await drive.act("street-1", number, "sign")
    urge = {**telltale("u1"), "channel": "催办", "extra": {"parent": "a1", "new_ground": f"{NAME} {PHONE}"}}
    assert (await drive.post("hotline", "/v1/grievances", urge))["attached_to"] == number
    whistle = await drive.open("community-1", number, "whistle", {"unit": "fire", "demand": TOLD})
    await drive.on_task("fire", whistle["id"], "report")
    await drive.on_task("fire", whistle["id"], "finish", {"result": TOLD})
    await drive.on_task("community-1", whistle["id"], "rate_unit", {"score": 1, "comment": TOLD})
    path = f"/v1/grievances/{number}/files"
    hidden = {"Content-Disposition": f'attachment; filename="{PHONE}.png"', "Content-Type": f"image/png; name={PHONE}"}
    sent = await drive.client.post(path, content=telling_jpeg(), headers=drive.headers("street-1") | hidden)
    assert sent.status_code == 201
    found = {"channel": "联合检查", "category": "停车管理", "extra": {"item": "其他", "other": f"{NAME}车位，{PHONE}"}}
    other = (await drive.post("inspection-team", "/v1/grievances", {**telltale("n1"), **found}, expect=201))["number"]
    made: list[httpx.Response] = []
    for who, kind, lines in (
        ("convener-1", "联席会议纪要", [(number, "housing", {"demand": TOLD, "deadline": "2026-03-20"})]),
        ("inspection-team", "限期整改通知书", [(other, None, {"matter": TOLD, "deadline": "2026-03-20"})]),
    ):
        body = {"kind": kind, "text": TOLD, "lines": [{"grievance": g, "unit": u, "form": f} for g, u, f in lines]}
        made.append(await drive.send(who, "/v1/documents", body, key=f"k-{len(made)}"))
    assert [answer.status_code for answer in made] == [201, 201], [answer.text for answer in made]
    return {
        "{number}": number, "other": other, "{task_id}": whistle["id"], "{file_id}": sent.json()["file"],
        "document": made[1].json()["number"], "{workflow_id}": "qinghe@1", "{action}": "urge", "{kind}": "whistle",
    }  # fmt: skip


@pytest.mark.anyio
async def test_what_units_write_names_nobody_either(database: Database, tmp_path: Path) -> None:
    town = town_of(database, tmp_path)
    leaks: list[str] = []
    async with driving(town) as drive:
        values = await told_to_units(drive)
        answers = 0
        for method, path, _ in routes(drive.app.openapi()):
            if method != "GET" or path in ("/healthz", "/readyz", "/metrics"):
                continue
            for who in READERS:
                for number in (values["document"],) if "documents" in path else (values["{number}"], values["other"]):
                    address = path.replace("{number}", number)
                    for name, value in values.items():
                        address = address.replace(name, value)
                    query = "?kind=联席会议纪要" if "agenda" in path else ""
                    answer = await drive.client.get(address + query, headers=drive.headers(who))
                    answers += 1
                    assert answer.status_code < 500, (address, who, answer.text)
                    if found := CANARY.search(everything(answer)):
                        leaks.append(f"{address} as {who}: {found[0]!r}")
        leaks += [f"log: {line[:200]}" for line in drive.log.getvalue().splitlines() if CANARY.search(line)]
    with town.database.read() as session:
        leaks += [f"table {table}: {row[:300]}" for table, row in dump(session) if CANARY.search(row)]
        for number in (values["{number}"], values["other"]):
            for viewer in (None, "supervisor", "street-1"):
                said = json.dumps(explain.explain(town.site.loop, session, number, viewer), ensure_ascii=False)
                leaks += [f"explain: {found[0]!r}" for found in CANARY.finditer(said)]
    text = workflow_text()
    tally = replay(town.database, town.site.loop.keyring, text, processes=1).as_json()
    assert (tally["grievances"], tally["failed"]) == (2, 0)
    newer = text.replace("version: 1\n", "version: 2\n", 1).replace("migrates: {}", "migrates: {qinghe@1: {}}")
    publish(town, newer)
    way = town.run(lambda session: migrate.mapping(town.site.loop, session, "qinghe@1", "qinghe@2"))
    moved = [str(item) for item in migrate.migrate(town.site.loop, town.database, way)]
    assert len(moved) == 2
    leaks += [f"told: {word[:200]}" for word in (json.dumps(tally, ensure_ascii=False), *moved) if CANARY.search(word)]
    assert not leaks, "\n".join(leaks[:20])
    assert answers > 200
    assert audit.verify(town.site.loop, town.database).ok
