"""Definition tests in the hands of who wrote the rules and not the code: names, files, refusals and reasons in words."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from wuye_loop.authoring.checker.check import Finding
from wuye_loop.cli import app
from wuye_loop.domain.errors import DefinitionError
from wuye_loop.trial.definition_tests.load import read_script
from wuye_loop.trial.definition_tests.run import Result, run

TOWN = """name: town
version: 1
title: 小镇
labels: {photos: 现场照片}
roles:
  resident: {title: 诉求人, is: complainant}
  desk: {title: 受理中心, unit: centre}
  office: {title: 街道物业办, unit: {duty: property-office, level: street}}
  handler: {title: 承办单位, unit: lead}
sources:
  hotline: {title: 热线}
  walk: {title: 巡查, channels: [巡查], needs: {spot: {text: {max: 40}, title: 位置}}}
intake:
  attach:
    - {when: {channel: 催办}, to: extra.parent, act: urge}
instruments: {remind: {title: 提醒}}
states:
  received: {stage: collect, title: 待受理, holder: desk}
  routing: {stage: assign, title: 待派单, holder: desk}
  handling: {stage: handle, title: 承办中, holder: handler}
  pressed: {stage: escalate, title: 督办中, holder: handler}
  following: {stage: collect, title: 已并案, holder: desk, parked: true}
  closed: {stage: evaluate, title: 已归档, final: true}
clocks:
  wait: {title: 等候时限, during: [received, pressed], limit: {is: 90 days}}
  handle:
    title: 办理时限
    during: [routing, handling, following]
    limit: {is: 1 workday}
    ladder:
      - {at: due, act: press}
      - {at: +1 workday, do: remind, to: desk, when: {urged: {min: 3}}}
actions:
  accept: {title: 受理, from: received, to: routing, by: desk, then: route}
  route: {title: 派单, from: routing, to: handling, by: [desk, system], needs: {unit: unit?}, effect: route}
  join: {title: 并案, from: [received, handling], to: following, by: desk, needs: {into: grievance}, effect: {merge: {into: into}}}
  leave: {title: 撤销并案, from: following, to: back, by: desk, effect: unmerge}
  end_with: {title: 随主件办结, from: following, to: closed, by: system, if: {lead_final: true}}
  press: {title: 转督办, from: handling, to: pressed, by: system, if: {urgency: 特急}}
  finish:
    title: 办结
    from: [handling, pressed]
    to: closed
    by: handler
    needs:
      days: {int: {max: 3}, title: 用了几天}
      photos: {file: {max: 2}}
      internal: {text?: {}, title: 内部情况}
      reply: {text?: {}, title: 答复, audience: public}
  urge: {title: 催办, from: [received, handling], by: resident, effect: urged}
tasks:
  look:
    title: 现场察看
    open: {by: handler, needs: {photos: {file: {max: 2}}}}
    states:
      asked: {title: 待办, holder: holder}
      done: {title: 已办, final: true}
    clocks: {look: {title: 察看时限, during: asked, limit: {is: 1 workday}}}
    actions: {done: {title: 办毕, from: asked, to: done, by: holder}}
routers:
  - {kind: precedent}
  - {kind: table, rules: [{when: {category: 停水}, to: water}]}
  - {kind: desk}
"""
HEAD = """workflow: town@1
given: {order: {category: 噪音}}
tests:
  - name: 一个测试
"""
ROUTED = "      - {by: desk, do: accept}\n      - {by: desk, do: route, form: {unit: water}}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "town@1.yaml").write_text(TOWN, encoding="utf-8")
    return tmp_path / "one.test.yaml"


def results(path: Path, body: str) -> list[Result]:
    path.write_text(HEAD + body, encoding="utf-8")
    return list(run(read_script(path)))


def failures(path: Path, body: str) -> list[str]:
    return [failure.message for result in results(path, body) for failure in result.failures]


def why(path: Path, body: str) -> list[str]:
    return [line for result in results(path, body) for failure in result.failures for line in failure.why]


def problems(path: Path, body: str) -> list[str]:
    path.write_text(HEAD + body, encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        read_script(path)
    return [finding.message for finding in caught.value.findings if isinstance(finding, Finding)]


# --- why ------------------------------------------------------------------------------------------------------------


def test_a_wrong_lead_says_what_each_router_said(path: Path) -> None:
    lines = why(path, "    when:\n      - {by: desk, do: accept}\n    then: {state: handling, lead: water}\n")
    assert "没有定出单位，留待人工" in lines[0]
    assert any("没有同类裁定" in line for line in lines)
    assert len([line for line in lines if "没有定出单位" in line]) == 1  # once for both expectations


def test_a_wrong_lead_before_any_routing_shows_the_proposal_as_one(path: Path) -> None:
    assert "只是建议" in why(path, "    then: {lead: water}\n")[0]


def test_a_wrong_state_has_no_routing_to_show_where_a_unit_was_found(path: Path) -> None:
    assert why(path, f"    when:\n{ROUTED}    then: {{state: closed}}\n") == []


def test_a_rung_that_was_only_written_down_says_why(path: Path) -> None:
    lines = why(path, f"    when:\n{ROUTED}      - {{wait: 3 workdays}}\n    then: {{state: pressed}}\n")
    assert any("handle/due" in line and "转督办" in line and "只记台账：需要" in line for line in lines)
    away = f"    when:\n{ROUTED}      - {{order: {{}}, name: 二号}}\n"
    away += "      - {by: desk, do: join, form: {into: 二号}}\n      - {wait: 3 workdays}\n    then: {state: pressed}\n"
    assert any("只能在“承办中”做，当时是“已并案”" in line for line in why(path, away))


def test_a_rung_whose_condition_did_not_hold_says_so_where_it_was_expected(path: Path) -> None:
    body = f"    when:\n{ROUTED}      - {{wait: 3 workdays}}\n    then: {{fired: [remind]}}\n"
    assert any("handle/+1 workday" in line and "条件不成立" in line for line in why(path, body))


def test_a_refused_routing_says_what_each_router_said(path: Path) -> None:
    body = "    when:\n      - {by: desk, do: accept}\n      - {by: desk, do: route}\n    then: {state: handling}\n"
    assert any("没有同类裁定" in line for line in why(path, body))


def test_the_command_prints_the_reasons_under_the_failure(path: Path) -> None:
    path.write_text(f"{HEAD}    when: [{{by: desk, do: accept}}]\n    then: {{lead: water}}\n", encoding="utf-8")
    said = CliRunner().invoke(app, ["test", str(path)]).output
    assert "主办单位应为 water，实为 无\n      2026-03-02" in said


# --- files and names ------------------------------------------------------------------------------------------------


def test_any_text_or_number_stands_for_an_uploaded_file(path: Path) -> None:
    finish = "      - {by: handler, do: finish, form: {days: 1, photos: %s}}\n    then: {state: closed%s}\n"
    start = f"    when:\n{ROUTED}"
    for photos in ("[a]", "[a, b]", "[1]", "a", "[019a0000-0000-7000-8000-000000000001]"):
        assert failures(path, start + finish % (photos, "")) == []
    (same,) = failures(path, start + finish % ("[a, a]", ""))
    assert "同一个文件填了两次" in same
    (many,) = failures(path, start + finish % ("[a, b, c]", ""))
    assert "文件太多" in many


def test_files_may_be_named_in_a_task_and_in_what_is_expected_of_it(path: Path) -> None:
    look = f"    when:\n{ROUTED}      - {{by: handler, open: look, form: {{photos: [甲, 乙]}}}}\n"
    assert failures(path, look + "    then: {tasks: {look: {data: {photos: [甲, 乙]}}}}\n") == []
    assert len(failures(path, look + "    then: {tasks: {look: {data: {photos: [甲, 丙]}}}}\n")) == 1


def test_an_order_is_added_to_the_grievance_that_it_names(path: Path) -> None:
    urge = "    when: [{order: {channel: 催办, extra: {parent: 一号}}}]\n    then: {urged: 1}\n"
    assert failures(path, urge) == []


def test_the_grievance_of_the_test_itself_has_a_name(path: Path) -> None:
    joined = "    when:\n      - {order: {}, name: 二号}\n      - {by: desk, do: join, grievance: 二号, form: {into: 一号}}\n"
    assert failures(path, f"{joined}    then: {{grievance: 一号, followers: 1}}\n") == []
    assert failures(path, f"{joined}    then: {{grievance: 二号, state: following}}\n") == []


def test_names_are_read_only_where_a_grievance_is_asked_for(path: Path) -> None:
    body = f"    when:\n{ROUTED}      - {{by: handler, do: finish, form: {{days: 1, photos: a, reply: 一号}}}}\n"
    assert failures(path, f"{body}    then: {{sees: {{resident: reply}}, state: closed}}\n") == []


def test_a_name_is_given_once(path: Path) -> None:
    (first,) = problems(path, "    when: [{order: {}, name: 一号}]\n    then: {state: received}\n")
    assert "“一号”是测试自己的那件" in first
    twice = "    when: [{order: {}, name: 二号}, {order: {}, name: 二号}]\n    then: {state: received}\n"
    assert "“二号”已经是别的一件" in problems(path, twice)[0]


# --- who ------------------------------------------------------------------------------------------------------------


def test_a_wrong_actor_lists_roles_first_and_knows_titles(path: Path) -> None:
    (unknown,) = problems(path, "    when: [{by: 谁, do: accept}]\n    then: {state: received}\n")
    assert "可用：resident、desk、office、handler、property-office-city、" in unknown
    (role,) = problems(path, "    when: [{by: 受理中心, do: accept}]\n    then: {state: received}\n")
    assert role == "没有角色或单位“受理中心”，“受理中心”是 desk 的名称，请写 desk"
    (unit,) = problems(path, "    when: [{by: 示例物业, do: accept}]\n    then: {state: received}\n")
    assert unit.endswith("“示例物业”是 company-1 的名称，请写 company-1")
    (sender,) = problems(path, "    given: {by: 街道物业办}\n    then: {state: received}\n")
    assert sender.endswith("请写 office")
    (lead,) = problems(path, "    then: {lead: 受理中心}\n")
    assert lead.endswith("“受理中心”是 centre 的名称，请写 centre")
    (state,) = problems(path, "    then: {state: 待受理}\n")
    assert state.endswith("“待受理”是 received 的名称，请写 received")


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_refused_form_names_its_fields_by_title(path: Path) -> None:
    (found,) = failures(path, f"    when:\n{ROUTED}      - {{by: handler, do: finish, form: {{days: 9}}}}\n    then: {{state: closed}}\n")  # fmt: skip
    assert "用了几天（days）太大" in found
    assert "现场照片（photos）必填" in found


def test_a_refused_order_names_the_fields_of_its_source_by_title(path: Path) -> None:
    (found,) = failures(path, "    given: {order: {channel: 巡查}}\n    then: {state: received}\n")
    assert found == "诉求没有收下：这一来源要填的附加字段有误（位置（extra.spot）必填）"


def test_a_refusal_may_be_expected_with_or_without_the_title(path: Path) -> None:
    for words in ("days 太大", "用了几天（days）太大", "表单填写有误"):
        step = f"      - {{by: handler, do: finish, form: {{days: 9, photos: a}}, then: {{refused: {words}}}}}\n"
        assert failures(path, f"    when:\n{ROUTED}{step}    then: {{state: handling}}\n") == []


# --- who sees it ----------------------------------------------------------------------------------------------------


def seen(path: Path, expected: str, more: str = "") -> list[str]:
    return failures(path, f"    when:\n{ROUTED}{more}    then: {{sees: {{{expected}}}}}\n")


def test_who_sees_a_grievance_is_what_a_site_would_show(path: Path) -> None:
    assert seen(path, "water: true, desk: true, handler: true, resident: true, company-1: false") == []
    assert seen(path, "company-1: true") == ["company-1 应看得到这件诉求，实际看不到。看得到的单位：centre、water"]
    assert seen(path, "handler: false") == ["handler 应看不到这件诉求，实际看得到"]
    assert failures(path, "    then: {sees: {handler: false}}\n") == []  # there is none yet


def test_what_is_read_of_the_last_form_is_told_field_by_field(path: Path) -> None:
    done = "      - {by: handler, do: finish, form: {days: 1, photos: a, internal: 换了, reply: 修好了}}\n"
    assert seen(path, "desk: [days, photos, internal, reply], resident: reply, company-1: []", done) == []
    (found,) = seen(path, "resident: [reply, internal]", done)
    assert found == "resident 应读到“办结”所填的 reply、internal，实际读到 reply"


# --- the end of the calendar ----------------------------------------------------------------------------------------

FAR = {
    "    when: [{wait: 10000 months}]\n": "一段时间的数字最多",
    "    when: [{wait: -3 workdays}]\n": "wait 只能往后走",
    '    when: [{at: "9999-12-30"}]\n': "日历只有 1990 至 2200 年",
    '    given: {calendar: {today: "0001-01-01"}}\n': "日历只有 1990 至 2200 年",
    '    given: {calendar: {holidays: "0001-01-01..9999-12-31"}}\n': "日历只有 1990 至 2200 年",
    '    given: {calendar: {holidays: "2026-13-01"}}\n': "日子要写成",
}


@pytest.mark.parametrize(("body", "words"), FAR.items(), ids=[body.strip() for body in FAR])
def test_a_day_that_no_calendar_has_is_refused_in_words(path: Path, body: str, words: str) -> None:
    assert words in problems(path, f"{body}    then: {{state: received}}\n")[0]


def test_time_that_runs_out_of_the_calendar_fails_where_it_does(path: Path) -> None:
    waits = ", ".join(["{wait: 600 months}"] * 4)
    then = "    then: {state: received}\n"
    assert failures(path, f"    when: [{waits}]\n{then}") == ["走出了日历：日历只有 1990 至 2200 年"]
    never = '    given: {calendar: {today: "2026-03-02", holidays: "1990-01-01..2200-12-31"}}\n'
    assert failures(path, never + then) == ["走出了日历：日历只有 1990 至 2200 年"]
    late = f'    given: {{calendar: {{today: "2200-12-31 09:00"}}}}\n    when:\n{ROUTED}'
    assert failures(path, late + then) == ["走出了日历：日历只有 1990 至 2200 年"]
