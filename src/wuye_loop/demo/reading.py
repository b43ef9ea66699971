"""Reading complaints that a city already has, from a CSV file, as a hotline would push them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

from wuye_loop.demo.chance import Chance
from wuye_loop.demo.invented.complaints import ZONE, Complaint
from wuye_loop.domain.privacy.text import clean
from wuye_loop.domain.sheets.cells import id_text, lost_digits, text_of
from wuye_loop.domain.sheets.limits import BadSheet, Bounds
from wuye_loop.domain.sheets.refused import RefusedFile, RefusedRow
from wuye_loop.domain.sheets.sheet import Reading, Sheet, is_blank_line, open_sheet
from wuye_loop.domain.time.written import read_instant

COLUMNS: Final = ("message_id", "user_id", "title", "created_at", "detail")
_LONGEST_TITLE, _LONGEST_BODY, _LONGEST_ID, _LONGEST_NAME = 200, 20_000, 64, 40
_ENQUIRY: Final = re.compile("咨询|请问|想问|问一下|了解一下")
_HELP: Final = re.compile("求助|求解决|帮忙|请求|恳请|恳求|望解决")
_HOME: Final = re.compile("小区|花园|家园|公寓|苑|号楼|栋|业主|物业")


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


def read(path: Path) -> tuple[list[Row], list[RefusedRow], tuple[str, ...]]:
    """Return the good rows, oldest first, the bad ones with the reason, and the header of a sheet.

    Raises NotComplaints for a file without the columns COLUMNS; OSError when it cannot be read.
    """
    good: dict[str, Row] = {}
    bad: list[RefusedRow] = []
    try:
        sheet = open_sheet(lambda: path.open("rb"), path.name, COLUMNS, Reading(), bounds=Bounds(), tick=monotonic)
        _see_columns(sheet, path)
        for line in sheet.lines("message_id"):
            if is_blank_line(line):
                continue
            try:
                row = _row(sheet.row(line), line.trouble)
            except ValueError as error:
                bad.append(RefusedRow(line.number, line.cells, str(error)))
                continue
            if good.setdefault(row.message_id, row) is not row:
                bad.append(RefusedRow(line.number, line.cells, "message_id 重复"))
    except BadSheet as error:
        raise NotComplaints(f"{path} {error}") from error
    return sorted(good.values(), key=lambda row: (row.created_at, row.message_id)), bad, sheet.header


def _see_columns(sheet: Sheet, path: Path) -> None:
    missing = [name for name in COLUMNS if name not in sheet.header]
    if missing:
        raise NotComplaints(f"{path} 缺少列：{'、'.join(missing)}；要有 {'、'.join(COLUMNS)}")


def _row(fields: Mapping[str, str], trouble: str | None) -> Row:
    """Read one record. Raises ValueError in words."""
    if trouble is not None:
        raise ValueError(trouble)
    message_id = id_text(fields["message_id"])
    if not message_id or lost_digits(message_id) or len(message_id) > _LONGEST_ID:
        raise ValueError("没有 message_id，或它的后几位已经丢失")
    title, body = _cleaned(fields, "title", _LONGEST_BODY), _cleaned(fields, "detail", _LONGEST_BODY)
    if not title and not body:
        raise ValueError("标题和内容都是空的")
    if len(title) > _LONGEST_TITLE:  # nothing is lost: the whole title goes before the text
        title, body = f"{title[: _LONGEST_TITLE - 1]}…", f"{title}\n{body}"[:_LONGEST_BODY]
    user = _cleaned(fields, "user_id", _LONGEST_NAME)
    at = read_instant(fields["created_at"], ZONE)
    if at is None:
        raise ValueError("created_at 不是日期时间，应如 2026-09-14 08:30:00")
    return Row(message_id, user, title or body[:40], at.astimezone(ZONE), body or title)


def _cleaned(fields: Mapping[str, str], name: str, limit: int) -> str:
    try:
        return clean(text_of(fields[name]), max_len=limit)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


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


def keep_bad(path: Path, header: Sequence[str], bad: Sequence[RefusedRow]) -> None:
    """Write the rows that could not be taken in, each with its line and the reason, for somebody to mend."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = RefusedFile(file, header)
        for row in bad:
            table.add(row)
