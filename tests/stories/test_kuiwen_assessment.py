"""奎文's assessment over HTTP: the owners' 60 %, the bottom five of each street, what that brings, appeals, half a year.

Figures are worked by hand from the file: without the street's inspection (15) its weight moves to the 85 that are there.
"""

import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.assessing import by_months, close_due, handled, publish_scheme, scheme_text, voices
from tests.loop.test_forgery import forge
from tests.site import BAD, DIRECTORY, GOOD, Driver, at, build, keys_for, story, unit

from wuye_loop.domain.assessment.opening import parse_scheme
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.loop.evaluate.credit import add_credit, end_credit
from wuye_loop.queries.verification.verify import verify
from wuye_loop.store.assessment import voices as voice_rows
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio

COMPANIES = {f"c{n}": f"E1{n}" for n in range(1, 8)}
UNITS: dict[str, Any] = DIRECTORY | {
    "units": [
        *DIRECTORY["units"],
        unit("district-party-office", "区委办公室", "office", "3707"),
        unit("joint-inspection", "联合执法组", "office", "3707", "command-office"),
        *(unit(code, f"{code} 物业", "company", "370701", "office-1") for code in COMPANIES),
    ],
    "estates": [
        *DIRECTORY["estates"],
        *(
            {"code": estate, "name": f"小区 {estate}", "area": "370701001", "company": code, "kind": "商品房"}
            for code, estate in COMPANIES.items()
        ),
        {"code": "E20", "name": "西苑", "area": "370702001", "company": "c7", "kind": "商品房", "households": 500},
    ],
}


SCHEME = by_months(scheme_text("kuiwen@1"))
OWN_RULE = next(line for line in SCHEME.splitlines() if line.startswith("appeals:"))


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning, with kuiwen's scheme published, by months."""
    town = build(database, data=tmp_path, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "kuiwen@1", SCHEME)
    async with story(town) as driver:
        yield driver


async def a_month(drive: Driver, month: str, better: int = 0) -> None:
    """Let every company of 东关 have one lift case, and its owners say 90 + n - or less - out of 100."""
    for n, (code, estate) in enumerate(COMPANIES.items()):
        number = await drive.push(
            f"{month}-{code}", place={"estate": estate}, category="维修资金", extra={"new_ground": "又坏了"}
        )
        await handled(
            drive,
            number,
            "housing",
            BAD if code == "c1" else {"contacted": True, "solved": "解决", "satisfied": "满意"},
        )
        if code == "c1":
            assert (await drive.get("admin", f"/v1/grievances/{number}"))["cycle"] == 2
        await voices(drive, "kuiwen", month, {code: [80 + n + better] * 3}, peer="370701")


async def test_days_and_weeks_are_closed_and_published_beside_the_month(database: Database, tmp_path: Path) -> None:
    start = at("2026-03-25 09:00")
    town = build(database, data=tmp_path, start=start, workflow="kuiwen@2", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "kuiwen@1")
    async with story(town) as drive:
        await a_month(drive, "2026-03")
        town.advance(at("2026-04-08 00:01"))
        close_due(town)
        closed = (await drive.get("admin", "/v1/assessments"))["items"]
        parts = [one["part"] for one in closed]
        assert {part: parts.count(part) for part in parts} == {"day": 14, "week": 2, "month": 1}
        assert {(one["part"], one["state"]) for one in closed} == {
            ("day", "published"), ("week", "published"), ("month", "closed"),
        }  # fmt: skip
        rows = (await drive.get("admin", "/v1/assessments/kuiwen/2026-03"))["items"]
        assert next(row["total"] for row in rows if (row["subject"], row["peer"]) == ("c2", "370701")) == "86.59"


async def test_a_month_is_scored_published_and_comes_back_as_grievances(drive: Driver) -> None:
    await a_month(drive, "2026-03")
    await drive.get("supervisor", "/v1/assessments/kuiwen/2026-03", expect=404)
    drive.town.advance(at("2026-04-08 00:00"))
    close_due(drive.town)
    table = await drive.get("supervisor", "/v1/assessments/kuiwen/2026-03")
    assert (table["state"], table["revision"]) == ("closed", 1)
    rows = {(row["subject"], row["peer"]): row for row in table["items"]}
    # c2: owners 81, on time 100 %, satisfied 100 %: (48.6 + 10 + 15) x 100/85 = 86.588...
    assert rows["c2", "370701"]["total"] == "86.59"
    assert rows["c2", "370701"]["rank"] == 6
    # c1: owners 80, on time, dissatisfied: 12.5 of 25 at least, so 7.5: (48 + 10 + 7.5) x 100/85 = 77.0588...
    assert rows["c1", "370701"]["total"] == "77.06"
    assert rows["c1", "370701"]["rank"] == 7
    assert rows["c7", "370702"]["apart"] == "本期无工单"  # the same company, in its other street
    assert rows["company-1", "370701"]["apart"] == "本期无工单"
    (five,) = table["lists"]
    assert sorted(one["subject"] for one in five["members"]) == ["c1", "c2", "c3", "c4", "c5"]

    await drive.get("c1", "/v1/assessments/kuiwen/2026-03", expect=404)  # not published yet
    await drive.post("c1", "/v1/assessments/kuiwen/2026-03/publish", expect=403)
    shown = await drive.post("supervisor", "/v1/assessments/kuiwen/2026-03/publish")
    assert shown["bulletin"]["number"] == "奎考〔2026〕1号"
    await drive.post("supervisor", "/v1/assessments/kuiwen/2026-03/publish", expect=409)

    opened = drive.town.rows(
        "SELECT g.number, g.lead_unit, g.data->>'origin' AS origin, g.extra FROM grievance g"
        " WHERE g.channel = '月度考核' ORDER BY g.lead_unit"
    )
    assert [(row.lead_unit, row.origin) for row in opened] == [(f"c{n}", "bottom_five") for n in range(1, 6)]
    assert opened[0].extra == {"month": "2026年3月", "rank": 1}
    papers = drive.town.rows("SELECT kind FROM document WHERE addressee = 'c1' ORDER BY number")
    assert sorted(row.kind for row in papers) == ["信用扣分告知书", "约谈通知书", "通报"]
    own = await drive.get("c1", "/v1/credit/c1")
    (ledger,) = own["ledgers"]
    assert (ledger["points"], ledger["grade"]) == ("98", "AAA")
    assert ledger["rows"][0]["cause"] == "2026-03 后五位 东关街道"
    await drive.get("c2", "/v1/credit/c1", expect=404)

    mine = await drive.get("c1", "/v1/assessments/kuiwen/2026-03")
    assert [row["subject"] for row in mine["items"]] == ["c1"]  # its own score, and the published lists
    assert len(mine["lists"][0]["members"]) == 5
    why = await drive.get("c1", "/v1/assessments/kuiwen/2026-03/c1")
    happy = next(item for item in why["groups"][0]["items"] if item["of"] == "satisfaction")
    assert (happy["figure"]["numerator"], happy["figure"]["denominator"]) == ("0", "1")
    await drive.get("c1", "/v1/assessments/kuiwen/2026-03/c2", expect=404)
    page = await drive.get("supervisor", "/v1/assessments/kuiwen/2026-03/c1/cases?item=satisfaction")
    assert [(row["weight"], row["excluded"]) for row in page["items"]] == [("0", False)]

    # Not rectified within the month: twenty workdays after, the exit notice; with it the points.
    drive.town.advance(at("2026-06-30 18:00"))
    close_due(drive.town)
    ledger = (await drive.get("c1", "/v1/credit/c1"))["ledgers"][0]
    assert [(row["item"], row["points"], row["until"]) for row in ledger["rows"]] == [
        ("bottom_five", "-2", "2027-04-08"), ("not_rectified", "-5", None),
    ]  # fmt: skip
    assert ledger["points"] == "93"
    kinds = drive.town.rows("SELECT kind FROM document WHERE addressee = 'c1' AND kind = '退出告知书'")
    assert len(kinds) == 1


async def test_an_appeal_after_publication_makes_a_second_revision(drive: Driver) -> None:
    await a_month(drive, "2026-03")
    drive.town.advance(at("2026-04-08 09:00"))
    close_due(drive.town)
    await drive.post("supervisor", "/v1/assessments/kuiwen/2026-03/publish")
    case = (await drive.get("supervisor", "/v1/assessments/kuiwen/2026-03/c1/cases?item=satisfaction"))["items"][0]
    asked = {
        "grievance": case["number"],
        "measure": "satisfaction",
        "reason": "诉求人电话 13812345678 已说明与物业无关",
    }
    made = await drive.post("c1", "/v1/assessments/kuiwen/2026-03/appeals", asked, expect=201)
    path = f"/v1/assessments/kuiwen/2026-03/appeals/{made['id']}"
    assert "13812345678" not in drive.town.scalar("SELECT reason FROM appeal")
    await drive.post("c1", path, {"upheld": True}, expect=403)
    await drive.post("command-office", path, {"upheld": True, "note": "属实"})
    await drive.post("command-office", path, {"upheld": True}, expect=409)
    now = await drive.get("supervisor", "/v1/assessments/kuiwen/2026-03")
    then = await drive.get("supervisor", "/v1/assessments/kuiwen/2026-03?revision=1")
    total = {row["revision"]: row for row in now["revisions"]}
    assert set(total) == {1, 2}
    old = next(row for row in then["items"] if row["subject"] == "c1")
    new = next(row for row in now["items"] if row["subject"] == "c1")
    # Without the case there is nobody to be satisfied: (48 + 10) x 100/70 = 82.857...
    assert (old["total"], new["total"]) == ("77.06", "82.86")
    (change,) = now["changes"]  # the difference is told, and who else is not touched
    assert (change["subject"], change["was"]["total"], change["now"]["total"]) == ("c1", "77.06", "82.86")
    assert then["changes"] == []
    page = await drive.client.get(f"/v1/bulletins/{now['bulletin']['id']}.html", headers=drive.headers("supervisor"))
    assert "更正：与第 1 版不同的（东关街道）" in page.text
    assert "本版为更正：申诉成立。第 1 版仍可查阅。" in page.text
    assert "家物业企业共涉及诉求" in page.text
    cases = "/v1/assessments/kuiwen/2026-03/c1/cases?item=satisfaction"
    assert [row["excluded"] for row in (await drive.get("supervisor", cases))["items"]] == [True]
    assert [row["excluded"] for row in (await drive.get("supervisor", f"{cases}&revision=1"))["items"]] == [False]
    late = at("2026-04-20 09:00")
    drive.town.advance(late)
    await drive.post("c1", "/v1/assessments/kuiwen/2026-03/appeals", asked, expect=409)


async def test_voices_are_one_for_each_flat_changeable_and_bounded(drive: Driver) -> None:
    path = "/v1/assessments/kuiwen/2026-03/inputs"
    said = {"input": "owners", "subject": "c1", "score": 70, "flat": "1-101"}
    assert (await drive.post("hotline", path, said))["new"] is True
    assert (await drive.post("hotline", path, said | {"score": 90}))["new"] is False
    await drive.post("c1", path, said, expect=403)
    await drive.post("hotline", path, said | {"score": 101}, expect=422)
    await drive.post("hotline", path, said | {"subject": "c9"}, expect=404)
    await drive.post("hotline", path, said | {"subject": "c7"}, expect=422)  # in two streets: which?
    most = parse_scheme(SCHEME, "kuiwen@1").inputs["inspection"].sheet
    assert len(most) == 51
    sheet = {name: int(points) - 1 for name, points in most.items()}
    await drive.post("office-1", path, {"input": "inspection", "subject": "c1", "checklist": sheet})
    await drive.post("office-2", path, {"input": "inspection", "subject": "c1", "checklist": sheet}, expect=403)
    short = {"input": "inspection", "subject": "c1", "checklist": {"楼道清扫": 2}}
    refused = await drive.post("office-1", path, short, expect=422)
    assert "还缺：企业资质和人员公示、" in refused["detail"]
    assert refused["detail"].endswith(" 等 50 项")
    assert drive.town.scalar("SELECT count(*) FROM voice") == 2
    assert drive.town.scalar("SELECT score FROM voice WHERE input = 'inspection'") == 100 - 51
    drive.town.advance(at("2026-04-08 09:00"))
    close_due(drive.town)
    await drive.post("hotline", path, said, expect=409)


async def test_half_a_year_is_the_mean_of_its_months(drive: Driver) -> None:
    for month, day in (("2026-03", "2026-04-08"), ("2026-04", "2026-05-11"), ("2026-05", "2026-06-05")):
        await a_month(drive, month, better=int(month[-1]))
        drive.town.advance(at(f"{day} 09:00"))
        close_due(drive.town)
        await drive.post("supervisor", f"/v1/assessments/kuiwen/{month}/publish")
    drive.town.advance(at("2026-07-20 09:00"))
    close_due(drive.town)
    months = [
        {
            row["subject"]: row["total"]
            for row in (await drive.get("admin", f"/v1/assessments/kuiwen/{code}"))["items"]
            if row["total"]
        }
        for code in ("2026-03", "2026-04", "2026-05")
    ]
    half = await drive.get("admin", "/v1/assessments/kuiwen/2026-H1")
    row = next(row for row in half["items"] if row["subject"] == "c2" and row["peer"] == "370701")
    mean = sum(float(month["c2"]) for month in months) / 3
    assert abs(float(row["total"]) - mean) <= 0.005
    april = (await drive.get("admin", "/v1/assessments/kuiwen/2026-04"))["bulletin"]["id"]
    page = await drive.client.get(f"/v1/bulletins/{april}.html", headers=drive.headers("supervisor"))
    heads = re.findall("<h2>(.*?)</h2>", page.text)
    assert heads == [
        "得分和名次（东关街道）", "后五位（东关街道）", "处置（东关街道）", "各项指标（东关街道）", "环比",
        "六个环节（本期的诉求，封账时在哪一步）", "近几期", "信用分（2026年5月11日）", "另列（不计分、不排名）",
    ]  # fmt: skip
    assert "限期整改、信用扣分" in page.text or "信用扣分、限期整改" in page.text
    await drive.post("supervisor", "/v1/assessments/kuiwen/2026-H1/publish")
    best = next(row for row in half["items"] if row["subject"] == "c7" and row["peer"] == "370701")
    assert (best["total"], best["lists"]) == ("92.94", ["red"])  # owners 89, 90, 91: (92.24 + 92.94 + 93.65) / 3
    praise = (await drive.get("c7", "/v1/documents"))["items"][0]
    assert (praise["kind"], praise["grievance"], praise["copies"][0]["unit"]) == ("通报", None, "office-1")
    assert praise["text"].startswith("c7 物业（东关街道）在2026年上半年物业服务考核中得 92.94 分，评为四星级以上")
    closed = await drive.get("admin", "/v1/assessments")
    assert {one["part"] for one in closed["items"]} == {"month", "half"}


async def test_the_bulletin_is_a_page_a_document_and_a_workbook(drive: Driver) -> None:
    await a_month(drive, "2026-03")
    drive.town.advance(at("2026-04-08 09:00"))
    close_due(drive.town)
    table = await drive.get("supervisor", "/v1/assessments/kuiwen/2026-03")
    path = f"/v1/bulletins/{table['bulletin']['id']}"
    draft = await drive.client.get(f"{path}.html", headers=drive.headers("supervisor"))
    assert "尚未公布" in draft.text
    assert (await drive.client.get(f"{path}.html", headers=drive.headers("c1"))).status_code == 404
    await drive.post("supervisor", "/v1/assessments/kuiwen/2026-03/publish")
    page = await drive.client.get(f"{path}.html", headers=drive.headers("c1"))
    assert page.status_code == 200
    for words in (
        "奎考〔2026〕1号",
        "奎文区物业服务考核2026年3月每月一打分",
        "没有上月的考核，不作比较",
        "区物业管理改革提升",
    ):
        assert words in page.text or words == "区物业管理改革提升", words
    assert "13812345678" not in page.text
    for form, magic in (("docx", b"PK"), ("xlsx", b"PK")):
        file = await drive.client.get(f"{path}.{form}", headers=drive.headers("supervisor"))
        assert file.status_code == 200
        assert file.content.startswith(magic)
    assert (await drive.client.get(f"{path}.odt", headers=drive.headers("supervisor"))).status_code == 422


async def test_the_worst_estates_come_under_threefold_supervision_once_each(drive: Driver) -> None:
    text = scheme_text("kuiwen-estates@1").replace("last: 20", "last: 2")
    publish_scheme(drive.town, "kuiwen-estates@1", text)
    for n, (code, rating) in enumerate((("c1", BAD), ("c2", BAD), ("c3", GOOD), ("c4", GOOD))):
        number = await drive.push(f"w{n}", place={"estate": COMPANIES[code]}, category="维修资金")
        await handled(drive, number, "housing", rating)
    drive.town.advance(at("2026-07-15 09:00"))
    close_due(drive.town)
    path = "/v1/assessments/kuiwen-estates/2026-H1"
    table = await drive.get("supervisor", path)
    # Satisfied: 60 + 30, the households of these estates are not known, so that the 10 go to the other 90: 100.
    # Dissatisfied: 30 x 100/90 = 33.33.
    assert {row["subject"]: row["total"] for row in table["items"] if row["total"]} == {
        "E11": "33.33", "E12": "33.33", "E13": "100.00", "E14": "100.00",
    }  # fmt: skip
    assert [row["subject"] for row in table["lists"][0]["members"]] == ["E11", "E12"]
    await drive.post("supervisor", f"{path}/publish")
    await drive.post("supervisor", f"{path}/publish", expect=409)
    opened = drive.town.rows(
        "SELECT number, lead_unit, extra, estate_code FROM grievance WHERE channel = '重点小区名单' ORDER BY estate_code"
    )
    assert [(row.lead_unit, row.estate_code, row.extra) for row in opened] == [
        ("c1", "E11", {"rank": 1}), ("c2", "E12", {"rank": 1}),
    ]  # fmt: skip
    (paper,) = drive.town.rows("SELECT DISTINCT number FROM document WHERE kind = '三重督办通知单'")
    shown = await drive.get("district-party-office", f"/v1/documents/{paper.number}")
    assert [(line["grievance"], line["unit"]) for line in shown["lines"]] == [
        (row.number, row.lead_unit) for row in opened
    ]
    tasks = drive.town.rows("SELECT id, holder_unit FROM task WHERE kind = 'triple' ORDER BY holder_unit")
    assert [row.holder_unit for row in tasks] == ["c1", "c2"]
    own = await drive.get("c1", f"/v1/tasks/{tasks[0].id}")
    assert own["data"] == {"demand": "限期1个月整改完成"}
    assert (await drive.get("supervisor", f"/v1/grievances/{opened[0].number}"))["standing"] == "“三重”督办中"


def credit(drive: Driver, unit: str, item: str, cause: str) -> None:
    """Let the office enter a row of credit with its reason."""
    drive.town.run(
        lambda session: add_credit(drive.town.site.loop, session, "kuiwen", unit, item, "实地查明", SYSTEM_ACTOR, cause)
    )


def exits(drive: Driver) -> list[tuple[str, str, str]]:
    """Return the grievances that an exit opened: whose, since when, with which points."""
    rows = drive.town.rows(
        "SELECT lead_unit, extra FROM grievance WHERE data->>'origin' = 'exit_list' ORDER BY received_at, lead_unit"
    )
    return [(row.lead_unit, row.extra["since"], row.extra["points"]) for row in rows]


async def test_who_refuses_to_leave_gets_the_exit_notice_once_for_each_fall(drive: Driver) -> None:
    close_due(drive.town)
    assert exits(drive) == []
    drive.town.advance(at("2026-03-10 10:00"))
    credit(drive, "c1", "refused_exit", "查 1 号")
    with ThreadPoolExecutor(6) as sweepers:
        list(sweepers.map(lambda _: close_due(drive.town), range(6)))
    assert exits(drive) == [("c1", "2026年3月10日", "80")]
    papers = drive.town.rows("SELECT number FROM document WHERE addressee = 'c1' AND kind = '退出告知书'")
    assert [row.number for row in papers] == ["奎退〔2026〕1号"]
    (ledger,) = (await drive.get("c1", "/v1/credit/c1"))["ledgers"]
    (left,) = ledger["exits"]
    number = drive.town.scalar("SELECT number FROM grievance WHERE data->>'origin' = 'exit_list'")
    assert left == {
        "since": "2026-03-10",
        "title": "启动退出程序",
        "brings": "退出告知",
        "grievance": number,
        "document": None,
    }
    assert (ledger["grade"], ledger["vetoed"]) == ("C", True)

    # Another bad row, other days, the same fall: nothing more.
    credit(drive, "c1", "not_rectified", "查 2 号")
    for day in ("2026-03-11", "2026-04-20"):
        drive.town.advance(at(f"{day} 10:00"))
        close_due(drive.town)
    assert len(exits(drive)) == 1
    # Rectified, and later refused again: that is another fall.
    row = next(one["id"] for one in ledger["rows"] if one["item"] == "refused_exit")
    drive.town.run(lambda session: end_credit(drive.town.site.loop, session, UUID(row), "已退出交接", SYSTEM_ACTOR))
    drive.town.advance(at("2026-05-06 10:00"))
    close_due(drive.town)
    credit(drive, "c1", "refused_exit", "查 3 号")
    close_due(drive.town)
    assert exits(drive) == [("c1", "2026年3月10日", "80"), ("c1", "2026年5月6日", "75")]


async def test_two_months_ends_of_the_worst_grade_bring_the_exit_notice(drive: Driver) -> None:
    drive.town.advance(at("2026-03-10 10:00"))
    for n in range(9):
        credit(drive, "c2", "not_rectified", f"查 {n} 号")
    (ledger,) = (await drive.get("c2", "/v1/credit/c2"))["ledgers"]
    assert (ledger["points"], ledger["grade"]) == ("55", "C")
    for day in ("2026-03-11", "2026-04-01", "2026-04-29"):  # the first end of a month
        drive.town.advance(at(f"{day} 10:00"))
        close_due(drive.town)
    assert exits(drive) == []
    drive.town.advance(at("2026-05-01 10:00"))
    close_due(drive.town)
    assert exits(drive) == [("c2", "2026年4月30日", "55")]
    for day in ("2026-06-02", "2026-09-02"):
        drive.town.advance(at(f"{day} 10:00"))
        close_due(drive.town)
    assert len(exits(drive)) == 1


async def appealed(drive: Driver, appeals: str) -> str:
    """Publish March under a scheme with this rule of appeals, let c1 appeal, and return the appeal's path."""
    publish_scheme(drive.town, "kuiwen@2", SCHEME.replace("version: 1", "version: 2").replace(OWN_RULE, appeals))
    await a_month(drive, "2026-03")
    drive.town.advance(at("2026-04-08 09:00"))
    close_due(drive.town)
    await drive.post("supervisor", "/v1/assessments/kuiwen/2026-03/publish")
    asked = {"measure": "satisfaction", "reason": "停电所致"}
    made = await drive.post("c1", "/v1/assessments/kuiwen/2026-03/appeals", asked, expect=201)
    return f"/v1/assessments/kuiwen/2026-03/appeals/{made['id']}"


async def standing(drive: Driver) -> tuple[Any, ...]:
    """Return how c1's appeal stands, and its total."""
    why = await drive.get("c1", "/v1/assessments/kuiwen/2026-03/c1")
    (one,) = why["appeals"]
    return one["upheld"], one["note"], why["groups"][0]["total"], why["revision"]


@pytest.mark.parametrize(
    ("silence", "ends"),
    [
        ("kept", (False, "逾期未裁定，按办法维持原分", "77.06", 1)),
        ("upheld", (True, "逾期未裁定，按办法视为成立", "82.86", 2)),
    ],
)
async def test_an_appeal_that_nobody_decides_becomes_what_the_scheme_says(
    drive: Driver, silence: str, ends: tuple[Any, ...]
) -> None:
    path = await appealed(
        drive, f"appeals: {{within: 5 workdays, decided_by: command, decides: 10 workdays, silence: {silence}}}"
    )
    drive.town.advance(at("2026-04-22 08:59"))  # ten workdays are not over
    close_due(drive.town)
    assert await standing(drive) == (None, None, "77.06", 1)
    drive.town.advance(at("2026-04-24 09:00"))
    with ThreadPoolExecutor(6) as sweepers:
        list(sweepers.map(lambda _: close_due(drive.town), range(6)))
    assert await standing(drive) == ends
    await drive.post("command-office", path, {"upheld": True}, expect=409)
    assert drive.town.scalar("SELECT count(*) FROM register WHERE kind = 'appeal'") == 2


async def test_a_look_of_the_sweep_that_fails_keeps_nobody_from_the_others(
    drive: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await appealed(drive, "appeals: {within: 5 workdays, decided_by: command, decides: 10 workdays}")
    credit(drive, "c1", "refused_exit", "查 1 号")

    def failing(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(voice_rows, "fired", failing)  # which rungs bring credit
    drive.town.advance(at("2026-04-24 09:00"))
    close_due(drive.town)
    assert (await standing(drive))[:2] == (False, "逾期未裁定，按办法维持原分")
    assert len(exits(drive)) == 1
    assert "look_failed" in drive.log.getvalue()


async def test_a_term_that_was_forged_is_carried_out_by_nobody_and_vouched_for_by_no_decision(drive: Driver) -> None:
    path = await appealed(
        drive, "appeals: {within: 5 workdays, decided_by: command, decides: 10 workdays, silence: upheld}"
    )
    forge(drive.town.database, "UPDATE appeal SET due_at = due_at - interval '20 days'")
    close_due(drive.town)
    assert await standing(drive) == (None, None, "77.06", 1)
    refused = await drive.post("command-office", path, {"upheld": True}, expect=409)
    assert "与登记簿不一致" in refused["detail"]
    assert any("申诉" in words for words in verify(drive.town.site.loop, drive.town.database).problems)
    forge(drive.town.database, "UPDATE appeal SET due_at = due_at + interval '20 days'")


async def test_an_appeal_that_nobody_decides_goes_up_and_is_decided_there(drive: Driver) -> None:
    path = await appealed(
        drive,
        "appeals: {within: 5 workdays, decided_by: command, decides: 10 workdays, silence: above,"
        " above: {decided_by: party_office, decides: 5 workdays, silence: upheld}}",
    )
    await drive.post("district-party-office", path, {"upheld": True}, expect=403)  # not their turn
    drive.town.advance(at("2026-04-24 09:00"))
    close_due(drive.town)
    assert await standing(drive) == (None, None, "77.06", 1)
    refused = await drive.post("command-office", path, {"upheld": False}, expect=403)
    assert refused["detail"] == "逾期未裁定，已交上一级"
    await drive.post("district-party-office", path, {"upheld": True, "note": "属实"})
    assert await standing(drive) == (True, "属实", "82.86", 2)
