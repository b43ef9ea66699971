"""The fast reader says yes only where the careful one does, and reads the same values at the same places."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import ROOT
from tests.authoring.checker.wall import BASES, WALL

from wuye_loop.domain.rulefile import fast as yamldoc_fast
from wuye_loop.domain.rulefile.careful import read_carefully
from wuye_loop.domain.rulefile.fast import read_fast
from wuye_loop.domain.rulefile.reader import YamlDocError, read

FILES = sorted([*(ROOT / "workflows").rglob("*.yaml"), *(ROOT / "tests").rglob("*.yaml")])
SMALL = (ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8")
LINES = [line for path in FILES for line in path.read_text(encoding="utf-8").splitlines(keepends=True)]
PIECES = [
    "  k: |\n    一\n\n     二\n", "k: >-\n  a\n  b\n\n  c\n", "k: |+\n  a\n\n", "k: >1\n  a\n", "- x\n", "  - y: 1\n    z: [a, b]\n",
    "k: 'it''s'\n", 'k: "a\\n\\u4e2d\\x41"\n', 'k: "a\n  b"\n', "k: a\n  b\n", "? a\n: b\n", "k:\n", "  k: {a, b: }\n",
    "k: [a: 1, b]\n", "k: x # c\n", "k: x#c\n", "k: http://a:80/b\n", "k: {a: http://x:1, b}\n", "---\n", "...\n",
    "k: [\n  a,\n  b\n  ]\n", "{a: 1}: 2\n", "%YAML 1.2\n", "&a ", "*a", "!t ", "\t", "\r", "\r\n", "# c\n", "|\n#", "|#",
]  # fmt: skip


def agree(text: str) -> bool:
    """Compare the readers on a text that the fast one takes; say whether it did."""
    fast = read_fast(text)
    if fast is None:
        return False
    careful = read_carefully(text, "x.yaml")  # raises where the fast one should have left it
    assert repr(fast.data) == repr(careful.data)
    assert fast.values == careful.values
    assert fast.keys == careful.keys
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_rule_file_is_read_alike(path: Path) -> None:
    assert agree(path.read_text(encoding="utf-8"))


def sections(text: str) -> list[str]:
    """Part a definition at its top keys: the careful reader takes a tenth of a second for all of it."""
    return re.split(r"^(?=\S)", text, flags=re.MULTILINE)


def test_every_broken_definition_is_read_alike() -> None:
    whole = {part for base in BASES.values() for part in sections(base)}
    broken = [part for stone in WALL for part in sections(stone.text) if part not in whole]
    taken = [agree(part) for part in broken]
    assert sum(taken) > len(taken) * 0.9


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_pieces_of_rule_files_put_together_anyhow_are_read_alike(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(LINES) - 1))
    text = "".join(LINES[start : start + data.draw(st.integers(1, 6))])
    indent = len(text) - len(text.lstrip(" "))
    text = "".join(line.removeprefix(" " * indent) for line in text.splitlines(keepends=True))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + data.draw(st.sampled_from(PIECES)) + text[place + data.draw(st.integers(0, 1)) :]
    agree(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*"ab1:-?[]{},&*!|>'\"%@`#~<. \n\r\\中：", "a: ", "- ", "\n  ", *PIECES]), max_size=12))
def test_marks_put_together_anyhow_are_read_alike(pieces: list[str]) -> None:
    agree("".join(pieces))


@pytest.mark.parametrize(
    "text",
    [
        "a:\tb",
        "? a\n: b",
        "a: |\n\n\n  b\n",
        "a: 1\n...\n",
        "a: &x 1",
        "a: !t 1",
        "%YAML 1.2\n---\na: 1",
        "text",
        "a: ]",
    ],
)
def test_what_is_unusual_or_wrong_is_left_to_the_careful_reader(text: str) -> None:
    assert read_fast(text) is None


def test_without_the_compiled_parser_the_careful_reader_reads_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = read(SMALL, "small.yaml")
    monkeypatch.setattr(yamldoc_fast, "_PARSER", None)
    assert read_fast(SMALL) is None
    slow = read(SMALL, "small.yaml")
    assert (slow.data, slow.values, slow.keys) == (quick.data, quick.values, quick.keys)
    with pytest.raises(YamlDocError, match="重复"):
        read("a: 1\na: 2\n", "x.yaml")


def test_the_fast_reader_is_much_faster_on_this_platform_too() -> None:
    def spent(reader: object) -> float:
        started = time.process_time()
        assert callable(reader)
        reader()
        return time.process_time() - started

    fast = min(spent(lambda: read_fast(SMALL)) for _ in range(5))
    assert fast * 3 < min(spent(lambda: read_carefully(SMALL, "small.yaml")) for _ in range(2))
