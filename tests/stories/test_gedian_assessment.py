"""葛店's assessment over HTTP, from March to October: resettled estates every quarter, the others every half year."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.assessing import close_due, publish_scheme, voices
from tests.site import Driver, at, build, keys_for, story
from tests.stories.gedian_town import UNITS

from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.loop.evaluate.scores import Said, enter_list
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning."""
    town = build(database, data=tmp_path, workflow="gedian@1", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "gedian@1")
    async with story(town) as driver:
        yield driver


async def test_quarters_and_half_years_have_estates_and_floors_of_their_own(drive: Driver) -> None:
    await voices(drive, "gedian", "2026-Q1", {"E2": [40, 50, 45]})
    mark = {"input": "panel", "subject": "E2", "score": 50}
    await drive.post("community-2", "/v1/assessments/gedian/2026-Q1/inputs", mark)
    await drive.post("community-1", "/v1/assessments/gedian/2026-Q1/inputs", mark, expect=403)  # another community

    def typed(unit: str, score: int) -> Said:
        return Said("panel", "E2", None, Decimal(score), {}, unit=unit)

    # A list that is typed in: whose voice each is, is said in it; the community's own mark is changed, and back again.
    told = drive.town.run(
        lambda session: enter_list(
            drive.town.site.loop,
            session,
            "gedian",
            "2026-Q1",
            [typed("community-2", 60), typed("community-1", 10), typed("community-2", 50)],
            SYSTEM_ACTOR,
        )
    )
    assert told == [False, "这项评分不由这个单位来评", False]
    await voices(drive, "gedian", "2026-H1", {"E1": [95, 90, 100], "E3": [55, 55, 50]})
    drive.town.advance(at("2026-04-20 09:00"))  # ten workdays after the quarter, over Qingming
    close_due(drive.town)
    quarter = await drive.post("housing", "/v1/assessments/gedian/2026-Q1/publish")
    # 45 x 0.7 + 50 x 0.3 = 46.5, below the 50 of resettled estates
    assert [(row["subject"], row["total"]) for row in quarter["items"]] == []  # a department reads what is published
    assert [(one["subject"], one["total"]) for one in quarter["lists"][0]["members"]] == [("E2", "46.50")]
    whole = await drive.get("supervisor", "/v1/assessments/gedian/2026-Q1")
    assert [row["subject"] for row in whole["items"]] == ["E2"]
    opened = drive.town.rows("SELECT title, data->>'origin' AS origin, estate_code, area_path FROM grievance")
    assert [(row.title, row.origin, row.estate_code) for row in opened] == [
        ("2026年第1季度还建社区满意度未达标整改", "survey", "E2")
    ]

    drive.town.advance(at("2026-07-20 09:00"))
    close_due(drive.town)
    half = await drive.post("supervisor", "/v1/assessments/gedian/2026-H1/publish")
    assert half["bulletin"]["number"] == "葛考〔2026〕2号"
    rows = {row["subject"]: (row["total"], row["lists"]) for row in half["items"]}
    # Nobody of the panel scored these: its weight moves to the owners.
    assert rows == {"E1": ("95.00", ["red"]), "E3": ("53.33", ["black"])}
    mine = await drive.get("company-1", "/v1/assessments/gedian/2026-H1")
    assert [row["subject"] for row in mine["items"]] == ["E1"]  # the estate it runs
    await drive.get("company-1", "/v1/assessments/gedian/2026-H1/E3", expect=404)

    asked = {"measure": "satisfaction", "subject": "E1", "reason": "没有诉求"}
    await drive.post("company-2", "/v1/assessments/gedian/2026-H1/appeals", asked, expect=403)
    made = await drive.post("company-1", "/v1/assessments/gedian/2026-H1/appeals", asked, expect=201)
    await drive.post("housing", f"/v1/assessments/gedian/2026-H1/appeals/{made['id']}", {"upheld": False})
    assert (await drive.get("supervisor", "/v1/assessments/gedian/2026-H1"))["revision"] == 1
    later = await drive.get("supervisor", "/v1/assessments")
    assert {one["period"] for one in later["items"]} == {"2026-Q1", "2026-Q2", "2026-H1"}
    missing = await drive.get("supervisor", "/v1/assessments/gedian/2026-Q2")
    assert [row["apart"] for row in missing["items"]] == ["缺评分"]  # nobody was asked: blank, not 0
    papers = await drive.get("company-1", "/v1/documents?series=通报")
    assert [(one["title"], one["text"]) for one in papers["items"]] == [
        ("关于表扬一号院物业服务的通报", "一号院2026年上半年考评得 95.00 分，列入红榜，予以通报表扬。")
    ]
    assert papers["items"][0]["number"] == "葛通〔2026〕2号"


async def test_twice_running_on_the_black_list_starts_the_way_out(drive: Driver) -> None:
    """黑榜退出: the estate is assessed, its company gets the notice; the second quarter, once, and not the first."""
    for quarter, closing in (("2026-Q1", "2026-04-20"), ("2026-Q2", "2026-07-20")):
        await voices(drive, "gedian", quarter, {"E2": [40, 50, 45]})
        drive.town.advance(at(f"{closing} 09:00"))
        close_due(drive.town)
        await drive.post("supervisor", f"/v1/assessments/gedian/{quarter}/publish")
    titles = [one["title"] for one in (await drive.get("company-2", "/v1/documents?series=通报"))["items"]]
    assert titles == ["关于二号院启动物业退出程序的通报", "关于二号院物业服务的通报", "关于二号院物业服务的通报"]
    why = await drive.get("company-2", "/v1/assessments/gedian/2026-Q2/E2")
    assert {one["consequence"] for one in why["groups"][0]["brought"]} == {"rectify_resettled", "criticise", "leave"}
    (leave,) = (one for one in why["groups"][0]["brought"] if one["consequence"] == "leave")
    paper = await drive.get("housing", f"/v1/documents/{leave['document']}")
    assert "连续两次列入黑榜（2026年第2季度得 45.00 分）" in paper["text"]
    await drive.get("company-1", f"/v1/documents/{leave['document']}", expect=404)
