import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuye_loop.domain.time.spans import Span, TimeUnit

spans = st.builds(
    Span, st.integers(-10_000, 10_000), st.sampled_from([unit for unit in TimeUnit if unit != "month"])
) | (st.builds(Span, st.integers(-600, 600), st.just(TimeUnit.MONTH)))


@pytest.mark.parametrize(
    ("text", "n", "unit", "canonical"),
    [
        ("5 workdays", 5, TimeUnit.WORKDAY, "5 workdays"),
        ("1 workday", 1, TimeUnit.WORKDAY, "1 workday"),
        ("-1 workday", -1, TimeUnit.WORKDAY, "-1 workday"),
        ("+2 workdays", 2, TimeUnit.WORKDAY, "2 workdays"),
        ("30 minutes", 30, TimeUnit.MINUTE, "30 minutes"),
        ("2 hours", 2, TimeUnit.HOUR, "2 hours"),
        ("1 month", 1, TimeUnit.MONTH, "1 month"),
        ("10 days", 10, TimeUnit.DAY, "10 days"),
        (" 4  workhours ", 4, TimeUnit.WORKHOUR, "4 workhours"),
        ("0 days", 0, TimeUnit.DAY, "0 days"),
    ],
)
def test_a_span_is_read_as_it_is_written(text: str, n: int, unit: TimeUnit, canonical: str) -> None:
    assert Span.parse(text) == Span(n, unit)
    assert str(Span.parse(text)) == canonical


@given(spans)
def test_a_written_span_reads_back_as_itself(span: Span) -> None:
    assert Span.parse(str(span)) == span


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "workdays",
        "5 weeks",
        "5workdays",
        "7 天",
        "2 小时",
        "1.5 hours",
        "five days",
        "５ days",
        "5 DAYS",
        "--1 day",
        "1e3 days",
        "5 days\n5 days",
    ],
)
def test_what_is_no_span_is_refused_with_the_units_that_exist(text: str) -> None:
    with pytest.raises(
        ValueError,
        match="要写一段时间：写数字和单位，如 5 workdays、24 hours；单位只有 minutes、hours、days、workhours、workdays、months",
    ):
        Span.parse(text)


@pytest.mark.parametrize("text", ["10001 days", "-10001 workdays"])
def test_a_span_beyond_ten_thousand_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="最多 10000"):
        Span.parse(text)


@pytest.mark.parametrize("text", ["601 months", "-601 months", "10000 months"])
def test_more_months_than_fifty_years_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="最多 600"):
        Span.parse(text)


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("5 workdays", "5 个工作日"),
        ("2 hours", "2 小时"),
        ("1 month", "1 个月"),
        ("30 minutes", "30 分钟"),
        ("10 days", "10 日"),
        ("4 workhours", "4 个工作小时"),
    ],
)
def test_a_span_speaks_chinese_to_its_reader(text: str, chinese: str) -> None:
    assert Span.parse(text).chinese == chinese


def test_only_workhours_and_workdays_pass_in_office_time() -> None:
    assert {unit for unit in TimeUnit if Span(1, unit).working} == {TimeUnit.WORKHOUR, TimeUnit.WORKDAY}
