"""济南's credit over HTTP: collected every day, summed up every month, published every quarter."""

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.assessing import close_due, publish_scheme, voices
from tests.site import BAD, FINISH, Driver, at, build, keys_for, story
from tests.stories.test_jinan import UNITS, scanned

from wuye_loop.domain.figures.exact import half_up
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning."""
    town = build(database, data=tmp_path, workflow="jinan@1", units=UNITS, keys=keys_for(UNITS))
    publish_scheme(town, "jinan@1")
    async with story(town) as driver:
        yield driver


async def test_a_quarter_of_bad_months_costs_credit_and_brings_a_patrol(drive: Driver) -> None:
    for month, closing in (
        ("2026-03", "2026-04-08"),
        ("2026-04", "2026-05-11"),
        ("2026-05", "2026-06-05"),
        ("2026-06", "2026-07-06"),
    ):
        number = await scanned(drive, f"q-{month}", body=f"{month} 电梯坏了")
        await drive.act("company", number, "sign")
        await drive.act("company", number, "finish", FINISH)
        await drive.act("hotline", number, "rate", BAD)
        await voices(drive, "jinan", month, {"company": [50, 60, 70]})
        drive.town.advance(at(f"{closing} 09:00"))
        close_due(drive.town)
        await drive.post("supervisor", f"/v1/assessments/jinan/{month}/publish")
    march = await drive.get("company", "/v1/assessments/jinan/2026-03")
    (row,) = march["items"]
    # Owners 60 of 50: 30; nobody satisfied of 30: 0; in time: 20; one order hurried it: -2.
    assert row["total"] == "48.00"
    months = []
    for month in ("2026-04", "2026-05", "2026-06"):
        (row,) = (await drive.get("company", f"/v1/assessments/jinan/{month}"))["items"]
        months.append(Decimal(row["total"]))
    drive.town.advance(at("2026-07-20 09:00"))
    close_due(drive.town)
    quarter = await drive.post("housing-bureau", "/v1/assessments/jinan/2026-Q2/publish")
    assert quarter["bulletin"]["number"] == "济物信〔2026〕1号"
    (one,) = quarter["lists"][1]["members"]
    assert (quarter["lists"][1]["name"], one["subject"], one["total"]) == (
        "dishonest", "company", f"{half_up(sum(months, Decimal(0)) / 3, 2)}",
    )  # fmt: skip
    (ledger,) = (await drive.get("company", "/v1/credit/company"))["ledgers"]
    assert (ledger["points"], ledger["grade"]) == ("75", "A")
    opened = drive.town.rows("SELECT title, data->>'origin' AS origin FROM grievance WHERE channel = '物业服务巡查'")
    assert [(row.title, row.origin) for row in opened] == [("2026年第2季度失信企业服务巡查", "patrol")]
    day = await drive.get("company", "/v1/assessments/jinan/2026-03-02")  # published as it closed
    assert day["items"][0]["figures"]["scanned"]["numerator"] == "1"
    empty = await drive.client.get(
        f"/v1/bulletins/{(await drive.get('admin', '/v1/assessments/jinan/2026-03-15'))['bulletin']['id']}.html",
        headers=drive.headers("admin"),
    )
    assert "2026年3月15日没有诉求" in empty.text
    assert "新记信用记录 0 条。" in empty.text

    # Published every quarter: the credit first, who has which grade in words; collected every day: what was entered then.
    page = await drive.client.get(f"/v1/bulletins/{quarter['bulletin']['id']}.html", headers=drive.headers("admin"))
    heads = re.findall("<h2>(.*?)</h2>", page.text)
    assert heads == [
        "信用分和等级", "失信企业（泉水街道）", "处置（泉水街道）", "得分和名次（泉水街道）",
        "六个环节（本期的诉求，封账时在哪一步）",
    ]  # fmt: skip
    assert "有信用记录的 1 家：A 级 1 家。" in page.text
    drive.town.advance(at("2026-07-21 00:01"))
    close_due(drive.town)
    of_day = (await drive.get("admin", "/v1/assessments/jinan/2026-07-20"))["bulletin"]["id"]
    page = await drive.client.get(f"/v1/bulletins/{of_day}.html", headers=drive.headers("admin"))
    assert "新记信用记录 1 条：加分 0 条，扣分 1 条。" in page.text
    assert "<h2>本期信用记录</h2>" in page.text
