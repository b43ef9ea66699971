"""The play under another version: one that its players know, else refused in words."""

from pathlib import Path

import pytest
from tests.cli.conftest import Run

from wuye_loop.cli.demo import _played
from wuye_loop.settings import Settings


@pytest.mark.parametrize("which", ["kuiwen@2", "standard@1", "kuiwen@1"])
def test_the_versions_that_the_players_know_are_played(which: str) -> None:
    assert _played(Settings(), which) == which


@pytest.mark.parametrize(
    ("which", "words"),
    [("gedian@1", "没有会演 gedian@1 的人"), ("jinan@1", "没有会演"), ("nowhere@1", "没有流程 nowhere@1")],
)
def test_a_workflow_that_nobody_here_knows_is_refused_in_words(
    look: Run, tmp_path: Path, which: str, words: str
) -> None:
    result = look("demo", "--exit", "--workflow", which)
    assert result.exit_code == 1
    assert words in result.stderr
