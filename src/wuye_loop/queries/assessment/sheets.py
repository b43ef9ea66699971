"""Draws a bulletin: a page to print in the look of an office's document, a DOCX to edit, an XLSX to count with, a JSON to check.

No file says who made it beyond the office; a text that begins with "=" stays a text.
"""

from html import escape
from typing import Final, Literal

from wuye_loop.domain.errors import NotFound
from wuye_loop.queries.assessment.bulletin import Bulletin, Cell, Sheet
from wuye_loop.queries.assessment.cells import LONG_OFFICE, SPOKEN, WIDE, is_short, is_words, text_of
from wuye_loop.queries.assessment.checkable import as_json

Format = Literal["html", "docx", "xlsx", "pdf", "json"]
MEDIA: Final[dict[Format, str]] = {
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "json": "application/json",
}


def drawn(bulletin: Bulletin, how: Format) -> bytes:
    """Return a bulletin as a file. Raises NotFound for a PDF where what makes one is not installed."""
    if how == "docx":
        from wuye_loop.queries.assessment.editable import docx  # noqa: PLC0415 an office library: no start waits for it

        return docx(bulletin)
    if how == "xlsx":
        from wuye_loop.queries.assessment.countable import xlsx  # noqa: PLC0415 as above

        return xlsx(bulletin)
    return {"html": _html, "pdf": _pdf, "json": as_json}[how](bulletin)


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
th { min-width: 2em; } th, td { border: .75pt solid #000; padding: 2pt 4pt; text-align: center; }
td.name { text-align: left; min-width: 5.5em; overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; margin: 0; white-space: nowrap; }
thead { display: table-header-group; } tr, table.short { break-inside: avoid; }
tbody tr:first-child, tbody tr:nth-last-child(2) { break-after: avoid; }
footer { text-align: right; margin-top: 28pt; break-inside: avoid; break-before: avoid; }
p.last { break-inside: avoid; break-after: avoid; } h1 span { white-space: nowrap; }
footer div { margin-right: 2em; } .draft { color: #d01010; text-align: center; text-indent: 0; }
"""


def _html(one: Bulletin) -> bytes:
    title = SPOKEN.sub(r"<span>\g<0></span>", escape(one.title))
    parts = [
        "<!doctype html>", '<html lang="zh-CN"><head><meta charset="utf-8">', f"<title>{escape(one.title)}</title>",
        f"<style>{_STYLE}</style></head><body>", "<header>",
        f'<div class="office{" long" if len(one.office) > LONG_OFFICE else ""}">{escape(one.office)}</div>',
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
    kinds = ("wide" if len(sheet.columns) > WIDE else "", "short" if is_short(sheet) else "")
    kind = " ".join(filter(None, kinds))
    rows = ["<tr>" + "".join(_html_cell(cell) for cell in row) + "</tr>" for row in sheet.rows]
    return [
        f"<h2>{escape(sheet.title)}</h2>",
        f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>',
        *rows,
        "</tbody></table>",
    ]


def _html_cell(cell: Cell) -> str:
    kind = "name" if is_words(cell) else "number"
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
