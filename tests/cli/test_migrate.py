import csv
import json
import os
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.versions import renamed, version

from wuye_loop import settings


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder whose workflow files the next command publishes beside the shipped ones."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    shipped = settings.load().workflows
    monkeypatch.setenv("WUYE_WORKFLOWS", os.pathsep.join(map(str, (*shipped, folder))))
    settings.load.cache_clear()
    return folder


def test_looking_then_moving_then_nothing_is_left(healthy: Run, shelf: Path, tmp_path: Path) -> None:
    (shelf / "kuiwen@90.yaml").write_text(renamed(90), encoding="utf-8")
    settings.load.cache_clear()
    looked = healthy("migrate", "kuiwen@1", "kuiwen@90", "--dry-run", "--json")
    assert looked.exit_code == 0, looked.output
    would = json.loads(looked.stdout)
    assert (would["applied"], len(would["moved"])) == (False, 3)
    report = tmp_path / "report.csv"
    done = healthy("migrate", "kuiwen@1", "kuiwen@90", "--json", "--csv", report)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["moved"] == would["moved"]
    assert (said["applied"], said["left"], said["stranded"]) == (True, 0, [])
    rows = list(csv.reader(report.read_text(encoding="utf-8-sig").splitlines()))
    assert [row[0] for row in rows[1:]] == [item["number"] for item in said["moved"]]
    again = healthy("migrate", "kuiwen@1", "kuiwen@90")
    assert "已迁移 0 件" in again.stdout
    assert healthy("verify").exit_code == 0


def test_what_has_no_place_is_counted_and_named(healthy: Run, shelf: Path) -> None:
    (shelf / "kuiwen@90.yaml").write_text(version(90, ("received", "arrived")), encoding="utf-8")
    settings.load.cache_clear()
    refused = healthy("migrate", "kuiwen@1", "kuiwen@90", "--json")
    assert refused.exit_code == 1
    (gap,) = json.loads(refused.stdout)["gaps"]
    assert (gap["what"], gap["name"], gap["count"]) == ("状态", "received", 3)
    assert gap["example"].startswith("WY")
    assert "一件都没有迁" in refused.stderr
    shown = healthy("migrate", "kuiwen@1", "kuiwen@90", "--dry-run")
    assert "received" in shown.stdout


def test_an_unknown_version_is_refused_in_words(healthy: Run) -> None:
    refused = healthy("migrate", "kuiwen@1", "kuiwen@7")
    assert (refused.exit_code, "kuiwen@7" in refused.stderr) == (1, True)
