"""Reading complaints that a city already has, from a CSV file, as a hotline would push them."""

import csv
import gzip
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from wuye_loop.demo.chance import Chance
from wuye_loop.demo.complaints import ZONE, Complaint
from wuye_loop.domain.privacy.text import clean

COLUMNS: Final = ("message_id", "user_id", "title", "created_at", "detail")
_LONGEST_TITLE, _LONGEST_BODY, _LONGEST_ID, _LONGEST_NAME = 200, 20_000, 64, 40
_DATES: Final = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
_GZIP: Final = b"\x1f\x8b"
_ENQUIRY: Final = re.compile("咨询|请问|想问|问一下|了解一下")
_HELP: Final = re.compile("求助|求解决|帮忙|请求|恳请|恳求|望解决")
_HOME: Final = re.compile("小区|花园|家园|公寓|苑|号楼|栋|业主|物业")
_FIELD: Final = 1_000_000  # characters in one field: more is a file that is not what it says


class NotComplaints(Exception):
    """The file is not a table of complaints; the message says why, in words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One good row: an id, who wrote it, when (aware), and the words."""

    message_id: str
    user_id: str
    title: str
    created_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken in: the line it ends at, why, and what stands in it."""

    line: int
    why: str
    fields: Sequence[str]


def read(path: Path) -> tuple[list[Row], list[BadRow]]:
    """Return the good rows, oldest first, and the bad ones with the reason, of a CSV in UTF-8, gzipped or not.

    Raises NotComplaints for a file without the columns COLUMNS; OSError when it cannot be read.
    """
    raw = path.read_bytes()
    if raw.startswith(_GZIP):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError) as error:
            raise NotComplaints(f"{path} 不是完整的 gzip 文件") from error
    good: dict[str, Row] = {}
    bad: list[BadRow] = []
    for line, fields in _records(raw, path, bad):
        try:
            row = _row(fields)
        except ValueError as error:
            bad.append(BadRow(line, str(error), list(fields.values())))
            continue
        if row.message_id in good:
            bad.append(BadRow(line, "message_id 重复", list(fields.values())))
        else:
            good[row.message_id] = row
    return sorted(good.values(), key=lambda row: (row.created_at, row.message_id)), bad


def _records(raw: bytes, path: Path, bad: list[BadRow]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each record by its column names with the line it ends at; a record of another length is bad."""
    # A byte that is not UTF-8 spoils its own row only.
    lines = io.StringIO(raw.decode("utf-8-sig", "surrogateescape"), newline="")
    csv.field_size_limit(_FIELD)
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise NotComplaints(f"{path} 缺少列：{'、'.join(missing)}；要有 {'、'.join(COLUMNS)}")
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                bad.append(BadRow(reader.line_num, f"应有 {len(header)} 列，实有 {len(fields)} 列", fields))
                continue
            yield reader.line_num, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        bad.append(BadRow(reader.line_num, f"引号不成对，此后无法读：{error}", []))


def _row(fields: Mapping[str, str]) -> Row:
    """Read one record. Raises ValueError in words."""
    if any("\udc80" <= char <= "\udcff" for text in fields.values() for char in text):
        raise ValueError("不是 UTF-8 编码")
    message_id = _cleaned(fields, "message_id", _LONGEST_ID)
    if not message_id:
        raise ValueError("没有 message_id")
    title, body = _cleaned(fields, "title", _LONGEST_BODY), _cleaned(fields, "detail", _LONGEST_BODY)
    if not title and not body:
        raise ValueError("标题和内容都是空的")
    if len(title) > _LONGEST_TITLE:  # nothing is lost: the whole title goes before the text
        title, body = f"{title[: _LONGEST_TITLE - 1]}…", f"{title}\n{body}"[:_LONGEST_BODY]
    user = _cleaned(fields, "user_id", _LONGEST_NAME)
    return Row(message_id, user, title or body[:40], _date(fields["created_at"]), body or title)


def _cleaned(fields: Mapping[str, str], name: str, limit: int) -> str:
    try:
        return clean(fields[name], max_len=limit)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _date(text: str) -> datetime:
    for shape in _DATES:
        try:
            return datetime.strptime(text.strip(), shape).replace(tzinfo=ZONE)
        except ValueError:
            continue
    raise ValueError("created_at 不是日期时间，应如 2026-09-14 08:30:00")


def as_complaints(
    rows: Sequence[Row], chance: Chance, first: datetime, days: int, estates: Sequence[Mapping[str, Any]]
) -> list[Complaint]:
    """Return the rows as complaints that come over the days from `first`, in the order in which they were written.

    A place that the text names is kept when the district knows it; any other is mapped onto the district by chance, for
    real estates are not in it.
    """
    span = timedelta(days=days) / max(1, len(rows))
    named = {str(estate["name"]): str(estate["code"]) for estate in estates}
    return [
        Complaint(
            row.message_id,
            (first + span * place).replace(microsecond=0),
            {
                "external_id": row.message_id,
                "channel": "网络",
                "kind": _kind(row),
                "title": row.title,
                "body": row.body,
                "occurred_at": row.created_at.isoformat(),
                "place": _place(row, chance, named, estates),
                "complainant": {"name": row.user_id} if row.user_id else {"anonymous": True},
            },
        )
        for place, row in enumerate(rows)
    ]


def _kind(row: Row) -> str:
    """Guess what is wanted, from the title first: texts end with a plea whatever they are."""
    if _ENQUIRY.search(row.title):
        return "咨询"
    return "求助" if _HELP.search(row.title) else "投诉"


def _place(row: Row, chance: Chance, named: Mapping[str, str], estates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    words = f"{row.title}\n{row.body}"
    known = next((code for name, code in named.items() if name in words), None)
    if known is not None:
        return {"estate": known}
    estate = chance.pick(estates, "place", row.message_id)
    if _HOME.search(words):
        return {"estate": str(estate["code"])}
    return {"area_code": str(estate["area"])[:9]}


def keep_bad(path: Path, bad: Sequence[BadRow]) -> None:
    """Write the rows that could not be taken in, each with its line and the reason, for somebody to mend."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "why"))
        writer.writerows((row.line, row.why, *row.fields) for row in bad)
