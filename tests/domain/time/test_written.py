import csv
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tests import ROOT

from wuye_loop.domain.time.written import read_instant

ZONE = ZoneInfo("Asia/Shanghai")
NINE = datetime(2026, 11, 20, 1, 5, tzinfo=UTC)
#: What each row of the case writes, by hand: the wall in China; None is no time.
CASE = (
    "11-20 09:05", "11-20 09:05", "11-02 09:05", "01-03 09:05", "11-20 09:05", "01-03 09:05:07", "11-20 09:05", "11-20 09:05",
    "11-20 09:05", "11-20 09:05", "11-20 09:05:30", "11-20 09:05", "11-20 09:05:00.123", "11-20 09:05", "11-20 09:05",
    "11-20 09:05", "11-20 00:00", "11-20 09:05", "11-20 15:05", "11-20 09:05", "11-20 09:05", "11-20 00:00", "11-20 09:05",
    "11-20 00:00", "11-20 09:05", "11-20 09:05", "2025-11-20 09:05", None, None, None, None, "11-21 00:00", "11-21 00:00",
)  # fmt: skip


def test_every_spelling_of_the_case_is_read_as_its_writer_meant_it() -> None:
    with (ROOT / "tests" / "cases" / "05-times.csv").open(encoding="utf-8-sig", newline="") as file:
        written = [row["来电时间"] for row in csv.DictReader(file)]
    expected = [
        None if one is None else datetime.fromisoformat(one if one[:2] == "20" else f"2026-{one}").replace(tzinfo=ZONE)
        for one in CASE
    ]
    assert [read_instant(text, ZONE) for text in written] == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 9:05 AM", "2026年11月20日 上午9点05分", "2026年11月20日 星期五 09:05", "20-Nov-2026 09:05",
        "Nov 20, 2026 9:05 AM", "2026-11-20T01:05:00Z", "2026-11-20 09:05:00 +0800", "2026-11-20 09:05:00+08:00",
        "202611200905", "2026年11月20号9时5分", "Fri, 20 Nov 2026 01:05:00 GMT", "20/11/2026 09:05", "46346.378472",
        "1795136700", "２０２６－１１－２０　０９：０５", "2026/11/20, 9:05:00 AM", "2026年11月20日（周五）9:05",
    ],
)  # fmt: skip
def test_other_spellings_of_the_same_minute(text: str) -> None:
    assert read_instant(text, ZONE) == NINE


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("2026-11-20 12:30 AM", "00:30"), ("2026-11-20 中午12:30", "12:30"), ("2026-11-20 下午1点", "13:00"),
        ("2026-11-20 晚上8点半", "20:30"), ("2026-11-20 凌晨1:05", "01:05"), ("2026/11/20 下午15:05", "15:05"),
        ("2026-11-20 12:05 pm", "12:05"), ("2026-11-20 8时", "08:00"),
    ],
)  # fmt: skip
def test_halves_of_the_day(text: str, wall: str) -> None:
    at = read_instant(text, ZONE)
    assert at is not None
    assert f"{at.astimezone(ZONE):%H:%M}" == wall


@pytest.mark.parametrize(
    "text",
    [
        "", "昨天", "12", "—", "5/6/2026", "2026-02-30", "2026-11-20 25:00", "2026-11-20 24:01", "2026-11-20 09:60",
        "2026-11-20 9", "2026-11-20 09.05", "2026年11月", "1066-01-01", "0000-00-00 00:00:00", "99999", "2026-13-01", "上午",
        "2026-11-20 " + "9" * 300, "٢٠٢٦x",
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_instant(text, ZONE) is None
