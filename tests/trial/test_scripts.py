"""Definition tests: what they say when they pass, when they fail, and when they are written wrongly."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from tests import ROOT
from typer.testing import CliRunner

from wuye_loop.cli import app
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.domain.rulefile.reader import YamlDocError
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.settings import shipped
from wuye_loop.trial.definition_tests.load import read_script, scripts_beside
from wuye_loop.trial.definition_tests.run import Result, run

WORKFLOWS = shipped("workflows")
KUIWEN = WORKFLOWS / "kuiwen@1.yaml"
SHIPPED = sorted((WORKFLOWS / "tests").glob("*.test.yaml"))
DOC = ROOT / "docs" / "trial.md"

HEAD = f"""workflow: {KUIWEN}
given: {{order: {{category: 电梯}}, calendar: {{today: "2026-03-02 09:00"}}}}
tests:
  - name: 一个测试
"""


@cache
def known() -> dict[Path, Rules]:
    """Rules that the tests of this file share: proving one takes a tenth of a second."""
    return {}


def written(folder: Path, body: str, head: str = HEAD) -> Path:
    path = folder / "one.test.yaml"
    path.write_text(head + body, encoding="utf-8")
    return path


def results(path: Path) -> list[Result]:
    return list(run(read_script(path, known())))


def failures(path: Path) -> list[str]:
    return [str(failure).removeprefix(f"{path}:") for result in results(path) for failure in result.failures]


def problems(path: Path) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read_script(path, known())
    return [str(finding).removeprefix(f"{path}:") for finding in caught.value.findings]


def test_an_urge_of_a_merged_grievance_reaches_the_lead_that_it_follows(tmp_path: Path) -> None:
    sent = (ROOT / "tests" / "cases" / "70-urge-merged.test.yaml").read_text(encoding="utf-8")
    was, right = (
        "{grievance: 催件, state: received, flags: unattached}",
        "{grievance: 一号, urged: 1, followers: 1, flags: []}",
    )
    assert was in sent
    path = tmp_path / "one.test.yaml"
    path.write_text(
        sent.replace(was, right).replace("../../workflows/kuiwen@2.yaml", str(WORKFLOWS / "kuiwen@2.yaml")),
        encoding="utf-8",
    )
    assert failures(path) == []


def test_every_shipped_definition_test_passes() -> None:
    assert SHIPPED
    for path in SHIPPED:
        assert [str(one) for result in results(path) for one in result.failures] == []


def test_kuiwen_has_at_least_twelve_definition_tests_with_names_of_their_own() -> None:
    names = [result.name for result in results(WORKFLOWS / "tests" / "kuiwen@1.test.yaml")]
    assert len(names) >= 12
    assert len(set(names)) == len(names)


ACCEPTED = '    when:\n      - {by: dispatcher, do: accept}\n      - {at: "2026-03-06 17:30"}\n    then:\n      '

#: An expectation under `then` that kuiwen@1 does not fulfil (it stands in line 9) -> column and words of its failure.
WRONG = {
    "state: handling": (14, "状态应为 handling，实为 assigned"),
    "stage: handle": (14, "环节应为 handle，实为 assign"),
    "lead: fire": (13, "主办单位应为 fire，实为 market"),
    "lead: null": (13, "主办单位应为 无，实为 market"),
    "holder: dispatcher": (15, "持有单位应为 dispatcher，实为 market"),
    "level: street": (14, "层级应为 street，实为 community"),
    "cycle: 2": (14, "办理轮次应为 2，实为 1"),
    "category: 消防安全": (17, "类别应为 消防安全，实为 电梯"),
    "urgency: 特急": (16, "紧急程度应为 特急，实为 平急"),
    "final: true": (14, "是否终态应为 true，实为 false"),
    "result: 解决": (15, "办理结果应为 解决，实为 无"),
    "followers: 1": (18, "跟随的诉求数应为 1，实为 0"),
    "urged: 1": (14, "催办次数应为 1，实为 0"),
    "flags: red-line": (14, "标记里应有 red-line，实有：没有"),
    "data: {promised: 1}": (24, "所存的 promised应为 1，实为 无"),
    'due: {handle: "2026-03-10 17:30"}': (21, "时限 handle 应于 2026-03-10 17:30 到期，实为 2026-03-09 17:30"),
    "due: {handle: null}": (21, "时限 handle 应不在计时，实际到期时刻为 2026-03-09 17:30"),
    "due: {handle: paused}": (21, "时限 handle 应在暂停，实为计时中，2026-03-09 17:30 到期"),
    'due: {accept: "2026-03-03"}': (21, "时限 accept 应于 2026-03-03 到期，实为不在计时"),
    "fired: red_card": (14, "应已触发 red_card，没有触发。已触发：sign/due（2026-03-03 09:00）"),
    'fired: {handle/yellow_card: "2026-03-06 17:00"}': (
        35,
        "handle/yellow_card 应于 2026-03-06 17:00 触发，实于 2026-03-06 17:30",
    ),
    "not_fired: [red_card, yellow_card]": (29, "不应触发 yellow_card，已于 2026-03-06 17:30 触发"),
    "notices: alarm": (16, "应有通知 alarm，实有：remind、urge_notice、yellow_card"),
    "notices: [{send: yellow_card, to: dispatcher}]": (17, "应有通知 yellow_card，实有：2026-03-06 17:30 致 market"),
    "documents: 督办单": (18, "应有文书 督办单，实有：没有文书"),
    "documents: [{kind: 督办单, to: handler}]": (19, "应有文书 督办单，实有：没有文书"),
    "tasks: {assist: working}": (23, "任务 assist 的状态应为 working，实为 asked"),
    "tasks: {assist: {holder: market}}": (32, "任务 assist 应由 market 持有，实为 company-1"),
    "tasks: {assist: {count: 2}}": (31, "任务件数应为 2，实为 1"),
    "tasks: {assist: null}": (23, "不应有任务 assist，实有 1 件，最新的处于 asked"),
    "tasks: {extension: asked}": (26, "应有任务 extension，一件也没有"),
    "excluded: {on_time: true}": (27, "on_time 应不计入，实际不计入的有：没有"),
    "excluded: satisfaction": (17, "satisfaction 应不计入，实际不计入的有：没有"),
    "fired: []": (
        14,
        "不应有触发，实有：sign/due、sign/+1 workday、assist/assist/due、assist/assist/+1 workday、handle/-1 workday",
    ),
    "notices: []": (16, "不应有通知，实有：remind、urge_notice、yellow_card"),
    "told: []": (13, "不应有诉求人读到的话，实有："),
    "notices: [{send: yellow_card, to: []}]": (17, "应有通知 yellow_card，实有：2026-03-06 17:30 致 market"),
    "allowed: {handler: []}": (26, "handler 现在应什么也不能做，实际能：sign"),
    "ratings: [{satisfied: 满意}]": (16, "应有 1 次评价，实有 0 次"),
    "told: 已办结": (13, "诉求人应读到“已办结”"),
    "sees: {handler: false}": (23, "handler 应看不到这件诉求，实际看得到"),
    "sees: {resident: [reason]}": (24, "resident 应读到所填的 reason，实际读到 没有"),
    "refused: 已过时限": (16, "应被拒绝（已过时限），实际办成了"),
    "allowed: {handler: [sign, finish]}": (33, "handler 现在应能“finish”，实际不能"),
    "allowed: {handler: send_back}": (26, "handler 现在应能“send_back”，实际不能：已过时限"),
    "not_allowed: {handler: [finish, sign]}": (39, "handler 现在不应能“sign”，实际能"),
    "not_allowed: {handler: {send_back: 材料不全}}": (
        42,
        "handler 不能“send_back”的理由应有“材料不全”，实为：已过时限",
    ),
}


@pytest.mark.parametrize(("then", "expected"), WRONG.items(), ids=list(WRONG))
def test_a_wrong_expectation_says_where_it_stands_what_was_expected_and_what_came(
    then: str, expected: tuple[int, str], tmp_path: Path
) -> None:
    column, words = expected
    (found,) = failures(written(tmp_path, f"{ACCEPTED}{then}\n"))
    assert found.startswith(f"9:{column}: ")
    assert words in found


def test_every_expectation_of_the_language_has_a_wrong_one_here() -> None:
    from wuye_loop.trial.definition_tests.document import Then  # noqa: PLC0415 only this test asks for the model

    tried = {then.partition(":")[0] for then in WRONG}
    assert tried | {"standing", "grievance", "source", "replies"} >= set(Then.model_fields)


def test_texts_that_are_offered_and_not_expected_are_said(tmp_path: Path) -> None:
    offered = written(tmp_path, "    then: {replies: []}\n", HEAD.replace("kuiwen@1", "standard@1"))
    (found,) = failures(offered)
    assert found.endswith("不应有答复参考，实有：不属于受理范围")


def test_an_empty_list_says_that_nothing_of_the_kind_happened(tmp_path: Path) -> None:
    nothing = "    then: {flags: [], fired: [], notices: [], documents: [], ratings: []}\n"
    assert failures(written(tmp_path, nothing)) == []
    overdue = f"{ACCEPTED}documents: []\n".replace("2026-03-06", "2026-03-20")
    (found,) = failures(written(tmp_path, overdue))
    assert found.startswith("9:18: 不应有文书，实有：督办单 ")
    flagged = "    given: {order: {title: 三号楼起火}}\n    then: {flags: []}\n"
    (found,) = failures(written(tmp_path, flagged))
    assert "不应有标记，实有：red-line" in found
    nobody = "    then: {allowed: {handler: []}, not_allowed: {handler: sign}}\n"
    assert failures(written(tmp_path, nobody)) == []


def test_all_that_is_wrong_under_one_then_is_said_and_the_next_test_runs(tmp_path: Path) -> None:
    body = f"{ACCEPTED}state: handling\n      lead: fire\n  - name: 第二个测试\n    then: {{state: received}}\n"
    first, second = results(written(tmp_path, body))
    assert [failure.line for failure in first.failures] == [9, 10]
    assert second.passed


def test_a_refused_step_fails_where_it_stands_and_ends_the_test(tmp_path: Path) -> None:
    body = (
        "    when:\n      - {by: handler, do: sign}\n      - {by: dispatcher, do: accept}\n    then: {state: closed}\n"
    )
    assert failures(written(tmp_path, body)) == ["6:9: 这一步被拒绝：角色“handler”（承办单位）现在没有单位"]


def test_a_refusal_must_have_the_expected_words(tmp_path: Path) -> None:
    body = "    when:\n      - {by: dispatcher, do: sign, then: {refused: 已过时限}}\n    then: {state: received}\n"
    assert failures(written(tmp_path, body)) == ["6:52: 拒绝的理由应有“已过时限”，实为：当前状态下没有这个动作"]


def test_an_order_that_is_not_taken_in_fails_at_what_was_given(tmp_path: Path) -> None:
    body = "    given: {order: {place: {area_code: nowhere}}}\n    then: {state: received}\n"
    assert failures(written(tmp_path, body)) == ["5:12: 诉求没有收下：没有这个属地（place.area_code 没有这个属地代码）"]


def test_time_does_not_run_back(tmp_path: Path) -> None:
    body = '    when:\n      - {at: "2026-03-01 09:00"}\n    then: {state: received}\n'
    assert failures(written(tmp_path, body)) == ["6:9: 这一步被拒绝：时间不能倒流：现在已是 2026-03-02 09:00"]


#: A wrong way of writing a test (its first line is line 5) -> where, and words of the finding.
BROKEN = {
    "    then: {state: handeling}": ("5:19", "没有状态“handeling”，是不是 handling？"),
    "    then: {stat: received}": ("5:12", "不认识的键“stat”，是不是 state？"),
    "    then: {stage: handel}": ("5:19", "没有环节“handel”，是不是 handle？"),
    "    then: {lead: nobody}": ("5:18", "没有单位“nobody”"),
    "    then: {due: {handel: null}}": ("5:18", "没有时限“handel”，是不是 handle？"),
    "    then: {due: {handle: soon}}": ("5:26", "要写时刻"),
    "    then: {fired: [handle/+3 workdays]}": ("5:20", "没有触发项“handle/+3 workdays”"),
    "    then: {fired: [handle/+1 workdayz]}": (
        "5:20",
        "没有触发项“handle/+1 workdayz”，是不是 handle/+10 workdays？可用：accept、accept/due",
    ),
    "    then: {due: {handle: 2026-03-09 25:00}}": ("5:26", "要写时刻"),
    "    then: {excluded: {satisfied: true}}": ("5:23", "没有考核数“satisfied”，是不是 satisfaction？"),
    "    then: {notices: [yellow]}": ("5:22", "没有督办手段“yellow”"),
    "    then: {tasks: {extention: asked}}": ("5:20", "没有任务“extention”，是不是 extension？"),
    "    then: {tasks: {extension: approve}}": ("5:31", "没有状态“approve”，是不是 approved？"),
    "    then: {allowed: {handler: [signs]}}": ("5:32", "没有动作“signs”，是不是 sign？"),
    "    then: {allowed: {handlers: [sign]}}": ("5:22", "没有角色或单位“handlers”，是不是 handler？"),
    "    then: {notices: [{send: alarm, at: 明天}]}": ("5:40", "时刻要写成"),
    **{
        f"    then: {{state: received, {vain}}}": (place, "空着就什么也没有检查")
        for vain, place in {
            "data: {}": "5:35",
            "due: {}": "5:34",
            "tasks: {}": "5:36",
            "tasks: {assist: {data: {}}}": "5:52",
            "allowed: {}": "5:38",
            "not_allowed: {}": "5:42",
            "not_allowed: {handler: []}": "5:42",
            "not_fired: []": "5:40",
            "fired: [{}]": "5:37",
        }.items()
    },
    "    then: {}": ("5:11", "空着就什么也没有检查"),
    "    then: {grievance: 二号}": ("5:11", "空着就什么也没有检查"),
    "    when: [{by: dispatchers, do: accept}]\n    then: {state: received}": (
        "5:17",
        "没有角色或单位“dispatchers”，是不是 dispatcher？",
    ),
    "    when: [{by: dispatcher, do: acept}]\n    then: {state: received}": (
        "5:33",
        "没有动作“acept”，是不是 accept？",
    ),
    "    when: [{by: handler, open: extend}]\n    then: {state: received}": ("5:32", "没有任务“extend”"),
    "    when: [{do: accept}]\n    then: {state: received}": ("5:12", "要写 by"),
    "    when: [{by: dispatcher}]\n    then: {state: received}": ("5:12", "一步要写 do、open"),
    "    when: [{wait: 2 workdays, at: 2026-03-04}]\n    then: {state: received}": ("5:12", "一步只写一件事"),
    "    when: [{wait: 2 work days}]\n    then: {state: received}": ("5:19", "要写一段时间"),
    "    when: [{wait: 1 day}]": ("4:5", "没有写 then"),
    "    given: {scene: 已办结}\n    then: {state: received}": ("5:20", "没有情景“已办结”"),
    "    given: {calendar: {today: 2026-02-30}}\n    then: {state: received}": ("5:31", "时刻要写成"),
    "    given: {calendar: {holidays: [五一]}}\n    then: {state: received}": ("5:35", "日子要写成"),
    "    given: {directory: {units: [{code: a}]}}\n    then: {state: received}": ("5:24", "单位 units 第 1 条（a）"),
}


@pytest.mark.parametrize(("body", "expected"), BROKEN.items(), ids=[body.strip()[:60] for body in BROKEN])
def test_a_wrongly_written_test_is_refused_with_its_place_before_anything_runs(
    body: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    place, words = expected
    found = problems(written(tmp_path, f"{body}\n"))
    assert found[0].startswith(f"{place}: ")
    assert words in found[0]


def test_a_workflow_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    path = written(tmp_path, "    then: {state: received}\n", "workflow: nowhere@1\ntests:\n  - name: 一\n")
    assert problems(path) == ["1:11: 没有流程文件 nowhere@1：写成 名称@版本，或相对于本文件的路径"]


def test_a_file_with_a_key_twice_is_no_yaml_of_ours(tmp_path: Path) -> None:
    with pytest.raises(YamlDocError):
        read_script(written(tmp_path, "    then: {state: received, state: routing}\n"), known())


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_runs_the_tests_beside_a_workflow() -> None:
    ran = CliRunner().invoke(app, ["test", str(KUIWEN)])
    assert ran.exit_code == 0
    assert "  ✓ 签收后不能退单" in ran.output
    assert "个测试全部通过" in ran.output


def test_the_command_prints_each_failure_with_its_place_and_ends_with_one(tmp_path: Path) -> None:
    path = written(tmp_path, "    then: {state: routing}\n  - name: 又一个\n    then: {state: received}\n")
    ran = CliRunner().invoke(app, ["test", str(path)])
    assert ran.exit_code == 1
    assert f"  ✗ 一个测试\n    {path}:5:19: 状态应为 routing，实为 received\n  ✓ 又一个\n" in ran.output
    assert "2 个测试，1 个没有通过" in ran.output


def test_the_command_speaks_json(tmp_path: Path) -> None:
    path = written(tmp_path, "    then: {state: routing}\n")
    ran = CliRunner().invoke(app, ["test", str(path), "--json"])
    assert ran.exit_code == 1
    answer = json.loads(ran.stdout)
    assert answer["failed"] == 1
    (failure,) = answer["tests"][0]["failures"]
    assert (failure["line"], failure["column"]) == (5, 19)


def test_the_command_goes_on_past_a_broken_file(tmp_path: Path) -> None:
    path = written(tmp_path, "    then: {state: nowhere}\n")
    ran = CliRunner().invoke(app, ["test", str(path), str(KUIWEN)])
    assert ran.exit_code == 1
    assert f"{path}:5:19: 没有状态“nowhere”" in ran.output
    assert "  ✓ 签收后不能退单" in ran.output


def test_a_workflow_without_tests_is_refused_in_words(tmp_path: Path) -> None:
    lonely = tmp_path / "lonely@1.yaml"
    lonely.write_text("name: lonely\n", encoding="utf-8")
    ran = CliRunner().invoke(app, ["test", str(lonely)])
    assert ran.exit_code == 1
    assert "旁边没有写明它的测试" in ran.output


def test_tests_beside_a_workflow_are_found_only_when_they_name_it() -> None:
    assert WORKFLOWS / "tests" / "kuiwen@1.test.yaml" in scripts_beside(KUIWEN)
    assert scripts_beside(WORKFLOWS / "kuiwen@99.yaml") == []


# --- the page -------------------------------------------------------------------------------------------------------


def test_every_example_of_the_page_runs_and_passes(tmp_path: Path) -> None:
    blocks = re.findall(r"^```yml\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    whole = next(text for text in blocks if text.startswith("workflow:"))
    head = whole.partition("tests:\n")[0].replace("kuiwen@1", str(KUIWEN)) + "tests:\n"
    for text in blocks:
        if text.startswith("workflow:"):
            path = written(tmp_path, text.replace("workflow: kuiwen@1", f"workflow: {KUIWEN}"), "")
        elif text.startswith("- name:"):
            path = written(tmp_path, text, head)
        else:
            path = written(tmp_path, "".join(f"  {line}\n" for line in text.splitlines()), head + "- name: 片段\n")
        assert failures(path) == [], text


def test_the_page_tells_every_key() -> None:
    from wuye_loop.trial.definition_tests import document  # noqa: PLC0415 only this test asks for the models

    page = DOC.read_text(encoding="utf-8")
    models = (
        document.Script, document.Given, document.GivenCalendar, document.Test, document.StepSpec, document.LineSpec, document.Then,
        document.Notice, document.Paper, document.TaskThen,
    )  # fmt: skip
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
    told = {word for code in re.findall(r"`([^`\n]+)`", prose) for word in re.findall(r"[a-z_]+", code)}
    for model in models:
        assert {name for name in model.model_fields if name != "source"} <= told, model.__name__
