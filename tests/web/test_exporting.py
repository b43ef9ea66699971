"""A list of any length as a file: page after page through the same visibility, bounded, one at a time, with how far it is."""

import asyncio
import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from tests.site import Town
from tests.web.browsing import Visitors, browsing

from wuye_loop.web import exporting

pytestmark = pytest.mark.anyio


def rows_of(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def framed(content: bytes) -> tuple[list[tuple[str, ...]], bytes]:
    """Return what was told of a file on its way, and the file."""
    told, whole = [], b""
    while content:
        line, _, content = content.partition(b"\n")
        rows, size, *why = line.decode().split(" ")
        told.append((rows, *why))
        whole, content = whole + content[: int(size)], content[int(size) :]
    return told, whole


async def seven(visitors: Visitors) -> list[str]:
    """Send seven in; return their numbers, the newest first."""
    return [await visitors.api.push(f"x{n}", title=f"第 {n} 件") for n in range(7)][::-1]


async def test_a_file_goes_page_after_page_and_holds_each_row_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    async with browsing(town) as visitors:
        numbers = await seven(visitors)
        await visitors.api.walk(numbers[0], "accept")
        chief, market = await visitors.person("chief"), await visitors.person("market")
        found = rows_of(await chief.client.get("/search.csv"))
        assert sorted(row[0] for row in found[1:]) == sorted(numbers)
        book = load_workbook(io.BytesIO((await chief.client.get("/search.xlsx")).content))
        assert [list(row)[:2] for row in book.worksheets[0].values] == [row[:2] for row in found]
        own = rows_of(await market.client.get("/search.csv"))
        assert [row[0] for row in own[1:]] == [numbers[0]]  # no page shows another's
        assert len(rows_of(await market.client.get("/inbox.csv"))) == 2
        (cell,) = {row[0] for row in rows_of(await chief.client.get("/search.csv?q=第 3 件"))[1:]}
        assert cell == numbers[3]


@pytest.mark.parametrize(
    ("bound", "value", "why", "words"),
    [
        ("MOST", 5, "most", "只取了前 5 行，后面还有：一份最多这么多"),
        ("SECONDS", -1, "late", "只取了前 2 行，共 7 行：时间到了"),
    ],
)
async def test_where_a_file_ends_before_its_list_its_last_row_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch, bound: str, value: int, why: str, words: str
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    monkeypatch.setattr(exporting, bound, value)
    async with browsing(town) as visitors:
        await seven(visitors)
        chief = await visitors.person("chief")
        found = rows_of(await chief.client.get("/search.csv"))
        assert words in found[-1][0]
        assert len(found) == {"most": 7, "late": 4}[why]
        told, whole = framed((await chief.client.get("/search.xlsx", headers={"X-Progress": "1"})).content)
        assert told[-1][1:] == (why,)
        values = list(load_workbook(io.BytesIO(whole)).worksheets[0].values)
        assert words in str(values[-1][0])
        english = await chief.client.get("/search.csv", headers={"Accept-Language": "en"})
        assert "Only the first" in rows_of(english)[-1][0]


async def test_a_script_is_told_how_many_of_how_many(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 3)
    async with browsing(town) as visitors:
        numbers = await seven(visitors)
        chief = await visitors.person("chief")
        answer = await chief.client.get("/search.csv", headers={"X-Progress": "1"})
        told, whole = framed(answer.content)
        assert told == [("3",), ("6",), ("7", "end")]
        assert answer.headers["x-rows"] == "7"
        assert answer.headers["content-disposition"] == 'attachment; filename="list.csv"'
        assert {number for number in numbers if number in whole.decode()} == set(numbers)
        plain = await chief.client.get("/search.csv")
        assert plain.content == whole
        page = await chief.go("/search")
        assert "/search.csv" in page.links  # without script it is a plain download


async def test_every_list_says_how_many_before_it_is_sent(town: Town) -> None:
    async with browsing(town) as visitors:
        numbers = await seven(visitors)
        await visitors.api.walk(numbers[0], "accept", "sign")
        town.advance(timedelta(days=30))
        chief = await visitors.person("chief")
        await chief.go(f"/supervision?pick={numbers[0]}")
        await chief.send(f"/supervision/{numbers[0]}", document="挂牌督办", demand="三日内到场")
        for path in ("/search", "/search?q=第 3 件", "/supervision", "/supervision/orders", "/papers"):
            bare, _, asks = path.partition("?")
            answer = await chief.client.get(f"{bare}.csv?{asks}")
            assert int(answer.headers["x-rows"]) == len(rows_of(answer)) - 1 >= 1, path


async def test_an_english_file_says_our_words_in_english_and_leaves_those_of_others(town: Town) -> None:
    english = {"Accept-Language": "en"}
    async with browsing(town) as visitors:
        await visitors.api.push("one", title="三号楼电梯停运", category="电梯", urgency="特急")
        chief, root = await visitors.person("chief"), await visitors.person("root")
        head, row = rows_of(await chief.client.get("/search.csv", headers=english))
        assert head[:3] == ["Number", "Title", "Category"]
        assert row[1] == "三号楼电梯停运"
        assert {"Lifts", "To be taken up", "critical"} <= set(row), row
        book = load_workbook(io.BytesIO((await chief.client.get("/search.xlsx", headers=english)).content))
        assert (book.sheetnames, list(book.worksheets[0].values)[1][2]) == (["List"], "Lifts")
        assert load_workbook(io.BytesIO((await chief.client.get("/search.xlsx")).content)).sheetnames == ["名单"]
        units = rows_of(await root.client.get("/admin/directory/units.csv", headers=english))
        kinds, active = ({row[units[0].index(name)] for row in units[1:]} for name in ("kind", "active"))
        assert (kinds <= {"department", "office", "centre", "community", "company"}, active) == (True, {"yes"})


async def test_a_person_has_one_file_on_its_way_and_then_the_next(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 1)
    async with browsing(town) as visitors:
        await seven(visitors)
        chief, root = await visitors.person("chief"), await visitors.person("root")
        answers = await asyncio.gather(*(one.client.get("/search.csv") for one in (chief, chief, root)))
        assert sorted(one.status_code for one in answers[:2]) == [200, 429]
        (refused,) = [one for one in answers if one.status_code == 429]
        assert "您的上一份导出还没有取完" in refused.text
        assert refused.headers["retry-after"] == "5"
        assert answers[2].status_code == 200
        assert (await chief.client.get("/search.csv?area=nowhere")).status_code == 422
        assert (await chief.client.get("/search.csv")).status_code == 200
        assert visitors.app.state.exports == set()
