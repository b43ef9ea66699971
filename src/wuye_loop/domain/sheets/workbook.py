"""An XLSX workbook read as a stream: every cell that is there, whatever its dimension tag says, in flat memory.

Numbers keep the digits of the file, dates become `2026-11-20 09:00:00`, merged cells are filled downwards.
"""

import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import IO, Final, TypeVar
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from wuye_loop.domain.sheets.cells import Broken, Number
from wuye_loop.domain.sheets.delimited import SheetLine
from wuye_loop.domain.sheets.limits import MIB, BadSheet, Meter

_UNREADABLE: Final = "不是可读的 xlsx 文件"
_CHUNK: Final = 64 * 1024
_LONGEST_TAG: Final = 4 * MIB
_SMALL: Final = 16 * MIB  # the parts that say what there is
_REF: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BUILT_IN_DATES: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_CODE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DATE_CODE: Final = re.compile(r"[dmyhs年月日时分秒]", re.IGNORECASE)
_HOURS: Final = re.compile(r"[hs时分秒]", re.IGNORECASE)
_LAST_ROW: Final = 1_048_576
_EPOCHS: Final = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 a sheet knows no zone
_LAST_SERIAL: Final = 2_958_465  # the end of the year 9999
_NO_RESULT: Final = "公式没有结果"
_Made = TypeVar("_Made")
_Handlers = tuple[Callable[[str, Mapping[str, str]], None], Callable[[str], None], Callable[[str], None]]


@dataclass(frozen=True, slots=True)
class Tab:
    """A sheet of a workbook: its name, whether it is shown, and the part that holds it."""

    name: str
    shown: bool
    part: str


@dataclass(frozen=True, slots=True)
class _Styles:
    """Which cell formats are dates: index to whether the hour is shown."""

    dates: Mapping[int, bool]
    epoch: datetime


class Workbook:
    """A workbook in an open stream; it is read part by part."""

    def __init__(self, raw: IO[bytes], meter: Meter) -> None:
        self._meter = meter
        try:
            self._zip = ZipFile(raw)
            self._parts = {info.filename.lstrip("/"): info for info in self._zip.infolist()}
            meter.unpacked(
                sum(info.file_size for info in self._parts.values()),
                sum(info.compress_size for info in self._parts.values()),
            )
        except (BadZipFile, OSError, ValueError) as error:
            if isinstance(error, BadSheet):
                raise
            raise BadSheet(_UNREADABLE) from None
        self._relations = self._related("xl/_rels/workbook.xml.rels")
        self.tabs, self._from_1904 = self._listed()
        if not self.tabs:
            raise BadSheet("工作簿里没有工作表")

    def lines(self, tab: Tab) -> Iterator[SheetLine]:
        """Yield the rows of a sheet that are there, by their numbers."""
        rows = _Rows(self._strings, self._styles, self._meter)
        merged = self._merged(tab.part)
        for number, cells in self._streamed(tab.part, rows.handlers(), rows.drain):
            yield SheetLine(number, merged.filled(number, cells))

    def _listed(self) -> tuple[list[Tab], bool]:
        tabs: list[Tab] = []
        old = False

        def start(name: str, given: Mapping[str, str]) -> None:
            nonlocal old
            if name == "workbookPr":
                old = given.get("date1904", "0") in ("1", "true")
            elif name == "sheet":
                kind, part = self._relations.get(given.get("id", ""), ("", ""))
                if kind == "worksheet" and part in self._parts:
                    tabs.append(Tab(given.get("name", ""), given.get("state", "visible") == "visible", part))

        self._whole("xl/workbook.xml", start)
        return tabs, old

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, given: Mapping[str, str]) -> None:
            if name == "Relationship":
                target = given.get("Target", "")
                path = target.lstrip("/") if target.startswith("/") else f"xl/{target.removeprefix('./')}"
                found[given.get("Id", "")] = (given.get("Type", "").rpartition("/")[2], path)

        self._whole(part, start)
        return found

    def _part(self, kind: str) -> str | None:
        return next((path for name, path in self._relations.values() if name == kind and path in self._parts), None)

    @cached_property
    def _strings(self) -> list[str]:
        part = self._part("sharedStrings")
        if part is None:
            return []
        if self._parts[part].file_size > self._meter.bounds.shared:
            raise BadSheet(f"工作簿里的文字超过 {self._meter.bounds.shared // MIB} MiB，请分成几个文件")
        texts = _Texts(self._meter.bounds.cell)
        return list(self._streamed(part, texts.handlers(), texts.drain))

    @cached_property
    def _styles(self) -> _Styles:
        codes: dict[int, str] = {}
        dates: dict[int, bool] = {}
        count, within = 0, False

        def start(name: str, given: Mapping[str, str]) -> None:
            nonlocal count, within
            if name == "numFmt":
                codes[_whole_number(given.get("numFmtId"))] = given.get("formatCode", "")
            elif name == "cellXfs":
                within = True
            elif name == "xf" and within:
                known = _date_format(_whole_number(given.get("numFmtId")), codes)
                if known is not None:
                    dates[count] = known
                count += 1

        def end(name: str) -> None:
            nonlocal within
            within = within and name != "cellXfs"

        part = self._part("styles")
        if part is not None:
            self._whole(part, start, end)
        return _Styles(dates, _EPOCHS[self._from_1904])

    def _merged(self, part: str) -> "_Merged":
        """Return the columns that are merged downwards; they stand after all the rows."""
        found: set[tuple[int, int, int]] = set()
        kept = b""
        with self._opened(part) as file:
            while chunk := file.read(_CHUNK):
                kept = kept[-200:] + chunk
                for left, top, _, bottom in _MERGED.findall(kept):
                    if int(bottom) > int(top):
                        found.add((int(top), int(bottom), _column(left.decode())))
        return _Merged(found)

    def _whole(
        self, part: str, start: Callable[[str, Mapping[str, str]], None], end: Callable[[str], None] | None = None
    ) -> None:
        """Read a small part by its tags."""
        if part not in self._parts or self._parts[part].file_size > _SMALL:
            raise BadSheet(_UNREADABLE)
        handlers = (start, end or (lambda _: None), lambda _: None)
        for _ in self._streamed(part, handlers, lambda: ()):
            pass

    def _opened(self, part: str) -> IO[bytes]:
        info: ZipInfo = self._parts[part]
        if info.flag_bits & 1:
            raise BadSheet("工作簿有密码，请去掉密码再导入")
        return self._zip.open(info)

    def _streamed(self, part: str, handlers: _Handlers, drain: Callable[[], Iterable[_Made]]) -> Iterator[_Made]:
        """Feed a part to its handlers piece by piece, and yield what they have made after each."""
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        start, end, text = handlers
        parser.StartElementHandler = lambda name, given: start(_local(name), _locals(given))
        parser.EndElementHandler = lambda name: end(_local(name))
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _no_doctype
        fed = 0
        try:
            with self._opened(part) as file:
                while chunk := file.read(_CHUNK):
                    parser.Parse(chunk)
                    fed += len(chunk)
                    if fed - max(parser.CurrentByteIndex, 0) > _LONGEST_TAG:
                        raise BadSheet(_UNREADABLE)
                    self._meter.time()
                    yield from drain()
            parser.Parse(b"", True)  # noqa: FBT003 the parser's own
        except (expat.ExpatError, BadZipFile, zlib.error, EOFError, RuntimeError):
            raise BadSheet(_UNREADABLE) from None
        yield from drain()


class _Merged:
    """What is merged downwards: a cell's text stands in each row that it spans."""

    def __init__(self, ranges: Iterable[tuple[int, int, int]]) -> None:
        self._from: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for top, bottom, column in ranges:
            self._from[top].append((bottom, column))
        self._open: dict[int, tuple[int, str]] = {}

    def filled(self, number: int, cells: list[str]) -> list[str]:
        """Return a row with what reaches into it from above; a row of nothing else stays blank."""
        if any(cells):
            for column, (bottom, text) in list(self._open.items()):
                if number > bottom:
                    del self._open[column]
                    continue
                cells += [""] * (column + 1 - len(cells))
                cells[column] = cells[column] or text
        for bottom, column in self._from.get(number, ()):
            if column < len(cells) and cells[column]:
                self._open[column] = (bottom, cells[column])
        return cells


class _Texts:
    """Gathers shared texts, rich ones as one; readings (拼音) are left out."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: list[str] = []
        self._parts: list[str] = []
        self._within = self._aside = False

    def handlers(self) -> _Handlers:
        """Return what the parser calls."""
        return self._start, self._end, self._text

    def drain(self) -> list[str]:
        """Return what is ready, once."""
        made, self._made = self._made, []
        return made

    def _start(self, name: str, _: Mapping[str, str]) -> None:
        self._within = name == "t" and not self._aside
        self._aside = self._aside or name == "rPh"

    def _end(self, name: str) -> None:
        self._within = False
        if name == "rPh":
            self._aside = False
        elif name == "si":
            self._made.append(_unescaped("".join(self._parts)))
            self._parts = []

    def _text(self, text: str) -> None:
        if self._within and len(text) <= self._most:
            self._parts.append(text)


class _Rows:
    """Gathers the rows of a sheet from its tags."""

    def __init__(self, strings: list[str], styles: _Styles, meter: Meter) -> None:
        self._strings, self._styles, self._meter = strings, styles, meter
        self._made: list[tuple[int, list[str]]] = []
        self._number = self._column = self._size = 0
        self._cells: list[str] = []
        self._parts: list[str] = []
        self._given: Mapping[str, str] = {}
        self._formula = self._within = self._aside = False

    def handlers(self) -> _Handlers:
        """Return what the parser calls."""
        return self._start, self._end, self._text

    def drain(self) -> list[tuple[int, list[str]]]:
        """Return what is ready, once."""
        made, self._made = self._made, []
        return made

    def _start(self, name: str, given: Mapping[str, str]) -> None:
        if name == "c":
            self._given, self._parts, self._size, self._formula = given, [], 0, False
            place = _REF.fullmatch(given.get("r", ""))
            self._column = _column(place[1]) if place is not None else self._column + 1
        elif name in ("v", "t"):
            self._within = not self._aside
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._aside = True
        elif name == "row":
            self._number = _whole_number(given.get("r")) or self._number + 1
            self._cells, self._column = [], -1
            if self._number > _LAST_ROW:
                raise BadSheet(_UNREADABLE)

    def _end(self, name: str) -> None:
        self._within = False
        if name == "c":
            self._put(self._value())
        elif name == "rPh":
            self._aside = False
        elif name == "row":
            self._meter.row(len(self._cells))
            self._made.append((self._number, self._cells))

    def _text(self, text: str) -> None:
        if self._within and self._size <= self._meter.bounds.cell:
            self._parts.append(text)
            self._size += len(text)

    def _put(self, value: str) -> None:
        if not value:
            return
        column = min(self._column, self._meter.bounds.columns)  # one too many: the row is refused for its shape
        self._cells += [""] * (column + 1 - len(self._cells))
        self._cells[column] = value

    def _value(self) -> str:
        raw = "".join(self._parts)
        kind = self._given.get("t", "n")
        if kind == "s":
            place = _whole_number(raw)
            if place >= len(self._strings):
                raise BadSheet(_UNREADABLE)
            return self._strings[place]
        if kind in ("inlineStr", "str", "d"):
            return _unescaped(raw)
        raw = raw.strip()
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(raw, raw)
        if kind == "e":
            return Broken(raw or "#N/A")
        if not raw:
            return Broken(_NO_RESULT) if self._formula else ""
        shows_hour = self._styles.dates.get(_whole_number(self._given.get("s")))
        return Number(raw) if shows_hour is None else _date_text(raw, self._styles.epoch, shows_hour=shows_hour)


def _date_text(raw: str, epoch: datetime, *, shows_hour: bool) -> str:
    try:
        serial = float(raw)
    except ValueError:
        return raw
    if not 0 <= serial <= _LAST_SERIAL:
        return Number(raw)
    at = epoch + timedelta(seconds=round(serial * 86_400))
    if serial < 1 and shows_hour:
        return f"{at:%H:%M:%S}"
    return f"{at:%Y-%m-%d}" if not shows_hour and serial == int(serial) else f"{at:%Y-%m-%d %H:%M:%S}"


def _date_format(number: int, codes: Mapping[int, str]) -> bool | None:
    """Say of a number format whether it shows the hour of a date; None for one that is no date."""
    code = codes.get(number)
    if code is None:
        if number not in _BUILT_IN_DATES:
            return None
        return number in {18, 19, 20, 21, 22, 32, 33, 45, 46, 47}
    bare = _NOT_CODE.sub("", code.split(";")[0])
    if "general" in bare.lower() or not _DATE_CODE.search(bare):
        return None
    return _HOURS.search(bare) is not None


def _unescaped(text: str) -> str:
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _whole_number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _locals(given: Mapping[str, str]) -> dict[str, str]:
    return {_local(name): value for name, value in given.items()}


def _no_doctype(*_: object) -> None:
    raise BadSheet(_UNREADABLE)
