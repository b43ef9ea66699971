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
        "配电房又着火了，已经打了119，火还没有扑灭",
        "3月5日报修没人管，今晚电表箱着火了",
        "楼道着火了，消防员正在救人",
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
        "老楼多次火灾，道路又窄，消防车进不来，现在请求街道规划车位",
        "现在小区没有人管，绿地、水池、电线都坏着，业主自己也修不动，元月六号配电房起火时，消火栓里没有水",
        "那天夜里群里说着火了。是的，着火了。好在有人看见，用灭火器把火及时扑灭",
        "地下室起火点旁边停满了车",
        "请尽快查处，毕竟火灾无情",
        "2019年5月7日晚八点多，位于东方路中段的某电子厂园区靠南的一座三层的仓库和旁边的一排平房里发生火灾",
        "物业没有及时发现，记者问的时候却说楼里着火是业主自己的事",
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


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("老人关在电梯里", True),
        ("三号梯经常关人，物业不修", False),
        ("电梯频繁关人", False),
        ("电梯频繁关人，现在又关住一个孩子", True),
    ],
)
def test_what_comes_again_and_again_is_no_single_case(text: str, *, seen: bool) -> None:
    assert bool(Search("电梯[^，]{0,4}关人|关在电梯|关人|关住").stated(text, "now")) == seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("去年国庆起邻居不断来闹。他砸我家的门；他拿刀敲门；连续四次剪断电线", False),
        ("去年搬来一户邻居。他拿刀在楼道里追人", True),
        ("去年国庆起邻居不断来闹，连续四次。他现在拿刀堵在门口", True),
        ("邻居拿刀堵在门口", True),
    ],
)
def test_a_feud_told_from_its_beginning_is_no_alarm_unless_it_is_now(text: str, *, seen: bool) -> None:
    assert bool(Search("拿刀").stated(text, "now")) == seen
