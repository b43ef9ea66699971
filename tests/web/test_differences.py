"""What differs between two rule files is told in English on an English page, whole sentences in their own order."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise, permutations

import pytest
from markupsafe import Markup
from tests import ROOT
from tests.authoring.diff.changes import CASES
from tests.house.words import SOURCES

from wuye_loop.authoring.diff.compare import differences
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import whole_text
from wuye_loop.web.english.catalogue import WORDS, catalogue
from wuye_loop.web.english.drawing import ruled

CATALOGUE = catalogue((shipped("workflows"),))
SMALL = (ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8")
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
Side = tuple[Workflow, str]


def side(text: str, name: str) -> Side:
    """Return a definition with its text."""
    return parse(text, name), text


def shipped_files() -> list[Side]:
    """Return every workflow that is shipped, with its text."""
    return [side(whole_text(path), path.name) for path in sorted((ROOT / "workflows").glob("*@*.yaml"))]


def left(one: Side, other: Side) -> Iterator[tuple[str, str]]:
    """Yield each sentence, with what stayed Chinese in it, that has more Chinese than what the files have written."""
    written = one[1] + other[1]
    for change in differences(one[0], other[0]):
        for text in (change.who, change.words):
            said = CATALOGUE.of_files.said(text)
            if said is None:
                yield text, text
                continue
            runs = (run.strip("、，：；（）。") for run in CHINESE.findall(said))
            yield from ((text, run) for run in runs if run not in written)


def test_every_kind_of_difference_is_told_in_english() -> None:
    small = side(SMALL, "a.yaml")
    for old, new, _ in CASES.values():
        other = side(SMALL.replace(old, new, 1), "b.yaml")
        assert [*left(small, other), *left(other, small)] == []


def test_the_shipped_files_differ_in_english() -> None:
    files = shipped_files()[:4]
    assert [found for one, other in pairwise([*files, side(SMALL, "a.yaml")]) for found in left(one, other)] == []


@pytest.mark.proof
def test_every_two_files_differ_in_english() -> None:
    files = [*shipped_files(), side(SMALL, "a.yaml")]
    assert [found for one, other in permutations(files, 2) for found in left(one, other)] == []


@pytest.mark.parametrize("folder", ["authoring/diff", "domain/wording"])
def test_a_sentence_is_put_together_by_its_form_and_by_nothing_else(folder: str) -> None:
    """What is glued with f-strings, `+`, `format` or `join` cannot be told in another order."""
    glued = []
    for path in sorted((SOURCES / folder).glob("*.py")):
        if path.name in ("lost_of_base.py", "time.py"):  # told by commands; a time has its own English
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts: list[ast.expr] = []
            if isinstance(node, ast.JoinedStr):
                parts = node.values
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                parts = [node.left, node.right]
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("format", "join"):
                parts = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            texts = (one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str))
            glued += [(path.name, node.lineno) for text in texts if WORDS.search(text) and isinstance(node, ast.expr)]
    assert glued == []


@pytest.mark.parametrize(
    ("old", "new", "english"),
    [
        (
            "      - {when: {kind: 咨询}, is: 3 workdays}\n",
            "      - {when: {kind: 咨询}, is: 3 workdays, starts: next day}\n",
            "Handling time, Question: counted from the next day instead of counted from the next working day",
        ),
        (
            "{at: -1 workday, do: remind, to: handler}",
            "{at: -2 workdays, do: remind, to: handler}",
            (
                "Handling time: “send ‘Reminder’ for Unit in charge” is moved to 2 working days before it is due"
                " from 1 working day before it is due"
            ),
        ),
        (
            "{at: -1 workday, do: remind, to: handler}",
            "{at: -1 workday, do: remind, to: handler, source: 《办法》ST2022：第 3 条、ii 款}",
            (
                "Handling time: source of the rung 1 working day before it is due:"
                ' “<span lang="zh-CN">《办法》ST2022：第 3 条、ii 款</span>” instead of none'
            ),
        ),
    ],
)
def test_a_difference_is_drawn_with_what_a_city_wrote_marked_as_a_whole(old: str, new: str, english: str) -> None:
    assert old in SMALL
    said = {
        ruled(CATALOGUE, one.words)
        for one in differences(parse(SMALL, "a.yaml"), parse(SMALL.replace(old, new, 1), "b.yaml"))
    }
    assert said == {Markup(english)}  # noqa: S704 written here
