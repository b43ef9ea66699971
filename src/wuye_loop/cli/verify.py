"""`verify`: replay every ledger and say whether the tables still agree with it."""

import json

import typer
from rich.console import Console
from rich.progress import Progress

from wuye_loop.app import make_site
from wuye_loop.cli.clock import clock
from wuye_loop.cli.database import AsJson, DataDir, opened, settings_for
from wuye_loop.queries import audit

_err = Console(stderr=True)


def verify(data: DataDir = None, *, as_json: AsJson = False) -> None:
    """Replay every ledger; exit code 1 where anything differs."""
    with opened(data) as database:
        site = make_site(settings_for(data), database, clock=clock())
        with Progress(console=_err, transient=True) as progress:
            task = progress.add_task("核对台账", total=None)
            report = audit.verify(site.loop, database, progress=lambda n: progress.update(task, completed=n))
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        chain = "完好" if report.chain_ok else "断裂"
        typer.echo(f"诉求 {report.grievances} 件，台账 {report.rows} 行，时限 {report.clocks} 个")
        typer.echo(f"偏差 {report.drift}，哈希链{chain}")
        for words in report.problems:
            typer.echo(f"  {words}")
    if not report.ok:
        raise typer.Exit(1)
