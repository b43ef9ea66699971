import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.cli.conftest import Run
from tests.loop.versions import version
from typer.testing import CliRunner

from wuye_loop import settings
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
    assert "先用 wuye-loop directory load 装入" in missing.stdout
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


CITY = "extends: standard@1\nname: city\nversion: 1\ntitle: 某市\nclocks: {sign: {limit: [{is: 2 hours}]}}\n"


def test_a_city_that_extends_a_shipped_base_is_checked_printed_and_drawn(tmp_path: Path) -> None:
    city, printed = tmp_path / "city@1.yaml", tmp_path / "printed.yaml"
    city.write_text(CITY, encoding="utf-8")
    assert alone("check", city)[:2] == (0, "")
    code, out, _ = alone("check", "--resolved", city)
    assert code == 0
    assert out.startswith("# city@1.yaml 与底本 standard@1 合并而成\nname: city\n")
    assert "extends" not in out
    printed.write_text(out, encoding="utf-8")
    assert alone("check", printed)[:2] == (0, "")
    assert alone("check", "--resolved", printed)[1] == out.partition("\n")[2]
    assert alone("draw", city)[1] == alone("draw", printed)[1]


def test_a_finding_in_a_city_or_its_base_names_the_file(tmp_path: Path) -> None:
    city, base = tmp_path / "city@1.yaml", tmp_path / "standard@1.yaml"
    city.write_text(f"{CITY}labels: {{reson: null}}\n", encoding="utf-8")
    assert alone("check", city)[1].startswith(f"{city}:6:10: null 表示去掉底本里的“reson”")
    city.write_text(CITY, encoding="utf-8")
    base.write_text((KUIWEN.parent / "standard@1.yaml").read_text().replace("then: route", "then: rout", 1))
    code, out, _ = alone("check", city, "--resolved")
    assert code == 1
    assert out.startswith(f"{base}:")
    assert "rout" in out
    city.write_text(CITY.replace("standard@1", "none@1"), encoding="utf-8")
    assert "找不到底本 none@1" in alone("check", city, "--data", tmp_path / "no-installation")[1]


def test_one_file_is_resolved_at_a_time() -> None:
    assert alone("check", "--resolved", KUIWEN, KUIWEN)[0] == 2
    assert alone("check", "--resolved", "--json", KUIWEN)[0] == 2


def test_the_schema_for_editors_is_printed() -> None:
    code, out, _ = alone("schema")
    assert code == 0
    assert json.loads(out)["properties"].keys() >= {"states", "extends"}


def test_published_versions_are_listed_and_one_in_use_is_not_removed(healthy: Run) -> None:
    rows = {row["id"]: row for row in json.loads(healthy("workflow", "list", "--json").stdout)}
    assert (rows["kuiwen@1"]["open"], rows["kuiwen@1"]["default"]) == (3, True)
    assert rows["standard@1"]["open"] == 0
    assert "standard@1" in healthy("workflow", "list").stdout
    assert "是默认流程" in healthy("workflow", "remove", "kuiwen@1").stderr
    removed = healthy("workflow", "remove", "standard@1")
    assert removed.exit_code == 0
    assert "下次启动 up 或 serve 会重新发布" in removed.stderr
    assert "没有发布过 standard@1" in healthy("workflow", "remove", "standard@1").stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WUYE_DEFAULT_WORKFLOW", "other@1")
        settings.load.cache_clear()
        refused = healthy("workflow", "remove", "kuiwen@1")
    assert refused.exit_code == 1
    assert "3 件在办诉求按 kuiwen@1 办理，如 " in refused.stderr


def test_a_version_is_what_was_published_whatever_its_file_says_now(
    look: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = tmp_path / "kuiwen@1.yaml"
    edited.write_text(version(1, ("- {is: 5 workdays", "- {is: 4 workdays")), encoding="utf-8")
    monkeypatch.setenv("WUYE_WORKFLOWS", str(tmp_path))
    settings.load.cache_clear()
    compared = look("diff", "kuiwen@1", edited)
    assert "由 5 个工作日改为 4 个工作日" in compared.stdout
    assert f"{edited} 与已发布的 kuiwen@1 不同" in compared.stderr
    assert len(re.findall("[0-9a-f]{64}", compared.stderr)) == 2
    replayed = look("replay", "--against", "kuiwen@1", "--json")
    assert json.loads(replayed.stdout)["same"] == 3


def test_a_unit_that_open_grievances_use_is_not_ended(healthy: Run, tmp_path: Path) -> None:
    file = tmp_path / "ended.yaml"
    file.write_text("units: [{code: property-centre, name: 中心, kind: centre, active: false}]", encoding="utf-8")
    refused = healthy("directory", "load", file)
    assert refused.exit_code == 1
    assert "（property-centre）：3 件在办诉求还用到它，如 " in refused.stderr


def test_a_list_that_leaves_out_what_the_base_has_is_noted_beside_the_findings(tmp_path: Path) -> None:
    city = tmp_path / "city@1.yaml"
    lines = 'intake: {red_lines: [{when: {text: {pattern: "自杀|轻生|跳楼|拼命|报复社会"}}}, {when: {text: {pattern: 起火}}}]}\n'
    city.write_text(CITY + lines, encoding="utf-8")
    code, out, err = alone("check", city)
    assert (code, out) == (0, "")
    notes = [line.removeprefix(f"{city}:") for line in err.splitlines() if line.endswith("（提醒）")]
    (note,) = notes
    assert note.startswith("6:21: 去掉了底本的 8 条红线：")
    assert "火灾" in note
    assert "自杀" not in note
    noted = json.loads(alone("check", city, "--json")[1])
    assert {one["code"] for one in noted} == {"lost-of-base"}
    assert alone("check", city, "--resolved")[1].startswith("# city@1.yaml")


def test_every_rule_is_listed_with_its_source_those_without_one_first(tmp_path: Path) -> None:
    city = tmp_path / "city@1.yaml"
    city.write_text(CITY.replace("is: 2 hours", "is: 2 hours, source: 第九条"), encoding="utf-8")
    code, out, err = alone("check", city, "--sources")
    assert code == 0
    assert f"{city}:5:" in out
    assert "签收时限（2 小时）：第九条（本文件）" in out
    assert "（底本）" in out
    assert "，0 条没有写出处" in err
    city.write_text(CITY + "actions: {urge: {limit: 3}}\n", encoding="utf-8")
    first, second, *_ = alone("check", city, "--sources")[1].splitlines()
    assert first == f"{city}:5: ✗ 签收时限（2 小时）：没有写出处（本文件）"
    assert "✗" not in second
    rows = json.loads(alone("check", city, "--sources", "--json")[1])
    assert [row["rule"] for row in rows if row["source"] is None] == ["签收时限（2 小时）"]
    assert [row["rule"] for row in rows if row["lent"]] == ["动作“催办”"]


def test_sources_are_listed_for_one_proved_file(tmp_path: Path) -> None:
    assert alone("check", "--sources", KUIWEN, KUIWEN)[0] == 2
    assert alone("check", "--sources", "--resolved", KUIWEN)[0] == 2
    broken = tmp_path / "broken.yaml"
    broken.write_text(KUIWEN.read_text().replace("to: routing", "to: nowhere", 1))
    code, out, _ = alone("check", "--sources", broken)
    assert code == 1
    assert "nowhere" in out
