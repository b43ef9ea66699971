"""Rows of a sheet as orders: columns found by their names, ids without a spreadsheet's marks, what is odd flagged."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from pydantic import ValidationError

from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.sheets.cells import Broken, id_text, is_blank, lost_digits, maybe_lost, says_nothing, text_of
from wuye_loop.domain.sheets.sheet import plain_name
from wuye_loop.domain.time.timestamps import as_text
from wuye_loop.domain.time.written import LONGEST, read_instant
from wuye_loop.edge.field_errors import findings

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": (
        "message_id", "id", "工单编号", "工单号", "诉求编号", "留言编号", "信件编号", "受理编号", "流水号", "编号",
    ),
    "title": ("标题", "诉求标题", "工单标题", "留言标题", "留言主题", "主题"),
    "body": (
        "detail", "content", "内容", "诉求内容", "工单内容", "留言内容", "留言详情", "详情", "诉求描述", "问题描述",
    ),
    "occurred_at": (
        "created_at", "时间", "诉求时间", "留言时间", "来电时间", "受理时间", "反映时间", "登记时间", "发生时间",
    ),
    "category": ("类别", "分类", "诉求类别", "诉求分类"),
    "estate": ("小区", "小区名称", "小区编码"),
    "area_code": ("属地编码", "属地代码", "行政区划代码"),
    "address": ("地址", "详细地址", "事发地址"),
    "channel": ("渠道", "诉求来源", "来源"),
    "kind": ("类型", "诉求类型"),
    "urgency": ("紧急程度",),
    "complainant.name": ("name", "姓名", "联系人", "来电人", "诉求人"),
    "complainant.phone": ("phone", "电话", "手机", "手机号", "联系电话", "手机号码", "来电号码"),
}  # fmt: skip
#: Every name by which a column is recognised, as `plain_name` gives it.
NAMES: Final = frozenset(plain_name(name) for field, names in ALIASES.items() for name in (field, *names))
DAMAGED_PHONE: Final = "damaged-phone"
DAMAGED_CELL: Final = "damaged-cell"
_PLACE: Final = ("estate", "area_code", "address")
_OPTIONAL: Final = ("category", "urgency")
_TITLE: Final = 40  # characters of the body that stand for a missing title
_LONGEST_PHONE: Final = 24
_WHOLE_PHONE: Final = 7  # digits
_SOME: Final = 3  # ids that all end in zeros after the fifteenth digit
_KNOWN: Final = {*IntakeForm.model_fields, "place", *_PLACE, "name", "phone"}
_LOST: Final = "编号已被表格改写成数字，后几位丢失：请从原系统重新导出，编号列设为文本"
_DASHES: Final = re.compile(r"(?<=\d)[-‐‑–—−](?=\d)")


class BadColumns(ValueError):
    """A table that cannot be mapped; the message says why, in words."""


class BadRow(ValueError):
    """A row that cannot be taken in; the message says which column and why, without its content."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row as an order, and what is odd about it."""

    form: IntakeForm
    flags: tuple[str, ...] = ()


def columns_of(header: Sequence[str], given: Sequence[str] = ()) -> dict[str, str]:
    """Return which column each field is read from: as given by `field=column`, else by name or alias.

    Raises BadColumns in words for a field or column that does not exist, and without an external id or any text.
    """
    chosen: dict[str, str] = {}
    for item in given:
        field, _, column = item.partition("=")
        if field not in ALIASES:
            raise BadColumns(f"--map：没有字段 {field}，可用：{'、'.join(ALIASES)}")
        if column not in header:
            raise BadColumns(f"--map：表里没有列 {column}，表头是：{'、'.join(header)}")
        chosen[field] = column
    by_name = {plain_name(name): name for name in header if name}
    for field, aliases in ALIASES.items():
        found = next((by_name[name] for name in map(plain_name, (field, *aliases)) if name in by_name), None)
        if field not in chosen and found is not None and found not in chosen.values():
            chosen[field] = found
    if "external_id" not in chosen:
        raise BadColumns(f"没有找到编号列，请写 --map external_id=列名；表头是：{'、'.join(header)}")
    if not {"title", "body"} & set(chosen):
        raise BadColumns(f"没有找到标题或内容列，请写 --map body=列名；表头是：{'、'.join(header)}")
    return chosen


def all_lost(ids: Iterable[str]) -> bool:
    """Say whether a column's long ids prove together that a spreadsheet has rounded them: all end in zeros."""
    seen = [rounded for rounded in (maybe_lost(id_text(cell)) for cell in ids) if rounded is not None]
    return len(seen) >= _SOME and all(seen)


def order_of(
    row: Mapping[str, str], columns: Mapping[str, str], *, channel: str, kind: str, zone: tzinfo, rounded: bool = False
) -> OrderRow:
    """Return a row as an order; `channel` and `kind` stand where the row does not say, `zone` where a time does not.

    `rounded` says that the column of ids has lost its digits. Raises BadRow in words.
    """
    cells = {field: row.get(column) or "" for field, column in columns.items()}
    flags: list[str] = []
    form: dict[str, Any] = {"external_id": _id(cells, columns, rounded=rounded), **_words(cells, columns, flags)}
    text = {field: _optional(cells.get(field, ""), flags) for field in (*_OPTIONAL, *_PLACE, "channel", "kind")}
    form |= {"channel": text["channel"] or channel, "kind": text["kind"] or kind}
    form |= {name: text[name] for name in _OPTIONAL if text[name]}
    form["place"] = {
        name: id_text(text[name]) if name == "area_code" else text[name]
        for name in _PLACE
        if text[name] and not says_nothing(text[name])
    }
    form["complainant"] = _complainant(cells, flags)
    written = _optional(cells.get("occurred_at", ""), flags)
    if written:
        at = read_instant(written, zone)
        form["occurred_at"] = _short(written) if at is None else as_text(at).replace(".000000Z", "Z")
    try:
        return OrderRow(IntakeForm.model_validate(form), tuple(dict.fromkeys(flags)))
    except ValidationError as error:
        found = findings(error.errors(include_url=False, include_input=False), _KNOWN)
        said = (f"{columns.get(_field(item['path']), item['path'])}：{item['problem']}" for item in found)
        raise BadRow("；".join(said)) from None


def _field(path: str) -> str:
    return path.removeprefix("place.")


def _id(cells: Mapping[str, str], columns: Mapping[str, str], *, rounded: bool) -> str:
    cell = cells["external_id"]
    if isinstance(cell, Broken):
        raise BadRow(f"{columns['external_id']}：这一格是错误值或没有结果的公式")
    found = id_text(cell)
    if lost_digits(found) or (rounded and maybe_lost(found)):
        raise BadRow(f"{columns['external_id']}：{_LOST}")
    return found


def _words(cells: Mapping[str, str], columns: Mapping[str, str], flags: list[str]) -> dict[str, str]:
    """Return title and body; each stands for the other where it is missing."""
    broken = [field for field in ("title", "body") if isinstance(cells.get(field), Broken)]
    title, body = (_optional(cells.get(field, ""), flags) for field in ("title", "body"))
    if "body" in broken or (broken and not body):
        raise BadRow("；".join(f"{columns[field]}：这一格是错误值或没有结果的公式" for field in broken))
    return {"title": title or body[:_TITLE], "body": body or title}


def _optional(cell: str, flags: list[str]) -> str:
    """Return a cell's text; an error of the spreadsheet is dropped and flagged."""
    if isinstance(cell, Broken):
        flags.append(DAMAGED_CELL)
        return ""
    return "" if is_blank(cell) else text_of(cell)


def _complainant(cells: Mapping[str, str], flags: list[str]) -> dict[str, str]:
    name = _optional(cells.get("complainant.name", ""), flags)
    who = {"name": name} if name and not says_nothing(name) else {}
    cell = cells.get("complainant.phone", "")
    if isinstance(cell, Broken):
        flags.append(DAMAGED_PHONE)
        return who
    phone = _phone(cell)
    if lost_digits(phone) or len(phone) > _LONGEST_PHONE:
        flags.append(DAMAGED_PHONE)
    elif phone and not says_nothing(phone):
        who["phone"] = phone
    return who


def _phone(cell: str) -> str:
    """Return a phone without a spreadsheet's marks; two in one cell stay two."""
    if is_blank(cell):
        return ""
    parts = text_of(cell).split()
    if len(parts) > 1 and all(sum(map(str.isdigit, part)) >= _WHOLE_PHONE for part in parts):
        return "/".join(map(id_text, parts))
    return _DASHES.sub("-", id_text(cell))


def _short(written: str) -> str:
    return written if len(written) <= LONGEST else f"{written[: LONGEST - 1]}…"
