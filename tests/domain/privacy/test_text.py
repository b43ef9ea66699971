import pytest

from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.privacy.text import clean, legible, like_literal, mask_address, match_key


@pytest.mark.parametrize("letter", ["\0", "\x07", "\x1b", "\x7f", "\x9b", chr(0xD800), chr(0xDFFF), "\x0b"])
def test_control_characters_and_surrogates_are_refused_in_words(letter: str) -> None:
    with pytest.raises(BadValue, match="控制字符"):
        clean(f"电梯{letter}坏了", max_len=100)


def test_invisible_and_direction_turning_characters_are_taken_out() -> None:
    invisible = "\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2064\u2066\u2069\ufeff\u061c\u00ad"
    assert clean(f" 楼{invisible}道 ", max_len=2) == "楼道"


BLANKS = (
    "", " ", "\u3000", "\u00a0\u2003", "\u2800", "\u2800 \u2800", "\u3164", "\u115f\u1160", "\uffa0", "\u200b", "\u202e\u2066",
    "\u034f", "\ufe0f", "\u0301", "\u180b", "\U000e0041", "\U000e0100", "\U0001d159", "\ufffb", "\u2028\u2029", "\n\t\r",
)  # fmt: skip


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_text_that_shows_nothing_is_no_text(blank: str) -> None:
    assert clean(blank, max_len=100) == ""


@pytest.mark.parametrize(
    "text", ["电", "e\u0301", "葛\U000e0100", "🛗", "。", "\ue000", "\U00031350", "½", "⠓⠑", "ᠮᠣᠩ"]
)
def test_what_shows_anything_is_kept_as_it_was_written(text: str) -> None:
    assert clean(text, max_len=100) == text


def test_every_text_of_a_json_value_is_made_legible_its_names_too() -> None:
    value = {"a\u200b": ["\u202e x\r\n ", {"b": "\u3164"}], "n": 7, "t": True, "o": None}
    assert legible(value) == {"a": [" x\r\n ", {"b": ""}], "n": 7, "t": True, "o": None}
    for bad in ({"a": "\x07"}, {"\x00": 1}, ["\ud800"], {"a": 1, "a\u200b": 2}):
        with pytest.raises(BadValue):
            legible(bad)


def test_lines_and_tabs_stay_and_line_ends_become_one_kind() -> None:
    assert clean("一\r\n二\r三\t四\u2028五", max_len=100) == "一\n二\n三\t四\n五"


def test_a_text_over_its_length_is_refused_without_being_repeated() -> None:
    assert clean("字" * 10, max_len=10) == "字" * 10
    with pytest.raises(BadValue) as caught:
        clean("秘" * 11, max_len=10)
    assert "10" in str(caught.value)
    assert "秘" not in str(caught.value)


def test_two_spellings_of_one_name_share_a_key() -> None:
    assert match_key(" ＡＢＣ小区\u200b ") == match_key("abc小区")
    assert match_key("Straße") == match_key("STRASSE")
    assert match_key("甲小区") != match_key("乙小区")


def test_wildcards_are_searched_for_as_they_stand() -> None:
    assert like_literal(r"50%_\x") == r"50\%\_\\x"
    assert like_literal("电梯") == "电梯"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("奎文区金马小区3号楼2单元501室", "奎文区金马小区3号楼"),
        ("金座花园12栋A座1203", "金座花园12栋"),
        ("新华路１２号院３号楼5层", "新华路12号院3号楼"),
        ("新华路12号院", "新华路12号院"),
        ("阳光家园三幢二单元", "阳光家园三幢"),
        ("阳光家园东座10楼", "阳光家园东座"),
        ("阳光家园3#楼2-501", "阳光家园3#楼"),
        ("阳光家园3#2-501", "阳光家园3#"),
        ("金座花园2-501", None),
        ("阳光家园3-2-501", None),
        ("501室，阳光家园3号楼", None),
        ("2单元501 3号楼", None),
        ("13812345678 3号楼", None),
        ("阳光家园", None),
        ("", None),
    ],
)
def test_an_address_is_shown_to_its_building_or_not_at_all(address: str, shown: str | None) -> None:
    assert mask_address(address) == shown
