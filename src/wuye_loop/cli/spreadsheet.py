"""Rows of a spreadsheet as intake forms: CSV (also gzipped) or XLSX, columns found by their headers."""

import codecs
import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from io import TextIOWrapper
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, Final, cast
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError

from wuye_loop.cli.output import ZONE, Refused
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.edge.field_errors import findings

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": ("message_id", "id", "工单编号", "工单号", "诉求编号", "留言编号", "编号"),
    "title": ("标题", "诉求标题", "留言主题", "主题"),
    "body": ("detail", "content", "内容", "诉求内容", "留言详情", "详情", "问题描述"),
    "occurred_at": ("created_at", "时间", "诉求时间", "留言时间", "来电时间", "受理时间", "发生时间"),
    "category": ("类别", "分类", "诉求类别", "诉求分类"),
    "estate": ("小区", "小区名称", "小区编码"),
    "area_code": ("属地编码", "属地代码", "行政区划代码"),
    "address": ("地址", "详细地址", "事发地址"),
    "channel": ("渠道", "诉求来源", "来源"),
    "kind": ("类型", "诉求类型"),
    "urgency": ("紧急程度",),
    "complainant.name": ("name", "姓名", "联系人", "来电人", "诉求人"),
    "complainant.phone": ("phone", "电话", "手机", "手机号", "联系电话", "来电号码"),
}
_PLACE: Final = ("estate", "area_code", "address")
_TIMES: Final = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日")
_TITLE: Final = 40  # characters of the body that stand for a missing title
_KNOWN: Final = {*IntakeForm.model_fields, "place", *_PLACE, "name", "phone"}

Row = dict[str, Any]


class BadRow(ValueError):
    """A row that cannot be taken in; the message says which column and why, without its content."""


def columns_of(header: Sequence[str], given: Sequence[str] = ()) -> dict[str, str]:
    """Return which column each field is read from: as given by `field=column`, else by name or alias.

    Raises Refused in words for a field or column that does not exist, and without an external id or any text.
    """
    chosen: dict[str, str] = {}
    for item in given:
        field, _, column = item.partition("=")
        if field not in ALIASES:
            raise Refused(f"--map：没有字段 {field}，可用：{'、'.join(ALIASES)}")
        if column not in header:
            raise Refused(f"--map：表里没有列 {column}，表头是：{'、'.join(header)}")
        chosen[field] = column
    by_name = {name.strip().lower(): name for name in header if name}
    for field, aliases in ALIASES.items():
        found = next((by_name[name] for name in (field, *aliases) if name in by_name), None)
        if field not in chosen and found is not None and found not in chosen.values():
            chosen[field] = found
    if "external_id" not in chosen:
        raise Refused(f"没有找到编号列，请写 --map external_id=列名；表头是：{'、'.join(header)}")
    if not {"title", "body"} & set(chosen):
        raise Refused(f"没有找到标题或内容列，请写 --map body=列名；表头是：{'、'.join(header)}")
    return chosen


def form_of(row: Row, columns: Mapping[str, str], *, channel: str, kind: str) -> IntakeForm:
    """Return a row as an intake form; `channel` and `kind` stand where the row does not say.

    Raises BadRow in words.
    """
    values = {field: row.get(column) for field, column in columns.items()}
    texts = {field: _text(value) for field, value in values.items() if field != "occurred_at"}
    form: dict[str, Any] = {
        "external_id": texts.get("external_id", ""),
        "title": texts.get("title") or texts.get("body", "")[:_TITLE],
        "body": texts.get("body") or texts.get("title", ""),
        "channel": texts.get("channel") or channel,
        "kind": texts.get("kind") or kind,
        "place": {name: texts[name] for name in _PLACE if texts.get(name)},
        "complainant": {
            name: texts[f"complainant.{name}"] for name in ("name", "phone") if texts.get(f"complainant.{name}")
        },
    }
    form |= {name: texts[name] for name in ("category", "urgency") if texts.get(name)}
    if values.get("occurred_at") not in (None, ""):
        form["occurred_at"] = _instant(values["occurred_at"], columns["occurred_at"])
    try:
        return IntakeForm.model_validate(form)
    except ValidationError as error:
        found = findings(error.errors(include_url=False, include_input=False), _KNOWN)
        said = (f"{columns.get(_field(item['path']), item['path'])}：{item['problem']}" for item in found)
        raise BadRow("；".join(said)) from None


def _field(path: str) -> str:
    return path.removeprefix("place.")


def _text(value: object) -> str:
    """Return a cell as text: a number of a spreadsheet without the decimal point it never had."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _instant(value: object, column: str) -> datetime:
    at: datetime | None = None
    if isinstance(value, datetime):
        at = value
    elif isinstance(value, date):
        at = datetime(value.year, value.month, value.day, tzinfo=ZONE)
    else:
        at = _read_instant(str(value).strip())
    if at is None:
        raise BadRow(f"{column}：时间应写成 2026-11-21 09:30:00")
    try:
        return (at if at.tzinfo else at.replace(tzinfo=ZONE)).astimezone(UTC)
    except OverflowError:
        raise BadRow(f"{column}：时间超出范围") from None


def _read_instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=ZONE)
        except ValueError:
            continue
    return None


# --- files ----------------------------------------------------------------------------------------------------------


@contextmanager
def table(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[int, Row]]]]:
    """Open a file and give its header and its rows, each with its line number; blank rows are left out.

    Raises Refused in words for what is no table.
    """
    try:
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
                lines = book.worksheets[0].iter_rows(values_only=True)
                yield _headed(enumerate(lines, 1), path)
        elif path.suffix.lower() == ".xls":
            raise Refused(f"{path}：旧的 xls 格式请先另存为 xlsx 或 csv")
        else:
            with _decoded(path) as file:
                reader = csv.reader(file)
                yield _headed(((reader.line_num, line) for line in reader), path)
    except csv.Error as error:
        raise Refused(f"{path}：不是合法的 CSV（{error}）") from None
    except (BadZipFile, InvalidFileException, KeyError):
        raise Refused(f"{path}：不是可读的 xlsx 文件") from None
    except (gzip.BadGzipFile, EOFError):
        raise Refused(f"{path}：不是完整的 gzip 文件") from None
    except UnicodeDecodeError:
        raise Refused(f"{path}：既不是 UTF-8 也不是 GB18030 编码的文本") from None


def _headed(lines: Iterator[tuple[int, Sequence[Any]]], path: Path) -> tuple[list[str], Iterator[tuple[int, Row]]]:
    _, first = next(lines, (0, ()))
    header = [_text(cell) for cell in first]
    if not any(header):
        raise Refused(f"{path}：第一行应是列名，但它是空的")
    if len(named := [name for name in header if name]) != len(set(named)):
        raise Refused(f"{path}：列名有重复：{'、'.join(sorted({name for name in named if named.count(name) > 1}))}")
    rows = (
        (number, dict(zip_longest(header, line[: len(header)])))
        for number, line in lines
        if any(cell not in (None, "") for cell in line)
    )
    return header, rows


@contextmanager
def _decoded(path: Path) -> Iterator[IO[str]]:
    with _binary(path) as raw:
        encoding = _encoding(raw)
    with _binary(path) as raw, TextIOWrapper(raw, encoding=encoding, newline="") as text:
        yield text


def _binary(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def _encoding(raw: IO[bytes]) -> str:
    """Return utf-8-sig when the whole file is UTF-8, else GB18030, in which Chinese spreadsheets are exported."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := raw.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


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
        path.unlink(missing_ok=True)  # what an earlier run left there is not of this run
        self.path = path
        self.count = 0
        self._header = header
        self._file: IO[str] | None = None

    def add(self, line: int, row: Row, reason: str) -> None:
        """Write one refused row."""
        if self._file is None:
            self.path.touch(mode=0o600)
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file).writerow(["行号", "原因", *self._header])
        csv.writer(self._file).writerow([line, reason, *(row.get(name) for name in self._header)])
        self.count += 1

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()
