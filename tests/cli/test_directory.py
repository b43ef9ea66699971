import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from wuye_loop.cli.directory import read_file


def test_the_demo_district_loads_and_loads_again_without_a_change(run: Run) -> None:
    first, second = (json.loads(run("directory", "load", "--demo", "--json").stdout) for _ in range(2))
    assert first["areas"] == {"added": 71, "changed": 0, "same": 0}
    assert second["units"] == {"added": 0, "changed": 0, "same": first["units"]["added"]}


def test_a_yaml_file_and_a_json_file_load(run: Run, tmp_path: Path) -> None:
    one, other = tmp_path / "d.yaml", tmp_path / "d.json"
    one.write_text("areas: [{code: 370705, name: 某区, level: district}]")
    other.write_text('{"units": [{"code": "fire", "name": "消防", "kind": "department", "area": 370705}]}')
    assert "属地" in run("directory", "load", one).stdout
    assert json.loads(run("directory", "load", other, "--json").stdout)["units"]["added"] == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("d.yaml", "areas: [{code: 1, name: 甲, level: street, parent: 9}]", "第 1 条（1）：上级属地 9 不存在"),
        ("d.yaml", "areas: [\n", "d.yaml:2:1: "),
        ("d.yaml", "x" * 300_000, "KiB"),
        ("d.json", '{"areas": [}', "d.json:1:12: 不是合法的 JSON"),
        ("d.json", '{"areas": [], "areas": []}', "键“areas”重复"),
        ("d.json", "[" * 100_000, "嵌套过深"),
    ],
)
def test_a_bad_file_is_refused_in_words(look: Run, tmp_path: Path, name: str, content: str, words: str) -> None:
    file = tmp_path / name
    file.write_text(content)
    result = look("directory", "load", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr


def test_a_file_in_no_encoding_that_is_known_is_refused_in_words(look: Run, tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    file.write_bytes(b'{"areas": "\xff\xff\xff"}')
    assert "UTF-8" in look("directory", "load", file).stderr


def test_neither_a_file_nor_the_demo_is_a_mistake_in_usage(look: Run) -> None:
    assert look("directory", "load").exit_code == 2
    assert look("directory", "load", "d.yaml", "--demo").exit_code == 2


def test_a_file_that_is_not_there_is_said_in_words(look: Run) -> None:
    result = look("directory", "load", "nowhere.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith("无法打开 nowhere.yaml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["d.yaml", "d.json"])
def test_a_directory_is_read_in_the_encodings_that_files_are_saved_in(tmp_path: Path, name: str, encoding: str) -> None:
    file = tmp_path / name
    file.write_text('{"estates": [{"code": "E1", "name": "幸福花园一期小区"}]}', encoding=encoding)
    assert read_file(file)["estates"][0]["name"] == "幸福花园一期小区"


def test_the_directory_is_shown_as_a_tree_with_the_roles_that_each_unit_fills(run: Run, tmp_path: Path) -> None:
    run("directory", "load", "--demo")
    found = json.loads(run("directory", "show", "--json").stdout)
    district = found["areas"][0]
    roles = {unit["code"]: unit["roles"] for unit in district["units"]}
    assert roles["command-office"]
    street = district["areas"][0]
    assert (street["level"], len(street["areas"])) == ("street", 6)
    assert sum(len(community["estates"]) for community in street["areas"]) == 12
    shown = run("directory", "show", "--area", street["code"]).stdout
    assert shown.startswith(f"{street['name']} {street['code']}\n  · ")
    assert "可任" in run("directory", "show", "--workflow", "kuiwen@2").stdout


def test_an_area_that_is_not_there_is_said_in_words(look: Run) -> None:
    assert "没有属地 999" in look("directory", "show", "--area", "999").stderr
