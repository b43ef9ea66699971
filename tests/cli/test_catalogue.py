"""The list of commands: each can be imported, and the list itself imports none."""

import subprocess
import sys
from importlib import import_module

import pytest
import typer
from typer.testing import CliRunner

from wuye_loop.cli import COMMANDS, app, output


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_there_and_says_what_the_list_says_of_it(name: str) -> None:
    whole = typer.main.get_command(app)
    assert isinstance(whole, typer.core.TyperGroup)
    words = COMMANDS[name][1]
    assert whole.commands[name].help == words
    told = CliRunner().invoke(app, [name, "--help"])
    assert told.exit_code == 0
    assert "".join(words.split())[:20] in "".join(told.stdout.split())


@pytest.mark.parametrize(("module", "name"), [*output._IN_WORDS, *output._POOL_BUSY, *output._UNREACHABLE])
def test_every_failure_that_is_put_into_words_is_where_it_is_looked_for(module: str, name: str) -> None:
    assert issubclass(getattr(import_module(module), name), Exception)


def test_the_list_loads_no_web_server_and_no_database() -> None:
    code = (
        "import sys; from wuye_loop.cli import app; app(['--help'], standalone_mode=False);"
        " print(sorted({'fastapi', 'sqlalchemy'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.splitlines()[-1] == "[]"
    assert all(name in told.stdout for name in COMMANDS)


def test_checking_a_workflow_loads_neither_what_strikes_nor_schemes_nor_the_slow_reader() -> None:
    code = (
        "import sys; from wuye_loop.cli import app; app(['check', 'workflows/kuiwen@1.yaml'], standalone_mode=False);"
        " print(sorted({'ruamel', 'sqlalchemy', 'wuye_loop.domain.privacy.spared', 'wuye_loop.domain.privacy.striking',"
        " 'wuye_loop.domain.assessment.scheme'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.splitlines()[-1] == "[]"


def test_a_server_starts_without_what_it_needs_only_for_sheets_codes_passwords_jobs_other_systems_and_colours() -> None:
    code = (
        "import sys; from wuye_loop.cli.catalogue import _command; _command('serve', 'wuye_loop.cli.serving:serve', '');"
        " print(sorted({'openpyxl', 'docx', 'holidays', 'segno', 'argon2', 'procrastinate', 'httpx', 'rapidfuzz', 'tarfile',"
        " 'pygments', 'rich.traceback', 'rich.progress', 'alembic', 'wuye_loop.worker'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.splitlines()[-1] == "[]"
