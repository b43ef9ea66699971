"""Each case changes one thing in small.yaml and states who is told what, to the letter."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests import ROOT
from tests.authoring.diff.changes import CASES, DESK, HANDLER, INSPECTOR, RUNNING
from typer.testing import CliRunner

from wuye_loop.authoring.diff.cases import Line, turns
from wuye_loop.authoring.diff.compare import Change, differences, grouped
from wuye_loop.cli import app
from wuye_loop.domain.language.conditions import Condition
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile import reader
from wuye_loop.domain.rulefile.definition import parse

SMALL = (ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8")
LIFT = "      - {when: {category: 电梯}, to: market, assist: [company]}\n"
HEAT = "      - {when: {category: 供暖, urgency: 特急}, to: housing}\n"


def read(text: str) -> Workflow:
    return parse(text, "small.yaml")


def changed(old: str, new: str, text: str = SMALL) -> list[Change]:
    """Return what one replacement comes to."""
    assert text.count(old) >= 1, old
    return differences(read(SMALL), read(text.replace(old, new, 1)))


@pytest.mark.parametrize("case", CASES)
def test_one_change_is_told_to_each_whom_it_concerns(case: str) -> None:
    old, new, wanted = CASES[case]
    assert {(change.who, change.words) for change in changed(old, new)} == wanted


def test_a_file_does_not_differ_from_itself() -> None:
    assert differences(read(SMALL), read(SMALL)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from: [received, handling], to: merged", "from: [handling, received], to: merged"),
        ("paused: [paused, merged]", "paused: [merged, paused]"),
        ("by: [system, desk], effect: route", "by: [desk, system], effect: route"),
        ("separate: [[handler, desk], [handler, inspector]]", "separate: [[inspector, handler], [desk, handler]]"),
        (f"{LIFT}{HEAT}", f"{HEAT}{LIFT}"),
        (
            "      - {when: {kind: 咨询}, is: 3 workdays}\n      - {is: 5 workdays}\n",
            "      - {when: {kind: 咨询}, is: 3 workdays}\n      - {when: {kind: 投诉}, is: 5 workdays}\n      - {is: 5 workdays}\n",
        ),
        ("version: 1", "version: 2"),
    ],
)
def test_what_has_no_order_or_comes_to_the_same_is_no_difference(old: str, new: str) -> None:
    assert changed(old, new) == []


def test_lines_that_both_hold_matter_in_their_order() -> None:
    first, second = "{when: {kind: 咨询}, is: 3 workdays}", "{when: {urgency: 特急}, is: 2 hours}"
    a = SMALL.replace(f"- {first}\n", f"- {first}\n      - {second}\n")
    b = SMALL.replace(f"- {first}\n", f"- {second}\n      - {first}\n")
    found = differences(read(a), read(b))
    assert {change.words for change in found} == {"办理时限：咨询、特急由 3 个工作日改为 2 小时"}
    assert {change.kind for change in found} == {"limit-shorter"}


def test_a_listed_value_taken_out_of_a_line_is_told_by_itself() -> None:
    before = [Line(Condition.parse({"category": ["甲", "乙", "丙"]}), "x")]
    after = [Line(Condition.parse({"category": ["甲"]}), "x"), Line(Condition.parse({"category": ["乙", "丙"]}), "y")]
    assert [(turn.case, turn.before, turn.after) for turn in turns(before, after)] == [
        ({"category": ["乙", "丙"]}, "x", "y")
    ]


def test_what_b_maps_is_the_same_thing_and_is_told_as_moved() -> None:
    text = SMALL.replace("version: 1", "version: 2")
    text = re.sub(r"\bpaused\b(?!:)", "held", text).replace("  paused: {stage", "  held: {stage")
    text += "migrates: {small@1: {states: {paused: held}}}\n"
    found = differences(read(SMALL), read(text))
    assert [(change.who, change.words) for change in found] == [
        (RUNNING, "停在状态“挂起中”（paused）的，转到“挂起中”（held）")
    ]


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("  inspector: {title: 督办人员, is: supervisor}\n", "", "role-removed"),
        ("  promise:\n", "  vow:\n", "clock-removed"),
        ("  assist:\n    title: 协办\n", "  aid:\n    title: 协办\n", "task-removed"),
        ("  paused: {stage", "  held: {stage", "state-removed"),
    ],
)
def test_what_vanishes_under_running_grievances_stands_first(old: str, new: str, kind: str) -> None:
    groups = grouped(changed(old, new))
    assert next(iter(groups)) == RUNNING
    assert kind in {change.kind for change in groups[RUNNING]}


def test_every_change_says_where_it_stands() -> None:
    for old, new, _ in CASES.values():
        assert all(change.path_a or change.path_b for change in changed(old, new))


def test_groups_stand_in_the_order_of_the_roles() -> None:
    text = SMALL.replace("by: handler\n    if", "by: [handler, inspector, desk]\n    if").replace(
        "  paused: {stage: handle, title: 挂起中, holder: handler}\n", ""
    )
    assert list(grouped(differences(read(SMALL), read(text)))) == [RUNNING, DESK, HANDLER, INSPECTOR]


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Write small.yaml and its next version, with a shorter limit."""
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    a.write_text(SMALL, encoding="utf-8")
    b.write_text(
        SMALL.replace("version: 1", "version: 2").replace("{is: 5 workdays}", "{is: 4 workdays}"), encoding="utf-8"
    )
    return str(a), str(b)


def test_the_command_groups_the_sentences_by_whom_they_concern(files: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["diff", *files])
    assert result.exit_code == 0
    assert result.stdout == (
        "small@1 → small@2：1 处不同\n"
        "\n受理中心\n  - 办理时限：其他由 5 个工作日改为 4 个工作日\n"
        "\n承办单位\n  - 办理时限：其他由 5 个工作日改为 4 个工作日\n"
    )


def test_the_command_says_when_nothing_differs_and_ends_as_it_is_told(files: tuple[str, str]) -> None:
    same = CliRunner().invoke(app, ["diff", files[0], files[0], "--exit-code"])
    assert (same.exit_code, same.stdout) == (0, "small@1 → small@1：没有不同\n")
    assert CliRunner().invoke(app, ["diff", *files, "--exit-code"]).exit_code == 1


def test_the_command_gives_a_list_to_programs(files: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["diff", *files, "--json"])
    assert result.exit_code == 0
    assert '"who":"承办单位","what":"办理时限","kind":"limit-shorter"' in result.stdout
    assert '"path_a":"clocks.handle.limit","path_b":"clocks.handle.limit"' in result.stdout


def leaves(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every part of plain data."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from leaves(value, (*path, key))


def test_whatever_is_struck_out_of_a_file_is_told() -> None:
    raw: Any = reader.read(SMALL, "small.yaml").data
    whole, struck = Workflow.model_validate(raw), 0
    for path in list(leaves(raw))[::4]:
        part = copy.deepcopy(raw)
        node = part
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        try:
            less = Workflow.model_validate(part)
        except ValidationError:
            continue
        if less != whole:
            struck += 1
            assert differences(whole, less), path
            assert differences(less, whole), path
    assert struck > 60


def test_whom_a_task_keeps_apart_is_told_by_pairs() -> None:
    was, apart = "    holder: one_level_up\n", "    separate: [[holder, opener, inspector]]\n    holder: one_level_up\n"
    said = {
        "同一件“延期申请”任务的“发起单位”与“持有单位”必须是不同的单位",
        "同一件“延期申请”任务的“持有单位”与“督办人员”必须是不同的单位",
        "同一件“延期申请”任务的“发起单位”与“督办人员”必须是不同的单位",
    }
    found = changed(was, apart)
    assert {change.words for change in found} == said
    assert {(change.kind, change.path_b) for change in found} == {("separation-added", "tasks.extension.separate")}
    gone = differences(read(SMALL.replace(was, apart, 1)), read(SMALL))
    assert {change.kind for change in gone} == {"separation-removed"}


def test_the_company_of_the_estate_is_said_in_words() -> None:
    found = changed("handler: {title: 承办单位, unit: lead}", "handler: {title: 承办单位, unit: {estate: company}}")
    assert "“承办单位”由主办单位改为小区的物业企业" in {change.words for change in found}
