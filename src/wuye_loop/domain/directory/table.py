"""One kind of entries as a table that clerks keep: which columns it has, its rows read as entries, entries written as rows."""

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wuye_loop.domain.directory.document import AreaEntry, EntryProblem, EstateEntry, PersonEntry, UnitEntry
from wuye_loop.domain.phrases import joined, phrase
from wuye_loop.domain.sheets.cells import id_text, is_blank, lost_digits, text_of
from wuye_loop.domain.sheets.limits import MIB, BadSheet, Bounds
from wuye_loop.domain.sheets.sheet import Reading, is_blank_line, open_sheet, plain_name

MOST_BYTES: Final = 4 * MIB
MOST_ROWS: Final = 20_000
_BOUNDS: Final = Bounds(
    unpacked=64 * MIB, shared=16 * MIB, rows=MOST_ROWS + 100, columns=64, cells=1_000_000, seconds=20
)
_PARTS: Final = re.compile(r"[、，,；;/\s]+")
_BETWEEN: Final = re.compile(r"[、，,；;/]+")
_YES: Final = frozenset(("是", "在用", "1", "true", "yes", "y", "√"))
_NO: Final = frozenset(("否", "停用", "0", "false", "no", "n", "×"))
#: What the words for a level and a kind of unit mean; the first of each is what is written out.
LEVELS: Final = {
    "社区": "community", "街道": "street", "区县": "district", "市": "city", "村": "community", "居委会": "community",
    "镇": "street", "乡镇": "street", "区": "district", "县": "district",
}  # fmt: skip
KINDS: Final = {
    "部门": "department", "办公室": "office", "中心": "centre", "社区": "community", "物业企业": "company",
    "街道": "office", "物业": "company", "物业公司": "company", "企业": "company",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the entry's key, what it is called, by which other names it is known, how its cells are read."""

    key: str
    title: str
    others: tuple[str, ...] = ()
    look: str = "text"  # text, code, codes, phones, truth, whole, degree, or the words of a list
    needed: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a header may have for it."""
        return (self.title, self.key, *self.others)


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of entries: what it is called, its columns, and the entry that a row is read as."""

    title: str
    entry: type[AreaEntry | UnitEntry | EstateEntry | PersonEntry]
    columns: tuple[Column, ...]

    def title_of(self, key: str) -> str:
        """Return what the column of an entry's key is called."""
        return next((column.title for column in self.columns if column.key == key), key)


SECTIONS: Final[Mapping[str, Section]] = {
    "areas": Section(
        "属地",
        AreaEntry,
        (
            Column("code", "编码", ("属地编码", "行政区划代码", "区划代码"), "code", needed=True),
            Column("name", "名称", ("属地", "属地名称"), needed=True),
            Column("level", "级别", ("层级",), "level", needed=True),
            Column("parent", "上级", ("上级编码", "上级属地"), "code"),
            Column("lon", "经度", ("longitude",), "degree"),
            Column("lat", "纬度", ("latitude",), "degree"),
        ),
    ),
    "units": Section(
        "单位",
        UnitEntry,
        (
            Column("code", "编码", ("单位编码",), "code", needed=True),
            Column("name", "名称", ("单位", "单位名称"), needed=True),
            Column("kind", "种类", ("类型", "单位种类"), "kind", needed=True),
            Column("area", "属地", ("属地编码",), "code"),
            Column("parent", "上级", ("上级编码", "上级单位"), "code"),
            Column("duties", "职责", (), "codes"),
            Column("active", "在用", ("是否在用", "状态"), "truth"),
            Column("phones", "服务电话", ("电话", "联系电话"), "phones"),
        ),
    ),
    "estates": Section(
        "小区",
        EstateEntry,
        (
            Column("code", "编码", ("小区编码",), "code", needed=True),
            Column("name", "名称", ("小区", "小区名称"), needed=True),
            Column("area", "社区", ("社区编码", "属地", "属地编码"), "code", needed=True),
            Column("company", "物业企业", ("物业", "物业公司", "物业编码", "企业编码"), "code"),
            Column("kind", "类型", ("小区类型",)),
            Column("households", "户数", ("住户数",), "whole"),
        ),
    ),
    "people": Section(
        "人员",
        PersonEntry,
        (
            Column("unit", "单位", ("单位编码",), "code", needed=True),
            Column("name", "姓名", ("人员", "名字"), needed=True),
            Column("duty", "职务", ("岗位",)),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class DirectoryTable:
    """The rows of a file: entries as plain data, the line each stands in, what is wrong with rows, what was not read."""

    entries: list[dict[str, Any]]
    lines: list[int]
    problems: list[EntryProblem]
    notes: tuple[str, ...]


def read_table(section: str, content: bytes, name: str, tick: Callable[[], float]) -> DirectoryTable:
    """Read the rows of a CSV or XLSX file as entries of one section; each row's own faults are told, none stops the others.

    Raises BadSheet in words for a file that is no table, too large a one, or one without the columns that are needed.
    """
    if len(content) > MOST_BYTES:
        raise BadSheet(f"文件超过 {MOST_BYTES // MIB} MiB，请分成几个文件")
    if not content:
        raise BadSheet("文件是空的")
    columns = SECTIONS[section].columns
    known = {plain_name(other) for column in columns for other in column.names}
    sheet = open_sheet(lambda: io.BytesIO(content), name, known, Reading(), bounds=_BOUNDS, tick=tick)
    places = _places(sheet.header, columns)
    missing = [column.title for column in columns if column.needed and column.key not in places]
    if missing:
        lacking = joined((phrase("“{title}”", title=title) for title in missing), "")
        raise BadSheet(phrase("没有{columns}栏：列名要写在第一行，可以先导出现有的再改", columns=lacking))
    used = set(places.values())
    unread = [title for n, title in enumerate(sheet.header) if n not in used and title]
    notes = (*sheet.notes, *((f"没有读的列：{'、'.join(one[:20] for one in unread[:10])}",) if unread else ()))
    found = DirectoryTable([], [], [], notes)
    for line in sheet.lines():
        if is_blank_line(line):
            continue
        entry: dict[str, Any] = {}
        wrong = [line.trouble] if line.trouble else []
        for column in columns:
            at = places.get(column.key)
            if not wrong and at is not None and at < len(line.cells) and not is_blank(line.cells[at]):
                _put(entry, column, line.cells[at], wrong)
        place, code = len(found.entries), str(entry.get("code") or entry.get("name") or "?")
        found.problems.extend(EntryProblem(section, place, code, words) for words in wrong)
        found.entries.append(entry)
        found.lines.append(line.number)
        if place >= MOST_ROWS:
            raise BadSheet(f"超过 {MOST_ROWS} 行，请分成几个文件")
    if not found.entries:
        raise BadSheet("列名下面一行也没有")
    return found


def _places(header: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    """Return where each column stands; a name that two could have is the first one's that has no other."""
    named = {plain_name(title): n for n, title in reversed(list(enumerate(header)))}
    found: dict[str, int] = {}
    for own in (True, False):  # what a column is called before what else it may be called
        for column in columns:
            names = column.names[:2] if own else column.names[2:]
            at = next((named[plain_name(one)] for one in names if plain_name(one) in named), None)
            if at is not None and column.key not in found and at not in found.values():
                found[column.key] = at
    return found


def _put(entry: dict[str, Any], column: Column, cell: str, wrong: list[str]) -> None:
    try:
        entry[column.key] = _READERS.get(column.look, text_of)(cell)
    except ValueError as error:
        wrong.append(f"“{column.title}”{error}")


def _code(cell: str) -> str:
    text = id_text(cell)
    if lost_digits(text):
        raise ValueError("的位数在表格软件里丢了：请把这一列设成文本再填")
    return text


def _codes(cell: str) -> list[str]:
    return [part for part in _PARTS.split(text_of(cell)) if part]


def _phones(cell: str) -> list[str]:
    return [part.strip() for part in _BETWEEN.split(text_of(cell)) if part.strip()]


def _one_of(words: Mapping[str, str]) -> Callable[[str], str]:
    def read(cell: str) -> str:
        said = text_of(cell)
        if said in words.values():
            return said
        if said not in words:
            raise ValueError(f"只能写 {'、'.join(_first(words))}")
        return words[said]

    return read


def _first(words: Mapping[str, str]) -> list[str]:
    """Return the first word for each meaning."""
    seen: dict[str, str] = {}
    for word, meaning in words.items():
        seen.setdefault(meaning, word)
    return list(seen.values())


def _truth(cell: str) -> bool:
    said = text_of(cell).casefold()
    if said in _YES or said in _NO:
        return said in _YES
    raise ValueError("只能写 是 或 否（否就是停用）")


def _whole(cell: str) -> int:
    said = text_of(cell)
    if not (said.isascii() and said.isdigit() and len(said) < 10):  # noqa: PLR2004 digits of what may be counted
        raise ValueError("要写整数")
    return int(said)


def _degree(cell: str) -> float:
    try:
        return float(text_of(cell))
    except ValueError:
        raise ValueError("要写度数，如 119.16") from None


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "code": _code, "codes": _codes, "phones": _phones, "truth": _truth, "whole": _whole, "degree": _degree,
    "level": _one_of(LEVELS), "kind": _one_of(KINDS),
}  # fmt: skip


def rows_of(
    section: str, entries: Iterable[AreaEntry | UnitEntry | EstateEntry | PersonEntry], *, keys: bool = False
) -> list[list[Any]]:
    """Return entries as rows under the titles of the section's columns, or under their keys, as they can be read again."""
    show = _keyed if keys else shown
    return [[show(column.look, getattr(one, column.key)) for column in SECTIONS[section].columns] for one in entries]


def _keyed(look: str, value: Any) -> Any:
    """Return a value as `shown` does, in words that stand for it in a document too; None for nothing."""
    if look in ("codes", "phones"):
        return "; ".join(value) or None
    if look == "truth":
        return "yes" if value else "no"
    return str(value) if look in ("level", "kind") else shown(look, value)


def shown(look: str, value: Any) -> Any:
    """Return a value as clerks write it; None for nothing."""
    if look in ("codes", "phones"):
        return "、".join(value) or None
    if look == "truth":
        return "是" if value else "否"
    if look in ("level", "kind"):
        words = LEVELS if look == "level" else KINDS
        return next(word for word, meaning in words.items() if meaning == value)
    return value if value is None or isinstance(value, int) else str(value)
