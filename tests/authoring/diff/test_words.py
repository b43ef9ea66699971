"""No parameter's English name and nothing of Python reaches a reader; who may read a field is told to those it concerns."""

import re
from itertools import combinations

import pytest
from tests import ROOT
from tests.authoring.diff.changes import CLERK, HANDLER, HOTLINE, RESIDENT, SIGHT, SYSTEM

from wuye_loop.authoring.diff.compare import Change, differences
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.store.workflows.files import whole_text

SMALL = (ROOT / "tests" / "authoring" / "small.yaml").read_text(encoding="utf-8")
FILES = sorted((ROOT / "workflows").glob("*@*.yaml"))
RATED = "weights: {满意: 1.0, 不满意: 0}}"
ASKED = "asks: {satisfied: {scale: [满意, 不满意]}}"


def changed(*turns: tuple[str, str], text: str = SMALL) -> list[Change]:
    """Return what replacements come to."""
    new = text
    for one, other in turns:
        assert one in new, one
        new = new.replace(one, other, 1)
    return differences(parse(text, "a.yaml"), parse(new, "b.yaml"))


def words(*turns: tuple[str, str], text: str = SMALL) -> set[str]:
    """Return the sentences that replacements come to."""
    return {change.words for change in changed(*turns, text=text)}


def test_what_a_rate_counts_is_said_in_words() -> None:
    figures = RATED[:-1] + ", figures: {response: {contacted: true}, solved: {satisfied: [满意]}}}"
    asked = ASKED[:-1] + ", contacted: {bool: {title: 是否联系过您}}}"
    a = SMALL.replace(ASKED, asked)
    assert words((RATED, figures), text=a) == {
        "评价“群众评价”另计响应率：“是否联系过您”为是",
        "评价“群众评价”另计解决率：“satisfied”为满意",
    }
    counted = a.replace(RATED, figures)
    assert words((figures, RATED), text=counted) == {"评价“群众评价”不再计响应率", "评价“群众评价”不再计解决率"}
    assert words(("{contacted: true}", "{contacted: false}"), text=counted) == {
        "评价“群众评价”的响应率由“‘是否联系过您’为是”改为“‘是否联系过您’为否”"
    }


EXTEND = "{extend_clock: {clock: handle, by: days}}"


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (
            "{extend_clock: {clock: handle, by: days, cap: [{when: {kind: 投诉}, is: 5 workdays}, {is: 10 workdays}]}}",
            "（所填‘days’个工作日，累计最多：投诉 5 个工作日、10 个工作日）",
        ),
        ("{extend_clock: {clock: handle, by: days, unit: day}}", "（所填‘days’日）"),
    ],
)
def test_what_an_effect_takes_is_said_in_words(effect: str, said: str) -> None:
    was = "“延期申请”任务的“同意”时由“延长‘办理时限’（所填‘days’个工作日）”"
    assert {(change.who, change.words) for change in changed((EXTEND, effect))} == {
        (SYSTEM, f"{was}改为“延长‘办理时限’{said}”")
    }


def test_an_effect_of_an_outcome_that_takes_something_else_is_said_in_words() -> None:
    a = SMALL.replace(
        "to: handling, effect: new_cycle}\n", "to: handling, effect: {extend_clock: {clock: handle, by: satisfied}}}\n"
    )
    b = a.replace("by: satisfied}}}\n", "by: satisfied, unit: day}}}\n")
    found = {change.words for change in differences(parse(a, "a.yaml"), parse(b, "b.yaml"))}
    was = "“评价”，办理轮次不多于 2：由到“承办中”，延长“办理时限”（所填“satisfied”个工作日）"
    assert found == {f"{was}改为到“承办中”，延长“办理时限”（所填“satisfied”日）"}


def test_a_default_that_is_written_out_is_no_difference() -> None:
    assert changed((EXTEND, "{extend_clock: {clock: handle, by: days, unit: workday}}")) == []
    assert (
        changed(("{notify: {instrument: remind, to: [handler]}}", "{notify: {instrument: remind, to: handler}}")) == []
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{kind: territory, level: street}",
            "{kind: territory, level: current, duty: other}",
            {"属地的职责由“property-office”改为“other”", "属地的层级由“街道”改为“当前层级”"},
        ),
        ("  - {kind: desk}\n", "  - {kind: desk, source: 第二条}\n", {"转办方式“人工转办”的出处由无改为“第二条”"}),
        ("by: inspector}\nratings", "by: inspector, text: 请办理}\nratings", {"文书“通知书”的正文由无改为“请办理”"}),
        (
            "by: inspector}\nratings",
            "by: inspector, opens: assist}\nratings",
            {"文书“通知书”的每一条发起的任务由无改为“协办”"},
        ),
        ("remind: {title: 提醒}", "remind: {title: 提醒, document: 通知书}", {"督办手段“提醒”随发的文书由无改为“通知书”"}),
        ("intake:\n", "intake:\n  duplicates: {source: 第三条}\n", {"疑似重复的出处由无改为“第三条”"}),
        ("intake:\n", "calendar: {source: 第四条}\nintake:\n", {"办公时间的出处由无改为“第四条”"}),
        ("intake:\n", "labels: {reply: 答复}\nintake:\n", {"字段 reply 有了名称“答复”"}),
        ("reply: {text: {max: 500}}", "reply: {text: {max: 600}}", {"“办结”的“reply”的最多字数由 500 改为 600"}),
        ("{int: {min: 1, max: 10}}", "{int: {min: 2, max: 9}}", {"“申请延期”的“days”的最小数由 1 改为 2", "“申请延期”的“days”的最大数由 10 改为 9"}),
        ("reply: {text: {max: 500}}", "reply: {file: {max: 5}}", {"“办结”的“reply”由必填，文字改为必填，文件"}),
    ],
)  # fmt: skip
def test_a_part_of_a_rule_is_called_as_people_call_it(old: str, new: str, said: set[str]) -> None:
    assert words((old, new)) == said


def test_the_number_of_files_is_called_so() -> None:
    a = SMALL.replace("reply: {text: {max: 500}}", "reply: {file: {max: 5}}")
    assert words(("{file: {max: 5}}", "{file: {max: 3}}"), text=a) == {"“办结”的“reply”的最多件数由 5 改为 3"}


def test_a_source_that_is_called_otherwise_is_told_as_such() -> None:
    a = SMALL.replace("intake:\n", "sources:\n  patrol: {title: 巡查, channels: [巡查]}\nintake:\n")
    assert words(("title: 巡查", "title: 检查"), text=a) == {"来源“巡查”改称“检查”"}


def test_what_the_system_does_by_itself_is_the_same_whatever_things_are_called() -> None:
    join = "joins: [{when: {tasks.assist: {min: 1}, open.assist: 0, state: handling}, act: take_back}]\n"
    a = SMALL.replace("separate: [[", f"{join}standing: [{{when: {{state: handling}}, is: 在办}}]\nseparate: [[")
    assert words(("title: 承办中", "title: 办理中"), text=a) == {"状态“承办中”改称“办理中”"}
    assert words(("act: take_back}", "act: take_back, source: 第五条}"), text=a) == {"会合各条的出处由无改为“第五条”"}


def test_a_value_that_only_the_old_file_knows_is_said_by_its_title() -> None:
    a = SMALL.replace("intake:\n", "sources:\n  patrol: {title: 巡查, channels: [巡查]}\nintake:\n").replace(
        "      - {when: {kind: 咨询}, is: 3 workdays}\n", "      - {when: {origin: patrol}, is: 3 workdays}\n"
    )
    found = {change.words for change in differences(parse(a, "a.yaml"), parse(SMALL, "b.yaml"))}
    assert "办理时限：来源为巡查由 3 个工作日改为 5 个工作日" in found


def test_no_python_and_no_parameter_s_name_reaches_a_reader() -> None:
    """Every city's file against every later one: some thousand sentences."""
    read = [parse(whole_text(path), path.name) for path in FILES]
    raw = re.compile(r"[{\[(]'|': |\bTrue\b|\bFalse\b|\bNone\b|Span\(|的 [a-z_]+ 由|[:：] \[|\w+: \w+，")
    for one, other in combinations(read, 2):
        for change in differences(one, other):
            if change.who == CLERK:
                continue
            text = re.sub(r"匹配“[^”]*”|去掉“[^”]*”|增加“[^”]*”|\{(?:year|n)\}", "", change.words)
            assert not raw.search(text), change.words


INNER = "  inner: {text: {max: 500, audience: internal}, title: 内部情况}"


def test_a_field_that_the_complainant_may_read_now_is_told_to_him_and_near_the_top() -> None:
    a = SMALL.replace("reply: {text: {max: 500}}}", f"reply: {{text: {{max: 500}}}},{INNER}}}")
    found = changed(("audience: internal", "audience: public"), text=a)
    said = "“办结”的“内部情况”由派单和督办可看改为诉求人可看：办理单位、诉求人今后看得到"
    assert {change.words for change in found} == {said}
    assert found[0].who == SIGHT
    assert {change.who for change in found} == {SIGHT, RESIDENT, HOTLINE, HANDLER, "协办单位"}
    back = changed(("audience: public", "audience: internal"), text=a.replace("audience: internal", "audience: public"))
    assert {change.words for change in back} == {
        "“办结”的“内部情况”由诉求人可看改为派单和督办可看：办理单位、诉求人今后看不到"
    }


def test_a_field_that_units_alone_may_not_read_any_more_is_told_to_them() -> None:
    found = changed(("reply: {text: {max: 500}}", "reply: {text: {max: 500, audience: internal}}"))
    assert {change.words for change in found} == {"“办结”的“reply”由办理单位可看改为派单和督办可看：办理单位今后看不到"}
    assert {change.who for change in found} == {SIGHT, HANDLER, "协办单位"}


def test_a_reader_that_is_only_written_out_changes_nothing_for_anybody() -> None:
    found = changed(("reply: {text: {max: 500}}", "reply: {text: {max: 500, audience: units}}"))
    assert [(change.who, change.words) for change in found] == [
        (HANDLER, "“办结”的“reply”由与动作相同的人可看改为办理单位可看")
    ]


def test_who_may_read_comes_first_in_each_group() -> None:
    found = changed(
        ("title: 承办中, holder: handler,", "title: 承办, holder: handler,"),
        ("reply: {text: {max: 500}}", "reply: {text: {max: 600, audience: public}}"),
    )
    assert next(change.kind for change in found if change.who == HANDLER) == "field-audience"
