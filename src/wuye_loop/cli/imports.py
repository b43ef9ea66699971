"""`wuye-loop import`: grievances from another system's spreadsheet."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from sqlalchemy.exc import IntegrityError

from wuye_loop.cli.database import AsJson, DataDir, settings_for
from wuye_loop.cli.output import err, print_json
from wuye_loop.cli.serving import open_site
from wuye_loop.cli.spreadsheet import BadFile, BadRow, Row, bad_rows, columns_of, form_of, table
from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.terms import ActorKind
from wuye_loop.edge.site import Site
from wuye_loop.loop.collect import collect

_BATCH = 50  # rows of one transaction: whoever stops the import loses none, and takes the same rows up again
_Form = tuple[int, Row, IntakeForm]


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
    """Take in the rows of a sheet."""
    actor = Actor(ActorKind.HOTLINE, source=source, scopes=frozenset({"intake"}))
    with table(file) as (header, rows):
        columns = columns_of(header, mapping or ())
        total = sum(1 for _ in rows)
    ignored = [name for name in header if name and name not in columns.values()]
    if ignored and not as_json:
        err.print(f"这些列没有用到：{'、'.join(ignored)}", markup=False)
    taken = Taken()
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
            forms = []
            for line, row in batch:
                try:
                    forms.append((line, row, form_of(row, columns, channel=channel, kind=kind)))
                except BadRow as error:
                    bad.add(line, row, str(error))
            _take(site, actor, forms, bad, taken)
            shown.advance(going, len(batch))
    if as_json:
        print_json({**asdict(taken), "bad": bad.count, "bad_file": str(bad.path) if bad.count else None})
        return
    typer.echo(f"新收 {taken.new} 件，已有 {taken.same} 件，不合格 {bad.count} 行")
    if bad.count:
        err.print(f"不合格的行和原因见 {bad.path}", style="yellow", markup=False)


@dataclass(slots=True)
class Taken:
    """How many rows became grievances, and how many had before."""

    new: int = 0
    same: int = 0


def _take(site: Site, actor: Actor, forms: list[_Form], bad: BadFile, taken: Taken) -> None:
    """Take a batch in; again, once, when another intake of the same rows was quicker."""
    try:
        statuses, refused = _written(site, actor, forms)
    except IntegrityError:
        statuses, refused = _written(site, actor, forms)
    for one in refused:
        bad.add(*one)
    taken.new += statuses.count(HTTPStatus.CREATED)
    taken.same += statuses.count(HTTPStatus.OK)


def _written(site: Site, actor: Actor, forms: list[_Form]) -> tuple[list[int], list[tuple[int, Row, str]]]:
    """Take a batch in, in one transaction, and return each row's status, and the rows that were refused."""
    statuses: list[int] = []
    refused: list[tuple[int, Row, str]] = []
    with site.database.begin() as session:
        for line, row, form in forms:
            try:
                outcome = collect(site.loop, session, form, actor)
            except WuyeError as error:
                refused.append((line, row, error.detail))
                continue
            statuses.append(outcome.status)
            site.jobs.defer(session, outcome.jobs)
    return statuses, refused
