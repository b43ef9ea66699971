"""Every rule is listed with its source and its file: the same rules that a shipped city must name a source for."""

from typing import Any

import pytest
from tests.house.test_every_rule_has_a_source import FILES, found, whole

from wuye_loop.authoring.provenance import provenance
from wuye_loop.domain.language.workflow import Workflow
from wuye_loop.domain.rulefile.reader import read

#: A rule of which only the kind of task says where it comes from.
BARE = """
name: bare
version: 1
title: 小
roles: {desk: {title: 中心, unit: centre}}
states: {open: {title: 开, stage: collect, holder: desk, source: 第一条}, shut: {title: 结, stage: evaluate, final: true}}
clocks: {take: {title: 受理, during: open, limit: {is: 1 day, source: 第二条}, ladder: [{at: due, do: [], act: shut}]}}
actions: {shut: {title: 办结, from: open, by: [desk, system], source: 第三条, outcomes: [{to: shut}]}}
tasks:
  ask:
    title: 申请
    source: 第四条
    open: {title: 提出, by: desk, limit: 2}
    states: {new: {title: 新, holder: holder}, old: {title: 旧, final: true}}
    actions: {end: {title: 了结, from: new, to: old, by: holder}}
routers: [{kind: desk}]
"""


@pytest.mark.parametrize("name", FILES)
def test_the_rules_that_are_listed_are_those_that_must_name_a_source(name: str) -> None:
    data: Any = whole(name).data
    listed = provenance(whole(name), Workflow.model_validate(data))
    assert [str(one) for one in listed if one.source is None] == []
    assert [str(one) for one in listed if one.lent] == []
    wanted = [whole(name).place(rule.path) for rule in found(name)]
    assert {(one.file, one.line) for one in listed} >= {(file, mark.line) for file, mark in wanted}
    assert len(listed) >= len(wanted)


def test_a_number_speaks_for_itself_and_the_rest_may_be_spoken_for() -> None:
    doc = read(BARE, "bare.yaml")
    listed = provenance(doc, Workflow.model_validate(doc.data))
    said = {one.rule: one.source for one in listed}
    assert [one.rule for one in listed if one.source is None][:3] == [
        "角色“中心”",
        "状态“结”",
        "受理到期时系统做“办结”",
    ]
    assert said["受理（1 日）"] == "第二条"
    assert said["动作“办结”（其余情形）"] == "第三条"
    assert said["“申请”任务的动作“了结”"] == "第四条"
    assert said["“提出”"] is None  # twice at most: whose number is that?
    assert [one.source is None for one in listed] == sorted((one.source is None for one in listed), reverse=True)
    assert not any(one.base or one.lent for one in listed)
