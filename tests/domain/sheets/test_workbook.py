import io
import re
import tracemalloc
from datetime import date, datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from tests.domain.sheets.sheets import book, fates, rewritten, sheet

from wuye_loop.domain.sheets.cells import Broken, Number
from wuye_loop.domain.sheets.limits import BadSheet, Bounds

NAMES = ["工单编号", "诉求标题", "诉求内容", "来电时间", "小区名称"]
ROWS: list[list[Any]] = [[*NAMES], *([f"2026112000{n:04d}", f"第{n}件", "内容", None, "E0101"] for n in range(1, 11))]
PART = "xl/worksheets/sheet1.xml"


def cells(raw: bytes, **insisted: Any) -> list[list[str]]:
    return [line.cells for line in sheet(raw, "r.xlsx", **insisted).lines("工单编号")]


@pytest.mark.parametrize("tag", ["A1", "A1:B3", "A1:XFD1048576", "B2:C3", "nonsense"])
def test_a_dimension_tag_is_not_believed(tag: str) -> None:
    raw = rewritten(book(ROWS), PART, lambda xml: xml.replace('<dimension ref="A1:E11"', f'<dimension ref="{tag}"'))
    assert len(cells(raw)) == 10
    assert cells(raw)[9] == ["20261120000010", "第10件", "内容", "", "E0101"]


def test_numbers_keep_their_digits_dates_become_texts_and_errors_are_told() -> None:
    made: list[list[Any]] = [
        [*NAMES],
        [2026112000000101, 13900000001.0, True, datetime(2026, 11, 20, 9, 5), date(2026, 11, 20)],  # noqa: DTZ001
        [202611200002101022, 0.5, "#N/A", "一_x000D_\n二_x005F_x000D_", "=1+1"],
    ]
    first, second = cells(book(made))
    assert first == ["2026112000000101", "13900000001", "TRUE", "2026-11-20 09:05:00", "2026-11-20"]
    assert isinstance(first[0], Number)
    assert second[2:] == ["#N/A", "一\n二_x000D_", "公式没有结果"]
    assert isinstance(second[2], Broken)
    assert isinstance(second[4], Broken)


def test_merged_cells_are_filled_downwards_and_a_title_across_is_no_header() -> None:
    def merge(made: Any) -> None:
        tab = made.worksheets[0]
        tab.insert_rows(1)
        tab["A1"] = "汇总表"
        tab.merge_cells("A1:E1")
        tab.merge_cells("E3:E7")  # which empties all but the first

    found = cells(book(ROWS[:6], merge))
    assert [row[4] for row in found] == ["E0101"] * 5


def test_the_sheet_that_is_read_is_named_and_hidden_ones_are_not_read() -> None:
    def more(made: Any) -> None:
        made.worksheets[0].title = "草稿"
        made.worksheets[0].sheet_state = "hidden"
        for name in ("说明", "上旬", "中旬"):
            tab = made.create_sheet(name)
            if name != "说明":
                tab.append(NAMES)
                tab.append([f"{name}1", "标题", "内容"])

    raw = book(ROWS, more)
    found = sheet(raw, "r.xlsx")
    assert found.notes == ("读的是工作表“上旬”；没有读：草稿（隐藏）、说明、中旬（要读别的，写 --sheet 名称）",)
    assert cells(raw)[0][0] == "上旬1"
    assert cells(raw, sheet="中旬")[0][0] == "中旬1"
    assert len(cells(raw, sheet="1")) == 10
    with pytest.raises(BadSheet, match="有：草稿、说明、上旬、中旬"):
        cells(raw, sheet="下旬")


def test_a_row_with_a_cell_beyond_the_header_is_refused_and_empty_ones_are_not() -> None:
    raw = book(
        [
            NAMES,
            ["20261120000001", "a", "b", None, "E", "多"],
            ["20261120000002", "a"],
            [None, " "],
            ["20261120000003", "a", "b"],
        ]
    )
    assert fates(sheet(raw, "r.xlsx")) == [(2, False), (3, True), (4, True), (5, True)]


def bomb(size: int) -> bytes:
    """Return a workbook of a few kilobytes whose sheet is one text of so many characters."""
    raw = book([NAMES, ["1", "a", "b"]])
    filler = " " * size
    return rewritten(raw, PART, lambda xml: xml.replace("</worksheet>", f"<!--{filler}--></worksheet>"))


def test_a_small_workbook_that_unpacks_to_much_is_refused_before_it_is_unpacked() -> None:
    raw = bomb(80 * 1024 * 1024)
    assert len(raw) < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(BadSheet, match="解开后超过 64 MiB"):
            sheet(raw, "r.xlsx")
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_memory_stays_flat_however_long_the_sheet_is() -> None:
    def peak(rows: int) -> int:
        row = (
            '<row><c t="inlineStr"><is><t>2026112000</t></is></c><c t="inlineStr"><is><t>{}</t></is></c></row>'.format(
                "长" * 200
            )
        )
        raw = rewritten(
            book([["编号", "内容"]]), PART, lambda xml: xml.replace("</sheetData>", row * rows + "</sheetData>")
        )
        found = sheet(raw, "r.xlsx")
        tracemalloc.start()
        try:
            assert sum(1 for _ in found.lines()) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(16_000) < 2 * peak(2_000)


def test_a_document_type_a_password_and_a_cut_file_are_refused() -> None:
    raw = book(ROWS)
    entity = rewritten(raw, PART, lambda xml: '<!DOCTYPE a [<!ENTITY b "c">]>' + xml)
    for one in (entity, raw[:-100], rewritten(raw, PART, lambda xml: xml[:-40])):
        with pytest.raises(BadSheet, match="xlsx"):
            cells(one)


def shared(texts: str) -> bytes:
    """Return a workbook whose cell C2 is the first of some shared texts."""
    raw = rewritten(book(ROWS[:2]), PART, lambda xml: re.sub(r'<c r="C2".*?</c>', '<c r="C2" t="s"><v>0</v></c>', xml))
    link = '<Relationship Id="rId99" Target="/xl/sharedStrings.xml" Type="http://x/relationships/sharedStrings"/>'
    raw = rewritten(
        raw, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace("</Relationships>", f"{link}</Relationships>")
    )
    made = io.BytesIO(raw)
    with ZipFile(made, "a", ZIP_DEFLATED) as new:
        new.writestr("xl/sharedStrings.xml", f"<sst xmlns='a'>{texts}</sst>")
    return made.getvalue()


def test_shared_texts_are_read_rich_ones_too_and_have_a_bound_of_their_own() -> None:
    raw = shared(
        "<si><r><t>停梯</t></r><r><t xml:space='preserve'> 两天</t></r><rPh sb='0' eb='1'><t>ting</t></rPh></si>"
    )
    assert cells(raw)[0][2] == "停梯 两天"
    with pytest.raises(BadSheet, match="文字超过"):
        fates(sheet(raw, "r.xlsx", bounds=Bounds(shared=100)))


def test_a_sheet_whose_names_are_prefixed_is_read() -> None:
    raw = io.BytesIO()
    with ZipFile(io.BytesIO(book(ROWS[:2]))) as old, ZipFile(raw, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name).decode()
            if name == PART:
                content = content.replace("<", "<x:").replace("<x:/", "</x:").replace("xmlns=", "xmlns:x=")
            new.writestr(name, content)
    assert cells(raw.getvalue())[0][0] == "20261120000001"
