"""The wall: what breaks a definition is found, on its line, in words; what is sound passes; nothing takes long."""

import time
from pathlib import Path

import pytest

from tests.domain.wall import WALL, Broken
from wuye_loop.domain.checker import Finding, check, load
from wuye_loop.domain.directory import Area, Directory, Unit
from wuye_loop.domain.errors import DefinitionError

HERE = Path(__file__).parent
SMALL = (HERE / "small.yaml").read_text(encoding="utf-8")
SHIPPED = sorted((HERE.parents[1] / "workflows").glob("*.yaml"))
AREAS = [Area("s1", "东街", "street", None, "s1/")]


def unit(code: str, *duties: str, active: bool = True) -> Unit:
    return Unit(code, code, "department", "s1", None, duties, active)


def errors(text: str | bytes, directory: Directory | None = None) -> list[Finding]:
    workflow, findings = check(text, "city.yaml", directory)
    found = [finding for finding in findings if finding.severity == "error"]
    assert (workflow is None) == bool(found)
    return found


def test_the_small_definition_is_sound() -> None:
    workflow, findings = check(SMALL, "small.yaml")
    assert findings == []
    assert workflow is not None
    assert workflow.id == "small@1"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_definition_is_sound(path: Path) -> None:
    assert [str(finding) for finding in check(path.read_bytes(), path.name)[1]] == []


@pytest.mark.parametrize("broken", WALL, ids=lambda broken: broken.name)
def test_a_broken_definition_is_refused_on_its_line(broken: Broken) -> None:
    found = errors(broken.text(SMALL))
    line = broken.line(SMALL)
    assert any(finding.line == line and broken.says in finding.message for finding in found), (
        line,
        [str(finding) for finding in found],
    )
    assert all(finding.column >= 1 for finding in found)
