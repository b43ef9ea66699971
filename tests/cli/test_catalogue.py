"""The list of commands: what is said of each without importing it is what it says itself."""

import subprocess
import sys

import pytest
import typer

from wuye_loop.cli import COMMANDS, app
from wuye_loop.cli.catalogue import described


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_help_that_it_has(name: str) -> None:
    whole = typer.main.get_command(app)
    assert isinstance(whole, typer.core.TyperGroup)
    assert described(name, COMMANDS[name]).help == whole.commands[name].help


def test_the_list_loads_no_web_server_and_no_database() -> None:
    code = (
        "import sys; from wuye_loop.cli import app; app(['--help'], standalone_mode=False);"
        " print(sorted({'fastapi', 'sqlalchemy'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.splitlines()[-1] == "[]"
    assert all(name in told.stdout for name in COMMANDS)
