"""Draws a bulletin: a page to print in the look of an office's document, a DOCX to edit, an XLSX to count with.

No file says who made it beyond the office; a text that begins with "=" stays a text.
"""

import io
import re
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Any, Final, Literal

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from wuye_loop.domain.errors import NotFound
from wuye_loop.queries.assessment.bulletin import Bulletin, Cell, Sheet

Format = Literal["html", "docx", "xlsx", "pdf"]
MEDIA: Final[dict[Format, str]] = {
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_RED: Final = RGBColor(0xD0, 0x10, 0x10)
_WIDE: Final = 7  # columns from which a table gets smaller letters
#: How a period is said in a title: it is never parted at the end of a line.
_SPOKEN: Final = re.compile(r"\d{4}年(?:\d+月(?:\d+日)?|第\d+(?:周|季度)|[上下]半年)?")
_LONG_OFFICE: Final = 12
_SHORT: Final = 6  # rows up to which a table stays on one page


def drawn(bulletin: Bulletin, how: Format) -> bytes:
    """Return a bulletin as a file. Raises NotFound for a PDF where what makes one is not installed."""
    return {"html": _html, "docx": _docx, "xlsx": _xlsx, "pdf": _pdf}[how](bulletin)


def text_of(cell: Cell) -> str:
    """Return a cell as it is printed; a blank is a dash."""
    if cell is None:
        return "—"
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


# --- HTML -----------------------------------------------------------------------------------------------------------

_STYLE: Final = """
@page { size: A4; margin: 3.7cm 2.6cm 3.5cm 2.8cm; }
body { font: 16pt/28pt "FangSong_GB2312", "FangSong", "仿宋", "Noto Serif CJK SC", serif; color: #000; max-width: 15.6cm;
  margin: 0 auto; }
header { text-align: center; border-bottom: 2pt solid #d01010; padding-bottom: 8pt; margin-bottom: 24pt; }
.office { color: #d01010; font: bold 30pt/1.3 "FZXiaoBiaoSong-B05S", "SimSun", "Noto Serif CJK SC", serif;
  white-space: nowrap; transform-origin: center; }
.office.long { font-size: 20pt; }
.number { margin: 10pt 0 0; }
h1 { font: 22pt/1.4 "FZXiaoBiaoSong-B05S", "SimSun", "Noto Serif CJK SC", serif; text-align: center; margin: 0 0 20pt;
  text-wrap: balance; }
p { text-indent: 2em; margin: 0; }
h2 { font: 16pt/28pt "SimHei", "黑体", "Noto Sans CJK SC", sans-serif; margin: 14pt 0 4pt; break-after: avoid; }
table { border-collapse: collapse; width: 100%; font-size: 12pt; line-height: 18pt; }
table.wide { font-size: 9pt; line-height: 13pt; }
table.wide th, table.wide td { padding: 2pt; }
th, td { border: .75pt solid #000; padding: 2pt 4pt; text-align: center; }
td.name { text-align: left; min-width: 5.5em; overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; margin: 0; white-space: nowrap; }
thead { display: table-header-group; } tr, table.short { break-inside: avoid; }
footer { text-align: right; margin-top: 28pt; break-inside: avoid; break-before: avoid; }
p.last { break-inside: avoid; break-after: avoid; } h1 span { white-space: nowrap; }
footer div { margin-right: 2em; } .draft { color: #d01010; text-align: center; text-indent: 0; }
"""


def _html(one: Bulletin) -> bytes:
    title = _SPOKEN.sub(r"<span>\g<0></span>", escape(one.title))
    parts = [
        "<!doctype html>", '<html lang="zh-CN"><head><meta charset="utf-8">', f"<title>{escape(one.title)}</title>",
        f"<style>{_STYLE}</style></head><body>", "<header>",
        f'<div class="office{" long" if len(one.office) > _LONG_OFFICE else ""}">{escape(one.office)}</div>',
        f'<div class="number">{escape(one.number or "")}</div></header>', f"<h1>{title}</h1>",
    ]  # fmt: skip
    if one.draft:
        parts.append('<p class="draft">（已封账，尚未公布）</p>')
    parts += [f"<p>{escape(words)}</p>" for words in one.opening]
    for sheet in one.sheets:
        parts += _html_table(sheet)
    parts += [f'<p class="last">{escape(words)}</p>' for words in one.closing]
    parts.append(f"<footer><div>{escape(one.office)}</div><div>{escape(one.dated)}</div></footer></body></html>")
    return "\n".join(parts).encode()


def _html_table(sheet: Sheet) -> list[str]:
    head = "".join(f"<th>{escape(column)}</th>" for column in sheet.columns)
    kinds = ("wide" if len(sheet.columns) > _WIDE else "", "short" if len(sheet.rows) <= _SHORT else "")
    kind = " ".join(filter(None, kinds))
    rows = ["<tr>" + "".join(_html_cell(cell) for cell in row) + "</tr>" for row in sheet.rows]
    return [
        f"<h2>{escape(sheet.title)}</h2>",
        f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>',
        *rows,
        "</tbody></table>",
    ]


def _html_cell(cell: Cell) -> str:
    kind = "name" if isinstance(cell, str) else "number"
    return f'<td class="{kind}">{escape(text_of(cell))}</td>'


def _pdf(one: Bulletin) -> bytes:
    """Print the page: WeasyPrint comes with an extra, and needs libraries of the system."""
    try:
        from weasyprint import HTML  # noqa: PLC0415 it is optional
    except (ImportError, OSError):
        words = "本安装没有装做 PDF 的组件（pip install 'wuye-loop[pdf]'，系统里要有 Pango）；可取 html 在浏览器里打印"
        raise NotFound(words) from None
    return bytes(HTML(string=_html(one).decode(), url_fetcher=_nothing).write_pdf())


def _nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    """Fetch nothing: a bulletin stands for itself, whatever a name in it looks like."""
    raise ValueError(url)


# --- DOCX -----------------------------------------------------------------------------------------------------------


def _docx(one: Bulletin) -> bytes:
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin, section.bottom_margin = Cm(3.7), Cm(3.5)
    section.left_margin, section.right_margin = Cm(2.8), Cm(2.6)
    _styled(document.styles["Normal"], "仿宋", 16)
    document.core_properties.author = one.office
    document.core_properties.last_modified_by = one.office
    document.core_properties.title = one.title
    document.core_properties.comments = ""
    office = _paragraph(
        document, one.office, "宋体", 20 if len(one.office) > _LONG_OFFICE else 30, centred=True, bold=True
    )
    office.runs[0].font.color.rgb = _RED
    number = _paragraph(document, one.number or "", "仿宋", 16, centred=True)
    _ruled(number)
    _paragraph(document, one.title, "宋体", 22, centred=True, space=20)
    if one.draft:
        _paragraph(document, "（已封账，尚未公布）", "仿宋", 14, centred=True)
    for words in one.opening:
        _paragraph(document, words, "仿宋", 16, indent=True)
    for sheet in one.sheets:
        heading = _paragraph(document, sheet.title, "黑体", 16, space=6)
        heading.paragraph_format.keep_with_next = True
        _docx_table(document, sheet)
    for words in one.closing:  # nobody signs a page that says nothing else
        _paragraph(document, words, "仿宋", 16, indent=True).paragraph_format.keep_with_next = True
    for words in (one.office, one.dated):
        signed = _paragraph(document, words, "仿宋", 16)
        signed.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        signed.paragraph_format.keep_with_next = words != one.dated
    whole = io.BytesIO()
    document.save(whole)
    return whole.getvalue()


def _styled(style: Any, font: str, size: float) -> None:
    style.font.name, style.font.size = "Times New Roman", Pt(size)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.line_spacing = Pt(28)


def _paragraph(
    document: Any,
    words: str,
    font: str,
    size: float,
    *,
    centred: bool = False,
    bold: bool = False,
    indent: bool = False,
    space: float = 0,
) -> Any:
    made = document.add_paragraph()
    run = made.add_run(words)
    run.bold = bold
    run.font.size = Pt(size)
    run.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    made.paragraph_format.line_spacing = Pt(max(28, size * 1.4))
    made.paragraph_format.space_before = Pt(space)
    made.paragraph_format.space_after = Pt(space)
    if centred:
        made.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if indent:
        made.paragraph_format.first_line_indent = Pt(size * 2)
    return made


def _ruled(paragraph: Any) -> None:
    """Put the red line under the number."""
    borders = OxmlElement("w:pBdr")
    line = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "16"), ("space", "6"), ("color", "D01010")):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)
    paragraph._p.get_or_add_pPr().append(borders)  # noqa: SLF001 python-docx has no border of a paragraph


_CELL: Final = (
    '<w:tc><w:tcPr>{wrap}</w:tcPr><w:p><w:pPr>{keep}<w:spacing w:line="{line}" w:lineRule="exact"/><w:jc w:val="{side}"/></w:pPr><w:r><w:rPr>'
    '<w:rFonts w:eastAsia="仿宋"/>{bold}<w:sz w:val="{half}"/></w:rPr><w:t xml:space="preserve">{words}</w:t></w:r></w:p></w:tc>'
)


def _docx_table(document: Any, sheet: Sheet) -> None:
    """Add a table, a row as one piece of XML: python-docx finds every cell anew by walking the whole table."""
    table = document.add_table(rows=0, cols=len(sheet.columns), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    size = 8 if len(sheet.columns) > _WIDE else 11
    short = len(sheet.rows) <= _SHORT
    table._tbl.append(_row(sheet.columns, size, head=True, keep=True))  # noqa: SLF001 as above
    for place, row in enumerate(sheet.rows, 1):
        table._tbl.append(_row(row, size, keep=short and place < len(sheet.rows)))  # noqa: SLF001 as above


def _row(cells: Sequence[Cell], size: int, *, head: bool = False, keep: bool = False) -> Any:
    """Return a row; `keep` it on the page of the next one."""
    parts = [
        _CELL.format(
            line=size * 28, half=size * 2, bold="<w:b/>" if head else "", words=escape(_printable(text_of(cell))),
            side="center" if head else "left" if isinstance(cell, str) else "right",
            keep="<w:keepNext/>" if keep else "", wrap="" if isinstance(cell, str) else "<w:noWrap/>",
        )
        for cell in cells
    ]  # fmt: skip
    marks = "<w:cantSplit/><w:tblHeader/>" if head else "<w:cantSplit/>"
    return parse_xml(f"<w:tr {nsdecls('w')}><w:trPr>{marks}</w:trPr>{''.join(parts)}</w:tr>")


def _printable(words: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(mark for mark in words if mark.isprintable())


# --- XLSX -----------------------------------------------------------------------------------------------------------

_NAME: Final = 31  # characters that a sheet's name may have
_WIDEST: Final = 40
_BOLD: Final = Font(bold=True)
_CENTRED: Final = Alignment(wrap_text=True, vertical="center", horizontal="center")


def _xlsx(one: Bulletin) -> bytes:
    book = Workbook()
    book.properties.creator = one.office
    book.properties.title = one.title
    first = book.active
    first.title = "说明"
    for place, words in enumerate((one.title, one.number or "", one.office, one.dated, *one.opening, *one.closing), 1):
        _put(first, place, 1, words).alignment = Alignment(wrap_text=True, vertical="top")
    first.column_dimensions["A"].width = 90
    first["A1"].font = Font(bold=True, size=16)
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
        head.font, head.alignment = _BOLD, _CENTRED
    for row, cells in enumerate(sheet.rows, 2):
        for column, value in enumerate(cells, 1):
            _put(page, row, column, value)
            widths[column - 1] = max(widths[column - 1], len(text_of(value)) * 2)
    for column, width in enumerate(widths, 1):
        page.column_dimensions[get_column_letter(column)].width = min(_WIDEST, max(8, width + 2))
    page.freeze_panes = "A2"
    page.print_title_rows = "1:1"
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True


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
