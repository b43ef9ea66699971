"""How a command opens the installation it works on."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wuye_loop import settings as environment
from wuye_loop.cli.clock import clock
from wuye_loop.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wuye_loop.store.database import Database

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="数据目录（默认 WUYE_DATA，再默认 ./var）；设了 WUYE_DATABASE_URL 就用那个数据库。 / data folder",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取。 / for programs")]


def settings_for(data: Path | None) -> Settings:
    """Return the settings of the environment, with the folder of --data when it is given."""
    loaded = environment.load()
    return loaded if data is None else loaded.model_copy(update={"data": data})


@contextmanager
def opened(data: Path | None) -> "Iterator[Database]":
    """Open the installation: tables up to date, calendar seeded; no statement is too long for a command."""
    from wuye_loop.store.calendar import working_days  # noqa: PLC0415 half a second that `check` and `draw` of a file do without
    from wuye_loop.store.database import open_database  # noqa: PLC0415 the same

    with open_database(settings_for(data), statement_timeout_ms=0) as database:
        with database.begin() as session:
            working_days.seed(session, clock().now())
        yield database
