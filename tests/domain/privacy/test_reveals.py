import pytest

from wuye_loop.domain.privacy.access.reveals import reason_problem

LISTED = ("回访", "上门核实")


@pytest.mark.parametrize(
    "reason",
    ["回访", "上门核实", "居民反映漏水需要约时间", "张三要求当面说明情况", "call back 10 am", "上门核实,联系张三丰"],
)
def test_a_reason_is_on_the_list_or_at_least_ten_characters(reason: str) -> None:
    assert reason_problem(reason, LISTED) is None


@pytest.mark.parametrize(
    "reason", ["x", "看看", "要上门", "九个字还差一个字啊", "。" * 20, "啊" * 20, "a b c d e", " 1 " * 30, "回访 "]
)
def test_one_that_says_nothing_is_told_what_may_be_said(reason: str) -> None:
    said = reason_problem(reason, LISTED)
    assert said == "理由至少写 10 个字，或照写：回访、上门核实"


def test_without_a_list_every_reason_is_written_out() -> None:
    assert reason_problem("回访", ()) == "理由至少写 10 个字"
