"""Every workflow that ships keeps what its own definition tests say: `wuye-loop test` over each of them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wuye_loop.cli import app
from wuye_loop.settings import shipped
from wuye_loop.trial.definition_tests.load import scripts_beside

WORKFLOWS = shipped("workflows")
FILES = sorted(WORKFLOWS.glob("*.yaml"))
SCRIPTS = sorted((WORKFLOWS / "tests").glob("*.test.yaml"))
FEWEST = 10  # tests that a workflow needs before it may ship


@pytest.mark.parametrize("workflow", FILES, ids=lambda path: path.stem)
def test_every_shipped_workflow_keeps_what_its_definition_tests_say(workflow: Path) -> None:
    ran = CliRunner().invoke(app, ["test", str(workflow), "--json"])
    assert ran.exit_code == 0, ran.output
    names = [test["name"] for test in json.loads(ran.stdout)["tests"]]
    assert len(names) >= FEWEST
    assert len(set(names)) == len(names)


def test_no_file_of_definition_tests_is_left_out() -> None:
    assert {script for workflow in FILES for script in scripts_beside(workflow)} == set(SCRIPTS)
