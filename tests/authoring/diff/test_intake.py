"""Red lines are told first, one by one and in full; a new kind of task with who opens it, by when, and who decides."""

from pathlib import Path

from tests import ROOT
from tests.authoring.diff.changes import DESK, HANDLER
from typer.testing import CliRunner

from wuye_loop.authoring.diff.compare import Change, differences, grouped
from wuye_loop.cli import app
from wuye_loop.domain.rulefile.definition import parse

SMALL = (ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8")
WORDS = "|".join(["自杀", "轻生", *(f"第{n}个很长很长的危险的词" for n in range(20))])
ALARM = "urgency: 特急, notice: alarm, to: [desk]"
LINES = f"""  red_lines:
    - {{when: {{text: {{pattern: "{WORDS}"}}}}, {ALARM}}}
    - {{when: {{text: {{pattern: "起火|爆炸"}}}}, {ALARM}}}
"""
BEFORE, _, AFTER = SMALL.partition("  red_lines:\n")
REST = AFTER[AFTER.index("instruments:") :]
A = BEFORE + LINES + REST


def told(lines: str, before: str = LINES) -> list[Change]:
    """Return what changes when the red lines do."""
    return differences(parse(BEFORE + before + REST, "a.yaml"), parse(BEFORE + lines + REST, "b.yaml"))


def test_a_red_line_that_is_gone_stands_first_and_is_never_cut_short() -> None:
    fewer = LINES.replace(f'    - {{when: {{text: {{pattern: "{WORDS}"}}}}, {ALARM}}}\n', "")
    text = (BEFORE + fewer + REST).replace("  assist:\n    title: 协办\n", "  aid:\n    title: 协办\n")
    found = differences(parse(A, "a.yaml"), parse(text, "b.yaml"))
    assert next(iter(grouped(found))) == "红线"
    lost, gone = (change for change in found if change.who == "红线")
    assert gone.words == f"去掉了红线：标题和内容匹配“{WORDS}”（原为提为特急，向受理中心发“警示”）"
    assert lost.words == "原来算红线、现在不算的词：" + WORDS.replace("|", "、")
    assert [change.kind for change in (lost, gone)] == ["red-words-lost", "red-line-removed"]
    assert not any("…" in change.words for change in (lost, gone))


def test_each_red_line_that_comes_or_changes_has_a_line_of_its_own() -> None:
    other = LINES.replace('"起火|爆炸"}}, urgency: 特急', '"起火|爆炸"}}, urgency: 加急')
    more = other + "    - {when: {category: 消防}, urgency: 加急}\n    - {when: {category: 燃气}, urgency: 加急}\n"
    assert [(change.kind, change.words) for change in told(more)] == [
        (
            "red-line-changed",
            "红线（标题和内容匹配“起火|爆炸”）由“提为特急，向受理中心发‘警示’”改为“提为加急，向受理中心发‘警示’”",
        ),
        ("red-line-added", "增加了红线：类别为消防（提为加急）"),
        ("red-line-added", "增加了红线：类别为燃气（提为加急）"),
    ]


def test_a_word_that_another_red_line_looks_for_is_not_lost() -> None:
    moved = LINES.replace("自杀|轻生|", "").replace("起火|爆炸", "起火|爆|自杀|轻.生")
    words = [change.words for change in told(moved) if change.kind == "red-words-lost"]
    assert words == ["原来算红线、现在不算的词：轻生"]


def test_the_order_of_red_lines_is_nothing_and_their_source_is_for_the_clerk() -> None:
    head, first, second = LINES.splitlines(keepends=True)
    assert told(head + second + first) == []
    (change,) = told(LINES.replace('"起火|爆炸"}}, ', '"起火|爆炸"}}, source: 第五条, '))
    assert (change.who, change.words) == ("规则维护人员", "红线（标题和内容匹配“起火|爆炸”）的出处由无改为“第五条”")


def test_a_red_line_that_is_written_twice_is_compared_one_by_one() -> None:
    (change,) = told(LINES, LINES + f'    - {{when: {{text: {{pattern: "起火|爆炸"}}}}, {ALARM}}}\n')
    assert change.kind == "red-line-removed"


def test_keywords_and_what_attaches_are_told_one_by_one() -> None:
    a = "  categories: [{category: 电梯, pattern: 电梯}, {category: 供暖, pattern: 暖气}]\n"
    b = "  categories: [{category: 供暖, pattern: 暖气}, {category: 停车, pattern: 车位}]\n"
    head = BEFORE[: BEFORE.index("intake:\n")] + "intake:\n"
    found = differences(parse(head + a + LINES + REST, "a.yaml"), parse(head + b + LINES + REST, "b.yaml"))
    assert [change.words for change in found if change.what == "分类关键词"] == [
        "分类关键词：去掉“电梯 → 电梯”",
        "分类关键词：增加“车位 → 停车”",
    ]


VISIT = """  visit:
    title: 上门核实
    open: {title: 申请上门, by: handler, from: handling, within: 2 hours, limit: 2, needs: {why: text}}
    holder: desk
    separate: [[holder, handler]]
    states: {asked: {title: 待核实, holder: holder}, seen: {title: 已核实, final: true}}
    clocks:
      look:
        title: 核实时限
        during: asked
        limit: [{when: {urgency: 特急}, is: 2 hours}, {is: 1 workday}]
        ladder: [{at: -1 hour, do: remind, to: holder}, {at: due, act: drop}]
    actions:
      see: {title: 核实, from: asked, to: seen, by: holder, needs: {note: text}}
      drop: {title: 视为核实, from: asked, to: seen, by: [holder, system]}
"""


def test_a_new_kind_of_task_is_told_with_who_opens_it_its_limits_and_who_decides() -> None:
    said = (
        "在“承办中”由承办单位发起，2 小时之内，最多 2 次，由受理中心办理；"
        "核实时限 特急 2 小时，1 个工作日，到期时系统做“视为核实”；受理中心可以做“核实”、“视为核实”；"
        "持有单位、承办单位必须是不同的单位"
    )
    found = differences(parse(SMALL, "a.yaml"), parse(SMALL.replace("tasks:\n", f"tasks:\n{VISIT}", 1), "b.yaml"))
    assert {(change.who, change.words) for change in found} == {
        (HANDLER, f"可以发起任务“上门核实”：{said}"),
        (DESK, f"新增任务“上门核实”：{said}"),
    }


def test_a_task_that_the_system_or_a_document_opens_is_told_to_those_who_hold_it() -> None:
    for by, head in (
        ("system", "由系统开任务“上门核实”：在“承办中”由系统发起"),
        ("[]", "新增任务“上门核实”：在“承办中”只随逐条交办的文书发起"),
    ):
        visit = VISIT.replace("by: handler, from", f"by: {by}, from")
        found = differences(parse(SMALL, "a.yaml"), parse(SMALL.replace("tasks:\n", f"tasks:\n{visit}", 1), "b.yaml"))
        assert any(change.words.startswith(head) for change in found)
        assert DESK in {change.who for change in found}


def test_the_command_prints_red_lines_before_everything_else(tmp_path: Path) -> None:
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    a.write_text(A, encoding="utf-8")
    b.write_text(BEFORE + LINES.rpartition("    - ")[0] + REST, encoding="utf-8")
    printed = CliRunner().invoke(app, ["diff", str(a), str(b)]).stdout.splitlines()
    assert printed[2:5] == [
        "红线",
        "  - 原来算红线、现在不算的词：起火、爆炸",
        "  - 去掉了红线：标题和内容匹配“起火|爆炸”（原为提为特急，向受理中心发“警示”）",
    ]
