"""`bulletin check`: silent and 0 where all is right, a line each and 1 where not; no database, no data folder."""

import json
from pathlib import Path

import pytest
from tests.domain.figures.test_anomalies import CLEAN
from typer.testing import CliRunner, Result

from wuye_loop.cli import app


def check(folder: Path, text: str, *flags: str) -> Result:
    file = folder / "三月.json"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["bulletin", "check", str(file), *flags], catch_exceptions=False)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WUYE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_right_bulletin_is_silent(tmp_path: Path, flags: tuple[str, ...]) -> None:
    told = check(tmp_path, CLEAN, *flags)
    assert (told.exit_code, told.stdout, told.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["三月.json"]


def test_findings_are_a_line_each_with_the_digits_that_were_printed(tmp_path: Path) -> None:
    wrong = CLEAN.replace("76.95", "77.00").replace("2.56", "2.49")
    told = check(tmp_path, wrong, "--json")
    assert told.exit_code == 1
    lines = [json.loads(line, parse_float=str) for line in told.stdout.splitlines()]
    assert [set(line) for line in lines] == [{"where", "published", "right", "problem"}] * 2
    assert [(line["where"], line["published"], line["right"]) for line in lines] == [
        ("rates/办结率", "77.00", "76.95"),
        ("growth/受理量", "2.49", "2.56"),
    ]
    words = check(tmp_path, wrong)
    assert words.exit_code == 1
    assert words.stdout.splitlines()[0].startswith("rates/办结率: 印的是 77.00，应为 76.95：")


def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    told = check(tmp_path, '{"counts": {"a": "一"}}')
    assert (told.exit_code, told.stdout) == (1, "")
    assert "counts/a 要写数" in told.stderr


def test_a_key_that_nobody_reads_is_remarked(tmp_path: Path) -> None:
    told = check(tmp_path, '{"percentage": []}')
    assert told.exit_code == 0
    assert "不认识的键“percentage”" in told.stderr
