"""Sheets that people really sent, and what must become of each: files of tests/cases, and others of the same kinds."""

import csv
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests import ROOT
from tests.cli.conftest import Run, copied

CASES = ROOT / "tests" / "cases"
Count = tuple[int, int, int, int]  # new, known, refused, blank


@pytest.fixture(scope="module")
def city(lived_in: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run a command on an installation that these tests share: each names a source of its own, so ids never meet."""
    with copied(lived_in, tmp_path_factory.mktemp("city")) as command:
        yield command


def taken(city: Run, file: Path, *options: str | Path, source: str) -> dict[str, Any]:
    done = city("import", file, "--json", "--source", source, *options)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("\n") == 1
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["rows"] == found["new"] + found["same"] + found["bad"] + found["blank"]
    return found


def counts(found: dict[str, Any]) -> Count:
    return found["new"], found["same"], found["bad"], found["blank"]


def here(folder: Path, name: str) -> Path:
    return Path(shutil.copy(CASES / name, folder / name))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("name", "expected", "lines"),
    [
        ("01-open-quote.csv", (1, 0, 11, 0), range(3, 14)),
        ("02-wide-row.csv", (1, 0, 1, 0), [2]),
        ("02b-wide-row-no-time.csv", (0, 0, 1, 0), [2]),
        ("03-sci-id.csv", (0, 0, 3, 0), [2, 3, 4]),
        ("04-guards.csv", (2, 7, 0, 0), []),
        ("06-title-rows-gbk.csv", (1, 0, 0, 0), []),
        ("11-formula.csv", (2, 0, 1, 0), [2]),
        ("14-nul.csv", (2, 0, 1, 0), [3]),
        ("15-raw-newline.csv", (1, 0, 2, 0), [2, 3]),
        ("20-title-rows.xlsx", (1, 0, 0, 0), []),
        ("21-numbers.xlsx", (2, 0, 2, 0), [3, 4]),
        ("22-merged-down.xlsx", (3, 0, 0, 0), []),
        ("23-two-sheets.xlsx", (1, 0, 0, 0), []),
        ("24b-dimension-A1-G5.xlsx", (10, 0, 0, 0), []),
        ("26-artefacts.xlsx", (2, 0, 0, 0), []),
        ("27-float-bad-row.xlsx", (1, 0, 0, 0), []),
    ],
)
def test_every_row_of_a_sent_file_is_taken_whole_or_refused_with_its_line(
    city: Run, tmp_path: Path, name: str, expected: Count, lines: Sequence[int]
) -> None:
    found = taken(city, here(tmp_path, name), source=name)
    assert counts(found) == expected
    if lines:
        assert [int(row["行号"]) for row in rows_of(Path(found["bad_file"]))] == list(lines)


def told(city: Run, file: Path, report: Path, source: str, *options: str) -> list[dict[str, str]]:
    """Import a file and return what its report says of every row."""
    taken(city, file, "--report", report, *options, source=source)
    return rows_of(report)


def test_every_spelling_of_a_time_is_read_and_what_is_none_is_a_flag_and_no_refusal(city: Run, tmp_path: Path) -> None:
    rows = told(city, here(tmp_path, "05-times.csv"), tmp_path / "report.csv", "times")
    assert [row["status"] for row in rows] == ["new"] * 33
    assert {int(row["row"]) - 2 for row in rows if row["flags"] == "unreadable-time"} == {27, 28, 29, 30}
    # The installation stands in March 2026: what it is told of November is yet to come.
    assert {int(row["row"]) - 2 for row in rows if row["flags"] == ""} == {3, 5, 26}
    assert {row["flags"] for row in rows} == {"", "unreadable-time", "future-time"}


def test_the_report_tells_every_row_and_flags_what_a_spreadsheet_has_damaged(city: Run, tmp_path: Path) -> None:
    rows = told(city, here(tmp_path, "26-artefacts.xlsx"), tmp_path / "report.csv", "report")
    assert list(rows[0]) == ["row", "external_id", "number", "status", "flags", "reason"]
    assert [(row["row"], row["external_id"], row["status"]) for row in rows] == [
        ("2", "20261120002601", "new"),
        ("3", "20261120002602", "new"),
    ]
    assert rows[0]["flags"] == "damaged-cell;damaged-phone"
    assert rows[0]["number"].startswith("WY")
    assert (tmp_path / "report.csv").stat().st_mode & 0o777 == 0o600
    refused = told(city, here(tmp_path, "15-raw-newline.csv"), tmp_path / "report.csv", "report")
    assert [row["status"] for row in refused] == ["refused", "refused", "new"]
    assert all("列" in row["reason"] for row in refused[:2])


def test_a_dry_run_says_what_would_be_taken_and_by_whom_and_takes_nothing(city: Run, tmp_path: Path) -> None:
    file = here(tmp_path, "04-guards.csv")
    for _ in range(2):
        found = taken(city, file, "--dry-run", source="dry")
        assert counts(found) == (2, 7, 0, 0)
        assert sum(row["count"] for row in found["routing"]) == 2
    shown = city("import", file, "--source", "dry", "--dry-run")
    assert "会新收 2 件" in shown.stdout
    assert "核对：表里 9 行 = 新收 2 + 已有 7 + 不合格 0 + 空行 0" in shown.stdout
    assert counts(taken(city, file, source="dry")) == (2, 7, 0, 0)


def test_another_sheet_and_another_header_are_read_when_somebody_insists(city: Run, tmp_path: Path) -> None:
    file = here(tmp_path, "23-two-sheets.xlsx")
    first = city("import", file, "--source", "sheets")
    assert "没有读：11月中旬" in first.stderr
    assert counts(taken(city, file, "--sheet", "11月中旬", source="sheets")) == (1, 0, 0, 0)
    assert counts(taken(city, here(tmp_path, "20-title-rows.xlsx"), "--header-row", "3", source="sheets")) == (
        1,
        0,
        0,
        0,
    )
    big5 = tmp_path / "big5.csv"
    big5.write_bytes("編號;標題;內容\n9;電梯停運;三號樓電梯停運兩天，老人無法下樓\n".encode("big5"))
    options = ("--map", "external_id=編號", "--map", "title=標題", "--map", "body=內容", "--delimiter", ";")
    refused = city("import", big5, *options)
    assert refused.exit_code == 1
    assert "--encoding big5" in refused.stderr
    assert counts(taken(city, big5, *options, "--encoding", "big5", source="sheets")) == (1, 0, 0, 0)


def test_refused_rows_are_taken_once_they_are_mended_in_the_file_that_they_were_written_to(
    city: Run, tmp_path: Path
) -> None:
    found = taken(city, here(tmp_path, "11-formula.csv"), source="mend")
    bad = Path(found["bad_file"])
    (row,) = rows_of(bad)
    assert row["诉求标题"] == "'=cmd|' /C calc'!A0"
    again = taken(city, bad, source="mend")
    assert counts(again) == (0, 0, 1, 0)
    assert rows_of(Path(again["bad_file"]))[0]["诉求标题"] == row["诉求标题"]
    mended = bad.read_text(encoding="utf-8-sig").replace(f"{row['原因']},,", f"{row['原因']},20261120001103,")
    bad.write_text(mended, encoding="utf-8-sig")
    assert counts(taken(city, bad, source="mend")) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "off", "works"),
    [("40-cal-rest.csv", 2, 1), ("40c-cal-slash.csv", 1, 0), ("40d-cal-gbk.csv", 2, 0), ("41-notice-2027-a.csv", 4, 1)],
)
def test_a_notice_says_how_many_days_are_off_and_how_many_are_worked(
    city: Run, name: str, off: int, works: int
) -> None:
    found = json.loads(city("calendar", "import", CASES / name, "--dry-run", "--json").stdout)
    assert (found["off"], found["works"], found["days"], found["years"]) == (off, works, off + works, [2027])


def test_a_corrected_notice_replaces_its_year_and_tells_which_days_fell_out(healthy: Run) -> None:
    healthy("calendar", "import", CASES / "41-notice-2027-a.csv", "--yes")
    told = healthy("calendar", "import", CASES / "41-notice-2027-b.csv", "--yes")
    assert "撤销的日子：2027-01-03" in told.stderr
    days = {
        day["date"]: day["works"] for day in json.loads(healthy("calendar", "show", "2027", "--json").stdout)["days"]
    }
    assert "2027-01-03" not in days
    assert days["2027-01-04"] is False
    partial = healthy("calendar", "import", CASES / "40c-cal-slash.csv", "--yes")
    assert "原有的另外 3 天不动" in partial.stderr
    after = {day["date"] for day in json.loads(healthy("calendar", "show", "2027", "--json").stdout)["days"]}
    assert after == set(days)


def test_a_mended_row_supersedes_the_damaged_one_that_was_taken_and_says_so_in_the_ledger(
    city: Run, tmp_path: Path
) -> None:
    file = tmp_path / "r.csv"
    file.write_text("编号,标题,内容,小区\n7,停梯,三号楼停梯,E0101\n8,路灯,不亮,E0101\n", encoding="utf-8")
    assert counts(taken(city, file, source="mended")) == (2, 0, 0, 0)
    file.write_text("编号,标题,内容,小区\n7,停梯,三号楼停梯，有人被困,E0102\n8,路灯,不亮,E0101\n", encoding="utf-8")
    assert counts(taken(city, file, source="mended")) == (0, 1, 1, 0)
    report = tmp_path / "report.csv"
    dry = taken(city, file, "--supersede", "--dry-run", source="mended")
    assert (counts(dry), dry["corrected"]) == ((0, 2, 0, 0), 1)
    found = taken(city, file, "--supersede", "--report", report, source="mended")
    assert (counts(found), found["corrected"]) == ((0, 2, 0, 0), 1)
    rows = rows_of(report)
    assert [row["status"] for row in rows] == ["corrected", "known"]
    assert "red-line" in rows[0]["flags"]
    assert taken(city, file, "--supersede", source="mended")["corrected"] == 0
    verified = json.loads(city("verify", "--json").stdout)
    assert (verified["drift"], verified["chain_ok"]) == (0, True)


def test_two_estates_of_one_name_are_not_guessed_between(city: Run, tmp_path: Path) -> None:
    assert city("directory", "load", CASES / "60-same-name-estates.yaml").exit_code == 0
    sheet, report = tmp_path / "orders.csv", tmp_path / "report.csv"
    sheet.write_text(
        "工单编号,来电类型,标题,内容,小区名称\nC60,投诉,路灯不亮,三号楼前的路灯不亮,阳光花园\n", encoding="utf-8"
    )
    assert counts(taken(city, sheet, "--report", report, source="c60")) == (1, 0, 0, 0)
    (row,) = rows_of(report)
    assert "unknown-estate" in row["flags"]
    assert "several-estates" in row["flags"]
