import re
import time
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.privacy.lines import lines

from wuye_loop.domain.privacy.folding import plain_form
from wuye_loop.domain.privacy.known import NOBODY, known, of_person
from wuye_loop.domain.privacy.spared import spared
from wuye_loop.domain.privacy.striking import STRUCK, strikes, struck, struck_value, unnamed

LINES = list(lines())
FEWEST = 400
SOMEBODY = known(name="慕容雪梅女士", phone="13912345678", address="慕容雪梅家3号楼2单元2907")


def test_every_line_is_struck_where_it_is_marked_and_nowhere_else() -> None:
    wrong = [f"{line.n}: {shown}" for line in LINES if (shown := struck(line.text, line.person)) != line.shown]
    assert not wrong, "\n".join(wrong)


def test_there_are_lines_enough_of_both_kinds() -> None:
    kinds = Counter(bool(line.secrets) for line in LINES)
    assert len(LINES) >= FEWEST
    assert min(kinds.values()) > FEWEST // 4


def test_what_was_struck_stays_so() -> None:
    assert [line.n for line in LINES if struck(line.shown, line.person) != line.shown] == []


# --- known secrets in every spelling, made by rule rather than by hand -----------------------------------------------

GAPS = ("", " ", "　", "-", ".", "·", "•", "*", "_", "/", "|", "、", "，", ",", "~", "\u200b", "\n")
PEOPLE = (
    ("慕容雪梅女士", "慕容雪梅", "13912345678", "幸福苑3号楼2单元2907", "2907"),
    ("李四（业主）", "李四", "+86 137 1111 2222", "和平里5栋1801室", "1801"),
    ("張偉民先生", "张伟民", "159-0000-1111", "阳光家园3-2-1102", "1102"),
    ("买买提·阿依古丽", "买买提阿依古丽", "18612349876", "天山花园7号楼1单元303", "303"),
    ("歐陽娜", "欧阳娜", "1 8 6 1 2 3 4 9 8 7 5", "金座花园12栋A座1203", "1203"),
)
NUMERALS = (
    "0123456789",
    "〇一二三四五六七八九",
    "零壹贰叁肆伍陆柒捌玖",
    "０１２３４５６７８９",
    "零幺二三四五六七八九",
)


@pytest.mark.parametrize("gap", GAPS, ids=repr)
@pytest.mark.parametrize(("field", "name", "phone", "address", "room"), PEOPLE, ids=lambda value: value[:4])
def test_a_known_person_is_found_with_anything_between_the_characters(
    field: str, name: str, phone: str, address: str, room: str, gap: str
) -> None:
    person = known(name=field, phone=phone, address=address)
    number = re.sub(r"\D", "", phone)[-11:]
    for secret in (name, number):
        text = f"经核实{gap.join(secret)}所述属实"
        assert struck(text, person) == f"经核实{STRUCK}所述属实"
    assert room not in struck(f"经核实{room}室漏水", person)


@pytest.mark.parametrize("numerals", NUMERALS, ids=lambda value: value[1])
@pytest.mark.parametrize(("field", "name", "phone", "address", "room"), PEOPLE, ids=lambda value: value[:4])
def test_a_known_number_is_found_in_all_numerals(
    field: str, name: str, phone: str, address: str, room: str, numerals: str
) -> None:
    del name
    person = known(name=field, phone=phone, address=address)
    table = str.maketrans("0123456789", numerals)
    number = re.sub(r"\D", "", phone)[-11:]
    mixed = "".join(one.translate(table) if place % 2 else one for place, one in enumerate(number))
    for secret in (number.translate(table), mixed):
        assert struck(f"请拨{secret}。", person) == f"请拨{STRUCK}。"
    assert struck(f"到{room.translate(table)}室查看", person) == f"到{STRUCK}查看"


def test_the_patterns_find_nearly_every_number_that_nobody_gave() -> None:
    found = asked = 0
    for line in LINES:
        if not line.person and line.secrets:
            shown = struck(line.text)
            asked += len(line.secrets)
            found += sum(secret not in shown for secret in line.secrets)
    assert Fraction(found, asked) >= Fraction(98, 100)


def test_who_is_named_in_the_address_or_says_so_in_the_words_is_known_too() -> None:
    person = of_person({"address": "王小明家3号楼2单元2907", "body": "我叫司马光，住3号楼2单元501，电话13700001111"})
    for secret in ("王小明", "司马光", "2907", "501室", "137 0000 1111"):
        assert struck(f"已联系{secret}", person) == f"已联系{STRUCK}"


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"电话": 13912345678}, {"电话": STRUCK}),
        ({"x": 13912345678}, {"x": STRUCK}),
        ({"x": 13912345678.0}, {"x": STRUCK}),
        ({"x": [13812345678, "鲁G12345", {"y": 2907}]}, {"x": [STRUCK, STRUCK, {"y": STRUCK}]}),
        ({"微信": "zhangsan88"}, {"微信": STRUCK}),
        ({"联系电话": 8881234}, {"联系电话": STRUCK}),
        ({"慕容雪梅": 1, "13912345678": 2}, {STRUCK: 1, "***2": 2}),
        (
            {"面积": 118.56, "户数": 1203, "加急": True, "无": None},
            {"面积": 118.56, "户数": 1203, "加急": True, "无": None},
        ),
        ({"合同金额": 88881234, "表号": 88881234}, {"合同金额": 88881234, "表号": 88881234}),
        ({"earlier": "2026112100000001"}, {"earlier": "2026112100000001"}),
    ],
)
def test_values_are_struck_with_their_numbers_and_keys(value: object, shown: object) -> None:
    assert struck_value(value, SOMEBODY) == shown


def test_of_what_is_stored_only_the_people_named_are_struck() -> None:
    stored = {
        "reply": "已回复慕容雪梅，详询0536-8887777",
        "file": "29070000-0000-0000-0000-139123456780",
        "at": "2026-03-02T29:07:00Z",
        "number": "WY260302-13912345",
        "n": 13912345678,
    }
    assert unnamed(stored, SOMEBODY) == stored | {"reply": "已回复***，详询0536-8887777", "n": STRUCK}
    assert unnamed(stored, NOBODY) == stored


# --- what the directory makes public --------------------------------------------------------------------------------


def test_what_the_directory_makes_public_is_never_struck() -> None:
    public = spared(["0536-8881234", "13800001111"], [plain_form("和平物业"), plain_form("雪梅苑")])
    text = "请联系和平物业0536-8881234或8881234、13800001111，地址雪梅苑"
    assert struck(text, SOMEBODY, public) == text
    assert struck("请联系雪梅13800002222", SOMEBODY, public) == "请联系***"


# --- what it bears --------------------------------------------------------------------------------------------------


@given(st.text(), st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_any_text_and_any_person_are_borne(text: str, name: str, phone: str, address: str) -> None:
    person = known(name=name, phone=phone, address=address)
    once = struck(text, person)
    assert all(0 <= one.start < one.end <= len(text) for one in strikes(text, person))
    unnamed(text, person)
    assert isinstance(once, str)


@given(st.text(alphabet="电梯坏了，。 \n", max_size=30), st.integers(13_000_000_000, 19_999_999_999))
def test_no_mobile_number_survives_anywhere(text: str, mobile: int) -> None:
    for place in range(len(text) + 1):
        assert str(mobile) not in struck(text[:place] + str(mobile) + text[place:])


def _spent(text: str) -> float:
    spent = []
    for _ in range(5):
        began = time.process_time()
        struck(text, SOMEBODY)
        spent.append(time.process_time() - began)
    return min(spent)


@pytest.mark.parametrize(
    "piece",
    [
        "小区电梯坏了三天，业主很着急！",
        "1 ",
        "a@",
        "0",
        "电话",
        "一",
        "慕容",
        "2907",
        "13912345678",
        "微信",
        "鲁G",
        "我是",
    ],
)
def test_a_text_twice_as_long_costs_about_twice_as_much(piece: str) -> None:
    long = piece * (10_000 // len(piece))
    assert _spent(long + long) < 4 * _spent(long) + 0.01


def test_who_names_himself_a_thousand_times_is_struck_each_time_and_known_by_a_hundred_names() -> None:
    """Each known name is looked for in every text: a thousand made the longest lawful order cost ten times an ordinary one."""
    given = [chr(0x4E00 + n) for n in range(0, 4000, 4)]
    text = "".join(f"我是慕容{one}，" for one in given)
    person = of_person({"body": text})
    assert "慕容" not in struck(text, person)
    assert len(person.names.whole) <= 100


def test_who_repeats_one_name_and_one_number_a_hundred_times_is_known_by_the_next_too() -> None:
    text = "我是慕容雪，电话13812345678，" * 120 + "我是欧阳清，电话13987654321，"
    person = of_person({"body": text})
    assert struck("欧阳清来过，打13987654321", person) == "***来过，打***"
    assert {"欧阳清", "慕容雪"} <= person.names.whole
