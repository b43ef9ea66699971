import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.loop.versions import version


def test_the_same_version_differs_in_nothing(look: Run) -> None:
    same = look("replay", "--against", "kuiwen@1", "--json")
    assert same.exit_code == 0, same.output
    said = json.loads(same.stdout)
    assert (said["grievances"], said["same"], said["failed"], said["migrated"]) == (3, 3, 0, 0)


def test_a_file_that_is_not_published_is_tried_on_the_record(look: Run, tmp_path: Path) -> None:
    file = tmp_path / "kuiwen@90.yaml"
    shorter = ("- {is: 1 workday, source: 文章未给出；取通行的一个工作日}", "- {is: 4 hours}")
    file.write_text(version(90, shorter), encoding="utf-8")
    tried = look("replay", "--against", file, "--json", "--since", "2020-01-01")
    (group,) = json.loads(tried.stdout)["differences"]["deadline"]["groups"]
    assert (group["what"], group["how"], group["count"], len(group["examples"])) == ("accept", "变短", 3, 3)
    assert group["later_seconds"]["most"] < 0
    shown = look("replay", "--against", file)
    assert "没有不同 0 件，有不同 3 件" in shown.stdout


def test_nothing_recorded_since_is_said_in_words(look: Run) -> None:
    none = look("replay", "--against", "kuiwen@1", "--since", "2099-01-01")
    assert (none.exit_code, "没有可以重放的诉求" in none.stderr) == (1, True)


def test_a_day_that_no_calendar_has_is_said_in_words(look: Run) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        none = look("replay", "--against", "kuiwen@1", "--since", day)
        assert (none.exit_code, "--since 应在日历的 1990 至 2200 年之内" in none.stderr) == (1, True)
