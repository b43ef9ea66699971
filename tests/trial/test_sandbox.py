"""The sandbox: a town in memory in which the rules run as they do on a site."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.directory.document import read_document
from wuye_loop.domain.errors import BadForm, BadInput, Forbidden, IllegalAction, NotFound
from wuye_loop.domain.grievance.situation import Actor
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.documents import Paper, PaperLine
from wuye_loop.domain.terms import ActorKind
from wuye_loop.domain.time.spans import Span
from wuye_loop.settings import shipped
from wuye_loop.trial.sandbox.intake import sender_for
from wuye_loop.trial.sandbox.sandbox import Sandbox
from wuye_loop.trial.town.town import calendar_of, town_of

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Beijing
REPORT = {"result": "解决", "contacted": True, "internal": "换了主板", "public_reply": "已恢复"}

SMALL = """
name: small
version: 1
title: 小城
sources:
  hotline: {title: 热线}
  patrol: {title: 巡查, channels: [巡查], by: [patrol], needs: {place_seen: text}, answered: reporter}
intake:
  attach:
    - {when: {channel: 催办}, to: extra.parent, act: urge}
roles:
  hotline: {title: 热线, is: channel}
  resident: {title: 诉求人, is: complainant}
  desk: {title: 受理中心, unit: centre}
  office: {title: 物业办, unit: {duty: property-office, level: street}}
  patrol: {title: 巡查队, unit: patrol-team}
  handler: {title: 承办单位, unit: lead}
  meeting: {title: 联席会议, unit: meeting-office}
instruments:
  remind: {title: 提醒}
states:
  received: {stage: collect, title: 待受理, holder: desk}
  handling: {stage: handle, title: 承办中, holder: handler}
  following: {stage: collect, title: 已并案, holder: desk, parked: true}
  closed: {stage: evaluate, title: 已归档, final: true}
clocks:
  accept:
    title: 受理时限
    during: received
    limit: {is: 1 workday}
    ladder: [{at: due, do: remind, to: desk}]
  handle:
    title: 办理时限
    during: handling
    limit: {is: 5 workdays}
    ladder:
      - {at: due, do: remind, to: handler}
      - {at: +1 workday, do: remind, to: handler, when: {urged: {min: 1}}}
actions:
  route: {title: 转办, from: received, to: handling, by: [desk, system], needs: {unit: unit?}, effect: route}
  urge: {title: 催办, from: [received, handling], by: [hotline, resident], effect: urged}
  join: {title: 并案, from: received, to: following, by: desk, needs: {into: grievance}, effect: {merge: {into: into}}}
  leave: {title: 撤销并案, from: following, to: back, by: desk, effect: unmerge}
  end_with: {title: 随主件办结, from: following, to: closed, by: system, if: {lead_final: true}}
  finish: {title: 办结, from: handling, to: closed, by: handler, if: {open.job: 0}}
tasks:
  job:
    title: 会议任务
    open: {by: [system, meeting], needs: {what: text}}
    states:
      asked: {title: 待办, holder: holder}
      done: {title: 已办, final: true}
    clocks:
      job:
        title: 任务时限
        during: asked
        limit: {is: 3 workdays}
        ladder: [{at: due, do: remind, to: holder}]
    actions:
      done: {title: 办完, from: asked, to: done, by: holder}
documents:
  会议纪要: {series: "小纪〔{year}〕{n}号", by: [meeting], opens: job}
standing:
  - {when: {open.job: {min: 1}}, is: 会议任务在办}
  - {is: 无会议任务}
routers:
  - {kind: table, rules: [{when: {category: 电梯}, to: market}]}
  - {kind: http, url: "https://example.org/route", when: {category: 停车}, fallback: police}
  - {kind: least_loaded, among: [one, two]}
"""


@cache
def kuiwen() -> Rules:
    path = shipped("workflows") / "kuiwen@1.yaml"
    return Rules(load(path.read_bytes(), str(path)))


@cache
def small() -> Rules:
    return Rules(load(SMALL, "small@1.yaml"))


def town(rules: Callable[[], Rules] = kuiwen, **parts: Any) -> Sandbox:
    return Sandbox(rules(), now=MONDAY, **parts)


def handled(box: Sandbox) -> str:
    number = box.receive({"category": "电梯"})
    box.act("dispatcher", "accept")
    box.act("handler", "sign")
    return number


# --- the derived town -----------------------------------------------------------------------------------------------


def test_every_unit_and_duty_that_the_rules_name_is_in_the_derived_town() -> None:
    units = town_of(kuiwen()).directory.units
    assert {"property-centre", "command-office", "fire", "market", "tax", "police", "company-1"} <= set(units)
    assert "company" not in units
    assert {f"property-office-{level}" for level in ("community", "street", "district", "city")} <= set(units)
    assert units["property-office-community"].parent_code == "property-office-street"


def test_an_entry_of_a_document_replaces_the_derived_one() -> None:
    document = read_document({"units": [{"code": "market", "name": "市监局", "kind": "department", "area": "street"}]})
    found = town_of(kuiwen(), document)
    assert found.directory.units["market"].name == "市监局"
    assert found.directory.areas["community"].path == "city/district/street/community/"
    assert found.estate("E1") == found.estate("示例小区")
    assert found.estate("别处") is None


@pytest.mark.parametrize(
    ("areas", "words"),
    [
        ([{"code": "x", "name": "甲", "level": "street", "parent": "gone"}], "上级属地 gone 不存在"),
        ([{"code": "x", "name": "甲", "level": "street", "parent": "x"}], "绕成了圈"),
    ],
)
def test_areas_that_hang_on_nothing_are_refused_in_words(areas: list[dict[str, str]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        town_of(kuiwen(), read_document({"areas": areas}))


def test_a_make_up_saturday_is_worked_and_a_holiday_is_not() -> None:
    calendar = calendar_of(kuiwen().workflow.calendar, date(2026, 4, 2), [date(2026, 4, 6)], [date(2026, 4, 11)])
    assert [calendar.is_workday(date(2026, 4, day)) for day in (3, 6, 11, 12)] == [True, False, True, False]
    assert not calendar.is_provisional(date(2027, 1, 4))


# --- doing ----------------------------------------------------------------------------------------------------------


def test_the_same_calls_give_the_same_numbers_ids_and_ledger() -> None:
    one, other = town(), town()
    for box in (one, other):
        handled(box)
        box.advance(Span.parse("10 workdays"))
    assert [entry.hash for entry in one.case().entries] == [entry.hash for entry in other.case().entries]
    assert one.case().number == "WY260302-00000001"


def test_a_refusal_is_raised_kept_and_changes_nothing() -> None:
    box = town()
    box.receive({"category": "电梯"})
    before = box.case().situation
    with pytest.raises(IllegalAction):
        box.act("dispatcher", "approve")
    assert box.case().situation is before
    assert isinstance(box.case().refusal, IllegalAction)
    box.act("dispatcher", "accept")
    assert box.case().refusal is None


def test_a_role_that_stands_for_nobody_or_for_several_is_said_so() -> None:
    box = town()
    box.receive({"category": "电梯"})
    with pytest.raises(BadInput, match="现在没有单位"):
        box.act("handler", "sign")
    box.act("dispatcher", "accept")
    box.open_task("handler", "assist", {"unit": "housing"})
    with pytest.raises(BadInput, match="有几个单位（company-1、housing）"):
        box.on_task("assistant", "assist", "sign")
    with pytest.raises(BadInput, match="没有角色或单位“nobody”"):
        box.act("nobody", "sign")
    box.on_task("housing", "assist", "sign")
    assert [task.state for task in box.case().tasks("assist")] == ["asked", "working"]
    box.on_task("holder", "assist", "sign", n=1)
    assert [task.state for task in box.case().tasks("assist")] == ["working", "working"]


def test_a_task_that_is_not_there_cannot_be_acted_on() -> None:
    box = town()
    handled(box)
    with pytest.raises(NotFound):
        box.on_task("holder", "extension", "approve")
    with pytest.raises(NotFound):
        box.case("WY000000-00000000")


def test_whoever_opened_a_task_may_withdraw_it() -> None:
    box = town()
    handled(box)
    box.open_task("handler", "assist", {"unit": "housing"})
    box.on_task("opener", "assist", "withdraw", {"reason": "不需要了"})
    assert box.case().tasks("assist")[-1].state == "declined"


def test_every_rung_fires_at_its_own_instant_and_once() -> None:
    box = town()
    handled(box)
    assert box.advance(Span.parse("5 workdays")) == 3  # 协办提醒、催办，黄牌
    fired = box.case().fired(kuiwen().workflow)
    assert [(one.name, one.did) for one in fired][-1] == ("handle", ("yellow_card",))
    assert fired[-1].at == datetime(2026, 3, 6, 9, 30, tzinfo=UTC)
    assert box.now == MONDAY + timedelta(days=7)
    assert box.advance(box.now) == 0


def test_grievances_fire_in_the_order_of_time_whoever_came_first() -> None:
    box = town(small)
    later = box.receive({"category": "电梯"})
    box.act("desk", "route", number=later)
    box.advance(Span.parse("1 hour"))
    sooner = box.receive({"category": "电梯"})
    box.advance(Span.parse("10 workdays"))
    assert box.case(sooner).fired(small().workflow)[0].at < box.case(later).fired(small().workflow)[0].at


def test_time_does_not_run_back() -> None:
    with pytest.raises(ValueError, match="时间不能倒流"):
        town().advance(MONDAY - timedelta(minutes=1))


def test_a_rung_whose_condition_does_not_hold_is_passed() -> None:
    box = town(small)
    box.receive({"category": "电梯"})
    box.act("desk", "route")
    box.advance(Span.parse("10 workdays"))
    due, after = box.case().fired(small().workflow)
    assert (due.passed, due.did) == (False, ("remind",))
    assert (after.passed, after.did) == (True, ())


def test_documents_are_numbered_gap_free_over_all_grievances() -> None:
    box = town()
    for _ in range(2):
        handled(box)
    box.advance(Span.parse("8 workdays"))
    numbers = [document.number for case in box.cases.values() for document in case.documents]
    assert numbers == ["奎督〔2026〕1号", "奎督〔2026〕2号"]


# --- intake ---------------------------------------------------------------------------------------------------------


def test_an_order_that_cannot_be_read_names_its_fields() -> None:
    with pytest.raises(BadInput) as caught:
        town().receive({"kind": "", "titel": "电梯"})
    assert {field["path"] for field in caught.value.extra["fields"]} == {"kind", "titel"}  # type: ignore[attr-defined]


def test_the_same_person_at_the_same_estate_is_a_repeat() -> None:
    box = town()
    order = {"complainant": {"phone": "13800000000"}}
    box.receive(order)
    box.receive({"complainant": {"phone": "13900000000"}})
    box.receive(order)
    assert box.case().situation.grievance.data["repeat"] == 1


def test_a_source_asks_its_own_form_and_lets_only_its_own_units_send() -> None:
    box = town(small)
    patrol = box.sender("patrol")
    with pytest.raises(BadInput):
        box.receive({"channel": "巡查"}, by=patrol)
    with pytest.raises(Forbidden):
        box.receive({"channel": "巡查", "extra": {"place_seen": "楼顶"}}, by=Actor(ActorKind.UNIT, "market"))
    assert not box.cases
    box.receive({"channel": "巡查", "extra": {"place_seen": "楼顶"}}, by=patrol)
    assert box.case().situation.grievance.source == "unit:patrol-team"
    assert box.actor("resident") == patrol
    assert sender_for(small(), box.town, "office") == Actor(ActorKind.UNIT, "property-office-street")


def test_an_urge_attaches_to_the_earlier_grievance_and_an_unknown_one_becomes_its_own() -> None:
    box = town(small)
    first = box.receive({"external_id": "A1"})
    assert box.receive({"channel": "催办", "extra": {"parent": "A1"}}) == first
    assert box.receive({"channel": "催办", "extra": {"parent": first}}) == first
    assert box.case(first).situation.grievance.urged == 2
    other = box.receive({"channel": "催办", "extra": {"parent": "unknown"}})
    assert other != first
    assert box.case(other).situation.grievance.flags == ("unattached",)


# --- routing --------------------------------------------------------------------------------------------------------


def test_the_least_loaded_unit_is_chosen_and_closing_frees_it() -> None:
    box = town(small)
    numbers = [box.receive() for _ in range(3)]
    for number in numbers[:2]:
        box.act("desk", "route", number=number)
    assert [box.case(number).situation.grievance.lead_unit for number in numbers[:2]] == ["one", "two"]
    box.act("handler", "finish", number=numbers[1])
    box.act("desk", "route", number=numbers[2])
    assert box.case(numbers[2]).situation.grievance.lead_unit == "two"
    box.forget(numbers[0])
    assert numbers[0] not in box.cases
    again = box.receive()
    box.act("desk", "route")
    assert again not in numbers
    assert box.case(again).situation.grievance.lead_unit == "one"


@pytest.mark.parametrize(("replies", "lead"), [({}, "police"), ({"https://example.org/route": "one"}, "one")])
def test_another_system_answers_what_it_is_given_to_answer(replies: dict[str, str], lead: str) -> None:
    box = town(small, replies=replies)
    box.receive({"category": "停车"})
    box.act("desk", "route")
    assert box.case().situation.grievance.lead_unit == lead


# --- several grievances ---------------------------------------------------------------------------------------------


def test_a_follower_is_counted_leaves_with_its_lead_and_can_be_taken_back() -> None:
    box = town(small)
    lead, follower, third = (box.receive({"category": "电梯"}) for _ in range(3))
    for number in (follower, third):
        box.act("desk", "join", {"into": lead}, number=number)
    assert box.case(lead).situation.grievance.followers == 2
    box.act("desk", "leave", number=third)
    assert (box.case(third).state, box.case(lead).situation.grievance.followers) == ("received", 1)
    box.act("desk", "route", number=lead)
    box.act("handler", "finish", number=lead)
    assert box.case(follower).state == "closed"
    assert box.case(third).state == "received"


def test_one_document_opens_a_task_for_each_of_its_lines() -> None:
    box = town(small)
    one, two = box.receive(), box.receive()
    lines = [PaperLine(number, "market", {"what": "修好"}) for number in (one, two, one)]
    assert box.issue("meeting", Paper("会议纪要", lines)) == "小纪〔2026〕1号"
    assert [len(box.case(number).tasks("job")) for number in (one, two)] == [2, 1]
    assert {task.document_number for task in box.case(one).tasks("job")} == {"小纪〔2026〕1号"}
    assert box.standing(one) == "会议任务在办"
    for n in (1, 2):
        box.on_task("market", "job", "done", n=n, number=one)
    assert box.standing(one) == "无会议任务"


def test_a_document_with_one_wrong_line_is_not_issued_and_takes_no_number() -> None:
    box = town(small)
    number = box.receive()
    with pytest.raises(BadForm):
        box.issue(
            "meeting", Paper("会议纪要", [PaperLine(number, "market", {"what": "修"}), PaperLine(number, "market")])
        )
    with pytest.raises(Forbidden):
        box.issue("desk", Paper("会议纪要", [PaperLine(number, "market", {"what": "修"})]))
    assert box.case().tasks("job") == []
    assert box.issue("meeting", Paper("会议纪要", [PaperLine(number, "market", {"what": "修"})])) == "小纪〔2026〕1号"


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_case_tells_what_was_sent_said_and_rated() -> None:
    box = town()
    handled(box)
    box.on_task("company-1", "assist", "sign")
    box.on_task("company-1", "assist", "done", {"result": "配合"})
    box.act("handler", "finish", REPORT)
    box.act("dispatcher", "approve")
    box.act("resident", "rate", {"contacted": True, "solved": "解决", "satisfied": "满意"})
    case = box.case()
    assert case.state == "closed"
    assert [rating.satisfied for rating in case.ratings] == ["满意"]
    assert case.told(kuiwen().workflow)[-1] == "承办单位已答复，我们将回访您是否满意。"
    assert case.due() == {}
    assert case.due_next is None


def test_a_notice_says_when_it_was_decided_and_when_it_may_go_out() -> None:
    box = Sandbox(kuiwen(), now=datetime(2026, 3, 7, 12, tzinfo=UTC))  # a Saturday evening
    box.receive({"title": "有人被困电梯"})
    ((at, alarm),) = box.case().sent()
    assert (alarm.instrument, alarm.not_before) == ("alarm", at)
    box.act("hotline", "urge")
    at, urge = box.case().sent()[-1]
    assert (urge.instrument, urge.not_before > at) == ("urge_notice", True)
