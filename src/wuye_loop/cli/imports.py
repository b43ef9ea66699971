"""`wuye-loop import`: grievances from another system's spreadsheet."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.rows import BadFile, BadRow, Row, bad_rows, columns_of, form_of, table
from wuye_loop.cli.serving import open_site
from wuye_loop.cli.words import err, print_json
from wuye_loop.domain.situation import Actor
from wuye_loop.domain.terms import ActorKind

_BATCH = 50  # rows of one transaction: whoever stops the import loses none, and takes the same rows up again


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV、CSV.gz 或 XLSX，第一行是列名")],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="字段取自哪一列，可写多次")
    ] = None,
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="编号属于哪个来源")] = "12345",
    channel: Annotated[str, typer.Option("--channel", help="表里没有渠道时用")] = "批量导入",
    kind: Annotated[str, typer.Option("--kind", help="表里没有诉求类型时用")] = "投诉",
    *,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """批量导入诉求：同来源同编号只收一次，可反复执行；不合格的行写入 FILE.bad.csv 并注明原因。 / import grievances."""
    actor = Actor(ActorKind.HOTLINE, source=source, scopes=frozenset({"intake"}))
    with table(file) as (header, rows):
        columns = columns_of(header, mapping or ())
        total = sum(1 for _ in rows)
    ignored = [name for name in header if name and name not in columns.values()]
    if ignored and not as_json:
        err.print(f"这些列没有用到：{'、'.join(ignored)}", markup=False)
    counts = {"new": 0, "same": 0}
    with (
        table(file) as (_, rows),
        bad_rows(file, header) as bad,
        open_site(settings_for(data)) as site,
        Progress(
            *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn(), console=err
        ) as shown,
    ):
        going = shown.add_task("导入", total=total)
        while batch := list(islice(rows, _BATCH)):
            forms = _forms(batch, columns, bad, channel=channel, kind=kind)
            _take(site, actor, forms, bad, counts)
            shown.advance(going, len(batch))
    result = {**counts, "bad": bad.count, "bad_file": str(bad.path) if bad.count else None}
    if as_json:
        print_json(result)
        return
    typer.echo(f"新收 {counts['new']} 件，已有 {counts['same']} 件，不合格 {bad.count} 行")
    if bad.count:
        err.print(f"不合格的行和原因见 {bad.path}", style="yellow", markup=False)


def _forms(
    batch: list[tuple[int, Row]], columns: dict[str, str], bad: BadFile, *, channel: str, kind: str
) -> Iterator[tuple[int, Row, object]]:
    for line, row in batch:
        try:
            yield line, row, form_of(row, columns, channel=channel, kind=kind)
        except BadRow as error:
            bad.add(line, row, str(error))
