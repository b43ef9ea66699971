import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.cli.conftest import Run
from typer.testing import CliRunner

from wuye_loop.cli import app
from wuye_loop.settings import shipped

KUIWEN = shipped("workflows") / "kuiwen@1.yaml"


def alone(*args: str | Path) -> tuple[int, str, str]:
    """Run a command that needs no database."""
    result = CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_the_shipped_workflow_has_no_findings() -> None:
    code, out, err = alone("check", KUIWEN)
    assert (code, out) == (0, "")
    assert "没有错误" in err


def test_every_finding_has_its_file_line_and_column(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(KUIWEN.read_text().replace("to: routing", "to: nowhere", 1))
    line = 1 + broken.read_text()[: broken.read_text().index("nowhere")].count("\n")
    code, out, _ = alone("check", KUIWEN, broken)
    assert code == 1
    assert any(found.startswith(f"{broken}:{line}:") and "nowhere" in found for found in out.splitlines())
    code, out, _ = alone("check", broken, "--json")
    assert code == 1
    assert {(found["file"], found["line"]) for found in json.loads(out)} >= {(str(broken), line)}


def test_a_file_that_is_no_yaml_or_not_there_is_said_in_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    assert alone("check", broken)[1].startswith(f"{broken}:1:")
    assert alone("check", tmp_path / "none.yaml")[2].startswith("无法打开")
    assert alone("check", tmp_path)[0] == 1
    assert alone("check")[0] == 2


def test_units_are_looked_up_in_the_directory_when_asked(run: Run) -> None:
    missing = run("check", KUIWEN, "--units")
    assert missing.exit_code == 1
    assert "command-office" in missing.stdout
    run("directory", "load", "--demo")
    assert run("check", KUIWEN, "--units").exit_code == 0


@pytest.mark.parametrize("which", ["kuiwen@1", str(KUIWEN)])
def test_a_workflow_is_drawn_as_mermaid_and_as_svg(which: str) -> None:
    code, out, _ = alone("draw", which)
    assert code == 0
    assert out.startswith("stateDiagram-v2")
    code, out, _ = alone("draw", which, "--svg")
    assert code == 0
    assert ET.fromstring(out).tag.endswith("svg")  # noqa: S314 our own text


def test_a_workflow_that_nobody_knows_is_said_in_words(look: Run) -> None:
    unknown = look("draw", "nobody@7")
    assert unknown.exit_code == 1
    assert "没有流程 nobody@7" in unknown.stderr
    assert "没有文件 ./x.yaml" in alone("draw", "./x.yaml")[2]
