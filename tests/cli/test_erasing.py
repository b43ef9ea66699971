"""What is destroyed, set down and kept, from the command line."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from wuye_loop.cli import erasing


def test_an_anchor_is_made_once_and_verified_with(healthy: Run, tmp_path: Path) -> None:
    first = json.loads(healthy("anchor", "--json").stdout)
    assert (first["n"], first["heads"]) == (1, 3)
    assert Path(first["file"]).read_text("utf-8").count("\n") == 1
    assert "没有变动" in healthy("anchor").stdout
    report = json.loads(healthy("verify", "--anchors", "--json").stdout)
    assert (report["anchors"], report["drift"], report["chain_ok"], report["damaged"]) == (1, 0, True, 0)
    missing = healthy("verify", "--anchors-file", tmp_path / "none.jsonl")
    assert missing.exit_code == 1
    assert "没有锚文件" in missing.stdout
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n", "utf-8")
    refused = healthy("verify", "--anchors-file", broken)
    assert refused.exit_code != 0
    assert "第 1 行" in refused.stderr


def test_what_is_open_or_unknown_is_not_erased(healthy: Run) -> None:
    anchored = Path(json.loads(healthy("anchor", "--json").stdout)["file"]).read_text("utf-8")
    number = next(iter(json.loads(anchored)["heads"]))
    assert "还在办理" in healthy("erase", number, "--reason", "诉求人要求删除").stderr
    assert "没有编号" in healthy("erase", "WY260302-ZZZZZZZZ", "--reason", "诉求人要求删除").stderr
    assert healthy("verify").exit_code == 0
    held = healthy("retention", "hold", number, "--by", "王敏 0731", "--reason", "诉讼中")
    assert "依法保留" in held.stdout
    assert "诉讼中" in healthy("erase", number, "--reason", "诉求人要求删除").stderr
    assert "解除" in healthy("retention", "release", number, "--by", "王敏 0731", "--reason", "结案").stdout


def test_what_is_due_is_only_shown_and_an_empty_list_is_not_proposed(healthy: Run, tmp_path: Path) -> None:
    rules = tmp_path / "retention.yaml"
    rules.write_text("retention: [{years: 5}]\n", "utf-8")
    assert json.loads(healthy("retention", "due", rules, "--json").stdout) == {"due": []}
    refused = healthy("retention", "propose", rules, "--by", "王敏 0731", "--reason", "保管期满")
    assert "没有到期" in refused.stderr
    assert json.loads(healthy("retention", "lists", "--json").stdout) == {"lists": []}
    rules.write_text("retention: [{after: closed}]\n", "utf-8")
    assert "没有写多久" in healthy("retention", "due", rules).stderr


def test_the_master_keys_are_rotated_and_everything_still_opens(healthy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "_LEARN_SECONDS", 0)  # nobody else uses these keys
    done = json.loads(healthy("master-key", "rotate", "--json").stdout)
    assert (done["rewrapped"], done["broken"], len(done["retired"])) == (3, [], 1)
    assert healthy("verify").exit_code == 0
    assert json.loads(healthy("master-key", "rotate", "--keep", "--json").stdout)["retired"] == []
