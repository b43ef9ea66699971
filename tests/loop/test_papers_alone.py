"""A document that a list or a fall brings alone: numbered, once, vouched for, read by whom it concerns and by nobody else."""

import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.assessing import close_due, publish_scheme, workflow_of
from tests.loop.test_evaluate import MINIMAL, two_cases
from tests.site import Driver, at, build, keys_for, story
from tests.stories.test_kuiwen_assessment import UNITS
from tests.web.browsing import account, browsing

from wuye_loop.cli import checkup
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.loop.evaluate import publication
from wuye_loop.loop.evaluate.credit import add_credit
from wuye_loop.queries.verification import verify
from wuye_loop.queries.verification.report import Report
from wuye_loop.store import registry, vouched
from wuye_loop.store.database import Database
from wuye_loop.store.directory.load import load_directory
from wuye_loop.store.directory.read import read_directory

pytestmark = pytest.mark.anyio

TALK = (
    '{issue: {document: 约谈通知书, title: "关于约谈{subject}的通知", text: "请{subject}法定代表人到场说明{period}倒数第'
    ' {from_last} 名的情况。", to: subject, copies: [street, command]}}'
)
SCHEME = (
    MINIMAL.replace("brings: [cut, rectify]", "brings: [cut, talk]")
    .replace('{open: {source: bottom_five, title: "{period}整改", extra: {month: period, rank: from_last}}}', TALK)
    .replace("  rectify:", "  leave: {issue: 退出告知书}\n  talk:")
    .replace("points: -2}}", "points: -2}}, exit: {title: 启动退出程序, when: {below: 95}, brings: [leave]}")
)
KEYS = keys_for(UNITS) | {
    "east": {"role": "supervisor", "area": "370701"},
    "west": {"role": "supervisor", "area": "370702"},
    "security": {"role": "security", "holder": "安全员 9001"},
    "auditor": {"role": "auditor"},
}
assert SCHEME.count("issue") == 2


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """March is over: two companies of 东关 are on the list of the last."""
    town = build(database, data=tmp_path, workflow="kuiwen@2", units=UNITS, keys=KEYS)
    publish_scheme(town, "small@1", SCHEME)
    async with story(town) as driver:
        await two_cases(driver)
        town.advance(at("2026-04-01 00:00"))
        yield driver


PAPERS = "SELECT number, addressee, copies, title, text, issuer, area_path, period FROM document WHERE kind = '约谈通知书' ORDER BY n"


async def test_six_sweepers_issue_each_document_once_in_an_unbroken_series(drive: Driver) -> None:
    town = drive.town
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(lambda _: close_due(town), range(6))) == 1
    first, second = town.rows(PAPERS)
    # c1 has a good rating: 100; c2 has none: 0, and is the last.
    assert (first.number, first.addressee, first.copies) == ("奎约〔2026〕1号", "c1", ["office-1", "command-office"])
    assert (first.title, first.text) == (
        "关于约谈c1 物业的通知",
        "请c1 物业法定代表人到场说明2026年3月倒数第 2 名的情况。",
    )
    assert (second.number, second.addressee) == ("奎约〔2026〕2号", "c2")
    assert "倒数第 1 名" in second.text
    assert (first.issuer, first.area_path, first.period) == (None, "3707/370701/", "2026-03")
    rows = town.rows("SELECT subject, document, grievance FROM consequence WHERE consequence = 'talk' ORDER BY subject")
    assert [tuple(row) for row in rows] == [("c1", first.number, None), ("c2", second.number, None)]
    assert town.scalar("SELECT count(*) FROM grievance") == 2  # nothing was opened
    close_due(town)
    assert len(town.rows(PAPERS)) == 2


async def test_a_kill_in_the_middle_leaves_no_document_and_no_gap(
    drive: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, real, calls = drive.town, publication._issue, []

    def dying(*args: Any, **more: Any) -> str:
        calls.append(args)
        number = real(*args, **more)
        if len(calls) == 2:
            raise ConnectionError
        return number

    monkeypatch.setattr(publication, "_issue", dying)
    assert close_due(town) == 0
    assert town.rows(PAPERS) == []
    monkeypatch.setattr(publication, "_issue", real)
    assert close_due(town) == 1
    assert [row.number for row in town.rows(PAPERS)] == ["奎约〔2026〕1号", "奎约〔2026〕2号"]


async def test_it_is_read_by_whom_it_names_and_by_who_sees_the_place(drive: Driver) -> None:
    close_due(drive.town)
    path = "/v1/documents/奎约〔2026〕1号"
    own = await drive.get("c1", path)
    assert own["assessment"] == {"scheme": "small@1", "period": "2026-03"}
    assert (own["grievance"], own["task"], own["lines"], own["title"]) == (None, None, [], "关于约谈c1 物业的通知")
    assert [one["unit"] for one in own["copies"]] == ["office-1", "command-office"]
    assert [one["number"] for one in (await drive.get("c1", "/v1/documents"))["items"]] == ["奎约〔2026〕1号"]
    listed = (await drive.get("supervisor", "/v1/documents?series=约谈通知书&limit=1"))["items"]
    assert [one["number"] for one in listed] == ["奎约〔2026〕2号"]
    to_c1 = await drive.get("supervisor", "/v1/documents?unit=c1")
    assert [one["number"] for one in to_c1["items"]] == ["奎约〔2026〕1号"]
    for who in ("office-1", "command-office", "supervisor", "east", "admin", "auditor"):
        assert (await drive.get(who, path))["number"] == "奎约〔2026〕1号", who
    for who in ("c2", "office-2", "housing", "west", "hotline", "security"):
        await drive.get(who, path, expect=403 if who == "security" else 404)
    why = await drive.get("c1", "/v1/assessments/small/2026-03/c1")
    assert [(one["consequence"], one["document"]) for one in why["groups"][0]["brought"]] == [
        ("cut", None), ("talk", "奎约〔2026〕1号"),
    ]  # fmt: skip


def caught_twice(drive: Driver) -> None:
    """Enter two bad rows for c1 by hand."""
    with drive.town.database.begin() as session:
        for n in range(2):
            add_credit(drive.town.site.loop, session, "small", "c1", "low", f"查 {n}", SYSTEM_ACTOR)


async def test_who_falls_gets_the_document_alone_once_for_the_fall(drive: Driver) -> None:
    town = drive.town
    close_due(town)
    caught_twice(drive)  # 98 - 2 - 2 = 94
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: close_due(town), range(6)))
    asked = "SELECT number, addressee, copies, text FROM document WHERE kind = '退出告知书'"
    (paper,) = town.rows(asked)
    assert (paper.number, paper.addressee, paper.copies) == ("奎退〔2026〕1号", "c1", [])
    assert paper.text == "c1 物业，信用分 94 分，自2026年4月1日起达到“启动退出程序”的条件。"
    (ledger,) = (await drive.get("c1", "/v1/credit/c1"))["ledgers"]
    assert ledger["exits"] == [
        {"since": "2026-04-01", "title": "启动退出程序", "brings": "leave", "grievance": None, "document": paper.number}
    ]
    town.advance(at("2026-05-07 09:00"))
    close_due(town)
    assert len(town.rows(asked)) == 1


async def test_a_paper_says_that_the_score_it_stands_on_was_revised(drive: Driver) -> None:
    town = drive.town
    appeals = "appeals: {within: 5 workdays, decided_by: command}\n"
    publish_scheme(town, "small@2", SCHEME.replace("version: 1", "version: 2") + appeals)
    close_due(town)
    account(town, "chief", "supervisor", area="3707")
    (case,) = (await drive.get("supervisor", "/v1/assessments/small/2026-03/c1/cases?item=satisfaction"))["items"]
    asked = {"grievance": case["number"], "measure": "satisfaction", "reason": "与物业无关"}
    made = await drive.post("c1", "/v1/assessments/small/2026-03/appeals", asked, expect=201)
    path = "/v1/documents/奎约〔2026〕1号"
    assert (await drive.get("c1", path))["assessment"] == {"scheme": "small@2", "period": "2026-03"}
    town.advance(at("2026-04-02 09:00"))
    await drive.post("command-office", f"/v1/assessments/small/2026-03/appeals/{made['id']}", {"upheld": True})
    told = {"scheme": "small@2", "period": "2026-03", "superseded_by": 2}
    assert (await drive.get("c1", path))["assessment"] == told
    listed = {one["number"]: one for one in (await drive.get("supervisor", "/v1/documents"))["items"]}
    assert listed["奎约〔2026〕1号"]["assessment"] == told
    async with browsing(town) as visitors:
        chief = await visitors.person("chief")
        page = await chief.go("/papers/奎约〔2026〕1号")
        assert "这份文书所依据的得分，已由第 2 版更正" in page.text
        assert "/assess/small/2026-03" in page.links
        assert "已由第 2 版更正" in (await chief.go("/papers")).text
        assert "已由第 2 版更正" in (await chief.client.get("/papers.csv")).text
        english = await chief.client.get("/papers.csv", headers={"Accept-Language": "en"})
        assert "superseded by revision 2" in english.text


FORGED = {
    "the text": "UPDATE document SET text = text || '。'",
    "whom it is addressed to": "UPDATE document SET addressee = 'c9' WHERE number = '奎约〔2026〕1号'",
    "who has a copy": "UPDATE document SET copies = '{}'",
    "the heading": "UPDATE document SET title = 'x'",
    "where it lies": "UPDATE document SET area_path = '3707/'",
    "from whom it is": "UPDATE document SET issuer = 'office-2'",
    "of which scheme it is": "UPDATE document SET scheme = 'other@1' WHERE grievance_id IS NULL",
    "one put in": (
        "INSERT INTO document SELECT '奎约〔2026〕9号', kind, series, year, 9, NULL, NULL, 'c3', copies, text, area_path,"
        " issued_at, scheme, period, title, issuer FROM document WHERE number = '奎约〔2026〕1号'"
    ),
    "one removed": "DELETE FROM document WHERE number = '奎约〔2026〕2号'",
    "which one a list brought": "UPDATE consequence SET document = '奎约〔2026〕1号' WHERE document = '奎约〔2026〕2号'",
}


async def test_each_forgery_is_seen(drive: Driver) -> None:
    town = drive.town
    close_due(town)
    assert verify.verify(town.site.loop, town.database).ok
    for what, statement in FORGED.items():
        with town.database.begin() as session:
            before = session.connection().begin_nested()
            session.connection().exec_driver_sql(statement)
            report = Report()
            verify._register(session, town.site.loop.chain, report)
            before.rollback()
        word = "处置" if what.startswith("which") else "文书"
        assert any(word in problem for problem in report.problems), (what, report.problems)


async def test_what_a_list_brought_before_there_were_documents_is_entered_as_it_was(drive: Driver) -> None:
    """The register of an older installation knows such rows by four columns: they hash as they did."""
    town = drive.town
    close_due(town)
    with town.database.begin() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT jsonb_build_array(name, period, subject, peer, consequence)::text,"
            " jsonb_build_array(list, extract(epoch FROM at), grievance, credit_id)::text"
            " FROM consequence WHERE document IS NULL"
        )
        then = {key: hashlib.sha256(text.encode()).hexdigest() for key, text in rows}
        now = vouched.KINDS[vouched.BROUGHT].images(session)
        assert then
        assert {key: now[key]["sha256"] for key in then} == then
        assert registry.image_of(session, vouched.PAPER, "奎约〔2026〕1号") is not None


async def test_without_anybody_to_get_it_nothing_is_published_and_no_number_is_lost(drive: Driver) -> None:
    town = drive.town
    elsewhere = SCHEME.replace("to: subject", "to: street").replace("version: 1", "version: 2")
    publish_scheme(town, "small@2", elsewhere)

    def offices(*duties: str) -> None:
        units = [one | {"duties": list(duties)} if one["code"] == "office-1" else one for one in UNITS["units"]]
        town.run(lambda session: load_directory(session, UNITS | {"units": units}))

    offices()
    assert close_due(town) == 0
    said = town.scalar("SELECT trouble FROM assessment WHERE state = 'closed'")
    assert said == "目录里没有“街道物业办”，c1 物业的约谈通知书没有单位可送"
    assert town.rows(PAPERS) == []
    offices("property-office")
    town.advance(at("2026-04-01 00:10"))
    assert close_due(town) == 1
    assert [(row.number, row.addressee) for row in town.rows(PAPERS)] == [
        ("奎约〔2026〕1号", "office-1"), ("奎约〔2026〕2号", "office-1"),
    ]  # fmt: skip


async def test_an_exit_that_cannot_be_brought_is_kept_with_its_reason_until_it_can(drive: Driver) -> None:
    town = drive.town
    late = SCHEME.replace("issue: 退出告知书", "issue: {document: 退出告知书, to: street}").replace(
        "version: 1", "version: 2"
    )
    publish_scheme(town, "small@2", late)
    close_due(town)
    caught_twice(drive)
    idle = [one | {"duties": []} if one["code"] == "office-1" else one for one in UNITS["units"]]
    town.run(lambda session: load_directory(session, UNITS | {"units": idle}))
    close_due(town)
    kept = "SELECT trouble FROM credit_watch WHERE scheme = 'small@2'"
    assert town.scalar(kept) == "c1 物业：目录里没有“街道物业办”，c1 物业的退出告知书没有单位可送"
    workflow = workflow_of("kuiwen@2")
    assert workflow is not None
    with town.database.read() as session:
        known = read_directory(session)
        said = [one.words for one in checkup._schemes(session, {"kuiwen@2": workflow}, known, "kuiwen@2")]
    assert "small@2 清退没有办成：c1 物业：目录里没有“街道物业办”，c1 物业的退出告知书没有单位可送" in said
    assert "西关街道" not in "".join(said)
    town.run(lambda session: load_directory(session, UNITS))
    town.advance(at("2026-04-02 00:01"))
    close_due(town)
    assert town.scalar(kept) is None
    assert town.scalar("SELECT addressee FROM document WHERE kind = '退出告知书'") == "office-1"
