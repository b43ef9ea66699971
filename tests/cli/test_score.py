"""`score`, `publish`, `explain-score`, `credit`, `bulletin make` on an installation without a grievance in the period."""

import json
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Run


def test_a_period_from_trial_to_bulletin(healthy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = healthy("score", "kuiwen", "--period", "2026-03", "--dry-run", "--json")
    assert tried.exit_code == 0
    shown = json.loads(tried.stdout)
    assert (shown["state"], shown["scheme"]) == ("draft", "kuiwen@1")
    assert healthy("score", "kuiwen", "--period", "2026-03").exit_code == 1  # not over yet
    wrong = healthy("score", "kuiwen", "--period", "March", "--dry-run")
    assert (wrong.exit_code, "考核期写成" in wrong.stderr) == (1, True)
    assert "没有发布过这个考核办法" in healthy("score", "nowhere", "--period", "2026-03", "--dry-run").stderr
    closed = healthy("score", "kuiwen", "--period", "2026-02")
    assert closed.exit_code == 0, closed.stderr
    assert "本期无工单" in closed.stdout
    published = healthy("publish", "kuiwen", "--period", "2026-02", "--json")
    assert json.loads(published.stdout)["bulletin"]["number"] == "奎考〔2026〕1号"
    assert healthy("publish", "kuiwen", "--period", "2026-02").exit_code == 1
    subject = json.loads(published.stdout)["items"][0]["subject"]
    why = healthy("explain-score", subject, "--period", "2026-02")
    assert "2026年2月" in why.stdout
    for form in ("docx", "xlsx", "html"):
        file = tmp_path / f"通报.{form}"
        assert (
            healthy("bulletin", "make", "kuiwen", "--period", "2026-02", "--format", form, "--out", file).exit_code == 0
        )
        assert file.stat().st_size > 1000
    numbers = tmp_path / "通报.json"
    made = healthy("bulletin", "make", "kuiwen", "--period", "2026-02", "--format", "json", "--out", numbers)
    assert made.exit_code == 0
    checked = healthy("bulletin", "check", numbers)
    assert (checked.exit_code, checked.stdout) == (0, "")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "weasyprint", None)  # what a machine without the extra has
        nothing = tmp_path / "通报.pdf"
        told = healthy("bulletin", "make", "kuiwen", "--period", "2026-02", "--format", "pdf", "--out", nothing)
        assert (told.exit_code, "没有装做 PDF 的组件" in told.stderr, nothing.exists()) == (1, True, False)
    assert "2026年2月没有诉求" in (tmp_path / "通报.html").read_text(encoding="utf-8")
    assert json.loads(healthy("verify", "--json").stdout)["assessments"] == {"periods": 1, "broken": [], "drifted": []}


def test_credit_is_added_once_shown_and_ended(healthy: Run) -> None:
    unit = json.loads(healthy("score", "kuiwen", "--period", "2026-03", "--dry-run", "--json").stdout)["items"][0][
        "subject"
    ]
    add = (
        "credit",
        "add",
        unit,
        "four_star",
        "--scheme",
        "kuiwen",
        "--reason",
        "省级质量标杆",
        "--cause",
        "鲁建〔2026〕1号",
    )
    made = healthy(*add, "--json")
    row = json.loads(made.stdout)["id"]
    again = healthy(*add)
    assert (again.exit_code, "这个事由已经记过" in again.stderr) == (1, True)
    shown = json.loads(healthy("credit", "show", unit, "--json").stdout)
    assert shown["ledgers"][0]["points"] == "103"
    assert (
        json.loads(healthy("credit", "show", unit, "--on", "2027-03-02", "--json").stdout)["ledgers"][0]["points"]
        == "100"
    )
    assert healthy("credit", "expire", row, "--reason", "记错了").exit_code == 0
    assert healthy("credit", "expire", row, "--reason", "记错了").exit_code == 1
    shown = json.loads(healthy("credit", "show", unit, "--json").stdout)
    assert shown["ledgers"][0]["points"] == "100"
    assert "终止记录" in healthy("credit", "show", unit).stdout
    assert healthy("credit", "add", unit, "nothing", "--scheme", "kuiwen", "--reason", "x").exit_code == 1
