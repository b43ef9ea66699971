import csv
import gzip
import json
from pathlib import Path

import openpyxl
import pytest
from tests.cli.conftest import Run

from wuye_loop.cli.order_rows import BadColumns, BadRow, columns_of, order_of
from wuye_loop.cli.output import ZONE, Refused
from wuye_loop.cli.spreadsheet import table
from wuye_loop.domain.grievance.order import IntakeForm

HEADER = ["message_id", "user_id", "title", "created_at", "detail"]
COLUMNS = columns_of(HEADER)
ROW = {"message_id": "7", "user_id": "A1", "title": "停水", "created_at": "2019-08-19 11:48:23", "detail": "三天了"}


def form_of(row: dict[str, str], kind: str = "投诉") -> IntakeForm:
    return order_of(row, COLUMNS, channel="网络", kind=kind, zone=ZONE).form


def form(**changes: str) -> object:
    return form_of({**ROW, **changes}).model_dump(mode="json")


def test_columns_are_found_by_their_names_in_either_language() -> None:
    assert COLUMNS == {"external_id": "message_id", "title": "title", "occurred_at": "created_at", "body": "detail"}
    chinese = columns_of(["工单编号", " 诉求内容 ".strip(), "小区名称", "联系电话", "Title"])
    assert chinese == {
        "external_id": "工单编号", "body": "诉求内容", "estate": "小区名称", "complainant.phone": "联系电话", "title": "Title",
    }  # fmt: skip
    assert columns_of(["a", "b"], ["external_id=a", "body=b"]) == {"external_id": "a", "body": "b"}


@pytest.mark.parametrize(
    ("header", "given", "words"),
    [
        (["标题"], [], "没有找到编号列"),
        (["编号"], [], "没有找到标题或内容列"),
        (["编号", "标题"], ["colour=标题"], "没有字段 colour"),
        (["编号", "标题"], ["body=内容"], "没有列 内容"),
    ],
)
def test_a_table_that_cannot_be_mapped_is_refused_in_words(header: list[str], given: list[str], words: str) -> None:
    with pytest.raises(BadColumns, match=words):
        columns_of(header, given)


def test_a_row_becomes_a_form_with_what_the_table_does_not_say() -> None:
    made = form_of(ROW)
    assert (made.external_id, made.title, made.body, made.channel, made.kind) == ("7", "停水", "三天了", "网络", "投诉")
    assert made.occurred_at == "2019-08-19T03:48:23Z"
    assert made.extra == {}


@pytest.mark.parametrize(
    "written", ["2019/8/19 11:48:23", "2019-08-19T03:48:23Z", "2019-08-19T11:48:23", "2019年8月19日 11:48:23"]
)
def test_a_time_without_a_zone_is_chinese_time(written: str) -> None:
    assert form(created_at=written) == form()


def test_the_beginning_of_the_body_stands_for_a_missing_title() -> None:
    made = form_of({**ROW, "title": "", "detail": "长" * 100})
    assert made.title == "长" * 40


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"message_id": ""}, "message_id：过短"),
        ({"title": "长" * 201}, "title：过长"),
        ({"detail": "a\x00b"}, "detail：含有不允许的控制字符"),
        ({"message_id": "2.02611E+15"}, "message_id：编号已被表格改写成数字"),
        ({"title": "", "detail": " "}, "过短"),
    ],
)
def test_a_bad_row_is_told_by_column_and_reason(changes: dict[str, str], words: str) -> None:
    with pytest.raises(BadRow) as refused:
        form(**changes)
    assert words in str(refused.value)


def write(path: Path, rows: list[list[object]]) -> Path:
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(path)
    else:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "wt", encoding="gb18030" if "gbk" in path.name else "utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return path


@pytest.mark.parametrize("name", ["r.csv", "r.csv.gz", "r-gbk.csv", "r.xlsx"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, [["编号", "内容"], [1, "第一行\n第二行"], ["", ""], ["二", "x\u2028y\x85z"]])
    with table(file) as (header, lines):
        rows = [{key: str(value) for key, value in row.items()} for _, row in lines]
    assert header == ["编号", "内容"]
    assert rows == [{"编号": "1", "内容": "第一行\n第二行"}, {"编号": "二", "内容": "x\u2028y\x85z"}]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.xlsx", b"not a workbook", "不是可读的 xlsx"),
        ("r.xls", b"", "先另存为"),
        ("r.csv.gz", b"not gzip", "gzip"),
        pytest.param("r.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99)[:-12], "gzip", id="gzip cut short"),
        ("r.csv", b"", "第一行应是列名"),
        ("r.csv", b"a,a\n1,2", "列名有重复：a"),
        ("r.csv", b"a\n\xff\xff\xff", "编码"),
        ("r.csv", b"a\n" + b"x" * 200_000, "不是合法的 CSV"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Refused, match=words), table(file) as (_, rows):
        list(rows)


def test_an_import_takes_every_good_row_once_and_writes_the_others_beside_the_file(run: Run, tmp_path: Path) -> None:
    run("directory", "load", "--demo")
    file = write(
        tmp_path / "r.csv",
        [
            ["编号", "标题", "内容", "小区", "属地编码", "备注"],
            ["1", "停水", "三天了", "E0101", "", "x"],
            ["2", "停电", "三天了", "", "370705001", "x"],
            ["3", "停暖", "三天了", "", "没有这里", "x"],
            ["", "无编号", "三天了", "", "", "x"],
        ],
    )
    first = run("import", file)
    assert first.exit_code == 0
    assert "新收 2 件，已有 0 件，不合格 2 行" in first.stdout
    assert "没有用到：备注" in first.stderr
    bad = tmp_path / "r.csv.bad.csv"
    assert bad.stat().st_mode & 0o777 == 0o600
    lines = list(csv.DictReader(bad.read_text("utf-8-sig").splitlines()))
    assert {(line["行号"], line["标题"]) for line in lines} == {("4", "停暖"), ("5", "无编号")}
    assert all(line["原因"] for line in lines)
    again = json.loads(run("import", file, "--json").stdout)
    assert (again["new"], again["same"], again["bad"]) == (0, 2, 2)
    elsewhere = json.loads(run("import", file, "--json", "--source", "wx").stdout)
    assert elsewhere["new"] == 2


def test_another_text_under_a_known_number_is_a_bad_row(healthy: Run, tmp_path: Path) -> None:
    changed = write(tmp_path / "r.csv", [["编号", "标题", "内容"], ["1", "甲", "停电"]])
    result = json.loads(healthy("import", changed, "--json").stdout)
    assert (result["new"], result["same"], result["bad"]) == (0, 0, 1)
    mended = write(tmp_path / "r.csv", [["编号", "标题", "内容"], ["1", "甲", "停水"]])
    assert json.loads(healthy("import", mended, "--json").stdout) == {
        "rows": 1, "new": 0, "same": 1, "bad": 0, "blank": 0, "flagged": 0, "bad_file": None,
    }  # fmt: skip
    assert not (tmp_path / "r.csv.bad.csv").exists()
