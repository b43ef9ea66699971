"""Canaries in every field, in many spellings, of two people whose matters are merged: no key that may not reads them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.test_papers import found, line, notice, send
from tests.api.test_papers import town_of as papers_town
from tests.loop.test_identity import dump, everything, filled, routes
from tests.site import DIRECTORY, FINISH, Driver, Town, build, driving, story

from wuye_loop.domain.privacy import striking
from wuye_loop.domain.privacy.folding import fold
from wuye_loop.loop import striking as people
from wuye_loop.store.database import Database
from wuye_loop.store.grievance import related

pytestmark = pytest.mark.anyio
LEAD = {
    "complainant": {"name": "慕容雪梅女士（业主）", "phone": "139 1234 5678", "confidential": True},
    "address": "慕容雪梅家3号楼2单元2907",
}
FOLLOWER = {"complainant": {"name": "李四先生", "phone": "+86 13711112222"}, "address": "5栋1单元1801室"}
SPELT = {
    "name": ("慕容雪梅", "慕容·雪梅", "慕 容 雪 梅", "慕-容-雪-梅", "慕容女士", "李四", "李 四", "李·四", "李*四"),
    "phone": (
        "13912345678", "电话13912345678", "１３９１２３４５６７８", "壹叁玖壹贰叁肆伍陆柒捌", "1三9一2三4五6七8", "139x1234x5678",
        "+86-139-1234-5678", "联系方式13711112222", "一三七一一一一二二二二", "1-3-7-1-1-1-1-2-2-2-2", "137*1111*2222",
    ),
    "room": ("2907", "29-07", "二九〇七", "2907室", "29楼07", "1801", "18-01", "一八〇一", "1801户", "18层01"),
    "account": ("微信murong_88", "wx:murong_88", "v信murong_88", "鲁G·M2907", "murong@example.com"),
}  # fmt: skip
TOLD = "；".join(form for forms in SPELT.values() for form in forms)
STAYS = "物业费2.4元/㎡，共1350元，2026年3月2日停水，1-9号楼，车位101至118，〔2026〕7号，电表度数2077度，拨12345"
FOREIGN = "；".join((*SPELT["name"], *SPELT["phone"], *SPELT["room"]))

_GAP = r"[^0-9a-z\u4e00-\u9fff\"]{0,3}"
_SECRETS = {
    name: re.compile(edge + _GAP.join(secret) + end)
    for name, secret, edge, end in (
        ("name 1", "慕容", "", ""), ("name 2", "雪梅", "", ""), ("name 3", "李四", "", ""),
        ("phone 1", "13912345678", "", ""), ("phone 2", "13711112222", "", ""), ("tail", "12345678", "", ""),
        ("room 1", "2907", "(?<![0-9a-z.])", "(?![0-9a-z])"), ("room 2", "1801", "(?<![0-9a-z.])", "(?![0-9a-z])"),
        ("account", "murong", "", ""), ("plate", "m2907", "", ""),
    )
}  # fmt: skip
_ROOM_PARTED = re.compile(r"(?<![\d.])(?:29\W?(?:楼|层)?\W?0?7|18\W?(?:楼|层)?\W?0?1)(?![\d.])")
# Instants, ids, hashes and sealed texts hold digits of their own.
_MACHINE = re.compile(
    r"[0-9a-z_-]{64,}=*|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32,}|wy\d{6}-[0-9a-z]{8}|\d{4}-\d\d-\d\d(?:t[\d:.]+(?:z|\+08:00))?"
    r"|\"[a-z_]+\":-?\d+(?:\.\d+)?"
)
UNITS = ("property-centre", "market", "company-1", "office-1", "command-office", "office-2")
READERS = (*UNITS, "hotline", "other-hotline", "supervisor", "supervisor-2", "auditor", "admin")
FEW = ("company-1", "market", "supervisor")


def leaks(text: str) -> list[str]:
    """Return which secrets a text gives away."""
    digits = _MACHINE.sub("#", fold(text).digits)
    gone = [f"{name}: {hit[0]!r}" for name, pattern in _SECRETS.items() if (hit := pattern.search(digits))]
    return gone + [f"room: {hit[0]!r}" for hit in [_ROOM_PARTED.search(digits)] if hit]


def order(external_id: str, person: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return an order that names both people everywhere."""
    return {
        "external_id": external_id,
        "channel": "电话",
        "kind": "投诉",
        "title": f"{person['complainant']['name']}反映电梯停运",
        "body": f"{TOLD}。{STAYS}",
        "place": {"estate": "E1", "address": person["address"]},
        "complainant": person["complainant"],
        "extra": {"来电号码": 13912345678, "别的": [13711112222, {"房号": 2907, FOREIGN: TOLD}]},
    } | fields


async def family(drive: Driver) -> tuple[str, str, str, str]:
    """Lead two matters that are merged half-way through everything that takes words; return both, a task, a document."""
    told = order("w1", LEAD, kind=FOREIGN[:20], channel="电话13912345678", category=TOLD[:120], urgency="139x1234x5678")
    await drive.post("hotline", "/v1/grievances", told, expect=201)
    lead = str(
        (await drive.post("hotline", "/v1/grievances", order("a1", LEAD, category="电梯"), expect=201))["number"]
    )
    # Before the merge nobody can know that these are the other one's name and room.
    await drive.act("hotline", lead, "urge", {"note": FOREIGN})
    await drive.act("property-centre", lead, "accept")
    await drive.act("market", lead, "sign")
    await drive.act("market", lead, "contact", {"contacted": True, "note": FOREIGN})
    await drive.open("supervisor", lead, "supervision_order", {"document": "督办单", "demand": FOREIGN})
    follower = order("b1", FOLLOWER, category="电梯", extra={})
    second = str((await drive.post("hotline", "/v1/grievances", follower, expect=201))["number"])
    merged = await drive.act("property-centre", second, "merge", {"into": lead, "reason": f"同一件，{FOREIGN}"})
    assert not leaks(str(merged)), leaks(str(merged))
    sheet = drive.tasks(lead, "supervision_order")[0]
    await drive.on_task("market", sheet.id, "answer", {"measures": TOLD})
    assist = drive.tasks(lead, "assist")[0].id
    await drive.on_task("company-1", assist, "sign")
    await drive.on_task("company-1", assist, "done", {"result": TOLD})
    reply = f"{TOLD}。{STAYS}"
    await drive.act("market", lead, "finish", {**FINISH, "internal": TOLD, "public_reply": reply})
    await drive.act("property-centre", lead, "approve", {"note": TOLD})
    return lead, second, str(sheet.id), str(sheet.document_number)


async def reads(town: Town, readers: tuple[str, ...]) -> tuple[list[str], int]:
    """Read every route with every key; return what leaked, and how many answers there were."""
    gone: list[str] = []
    n = 0
    async with driving(town) as drive:
        lead, second, task, document = await family(drive)
        for method, path, _ in routes(drive.app.openapi()):
            if method != "GET" or path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
                continue
            for who in readers:
                for number in dict.fromkeys((lead, second)):
                    for address in filled(path, number, task, document):
                        answer = await drive.client.get(address, headers=drive.headers(who))
                        n += 1
                        gone += [f"{address} as {who}: {leak}" for leak in leaks(everything(answer))]
        for who in readers:
            answer = await drive.client.get(f"/v1/grievances/{lead}", headers=drive.headers(who))
            if answer.status_code == 200:
                assert STAYS in answer.json()["body"], who
        gone += [f"log: {leak}" for line in drive.log.getvalue().splitlines() for leak in leaks(line)]
    return gone, n


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return build(database, data=tmp_path)


async def test_no_unit_reads_of_a_family_who_complained(town: Town) -> None:
    gone, n = await reads(town, FEW)
    assert not gone, "\n".join(gone[:20])
    assert n > 50


@pytest.mark.proof
async def test_no_key_reads_on_any_route_who_complained(town: Town) -> None:
    gone, n = await reads(town, READERS)
    assert not gone, "\n".join(gone[:20])
    assert n > 400


def nothing_struck(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(striking, "_found", lambda *_: iter(()))
    patch.setattr(striking, "_known", lambda *_: iter(()))


def only_patterns(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(striking, "_known", lambda *_: iter(()))


def families_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(people, "_in_family", lambda _: False)


def lists_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(related, "families_of", lambda *_: [])


@pytest.mark.proof
@pytest.mark.parametrize("spoil", [nothing_struck, only_patterns, families_forgotten, lists_forgotten])
async def test_the_canaries_sing_where_striking_is_spoilt(
    town: Town, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[pytest.MonkeyPatch], None]
) -> None:
    spoil(monkeypatch)
    try:
        gone, _ = await reads(town, READERS)
    except AssertionError as error:  # the answer to the merge itself gives it away
        gone = [str(error)]
    assert gone


def _place(person: dict[str, Any]) -> dict[str, str]:
    return {"estate": "E1", "address": person["address"]}


async def test_minutes_and_notices_name_nobody_of_the_families_of_their_lines(
    database: Database, tmp_path: Path
) -> None:
    town = papers_town(database, tmp_path)
    async with story(town) as drive:
        lead = await found(drive, "f1", complainant=LEAD["complainant"], place=_place(LEAD))
        second = await found(drive, "f2")
        third = await found(drive, "f3", complainant=FOLLOWER["complainant"], place=_place(FOLLOWER))
        await drive.act("desk-centre", third, "merge", {"into": lead, "reason": "同一件"})
        sent = notice(*(line(number, matter=TOLD) for number in (lead, second)), text=f"{TOLD}。{STAYS}")
        made = (await send(drive, sent)).json()
        shown = await drive.get("company-1", f"/v1/documents/{quote(made['number'])}")
        assert STAYS in shown["text"]
        for path in (f"/v1/documents/{quote(made['number'])}", "/v1/documents", f"/v1/grievances/{lead}/tasks"):
            answer = await drive.client.get(path, headers=drive.headers("company-1"))
            assert not (gone := leaks(everything(answer))), (path, gone)
    with town.database.read() as session:
        stored = [row for table, row in dump(session) if table in ("document", "task", "ledger")]
    assert not [leak for row in stored for leak in leaks(row)]


# --- what stays, and what the directory makes public ----------------------------------------------------------------


async def test_what_is_no_identity_is_shown_as_it_was_written(town: Town) -> None:
    async with story(town) as drive:
        number = await drive.push(body=STAYS, complainant={"name": "慕容雪梅", "phone": "13912345678"})
        assert (await drive.get("property-centre", f"/v1/grievances/{number}"))["body"] == STAYS


async def test_a_service_phone_of_the_directory_stands_in_the_public_reply(database: Database, tmp_path: Path) -> None:
    units = [
        one | {"phones": ["0536-8881234", "18905361234"]} if one["code"] == "office-1" else one
        for one in DIRECTORY["units"]
    ]
    town = build(database, data=tmp_path, units=DIRECTORY | {"units": units})
    reply = (
        "电梯已修好，详询东关物业办0536-8881234，8881234或18905361234，也可致电0536-8889999，慕容女士可打13912345678"
    )
    async with story(town) as drive:
        number = await drive.push(complainant={"name": "慕容雪梅", "phone": "13912345678"})
        await drive.walk(number, "accept", "sign")
        assist = drive.tasks(number, "assist")[0].id
        await drive.on_task("company-1", assist, "sign")
        await drive.on_task("company-1", assist, "done", {"result": "已配合"})
        await drive.act("market", number, "finish", FINISH | {"public_reply": reply})
        await drive.act("property-centre", number, "approve")
        rows = (await drive.get("hotline", f"/v1/grievances/{number}/ledger"))["items"]
    told = [row["facts"]["public_reply"] for row in rows if "public_reply" in row["facts"]]
    assert told == ["电梯已修好，详询东关物业办0536-8881234，8881234或18905361234，也可致电0536-8889999，***可打***"]


async def test_an_estate_that_nobody_knows_is_read_as_an_address(town: Town) -> None:
    async with story(town) as drive:
        place = {"estate": "无名小区3号楼2单元1703", "area_code": "370701001"}
        number = await drive.push(place=place, body="1703漏水，月费1703元")
        shown = await drive.post("hotline", f"/v1/grievances/{number}/identity", {"reason": "上门核实情况所需，已告知"})
    stored = town.grievance(number)
    assert (stored.body, town.words(number, stored.data["estate_name"])) == (
        "***漏水，月费1703元",
        "无名小区3号楼2单元***",
    )
    assert shown["complainant"]["estate"] == place["estate"]


async def test_the_words_as_spoken_stay_sealed(town: Town) -> None:
    async with story(town) as drive:
        sent = order("a1", LEAD, kind="慕容雪梅的投诉")
        number = (await drive.post("hotline", "/v1/grievances", sent, expect=201))["number"]
        shown = await drive.post("hotline", f"/v1/grievances/{number}/identity", {"reason": "上门核实情况所需，已告知"})
    person = shown["complainant"]
    assert (person["body"], person["kind"], person["extra"]) == (sent["body"], sent["kind"], sent["extra"])
    assert town.grievance(number).address == "***家3号楼"
