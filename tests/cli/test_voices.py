"""`voices`: a list of scores is entered, each voice once; what may not be entered stands beside it with the reason."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.assessing import scheme_text
from tests.cli.conftest import Run

from wuye_loop.domain.assessment.opening import parse_scheme

ENTER = ("voices", "kuiwen", "--period", "2026-03", "--input")


def written(path: Path, *rows: tuple[object, ...]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def companies(healthy: Run) -> list[dict[str, Any]]:
    """Two companies, each in one of the streets that it is in."""
    shown = json.loads(healthy("score", "kuiwen", "--period", "2026-03", "--dry-run", "--json").stdout)["items"]
    first = shown[0]
    return [first, next(row for row in shown if row["subject"] != first["subject"])]


def test_a_list_of_owners_is_entered_once_each_and_what_is_not_is_told(
    healthy: Run, companies: list[dict[str, Any]], tmp_path: Path
) -> None:
    one, other = companies[:2]
    head = ("企业", "街道", "户", "评分")
    sheet = written(
        tmp_path / "业主.csv",
        head,
        (one["subject"], one["peer"], "1-101", 90),
        (one["subject_name"], one["peer_name"], "1-102", "70.5"),
        (other["subject"], other["peer"], "2-101", 101),
        ("没有的物业", "", "3-101", 80),
        (other["subject"], other["peer"], "", 80),
        (other["subject"], other["peer"], "2-102", "很好"),
        (one["subject"], one["peer"], "1-101", 60),  # the same flat again: it has changed its mind
        ("", "", "", ""),
    )
    made = healthy(*ENTER, "owners", sheet, "--json")
    assert made.exit_code == 1
    told = json.loads(made.stdout)
    bad = Path(told.pop("bad_file"))
    assert told == {"rows": 8, "new": 2, "changed": 1, "bad": 4, "blank": 1}
    with bad.open(encoding="utf-8-sig", newline="") as file:
        refused = [(row["行号"], row["原因"]) for row in csv.DictReader(file)]
    assert refused == [
        ("4", "评分要在 0 与 100 之间"),
        ("5", "企业：没有这个编码或名称"),
        ("6", "户是空的"),
        ("7", "评分不是数字"),
    ]
    good = written(tmp_path / "再来.csv", head, (one["subject"], one["peer"], "1-103", 80))
    again = healthy(*ENTER, "owners", good)
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "共 1 行：新记 1，更改 0，空行 0，未收 0")
    assert healthy(*ENTER, "owners", good).stdout.splitlines()[-1].startswith("共 1 行：新记 0，更改 1")


def test_a_checklist_is_read_item_by_item_and_a_list_without_its_columns_is_refused(
    healthy: Run, companies: list[dict[str, Any]], tmp_path: Path
) -> None:
    (one, *_) = companies
    most = parse_scheme(scheme_text("kuiwen@1"), "kuiwen@1").inputs["inspection"].sheet
    items, good = tuple(most), tuple(most.values())
    assert (len(items), sum(good)) == (51, 100)
    whose = (one["subject"], one["peer"])
    sheet = written(
        tmp_path / "巡查.csv",
        ("企业", "街道", *items),
        *((*whose, *points) for points in (good, (good[0] + 1, *good[1:]))),
    )
    made = healthy(*ENTER, "inspection", sheet, "--json")
    assert json.loads(made.stdout)["new"] == 1
    assert "企业资质和人员公示要在 0 与 2 之间" in (tmp_path / "巡查.csv.bad.csv").read_text(encoding="utf-8-sig")
    short = written(tmp_path / "少.csv", ("企业", *items[:-2]), (one["subject"], *good[:-2]))
    refused = healthy(*ENTER, "inspection", short)
    assert refused.exit_code == 1
    assert "表里没有这些列：配合业委会；志愿服务" in refused.stderr
    assert "考核办法里没有这个评分；可写：owners、inspection" in healthy(*ENTER, "nobody", sheet).stderr
