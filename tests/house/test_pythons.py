"""Which Pythons are supported is one fact, told in the same words wherever it is told."""

import re
import subprocess

import pytest
from tests import ROOT
from tests.pythons.__main__ import SUPPORTED

from wuye_loop.cli import checkup

SETUP = (ROOT / "Makefile").read_text(encoding="utf-8")
MINORS = [tuple(map(int, version.split("."))) for version in SUPPORTED]


def test_the_package_setup_and_doctor_bound_the_same_versions() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    first, last = MINORS[0], MINORS[-1]
    beyond = (last[0], last[1] + 1)
    assert re.search(r'^requires-python = "(.*)"$', project, re.MULTILINE)[1] == (  # type: ignore[index]
        f">={first[0]}.{first[1]},<{beyond[0]}.{beyond[1]}"
    )
    assert f"{first} <= sys.version_info < {beyond}" in SETUP
    assert first == checkup._PYTHONS[0]
    assert last == checkup._PYTHONS[1]
    assert [first[1] + n for n in range(len(MINORS))] == [minor for _, minor in MINORS]


@pytest.mark.parametrize("path", ["README.md", "CONTRIBUTING.md", "docs/operations.md", "Makefile"])
def test_who_installs_is_told_each_version(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(r"Python 3\.11(、|, )3\.12( 或 | or )3\.13", text)


@pytest.mark.parametrize(("version", "taken"), [((3, 10), 0), ((3, 11), 1), ((3, 13), 1), ((3, 14), 0), ((4, 0), 0)])
def test_setup_takes_a_supported_python_and_no_other(version: tuple[int, int], taken: int) -> None:
    asked = re.search(r"'(import sys; sys\.exit\(not .*?\))'", SETUP)
    assert asked is not None
    program = asked[1].replace("sys.version_info", f"({version[0]}, {version[1]}, 2)")
    assert subprocess.run(["python3", "-c", program], check=False).returncode == 1 - taken
