"""Simulation of actions that ask for others first, and what is said of conditions that nothing in a run can meet."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from wuye_loop.authoring.checker.check import load as load_workflow
from wuye_loop.cli import app
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.extends import bundle
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import bases
from wuye_loop.trial.simulation.inputs.load import Load, completed
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation
from wuye_loop.trial.simulation.inputs.places import Places
from wuye_loop.trial.simulation.inputs.staff import Staff, read_staff, work_of
from wuye_loop.trial.simulation.results.outcome import SimulatedYear
from wuye_loop.trial.simulation.results.report import notes, staff_text
from wuye_loop.trial.simulation.results.standing import standing
from wuye_loop.trial.simulation.run.run import Scene
from wuye_loop.trial.simulation.scenario import play, scene_of

SPRING = date(2026, 3, 2)  # no holiday until April
MILL = """
name: mill
version: 1
title: 一个窗口
roles:
  resident: {title: 诉求人, is: complainant}
  desk: {title: 窗口, unit: window}
  helper: {title: 检测站, unit: helper}
  called: {title: 吹哨叫来的单位, unit: {task: whistle}}
states:
  open: {stage: handle, title: 办理中, holder: desk}
  away: {stage: handle, title: 外出中, holder: desk}
  asked: {stage: evaluate, title: 待评价, holder: resident}
  closed: {stage: evaluate, title: 办结, final: true}
clocks:
  all: {title: 总时限, during: [STATES], limit: [{is: 60 workdays}]}
actions:
  finish: {title: 办结, from: open, to: closed, by: desk, if: IF}
  come_back: {title: 回来, from: away, to: open, by: desk}
  STEPS
tasks:
  whistle:
    title: 吹哨
    open: {title: 吹哨, by: desk, from: open}
    holder: target
    states: {blown: {title: 已吹, holder: holder}, done: {title: 已了, final: true}}
    clocks: {blow: {title: 吹哨时限, during: blown, limit: [{is: 3 workdays}]}}
    actions: {end: {title: 了结, from: blown, to: done, by: holder}}
routers: [{kind: desk}]
"""
CONTACT = "contact: {title: 先行联系, from: open, by: desk}"


def mill_text(condition: str, *steps: str) -> str:
    """Return the window's rules; only states that the steps lead to or from are in them."""
    states = [state for state in ("away", "asked") if any(state in step for step in steps)]
    without = {"away": ("  away", "  come_back"), "asked": ("  asked",)}
    gone = tuple(start for state, starts in without.items() if state not in states for start in starts)
    text = "\n".join(line for line in MILL.splitlines() if not line.startswith(gone or "#"))
    text = text.replace("STATES", ", ".join(["open", *states]))
    return text.replace("IF", condition).replace("STEPS", "\n  ".join(steps))


def mill(condition: str, *steps: str) -> Workflow:
    return load_workflow(mill_text(condition, *steps), "mill.yaml")


def scene(workflow: Workflow, **staff: Any) -> Scene:
    """Return two weeks' arrivals, and two weeks more to work them off."""
    arrivals = completed(Load(streets={"甲": 1.0}), workflow, 12)
    people = {code: {"people": 20} for code in Places(workflow, arrivals.streets).codes}
    found = scene_of(workflow, arrivals, Staff.model_validate({"units": people, **staff}), SPRING, 28)
    return replace(found, arriving=14)


def outcome(workflow: Workflow, **staff: Any) -> SimulatedYear:
    return play([scene(workflow, **staff)], 1)[0][0]


def said(workflow: Workflow, **staff: Any) -> list[str]:
    return standing(workflow, [outcome(workflow, **staff)])


# --- what is done first ---------------------------------------------------------------------------------------------


def test_what_an_if_asks_for_is_done_first_by_the_same_unit() -> None:
    workflow = mill("{done.contact: {min: 1}}", CONTACT)
    found = outcome(workflow)
    assert found.closed["closed"] == found.arrived
    assert found.actions["finish"] == found.actions["contact"] == found.arrived
    assert standing(workflow, [found]) == []


def test_what_is_done_first_takes_the_minutes_that_the_staff_file_says() -> None:
    workflow = mill("{done.contact: {min: 2}}", CONTACT)
    plain = {"finish": {"minutes": 60, "spread": 0, "wait": 0}}
    short = outcome(workflow, work={**plain, "contact": {"minutes": 10, "spread": 0}})
    long = outcome(workflow, work={**plain, "contact": {"minutes": 30, "spread": 0}})
    assert short.actions["contact"] == 2 * short.actions["finish"]
    assert short.units["window"].minutes == 80 * short.arrived
    assert long.units["window"].minutes == 120 * long.arrived


def test_what_is_done_first_is_said_and_written_into_the_staff_file() -> None:
    workflow = mill("{done.contact: {min: 1}}", CONTACT)
    one = scene(workflow)
    assert work_of(workflow, Staff())["contact"].minutes == 5
    assert any("“办结”之前先办：先行联系" in note for note in notes(one))
    assert "contact: {minutes: 5" in staff_text(one)
    assert read_staff(staff_text(one), "s.yaml", workflow, one.places).work["contact"].minutes == 5


def test_what_is_done_first_may_itself_ask_for_something() -> None:
    look = "look: {title: 看现场, from: open, by: desk, if: {cycle_done.contact: {min: 1}}}"
    found = outcome(mill("{done.look: {min: 1}}", CONTACT, look))
    assert found.actions["contact"] == found.actions["look"] == found.arrived
    assert found.closed["closed"] == found.arrived


def test_what_another_unit_must_do_first_is_its_work() -> None:
    check = "check: {title: 检测, from: open, by: helper}"
    found = outcome(mill("{done.check: {min: 1}}", check), work={"check": {"minutes": 20, "spread": 0}})
    assert found.closed["closed"] == found.arrived
    assert found.units["helper"].minutes == 20 * found.actions["check"]
    assert found.actions["check"] == found.actions["finish"]


def test_what_the_complainant_must_do_first_is_waited_for() -> None:
    agree = "agree: {title: 同意方案, from: open, by: resident}"
    quick = outcome(mill("{done.agree: {min: 1}}", agree), respond={"share": 0.1, "days": 0})
    slow = outcome(mill("{done.agree: {min: 1}}", agree), respond={"share": 0.1, "days": 20})
    assert quick.closed["closed"] == quick.arrived
    assert 0 < slow.closed["closed"] < 0.8 * quick.closed["closed"]


def test_what_must_be_done_first_and_leads_elsewhere_is_done_as_a_step_of_its_own() -> None:
    visit = "visit: {title: 上门, from: open, to: away, by: desk}"
    found = outcome(mill("{done.visit: {min: 1}}", visit), shares={"visit": 0})
    assert found.closed["closed"] == found.arrived
    assert found.actions["visit"] == found.actions["come_back"] == found.arrived


def test_what_can_only_be_done_in_an_earlier_state_is_done_there() -> None:
    sign = "sign: {title: 签收, from: new, to: open, by: desk}"
    text = mill_text("{done.contact: {min: 1}}", sign, CONTACT.replace("from: open", "from: new"))
    text = text.replace("states:\n", "states:\n  new: {stage: assign, title: 待签收, holder: desk}\n", 1)
    text = text.replace("during: [open", "during: [new, open")
    found = outcome(load_workflow(text, "mill.yaml"))
    assert found.actions["contact"] == found.actions["sign"]
    assert found.closed["closed"] == found.arrived


def test_what_is_asked_for_in_each_round_is_done_again_in_each() -> None:
    rate = """rate:
    title: 评价
    from: asked
    by: resident
    needs: {happy: {choice: [是, 否]}}
    outcomes:
      - {when: {form.happy: 否, cycle: 1}, to: open, effect: new_cycle}
      - {to: closed}"""
    text = mill_text("{cycle_done.contact: {min: 1}}", CONTACT, rate).replace(
        "from: open, to: closed", "from: open, to: asked"
    )
    staff = {"answers": {"rate": {"happy": {"否": 1}}}, "respond": {"share": 1, "days": 0}}
    each = outcome(load_workflow(text, "mill.yaml"), **staff)
    once = outcome(load_workflow(text.replace("cycle_done.contact", "done.contact"), "mill.yaml"), **staff)
    assert each.actions["contact"] == 2 * each.arrived
    assert once.actions["contact"] == once.arrived


def test_another_way_on_is_taken_where_the_usual_one_is_not_for_this_kind() -> None:
    other = "advise: {title: 解答, from: open, to: closed, by: desk, if: {kind: 咨询}}"
    workflow = mill("{kind: {not: 咨询}}", other)
    found = outcome(workflow)
    assert found.closed["closed"] == found.arrived
    assert found.actions["advise"] > 0
    stays = outcome(workflow, shares={"advise": 0})
    assert stays.open > found.open
    assert any("卡在“办结”" in note for note in standing(workflow, [stays]))


def test_what_becomes_possible_with_time_is_done_then() -> None:
    found = outcome(mill("{age_workdays: {min: 3}}"))
    assert found.closed["closed"] == found.arrived
    assert min(found.units["window"].stays) >= 3 * 450


def test_a_step_that_the_system_takes_by_the_clock_lets_the_work_go_on() -> None:
    text = mill_text("{done.notice: {min: 1}}", "notice: {title: 公示, from: open, by: system}")
    clock = "  show: {title: 公示期, during: open, limit: [{is: 3 workdays}], ladder: [{at: due, act: notice}]}\n"
    text = text.replace("actions:\n  finish", clock + "actions:\n  finish")
    found = outcome(load_workflow(text, "mill.yaml"))
    assert found.actions["finish"] == found.arrived
    waiting = load_workflow(text.replace("is: 3 workdays", "is: 30 workdays"), "mill.yaml")
    still = outcome(waiting)
    assert still.open == still.arrived
    assert standing(waiting, [still]) == []


def test_a_state_that_nobody_but_the_clock_leaves_is_no_dead_end_until_it_is_over() -> None:
    end = "end: {title: 期满, from: away, to: open, by: system}"
    leave = "leave: {title: 公示, from: open, to: away, by: helper}"
    text = mill_text("{done.leave: {min: 1}}", end, leave).replace(
        "from: away, to: open, by: desk", "from: open, by: desk"
    )
    clock = "  show: {title: 公示期, during: away, limit: [{is: 3 workdays}], ladder: [{at: due, act: end}]}\n"
    text = text.replace("actions:\n  finish", clock + "actions:\n  finish")
    found = outcome(load_workflow(text, "mill.yaml"))
    assert found.closed["closed"] == found.arrived
    for_good = text.replace("is: 3 workdays", "is: 30 workdays")
    assert said(load_workflow(for_good, "mill.yaml")) == []
    over = load_workflow(text.replace("during: away", "during: [open, away]"), "mill.yaml")
    (note,) = said(over, work={"leave": {"wait": 5}})
    assert "外出中的" in note
    assert "停着：没有单位在这里办，也没有时限会再把它办下去" in note


# --- what nothing in a run can meet ---------------------------------------------------------------------------------


UNMET = [
    ("{open.whistle: {min: 1}}", (), "有“吹哨”未办完，模拟不做"),
    ("{urged: {min: 1}}", (), "模拟不做"),
    ("{level: city}", (), "需要"),
    ("{done.contact: {min: 1}, open.whistle: {min: 1}}", (CONTACT,), "有“吹哨”未办完，模拟不做"),
    (
        "{done.notice: {min: 1}}",
        (
            "notice: {title: 公示, from: [open, away], by: system}",
            "leave: {title: 外出, from: open, to: away, by: helper, then: notice}",
        ),
        "办过“公示”（“公示”由系统办，还没有办）",
    ),
    (
        "{done.merge: {min: 1}}",
        ("merge: {title: 并案, from: open, to: closed, by: helper}",),
        "办过“并案”（办了“并案”就结束或挂起了）",
    ),
    (
        "{done.join_in: {min: 1}}",
        ("join_in: {title: 会商, from: open, by: called}",),
        "办过“会商”（没有单位来办“会商”）",
    ),
    (
        "{done.look: {min: 1}}",
        ("look: {title: 看现场, from: open, by: desk, if: {open.whistle: {min: 1}}}",),
        "办过“看现场”（“看现场”又需要有“吹哨”未办完，模拟不做）",
    ),
]


@pytest.mark.parametrize(("condition", "steps", "words"), UNMET)
def test_what_cannot_be_met_is_said_with_how_many_stand_there(
    condition: str, steps: tuple[str, ...], words: str
) -> None:
    workflow = mill(condition, *steps)
    found = outcome(workflow)
    assert not found.closed
    (note,) = standing(workflow, [found])
    assert f"办理中的 {found.open:,} 件卡在“办结”：" in note
    assert words in note


def test_steps_that_ask_for_one_another_are_said_and_do_not_go_round() -> None:
    ring = [
        "a: {title: 甲, from: open, by: desk, if: {done.b: {min: 1}}}",
        "b: {title: 乙, from: open, by: desk, if: {done.a: {min: 1}}}",
    ]
    (note,) = said(mill("{done.a: {min: 1}}", *ring))
    assert "卡在“办结”" in note


def test_a_step_that_may_not_be_taken_often_enough_is_said() -> None:
    (note,) = said(mill("{done.contact: {min: 2}}", CONTACT.replace("by: desk", "by: desk, limit: 1")))
    assert "“先行联系”次数已满或已过期限" in note


def test_an_action_that_was_never_possible_is_said_even_if_work_goes_on() -> None:
    aside = "shelve: {title: 搁置, from: open, to: closed, by: desk, if: {urged: {min: 3}}}"
    found = said(mill("{}", aside), shares={"shelve": 0.5})
    assert len(found) == 1
    assert "“搁置”一次也没有办成" in found[0]


def test_nothing_is_said_where_nothing_is_in_the_way() -> None:
    assert said(mill("{}")) == []


@pytest.mark.parametrize("file", sorted(shipped("workflows").glob("*.yaml")), ids=lambda file: file.stem)
def test_nothing_of_a_shipped_workflow_stands_for_a_condition(file: Path) -> None:
    text = bundle(file.read_text(encoding="utf-8"), str(file), bases(file, (file.parent,), dict))
    workflow = load_workflow(text, str(file))
    arrivals = completed(Load(), workflow, 4)
    found = play([scene_of(workflow, arrivals, Staff(), SPRING, 40)], 1)[0]
    assert not [note for note in standing(workflow, found) if "卡在" in note]


# --- the staff file and the command ---------------------------------------------------------------------------------


def test_a_share_for_what_is_never_drawn_is_an_error() -> None:
    workflow = mill("{done.contact: {min: 1}}", CONTACT)
    with pytest.raises(BadSimulation, match=r"s.yaml:2:3: “contact”（先行联系）不按占比办") as error:
        read_staff("shares:\n  contact: 1\n", "s.yaml", workflow, Places(workflow, ()))
    assert "finish" in str(error.value)
    assert read_staff("shares: {finish: 0.5}", "s.yaml", workflow, Places(workflow, ())).shares == {"finish": 0.5}


def test_the_command_says_what_stands_in_both_situations(tmp_path: Path) -> None:
    now, then = tmp_path / "now.yaml", tmp_path / "then.yaml"
    now.write_text(mill_text("{open.whistle: {min: 1}}"), encoding="utf-8")
    then.write_text(mill_text("{urged: {min: 1}}"), encoding="utf-8")
    args = ["simulate", str(now), "--against", str(then), "--per-day", "5", "--days", "14", "--seeds", "1"]
    shown = CliRunner().invoke(app, args, catch_exceptions=False, env={"COLUMNS": "300"}).stdout
    assert "· 办理中的" in shown
    assert "· 如果：办理中的" in shown
    data = json.loads(CliRunner().invoke(app, [*args, "--json"], catch_exceptions=False).stdout)
    assert sum("卡在“办结”" in note for note in data["assumptions"]) == 2
