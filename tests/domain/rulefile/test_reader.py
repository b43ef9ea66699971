"""The strict YAML dialect: what a file means, where it stands, and what is refused in words."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuye_loop.domain.rulefile import careful, fast
from wuye_loop.domain.rulefile import reader as yamldoc
from wuye_loop.domain.rulefile.reader import MAX_BYTES, MAX_DEPTH, Mark, YamlDocError, read

FILE = "city@1.yaml"


def refusal(text: str | bytes) -> YamlDocError:
    with pytest.raises(YamlDocError) as caught:
        read(text, FILE)
    return caught.value


def outcome(text: str | bytes) -> str:
    try:
        return f"data {read(text, FILE).data!r}"
    except YamlDocError as refused:
        return refused.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("12", 12), ("-3", -3), ("370705001002", 370705001002), ("1.5", 1.5), ("-0.25", -0.25),
        ("0123", "0123"), ("1_000", "1_000"), ("12:30", "12:30"), ("053112345", "053112345"), ("3e5", "3e5"),
        ("0x1F", "0x1F"), ("0o17", "0o17"), ("+2", "+2"), (".5", ".5"), (".nan", ".nan"), (".inf", ".inf"),
        ("on", "on"), ("no", "no"), ("yes", "yes"), ("off", "off"), ("y", "y"),
        ("2026-02-82", "2026-02-82"), ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("9" * 18, 999_999_999_999_999_999), ("9" * 19, "9" * 19), ("1" * 5000, "1" * 5000),
        ('"12"', "12"), ("'true'", "true"), ("'~'", "~"), ('""', ""), ("-1 workday", "-1 workday"),
        ("中文，全角：可以", "中文，全角：可以"),
    ],
)  # fmt: skip
def test_a_scalar_means_what_yaml_1_2_says_and_nothing_cleverer(written: str, meant: object) -> None:
    value = read(f"a: {written}\n", FILE).data
    assert value == {"a": meant}
    assert isinstance(value, dict)
    assert type(value["a"]) is type(meant)


def test_block_and_flow_styles_give_the_same_plain_data() -> None:
    block = read("a:\n  - x\n  - b: 1\n    c: |\n      一\n      二\n", FILE).data
    flow = read('{a: [x, {b: 1, c: "一\\n二\\n"}]}', FILE).data
    assert block == flow == {"a": ["x", {"b": 1, "c": "一\n二\n"}]}


def test_a_plain_key_is_its_own_text() -> None:
    assert read("{12345: a, true: b, null: c, 1.50: d, on: e}", FILE).data == {
        "12345": "a", "true": "b", "null": "c", "1.50": "d", "on": "e",
    }  # fmt: skip


def test_a_byte_order_mark_of_a_windows_editor_is_dropped() -> None:
    assert read("\ufeffa: 1\r\nb: 2\r\n".encode(), FILE).data == {"a": 1, "b": 2}


def test_every_value_and_key_has_its_place() -> None:
    doc = read("a:\n  b: [x, {c: 1}]\nd: |\n  text\n", FILE)
    assert doc.mark(("a", "b", 1, "c")) == Mark(2, 14)
    assert doc.mark(("a", "b", 1, "c"), key=True) == Mark(2, 11)
    assert doc.mark(("a", "b", 0)) == Mark(2, 7)
    assert doc.mark(("a",), key=True) == Mark(1, 1)
    assert doc.mark(("d",), key=True) == Mark(3, 1)


def test_a_value_that_is_not_there_has_the_place_of_its_key() -> None:
    doc = read("a:\n\n  b:\n\nc: {d: , e: 1}\n", FILE)
    assert doc.data == {"a": {"b": None}, "c": {"d": None, "e": 1}}
    assert doc.mark(("a", "b")) == Mark(3, 3)
    assert doc.mark(("c", "d")) == Mark(5, 5)


def test_a_path_that_does_not_exist_has_the_place_of_its_nearest_ancestor() -> None:
    doc = read("a:\n  b: [x, y]\n", FILE)
    assert doc.mark(("a", "b", 7, "z")) == doc.mark(("a", "b")) == Mark(2, 6)
    assert doc.mark(("a", "b", 7), key=True) == Mark(2, 6)
    assert doc.mark(("nothing",)) == doc.mark(()) == Mark(1, 1)


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("a: 1\nb: 2\na: 3", (3, 1), "重复"),
        ("a: &x 1", (1, 4), "锚点"),
        ("a: *x", (1, 4), "别名"),
        ("b: 1\n<<: {a: 1}", (2, 1), "合并键"),
        ("a: !!int 3", (1, 4), "标签"),
        ("a: ! 3", (1, 4), "标签"),
        ("a: !!python/object:os.system x", (1, 4), "标签"),
        ("%YAML 1.1\n---\na: 1", (2, 1), "指令"),
        ("a: 1\n---\nb: 2", (2, 1), "一个文档"),
        ("a: 1\n...\nb: 2", (3, 1), "一个文档"),
        ("? [a]\n: 1", (1, 3), "键必须是文字"),
        ("{{a: 1}: 2}", (1, 2), "键必须是文字"),
        (": 1", (1, 1), "键是空的"),
        ("b: 1\n　a: 2", (2, 1), "全角空格"),
        ("a:\n\tb: 1", (2, 1), "制表符"),
        ("a: {\n\tb: 1}", (2, 2), "制表符"),
        ("a: [1, 2\nb: 1", (2, 2), "方括号"),
        ("a: {b: 1\nc: 1", (2, 2), "花括号"),
        ("a: 'x", (1, 6), "引号没有闭合"),
        ("a: b: c", (1, 5), "缩进"),
        ("- a\nb: 1", (2, 1), "缩进"),
        ("a: @x", (1, 4), "加引号"),
        ("名称：甲\nb: 1", (2, 2), "全角"),
        ("", (1, 1), "空的"),
        ("# 只有注释\n", (1, 1), "空的"),
        ("---\n", (1, 1), "空的"),
        ("甲: 乙\nb: x\x00", (2, 5), "U+0000"),
        ("a: \ud800", (1, 4), "U+D800"),
        ("a: x\u202ey", (1, 5), "U+202E"),
        ("a: x\n\u200bb: 1", (2, 1), "U+200B"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused_with_its_place(
    text: str, place: tuple[int, int], word: str
) -> None:
    error = refusal(text)
    assert error.mark == Mark(*place)
    assert word in error.message
    assert str(error) == f"{FILE}:{place[0]}:{place[1]}: {error.message}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("title: 甲，乙：丙\na:\n\tb: 1", ""),
        ("title: 甲，乙：丙\n# 说明：一，二\na: [1\nb: 1", ""),
        ("title: 甲\na：甲\nc: 1", "全角标点"),
        ("a: {b: 1，c: 2}", "全角标点"),
        ("a: ｛b: 1｝\nc", "全角标点"),
        ("a:\n  - {b: 1, c: 规定 #1}\n  - {b: 2}\n", "空格加 # 之后是注释"),
        ("a: [甲 #2, 乙]\nb: 1", "空格加 # 之后是注释"),
        ("a: [甲, # 说明\n  乙\nb: 1", ""),
    ],
)
def test_a_hint_is_given_only_where_what_it_names_is_there(text: str, hint: str) -> None:
    message = refusal(text).message
    assert hint in message
    assert ("（" in message) == bool(hint)


def test_a_duplicate_key_names_both_lines() -> None:
    message = refusal("limits:\n  sla: 24h\n  # 一行注释\n  'sla': 99999h\n").message
    assert "第 2 行" in message
    assert "第 4 行" in message


def test_the_same_key_in_two_mappings_is_no_duplicate() -> None:
    assert read("- {a: 1}\n- {a: 2}\n", FILE).data == [{"a": 1}, {"a": 2}]


def test_bytes_that_are_not_utf_8_are_refused_where_they_begin() -> None:
    error = refusal("标题: ok\n名称: ".encode() + "奎文".encode("gbk"))
    assert error.mark == Mark(2, 5)
    assert "UTF-8" in error.message
    assert refusal("a: 1".encode("utf-16")).mark == Mark(1, 1)


def test_the_limits_admit_what_stands_exactly_on_them() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH, FILE).data
    assert "层" in refusal("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).message
    assert "层" in refusal("- " * (MAX_DEPTH + 1) + "x").message
    padding = MAX_BYTES - len("a: 1\n#")
    assert read("a: 1\n#" + "x" * padding, FILE).data == {"a": 1}
    too_long = refusal("a: 1\n#" + "x" * (padding + 1))
    assert too_long.mark is None
    assert str(too_long) == f"{FILE}: {too_long.message}"
    assert "KiB" in refusal("a: " + "中" * (MAX_BYTES // 3)).message


def test_too_many_nodes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert yamldoc.MAX_NODES == 40_000
    for reader in (fast, careful):
        monkeypatch.setattr(reader, "MAX_NODES", 5)  # forty thousand take two seconds to scan carefully
    assert read("a: [1, 2]", FILE).data == {"a": [1, 2]}
    error = refusal("a: [1, 2, 3]")
    assert error.mark == Mark(1, 11)
    assert "项" in error.message


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 100_000,
        "{" * 100_000,
        "[{" * 50_000,
        "- " * 100_000,
        "? " * 100_000,
        "a: &a [x]\n" + "".join(f"k{n}: &k{n} [{'*a, ' * 9}]\n" for n in range(1000)),
        "key: value\n" * 100_000,
        "[" + "," * 200_000,
        ": " * 100_000,
        "---\n" * 60_000,
        "!<%41" * 40_000,
    ],
    ids=["brackets", "braces", "both", "dashes", "questions", "laughs", "megabyte", "commas", "colons", "docs", "tags"],
)
def test_a_bomb_is_refused_at_once(bomb: str) -> None:
    started = time.process_time()
    error = refusal(bomb)
    assert time.process_time() - started < 2
    assert len(error.message) < 200


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab1:-?[]{},&*!|>'\"%@`#~<. \n\t\r\\中：　\x85"), max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    assert outcome(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes) -> None:
    assert outcome(raw)
