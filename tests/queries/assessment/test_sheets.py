"""How a bulletin is drawn: columns as wide as what is in them, a long title parted before its period, no row alone on a page."""

import io
from dataclasses import replace
from decimal import Decimal

from docx import Document
from docx.oxml.ns import qn
from openpyxl import load_workbook

from wuye_loop.queries.assessment.bulletin import Bulletin, Change, Sheet
from wuye_loop.queries.assessment.sheets import drawn

LONG = "某市和谐幸福家园物业管理服务（集团）有限公司第一分公司"
SCORES = Sheet(
    "得分和名次", ("名次", "考核对象", "得分", "环比"),
    tuple((n, LONG if n == 3 else f"{n} 号物业", Decimal("90.50"), Change("+1.25%")) for n in range(1, 21)),
)  # fmt: skip
WHOLE = Bulletin(
    "某区物业发展服务中心", "考〔2026〕1号", "某区物业服务考核2026年第15周每周一通报", ("本期受理 7 件。",), (SCORES,),
    ("按件数计算。",), "2026年4月13日",
)  # fmt: skip


def test_columns_of_a_document_are_as_wide_as_what_is_in_them_and_fill_the_page() -> None:
    document = Document(io.BytesIO(drawn(WHOLE, "docx")))
    (table,) = document.tables
    widths = [int(column.get(qn("w:w"))) for column in table._tbl.tblGrid]
    assert 8840 <= sum(widths) <= 8845  # 15.6 cm in twentieths of a point
    assert widths[1] > 3 * max(widths[0], widths[2], widths[3])
    cells = table.rows[1].cells
    assert [int(cell._tc.get_or_add_tcPr().find(qn("w:tcW")).get(qn("w:w"))) for cell in cells] == widths


def test_the_first_and_the_last_rows_stay_with_their_neighbours() -> None:
    (table,) = Document(io.BytesIO(drawn(WHOLE, "docx"))).tables
    kept = [n for n, row in enumerate(table.rows) if row.cells[0].paragraphs[0].paragraph_format.keep_with_next]
    assert kept == [0, 1, 19]  # the head, the first row, the last but one


def test_a_signature_after_a_table_is_never_alone_on_a_page() -> None:
    """With words at the end it stands with them; without, with the last row."""
    (table,) = Document(io.BytesIO(drawn(replace(WHOLE, closing=()), "docx"))).tables
    kept = [n for n, row in enumerate(table.rows) if row.cells[0].paragraphs[0].paragraph_format.keep_with_next]
    assert kept == [0, 1, 19, 20]


def test_a_title_that_is_longer_than_a_line_is_parted_before_its_period() -> None:
    texts = [one.text for one in Document(io.BytesIO(drawn(WHOLE, "docx"))).paragraphs]
    assert "某区物业服务考核\n2026年第15周每周一通报" in texts


def test_a_change_stands_in_a_column_of_figures_and_a_name_in_one_of_words() -> None:
    page = drawn(WHOLE, "html").decode()
    assert '<td class="number">+1.25%</td>' in page
    assert f'<td class="name">{LONG}</td>' in page
    book = load_workbook(io.BytesIO(drawn(WHOLE, "xlsx")))
    sheet = book["得分和名次"]
    assert [sheet.cell(2, n).alignment.horizontal for n in range(1, 5)] == ["right", None, "right", "right"]
    assert sheet.row_dimensions[4].height == 2 * sheet.row_dimensions[2].height  # the long name takes two lines
    assert sheet.oddHeader.center.text == "得分和名次"
