"""Sheets from the disk, and beside them the rows that were refused."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import IO, Annotated, Final

import typer

from wuye_loop.cli.order_rows import NAMES
from wuye_loop.cli.output import Refused
from wuye_loop.domain.sheets.cells import text_of
from wuye_loop.domain.sheets.limits import BadSheet, Bounds
from wuye_loop.domain.sheets.refused import RefusedFile, RefusedRow
from wuye_loop.domain.sheets.sheet import Reading, Sheet, is_blank_line, open_sheet

Row = dict[str, str]
SheetName = Annotated[
    str | None, typer.Option("--sheet", metavar="NAME", help="工作簿里读哪一张表（名称或序号）；默认第一张显示的")
]
HeaderRow = Annotated[
    int | None, typer.Option("--header-row", metavar="N", min=1, help="列名在第几行；默认按认得的列名找")
]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", metavar="C", help="分隔符，如 ; 或 tab；默认按认得的列名找")
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="文字编码，如 gb18030、big5；默认自己辨认")
]
_BOUNDS: Final = Bounds()


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Tell what is wrong with a file by its name. Raises Refused."""
    try:
        yield
    except BadSheet as error:
        raise Refused(f"{path}：{error}") from None


def sheet_of(path: Path, known: Collection[str] = NAMES, reading: Reading = Reading()) -> Sheet:  # noqa: B008 it is frozen
    """Find the sheet of a file: CSV or TSV (also gzipped) or XLSX. Raises Refused in words for what is no table."""
    with in_words(path):
        return open_sheet(lambda: path.open("rb"), path.name, known, reading, bounds=_BOUNDS, tick=monotonic)


@contextmanager
def table(path: Path, known: Collection[str] = NAMES) -> Iterator[tuple[list[str], Iterator[tuple[int, Row]]]]:
    """Open a file of which every row must be good: give its header and its rows, each with its line, without blank ones.

    Raises Refused in words, with the line, for a row of another shape too.
    """
    sheet = sheet_of(path, known)
    yield list(sheet.header), _rows(sheet, path)


def _rows(sheet: Sheet, path: Path) -> Iterator[tuple[int, Row]]:
    with in_words(path):
        for line in sheet.lines():
            if line.trouble is not None:
                raise Refused(f"{path}：第 {line.number} 行：{line.trouble}")
            if not is_blank_line(line):
                yield line.number, {name: text_of(cell) for name, cell in sheet.row(line).items()}


@contextmanager
def bad_rows(path: Path, header: Sequence[str]) -> Iterator["BadFile"]:
    """Give a place for rows that were refused: FILE.bad.csv, made with the first of them, readable by its owner alone."""
    bad = BadFile(path.with_name(f"{path.name}.bad.csv"), header)
    try:
        yield bad
    finally:
        bad.close()


class BadFile:
    """The rows that were refused, each with its line and the reason; `count` says how many."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self.count = 0
        self._header = header
        self._file: IO[str] | None = None
        self._table: RefusedFile | None = None

    def add(self, row: RefusedRow) -> None:
        """Write one refused row."""
        if self._table is None:
            self._file = private(self.path)
            self._table = RefusedFile(self._file, self._header)
        self._table.add(row)
        self.count += 1

    def close(self) -> None:
        """Close the file; without a row, what an earlier run left there is not of this run."""
        if self._file is not None:
            self._file.close()
        else:
            with suppress(FileNotFoundError):
                self.path.unlink()


def private(path: Path) -> IO[str]:
    """Open a new file for a spreadsheet that only its owner may read."""
    with suppress(FileNotFoundError):
        path.unlink()
    path.touch(mode=0o600)
    return path.open("w", encoding="utf-8-sig", newline="")
