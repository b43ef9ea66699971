"""`wuye-loop strike` on a sheet, without an installation."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from wuye_loop.cli import app

SHEET = (
    "编号,姓名,电话,地址,内容,备注\n"
    '1,慕容雪梅女士,13912345678,幸福苑3号楼2单元2907,"我是慕容雪梅，29-07漏水，收费2907元",wx:abcde1\n'
    "2,,,,每月1350元没有发票,无\n"
)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text(SHEET, encoding="utf-8-sig")
    return file


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["strike", *words])


def test_the_report_says_what_is_struck_and_what_with_digits_stays(sheet: Path) -> None:
    done = run(str(sheet), "--report")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "抹去 第 2 行 内容 姓名：我是⟦慕容雪梅⟧，29-07漏水，收",
        "抹去 第 2 行 内容 房号：我是慕容雪梅，⟦29-07⟧漏水，收费2907元",
        "抹去 第 2 行 备注 微信、QQ：wx:⟦abcde1⟧",
        "留下 第 2 行 内容：29-07漏水，收费⟦2907⟧元",
        "留下 第 3 行 内容：每月⟦1350⟧元没有发票",
        "2 行，抹去 3 处（姓名 1、房号 1、微信、QQ 1），带数字而留下 2 处",
    ]


def test_the_report_for_a_program_says_the_same(sheet: Path) -> None:
    told = json.loads(run(str(sheet), "--report", "--json").stdout)
    assert (told["rows"], told["counts"]) == (2, {"姓名": 1, "房号": 1, "微信、QQ": 1})
    assert [one["text"] for one in told["struck"]] == ["慕容雪梅", "29-07", "abcde1"]
    assert [(one["line"], one["text"]) for one in told["kept"]] == [(2, "2907"), (3, "1350")]


def test_without_a_report_the_sheet_is_written_out_struck(sheet: Path) -> None:
    rows = list(csv.reader(io.StringIO(run(str(sheet)).stdout)))
    assert rows[1] == ["1", "***", "***", "***", "我是***，***漏水，收费2907元", "wx:***"]
    assert rows[2] == ["2", "", "", "", "每月1350元没有发票", "无"]
    assert sheet.read_text(encoding="utf-8-sig") == SHEET


def test_what_is_no_sheet_is_told_in_words(tmp_path: Path) -> None:
    done = run(str(tmp_path / "none.csv"))
    assert done.exit_code == 1
    assert "无法打开" in done.stderr


def test_columns_are_known_in_every_spelling_that_import_knows(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(SHEET.replace("姓名,电话,地址", "姓 名（必填）,电话*,地址:"), encoding="utf-8-sig")
    done = run(str(file), "--report")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "2 行，抹去 3 处（姓名 1、房号 1、微信、QQ 1），带数字而留下 2 处"
