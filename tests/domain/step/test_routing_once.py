"""Reclassifying and routing in one action: routed once, by what the grievance is in the end."""

from datetime import UTC, datetime

import pytest

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.trial.sandbox.sandbox import Sandbox

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
CITY = """
name: city
version: 1
title: 小城
roles:
  hotline: {title: 热线, is: channel}
  desk: {title: 受理中心, unit: centre}
  handler: {title: 承办单位, unit: lead}
instruments: {remind: {title: 提醒}}
states:
  received: {stage: collect, title: 待受理, holder: desk}
  handling: {stage: handle, title: 承办中, holder: handler}
  closed: {stage: evaluate, title: 已归档, final: true}
clocks:
  all: {title: 办理时限, during: [received, handling], per: cycle, limit: {is: 5 workdays}, ladder: [{at: due, open: order, to: desk}]}
actions:
  accept:
    title: 受理
    from: [received, handling]
    to: handling
    by: desk
    needs: {category: text?}
    effect: EFFECT
  close: {title: 办结, from: handling, to: closed, by: handler}
tasks:
  order:
    title: 督办单
    open: {by: system}
    holder: desk
    states: {open: {title: 待办, holder: holder}, done: {title: 已办, final: true}}
    clocks: {reply: {title: 回复时限, during: open, limit: {is: 2 workdays}, ladder: [{at: due, do: remind, to: holder}]}}
    actions: {done: {title: 办好, from: open, to: done, by: holder}}
routers:
  - {kind: table, rules: [{when: {category: 电梯}, to: market}, {when: {category: 消防}, to: fire}]}
  - {kind: desk}
"""


@pytest.mark.parametrize("effect", ["[reclassify, route]", "[route, reclassify]"])
def test_it_is_routed_once_by_the_final_facts(effect: str) -> None:
    box = Sandbox(Rules(load(CITY.replace("EFFECT", effect), "city@1.yaml")), now=MONDAY)
    box.receive({"title": "灭火器过期", "body": "楼道里的", "category": "电梯"})
    box.act("desk", "accept", {"category": "消防"})
    case = box.case()
    assert (case.situation.grievance.lead_unit, case.situation.grievance.category) == ("fire", "消防")
    routed = [entry for entry in case.entries if "routing" in entry.facts and entry.action != "receive"]
    assert len(routed) == 1
    assert [one["unit"] for one in routed[0].facts["routing"] if one["outcome"] == "matched"] == ["fire"]
