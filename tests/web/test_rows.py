"""Rows of a file as they come: what is written is a workbook, whatever stands in a cell, and nothing of it is held."""

import csv
import io
import tracemalloc

from openpyxl import load_workbook

from wuye_loop.web.rows import CsvRows, XlsxRows

ROWS = [("=1+1", 7, None), ("<b>&\x01 两\n行 ", -3, "-2"), ("", 0, "甲")]


def test_a_workbook_written_in_pieces_is_read_as_it_was_given() -> None:
    sheet = XlsxRows("名单 & 表")
    whole = sheet.begin(("标题", "件数", "说明"), ROWS) + sheet.more(ROWS[:1]) + sheet.more(ROWS[1:]) + sheet.end()
    (page,) = load_workbook(io.BytesIO(whole)).worksheets
    assert page.title == "名单 & 表"
    assert list(page.values) == [
        ("标题", "件数", "说明"), ("=1+1", 7, None), ("<b>& 两\n行 ", -3, "-2"), ("", 0, "甲")
    ]  # fmt: skip
    assert {cell.data_type for row in page.iter_rows() for cell in row} == {"s", "n"}
    assert (page.freeze_panes, page["A1"].font.bold, page["A2"].font.bold) == ("A2", True, False)


def test_a_table_written_in_pieces_runs_no_formula() -> None:
    sheet = CsvRows()
    whole = sheet.begin(("标题", "件数", "说明"), ROWS) + sheet.more(ROWS) + sheet.end()
    read = list(csv.reader(io.StringIO(whole.decode("utf-8-sig"), newline="")))
    assert read[:2] == [["标题", "件数", "说明"], ["'=1+1", "7", ""]]


def test_what_was_written_is_not_held() -> None:
    """A file twenty times as long takes no more room."""
    peaks = []
    for pages in (5, 100):
        sheet = XlsxRows("名单")
        tracemalloc.start()
        sheet.begin(("甲", "乙"), [])
        for n in range(pages):
            sheet.more([(f"{n} {m} 电梯停运", m) for m in range(200)])
        sheet.end()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0], peaks
