"""Sheets made for tests: texts and workbooks as bytes, and how they are read."""

import io
from collections.abc import Callable, Sequence
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl

from wuye_loop.cli.order_rows import NAMES
from wuye_loop.domain.sheets.limits import Bounds
from wuye_loop.domain.sheets.sheet import Reading, Sheet, open_sheet

HEADER = "工单编号,诉求标题,诉求内容,来电时间,小区名称"


def sheet(raw: bytes | str, name: str = "r.csv", *, bounds: Bounds | None = None, **insisted: Any) -> Sheet:
    content = raw.encode() if isinstance(raw, str) else raw
    return open_sheet(
        lambda: io.BytesIO(content), name, NAMES, Reading(**insisted), bounds=bounds or Bounds(), tick=lambda: 0.0
    )


def book(rows: Sequence[Sequence[object]], change: Callable[[Any], None] = lambda _: None) -> bytes:
    """Return a workbook of rows; `change` is given it before it is saved."""
    made = openpyxl.Workbook()
    for row in rows:
        made.worksheets[0].append(list(row))
    change(made)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def rewritten(raw: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """Return a workbook with one of its parts changed as text."""
    made = io.BytesIO()
    with ZipFile(io.BytesIO(raw)) as old, ZipFile(made, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content.decode()) if name == part else content)
    return made.getvalue()


def fates(found: Sheet, key: str = "工单编号") -> list[tuple[int, bool]]:
    """Return of each row its line and whether it can be taken."""
    return [(line.number, line.trouble is None) for line in found.lines(key)]
