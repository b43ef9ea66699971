"""A clock that is meant for some grievances only: it does not start for the others, and needs no state of their own."""

from datetime import UTC, datetime

import pytest

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.authoring.diff.compare import differences
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.trial.sandbox.sandbox import Sandbox

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Beijing
CITY = """
name: city
version: 1
title: 小城
roles:
  hotline: {title: 热线, is: channel}
  desk: {title: 受理中心, unit: centre}
states:
  handling: {stage: handle, title: 承办中, holder: desk}
  callback: {stage: feedback, title: 待回访, holder: desk}
  closed: {stage: evaluate, title: 已归档, final: true}
clocks:
  handle: {title: 办理时限, during: handling, per: cycle, limit: {is: 5 workdays}, ladder: [{at: due, act: finish}]}
  callback: {title: 回访时限, when: {anonymous: false}, during: callback, limit: {is: 2 workdays}, ladder: [{at: due, act: close}]}
  file: {title: 归档时限, WHEN during: callback, limit: {is: 1 workday}, ladder: [{at: due, act: close}]}
actions:
  finish: {title: 办结, from: handling, to: callback, by: [desk, system]}
  again: {title: 重办, from: callback, to: handling, by: desk}
  close: {title: 归档, from: callback, to: closed, by: [desk, system]}
routers: [{kind: desk}]
"""


def text(other: str = "when: {anonymous: true},") -> str:
    return CITY.replace("WHEN", other)


def town(*, anonymous: bool) -> Sandbox:
    box = Sandbox(Rules(load(text(), "city@1.yaml")), now=MONDAY)
    box.receive({"title": "路灯不亮", "complainant": {"anonymous": anonymous}})
    box.act("desk", "finish")
    return box


@pytest.mark.parametrize(("anonymous", "runs"), [(True, "file"), (False, "callback")])
def test_only_the_clock_that_is_meant_for_it_starts(anonymous: bool, runs: str) -> None:  # noqa: FBT001
    box = town(anonymous=anonymous)
    assert list(box.case().due()) == [runs]
    box.act("desk", "again")
    box.act("desk", "finish")
    assert list(box.case().due()) == [runs]
    assert not {"file", "callback"} - {runs} & set(box.case().clocks())


@pytest.mark.parametrize(
    ("other", "remarks"),
    [
        ("when: {anonymous: true},", []),
        ("when: {urgency: 特急},", ["“callback”里的时限都写了 when，有的诉求在这里不受任何时限约束"]),
        ("", []),
    ],
)
def test_the_checker_remarks_on_matters_that_no_clock_is_meant_for(other: str, remarks: list[str]) -> None:
    workflow, findings = check(text(other), "city@1.yaml")
    assert workflow is not None
    assert [any(remark in one.message for one in findings) for remark in remarks] == [True] * len(remarks)
    assert any("不受任何时限约束" in one.message for one in findings) == bool(remarks)


def test_a_condition_that_names_no_fact_is_refused_on_its_line() -> None:
    workflow, findings = check(text("when: {anonymos: true},"), "city@1.yaml")
    assert workflow is None
    assert any("anonymos" in one.message and "anonymous" in one.message for one in findings)


def test_the_difference_says_for_whom_the_clock_is() -> None:
    said = [change.words for change in differences(parse(text(""), "a"), parse(text(), "b"))]
    assert "归档时限：由管全部诉求改为管匿名；已经起算的不变" in said


def test_a_grievance_goes_its_way_by_the_clock_it_has() -> None:
    box = town(anonymous=True)
    box.advance(box.case().due()["file"])
    assert box.case().state == "closed"
