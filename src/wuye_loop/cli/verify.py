"""`verify`: replay every ledger and say whether the tables, the register and the anchors still agree with it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from wuye_loop.app import make_site
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.cli.output import ZONE
from wuye_loop.loop.custody.adoption import adopt
from wuye_loop.queries.assessment import drift
from wuye_loop.queries.verification import anchored
from wuye_loop.queries.verification import verify as verification

if TYPE_CHECKING:
    from wuye_loop.queries.verification.report import Report

_err = Console(stderr=True)

Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%d %H:%M"], help="只核对这时以后有变动的诉求。 / only what changed since"),
]
Processes = Annotated[int, typer.Option(min=0, help="用几个进程；0 是处理器的数目。 / how many processes")]


def verify(
    data: DataDir = None,
    *,
    anchors: Annotated[bool, typer.Option("--anchors", help="再与锚文件核对。 / compare with the anchors too")] = False,
    anchors_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="锚文件（默认 WUYE_ANCHORS_FILE）。 / file of anchors")
    ] = None,
    since: Since = None,
    processes: Processes = 0,
    as_json: AsJson = False,
) -> None:
    """Replay the ledgers; exit code 1 where anything differs."""
    start = since.replace(tzinfo=ZONE).astimezone(UTC) if since is not None else None
    settings = settings_for(data)
    with opened(data) as database:
        site = make_site(settings, database, clock=clock())
        adopted = adopt(site.loop, database)
        for words in adopted.broken:
            _err.print(words, style="red", markup=False)
        with Progress(console=_err, transient=True) as progress:
            task = progress.add_task("核对台账", total=None)
            report = verification.verify(
                site.loop,
                database,
                since=start,
                processes=processes or os.cpu_count() or 1,
                progress=lambda n: progress.update(task, completed=n),
            )
        with database.read_at_once() as session:
            scores = drift.looked_over(site.loop, session)
        if anchors or anchors_file is not None:
            with database.read() as session:
                anchored.compare(session, site.loop.chain, anchors_file or settings.anchors, report)
    if as_json:
        told = {"periods": scores.periods, "broken": scores.broken, "drifted": scores.drifted}
        typer.echo(json.dumps({**report.as_json(), "assessments": told}, ensure_ascii=False))
    else:
        _show(report)
        if scores.periods:
            typer.echo(f"考核 {scores.periods} 期，不符 {len(scores.broken)}，封账后有变化的数字 {len(scores.drifted)}")
            for words in (*scores.broken, *scores.drifted):
                typer.echo(f"  {words}")
    if not report.ok or scores.broken:
        raise typer.Exit(1)


def _show(report: "Report") -> None:
    chain = "完好" if report.chain_ok else "断裂"
    typer.echo(f"诉求 {report.grievances} 件，台账 {report.rows} 行，时限 {report.clocks} 个")
    if report.erased:
        typer.echo(f"其中已按规定销毁 {report.erased} 件，台账照样核对")
    if report.anchors is not None:
        typer.echo(f"锚 {report.anchors} 个")
    typer.echo(f"偏差 {report.drift}，哈希链{chain}" + (f"，读不出来的 {report.damaged} 件" if report.damaged else ""))
    for words in report.problems:
        typer.echo(f"  {words}")
