"""The commands by their names, each imported when it is asked for: `check` must not wait for a web server to load."""

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand

from wuye_loop.cli.output import Words
from wuye_loop.loop.uncollected import uncollected

_DRAWN: Final = ("rich.traceback", "rich.pretty", "pygments.lexers")
Entry = tuple[str, str]  # where a command stands, such as `wuye_loop.cli.keys:commands`, and its help


class Catalogue(dict[str, Any]):
    """Commands by name; an entry stands for one that was not asked for yet."""

    def __getitem__(self, name: str) -> Any:
        command = super().__getitem__(name)
        if isinstance(command, tuple):
            command = self[name] = _command(name, *command)
        return command

    def get(self, name: str, default: Any = None) -> Any:
        """Return the command, imported, or the default."""
        return self[name] if name in self else default  # noqa: SIM401 this is `get`

    def items(self) -> Any:
        """Return every command, imported, with its name."""
        return {name: self[name] for name in self}.items()

    def values(self) -> Any:
        """Return every command, imported."""
        return {name: self[name] for name in self}.values()


def _command(name: str, place: str, help_text: str) -> Any:
    module, _, attribute = place.partition(":")
    with _nothing_to_collect(), _nothing_to_draw():
        found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name, command.help = name, help_text
    return command


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """Keep the collector away: what an import makes stays, and looking through it was a tenth of the start."""
    with uncollected():
        try:
            yield
        finally:
            gc.freeze()


@contextmanager
def _nothing_to_draw() -> Iterator[None]:
    """Let nothing load what draws tracebacks and sources in colour: logs are JSON, and their library takes it where it is."""
    hidden = [name for name in _DRAWN if name not in sys.modules]
    loaded: dict[str, Any] = sys.modules
    loaded.update(dict.fromkeys(hidden))  # an entry without a module cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def listing(entries: Mapping[str, Entry]) -> type[Words]:
    """Return a class of group that has these commands before those it is given."""

    class Listing(Words):
        """A group whose commands are imported when they are asked for."""

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = Catalogue({**entries, **self.commands})

        def format_help(self, ctx: Any, formatter: Any) -> None:
            """Write the help, importing nothing but what was imported already."""
            known: Any = self.commands
            self.commands = {
                name: TyperCommand(name, help=command[1]) if isinstance(command, tuple) else command
                for name, command in dict.items(known)
            }
            try:
                super().format_help(ctx, formatter)
            finally:
                self.commands = known

        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 click's signature
            """Return the names, importing nothing."""
            return list(self.commands)

    return Listing
