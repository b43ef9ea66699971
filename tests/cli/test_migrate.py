import csv
import json
import os
import re
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.cli.conftest import Run
from tests.loop.versions import renamed, version

from wuye_loop import settings
from wuye_loop.store.database import Database


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
    assert "kuiwen@90" not in healthy("workflow", "list", "--json").stdout  # nothing was published
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
    assert "kuiwen@90" not in healthy("workflow", "list", "--json").stdout  # it can be mended under the same number
    shown = healthy("migrate", "kuiwen@1", "kuiwen@90", "--dry-run")
    assert "received" in shown.stdout


def test_an_unknown_version_is_refused_in_words(healthy: Run) -> None:
    refused = healthy("migrate", "kuiwen@1", "kuiwen@7")
    assert (refused.exit_code, "kuiwen@7" in refused.stderr) == (1, True)


def test_the_table_and_the_spreadsheet_speak_in_titles_and_local_time(
    healthy: Run, shelf: Path, tmp_path: Path
) -> None:
    (shelf / "kuiwen@90.yaml").write_text(renamed(90), encoding="utf-8")
    settings.load.cache_clear()
    report = tmp_path / "report.csv"
    shown = healthy("migrate", "kuiwen@1", "kuiwen@90", "--dry-run", "--csv", report)
    assert shown.exit_code == 0, shown.output
    assert re.search(r"待受理 +│ 待受理 +│ 受理时限 \d{4}-\d\d-\d\d \d\d:\d\d 到期", shown.stdout), shown.stdout
    assert "received" not in shown.stdout
    (row, *_) = csv.DictReader(report.read_text(encoding="utf-8-sig").splitlines())
    assert (row["原状态"], row["原状态名称"], row["新状态"]) == ("received", "待受理", "received")
    assert (row["时限"], row["时限名称"], row["因此逾期"]) == ("accept", "受理时限", "否")
    assert datetime.fromisoformat(row["新到期"]).utcoffset() == timedelta(hours=8)


def test_each_kind_of_refusal_has_its_own_remedy(healthy: Run, shelf: Path) -> None:
    nobody = (("received", "arrived"), ("unit: property-centre}", "unit: nobody-there}"))
    migrates = "\nmigrates:\n  kuiwen@1: {states: {received: arrived}}\n"
    (shelf / "kuiwen@90.yaml").write_text(version(90, *nobody), encoding="utf-8")
    (shelf / "kuiwen@91.yaml").write_text(version(91, *nobody, more=migrates), encoding="utf-8")
    settings.load.cache_clear()
    state = healthy("migrate", "kuiwen@1", "kuiwen@90").stderr
    assert "· 状态 待受理（received）：在 kuiwen@90 的 migrates: kuiwen@1 的 states 里写明它到哪里去" in state
    unit = healthy("migrate", "kuiwen@1", "kuiwen@91")
    assert "migrates" not in unit.stderr
    assert "单位目录里没有单位 nobody-there" in unit.stderr
    assert "wuye-loop directory load" in unit.stderr


def test_a_role_in_use_that_vanishes_is_refused_with_count_and_example(healthy: Run, shelf: Path) -> None:
    """Somebody has acted as the dispatcher on one of the three."""
    (shelf / "kuiwen@90.yaml").write_text(version(90, ("dispatcher", "desk")), encoding="utf-8")
    settings.load.cache_clear()
    url = settings.load().database_url
    assert url
    with psycopg.connect(Database(url).conninfo) as connection:
        connection.execute("UPDATE grievance SET did = '{\"dispatcher\": [\"property-centre\"]}' WHERE number = (SELECT min(number) FROM grievance)")  # fmt: skip
    refused = healthy("migrate", "kuiwen@1", "kuiwen@90", "--json")
    assert refused.exit_code == 1
    (gap,) = json.loads(refused.stdout)["gaps"]
    assert (gap["what"], gap["name"], gap["title"], gap["count"]) == (
        "办过的角色",
        "dispatcher",
        "区物业发展服务中心",
        1,
    )
    assert "roles 里写明它改称什么" in refused.stderr


def test_an_unpublished_version_is_refused_with_how_to_publish_it(healthy: Run) -> None:
    refused = healthy("migrate", "kuiwen@1", "kuiwen@91")
    assert "没有发布过流程 kuiwen@91：把 kuiwen@91.yaml 放进 WUYE_WORKFLOWS 的目录" in refused.stderr


def test_a_file_that_does_not_check_is_refused_and_not_published(healthy: Run, shelf: Path) -> None:
    (shelf / "kuiwen@90.yaml").write_text(version(90, ("to: routing", "to: nowhere")), encoding="utf-8")
    settings.load.cache_clear()
    for options in (("--dry-run",), ()):
        refused = healthy("migrate", "kuiwen@1", "kuiwen@90", *options)
        assert refused.exit_code == 1
        assert "没有状态“nowhere”" in refused.stderr
    assert "kuiwen@90" not in healthy("workflow", "list", "--json").stdout
