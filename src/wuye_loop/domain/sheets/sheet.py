"""One sheet of a file: found, its header recognised, its rows compared with the header's shape."""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import IO, Final, cast
from unicodedata import normalize

from wuye_loop.domain.sheets import encoding
from wuye_loop.domain.sheets.cells import is_blank, text_of
from wuye_loop.domain.sheets.delimited import DELIMITERS, SheetLine, lines_of
from wuye_loop.domain.sheets.limits import BadSheet, Bounds, Meter
from wuye_loop.domain.sheets.workbook import Tab, Workbook

_SEARCHED: Final = 40  # rows among which a header is looked for
_HEAD: Final = 256 * 1024  # characters of a text
_SURE: Final = 2  # names that make a header
_ZIP, _OLE, _GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b"
_HTML: Final = re.compile(rb"\s*<(?:!doctype|html|table|\?xml|head|meta|div)", re.IGNORECASE)
_CODE: Final = re.compile(r"[\x00-\x7f]*")  # no sentence ends in it
_FOOT: Final = re.compile(r"(?:合\s*计|总\s*计|小\s*计|共\s*计|制表|填表|审核人|备注|说明|注)(?:[^\d]{0,8}$|[:：])")
_DIGIT: Final = re.compile(r"[0-9A-Za-z０-９]")
_LIKE_ID: Final = re.compile(r"[\w\s'’=\"〔〕\[\]().+-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a sheet is to be read, where somebody insists: sheet by name or number, header row, delimiter, encoding."""

    sheet: str | None = None
    header_row: int | None = None
    delimiter: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet whose header is found. `notes` say in words what was read and what was not."""

    header: tuple[str, ...]
    header_row: int
    notes: tuple[str, ...]
    _lines: Callable[[bool], Iterator[SheetLine]]
    _pads: bool  # a workbook leaves out cells at the end that are empty

    def lines(self, key: str | None = None, *, timed: bool = True) -> Iterator[SheetLine]:
        """Yield the rows under the header, blank ones too; a row of another shape has its trouble told.

        `key` is the column of ids: it tells a row from the second half of one that a line break has cut, and from a foot.
        Not `timed`, the bound of seconds is not looked at: what is done with each row takes time of its own.
        """
        at = self.header.index(key) if key in self.header else 0
        held: SheetLine | None = None
        numbered = False
        for raw in self._lines(timed):
            if raw.number <= self.header_row:
                continue
            line = self._shaped(raw)
            numbered = numbered or (line.trouble is None and at < len(line.cells) and _has_code(line.cells[at]))
            if key is not None and numbered and not is_blank_line(line):
                line, held = self._joined(line, held, at)
            if held is not None:
                yield held
            held = line
        if held is not None:
            yield held

    def _joined(self, line: SheetLine, held: SheetLine | None, at: int) -> tuple[SheetLine, SheetLine | None]:
        """Return a row and the one before it, both in trouble where the first is the second half of the other."""
        if _is_tail(line, at, len(self.header)):
            line = SheetLine(line.number, line.cells, line.trouble or "像是上一行的后半截，不是单独的一件")
            if held is not None and held.trouble is None and held.cells and not _CODE.fullmatch(held.cells[-1]):
                held = SheetLine(held.number, held.cells, f"像是被换行截断：第 {line.number} 行是它的后半截")
        elif at < len(line.cells) and _FOOT.match(text_of(line.cells[at])):
            line = SheetLine(line.number, line.cells, line.trouble or "像是合计或落款，不是一件诉求")
        return line, held

    def row(self, line: SheetLine) -> dict[str, str]:
        """Return the cells of a row by their columns; unnamed columns are left out."""
        cells = zip(self.header, line.cells, strict=False)
        return {name: cell for name, cell in cells if name}

    def _shaped(self, line: SheetLine) -> SheetLine:
        width = len(self.header)
        cells = line.cells
        while len(cells) > width and is_blank(cells[-1]):
            cells = cells[:-1]
        if line.trouble is not None or is_blank_line(line):
            return SheetLine(line.number, cells, line.trouble)
        if self._pads:
            cells = cells + [""] * (width - len(cells))
        if len(cells) != width:
            return SheetLine(
                line.number, cells, f"应有 {width} 列，实有 {len(cells)} 列：多半是少了引号，或一格里有换行、分隔符"
            )
        return SheetLine(line.number, cells)


def is_blank_line(line: SheetLine) -> bool:
    """Say whether nothing stands in a row."""
    return line.trouble is None and all(map(is_blank, line.cells))


def open_sheet(
    opened: Callable[[], IO[bytes]],
    name: str,
    known: Collection[str],
    reading: Reading,
    *,
    bounds: Bounds,
    tick: Callable[[], float],
) -> Sheet:
    """Find a sheet's header among names that are known; without any of them it is the first row.

    `opened` opens the file anew; `name` is only looked at for what the file claims to be. Raises BadSheet in words.
    """
    find = _Find(opened, known, reading, bounds, tick)
    with opened() as raw:
        start = raw.read(512)
    if start.startswith(_OLE) or (not start and name.lower().endswith(".xls")):
        raise BadSheet("旧的 xls 格式（或加了密码的工作簿）请先另存为 xlsx 或 csv")
    if start.startswith(_ZIP):
        return _of_workbook(find)
    if name.lower().endswith((".xlsx", ".xlsm")):
        raise BadSheet("不是可读的 xlsx 文件")
    if _HTML.match(start.removeprefix(b"\xef\xbb\xbf")):
        raise BadSheet("这是网页，不是表格：请用表格软件打开后另存为 xlsx 或 csv")
    return _of_text(find, packed=start.startswith(_GZIP) or name.lower().endswith(".gz"))


# --- a workbook -----------------------------------------------------------------------------------------------------


def _of_workbook(find: "_Find") -> Sheet:
    with find.opened() as raw:
        book = Workbook(raw, find.meter())
        tab, rows, at = _tab(book, find)

    def lines(timed: bool) -> Iterator[SheetLine]:  # noqa: FBT001 it has no other argument
        with find.opened() as raw:
            yield from Workbook(raw, find.meter(timed=timed)).lines(tab)

    return _sheet(rows, at, _told(book.tabs, tab), lines, pads=True)


def _tab(book: Workbook, find: "_Find") -> tuple[Tab, list[SheetLine], int]:
    """Return the sheet to read, its first rows, and which of them is the header."""
    wanted = find.reading.sheet
    shown = [tab for tab in book.tabs if tab.shown]
    if wanted is not None:
        tabs = [tab for tab in book.tabs if tab.name.strip() == wanted.strip()]
        if not tabs and wanted.isdecimal() and 1 <= int(wanted) <= len(book.tabs):
            tabs = [book.tabs[int(wanted) - 1]]
        if not tabs:
            raise BadSheet(f"--sheet：没有工作表 {wanted[:40]}，有：{'、'.join(tab.name for tab in book.tabs)}")
    elif not shown:
        raise BadSheet("工作表都是隐藏的：请用 --sheet 写明读哪一张")
    else:
        tabs = shown
    first: tuple[Tab, list[SheetLine], int] | None = None
    for tab in tabs:
        rows = find.head(book.lines(tab))
        at = find.header_at(rows)
        first = first or (tab, rows, at)
        if rows and find.recognised(rows[at].cells) >= _SURE:
            return tab, rows, at
    return cast("tuple[Tab, list[SheetLine], int]", first)


def _told(tabs: list[Tab], read: Tab) -> tuple[str, ...]:
    others = [f"{tab.name}{'' if tab.shown else '（隐藏）'}" for tab in tabs if tab is not read]
    if not others:
        return ()
    return (f"读的是工作表“{read.name}”；没有读：{'、'.join(others)}（要读别的，写 --sheet 名称）",)


# --- a text ---------------------------------------------------------------------------------------------------------


def _of_text(find: "_Find", *, packed: bool) -> Sheet:
    opened = partial(_unzipped, find.opened) if packed else find.opened
    size = None
    if packed:
        with find.opened() as raw:
            size = raw.seek(0, io.SEEK_END)
    with _whole(), opened() as raw:
        codec = encoding.choose(raw, find.reading.encoding, find.meter(), size)
    codec = "utf-8-sig" if codec == "utf-8" else codec
    best: tuple[int, str, list[SheetLine], int] | None = None
    delimiters = _delimiters(find.reading.delimiter)
    with _whole(), opened() as raw, _text(raw, codec) as text:
        head = text.read(_HEAD)
    for delimiter in delimiters:
        with _whole():
            rows = find.head(lines_of(io.StringIO(head, newline=""), delimiter, find.meter()))
        at = find.header_at(rows)
        score = find.recognised(rows[at].cells) if rows else 0
        if best is None or score > best[0]:
            best = (score, delimiter, rows, at)
    _, delimiter, rows, at = cast("tuple[int, str, list[SheetLine], int]", best)

    def lines(timed: bool) -> Iterator[SheetLine]:  # noqa: FBT001 it has no other argument
        with _whole(), opened() as raw, _text(raw, codec) as text:
            yield from lines_of(text, delimiter, find.meter(timed=timed))

    notes = () if codec in ("utf-8-sig", "gb18030") else (f"按 {codec} 编码读的",)
    return _sheet(rows, at, notes, lines, pads=False)


def _delimiters(insisted: str | None) -> tuple[str, ...]:
    if insisted is None:
        return DELIMITERS
    found = {"tab": "\t", "\\t": "\t", "制表符": "\t"}.get(insisted, insisted)
    if len(found) != 1 or found in '"\r\n':
        raise BadSheet("--delimiter：要写一个字符，如 ; 或 tab")
    return (found,)


@contextmanager
def _text(raw: IO[bytes], codec: str) -> Iterator[IO[str]]:
    with io.TextIOWrapper(raw, encoding=codec, errors="surrogateescape", newline="") as text:
        yield text


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise BadSheet("不是完整的 gzip 文件") from None
    except UnicodeError:
        raise BadSheet("文字不完整，或编码不对") from None


def _unzipped(opened: Callable[[], IO[bytes]]) -> IO[bytes]:
    return cast("IO[bytes]", _Unzipped(opened()))


class _Unzipped(gzip.GzipFile):
    """Closes the file that it reads together with itself."""

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


# --- a header -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Find:
    """What is needed to find a sheet in a file."""

    opened: Callable[[], IO[bytes]]
    known: Collection[str]
    reading: Reading
    bounds: Bounds
    tick: Callable[[], float]

    def meter(self, *, timed: bool = True) -> Meter:
        """Return a new count of what is read."""
        return Meter(self.bounds, self.tick if timed else lambda: 0.0)

    def head(self, lines: Iterator[SheetLine]) -> list[SheetLine]:
        """Return the rows among which the header is."""
        last = self.reading.header_row
        if last is None:
            return list(islice(lines, _SEARCHED))
        return list(takewhile(lambda line: line.number <= last, lines))

    def header_at(self, rows: list[SheetLine]) -> int:
        """Return which row is the header: the one insisted on, the one with most known names, the first with anything."""
        row = self.reading.header_row
        if row is not None:
            at = next((at for at, line in enumerate(rows) if line.number == row), None)
            if at is None:
                raise BadSheet(f"--header-row：没有第 {row} 行")
            return at
        scores = [self.recognised(line.cells) for line in rows]
        if scores and max(scores) >= _SURE:
            return scores.index(max(scores))
        return next((at for at, line in enumerate(rows) if not is_blank_line(line)), 0)

    def recognised(self, cells: list[str]) -> int:
        """Return how many different known names stand in a row."""
        return len({name for cell in cells if (name := plain_name(cell)) in self.known})


def plain_name(cell: str) -> str:
    """Return a column's name as names are compared: width, case, spaces, and a mark of what is required apart."""
    name = "".join(normalize("NFKC", text_of(cell)).split()).casefold().strip("*:")
    return re.sub(r"\((?:必填|选填)\)$", "", name).strip("*:")


def _sheet(
    rows: list[SheetLine], at: int, notes: tuple[str, ...], lines: Callable[[bool], Iterator[SheetLine]], *, pads: bool
) -> Sheet:
    header = [text_of(cell).replace("\n", "") for cell in rows[at].cells] if rows else []
    while header and is_blank(header[-1]):
        header.pop()
    if not header:
        raise BadSheet("第一行应是列名，但它是空的")
    named = [name for name in header if name]
    if len(named) != len(set(named)):
        raise BadSheet(f"列名有重复：{'、'.join(sorted({name for name in named if named.count(name) > 1}))}")
    row = rows[at].number
    if rows[at].trouble is not None:
        raise BadSheet(f"第 {row} 行（列名）：{rows[at].trouble}")
    if any(not is_blank_line(line) for line in rows[:at]):
        notes = (*notes, f"列名在第 {row} 行，它上面的不读")
    return Sheet(tuple(header), row, notes, lines, pads)


def _has_code(cell: str) -> bool:
    return _DIGIT.search(cell) is not None


def _is_tail(line: SheetLine, at: int, width: int) -> bool:
    """Say whether a row is the rest of a sentence: where its id should be there are words, and cells are missing or not."""
    if at >= len(line.cells):
        return len(line.cells) < width and line.trouble is not None and not _FOOT.match(text_of(line.cells[0]))
    cell = text_of(line.cells[at])
    if not cell or _FOOT.match(cell):
        return False
    if line.trouble is not None and len(line.cells) < width and (at > 0 or not _LIKE_ID.fullmatch(cell)):
        return True
    return line.trouble is None and len(cell) > 1 and _DIGIT.search(cell) is None
