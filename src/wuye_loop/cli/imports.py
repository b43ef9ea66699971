"""`wuye-loop import`: grievances from another system's spreadsheet."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from wuye_loop import logs
from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.import_run import Import, Report, Tally
from wuye_loop.cli.order_rows import NAMES, BadColumns, all_lost, columns_of
from wuye_loop.cli.output import Refused, err, print_json, print_table
from wuye_loop.cli.serving import open_site
from wuye_loop.cli.spreadsheet import BadFile, Delimiter, Encoding, HeaderRow, SheetName, bad_rows, in_words, sheet_of
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.sheets.sheet import Reading, Sheet, plain_name
from wuye_loop.domain.terms import ActorKind


def import_file(  # noqa: PLR0913 every option is one
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV、TSV（也可 .gz）或 XLSX，列名一行在前几行里")],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="字段取自哪一列，可写多次")
    ] = None,
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="编号属于哪个来源")] = "12345",
    channel: Annotated[str, typer.Option("--channel", help="表里没有渠道时用")] = "批量导入",
    kind: Annotated[str, typer.Option("--kind", help="表里没有诉求类型时用")] = "投诉",
    sheet_name: SheetName = None,
    header_row: HeaderRow = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.csv", help="每行的结果：行、编号、诉求号、状态、标记")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看会收什么、拒什么、转给谁，什么也不改")] = False,
    supersede: Annotated[
        bool, typer.Option("--supersede", help="已收过而内容不同的，按表更正（留更正前后的台账）")
    ] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take in the rows of a sheet."""
    logs.configure("WARNING")  # what became of each row is told below
    sheet, columns = _found(file, mapping or (), Reading(sheet_name, header_row, delimiter, encoding))
    with in_words(file):
        total, rounded = _survey(sheet, columns["external_id"])
        with (
            bad_rows(file, sheet.header) as bad,
            Report(report) as written,
            open_site(settings_for(data)) as site,
            Progress(
                *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn(), console=err
            ) as shown,
        ):
            going = shown.add_task("试导入" if dry_run else "导入", total=total)
            one = Import(
                site,
                Actor(ActorKind.HOTLINE, source=source, scopes=frozenset({"intake"})),
                columns,
                {"channel": channel, "kind": kind},
                bad,
                written,
                rounded=rounded,
                dry=dry_run,
                supersede=supersede,
            )
            for done in one.run(sheet):
                shown.advance(going, done)
            names = site.loop.reference.directory.name_of
            routing = [
                (unit, names(unit) if unit else "（没有建议）", n) for unit, n in one.tally.routing.most_common()
            ]
    if as_json:
        print_json(_as_json(one, bad, routing))
    else:
        _tell(one, bad, routing)


def _found(file: Path, mapping: Sequence[str], reading: Reading) -> tuple[Sheet, dict[str, str]]:
    """Return the sheet of a file and its columns, and say what is not read."""
    sheet = sheet_of(file, NAMES | {plain_name(item.partition("=")[2]) for item in mapping}, reading)
    try:
        columns = columns_of(sheet.header, mapping)
    except BadColumns as error:
        raise Refused(f"{file}：{error}") from None
    notes = list(sheet.notes)
    if ignored := [name for name in sheet.header if name and name not in columns.values()]:
        notes.append(f"这些列没有用到：{'、'.join(ignored)}")
    for note in notes:
        err.print(note, markup=False)
    return sheet, columns


def _survey(sheet: Sheet, key: str) -> tuple[int, bool]:
    """Return how many rows there are, and whether the ids of all of them have lost digits."""
    at = sheet.header.index(key)
    total = 0

    def ids() -> Any:
        nonlocal total
        for line in sheet.lines(key):
            total += 1
            if line.trouble is None and at < len(line.cells):
                yield line.cells[at]

    lost = all_lost(ids())
    return total, lost


def _as_json(one: Import, bad: BadFile, routing: Sequence[tuple[str, str | None, int]]) -> dict[str, Any]:
    tally = one.tally
    found: dict[str, Any] = {
        "rows": tally.rows,
        "new": tally.new,
        "same": tally.same,
        "bad": tally.bad,
        "blank": tally.blank,
        "flagged": tally.flagged,
        "bad_file": str(bad.path) if bad.count else None,
    }
    if one.supersede:
        found["corrected"] = tally.corrected
    if one.dry:
        found |= {
            "dry_run": True,
            "routing": [{"unit": unit or None, "name": name, "count": n} for unit, name, n in routing],
        }
    return found


def _tell(one: Import, bad: BadFile, routing: Sequence[tuple[str, str | None, int]]) -> None:
    tally: Tally = one.tally
    if one.dry:
        print_table("会转给谁（路由建议）", ("单位", "名称", "件数"), routing)
    would = "会新收" if one.dry else "新收"
    typer.echo(f"{would} {tally.new} 件，已有 {tally.same} 件，不合格 {tally.bad} 行")
    if one.supersede:
        typer.echo(f"已有的里面，{'会' if one.dry else ''}按表更正 {tally.corrected} 件")
    typer.echo(
        f"核对：表里 {tally.rows} 行 = 新收 {tally.new} + 已有 {tally.same} + 不合格 {tally.bad} + 空行 {tally.blank}；"
        f"加了标记的 {tally.flagged} 行"
    )
    if bad.count:
        err.print(f"不合格的行和原因见 {bad.path}", style="yellow", markup=False)
