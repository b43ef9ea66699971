import pytest

from wuye_loop.domain.errors import BadValue
from wuye_loop.domain.privacy.access import holders


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("张三 1001", "张三 1001"),
        ("  张三　１００１ ", "张三 1001"),
        ("张三\t 1001", "张三 1001"),
        ("张\u200b三 1001", "张三 1001"),
        ("Zhang San A-7", "Zhang San A-7"),
    ],
)
def test_a_holder_is_kept_in_one_spelling(given: str, kept: str) -> None:
    assert holders.cleaned(given) == kept


@pytest.mark.parametrize("given", ["", "  ", "\u200b", "未具名", " 未具名 ", "张" * 61, "张三\x07", "\ufdfa" * 60])
def test_what_names_nobody_is_refused_in_words(given: str) -> None:
    with pytest.raises(BadValue, match=r"持有人|过长|字符"):
        holders.cleaned(given)


def test_spaces_width_and_case_make_no_other_person() -> None:
    assert holders.same("张三 1001", "张三１００１")
    assert holders.same("Li a7", "LI A7")
    assert not holders.same("张三 1001", "张三 1002")
    assert not holders.same("张三", "张三 1001")


@pytest.mark.parametrize(
    ("one", "other", "maybe"),
    [
        ("张三 1001", "李四 1002", False),
        ("张三", "李四", False),
        ("张三", "李四 1002", False),
        ("张三 1001", "张三1001", True),
        ("张三 1001", "张三丰 1001", True),  # one staff number is one person's, whatever stands before it
        ("张三 a1001", "李四 A1001", True),
        ("张三A1001", "李四 a1001", True),
        ("Zhang San", "Li San", False),  # a surname is no number
        (None, "李四 1002", True),
        ("张三 1001", None, True),
        (None, None, True),
    ],
)
def test_whoever_cannot_be_told_apart_may_be_one_person(one: str | None, other: str | None, maybe: bool) -> None:  # noqa: FBT001
    assert holders.may_be_same(one, other) is maybe
    assert holders.may_be_same(other, one) is maybe


def test_a_name_that_two_people_of_a_unit_have_is_neither_of_them_without_its_number() -> None:
    two = ["王敏 0731", "王敏 0732", "李强"]
    assert holders.person_among("王敏", two) is None
    assert holders.person_among("王敏 0732", two) == "王敏 0732"
    assert holders.person_among("李强 0001", two) == "李强"
    assert holders.person_among("赵亮", two) is None
    assert holders.person_among("王敏", ["王敏", "王敏 0732"]) == "王敏"


def test_a_holder_is_the_person_of_that_name_with_or_without_the_number() -> None:
    for holder in ("王敏 0731", "王敏", "王敏　０７３１"):
        assert holders.is_person(holder, "王敏"), holder
        assert holders.is_person(holder, "王敏 0731"), holder
    for holder, name in (
        ("王敏 0731", "王敏 0732"), ("王敏 0731", "李敏 0731"), ("王敏明 0731", "王敏"), ("0731", "王敏"),
    ):  # fmt: skip
        assert not holders.is_person(holder, name), holder
