"""Whatever a pattern finds has one of the characters that stand beside it: where none occurs it is not tried."""

import re
from collections.abc import Collection

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wuye_loop.domain.privacy import accounts, numbers, said_of_oneself, spared
from wuye_loop.domain.privacy.folding import fold

NEEDED: dict[str, tuple[re.Pattern[str], Collection[str]]] = {
    "short": (numbers._SHORT_LABELLED, "短"),
    "tail": (numbers._TAIL, numbers._ENDS),
    "masked mobile": (numbers._MASKED_MOBILE, numbers._MASKS),
    "masked card": (numbers._MASKED_CARD, numbers._MASKS),
    "account": (numbers._ACCOUNT, numbers._OF_ACCOUNTS),
    "certificate": (numbers._CERTIFICATE, numbers._OF_CERTIFICATES),
    "introduced": (said_of_oneself._INTRODUCED, said_of_oneself._INTRODUCING),
    "i am": (said_of_oneself._I_AM, said_of_oneself._BEING),
    "room named": (said_of_oneself._ROOM_NAMED, said_of_oneself._NAMING_ROOMS),
    "plate": (accounts._PLATE, accounts._PROVINCES),
    "plate named": (accounts._PLATE_NAMED, "牌"),
    "chat": (accounts._CHAT, "信vw"),
    "chat id": (accounts._WXID, "w"),
    "qq": (accounts._QQ, "q扣鹅"),
    "other account": (accounts._OTHER, "号d"),
    "service": (spared._SERVICE, spared._SERVING),
}
LAST = {"said": (spared._SAID, spared._SAID_LAST), "surely": (spared._SURELY_SAID, spared._SURELY_LAST)}
FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.proof
@pytest.mark.parametrize("name", NEEDED)
@FEW
@given(data=st.data())
def test_what_a_pattern_finds_has_one_of_its_characters(name: str, data: st.DataObject) -> None:
    pattern, characters = NEEDED[name]
    found = data.draw(st.from_regex(pattern.pattern))
    assert not set(characters).isdisjoint(found)


@pytest.mark.proof
@pytest.mark.parametrize("name", LAST)
@FEW
@given(data=st.data())
def test_what_stands_before_a_number_ends_with_one_of_its_characters(name: str, data: st.DataObject) -> None:
    pattern, last = LAST[name]
    found = data.draw(st.from_regex(pattern.pattern))
    assert found[-1] in last or found[-1].isspace() or found[-1].isdecimal()


EXAMPLES = {
    "short": "短号 6688", "tail": "末四位2399", "masked mobile": "138****2399", "masked card": "6222****0123",
    "account": "对公户 1234 5678 9", "certificate": "不动产第12345号", "introduced": "署名：张三丰", "i am": "本人张三丰，",
    "room named": "户室12-34-56", "plate": "鲁g12345", "plate named": "车牌a12345", "chat": "vx abcde1", "chat id": "wxid_abcdef",
    "qq": "扣扣12345", "other account": "快手id:abcde", "service": "24小时值班电话", "said": "邮编", "surely": "呼叫",
}  # fmt: skip


@pytest.mark.parametrize(("name", "found"), EXAMPLES.items())
def test_an_example_of_each_is_found_and_has_one_of_its_characters(name: str, found: str) -> None:
    pattern, characters = (NEEDED | LAST)[name]
    assert pattern.search(found) is not None
    assert not set(characters).isdisjoint(found)


@given(st.text())
def test_a_text_has_the_characters_of_both_its_forms(text: str) -> None:
    folded = fold(text)
    assert folded.has == set(folded.plain) | set(folded.digits)
