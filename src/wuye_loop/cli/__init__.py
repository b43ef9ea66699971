"""Every command. `main` is the program `wuye-loop`."""

import signal
from types import FrameType
from typing import Annotated, NoReturn

import typer

from wuye_loop import __version__
from wuye_loop.cli import calendar, directory, doctor, imports, keys, serving, verify, workflow
from wuye_loop.cli.words import group

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


app.add_typer(directory.commands, name="directory")
app.add_typer(keys.commands, name="key")
app.add_typer(calendar.commands, name="calendar")
app.command("check")(workflow.check_files)
app.command("draw")(workflow.draw)
app.command("import")(imports.import_file)
app.command("doctor")(doctor.doctor)
app.command("verify")(verify.verify)
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
