"""A bulletin as an XLSX, to count with: a text that begins with "=" stays a text."""

import io
from decimal import Decimal
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter

from wuye_loop.queries.assessment.bulletin import Bulletin, Cell, Sheet
from wuye_loop.queries.assessment.cells import is_words, text_of, wide

_NAME: Final = 31  # characters that a sheet's name may have
_WIDEST: Final = 40
_PROSE: Final = 84  # letters in a line of the first sheet
_HIGH: Final = 16.0  # points of a line: programs that draw a book do not all count the lines themselves
_BOLD: Final = Font(bold=True)
_THIN: Final = Border(**dict.fromkeys(("left", "right", "top", "bottom"), Side(style="thin")))
_WORDS: Final = Alignment(wrap_text=True, vertical="center")
_FIGURES: Final = Alignment(horizontal="right", vertical="center")
_CENTRED: Final = Alignment(wrap_text=True, vertical="center", horizontal="center")


def xlsx(one: Bulletin) -> bytes:
    """Draw it: what it says on the first sheet, each table on one of its own."""
    book = Workbook()
    book.properties.creator = one.office
    book.properties.title = one.title
    first = book.active
    first.title = "说明"
    for place, words in enumerate((one.title, one.number or "", one.office, one.dated, *one.opening, *one.closing), 1):
        _put(first, place, 1, words).alignment = Alignment(wrap_text=True, vertical="top")
        first.row_dimensions[place].height = _HIGH * max(1, -(-wide(words) // _PROSE))
    first.column_dimensions["A"].width = _PROSE
    first["A1"].font = Font(bold=True, size=16)
    first.row_dimensions[1].height = 24
    _printed_on(first, "portrait")
    used = {"说明"}
    for sheet in one.sheets:
        _xlsx_sheet(book, sheet, used)
    whole = io.BytesIO()
    book.save(whole)
    return whole.getvalue()


def _xlsx_sheet(book: Any, sheet: Sheet, used: set[str]) -> None:
    plain = "".join(mark for mark in sheet.title if mark not in "[]:*?/\\")[:_NAME]
    name = next(each for each in (plain, *(f"{plain[: _NAME - 3]} {n}" for n in range(2, 99))) if each not in used)
    used.add(name)
    page = book.create_sheet(name)
    widths = [len(column) * 2 for column in sheet.columns]
    for column, name in enumerate(sheet.columns, 1):
        head = _put(page, 1, column, name)
        head.font, head.alignment, head.border = _BOLD, _CENTRED, _THIN
    for row, cells in enumerate(sheet.rows, 2):
        for column, value in enumerate(cells, 1):
            cell = _put(page, row, column, value)
            cell.border = _THIN
            cell.alignment = _WORDS if is_words(value) else _FIGURES
            widths[column - 1] = max(widths[column - 1], len(text_of(value)) * 2)
        lines = max(-(-wide(text_of(value)) // (_WIDEST - 2)) for value in cells)
        page.row_dimensions[row].height = _HIGH * max(1, lines)
    for column, width in enumerate(widths, 1):
        page.column_dimensions[get_column_letter(column)].width = min(_WIDEST, max(8, width + 2))
    page.freeze_panes = "A2"
    page.print_title_rows = "1:1"
    page.oddHeader.center.text = sheet.title.replace("&", "&&")
    _printed_on(page, "landscape")


def _printed_on(page: Any, orientation: str) -> None:
    """Let a sheet be printed on A4, as wide as the page, numbered."""
    page.page_setup.orientation = orientation
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.oddFooter.center.text = "&P / &N"


def _put(page: Any, row: int, column: int, value: Cell) -> Any:
    cell = page.cell(row, column)
    if isinstance(value, str):
        cell.value = value
        cell.data_type = "s"  # a name that begins with "=" is a name
    elif value is not None:
        cell.value = value
        if isinstance(value, Decimal):
            exponent = value.as_tuple().exponent
            places = -exponent if isinstance(exponent, int) else 0
            cell.number_format = "0" + ("." + "0" * places if places > 0 else "")
    return cell
