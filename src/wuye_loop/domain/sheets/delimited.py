"""Text with a delimiter, line by line: a row never swallows its neighbours, and an unclosed quote is told."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

from wuye_loop.domain.sheets.encoding import spoiled
from wuye_loop.domain.sheets.limits import Meter

DELIMITERS: Final = (",", "\t", ";", "|")
_QUOTED: Final = re.compile(r'[ ]*"((?:[^"]|"")*+)"')
_OPENED: Final = re.compile(r'[ ]*"')
_UNCLOSED: Final = "引号没有闭合，从这一行起都没有收：补上引号再导入"
_TAIL: Final = "引号不成对：引号应把整格包住，格里的引号写成两个"
_SWALLOWED: Final = "引号里包进了别的行：像是前面少了一个引号"
_SHAPES: Final = ((re.compile(r"\d"), "9"), (re.compile(r"[A-Za-z]"), "A"))
_FEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One row of a sheet: the line it begins at, its cells, and why it cannot be taken, if it cannot."""

    number: int
    cells: list[str]
    trouble: str | None = None


@dataclass(slots=True)
class _Record:
    """Physical lines that may make one row, and what is read of them so far."""

    number: int
    lines: list[str]
    cells: list[str]
    trouble: str | None = None
    text: str = ""


def lines_of(file: IO[str], delimiter: str, meter: Meter) -> Iterator[SheetLine]:
    """Yield every row of a text, blank ones too; each with the number of the physical line it begins at."""
    reader = _Physical(file, meter)
    for number, line in reader:
        if '"' not in line:
            cells = line.split(delimiter)
            yield _checked(number, cells, None, meter)
            continue
        record = _Record(number, [line], [], text=line)
        if _read(record, delimiter, reader, meter.bounds.record):
            trouble = record.trouble or _swallowed(record, delimiter)
            if trouble == _SWALLOWED:
                yield from _apart(record, delimiter, trouble, meter)
            else:
                yield _checked(number, record.cells, trouble, meter)
            continue
        yield from _apart(record, delimiter, _UNCLOSED, meter)
        for rest, text in reader:
            if text.strip():
                yield _checked(rest, text.split(delimiter), _UNCLOSED, meter)


class _Physical:
    """The physical lines of a text without their ends, numbered; one that is too long is cut, and thereby refused."""

    def __init__(self, file: IO[str], meter: Meter) -> None:
        self._file = file
        self._most = meter.bounds.record
        self._meter = meter
        self._number = 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return self

    def __next__(self) -> tuple[int, str]:
        line = self._file.readline(self._most + 2)
        if not line:
            raise StopIteration
        self._number += 1
        rest = line
        while len(rest) >= self._most + 2 and not rest.endswith(("\n", "\r")):
            self._meter.time()
            rest = self._file.readline(self._most + 2)
        return self._number, line.removesuffix("\n").removesuffix("\r")


def _read(record: _Record, delimiter: str, more: _Physical, most: int) -> bool:
    """Read the cells of a row, drawing further lines for what stands in quotes; False when a quote is never closed."""
    at = 0
    while True:
        quoted = _OPENED.match(record.text, at)
        if quoted is None:
            end = record.text.find(delimiter, at)
            record.cells.append(record.text[at:] if end < 0 else record.text[at:end])
        else:
            closed = _QUOTED.match(record.text, at)
            if closed is None:
                if not _drawn(record, more, most):
                    return False
                continue
            end, value = _after(record, closed, delimiter)
            if value is None:
                return False
            record.cells.append(value)
        if end < 0:
            return True
        at = end + len(delimiter)


def _drawn(record: _Record, more: _Physical, most: int) -> bool:
    """Draw lines until one holds a quote; False at the end of the text."""
    drawn = []
    size = len(record.text)
    for _, line in more:
        drawn.append(line)
        size += len(line) + 1
        if '"' in line or size > most:
            break
    record.lines += drawn
    record.text = "\n".join([record.text, *drawn])
    return bool(drawn) and '"' in drawn[-1] and size <= most


def _after(record: _Record, closed: re.Match[str], delimiter: str) -> tuple[int, str | None]:
    """Return where the next delimiter is after a closed quote, and the cell; None where the quote was another row's."""
    end = record.text.find(delimiter, closed.end())
    tail = record.text[closed.end() :] if end < 0 else record.text[closed.end() : end]
    value = closed[1].replace('""', '"')
    if not tail.strip():
        return end, value
    if "\n" in closed[0]:
        return end, None
    record.trouble = _TAIL
    return end, value + tail


def _swallowed(record: _Record, delimiter: str) -> str | None:
    """Say whether a line between quotes has the shape of a row of its own."""
    width = len(record.cells)
    if len(record.lines) == 1 or width < _FEWEST or record.trouble:
        return record.trouble
    first = _shape(record.cells[0])
    for line in record.lines[1:]:
        cells = line.split(delimiter)
        if len(cells) >= width - 1 and len(cells) > 1 and _shape(cells[0]) == first and "9" in first:
            return _SWALLOWED
    return None


def _shape(text: str) -> str:
    text = text.strip().strip('"')
    for pattern, sign in _SHAPES:
        text = pattern.sub(sign, text)
    return text


def _apart(record: _Record, delimiter: str, trouble: str, meter: Meter) -> Iterator[SheetLine]:
    """Yield each physical line of a record that is refused as a whole."""
    for place, line in enumerate(record.lines):
        if line.strip():
            yield _checked(record.number + place, line.split(delimiter), trouble, meter)


def _checked(number: int, cells: list[str], trouble: str | None, meter: Meter) -> SheetLine:
    meter.row(len(cells))
    if trouble is None and any(len(cell) > meter.bounds.cell for cell in cells):
        trouble = f"不是合法的 CSV（一格超过 {meter.bounds.cell} 字）"
    if trouble is None and any(map(spoiled, cells)):
        trouble = "有无法识别的文字：这一行的编码与全文不同"
    return SheetLine(number, cells, trouble)
