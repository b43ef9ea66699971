"""Limits that the order says, moments that are still to come, and a cap over everything."""

from datetime import UTC, datetime
from typing import Any

import pytest

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.authoring.diff.compare import differences
from wuye_loop.domain.errors import BadForm, IllegalAction
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.spans import Span
from wuye_loop.trial.sandbox.sandbox import Sandbox

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Beijing
CITY = """
name: city
version: 1
title: 小城
sources:
  orders:
    title: 交办单
    needs: {days: {int?: {max: 999}}, deadline: date?, visit: {time?: {future: true}}}
roles:
  hotline: {title: 热线, is: channel}
  desk: {title: 受理中心, unit: centre}
states:
  handling: {stage: handle, title: 承办中, holder: desk}
  visiting: {stage: handle, title: 等到场, holder: desk}
  waiting: {stage: handle, title: 挂起中, holder: desk}
  closed: {stage: evaluate, title: 已归档, final: true}
clocks:
  handle:
    title: 办理时限
    during: handling
    paused: waiting
    per: cycle
    at_most: 30 days
    limit: LIMIT
    ladder: [{at: due, act: close}]
  visit:
    title: 到场时限
    during: visiting
    limit: {until: data.visit}
    ladder: [{at: due, act: back_again}]
  wait: {title: 挂起时限, during: waiting, at_most: 30 days, limit: {until: data.until}, ladder: [{at: due, act: go_on}]}
actions:
  close: {title: 办结, from: handling, to: closed, by: [desk, system]}
  call: {title: 约定到场, from: handling, to: visiting, by: desk, needs: {at: {time: {future: true}}}, effect: {set: {visit: at}}}
  back_again: {title: 已到场, from: visiting, to: handling, by: [desk, system]}
  rest: {title: 挂起, from: handling, to: waiting, by: desk, needs: {until: date}, effect: {set: {until: until}}}
  go_on: {title: 恢复, from: waiting, to: handling, by: [desk, system]}
  longer: {title: 延期, from: handling, by: desk, needs: {days: {int: {min: 1, max: 60}}}, effect: {extend_clock: {clock: handle, by: days, unit: day}}}
routers: [{kind: desk}]
"""
DAYS = "{is: extra.days, min: 2, max: 20, default: 5 days}"


def text(limit: str = DAYS) -> str:
    return CITY.replace("LIMIT", limit)


def town(limit: str = DAYS, **extra: Any) -> Sandbox:
    box = Sandbox(Rules(load(text(limit), "city@1.yaml")), now=MONDAY)
    box.receive({"title": "路灯不亮", "extra": extra})
    return box


def due(box: Sandbox, name: str = "handle") -> str:
    _, at = box.case().clocks()[name]
    return box.calendar.local(at).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("extra", "at"),
    [
        ({"days": 7}, "03-10 00:00"),
        ({"days": 1}, "03-05 00:00"),  # at least 2
        ({"days": 90}, "03-23 00:00"),  # at most 20
        ({}, "03-08 00:00"),
    ],
)
def test_the_order_says_how_long_within_bounds_else_the_default_holds(extra: dict[str, Any], at: str) -> None:
    assert due(town(**extra)) == at


def test_the_order_says_the_day_and_one_that_is_over_is_not_taken() -> None:
    limit = "{until: extra.deadline, default: 3 days}"
    assert due(town(limit, deadline="2026-03-20")) == "03-20 17:30"
    assert due(town(limit)) == due(town("{is: 3 days}"))


def test_the_order_says_the_moment() -> None:
    assert due(town("{until: extra.visit, default: 3 days}", visit="2026-03-03 15:10")) == "03-03 15:10"


def test_a_clock_runs_to_a_moment_that_was_agreed_and_that_is_still_to_come() -> None:
    box = town()
    with pytest.raises(BadForm):
        box.act("desk", "call", {"at": "2026-03-01 10:00"})
    box.act("desk", "call", {"at": "2026-03-04 10:30"})
    assert due(box, "visit") == "03-04 10:30"
    box.advance(Span.parse("3 days"))
    assert box.case().state == "handling"


def test_nothing_leads_beyond_the_cap() -> None:
    box = town(days=20)
    box.act("desk", "longer", {"days": 5})
    with pytest.raises(IllegalAction, match="自收件起不能超过30 日"):
        box.act("desk", "longer", {"days": 20})
    with pytest.raises(IllegalAction, match="自收件起至多30 日"):
        box.act("desk", "rest", {"until": "2026-05-01"})
    box.act("desk", "rest", {"until": "2026-03-31"})
    box.advance(Span.parse("29 days"))
    box.act("desk", "go_on")
    assert due(box) <= "04-01 24:00"


def test_a_limit_on_the_order_without_a_default_is_refused_in_words() -> None:
    (found,) = check(text("{is: extra.days}"), "city@1.yaml")[1]
    assert "要写 default" in found.message


def test_a_field_of_another_kind_is_refused_with_its_place() -> None:
    (found,) = check(text("{is: extra.deadline, default: 5 days}"), "city@1.yaml")[1]
    assert (found.code, "int 字段" in found.message) == ("wrong-field", True)
    (unknown,) = check(text("{is: extra.dayz, default: 5 days}"), "city@1.yaml")[1]
    assert "dayz" in unknown.message


def test_what_changes_is_told_in_words() -> None:
    one, other = parse(text("{is: 5 days}"), "a"), parse(text(), "b")
    words = [change.words for change in differences(one, other)]
    assert any("诉求上“days”写的日数" in said and "2 至 20 日" in said for said in words), words
