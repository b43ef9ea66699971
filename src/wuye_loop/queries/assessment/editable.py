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
from docx.shared import Cm, Pt, RGBColor

from wuye_loop.queries.assessment.bulletin import Bulletin, Cell, Sheet, text_of

_RED: Final = RGBColor(0xD0, 0x10, 0x10)
_WIDE: Final = 7  # columns from which a table gets smaller letters
_LONG_OFFICE: Final = 12
_SHORT: Final = 6  # rows up to which a table stays on one page


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
