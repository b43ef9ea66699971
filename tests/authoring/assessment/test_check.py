"""The checker of schemes: every shipped file is sound, and each way of being wrong is told with its place."""

from typing import Any

import orjson
import pytest
from tests.assessing import FOLDER, scheme_text, workflow_of

from wuye_loop.authoring.assessment.check import check_scheme
from wuye_loop.authoring.assessment.compare import scheme_differences
from wuye_loop.authoring.assessment.schema import scheme_schema
from wuye_loop.authoring.assessment.trial import is_scheme_script, read_scheme_script, run_scheme_tests
from wuye_loop.domain.assessment.opening import parse_scheme
from wuye_loop.domain.assessment.scheme import Scheme
from wuye_loop.domain.rulefile.reader import read

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.yaml"))
KUIWEN = scheme_text("kuiwen@1")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scheme_is_sound_without_a_remark(name: str) -> None:
    scheme, findings = check_scheme(scheme_text(name), f"{name}.yaml", workflows=workflow_of)
    assert [str(one) for one in findings] == []
    assert scheme is not None
    assert scheme.id == name


@pytest.mark.parametrize("name", SHIPPED)
def test_every_rule_of_a_shipped_scheme_names_its_source(name: str) -> None:
    scheme = parse_scheme(scheme_text(name), f"{name}.yaml")
    parts: list[Any] = [*scheme.measures.values(), *scheme.inputs.values(), *scheme.periods.values()]
    parts += [item for period in scheme.periods.values() for item in period.items]
    parts += [one for period in scheme.periods.values() for one in period.lists.values()]
    parts += scheme.credit.items.values() if scheme.credit is not None else ()
    assert [one for one in (*parts, *scheme.consequences.values()) if one.source is None] == []


@pytest.mark.parametrize(
    ("was", "is_", "code", "words"),
    [
        ("each: rejected", "each: rejectd", "unknown-name", "没有指标“rejectd”，是不是 rejected？"),
        ("weight: 60", "weight: 50", "weights", "各项的分值相加是 90，应为满分 100"),
        ("closes: +3 workdays", "closes: -3 workdays", "never-closes", "封账要在考核期结束以后"),
        ("by: [street]", "by: []", "no-voice", "“街道巡查评分”没有人可以评"),
        ("by: [street]", "by: [stret]", "unknown-name", "没有角色“stret”"),
        ("source: bottom_five,", "source: bottom_six,", "unknown-name", "没有来源“bottom_six”"),
        (", rank: from_last}", "}", "form", "来源“每月排名后五位的物业企业”要填“rank”"),
        ("credit: bottom_five,", "credit: bottom,", "unknown-name", "没有信用项“bottom”"),
        ("brings: [rectify, credit_cut]", "brings: [rectify, credit_cat]", "unknown-name", "没有处置“credit_cat”"),
        ("{title: 后五位, last: 5,", "{title: 后五位, below: 60, from: 70,", "unreached-list", "没有人能上这个榜"),
        ("{title: 后五位, last: 5,", "{title: 后五位,", "endless-list", "没有写谁上榜"),
        ("last: 5, within", "last: 5, when: {red: {running: 2}}, within", "unknown-name", "没有榜“red”"),
        ("named: handle, over: {ass", "named: handel, over: {ass", "unknown-name", "没有时限“handel”"),
        ("when: {origin: through_train}, per", "when: {orign: x}, per", "unknown-name", "没有事实“orign”"),
        ("when: {rung: exit_notice}", "when: {rung: exit}", "unknown-name", "没有督办手段“exit”"),
        ("workflow: kuiwen@2", "workflow: kuiwen@9", "no-workflow", "没有流程 kuiwen@9"),
        ("growth: volume", "growth: on_time", "growth-of-rate", "不是件数"),
        ("from: owners,", "from: satisfaction,", "unused-input", "评了也不算数"),
        ("every: half_year", "every: week", "same-period", "也是这种考核期"),
        ("from: month\n", "from: moth\n", "unknown-name", "没有考核期“moth”"),
        ("floor: 12.5", "floor: 26", "floor", "floor 不能大于 max"),
        ("{period}考核后五位", "{perod}考核后五位", "unknown-name", "没有可填的词“perod”"),
        ("points: -1, each", "points: 1, each", "most-sign", "most 与 points 同号"),
        ("rate: clocks", "rate: clocks, count: tasks", "bad-value", "只写 rate、count、growth、composite 之一"),
        ("every: month", "every: fortnight", "bad-value", "可用：day、week、month"),
        ("grade: C, running: 2, of: month", "grade: D, running: 2, of: month", "unknown-name", "没有等级“D”"),
        ("running: 2, of: month", "running: 2, of: moth", "unknown-name", "没有考核期“moth”，是不是 month？"),
        ("running: 2, of: month", "running: 2", "running-of-what", "连续几个什么考核期"),
        ("{grade: C, running: 2, of: month}", "{below: 0}", "unreached-exit", "没有人会符合这一种"),
        ("{grade: C, running: 2, of: month}", "{below: 101}", "everybody-leaves", "人人都会被清退"),
        ("{grade: C, running: 2, of: month}", "{grade: AAA}", "everybody-leaves", "人人都会被清退"),
        ("{grade: C, running: 2, of: month}", "{running: 2, of: month}", "bad-value", "一票否决"),
        ("brings: [leave]", "brings: [leav]", "unknown-name", "没有处置“leav”，是不是 leave？"),
        ("brings: [leave]", "brings: [rectify]", "exit-as-list", "也由榜单带来"),
        ("brings: [leave]", "brings: []", "exit-of-nothing", "要写 brings"),
        ("{subject}启动退出程序", "{rank}启动退出程序", "unknown-name", "没有可填的词“rank”"),
        ("points: total, grade", "points: rank, grade", "unknown-name", "没有可填的词“rank”。可用：period"),
        ("rank: from_last}", "rank: grade}", "unknown-name", "没有可填的词“grade”"),
        ("silence: kept", "silence: above, above: {decided_by: party_office, decides: 0 days}", "no-time", "大于零"),
        ("decided_by: command, decides", "decided_by: comand, decides", "unknown-name", "没有角色“comand”"),
        ("decides: 10 workdays, silence: kept", "silence: upheld", "silence-never", "永远不会逾期"),
        ("silence: kept", "silence: above", "nobody-above", "交给谁"),
        ("silence: kept", "above: {decided_by: party_office, decides: 1 day}", "above-unreached", "永远交不到上面"),
        ("silence: kept", "silence: above, above: {decided_by: command, decides: 1 day}", "above-same", "同一个角色"),
        ("template: week", "template: weak", "unknown-name", "没有通报模板“weak”，是不是 week？"),
        ("template: week", "template: own", "empty-section", "这个考核期不计分"),
        ("own: {sections: [scores, figures]}", "own: {sections: [figures, figures]}", "twice", "写了两次"),
        ("own: {sections: [scores, figures]}", "own: {sections: [figure]}", "bad-value", "是不是 figures？可用："),
        ("own: {sections: [scores, figures]}", "own: {sections: [figures], titles: {trend: 近来}}", "empty-section", "不在 sections 里"),
        ("{道路和广场清扫: 2,", "{楼道清扫: 2,", "bad-value", "“楼道清扫”写了两次"),
        ("measures:", "mesures:", "unknown-key", "是不是 measures？"),
        ("document: 通报", "document: 通报单", "unknown-name", "没有文书“通报单”，是不是 通报？"),
        ("document: 通报", "document: 限期整改通知书", "task-alone", "不能单独签发：改用 open 立案"),
        ("document: 通报", "document: 通报\n      by: street", "no-issuer", "“街道物业办”不能签发“通报”"),
        ("document: 通报", "document: 通报\n      by: stret", "unknown-name", "没有角色“stret”，是不是 street？"),
        ("copies: [street]", "copies: [holder]", "unknown-name", "没有角色“holder”"),
        ("copies: [street]", "copies: [handler]", "no-unit", "没有诉求，不能送给它"),
        ("source: bottom_five, title", "source: bottom_five, by: handler, title", "no-opener", "“承办单位”不是一个固定的单位"),
        ("copies: [street]", "copies: [stret]", "unknown-name", "没有角色“stret”，是不是 street？"),
        ("copies: [street]", "to: branch", "no-unit", "“小区党支部”只在比分组更小的属地里有"),
        ("copies: [street]", "to: []", "bad-value", "至少写 1 项"),
        ("得 {total} 分", "得 {points} 分", "unknown-name", "没有可填的词“points”"),
        ("得 {total} 分", "得 {total:.1f} 分", "braces", "只写 {total}"),
        ("得 {total} 分", "得 {total 分", "braces", "没有成对"),
        ("title: 关于表扬四星级以上物业企业的通报", 'title: "{who}"', "unknown-name", "没有可填的词“who”"),
        ("credit: bottom_five, source", "credit: bottom_five, open: {title: x, source: y}, source", "bad-value", "一项处置只写 open、issue、credit 之一"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(was: str, is_: str, code: str, words: str) -> None:
    whole = KUIWEN.replace("templates:\n", "templates:\n  own: {sections: [scores, figures]}\n")
    assert was in whole
    broken = whole.replace(was, is_, 1)
    scheme, findings = check_scheme(broken, "kuiwen@1.yaml", workflows=workflow_of)
    assert scheme is None
    hits = [one for one in findings if one.code == code and words in one.message]
    assert hits, [str(one) for one in findings]
    assert all(one.line > 1 for one in hits)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "[figures], most: 5",
            ["分类的表至多几行：sections 里没有 by_category、by_kind、by_channel、by_urgency 中的一张"],
        ),
        ("[figures], trend: 5", ["近几期（trend）的长短：sections 里没有 trend 这张表"]),
        ("[trend, by_kind], trend: 5, most: 5", []),
    ],
)
def test_a_length_of_a_table_that_a_template_does_not_have_is_noted(said: str, words: list[str]) -> None:
    whole = KUIWEN.replace("templates:\n", f"templates:\n  day: {{sections: {said}}}\n", 1).replace(
        "\n  day:\n    sections: [by_category", "\n  dayly:\n    sections: [by_category"
    )
    _, findings = check_scheme(whole, "kuiwen@1.yaml", workflows=workflow_of)
    assert [one.message for one in findings if "sections 里没有" in one.message] == words


@pytest.mark.parametrize(
    ("was", "is_", "code", "words"),
    [
        (
            "document: 三重督办通知单",
            "document: 三重督办单",
            "unknown-name",
            "没有文书“三重督办单”，是不是 三重督办通知单？",
        ),
        ("document: 三重督办通知单", "document: 限期整改通知书", "no-issuer", "“区委办公室”不能签发“限期整改通知书”"),
        ("by: party_office", "by: command", "no-issuer", "不能签发“三重督办通知单”：立案的和签发的是同一个单位"),
        (
            "form: {demand: 限期1个月整改完成}",
            "form: {demands: 快改}",
            "unknown-name",
            "没有字段“demands”，是不是 demand？",
        ),
        ("form: {demand: 限期1个月整改完成}", "form: {}", "form", "“三重督办通知单”要填“demand”"),
    ],
)
def test_what_is_wrong_with_a_notice_is_told(was: str, is_: str, code: str, words: str) -> None:
    text = scheme_text("kuiwen-estates@1")
    assert was in text
    scheme, findings = check_scheme(text.replace(was, is_), "kuiwen-estates@1.yaml", workflows=workflow_of)
    assert scheme is None
    assert [one for one in findings if one.code == code and words in one.message], [str(one) for one in findings]


def test_a_notice_whose_task_somebody_signs_in_person_is_refused() -> None:
    workflow = workflow_of("kuiwen@2")
    assert workflow is not None
    opens = workflow.documents["三重督办通知单"].opens or ""
    opening = workflow.tasks[opens].open.model_copy(update={"signed_by": "单位负责人"})
    tasks = {**workflow.tasks, opens: workflow.tasks[opens].model_copy(update={"open": opening})}
    signed = workflow.model_copy(update={"tasks": tasks})
    scheme, findings = check_scheme(
        scheme_text("kuiwen-estates@1"), "kuiwen-estates@1.yaml", workflows=lambda _: signed
    )
    assert scheme is None
    assert [(one.code, "“单位负责人”本人签批" in one.message) for one in findings] == [("signed-notice", True)]


def test_a_circle_of_lists_is_refused() -> None:
    text = KUIWEN.replace(
        "bottom_five: {title: 后五位,",
        "a: {title: 甲, when: {b: {running: 2}}}\n      b: {title: 乙, when: {a: {running: 2}}}\n"
        "      bottom_five: {title: 后五位,",
    )
    _, findings = check_scheme(text, "kuiwen@1.yaml")
    assert {"list-circle"} == {one.code for one in findings if one.severity == "error"}


def test_a_scheme_may_extend_another() -> None:
    own = (
        "kind: assessment\nextends: kuiwen@1\nname: other\nversion: 1\ntitle: 另一个区\n"
        "periods:\n  month:\n    closes: +5 workdays\n    lists: {bottom_five: {last: 3}}\n  day: null\n"
    )
    from wuye_loop.store.workflows.files import bases  # noqa: PLC0415 one test needs it

    scheme, findings = check_scheme(own, "other@1.yaml", bases(None, (FOLDER,)), workflow_of)
    assert [str(one) for one in findings if one.severity == "error"] == []
    assert scheme is not None
    assert scheme.periods["month"].lists["bottom_five"].last == 3
    assert "day" not in scheme.periods


def test_a_difference_is_told_in_the_words_of_the_file() -> None:
    changed = KUIWEN.replace("below: 98", "below: 95").replace("version: 1", "version: 2").replace("last: 5", "last: 3")
    old, new = parse_scheme(KUIWEN, "a"), parse_scheme(changed, "b")
    told = [change.words for change in scheme_differences(old, new)]
    assert told == ["考核期．month．items．“群众满意”．below：98 → 95", "考核期．month．lists．“后五位”．last：5 → 3"]
    assert scheme_differences(old, old) == []
    copied = KUIWEN.replace("copies: [street]", "copies: [street, command]").replace(
        "document: 通报", "document: 约谈通知书"
    )
    told = [change.words for change in scheme_differences(old, parse_scheme(copied, "c"))]
    assert told == [
        "处置．“全区通报表扬”．“关于表扬四星级以上物业企业的通报”．document：通报 → 约谈通知书",
        "处置．“全区通报表扬”．“关于表扬四星级以上物业企业的通报”．copies：street → street、command",
    ]


def test_a_definition_test_says_what_is_brought() -> None:
    text = (
        "assessment: kuiwen@1\ntests:\n  - name: x\n    period: half\n    given: {a: {scores: [90]}}\n"
        "    expect: {a: {brings: [five_ones]}}\n"
    )
    doc = read(text, "t.yaml")
    (tried,) = run_scheme_tests(parse_scheme(KUIWEN, "x"), read_scheme_script(doc), doc)
    assert tried.failures == ("t.yaml:6:26: brings 应为 five_ones，实为 five_ones、praise",)


def test_a_document_may_be_written_by_its_name_alone() -> None:
    whole = (
        KUIWEN[: KUIWEN.index("    issue:\n")]
        + "    issue: 通报\n"
        + KUIWEN[KUIWEN.index("    source: 文章：以区委") :]
    )
    scheme, findings = check_scheme(whole, "kuiwen@1.yaml", workflows=workflow_of)
    assert findings == []
    assert scheme is not None
    issue = scheme.consequences["praise"].issue
    assert issue is not None
    assert (issue.document, issue.to, issue.copies) == ("通报", ("subject",), ())


def test_definition_tests_of_the_shipped_files_pass_and_a_wrong_one_is_told() -> None:
    files = sorted((FOLDER / "tests").glob("*.test.yaml"))
    assert [file.name.removesuffix(".test.yaml") for file in files] == SHIPPED
    for file in files:
        doc = read(file.read_text(encoding="utf-8"), file.name)
        assert is_scheme_script(doc.data)
        script = read_scheme_script(doc)
        scheme = parse_scheme(scheme_text(script.assessment), "x")
        assert [one.failures for one in run_scheme_tests(scheme, script, doc)] == [()] * len(script.tests)
    text = (
        "assessment: kuiwen@1\ntests:\n  - name: x\n    period: month\n    given:\n      a: {figures: {owners: 90}}\n"
        "    expect:\n      a: {score: 91, rank: 2}\n"
    )
    doc = read(text, "t.yaml")
    (tried,) = run_scheme_tests(parse_scheme(KUIWEN, "x"), read_scheme_script(doc), doc)
    assert tried.failures == ("t.yaml:8:18: score 应为 91，实为 90.00", "t.yaml:8:28: rank 应为 2，实为 1")


@pytest.mark.parametrize(
    ("kind", "given", "expect", "words"),
    [
        ("period: month", "credit: []", "rank: 1", "5:25: 写 period 的测试不看 credit：请另写一个测试"),
        ("period: month", "figures: {owners: 90}", "points: 3", "6:26: 写 period 的测试不看 points：请另写一个测试"),
        ("on: 2026-05-10", "figures: {owners: 90}", "points: 100", "5:26: 写 on 的测试不看 figures：请另写一个测试"),
        ("on: 2026-05-10", "credit: []", "score: 3", "6:25: 写 on 的测试不看 score：请另写一个测试"),
        ("period: half", "figures: {owners: 90}", "rank: null", "5:26: 这个考核期由“month”各期合成：各期的得分写 scores"),
        ("period: month", "scores: [90]", "score: null", "5:25: 这个考核期不由别的考核期合成：它的数写 figures"),
        ("period: month", "earlier: {five_star: [true]}", "rank: null", "5:26: 没有榜单“five_star”。可用：bottom_five"),
        ("period: month", "in_year: {bottom: 1}", "rank: null", "5:26: 没有榜单“bottom”，是不是 bottom_five？可用：bottom_five"),
        ("period: month", "figures: {owners: 90}", "lists: [four_stars]", "6:25: 没有榜单“four_stars”。可用：bottom_five"),
        ("on: 2026-05-10", "credit: []", "brings: [leaf]", "6:26: 没有处置“leaf”，是不是 leave？可用：rectify、credit_cut、leave、five_ones、praise"),
        ("{}", "", "", "3:5: 一个测试写 period（算哪个考核期）、on（看哪一天的信用分）之一"),
        ("{on: 2026-05-10, period: month}", "", "", "3:5: 一个测试写 period（算哪个考核期）、on（看哪一天的信用分）之一"),
    ],
)  # fmt: skip
def test_what_a_definition_test_would_not_look_at_is_told(kind: str, given: str, expect: str, words: str) -> None:
    """It would pass, whatever stood there."""
    which = kind.strip("{}").replace(", ", "\n    ") or "# neither"
    text = (
        f"assessment: kuiwen@1\ntests:\n  - name: x\n    {which}\n"
        f"    given: {{a: {{{given}}}}}\n    expect: {{a: {{{expect}}}}}\n"
    )
    doc = read(text, "t.yaml")
    (tried,) = run_scheme_tests(parse_scheme(KUIWEN, "x"), read_scheme_script(doc), doc)
    assert tried.failures == (f"t.yaml:{words}",)


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("{brings: praise}", "t.yaml:6:26: tests.0.expect.a.brings 要写成列表，如 [a, b]"),
        ("{bring: [praise]}", "t.yaml:6:25: tests.0.expect.a.bring 是不认识的键"),
    ],
)
def test_what_a_test_of_a_scheme_is_written_wrongly_in_is_said(expect: str, words: str) -> None:
    text = (
        "assessment: kuiwen@1\ntests:\n  - name: x\n    period: month\n"
        f"    given: {{a: {{figures: {{owners: 90}}}}}}\n    expect: {{a: {expect}}}\n"
    )
    with pytest.raises(ValueError, match=r"t\.yaml") as caught:
        read_scheme_script(read(text, "t.yaml"))
    assert str(caught.value) == words


def test_the_schema_beside_the_shipped_files_is_what_the_program_writes_today() -> None:
    written = (FOLDER / "assessment.schema.json").read_bytes()
    assert orjson.loads(written) == orjson.loads(orjson.dumps(scheme_schema())), (
        "wuye-loop schema --assessment > workflows/assessments/assessment.schema.json"
    )
    assert set(Scheme.model_fields) <= set(scheme_schema()["properties"])


THREE = """measures:
  responded: {title: 响应率, rate: ratings, rating: resident, figure: response}
  solved: {title: 解决率, rate: ratings, rating: resident, figure: solved}
  satisfied: {title: 满意率, rate: ratings, rating: resident}
  three: {title: 三率, composite: {responded: 30, solved: 40, satisfied: 30}}
"""
COMPOSED = f"""kind: assessment
name: three
version: 1
title: 三率考核
workflow: kuiwen@2
subjects: {{are: unit}}
{THREE}  volume: {{title: 诉求量, count: grievances}}
periods:
  month: {{every: month, figures: [volume, three], items: [{{title: 三率, weight: 100, from: three}}]}}
"""


@pytest.mark.parametrize(
    ("was", "is_", "code", "words"),
    [
        ("responded: 30,", "responded: 20, ", "weights", "相加是 90，应为 100"),
        (
            "responded: 30, solved: 40",
            "responded: 40, solved: 30",
            "composite-differs",
            "响应率 30、解决率 40、满意率 30",
        ),
        ("responded: 30,", "respondd: 30,", "unknown-name", "没有指标“respondd”"),
        ("responded: 30,", "volume: 30,", "composite-of-count", "“诉求量”不是率"),
        ("composite: {", "rate: clocks, composite: {", "bad-value", "只写 rate、count、growth、composite 之一"),
    ],
)
def test_a_composed_figure_is_what_the_workflow_says(was: str, is_: str, code: str, words: str) -> None:
    assert check_scheme(COMPOSED, "three@1.yaml", workflows=workflow_of)[1] == []
    assert was in COMPOSED
    scheme, findings = check_scheme(COMPOSED.replace(was, is_, 1), "three@1.yaml", workflows=workflow_of)
    assert scheme is None
    assert any(one.code == code and words in one.message for one in findings), [str(one) for one in findings]
