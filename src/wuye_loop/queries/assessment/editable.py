"""A bulletin as a DOCX, to edit."""

import io
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor, Twips

from wuye_loop.queries.assessment.bulletin import Bulletin, Cell, Sheet
from wuye_loop.queries.assessment.cells import LONG_OFFICE, SPOKEN, WIDE, is_short, is_words, text_of, wide

_RED: Final = RGBColor(0xD0, 0x10, 0x10)
_LINE_OF_TITLE: Final = 20
_TEXT_WIDTH: Final = 8845  # of a page, 15.6 cm in twentieths of a point
_READ: Final = 34  # letters of a name that stand in one line where there is room


def docx(one: Bulletin) -> bytes:
    """Draw it in the look of an office's document."""
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
        document, one.office, "宋体", 20 if len(one.office) > LONG_OFFICE else 30, centred=True, bold=True
    )
    office.runs[0].font.color.rgb = _RED
    number = _paragraph(document, one.number or "", "仿宋", 16, centred=True)
    _ruled(number)
    _paragraph(document, _parted(one.title), "宋体", 22, centred=True, space=20)
    if one.draft:
        draft = _paragraph(document, "（已封账，尚未公布）", "仿宋", 14, centred=True)
        draft.runs[0].font.color.rgb = _RED
    for words in one.opening:
        _paragraph(document, words, "仿宋", 16, indent=True)
    for sheet in one.sheets:
        heading = _paragraph(document, sheet.title, "黑体", 16, space=6)
        heading.paragraph_format.keep_with_next = True
        _docx_table(document, sheet, signed=sheet is one.sheets[-1] and not one.closing)
    for words in one.closing:  # nobody signs a page that says nothing else
        _paragraph(document, words, "仿宋", 16, indent=True).paragraph_format.keep_with_next = True
    for words in (one.office, one.dated):
        signed = _paragraph(document, words, "仿宋", 16)
        signed.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        signed.paragraph_format.right_indent = Pt(32)
        signed.paragraph_format.space_before = Pt(28 if words == one.office else 0)
        signed.paragraph_format.keep_with_next = words != one.dated
    whole = io.BytesIO()
    document.save(whole)
    return whole.getvalue()


def _parted(title: str) -> str:
    """Return a title that is too long for a line in two: a period is never parted."""
    found = SPOKEN.search(title)
    if len(title) <= _LINE_OF_TITLE or found is None:
        return title
    return f"{title[: found.start()]}\n{title[found.start() :]}"


def _shares(sheet: Sheet) -> list[int]:
    """Return how wide each column is, in twentieths of a point: figures as they are, words up to what is read easily."""
    needs = []
    for n, column in enumerate(sheet.columns):
        cells = [row[n] for row in sheet.rows]
        figures = max((wide(text_of(cell)) for cell in cells if not is_words(cell)), default=0)
        words = max((wide(text_of(cell)) for cell in cells if is_words(cell)), default=0)
        needs.append(2 + max(figures, min(words, _READ), -(-wide(column) // 2), 4))
    return [need * _TEXT_WIDTH // sum(needs) for need in needs]


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
    '<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{wrap}</w:tcPr><w:p><w:pPr>{keep}<w:spacing w:line="{line}" w:lineRule="exact"/><w:jc w:val="{side}"/></w:pPr><w:r><w:rPr>'
    '<w:rFonts w:eastAsia="仿宋"/>{bold}<w:sz w:val="{half}"/></w:rPr><w:t xml:space="preserve">{words}</w:t></w:r></w:p></w:tc>'
)


def _docx_table(document: Any, sheet: Sheet, *, signed: bool) -> None:
    """Add a table, a row as one piece of XML: python-docx finds every cell anew by walking the whole table.

    `signed`: what follows is the signature, which is not to stand on a page of its own.
    """
    table = document.add_table(rows=0, cols=len(sheet.columns), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    widths = _shares(sheet)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Twips(width)
    size = 8 if len(sheet.columns) > WIDE else 11
    short = is_short(sheet)
    table._tbl.append(_row(sheet.columns, size, widths, head=True, keep=True))  # noqa: SLF001 as above
    last = len(sheet.rows)
    keeps = set(range(1, last)) if short else {1, last - 1} - {last}  # none of its rows alone on a page
    keeps |= {last} if signed else set()
    for place, row in enumerate(sheet.rows, 1):
        table._tbl.append(_row(row, size, widths, keep=place in keeps))  # noqa: SLF001 as above


def _row(cells: Sequence[Cell], size: int, widths: Sequence[int], *, head: bool = False, keep: bool = False) -> Any:
    """Return a row; `keep` it on the page of the next one."""
    parts = [
        _CELL.format(
            width=width, line=size * 28, half=size * 2, bold="<w:b/>" if head else "", words=escape(_printable(text_of(cell))),
            side="center" if head else "left" if is_words(cell) else "right",
            keep="<w:keepNext/>" if keep else "", wrap="" if is_words(cell) else "<w:noWrap/>",
        )
        for cell, width in zip(cells, widths, strict=True)
    ]  # fmt: skip
    marks = "<w:cantSplit/><w:tblHeader/>" if head else "<w:cantSplit/>"
    return parse_xml(f"<w:tr {nsdecls('w')}><w:trPr>{marks}</w:trPr>{''.join(parts)}</w:tr>")


def _printable(words: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(mark for mark in words if mark.isprintable())
