"""A short table as it is stored, as a file for a spreadsheet: every cell is text or a number, and no cell is a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

import anyio.to_thread
from fastapi import Request, Response

from wuye_loop.domain.sheets.cells import safe
from wuye_loop.web import language
from wuye_loop.web.addresses import asked
from wuye_loop.web.rows import Kind

MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NARROW, _WIDE = 8, 48


async def file_of(how: Kind, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """Return the file; `name` is that of the file, without an ending. A cell that is None is empty.

    Drawn in a thread of its own: thousands of rows, and a library to load at the first, would stop every other request.
    """
    columns = [language.say(column) for column in columns]
    body = await anyio.to_thread.run_sync({"csv": _csv, "xlsx": _xlsx}[how], columns, rows)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{how}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(body, headers=headers, media_type=MEDIA[how])


def files(request: Request, path: str) -> list[tuple[str, str]]:
    """Return the files that the list of an address can be had as: name and address, with the filters that are asked."""
    query = asked(request).partition("?")[2]
    return [(how.upper(), f"{path}.{how}" + (f"?{query}" if query else "")) for how in ("csv", "xlsx")]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(columns)
    writer.writerows([safe("" if cell is None else str(cell)) for cell in row] for row in rows)
    return ("\ufeff" + sheet.getvalue()).encode()


def _xlsx(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415 a quarter of a second that a start does without
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 as above

    book = Workbook(write_only=True)
    page = book.create_sheet("名单")
    page.freeze_panes = "A2"
    kept = [list(row) for row in rows]
    for n, column in enumerate(columns):
        widest = max((len(str(row[n])) * 2 for row in kept if row[n] is not None), default=0)
        page.column_dimensions[get_column_letter(n + 1)].width = min(_WIDE, max(_NARROW, len(column) * 2 + 2, widest))
    page.append([_cell(page, column, bold=True) for column in columns])
    for row in kept:
        page.append([_cell(page, cell) for cell in row])
    whole = io.BytesIO()
    book.save(whole)
    return whole.getvalue()


def _cell(page: Any, value: object, *, bold: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 as above
    from openpyxl.styles import Font  # noqa: PLC0415 as above

    if value is None or isinstance(value, int):
        return WriteOnlyCell(page, value)
    cell = WriteOnlyCell(page, str(value))
    cell.data_type = "s"  # a title that begins with "=" is a title
    if bold:
        cell.font = Font(bold=True)
    return cell
