"""The play under another version: any city's, with what is special to it; what is no workflow is refused in words."""

from pathlib import Path

import pytest
from tests import ROOT
from tests.cli.conftest import Run

from wuye_loop.cli.demo import _played
from wuye_loop.demo.casting import cast_for, known
from wuye_loop.domain.directory.document import DirectoryDocument
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.settings import Settings
from wuye_loop.store.workflows.files import whole_text
from wuye_loop.trial.town.town import town_of
from wuye_loop.trial.town.units_named import routed_to

SHIPPED = sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml"))


def rules(which: str) -> Rules:
    return Rules(parse(whole_text(ROOT / "workflows" / f"{which}.yaml"), which))


@pytest.mark.parametrize("which", SHIPPED)
def test_every_shipped_version_can_be_played(which: str) -> None:
    assert _played(Settings(), which) == which


def test_without_a_word_the_newest_kuiwen_is_played() -> None:
    assert _played(Settings(), None) == max(name for name in SHIPPED if name.startswith("kuiwen@")) == "kuiwen@2"


@pytest.mark.parametrize("which", SHIPPED)
def test_the_district_has_every_unit_that_a_version_names(which: str) -> None:
    workflow = rules(which).workflow
    document = DirectoryDocument.model_validate(cast_for(workflow))
    units = {unit.code for unit in document.units}
    assert len(units) == len(document.units)
    assert set(routed_to(workflow)) - units <= {"company"}
    named = {role.unit for role in workflow.roles.values() if isinstance(role.unit, str)} - {"lead", "assist"}
    assert named <= units
    assert town_of(rules(which), document).directory.units.keys() >= units


def test_our_own_players_know_the_base_and_kuiwen_by_heart() -> None:
    assert {which for which in SHIPPED if known(rules(which).workflow)} == {"kuiwen@1", "kuiwen@2", "standard@1"}


def test_what_is_no_workflow_is_refused_in_words(look: Run, tmp_path: Path) -> None:
    result = look("demo", "--exit", "--workflow", "nowhere@1")
    assert result.exit_code == 1
    assert "没有流程 nowhere@1" in result.stderr
