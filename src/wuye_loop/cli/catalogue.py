"""The commands by their names, each imported when it is asked for: `check` must not wait for a web server to load.

The list of them is read from their sources: `--help` need not wait for all of them either.
"""

import ast
import inspect
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

import wuye_loop
from wuye_loop.cli.output import Words


class Catalogue(dict[str, Any]):
    """Commands by name; a text such as `wuye_loop.cli.keys:commands` stands for one that was not asked for yet."""

    def __getitem__(self, name: str) -> Any:
        command = super().__getitem__(name)
        if isinstance(command, str):
            command = self[name] = _command(name, command)
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


def _command(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = name
    return command


def described(name: str, place: str) -> TyperCommand:
    """Return what stands for a command in a list: its name and its help, from the source of its module."""
    module, _, attribute = place.partition(":")
    source = Path(wuye_loop.__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py").read_text("utf-8")
    return TyperCommand(name, help=_help(ast.parse(source), attribute))


def _help(tree: ast.Module, attribute: str) -> str:
    """Return a function's docstring, or the text that a group of commands is made with."""
    for part in tree.body:
        match part:
            case ast.FunctionDef(name=name) if name == attribute:
                return inspect.cleandoc(ast.get_docstring(part) or "")
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[ast.Constant(value=str(words)), *_])):
                if name == attribute:
                    return words
    raise LookupError(attribute)


def listing(places: Mapping[str, str]) -> type[Words]:
    """Return a class of group that has these commands, by name and place, before those it is given."""

    class Listing(Words):
        """A group whose commands are imported when they are asked for."""

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = Catalogue({**places, **self.commands})

        def format_help(self, ctx: Any, formatter: Any) -> None:
            """Write the help, importing nothing but what was imported already."""
            known: Any = self.commands
            self.commands = {
                name: described(name, command) if isinstance(command, str) else command
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
