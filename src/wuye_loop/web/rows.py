"""Rows of a file for a spreadsheet, written as they come: what was written is handed on and forgotten."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from wuye_loop.domain.sheets.cells import safe
from wuye_loop.web.language import say

Kind = Literal["csv", "xlsx"]
_BOLD: Final = ' s="1"'
_NARROW, _WIDE = 8, 48  # characters of a column
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEETML: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
#: The parts of a workbook with one sheet, `{title}`, but for the sheet: style 1 is bold.
_PARTS: Final = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEETML}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEETML}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEETML}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="{title}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}

Rows = Iterable[Sequence[Any]]


class CsvRows:
    """A table as CSV in UTF-8 with its mark; no cell runs as a formula."""

    def begin(self, columns: Sequence[str], _first: Rows) -> bytes:
        """Return the head of the table."""
        return "\ufeff".encode() + self.more([columns])

    def more(self, rows: Rows) -> bytes:
        """Return these rows."""
        sheet = io.StringIO()
        csv.writer(sheet).writerows([safe("" if cell is None else str(cell)) for cell in row] for row in rows)
        return sheet.getvalue().encode()

    def end(self) -> bytes:
        """Return what ends the file."""
        return b""


class XlsxRows:
    """A table as a workbook of one sheet: every cell is text or a whole number, so that none is a formula."""

    def __init__(self, title: str) -> None:
        self._sink = _Sink()
        self._book = ZipFile(self._sink, "w", ZIP_DEFLATED)  # type: ignore[call-overload]
        for name, text in _PARTS.items():
            self._book.writestr(_part(name), _XML + text.replace("{title}", escape(title)))
        self._sheet = self._book.open(_part("xl/worksheets/sheet1.xml"), "w")

    def begin(self, columns: Sequence[str], first: Rows) -> bytes:
        """Return the head of the file; columns are as wide as what stands in the first rows."""
        widths = [
            min(
                _WIDE,
                max([_NARROW, len(title) * 2 + 2, *(len(str(row[n])) * 2 for row in first if row[n] is not None)]),
            )
            for n, title in enumerate(columns)
        ]
        cols = "".join(
            f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(widths, 1)
        )
        head = (
            f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f"<cols>{cols}</cols><sheetData><row>{''.join(_cell(title, _BOLD) for title in columns)}</row>"
        )
        self._sheet.write((_XML + head).encode())
        return self._sink.taken()

    def more(self, rows: Rows) -> bytes:
        """Return what of the file these rows fill."""
        self._sheet.write("".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows).encode())
        return self._sink.taken()

    def end(self) -> bytes:
        """Return what ends the file."""
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._book.close()
        return self._sink.taken()


def sheet_of(how: Kind) -> CsvRows | XlsxRows:
    """Return what writes a table of a kind."""
    return CsvRows() if how == "csv" else XlsxRows(say("名单"))


class _Sink:
    """Takes what a ZIP file writes; it cannot be gone back in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """Return what was written since this was last asked."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


def _part(name: str) -> ZipInfo:
    info = ZipInfo(name)  # dated 1980: when it was drawn is nobody's business
    info.compress_type = ZIP_DEFLATED
    return info


def _cell(value: object, style: str = "") -> str:
    if value is None:
        return "<c/>"
    if type(value) is int:
        return f"<c{style}><v>{value}</v></c>"
    text = escape(_UNWRITABLE.sub("", str(value)))
    return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
