"""每日一分析 by category: frozen, beside the day before, whole though it is cut short, and sound to `bulletin check`."""

import io
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook
from tests.assessing import close_due, publish_scheme, scheme_text
from tests.site import Driver, Town, at, build, story

from wuye_loop.domain.figures.anomalies import anomalies
from wuye_loop.domain.figures.published import read_published
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.queries.assessment import bulletin
from wuye_loop.queries.assessment.bulletin import Bulletin, Change, _parted
from wuye_loop.queries.assessment.sheets import drawn
from wuye_loop.store.assessment.periods import FigureRow
from wuye_loop.store.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def drive(database: Database, tmp_path: Path) -> AsyncIterator[Driver]:
    """Monday 2 March 2026, nine in the morning, with kuiwen's scheme published."""
    town = build(database, data=tmp_path, workflow="kuiwen@2")
    publish_scheme(town, "kuiwen@1")
    async with story(town) as driver:
        yield driver


def made(town: Town, code: str) -> Bulletin:
    with town.database.read() as session:
        return bulletin.of_period(town.site.loop, session, SYSTEM_ACTOR, "kuiwen", code)


async def day_of(drive: Driver, day: str, *categories: str) -> None:
    drive.town.clock.set(at(f"{day} 15:00"))  # after noon: it falls into the analysis of the next day
    for n, category in enumerate(categories):
        await drive.push(f"{day}-{n}", title=f"第 {n} 件 {day}", body=f"{day} 的第 {n} 件，请查看", category=category)


async def test_the_daily_analysis_parts_by_category_in_every_form(drive: Driver) -> None:
    town = drive.town
    await day_of(drive, "2026-03-02", "电梯", "电梯", "停车管理")
    await day_of(drive, "2026-03-03", "电梯", "停车管理", "停车管理", "停车管理", "噪音扰民", "绿化养护")
    town.clock.set(at("2026-03-04 12:01"))
    close_due(town)
    first, second = made(town, "2026-03-03"), made(town, "2026-03-04")
    (sheet,) = (one for one in first.sheets if one.section == "by_category")
    assert (sheet.title, sheet.columns) == ("收到的诉求按类别", ("诉求类别", "件数", "占比（%）"))
    assert sheet.rows == (
        ("电梯", 2, Decimal("66.67")),
        ("停车管理", 1, Decimal("33.33")),
        ("合计", 3, Decimal("100.00")),
    )
    assert "收到的诉求按诉求类别，最多的是电梯 2 件、停车管理 1 件。" in first.opening
    (sheet,) = (one for one in second.sheets if one.section == "by_category")
    assert sheet.columns == ("诉求类别", "件数", "占比（%）", "前一日", "环比")
    # 3, 1, 1, 1 of 6: 50, 16.67, 16.67, 16.67: what is printed makes 100.01, and is not forced to 100.
    assert sheet.rows == (
        ("停车管理", 3, Decimal("50.00"), 1, "+200.00%"), ("噪音扰民", 1, Decimal("16.67"), 0, None),
        ("电梯", 1, Decimal("16.67"), 2, "-50.00%"), ("绿化养护", 1, Decimal("16.67"), 0, None),
        ("合计", 6, Decimal("100.00"), 3, "+100.00%"),
    )  # fmt: skip
    assert "收到的诉求按诉求类别，最多的是停车管理 3 件、噪音扰民 1 件、电梯 1 件，合计占 83.33%。" in second.opening

    page = drawn(second, "html").decode()
    assert "<h2>收到的诉求按类别</h2>" in page
    assert '<td class="number">+200.00%</td>' in page
    tables = Document(io.BytesIO(drawn(second, "docx"))).tables
    assert [[cell.text for cell in row.cells] for row in tables[0].rows][1] == [
        "停车管理",
        "3",
        "50.00",
        "1",
        "+200.00%",
    ]
    book = load_workbook(io.BytesIO(drawn(second, "xlsx")))
    assert [cell.value for cell in book["收到的诉求按类别"][2]] == ["停车管理", 3, 50, 1, "+200.00%"]

    text = drawn(second, "json")
    told = json.loads(text, parse_float=Decimal)
    assert told["counts"]["收到的诉求按类别合计"] == 6
    assert told["percentages"][0]["parts"]["停车管理"] == [3, Decimal("50.00")]
    assert {one["name"]: one["percent"] for one in told["growth"]}["停车管理环比"] == Decimal("200.00")
    assert anomalies(read_published(text, "day.json")) == []
    wrong = text.replace(b"[3,50.00]", b"[3,49.99]")
    assert [(str(one.published), str(one.right)) for one in anomalies(read_published(wrong, "day.json"))] == [
        ("49.99", "50.00")
    ]

    # Frozen with the other figures, under the hash: what is put right afterwards is in no bulletin that was made.
    kept = "SELECT measure, numerator FROM figure WHERE measure LIKE 'by_category:%%' AND denominator = 3 ORDER BY 1"
    assert [tuple(row) for row in town.rows(kept)] == [("by_category:停车管理", 1), ("by_category:电梯", 2)]


async def test_a_day_without_any_has_no_such_table_and_says_so(drive: Driver) -> None:
    town = drive.town
    town.clock.set(at("2026-03-03 12:01"))
    close_due(town)
    one = made(town, "2026-03-03")
    assert "by_category" not in {sheet.section for sheet in one.sheets}
    assert one.opening[0].startswith("2026年3月3日没有诉求")
    assert anomalies(read_published(drawn(one, "json"), "day.json")) == []


def row(value: str, n: int) -> FigureRow:
    return FigureRow("", "", f"by_channel:{value}", Decimal(n), Decimal(0))


def test_what_does_not_fit_is_one_line_and_the_whole_stays_whole() -> None:
    now = [row("12345", 5), row("", 5), row("小程序", 2), row("来访", 1), row("来信", 1)]
    then = [row("12345", 5), row("传真", 4)]
    sheet = _parted("by_channel", now, then, 2, "上周")
    assert sheet is not None
    assert sheet.title == "按受理渠道（本期收到的）"
    assert sheet.rows == (
        ("12345", 5, Decimal("35.71"), 5, "持平"), ("未写明", 5, Decimal("35.71"), 0, None),
        ("其余 4 项", 4, Decimal("28.57"), 4, "持平"), ("合计", 14, Decimal("100.00"), 9, "+55.56%"),
    )  # fmt: skip
    assert isinstance(sheet.rows[0][4], Change)
    assert _parted("by_channel", [], then, 2, "上周") is None
    gone = _parted("by_channel", now, then, 6, "上周")
    assert gone is not None
    assert gone.rows[-2] == ("传真", 0, Decimal("0.00"), 4, "-100.00%")  # there is room for what is no more


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 3, 1]])
def test_the_order_of_what_was_kept_changes_nothing(order: list[int]) -> None:
    every = [row("甲", 2), row("乙", 2), row("丙", 1), row("丁", 1), row("", 3)]
    sheet = _parted("by_channel", [every[n] for n in order], [], 3, "上周")
    assert sheet is not None
    assert [line[0] for line in sheet.rows] == ["未写明", "乙", "甲", "其余 2 项", "合计"]


def test_the_shipped_daily_analysis_has_it() -> None:
    assert "sections: [by_category, figures, compare, trend]" in scheme_text("kuiwen@1")
