import pytest

from wuye_loop.domain.suggesting.patterns import Search
from wuye_loop.domain.suggesting.stated import Stated

FIRE = Search("起火|着火|火灾|爆炸|燃气泄漏", "挑起火头")


@pytest.mark.parametrize(
    "text",
    [
        "三楼着火了，快来人",
        "电表箱起火后仍有浓烟",
        "刚才厨房里煤气罐爆炸，有人受伤",
        "小区发生火灾，请派消防车",
        "楼道里味道很重，疑似燃气泄漏",
        "去年没有着过火，但是现在地下室着火了",
        "消防通道起火，无法进入",
        "业委会着火了",
        "物业没修电线起火了",
        "简易房着火",
        "关于三号楼着火的求助",
        "刚才电动车充电引发火灾",
    ],
)
def test_what_happens_now_is_seen(text: str) -> None:
    assert FIRE.stated(text, "now")


@pytest.mark.parametrize(
    "text",
    [
        "一旦发生火灾，后果不堪设想",
        "如果起火怎么办",
        "飞线充电容易引发火灾",
        "为防止火灾，请拆除",
        "只有烟，没有着火",
        "物业挑起火头就不管了",
        "楼道里存在火灾隐患",
        "去年小区着火两次，物业还是不管",
        "这是一个信息爆炸的时代",
        "看到新闻说有小区起火",
        "开发商说这叫“爆炸”",
    ],
)
def test_what_is_supposed_feared_denied_or_past_is_not(text: str) -> None:
    assert FIRE.stated(text, "now") == []


def test_what_is_told_of_the_past_is_a_fact_all_the_same() -> None:
    water = Search("停水")
    assert water.stated("这个月停水三次", "told") == ["停水"]
    assert water.stated("这个月停水三次", "now") == []
    assert water.stated("以免停水", "told") == []


@pytest.mark.parametrize(
    ("text", "how", "seen"),
    [
        ("如果再不解决我就跳楼", "threat", True),
        ("如果再不解决我就跳楼", "now", False),
        ("他不会跳楼的", "threat", False),
        ("以前有人在这里跳楼", "threat", False),
    ],
)
def test_a_threat_may_stand_under_a_condition(text: str, how: Stated, *, seen: bool) -> None:
    assert bool(Search("跳楼").stated(text, how)) == seen
