"""`wuye-loop strike`: what would be struck out of a sheet's texts, and what with digits would stay; no database is needed."""

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from wuye_loop.cli.database import AsJson
from wuye_loop.cli.order_rows import ALIASES
from wuye_loop.cli.output import print_json
from wuye_loop.cli.spreadsheet import table
from wuye_loop.domain.privacy.known import Known, known
from wuye_loop.domain.privacy.striking import STRUCK, Strike, strikes, struck
from wuye_loop.domain.sheets.sheet import plain_name

_WHO: Final = {"complainant.name": "name", "complainant.phone": "phone", "address": "address"}
_NO_TEXT: Final = ("external_id", "occurred_at")
_AROUND: Final = 10  # characters shown on either side
_DIGITS = re.compile(r"[\d０-９][\d０-９.,:/\-—]*|[〇零一二三四五六七八九十百千万壹贰叁肆伍陆柒捌玖]{3,}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the sheet something stands: the line, the column, what it is, and the words around it."""

    line: int
    column: str
    sort: str
    text: str
    around: str


def strike_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV、CSV.gz 或 XLSX，第一行是列名")],
    *,
    report: Annotated[bool, typer.Option("--report", help="列出会抹去什么、带数字而留下的是什么")] = False,
    as_json: AsJson = False,
) -> None:
    """Strike a sheet: write it out struck, or report on it."""
    with table(file) as (header, rows):
        sheet = _Sheet(header)
        if not (report or as_json):
            writer = csv.writer(sys.stdout)
            writer.writerow(header)
            writer.writerows([sheet.shown(row, name) for name in header] for _, row in rows)
            return
        count, gone, stayed = 0, list[Place](), list[Place]()
        for line, row in rows:
            count += 1
            for place in sheet.places(line, row):
                (gone if place.sort else stayed).append(place)
    sorts = Counter(place.sort for place in gone)
    if as_json:
        print_json(
            {
                "rows": count,
                "counts": sorts,
                "struck": [asdict(place) for place in gone],
                "kept": [asdict(place) for place in stayed],
            }
        )
        return
    for place in gone:
        typer.echo(f"抹去 第 {place.line} 行 {place.column} {place.sort}：{place.around}")
    for place in stayed:
        typer.echo(f"留下 第 {place.line} 行 {place.column}：{place.around}")
    said = "、".join(f"{sort} {n}" for sort, n in sorts.most_common())
    typer.echo(f"{count} 行，抹去 {len(gone)} 处{f'（{said}）' if said else ''}，带数字而留下 {len(stayed)} 处")


class _Sheet:
    """Which columns say who somebody is, and which are texts that others read."""

    def __init__(self, header: list[str]) -> None:
        by_name = {plain_name(name): name for name in header if name}
        found = {
            field: [by_name[name] for name in map(plain_name, (field, *aliases)) if name in by_name]
            for field, aliases in ALIASES.items()
        }
        self._who = {key: names[0] for field, key in _WHO.items() if (names := found[field])}
        apart = {*self._who.values(), *(name for field in _NO_TEXT for name in found[field])}
        self._texts = [name for name in header if name and name not in apart]

    def places(self, line: int, row: Mapping[str, Any]) -> Iterator[Place]:
        """Yield what is struck out of a row, by what it is, and what with digits stays, which is of no sort."""
        person = self._person(row)
        for column in self._texts:
            text = row.get(column) or ""
            found = strikes(text, person)
            for one in found:
                yield Place(line, column, one.sort, text[one.start : one.end], _around(text, one.start, one.end))
            for start, end in _staying(text, found):
                yield Place(line, column, "", text[start:end], _around(text, start, end))

    def shown(self, row: Mapping[str, Any], column: str) -> str:
        """Return a cell as others may read it: who somebody is stays out of it altogether."""
        text = row.get(column) or ""
        if column in self._who.values():
            return STRUCK if text else ""
        return struck(text, self._person(row)) if column in self._texts else text

    def _person(self, row: Mapping[str, Any]) -> Known:
        fields = {key: row.get(column) or "" for key, column in self._who.items()}
        return known(**fields, extra={name: row.get(name) or "" for name in self._texts})


def _staying(text: str, found: list[Strike]) -> Iterator[tuple[int, int]]:
    """Yield the numbers between the strikes."""
    start = 0
    for end, after in [*((one.start, one.end) for one in found), (len(text), len(text))]:
        yield from (one.span() for one in _DIGITS.finditer(text, start, end))
        start = after


def _around(text: str, start: int, end: int) -> str:
    """Return a part of a text between its words: …请回⟦13812345678⟧，谢谢."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    return " ".join(f"{before}⟦{text[start:end]}⟧{after}".split())
