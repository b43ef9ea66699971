"""Why a sheet or a notice of days off cannot be read is told in English on an English page, whatever is wrong with it."""

import io
import re
from collections.abc import Iterator
from zipfile import ZipFile

import pytest
from markupsafe import Markup
from openpyxl import Workbook
from tests.house.words import COMPOSED_OF_FILES, OF_SHEETS, of_files
from tests.site import Town
from tests.web.browsing import account, browsing

from wuye_loop.domain.directory.table import MOST_BYTES, read_table
from wuye_loop.domain.sheets.limits import BadSheet
from wuye_loop.domain.time.notice import BadNotice, read_notice
from wuye_loop.settings import shipped
from wuye_loop.web.english.catalogue import catalogue
from wuye_loop.web.english.drawing import ruled

CATALOGUE = catalogue((shipped("workflows"),))
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_PLACE = re.compile(r"\{[^{}]*\}")
_OWN = re.compile(r'<span lang="zh-CN">.*?</span>')
_UNITS = "编码,名称,种类\n"


def english(words: str) -> str:
    """Return what an English page says."""
    return str(Markup("{}").format(ruled(CATALOGUE, words)))


def _forms() -> Iterator[str]:
    yield from (text for text, place in of_files() if place.startswith(OF_SHEETS))
    yield from (
        text for text in COMPOSED_OF_FILES if "{columns}" in text or text.startswith(("没有读的", "列名", "文件"))
    )


def test_every_text_of_what_reads_sheets_is_told_in_english_alone_and_with_its_place() -> None:
    found = [_PLACE.sub("7", form) for form in _forms()]
    assert len(found) > 50
    of_rows = [text for text in found if not text.startswith(("第", "读的是"))]  # these name their own place, or none
    placed = [f"{place}：{text}" for text in of_rows for place in ("第 3 行", "第 3 行（列名）", "第 3 项")]
    assert [text for text in [*found, *placed] if CHINESE.search(english(text))] == []


def _book(*rows: tuple[str, ...], hidden: bool = False) -> bytes:
    made, whole = Workbook(), io.BytesIO()
    assert made.active is not None
    for row in rows:
        made.active.append(row)
    if hidden:
        made.create_sheet("空").sheet_state = "visible"
        made.active.sheet_state = "hidden"
    made.save(whole)
    return whole.getvalue()


def _zip(**parts: str) -> bytes:
    whole = io.BytesIO()
    with ZipFile(whole, "w") as made:
        for name, text in parts.items():
            made.writestr(name, text)
    return whole.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * (MOST_BYTES + 1),
        b"\xd0\xcf\x11\xe0",
        b"PK\x03\x04x",
        _zip(x="x"),
        b"<html><table>",
        b"\x1f\x8b\x08x",
        ("編碼,名稱\n" + "電梯維修沒有人來處理\n" * 9).encode("big5"),
        ("编码,名称,种类\n" + "电梯维修没有人来\n" * 9).encode().decode("gb18030", "ignore").encode(),
        "编码,名称,种类\n1,甲,部门\n".encode("utf-16")[:-1],
        ("编码,名称,种类\n" + "a,b,部门\n" * 20_200).encode(),
        ("编码,名称,种类\n" + "a,b,部门\n" * 20_050).encode(),
        "名称\n甲\n".encode(),
        "备注,说明\n甲,乙\n".encode(),
        "编码,编码,名称,种类\n1,1,甲,部门\n".encode(),
        ("编码,名称,种类," + "长" * 100_001 + "\n").encode(),
        _UNITS.encode(),
        b"\n\n",
        _book(("名称", "种类"), ("甲", "部门")),
        _book(),
    ],
)  # fmt: skip
def test_why_a_directory_file_cannot_be_read(content: bytes) -> None:
    with pytest.raises(BadSheet) as refused:
        read_table("units", content, "名录.csv", lambda: 0.0)
    _told_in_english(refused.value.args[0])


@pytest.mark.parametrize(
    "rows",
    [
        "a,甲\n",
        'a,"甲" 乙,部门\n',
        'a,"甲,部门\n',
        '1,"甲,部门\n2,乙,部门\n3,丙",部门\n',
        "a," + "长" * 100_001 + ",部门\n",
    ],
)
def test_why_a_row_cannot_be_read(rows: str) -> None:
    table = read_table("units", (_UNITS + rows).encode(), "名录.csv", lambda: 0.0)
    assert table.problems
    for problem in table.problems:
        _told_in_english(problem.said)


def test_why_a_row_in_another_encoding_cannot_be_read_and_what_was_not_read() -> None:
    text = (_UNITS.replace("\n", ",备注,说明\n") + "a,甲,部门,,\n" * 30).encode("gb18030")
    table = read_table("units", "人员表,,,,\n".encode("gb18030") + text + b"b,\xff\xff,c,,\n", "x.csv", lambda: 0.0)
    for words in (*table.notes, *(problem.said for problem in table.problems)):
        _told_in_english(words, own=("备注", "说明"))
    assert len(table.notes) == 2
    assert len(table.problems) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"date,works\n2027-13-01,0",
        b"date,works\n2027-01-01,perhaps",
        b"date,works,is_off_day\n2027-01-01,1,1",
        b"date,works,year\n2027-01-01,1,1066",
        b"date,works\n2027-01-01,1\n2027-01-01,0",
        "date,works\n2027-01-01,休\n2027-01-02,0\n2027-01-03,1".encode(),
        b"date,kind\n2027-01-01,perhaps",
        b"date,kind\n2027-01-01,",
        b"date,works\n2027-01-01,1,2,3",
        b'date,works\n2027-01-01,"1',
        b"day off",
        b"",
        b"date,works\n",
        b"[1]",
        b'[{"date": "2027-01-01"}]',
        b'{"days": 3}',
        b'{"year": 3, "days": []}',
        b"[",
        b'["\xff"]',
        b"date,works\n" + b"x" * 5_000_000,
        b"PK\x03\x04x",
        b"<html>",
    ],
)  # fmt: skip
def test_why_a_notice_of_days_off_cannot_be_read(content: bytes) -> None:
    with pytest.raises(BadNotice) as refused:
        read_notice(content, "通知.csv")
    for line in str(refused.value).split("\n"):
        _told_in_english(line)


@pytest.mark.anyio
async def test_the_pages_that_files_are_sent_to_say_it_in_english(town: Town) -> None:
    account(town, "root-en", "admin")
    async with browsing(town) as visitors:
        root = await visitors.person("root-en")
        for address, content, words in (
            ("/admin/calendar/import", b"date,works\n2027-02-30,0\n1,2,3\n", "Row 3: There should be 2 columns"),
            ("/admin/calendar/import", b"date,works\n2027-02-30,0\n", "Row 2: A date is written 2027-01-01"),
            ("/admin/directory/import", "名称\n甲\n".encode(), "There is no column “Code” “Kind”"),
            ("/admin/directory/import", (_UNITS + "a,甲\n").encode(), "There should be 3 columns, and there are 2"),
        ):
            await root.go(f"{address}?lang=en")
            more = {"what": "units"} if "directory" in address else {}
            page = await root.send(address, files={"file": ("x.csv", content)}, expect=422, **more)
            assert words in page.text


def _told_in_english(words: str, own: tuple[str, ...] = ()) -> None:
    said = english(words)
    marked = "".join(_OWN.findall(said)) if own else ""
    assert not CHINESE.search(_OWN.sub("", said) if own else said), (words, said)
    assert not CHINESE.search(re.sub("|".join((*own, "、", ", ")), "", marked)), (words, said)
    assert not said[:1].islower(), said
