"""What the new file says it renamed is told once, as renamed; what it does not say is told with the names in the file."""

import re

import pytest
from tests import ROOT
from tests.authoring.diff.changes import CLERK, DESK, HANDLER, RESIDENT, RUNNING

from wuye_loop.authoring.diff.compare import Change, differences
from wuye_loop.domain.rulefile.definition import parse

SMALL = (ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8")
MORE = SMALL.replace(
    "separate: [[",
    "joins: [{when: {overdue.handle: true, state: handling}, act: take_back}]\n"
    "standing: [{when: {state: [paused, merged], overdue.handle: {not: false}}, is: 停着}]\n"
    "sources:\n  patrol: {title: 巡查, by: handler, start: handling}\n"
    "separate: [[",
).replace(
    "effect: {extend_clock: {clock: handle,", "if: {overdue.handle: false}, effect: {extend_clock: {clock: handle,"
)
KUIWEN = (ROOT / "workflows" / "kuiwen@1.yaml").read_text(encoding="utf-8")


def renamed(text: str, migrates: str, names: dict[str, str]) -> str:
    """Return a file's next version with names changed wherever they stand: a key, a value, a part of a fact."""
    for old, new in names.items():
        text = re.sub(rf"(?<![\w.-])((?:overdue\.)?){old}(?![\w.-])", rf"\1{new}", text)
    return text.replace("version: 1", "version: 2", 1) + (f"\nmigrates: {migrates}\n" if migrates else "")


def told(text: str, migrates: str, names: dict[str, str]) -> list[Change]:
    """Return what a renaming comes to."""
    return differences(parse(text, "a.yaml"), parse(renamed(text, migrates, names), "b.yaml"))


def said(changes: list[Change]) -> set[tuple[str, str]]:
    """Return whom the changes concern, and the words."""
    return {(change.who, change.words) for change in changes}


ROLE = (RUNNING, "以“承办单位”（handler）的身份办过的，算作“承办单位”（undertaker）办过的")
STATE = (RUNNING, "停在状态“承办中”（handling）的，转到“承办中”（doing）")
CLOCK = (RUNNING, "正在走的“办理时限”（handle）改按“办理时限”（process）")


@pytest.mark.parametrize(
    ("migrates", "names", "wanted"),
    [
        ("{small@1: {roles: {handler: undertaker}}}", {"handler": "undertaker"}, {ROLE}),
        ("{small@1: {states: {handling: doing}}}", {"handling": "doing"}, {STATE}),
        (
            "{small@1: {tasks: {extension: {asked: put}, suspension: {asked: put}, assist: {asked: put}}}}",
            {"asked": "put"},
            {
                (RUNNING, f"停在“{task}”任务的状态“{title}”（asked）的，转到“{title}”（put）")
                for task, title in (("延期申请", "待审批"), ("挂起申请", "待审批"), ("协办", "待办"))
            },
        ),
    ],
)
def test_a_name_that_is_mapped_is_told_once_and_nowhere_else(
    migrates: str, names: dict[str, str], wanted: set[tuple[str, str]]
) -> None:
    assert said(told(MORE, migrates, names)) == wanted


def test_a_clock_that_is_mapped_is_told_once_and_nowhere_else() -> None:
    text = renamed(MORE, "{small@1: {clocks: {handle: process}}}", {"handle": "process"})
    text = text.replace("stage: process", "stage: handle")
    assert said(differences(parse(MORE, "a.yaml"), parse(text, "b.yaml"))) == {CLOCK}


@pytest.mark.parametrize(
    ("kind", "names"),
    [("roles", {"handler": "undertaker"}), ("states", {"supervised": "watched"}), ("clocks", {"promise": "pledge"})],
)
def test_a_mapped_name_in_a_whole_city_s_file_leaves_no_other_sentence(kind: str, names: dict[str, str]) -> None:
    (old, new) = next(iter(names.items()))
    found = told(KUIWEN, f"{{kuiwen@1: {{{kind}: {{{old}: {new}}}}}}}", names)
    assert {change.kind for change in found} == {f"{kind.removesuffix('s')}-mapped"}


def test_names_that_change_places_are_each_followed_once() -> None:
    text = renamed(SMALL, "", {"handler": "someone", "helper": "handler", "someone": "helper"})
    text += "\nmigrates: {small@1: {roles: {handler: helper, helper: handler}}}\n"
    found = differences(parse(SMALL, "a.yaml"), parse(text, "b.yaml"))
    assert {change.kind for change in found} == {"role-mapped"}


def test_two_names_that_become_one_are_no_reason_to_fail() -> None:
    a = SMALL.replace("  helper:", "  second: {title: 第二承办, unit: lead}\n  helper:").replace(
        "separate: [[handler, desk]", "separate: [[handler, second, desk]"
    )
    text = SMALL.replace("version: 1", "version: 2") + "\nmigrates: {small@1: {roles: {second: handler}}}\n"
    found = differences(parse(a, "a.yaml"), parse(text, "b.yaml"))
    assert said(found) == {(RUNNING, "以“第二承办”（second）的身份办过的，算作“承办单位”（handler）办过的")}


def test_a_title_that_two_undeclared_names_bear_is_said_with_the_names() -> None:
    words = {change.words for change in told(SMALL, "", {"handling": "doing"})}
    assert "状态“承办中（handling）”没有了：停在这里的要在 migrates 里写明去处" in words
    assert "“催办”在“承办中（doing）”也可以做" in words
    assert "“催办”在“承办中（handling）”不能再做" in words
    assert not any("“承办中”" in said for said in words)


def test_a_role_s_title_that_two_undeclared_names_bear_is_said_with_the_names() -> None:
    found = told(SMALL, "", {"handler": "undertaker"})
    assert "状态“承办中”由承办单位（handler）持有改为由承办单位（undertaker）持有" in {change.words for change in found}
    assert {("承办单位（handler）", "不能再做“办结”"), ("承办单位（undertaker）", "也可以做“办结”")} <= said(found)
    assert HANDLER not in {change.who for change in found}


def test_a_clock_s_title_that_two_undeclared_names_bear_is_said_with_the_names() -> None:
    text = renamed(SMALL, "", {"handle": "process"}).replace("stage: process", "stage: handle")
    words = {change.words for change in differences(parse(SMALL, "a.yaml"), parse(text, "b.yaml"))}
    assert "“申请延期”由“办理时限（handle）”到期之前可做改为“办理时限（process）”到期之前可做" in words
    assert "“延期申请”任务的“同意”时的“延长‘办理时限（handle）’”改为“延长‘办理时限（process）’”" in words


def test_fields_of_one_title_are_told_with_their_names() -> None:
    old = "reply: {text: {max: 500}}}"
    a = SMALL.replace(old, "reply: {text: {max: 500}, title: 答复}}")
    b = SMALL.replace(old, "answer: {text: {max: 500}, title: 答复}}")
    assert {change.words for change in differences(parse(a, "a.yaml"), parse(b, "b.yaml"))} == {
        "“办结”不再填“答复”（reply）",
        "“办结”要填“答复”（answer）（必填，文字）",
    }


def test_an_action_of_another_name_but_the_same_title_is_the_same_action() -> None:
    found = told(SMALL, "", {"suspend": "hold_it"})
    assert said(found) == {(CLERK, "“挂起”在文件里的名称由 suspend 改为 hold_it")}


def test_every_sentence_says_something_changes() -> None:
    found = [
        *told(SMALL, "", {"handling": "doing", "handler": "undertaker", "remind": "nudge"}),
        *told(KUIWEN, "", {"handler": "undertaker", "urge_notice": "nudge"}),
    ]
    assert {DESK, RESIDENT} & {change.who for change in found}
    for change in found:
        turned = re.fullmatch(r".*由(.+)改为(?:由)?(.+)", change.words)
        assert not turned or turned[1] != turned[2], change.words
