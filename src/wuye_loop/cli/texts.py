"""Texts in a sheet: what `suggest` and `learn` read of it, and labels beside it; which patterns and which model they use."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from wuye_loop.authoring.checker.check import load
from wuye_loop.cli.check import text_of
from wuye_loop.cli.order_rows import BadColumns, columns_of
from wuye_loop.cli.output import Refused
from wuye_loop.cli.spreadsheet import table
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.suggesting.model import Model, ModelProblem
from wuye_loop.domain.time.written import read_instant
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import bases, find, text_in

STANDARD: Final = "standard@1"
_IDS: Final = ("message_id", "id", "external_id", "工单编号", "编号")
_CATEGORIES: Final = ("category", "类别", "分类")


@dataclass(frozen=True, slots=True)
class Text:
    """One row: its id, title and body as they stand there, and when it was told, where the sheet says so readably."""

    id: str
    title: str
    body: str
    at: datetime | None
    estate: str | None = None


def texts(file: Path) -> Iterator[Text]:
    """Yield the rows of a sheet; an id that is missing is the row's line. Raises Refused for what is no such sheet."""
    with table(file) as (header, rows):
        columns = _columns(header, file)
        for line, row in rows:
            said = {field: _said(row.get(column)) for field, column in columns.items()}
            given = row.get(columns["occurred_at"]) if "occurred_at" in columns else None
            yield Text(
                said.get("external_id") or f"行{line}", said.get("title", ""), said.get("body", ""), _at(given),
                said.get("estate") or None,
            )  # fmt: skip


def _columns(header: list[str], file: Path) -> dict[str, str]:
    try:
        return columns_of(header)
    except BadColumns as error:
        raise Refused(f"{file}：{error}") from None


def labels(file: Path) -> dict[str, str]:
    """Return the category by id from a sheet of labels, separated by tabs or commas.

    Raises Refused in words where it has no such columns, or an id has two different categories.
    """
    lines = [line for line in _text(file).splitlines() if line.strip()]
    if not lines:
        raise Refused(f"{file}：是空的")
    separator = "\t" if "\t" in lines[0] else ","
    header = [name.strip() for name in lines[0].split(separator)]
    places = [next((header.index(name) for name in names if name in header), None) for names in (_IDS, _CATEGORIES)]
    if None in places:
        raise Refused(
            f"{file}：要有编号列（{'、'.join(_IDS)}）和类别列（{'、'.join(_CATEGORIES)}），表头是：{'、'.join(header)}"
        )
    found: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        cells = [cell.strip() for cell in line.split(separator)]
        if len(cells) <= max(place for place in places if place is not None):
            raise Refused(f"{file}:{number}: 这一行缺少列")
        key, category = (cells[place] for place in places if place is not None)
        if key and category and found.setdefault(key, category) != category:
            raise Refused(f"{file}:{number}: 同一编号写了两个不同的类别")
    return found


def rules_for(workflow: str | None) -> Rules:
    """Return the rules whose words are used: a file's or a published version's, else those of the shipped standard."""
    if workflow is not None:
        text, name = text_of(workflow, None)
        return Rules(load(text, name))
    file = find(STANDARD, [shipped("workflows")])
    if file is None:
        raise Refused(f"没有随程序附带的流程 {STANDARD}")
    return Rules(load(text_in(file), str(file), bases(file, ())))


def model_at(file: Path | None) -> Model:
    """Return the model of a file, else the shipped one. Raises Refused in words."""
    try:
        return Model.load(file) if file is not None else Model.shipped()
    except ModelProblem as problem:
        raise Refused(f"{file or '附带的模型'}：{problem}") from None
    except OSError as error:
        raise Refused(f"{file}：读不出来（{error.strerror}）") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{file}：不是 UTF-8 编码的文本") from None
    except OSError as error:
        raise Refused(f"{file}：读不出来（{error.strerror}）") from None


def _said(value: str | None) -> str:
    return (value or "").strip()


def _at(value: str | None) -> datetime | None:
    return read_instant(_said(value), UTC)  # without a zone its day stays as written: only day and order are asked for
