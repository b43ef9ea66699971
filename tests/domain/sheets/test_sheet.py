import io
from itertools import count

import pytest
from tests.domain.sheets.sheets import HEADER, fates, sheet

from wuye_loop.cli.order_rows import NAMES
from wuye_loop.domain.sheets.limits import BadSheet, Bounds
from wuye_loop.domain.sheets.sheet import Reading, open_sheet

GOOD = "20261120000{:03d},路灯,路灯不亮,2026-11-20 09:00:00,E0101"


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        ([GOOD.format(1), GOOD.format(2) + ",,,"], [2, 3]),
        ([GOOD.format(1) + ",多", GOOD.format(2)], [3]),
        (["20261120000001,路灯,路灯不亮", GOOD.format(2)], [3]),
        (['20261120000001,"路灯,不亮","说""好""了\n还没修",2026-11-20,E0101', GOOD.format(2)], [2, 4]),
        (['20261120000001,路灯,""水管"爆裂",2026-11-20,E0101', GOOD.format(2)], [3]),
        ([GOOD.format(1), '20261120000002,水,"爆裂,2026-11-20,E0101', GOOD.format(3)], [2]),
        (['20261120000001,水,"爆裂,2026-11-20,E0101', GOOD.format(2), '20261120000003,"灯",x,2026-11-20,E0101'], []),
        (['20261120000001,水,"爆裂,2026-11-20,E0101', GOOD.format(2), '20261120000003,灯,不亮",2026-11-20,E0101'], []),
        ([GOOD.format(1), "", ",,,,", GOOD.format(2)], [2, 3, 4, 5]),
        ([GOOD.format(1), "合计,1件,,,"], [2]),
        ([GOOD.format(1), "制表人：甲"], [2]),
    ],
    ids=count(1),
)
def test_a_row_of_another_shape_is_refused_and_no_other(rows: list[str], taken: list[int]) -> None:
    text = "\n".join([HEADER, *rows]) + "\n"
    assert [line for line, good in fates(sheet(text)) if good] == taken


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        (["20261120000001,停梯,三号楼停梯。", "另有老人被困在五楼", "20261120000002,路灯,不亮"], [4]),
        (["20261120000001,停梯,三号楼停梯。", "另有老人,被困在五楼,请速派人", "20261120000002,路灯,不亮"], [4]),
        (["20261120000001,停梯,三号楼停梯。", "20261120000002,路灯", "20261120000003,路灯,不亮"], [2, 4]),
        (["20261120000001,停梯,三号楼停梯。", "合计：1 件"], [2]),
    ],
    ids=count(1),
)
def test_a_sentence_that_a_line_break_has_cut_is_not_half_taken(rows: list[str], taken: list[int]) -> None:
    found = sheet("\n".join(["工单编号,诉求标题,诉求内容", *rows]))
    assert [line for line, good in fates(found) if good] == taken


def test_a_carriage_return_alone_ends_a_line_and_a_quoted_one_does_not() -> None:
    found = list(sheet('编号,内容\r1,"甲\r\n乙"\r2,丙\r').lines("编号"))
    assert [line.cells for line in found] == [["1", "甲\r\n乙".replace("\r\n", "\n")], ["2", "丙"]]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_and_the_header_s_row_are_found_by_the_names_that_are_known(delimiter: str) -> None:
    lines = [
        "某区热线汇总表",
        "统计时间：2026-11-20",
        "",
        HEADER.replace(",", delimiter),
        GOOD.format(1).replace(",", delimiter),
    ]
    found = sheet("\n".join(lines))
    assert (found.header_row, found.header[0]) == (4, "工单编号")
    assert fates(found) == [(5, True)]


def test_whoever_insists_is_obeyed() -> None:
    text = "编号,标题\n编号;标题;内容\n1;a;b"
    assert sheet(text, header_row=2, delimiter=";").header == ("编号", "标题", "内容")
    with pytest.raises(BadSheet, match="没有第 9 行"):
        sheet(text, header_row=9)
    with pytest.raises(BadSheet, match="一个字符"):
        sheet(text, delimiter="::")


def test_what_is_no_sheet_is_said_in_words() -> None:
    for content, words in (
        (b"<html><table><tr>", "网页"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "旧的 xls"),
        (b"PK\x03\x04x", "xlsx"),
        ("编号,标题\n1,甲".encode("utf-16")[:-1], "不完整"),
    ):
        with pytest.raises(BadSheet, match=words):
            sheet(content)


def test_a_reading_has_bounds() -> None:
    text = HEADER + "\n" + "\n".join(GOOD.format(n) for n in range(50))
    with pytest.raises(BadSheet, match="超过 20 行"):
        fates(sheet(text, bounds=Bounds(rows=20)))
    with pytest.raises(BadSheet, match="超过 99 格"):
        fates(sheet(text, bounds=Bounds(cells=99)))
    assert not fates(sheet(HEADER + "\n1,a," + "长" * 200 + ",,", bounds=Bounds(cell=100)))[0][1]


def test_only_a_reading_that_does_nothing_else_is_timed() -> None:
    text = (HEADER + "\n" + "\n".join(GOOD.format(n) for n in range(2000))).encode()
    ticks = count(step=1000)  # a thousand seconds from one look to the next; it looks every 512 rows
    found = open_sheet(
        lambda: io.BytesIO(text), "r.csv", NAMES, Reading(), bounds=Bounds(seconds=1_500), tick=lambda: next(ticks)
    )
    with pytest.raises(BadSheet, match="1500 秒"):
        fates(found)
    assert sum(1 for _ in found.lines(timed=False)) == 2000
