"""Simulation: the laws of queues, the working calendar, the workflow's own rules, and what bad input is told."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests import ROOT
from typer.testing import CliRunner

from wuye_loop.authoring.checker.check import load as load_workflow
from wuye_loop.cli import app
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.extends import bundle
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.calendar import Starts
from wuye_loop.domain.time.spans import Span
from wuye_loop.settings import shipped
from wuye_loop.store.calendar.seed import seed_days
from wuye_loop.store.workflows.files import bases
from wuye_loop.trial.simulation import scenario
from wuye_loop.trial.simulation.chance import lengths, lots, many, shared
from wuye_loop.trial.simulation.inputs.load import Load, completed, read_load
from wuye_loop.trial.simulation.inputs.load_table import load_of_rows
from wuye_loop.trial.simulation.inputs.mainline import states_of
from wuye_loop.trial.simulation.inputs.mistakes import BadSimulation
from wuye_loop.trial.simulation.inputs.places import Places
from wuye_loop.trial.simulation.inputs.staff import Staff, changed, read_staff
from wuye_loop.trial.simulation.minutes import Deadlines, OfficeMinutes, quantile, shipped_calendar
from wuye_loop.trial.simulation.results.outcome import SimulatedYear
from wuye_loop.trial.simulation.results.report import notes, staff_text
from wuye_loop.trial.simulation.results.summary import Figure, summary_of
from wuye_loop.trial.simulation.run.run import Scene
from wuye_loop.trial.simulation.scenario import play, scene_of, usual_seeds, with_limits

KUIWEN = shipped("workflows") / "kuiwen@1.yaml"
MILL = """
name: mill
version: 1
title: 一个窗口
roles:
  resident: {title: 诉求人, is: complainant}
  desk: {title: 窗口, unit: window}
instruments: {remind: {title: 催办}}
states:
  open: {stage: handle, title: 办理中, holder: desk}
  pressed: {stage: escalate, title: 督办中, holder: desk}
  closed: {stage: evaluate, title: 办结, final: true}
clocks:
  handle:
    title: 办理时限
    during: [open, pressed]
    assessed: true
    limit: [{when: {urgency: 特急}, is: 1 workday}, {is: 5 workdays}]
    ladder:
      - {at: due, act: press}
      - {at: +2 workdays, do: remind, to: desk}
actions:
  press: {title: 督办, from: open, to: pressed, by: system}
  finish: {title: 办结, from: [open, pressed], to: closed, by: desk}
routers: [{kind: desk}]
"""
SPRING = date(2026, 3, 2)  # no holiday until April


def mill(people: int = 3, *, per_day: float = 8, days: int = 70, limits: tuple[str, ...] = (), **load: Any) -> Scene:
    """One window: an hour of work each, always; 7.5 hours a day."""
    workflow = load_workflow(MILL, "mill.yaml")
    given = {"urgency": {"平急": 1.0}, "streets": {"甲": 1.0}, **load}
    staff = Staff.model_validate(
        {"units": {"window": {"people": people}}, "work": {"finish": {"minutes": 60, "spread": 0, "wait": 0}}}
    )
    scene = scene_of(workflow, completed(Load(**given), workflow, per_day), staff, SPRING, days)
    return replace(scene, rules=Rules(with_limits(workflow, limits)))


def figures(scene: Scene, seeds: int = 1) -> Figure:
    return summary_of(scene.rules.workflow, play([scene], seeds)[0], scene.places.titles)


def outcome(scene: Scene) -> SimulatedYear:
    return play([scene], 1)[0][0]


@pytest.fixture(scope="module")
def kuiwen() -> Workflow:
    return load_workflow(KUIWEN.read_text(encoding="utf-8"), str(KUIWEN))


def town(
    workflow: Workflow, per_day: float = 12, days: int = 45, staff: Mapping[str, Any] | None = None, **load: Any
) -> Scene:
    arrivals = completed(Load(**load), workflow, per_day)
    people = {code: {"people": 30} for code in Places(workflow, arrivals.streets).codes}
    given = {"units": people, **(staff or {})}
    return scene_of(workflow, arrivals, Staff.model_validate(given), SPRING, days)


# --- the laws of queues ---------------------------------------------------------------------------------------------


def test_with_people_to_spare_everything_is_on_time() -> None:
    found = figures(mill(people=4))
    assert found["on_time"]["rate"] == 1
    assert found["on_time"]["due"] > 400
    assert found["units"][0]["usage"] < 0.5


def test_more_work_than_hands_grows_the_backlog_by_the_difference_every_week() -> None:
    unit = figures(mill(people=1, days=140))["units"][0]
    weeks = unit["held_by_week"]
    assert unit["usage"] > 0.98
    grown = (weeks[-1] - weeks[3]) / (len(weeks) - 4)
    assert grown == pytest.approx(8 * 7 - 7.5 * 5, rel=0.15)
    half = len(weeks) // 2
    assert weeks[-1] - weeks[half] == pytest.approx(weeks[half] - weeks[0], rel=0.35)


def test_a_backlog_makes_late_what_comes_after_it_and_the_ladder_fires() -> None:
    found = figures(mill(people=1, days=140))
    assert found["on_time"]["rate"] < 0.6
    fired = {rung["at"]: rung["mean"] for rung in found["clocks"][0]["rungs"]}
    assert fired["到期"] > fired["超期 2 个工作日"] > 0
    late = found["on_time"]["due"] - found["on_time"]["in_time"]
    assert fired["到期"] == late
    assert found["actions"]["press"]["mean"] == pytest.approx(late, abs=2)


def test_a_shorter_limit_never_raises_the_on_time_rate() -> None:
    rates = [figures(mill(2, limits=(f"handle={n} workdays",), per_day=11))["on_time"]["rate"] for n in (9, 5, 3, 1)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > rates[-1]


def test_fewer_people_are_never_better() -> None:
    rates = [figures(mill(people, per_day=16))["on_time"]["rate"] for people in (5, 4, 3, 2, 1)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > rates[-1]


def test_nobody_at_work_leaves_everything_undone() -> None:
    found = figures(mill(people=0))
    assert found["open"]["mean"] == found["arrived"]["mean"]
    assert found["units"][0]["median_workdays"] is None
    assert found["units"][0]["usage"] is None
    assert found["on_time"]["rate"] == 0


def test_no_case_due_yet_leaves_the_rate_blank() -> None:
    found = figures(mill(people=0, days=2))
    assert found["on_time"] == {"in_time": 0, "due": 0, "rate": None, "low": None, "high": None}


def test_urgent_cases_are_taken_first() -> None:
    found = outcome(mill(1, days=60, urgency={"特急": 1.0, "平急": 9.0}, per_day=8))
    unit = found.units["window"]
    calm = outcome(mill(1, days=60, per_day=8)).units["window"]
    assert unit.rungs[("handle", 0)] <= calm.rungs[("handle", 0)]
    assert min(unit.stays) < 450


def test_the_same_seed_gives_the_same_figures_and_other_seeds_a_range() -> None:
    scene = mill(2, per_day=12)
    assert figures(scene) == figures(scene)
    several = figures(scene, seeds=3)
    assert several["arrived"]["low"] < several["arrived"]["high"]
    assert several["on_time"]["low"] < several["on_time"]["rate"] < several["on_time"]["high"]
    assert several["seeds"] == [1, 2, 3]


def test_processes_give_what_one_process_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = [mill(2, days=20), mill(1, days=20)]
    alone = play(scenes, 2)
    monkeypatch.setattr(scenario, "_WORTH_A_PROCESS", 0)
    assert play(scenes, 2) == alone


def test_many_grievances_are_run_with_fewer_seeds_where_nobody_says() -> None:
    assert usual_seeds(mill()) == 5
    assert usual_seeds(mill(per_day=1000, days=365)) == 2


# --- the calendar ---------------------------------------------------------------------------------------------------


def test_nothing_is_worked_on_a_holiday_and_a_make_up_saturday_is_a_workday() -> None:
    national_day = replace(mill(days=7), first=date(2026, 10, 1))
    assert figures(national_day)["closed"]["mean"] == 0
    assert figures(national_day)["arrived"]["mean"] > 30
    make_up = next(day for day, works, _, guess in seed_days() if works and not guess and day.weekday() == 5)
    assert figures(replace(mill(days=1, per_day=40), first=make_up))["closed"]["mean"] > 0
    assert figures(replace(mill(days=1, per_day=40), first=date(2026, 3, 7)))["closed"]["mean"] == 0


def test_minutes_of_the_office_are_those_of_the_calendar(kuiwen: Workflow) -> None:
    calendar = shipped_calendar(kuiwen.calendar)
    office = OfficeMinutes(calendar, kuiwen.calendar.hours, date(2026, 2, 1), 60)
    zero = datetime(2026, 1, 31, 16, tzinfo=UTC)  # midnight in Shanghai
    for at in range(0, 40 * 1440, 577):
        start = zero + timedelta(minutes=at)
        assert office.open_at[at] == (calendar.next_open(start) - zero) // timedelta(minutes=1)
        for minutes in (0, 1, 30, 449, 450, 451, 1234):
            there = calendar.add_working_time(start, timedelta(minutes=minutes))
            assert office.add(at, minutes) == (there - zero) // timedelta(minutes=1)


@pytest.mark.parametrize("starts", list(Starts))
@pytest.mark.parametrize(
    "limit", ["30 minutes", "2 hours", "3 days", "12 workhours", "1 workday", "5 workdays", "1 month"]
)
def test_every_limit_runs_out_when_the_calendar_says(kuiwen: Workflow, limit: str, starts: Starts) -> None:
    calendar = shipped_calendar(kuiwen.calendar)
    first = date(2026, 2, 1)
    deadlines = Deadlines(calendar, OfficeMinutes(calendar, kuiwen.calendar.hours, first, 90), first, "Asia/Shanghai")
    zero = datetime(2026, 1, 31, 16, tzinfo=UTC)
    span = Span.parse(limit)
    due, before, after = (
        deadlines.limit(span, starts),
        deadlines.offset(Span.parse("-1 workday")),
        deadlines.offset(Span.parse("+2 workdays")),
    )
    for at in range(0, 30 * 1440, 2003):
        there = calendar.due(zero + timedelta(minutes=at), span, starts).at
        minute = (there - zero) // timedelta(minutes=1)
        assert due(at) == minute
        if minute > 5 * 1440:
            assert before(minute) == (calendar.shift(there, Span.parse("-1 workday")) - zero) // timedelta(minutes=1)
        assert after(minute) == (calendar.shift(there, Span.parse("+2 workdays")) - zero) // timedelta(minutes=1)


# --- chance ---------------------------------------------------------------------------------------------------------


def test_chance_keeps_its_means() -> None:
    assert sum(lengths(60, 0.5)) / 4096 == pytest.approx(60)
    assert lengths(60, 0) == [60] * 4096
    mix = shared({"a": 3.0, "b": 1.0})
    assert (len(mix), mix.count("b")) == (4096, 1024)
    for mean in (0.5, 7, 400):
        drawn = [many(mean, lot) for lot in lots("poisson", number=2000)]
        assert sum(drawn) / 2000 == pytest.approx(mean, rel=0.1)
    assert quantile({1: 1, 5: 8, 9: 1}, 0.5) == 5
    assert quantile({}, 0.5) is None


# --- the workflow's own rules ---------------------------------------------------------------------------------------


def test_the_usual_way_follows_the_stages(kuiwen: Workflow) -> None:
    states = states_of(kuiwen)
    usual = {name: state.main for name, state in states.items()}
    assert usual["received"] == "accept"
    assert usual["handling"] == usual["supervised"] == "finish"
    assert usual["callback"] == "call_back"
    assert states["rating"].worker is None
    assert set(states["assigned"].aside) == {"send_back"}


def test_the_duty_list_decides_who_gets_the_work(kuiwen: Workflow) -> None:
    found = outcome(town(kuiwen, categories={"消防安全": 1.0}, staff={"shares": {"send_back": 0, "refuse": 0}}))
    busy = {code for code, unit in found.units.items() if unit.taken}
    assert busy == {"property-centre", "fire"}
    assert found.units["fire"].minutes > 30 * found.units["fire"].taken


def test_what_no_duty_list_names_goes_to_its_own_street(kuiwen: Workflow) -> None:
    scene = town(
        kuiwen, categories={"绿化养护": 1.0}, streets={"东街": 3.0, "西街": 1.0}, staff={"shares": {"send_back": 0}}
    )
    units = outcome(scene).units
    east, west = units["property-office@东街"].taken, units["property-office@西街"].taken
    assert east / west == pytest.approx(3, rel=0.25)


def test_a_unit_that_sends_back_does_so_no_oftener_than_the_file_allows(kuiwen: Workflow) -> None:
    found = outcome(town(kuiwen, staff={"shares": {"send_back": 1, "refuse": 0, "reject": 0}}))
    assert found.actions["send_back"] == pytest.approx(2 * found.arrived, rel=0.05)
    assert found.closed["closed"] > 0


def test_the_dissatisfied_are_handled_again_as_often_as_the_outcomes_say(kuiwen: Workflow) -> None:
    staff = {
        "shares": {"refuse": 0, "reject": 0, "send_back": 0},
        "answers": {"rate": {"satisfied": {"不满意": 1}}},
        "respond": {"share": 1, "days": 0},
    }
    found = outcome(town(kuiwen, per_day=8, days=90, staff=staff))
    assert found.cycles > 1.5 * found.closed["closed"]
    assert found.actions["rate"] == found.cycles + found.closed["closed"]


def test_who_is_not_heard_is_closed_by_the_clock(kuiwen: Workflow) -> None:
    found = outcome(town(kuiwen, staff={"respond": {"share": 0}}))
    assert "rate" not in found.actions
    assert found.actions["close_unrated"] == found.closed["closed"] > 180


@pytest.fixture(scope="module")
def derived(kuiwen: Workflow) -> Scene:
    return scene_of(kuiwen, completed(Load(), kuiwen, 40), Staff(), SPRING, 40)


@pytest.mark.parametrize("file", sorted(shipped("workflows").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_workflow_can_be_simulated(file: Path) -> None:
    workflow = load_workflow(
        bundle(file.read_text(encoding="utf-8"), str(file), bases(file, (file.parent,), dict)), str(file)
    )
    found = figures(town(workflow, per_day=2, days=60))
    assert found["closed"]["mean"] > 0.5 * found["arrived"]["mean"]
    assert found["on_time"]["rate"] > 0.5


def test_derived_people_keep_a_unit_busy_but_not_drowned(derived: Scene) -> None:
    centre = outcome(derived).units["property-centre"]
    assert 0.45 < centre.minutes / centre.able < 0.95
    assert any("没有写明" in note for note in notes(derived))


def test_the_derived_staff_file_can_be_handed_back(kuiwen: Workflow, derived: Scene) -> None:
    staff = read_staff(staff_text(derived), "s.yaml", kuiwen, derived.places)
    again = scene_of(kuiwen, derived.load, staff, SPRING, 10)
    assert again.people == derived.people
    assert outcome(again) == outcome(replace(derived, days=10))


def test_people_are_changed_for_one_unit_or_for_all_of_a_duty(kuiwen: Workflow) -> None:
    places = Places(kuiwen, ("甲", "乙"))
    people = dict.fromkeys(places.codes, 3)
    assert changed(people, {"fire": -2}, places)["fire"] == 1
    after = changed(people, {"property-office": -1, "property-office@甲": -1}, places)
    assert (after["property-office@甲"], after["property-office@乙"]) == (1, 2)


# --- loads ----------------------------------------------------------------------------------------------------------


def test_complaints_tell_when_and_what_comes(kuiwen: Workflow) -> None:
    rows = [
        {
            "message_id": n,
            "created_at": f"2026-03-{2 + n % 7:02d} {9 + n % 2:02d}:15:00",
            "title": "电梯坏了",
            "detail": "楼里着火",
        }
        for n in range(14)
    ]
    found = load_of_rows(list(rows[0]), enumerate(rows, 2), "c.csv", Rules(kuiwen))
    assert found.per_day == 2
    assert set(found.hours) == {"9", "10"}
    assert found.categories == {"电梯": 14}
    assert found.urgency == {"特急": 14}


def test_counts_tell_weekdays_and_shares(kuiwen: Workflow) -> None:
    rows = [
        {"date": f"2026-03-{2 + n:02d}", "count": 20 if n < 5 else 6, "category": "停车管理", "street": "东街"}
        for n in range(7)
    ]
    found = load_of_rows(list(rows[0]), enumerate(rows, 2), "c.csv", Rules(kuiwen))
    assert found.per_day == 16
    assert found.weekdays["一"] == 1.25
    assert found.streets == {"东街": 112}


def test_a_quiet_month_and_weekend_have_fewer_arrivals() -> None:
    even = outcome(mill(days=31)).arrived
    assert outcome(mill(days=31, months={"3": 0.5})).arrived < 0.7 * even
    assert outcome(mill(days=31, weekdays={"六": 0, "日": 0})).arrived < 0.85 * even


# --- bad input ------------------------------------------------------------------------------------------------------


def refused(*args: str | Path) -> str:
    result = CliRunner().invoke(app, ["simulate", *map(str, args)], catch_exceptions=False)
    assert result.exit_code != 0
    return result.stderr


STAFF = [
    ("units: {nobody: {people: 1}}", "1:9: 流程里没有单位“nobody”"),
    ("units:\n  window: {people: -1}", "2:20: 太小，最小是 0"),
    ("units: {window: {peple: 1}}", "1:18: 不认识的键“peple”"),
    ("work:\n  finnish: {minutes: 3}", "2:3: 流程里没有动作“finnish”；可写：press、finish"),
    ("answers: {finish: {result: {好: 1}}}", "动作 finish 的表单没有“result”"),
    ("shares: {finish: 2}", "太大，最大是 1"),
    ("units: [", "1:9: 这里应有一个值"),
]


@pytest.mark.parametrize(("text", "words"), STAFF)
def test_a_wrong_staff_file_is_said_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    flow, staff = tmp_path / "mill.yaml", tmp_path / "staff.yaml"
    flow.write_text(MILL, encoding="utf-8")
    staff.write_text(text, encoding="utf-8")
    said = refused(flow, "--per-day", "5", "--staff", staff)
    assert f"{staff}:" in said
    assert words in said


LOADS = [
    ("l.csv", "date,count\n2026-03-02,5\n2026-03-03,many\n", ":3: count 要写数字"),
    ("l.csv", "date,count\n2026-03-02,-5\n", ":2: count 要在 0 与"),
    ("l.csv", "id,created_at\n1,昨天\n", ":2: created_at 要写成"),
    ("l.csv", "id,what\n1,x\n", ":1: 负荷表要有"),
    ("l.csv", "date,count\n2026-03-02,0\n", "没有一件诉求"),
    ("l.yaml", "per_day: 5\nweekdays: {mon: 1}\n", "weekdays 里没有“mon”"),
    ("l.yaml", "per_day: -5\n", ":1:10: 要大于 0"),
    ("l.yaml", "categories: {电梯: 0}\nper_day: 3\n", "占比都是 0"),
    ("l.yaml", "weekdays: {一: 1}\n", "没有写每天多少件"),
]


@pytest.mark.parametrize(("name", "text", "words"), LOADS)
def test_a_wrong_load_is_said_with_its_place(tmp_path: Path, name: str, text: str, words: str) -> None:
    flow, load = tmp_path / "mill.yaml", tmp_path / name
    flow.write_text(MILL, encoding="utf-8")
    load.write_text(text, encoding="utf-8")
    assert words in refused(flow, "--load", load)


OPTIONS = [
    (("--staff-change", "nobody=-1"), "流程里没有单位“nobody”；可写：window"),
    (("--staff-change", "window=-99"), "不能减去 99 人"),
    (("--staff-change", "window"), "--staff-change 要写成"),
    (("--limit", "handle=soon"), "--limit handle"),
    (("--limit", "hurry=3 workdays"), "流程里没有时限“hurry”；可写：handle"),
    (("--limit", "handle:7=3 workdays"), "没有第 7 条，共 2 条"),
    (("--limit", "handle=0 workdays"), "至少是 1"),
    (("--limit", "handle"), "--limit 要写成"),
    (("--start", "today"), "--start 要写成"),
    (("--days", "0"), "--days 应在"),
    (("--seeds", "0"), "--seeds 应在"),
    (("--per-day", "0"), "每天的件数应大于 0"),
]


@pytest.mark.parametrize(("args", "words"), OPTIONS)
def test_a_wrong_option_is_said_in_words(tmp_path: Path, args: tuple[str, ...], words: str) -> None:
    flow = tmp_path / "mill.yaml"
    flow.write_text(MILL, encoding="utf-8")
    staff = tmp_path / "staff.yaml"
    staff.write_text("units: {window: {people: 3}}", encoding="utf-8")
    per_day = () if "--per-day" in args else ("--per-day", "5")
    assert words in refused(flow, "--staff", staff, *per_day, *args)


def test_one_limit_among_several_can_be_meant(kuiwen: Workflow) -> None:
    changed_flow = with_limits(kuiwen, ["handle=3 workdays", "handle:2=1 workday"])
    assert [str(limit.is_) for limit in changed_flow.clocks["handle"].limit] == [
        "2 hours",
        "1 workday",
        "3 workdays",
        "3 workdays",
    ]
    with pytest.raises(BadSimulation, match="没有时限"):
        with_limits(kuiwen, ["x=1 workday"])


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_shows_tables_and_answers_what_if(tmp_path: Path) -> None:
    flow = tmp_path / "mill.yaml"
    flow.write_text(MILL, encoding="utf-8")
    staff = tmp_path / "staff.yaml"
    staff.write_text("units: {window: {people: 2}}", encoding="utf-8")
    args = ["simulate", str(flow), "--per-day", "10", "--days", "40", "--seeds", "2", "--start", "2026-03-02"]
    args += ["--staff", str(staff)]
    plain = CliRunner().invoke(app, args, catch_exceptions=False)
    assert plain.exit_code == 0
    assert "按时率" in plain.stdout
    assert "说明" in plain.stdout
    assert "对比" not in plain.stdout
    asked = [*args, "--limit", 'handle="3 workdays"', "--staff-change", "window=-1"]
    both = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert "对比" in both.stdout
    assert "人数" in both.stdout
    data = json.loads(CliRunner().invoke(app, [*asked, "--json"], catch_exceptions=False).stdout)
    assert data["what_if"]["units"][0]["people"] == data["base"]["units"][0]["people"] - 1
    assert data["what_if"]["on_time"]["rate"] <= data["base"]["on_time"]["rate"]
    assert data["assumptions"]


def test_another_version_is_run_against_the_same_arrivals(tmp_path: Path) -> None:
    old, new = tmp_path / "mill.yaml", tmp_path / "new.yaml"
    old.write_text(MILL, encoding="utf-8")
    new.write_text(MILL.replace("{is: 5 workdays}", "{is: 1 workday}"), encoding="utf-8")
    args = ["simulate", str(old), "--against", str(new), "--per-day", "10", "--days", "30", "--seeds", "1", "--json"]
    data = json.loads(CliRunner().invoke(app, args, catch_exceptions=False).stdout)
    assert data["base"]["arrived"] == data["what_if"]["arrived"]
    assert data["what_if"]["on_time"]["rate"] <= data["base"]["on_time"]["rate"]


def test_the_staff_that_was_derived_can_be_printed(tmp_path: Path) -> None:
    flow = tmp_path / "mill.yaml"
    flow.write_text(MILL, encoding="utf-8")
    result = CliRunner().invoke(
        app, ["simulate", str(flow), "--per-day", "10", "--default-staff"], catch_exceptions=False
    )
    workflow = load_workflow(MILL, "mill.yaml")
    assert read_staff(result.stdout, "s.yaml", workflow, Places(workflow, ())).units["window"].people


def test_the_examples_of_the_page_can_be_read(kuiwen: Workflow) -> None:
    page = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    arrivals = read_load(blocks[0], "load.yaml")
    assert completed(arrivals, kuiwen, None).per_day
    assert read_staff(blocks[1], "staff.yaml", kuiwen, Places(kuiwen, arrivals.streets)).units
    for model in (Load, Staff):
        assert all(f"`{name}`" in page for name in model.model_fields)
