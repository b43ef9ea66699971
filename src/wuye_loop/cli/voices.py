"""`wuye-loop voices`: a list of what people scored, on paper or in another system; each voice once, refused rows beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer

from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.order_rows import BadRow
from wuye_loop.cli.output import Refused, print_json
from wuye_loop.cli.score import PeriodCode, Which
from wuye_loop.cli.serving import open_site
from wuye_loop.cli.spreadsheet import BadFile, Delimiter, Encoding, HeaderRow, SheetName, bad_rows, in_words, sheet_of
from wuye_loop.domain.assessment.scheme import InputSpec
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR
from wuye_loop.domain.sheets.cells import is_blank, text_of
from wuye_loop.domain.sheets.delimited import SheetLine
from wuye_loop.domain.sheets.refused import RefusedRow
from wuye_loop.domain.sheets.sheet import Reading, Sheet, is_blank_line, plain_name
from wuye_loop.edge.site import Site
from wuye_loop.loop.evaluate import schedule, scores
from wuye_loop.loop.evaluate.scores import Said
from wuye_loop.loop.figures import scoring
from wuye_loop.store.assessment import voices

_BATCH: Final = 200  # rows of one transaction; the same list may be entered again, and every voice is still one
_MOST_DIGITS: Final = 12
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "subject": ("考核对象", "企业", "物业企业", "小区", "单位名称"),
    "peer": ("分组", "街道", "镇街"),
    "score": ("评分", "得分", "分数"),
    "flat": ("户", "房号", "户号"),
    "unit": ("评分单位", "评分人"),
}
_NAMES: Final = frozenset(plain_name(name) for field_, names in ALIASES.items() for name in (field_, *names))


@dataclass(slots=True)
class _Tally:
    """How many rows there were, and what became of them."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    bad: int = 0
    blank: int = 0


def enter_voices(
    which: Which,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV、TSV（也可 .gz）或 XLSX，列名一行在前几行里")],
    *,
    period: PeriodCode,
    name: Annotated[str, typer.Option("--input", metavar="NAME", help="哪一项评分（考核办法的 inputs）")],
    sheet_name: SheetName = None,
    header_row: HeaderRow = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Enter a list of scores."""
    with open_site(settings_for(data)) as site:
        with site.database.read() as session:
            place = schedule.place_of(session, which, period)
            spec = place.scheme.inputs.get(name)
            if spec is None:
                known = "、".join(place.scheme.inputs) or "没有"
                raise Refused(f"考核办法里没有这个评分；可写：{known}")
            groups = scoring.groups(scoring.roster_of(site.loop, session, place.scheme))
            codes = sorted({*groups, *(peer for peers in groups.values() for peer in peers if peer)})
            named = voices.names_of(session, codes)
        known_columns = _NAMES | {plain_name(title) for title in spec.sheet}
        sheet = sheet_of(file, known_columns, Reading(sheet_name, header_row, delimiter, encoding))
        with in_words(file), bad_rows(file, sheet.header) as bad:
            reading = _Reading(name, spec, _columns(sheet.header, spec), _codes(named))
            tally = _entered(site, which, period, sheet, reading, bad)
    if as_json:
        members = {
            "rows": tally.rows,
            "new": tally.new,
            "changed": tally.changed,
            "bad": tally.bad,
            "blank": tally.blank,
        }
        print_json(members | {"bad_file": str(bad.path) if bad.count else None})
    else:
        typer.echo(f"共 {tally.rows} 行：新记 {tally.new}，更改 {tally.changed}，空行 {tally.blank}，未收 {tally.bad}")
        if bad.count:
            typer.echo(f"未收的各行和原因：{bad.path}")
    if tally.bad:
        raise typer.Exit(1)


def _columns(header: Sequence[str], spec: InputSpec) -> dict[str, str]:
    """Return which column each field is read from. Raises Refused where one is missing that the input needs."""
    by_name = {plain_name(name): name for name in header if name}
    found: dict[str, str] = {}
    for field_, aliases in (*ALIASES.items(), *((title, ()) for title in spec.sheet)):
        column = next((by_name[one] for one in map(plain_name, (field_, *aliases)) if one in by_name), None)
        if column is not None and column not in found.values():
            found[field_] = column
    wanted = ["subject", *(spec.sheet or ("score",))]
    if spec.voices is not None:
        wanted.append(spec.voices.one_per)
    missing = [f"{one}（{'、'.join(ALIASES[one])}）" if one in ALIASES else one for one in wanted if one not in found]
    if missing:
        raise Refused(f"表里没有这些列：{'；'.join(missing)}。表头是：{'、'.join(header)}")
    return found


def _codes(named: Mapping[str, str]) -> dict[str, str | None]:
    """Return the code for each code and each name; None for a name that several have."""
    found: dict[str, str | None] = {}
    for code, name in named.items():
        found[name] = None if name in found else code
    return {**found, **{code: code for code in named}}


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the rows of a sheet are read as scores."""

    input: str
    spec: InputSpec
    columns: Mapping[str, str]
    codes: Mapping[str, str | None]

    def said(self, sheet: Sheet, line: SheetLine) -> Said:
        """Return what a row says. Raises BadRow."""
        if line.trouble is not None:
            raise BadRow(line.trouble)
        cells = sheet.row(line)
        voice = self.spec.voices.one_per if self.spec.voices is not None else None
        if voice is not None and self._text(cells, voice) is None:
            raise BadRow(f"{self.columns[voice]}是空的")
        checklist = {title: self._number(cells, title) for title in self.spec.sheet}
        return Said(
            self.input,
            self._code(cells, "subject") or "",
            self._code(cells, "peer"),
            None if checklist else self._number(cells, "score"),
            checklist,
            self._text(cells, "flat"),
            self._text(cells, "unit"),
        )

    def _text(self, cells: Mapping[str, str], name: str) -> str | None:
        column = self.columns.get(name)
        cell = cells.get(column, "") if column is not None else ""
        return None if is_blank(cell) else text_of(cell)

    def _code(self, cells: Mapping[str, str], name: str) -> str | None:
        text = self._text(cells, name)
        if text is None:
            if name == "subject":
                raise BadRow(f"{self.columns[name]}是空的")
            return None
        if text not in self.codes:
            raise BadRow(f"{self.columns[name]}：没有这个编码或名称")
        code = self.codes[text]
        if code is None:
            raise BadRow(f"{self.columns[name]}：几个同名，请写编码")
        return code

    def _number(self, cells: Mapping[str, str], name: str) -> Decimal:
        text = self._text(cells, name) or ""
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise BadRow(f"{self.columns[name]}不是数字") from None
        if not value.is_finite() or len(text) > _MOST_DIGITS:
            raise BadRow(f"{self.columns[name]}不是数字")
        return value


def _entered(site: Site, which: str, period: str, sheet: Sheet, reading: _Reading, bad: BadFile) -> _Tally:
    """Enter every row; those that say nothing usable or may not be entered are written beside the file."""
    tally = _Tally()
    for batch in _batches(sheet):
        rows: list[tuple[SheetLine, Said]] = []
        refused: list[tuple[SheetLine, str]] = []
        for line in batch:
            tally.rows += 1
            if is_blank_line(line):
                tally.blank += 1
                continue
            try:
                rows.append((line, reading.said(sheet, line)))
            except BadRow as error:
                refused.append((line, str(error)))
        with site.database.begin() as session:
            fates = scores.enter_list(site.loop, session, which, period, [said for _, said in rows], SYSTEM_ACTOR)
        refused += [(line, fate) for (line, _), fate in zip(rows, fates, strict=True) if isinstance(fate, str)]
        tally.new += sum(fate is True for fate in fates)
        tally.changed += sum(fate is False for fate in fates)
        tally.bad += len(refused)
        for line, reason in sorted(refused, key=lambda one: one[0].number):
            bad.add(RefusedRow(line.number, line.cells, reason))
    return tally


def _batches(sheet: Sheet) -> Iterator[list[SheetLine]]:
    lines = sheet.lines(timed=False)
    while batch := list(islice(lines, _BATCH)):
        yield batch
