"""How every command speaks: results on stdout, trouble in words on stderr; a traceback means a fault of ours."""

import sys
from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.console import Console
from typer.core import TyperGroup

from wuye_loop.cli.help import plain

# Where no terminal says how wide it is, nothing is cut short.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Refused(Exception):
    """A command cannot do what it was asked; the message says why, in words."""


# By name, so that nothing is imported only to be asked about: what was never loaded was never raised.
ZONE: Final = ZoneInfo("Asia/Shanghai")  # what a time means at the terminal, and in a sheet that does not say
_IN_WORDS: Final = (
    ("wuye_loop.domain.errors", "WuyeError"),
    ("wuye_loop.store.database", "UnfitDatabase"),
    ("wuye_loop.settings", "SettingsError"),
    ("wuye_loop.postgres.account", "PostgresError"),
    ("wuye_loop.domain.rulefile.scalars", "YamlDocError"),
    ("wuye_loop.domain.directory.document", "BadDirectory"),
    ("wuye_loop.domain.time.notice", "BadNotice"),
    ("wuye_loop.domain.sheets.limits", "BadSheet"),
)
_POOL_BUSY: Final = (("sqlalchemy.exc", "TimeoutError"),)
_UNREACHABLE: Final = (
    ("sqlalchemy.exc", "OperationalError"),
    ("sqlalchemy.exc", "InterfaceError"),
    ("psycopg", "OperationalError"),
)
_FILE_TROUBLE: Final = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def words_of(error: Exception) -> str | None:
    """Return what an expected failure says to the person at the terminal; None for a fault of ours."""
    if isinstance(error, (Refused, *_loaded(_IN_WORDS))):
        return str(error)
    if isinstance(error, _FILE_TROUBLE):
        return f"无法打开 {error.filename}：{error.strerror}"
    if isinstance(error, _loaded(_POOL_BUSY)):
        return "数据库连接都在忙，请稍后再试"
    if isinstance(error, _loaded(_UNREACHABLE)):
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()
        return f"连接不上数据库：{cause[0] if cause else type(error).__name__}"
    return None


def _loaded(names: Iterable[tuple[str, str]]) -> tuple[type[Exception], ...]:
    return tuple(getattr(sys.modules[module], name) for module, name in names if module in sys.modules)


class Words(TyperGroup):
    """A group of commands that ends with exit code 1 and one message when something expected goes wrong."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        with plain():
            super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of our output has left: `... | head`
            sys.stderr.close()
            raise typer.Exit(1) from None
        except Exception as error:
            words = words_of(error)
            if words is None:
                raise
            err.print(words, markup=False, style="red")
            raise typer.Exit(1) from None


def group(cls: type[Words] = Words) -> typer.Typer:
    """Return a group of commands, also of one; no shell completion, no traceback that shows values."""
    made = typer.Typer(cls=cls, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    made.callback()(lambda: None)
    return made


def print_json(value: object) -> None:
    """Print one JSON value on one line, for a program."""
    typer.echo(orjson.dumps(value, default=str).decode())


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table for people; None is left blank."""
    from rich.table import Table  # noqa: PLC0415 who prints none does not wait for it

    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, no_wrap=place == 0)  # what a row is called is what a person copies
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(table)
