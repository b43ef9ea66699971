"""Every command. `main` is the program `wuye-loop`."""

import signal
from types import FrameType
from typing import Annotated, NoReturn

import typer

from wuye_loop import __version__
from wuye_loop.cli import serving, verify
from wuye_loop.cli.calendar import commands as calendar
from wuye_loop.cli.demo import demo
from wuye_loop.cli.directory import commands as directory
from wuye_loop.cli.doctor import doctor
from wuye_loop.cli.imports import import_file
from wuye_loop.cli.keys import commands as key
from wuye_loop.cli.words import group
from wuye_loop.cli.workflow import check_files, draw

__all__ = ["app", "main"]

app = group("物业诉求闭环：从 12345 工单到评价归档。 / a closed loop for residents' grievances")


def _version(wanted: bool) -> None:  # noqa: FBT001 typer calls it so
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def wuye_loop(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="显示版本。 / show the version")
    ] = False,
) -> None:
    """物业诉求闭环：从 12345 工单到评价归档。 / a closed loop for residents' grievances."""


app.add_typer(directory, name="directory")
app.add_typer(key, name="key")
app.add_typer(calendar, name="calendar")
app.command("check")(check_files)
app.command("draw")(draw)
app.command("import")(import_file)
app.command("doctor")(doctor)
app.command("verify")(verify.verify)
app.command("demo")(demo)
app.command("up")(serving.up)
app.command("serve")(serving.serve)
app.command("work")(serving.work)


def main() -> None:
    """Run the program; SIGTERM and a closed terminal end it cleanly, so that our own database server is stopped."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave)
    app()


def _leave(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
