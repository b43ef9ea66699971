"""Every command. `main` is the program `wuye-loop`."""

import signal
from types import FrameType
from typing import Annotated, Final, NoReturn

import typer

from wuye_loop import __version__
from wuye_loop.cli.catalogue import listing
from wuye_loop.cli.output import group

__all__ = ["app", "main"]

# A new command is a line here: its name, and the module and function (or group) that it is.
COMMANDS: Final = {
    "directory": "wuye_loop.cli.directory:commands",
    "key": "wuye_loop.cli.keys:commands",
    "calendar": "wuye_loop.cli.calendar:commands",
    "workflow": "wuye_loop.cli.workflow:commands",
    "check": "wuye_loop.cli.check:check_files",
    "schema": "wuye_loop.cli.schema:schema",
    "draw": "wuye_loop.cli.draw:draw",
    "diff": "wuye_loop.cli.diff:diff",
    "explain": "wuye_loop.cli.explain:explain",
    "test": "wuye_loop.cli.test:run_tests",
    "import": "wuye_loop.cli.imports:import_file",
    "data": "wuye_loop.cli.data:commands",
    "doctor": "wuye_loop.cli.doctor:doctor",
    "verify": "wuye_loop.cli.verify:verify",
    "migrate": "wuye_loop.cli.migrate:migrate",
    "replay": "wuye_loop.cli.replay:replay",
    "simulate": "wuye_loop.cli.simulate:simulate",
    "demo": "wuye_loop.cli.demo:demo",
    "up": "wuye_loop.cli.serving:up",
    "serve": "wuye_loop.cli.serving:serve",
    "work": "wuye_loop.cli.serving:work",
}

app = group("物业诉求闭环：从 12345 工单到评价归档。 / a closed loop for residents' grievances", cls=listing(COMMANDS))


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


def main() -> None:
    """Run the program; SIGTERM and a closed terminal end it cleanly, so that our own database server is stopped."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave)
    app()


def _leave(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
