"""A published bulletin's figures, worked by hand: each wrong one is told with what would be right; a right one is silent."""

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuye_loop.domain.figures.anomalies import Anomaly, anomalies, spoken
from wuye_loop.domain.figures.exact import cut_off, digits, half_up, percent, pushed_up
from wuye_loop.domain.figures.published import UnreadableBulletin, read_published

CLEAN = """{"title": "某市通报", "period": "2026-03",
 "counts": {"total": 9230, "phone": 8947, "web": 255, "mail": 28, "closed": 1936, "due": 2516},
 "sums": [{"name": "按渠道", "of": "total", "parts": {"phone": "phone", "web": "web", "mail": "mail"}},
          {"name": "按类型", "of": "total", "parts": {"投诉": 4733, "咨询": 3162, "其他": 1335}}],
 "percentages": [{"name": "按类型", "of": "total", "decimals": 2,
   "parts": {"投诉": [4733, 51.28], "咨询": [3162, 34.26], "其他": [1335, 14.46]}}],
 "rates": [{"name": "办结率", "value": 76.95, "numerator": "closed", "denominator": "due"}],
 "growth": [{"name": "受理量", "now": 9230, "before": 9000, "percent": 2.56}],
 "ranks": [{"name": "得分", "order": "descending", "rows": [["甲区", 97.57, 1], ["乙区", 94.65, 2]]}]}"""


def found(text: str | Mapping[str, Any]) -> list[Anomaly]:
    raw = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    return anomalies(read_published(raw.encode(), "b.json"))


def one(text: str | Mapping[str, Any]) -> Anomaly:
    (only,) = found(text)
    return only


def test_a_right_bulletin_is_silent() -> None:
    assert found(CLEAN) == []
    assert found("{}") == []


COUNTS = {"total": 100, "phone": 60, "web": 30, "mail": 10, "closed": 80, "due": 90, "signed": 95}


def test_a_sum_that_falls_short_names_what_was_left_out() -> None:
    wrong = one({"counts": COUNTS, "sums": [{"name": "渠道", "of": "total", "parts": {"phone": "phone", "web": 30}}]})
    assert (wrong.where, wrong.published, wrong.right) == ("sums/渠道/total", 100, 90)
    assert "少 10，正好是没有列入的 mail" in wrong.problem
    assert "与 due（90） 相等，可能用错了总数" in wrong.problem


def test_a_part_counted_twice_is_named() -> None:
    parts = {"phone": 60, "web": 30, "mail": 10, "网页": 10}
    assert (
        "多 10，正好是 mail、网页，可能重复计入" in one({"sums": [{"name": "甲", "of": 100, "parts": parts}]}).problem
    )


def test_a_part_is_not_larger_than_its_whole() -> None:
    over, total = found({"counts": COUNTS, "sums": [{"of": "due", "parts": {"甲": 95}}]})
    assert (over.where, over.published) == ("sums[0]/甲", 95)
    assert "大于总数 due（90）" in over.problem
    assert (total.published, total.right) == (90, 95)


@pytest.mark.parametrize(
    ("printed", "right", "words"),
    [
        ("71.42", "71.43", "被截尾了"),  # 5/7 = 71.428571…
        ("71.44", "71.43", "以 7 为基数应为 71.43"),
        ("71.4", None, ""),
        ("71", None, ""),
        ("72", "71", "一律进位了"),
        ("71.429", None, ""),
        ("171.43", "71.43", "占比超过 100"),
    ],
)
def test_a_share_is_half_up_at_the_digits_it_was_written_with(printed: str, right: str | None, words: str) -> None:
    told = found(f'{{"percentages": [{{"name": "甲", "of": 7, "parts": {{"乙": [5, {printed}]}}}}]}}')
    if right is None:
        assert told == []
    else:
        assert [(one.published, one.right) for one in told] == [(Decimal(printed), Decimal(right))]
        assert words in told[0].problem


def test_where_decimals_are_given_they_count_and_not_the_zeros_that_a_program_drops() -> None:
    table = {"of": 200, "decimals": 2, "parts": {"甲": [29, 14.5], "乙": [171, 85.5]}}
    assert found({"percentages": [table]}) == []
    assert found('{"percentages": [{"of": 200, "parts": {"甲": [29, 14.50]}}]}') == []


def test_a_column_that_was_made_to_add_to_a_hundred_is_named_as_such() -> None:
    table = {"name": "甲", "of": 3, "decimals": 2, "parts": {"一": [1, 33.34], "二": [1, 33.33], "三": [1, 33.33]}}
    wrong = one({"percentages": [table]})
    assert (wrong.where, wrong.right) == ("percentages/甲/一", Decimal("33.33"))
    assert "为使合计等于 100 硬凑的" in wrong.problem
    fair = {**table, "parts": {"一": [1, 33.33], "二": [1, 33.33], "三": [1, 33.33]}}
    assert found({"percentages": [fair]}) == []


def test_a_column_lowered_to_a_hundred_is_forced_though_it_looks_truncated() -> None:
    # Sixths: 16.67 + 16.67 + 66.67 = 100.01; somebody made the last 66.66.
    parts = {"一": [1, 16.67], "二": [1, 16.67], "三": [4, 66.66]}
    wrong = one({"percentages": [{"name": "甲", "of": 6, "decimals": 2, "parts": parts}]})
    assert wrong.right == Decimal("66.67")
    assert "硬凑" in wrong.problem


def test_shares_of_another_base_name_it() -> None:
    parts = {"甲": [40, 50.00], "乙": [20, 25.00]}  # of the closed 80, not of all 100
    told = found({"counts": COUNTS, "percentages": [{"name": "类", "of": "total", "decimals": 2, "parts": parts}]})
    assert [(one.published, one.right) for one in told] == [(50, 40), (25, 20)]
    assert all("以 closed（80） 为基数，整列才对得上" in one.problem for one in told)


def test_a_column_of_a_hundred_with_parts_missing() -> None:
    parts = {"甲": [40, 50.00], "乙": [40, 50.00]}
    told = found({"percentages": [{"name": "类", "of": 100, "decimals": 2, "parts": parts}]})
    assert (told[-1].where, told[-1].published, told[-1].right) == ("percentages/类/合计", 100, 80)
    assert "缺 20" in told[-1].problem
    assert "各部分之和（80）" in told[0].problem


def test_parts_that_exceed_their_whole_together() -> None:
    parts = {"甲": [60, 60], "乙": [50, 50]}
    told = one({"percentages": [{"name": "类", "of": 100, "parts": parts}]})
    assert (told.where, told.published, told.right) == ("percentages/类/合计", 100, 110)


def test_a_part_that_two_tables_count_differently() -> None:
    told = one(
        {
            "sums": [{"name": "类", "of": 100, "parts": {"甲": 60, "乙": 40}}],
            "percentages": [{"name": "类", "of": 100, "parts": {"甲": [61, 61], "乙": [39, 39]}}],
        }
        | {"sums": [{"name": "类", "of": 100, "parts": {"甲": 60, "丙": 40}}]}
    )
    assert (told.where, told.published, told.right) == ("percentages/类/甲", 61, 60)


def rate(value: str, numerator: object, denominator: object) -> str:
    whole = {"name": "率", "numerator": numerator, "denominator": denominator, "value": "VALUE"}
    text = json.dumps({"counts": COUNTS, "rates": [whole]}, ensure_ascii=False)
    return text.replace('"VALUE"', value)


@pytest.mark.parametrize(
    ("value", "numerator", "denominator", "right", "words"),
    [
        ("84.21", "closed", "due", "88.89", "以 signed（95） 为基数才是 84.21"),
        ("88.88", "closed", "due", "88.89", "被截尾了"),
        ("0.8889", "closed", "due", "88.8889", "没有乘 100"),
        ("33.33", "web", "due", None, ""),
        ("94.74", "closed", "signed", "84.21", "分子若是 due（90） 才是 94.74"),
        ("80.00", "closed", "due", "88.89", "以 total（100） 为基数才是 80.00"),
        ("100", "closed", "due", "89", "还差 10 件"),
        ("100", 9999, 10000, "99.99", "还差 1 件"),
        ("100.00", 99999, 100000, "99.999", "进位成了 100"),
        ("112.5", "due", "closed", None, "率超过 100"),
        ("50", 1, 0, None, "应为空白"),
        ("100", "due", "due", None, "基数写错了"),
        ("101", None, None, None, "率要在 0 与 100 之间"),
        ("42.86", "web", "due", "33.33", "total−web（70）"),
        ("17.77", "web", "due", "33.33", "基数约为 169"),
    ],
)
def test_rates(value: str, numerator: object, denominator: object, right: str | None, words: str) -> None:
    told = found(rate(value, numerator, denominator))
    if not words:
        assert told == []
        return
    assert [one.published for one in told] == [Decimal(value)]
    assert told[0].right == (None if right is None else Decimal(right))
    assert words in told[0].problem


def test_a_blank_rate_of_nothing_is_right() -> None:
    assert found(rate("null", 0, 0)) == []


@pytest.mark.parametrize(
    ("percentage", "words"),
    [
        ("2.56", None),  # 230/9000 = 2.5555…
        ("2.6", None),
        ("2.55", "被截尾了"),
        ("2.49", "用了本期 9230 作基数"),
        ("-2.56", "升降写反了"),
        ("102.56", "写的是本期占上期的百分比"),
        ("230", "写的是增加的件数"),
        ("7.00", "应为 2.56"),
    ],
)
def test_growth(percentage: str, words: str | None) -> None:
    told = found(f'{{"growth": [{{"name": "量", "now": 9230, "before": 9000, "percent": {percentage}}}]}}')
    assert (told == []) == (words is None)
    if words is not None:
        assert words in told[0].problem


def test_growth_falls_half_away_from_zero_and_needs_a_base() -> None:
    assert found('{"growth": [{"now": 1999, "before": 2000, "percent": -0.1}]}') == []  # -0.05
    assert found('{"growth": [{"now": 5, "before": 0, "percent": null}]}') == []
    assert one('{"growth": [{"now": 5, "before": 0, "percent": 100}]}').right is None


@pytest.mark.parametrize(
    "rows",
    [
        [["甲", 90, 1], ["乙", 90, 1], ["丙", 80, 3]],
        [["甲", 90, 1], ["乙", 90, 1], ["丙", 80, 2]],
        [["甲", 90, 2], ["乙", 90, 1], ["丙", 80, 3]],
        [["丙", 80, 3], ["甲", 91, 1], ["乙", 90, 2]],
        [["丙", 60, 38], ["丁", 59, 39], ["戊", 58, 40]],
        [["甲", None, None], ["乙", 90, 1]],
    ],
)
def test_ranks_that_are_right_in_some_way_of_counting_ties(rows: list[list[object]]) -> None:
    assert found({"ranks": [{"name": "分", "rows": rows}]}) == []


def test_ranks_that_do_not_follow_from_the_scores() -> None:
    rows = [["甲", 90, 1], ["乙", 85, 3], ["丙", 88, 2], ["丁", 80, 3]]
    wrong = one({"ranks": [{"name": "分", "rows": rows}]})
    assert (wrong.where, wrong.published, wrong.right) == ("ranks/分/丁", 3, 4)
    assert "得分 80 应排第 4，排得高了" in wrong.problem
    swapped = found({"ranks": [{"name": "分", "rows": [["甲", 90, 2], ["乙", 85, 1]]}]})
    assert [(one.published, one.right) for one in swapped] == [(2, 1), (1, 2)]
    assert found({"ranks": [{"order": "ascending", "rows": [["甲", 90, 2], ["乙", 85, 1]]}]}) == []


def test_a_name_that_is_no_count_is_told_and_nothing_else_stops() -> None:
    told = found({"counts": COUNTS, "rates": [{"name": "率", "value": 1, "numerator": "clsed", "denominator": "due"}]})
    assert [(one.where, one.published) for one in told] == [("rates/率/numerator", "clsed")]


def test_an_anomaly_is_a_line_for_people() -> None:
    wrong = one('{"growth": [{"name": "量", "now": 3, "before": 2, "percent": 5}]}')
    assert spoken(wrong) == "growth/量: 印的是 5，应为 50：2 → 3 应为 50"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "文件 要写成 {…}"),
        ("{", "不是有效的 JSON"),
        ('{"counts": {"a": "1"}}', "counts/a 要写数"),
        ('{"counts": {"a": true}}', "counts/a 要写数"),
        ('{"counts": {"a": NaN}}', "NaN 不是数"),
        ('{"counts": {"a": 1e30}}', "太大"),
        ('{"counts": {"a": 1, "a": 2}}', "写了两次"),
        ('{"percentages": [{"parts": {"a": 1}}]}', "percentages[0]/a 要写成 […]"),
        ('{"percentages": [{"decimals": 1.5}]}', "decimals 要写 0 至 12 的整数"),
        ('{"ranks": [{"order": "up"}]}', "order 要写"),
        ('{"ranks": [{"rows": [["a", 1]]}]}', "[名称, 得分, 名次]"),
        ('{"ranks": [{"rows": [["a", 1, 1.5]]}]}', "名次要写整数"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_what_is_not_of_the_form_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(UnreadableBulletin, match=r"b\.json") as error:
        read_published(text.encode(), "b.json")
    assert words in str(error.value)


def test_a_file_of_another_encoding_is_refused_in_words() -> None:
    with pytest.raises(UnreadableBulletin, match="UTF-8"):
        read_published('{"title": "通报"}'.encode("gbk"), "b.json")
    assert anomalies(read_published(b"\xef\xbb\xbf{}", "b.json")) == []


# --- properties -----------------------------------------------------------------------------------------------------

counts = st.integers(0, 10**9).map(Decimal)
places = st.integers(0, 6)


@settings(deadline=None)  # costs are not what is tried
@given(counts, counts.filter(bool), places)
def test_half_up_is_within_half_a_unit_and_between_the_other_two(part: Decimal, base: Decimal, decimals: int) -> None:
    fair = percent(part, base)
    assert fair is not None
    printed = half_up(fair, decimals)
    assert abs(Fraction(printed) - fair) * 2 <= Fraction(1, 10**decimals)
    assert cut_off(fair, decimals) <= printed <= pushed_up(fair, decimals)
    assert digits(printed) == decimals
    assert half_up(-fair, decimals) == -printed


@settings(deadline=None)  # costs are not what is tried
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any), places)
def test_a_table_printed_half_up_is_silent_and_one_step_off_is_told(parts: list[int], decimals: int) -> None:
    whole = Decimal(sum(parts))
    printed = {
        f"p{n}": (count, half_up(percent(Decimal(count), whole) or Fraction(0), decimals))
        for n, count in enumerate(parts)
    }
    hidden = [name for name, (count, share) in printed.items() if share == 100 and count != whole]

    def text(off: Decimal) -> str:
        cells = ", ".join(
            f'"{name}": [{n}, {share + (off if name == "p0" else 0)}]' for name, (n, share) in printed.items()
        )
        return f'{{"counts": {{"all": {whole}}}, "percentages": [{{"name": "t", "of": "all", "decimals": {decimals}, "parts": {{{cells}}}}}]}}'

    assert [one.where for one in found(text(Decimal(0)))] == [f"percentages/t/{name}" for name in hidden]
    assert "percentages/t/p0" in {one.where for one in found(text(Decimal(1).scaleb(-decimals)))}


@settings(deadline=None)  # costs are not what is tried
@given(st.lists(st.integers(0, 20), min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_ranks_counted_by_the_rule_are_silent_in_any_order_of_rows(scores: list[int], chance: Any) -> None:
    rows = [[f"r{n}", score, 1 + sum(other > score for other in scores)] for n, score in enumerate(scores)]
    chance.shuffle(rows)
    assert found({"ranks": [{"rows": rows}]}) == []
