"""Tasks follow their grievance: over or merged it withdraws them, at rest they rest, and the file may say otherwise."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.grievance.views import grievance_view, task_view
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.following import WITHDRAWN
from wuye_loop.domain.time.clock_moves import ClockStatus
from wuye_loop.domain.time.spans import Span
from wuye_loop.settings import shipped
from wuye_loop.trial.sandbox.sandbox import Sandbox

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Beijing
FILE = shipped("workflows") / "standard@1.yaml"
REPORT = {"result": "解决", "contacted": True, "internal": "换了主板", "public_reply": "已恢复"}
ASSIST = "    title: 协办\n    source: 本系统通用做法，无出处；主办之外"


@cache
def rules(on_parent: str = "") -> Rules:
    text = FILE.read_text(encoding="utf-8")
    assert text.count(ASSIST) == 1
    return Rules(
        load(text.replace(ASSIST, f"    on_parent: {on_parent}\n{ASSIST}" if on_parent else ASSIST), "standard@1.yaml")
    )


def helped(on_parent: str = "") -> Sandbox:
    """Return a grievance that is being handled, with one unit that was asked to help."""
    box = Sandbox(rules(on_parent), now=MONDAY)
    box.receive({"category": "电梯"})
    box.act("dispatcher", "accept")
    box.act("handler", "sign")
    box.open_task("handler", "assist", {"unit": "company-1"})
    return box


def task(box: Sandbox, kind: str = "assist") -> Any:
    return box.case().tasks(kind)[-1]


def rows(box: Sandbox) -> list[tuple[str, Any]]:
    return [(one.action, dict(one.facts)) for one in box.case().entries if one.action.startswith("follow:")]


def test_a_merge_withdraws_what_was_asked_of_others_and_they_hear_of_it() -> None:
    box = helped()
    first = box.case().number
    lead = box.receive({"category": "电梯", "title": "先来的"})
    box.act("dispatcher", "merge", {"into": lead, "reason": "同一部电梯"}, number=first)
    held = box.case(first).tasks("assist")[-1]
    assert (held.final, held.state) == (True, "asked")
    assert [one.units for _, one in box.case(first).sent() if one.instrument == WITHDRAWN] == [("company-1",)]
    clocks = [one for one in box.case(first).situation.clocks.values() if one.task_id == held.id]
    assert {one.status for one in clocks} == {ClockStatus.ENDED}
    view = task_view(box.world(first), box.case(first).situation.grievance, held)
    assert view["parent"] == {
        "did": "withdraw",
        "because": "merge",
        "title": "已撤回",
        "text": "诉求已并案，任务已撤回",
    }
    assert view["state_title"] == "已撤回"
    assert not [name for name in view["data"] if name.startswith("@")]
    box.advance(Span.parse("10 workdays"))
    assert not [one for one in box.case(first).fired(box.rules.workflow) if one.task == "assist"]


def test_a_task_that_was_withdrawn_can_no_longer_be_acted_on() -> None:
    box = helped()
    first = box.case().number
    lead = box.receive({"category": "电梯", "title": "先来的"})
    box.act("dispatcher", "merge", {"into": lead, "reason": "同一部电梯"}, number=first)
    with pytest.raises(IllegalAction, match="诉求已并案，任务已撤回"):
        box.on_task("company-1", "assist", "sign", number=first)


def test_what_rests_with_its_grievance_goes_on_with_what_was_left() -> None:
    box = helped()
    before = next(one for one in box.case().situation.clocks.values() if one.name == "assist")
    box.open_task("handler", "suspension", {"until": "2026-03-20", "reason": "要订配件"})
    box.on_task("holder", "suspension", "approve")
    assert box.case().state == "suspended"
    assert box.case().situation.clocks[before.id].status is ClockStatus.PAUSED
    box.advance(Span.parse("5 workdays"))
    box.act("handler", "resume")
    after = box.case().situation.clocks[before.id]
    assert after.status is ClockStatus.RUNNING
    assert after.due_at > before.due_at
    assert [(action, facts["because"]) for action, facts in rows(box)] == [
        ("follow:pause", "suspend"),
        ("follow:resume", "open"),
    ]
    assert not [one for one in box.case().fired(box.rules.workflow) if one.task == "assist"]


def test_an_extension_is_not_left_in_the_inbox_of_its_approver_when_the_matter_is_done() -> None:
    box = Sandbox(rules(), now=MONDAY)
    box.receive({"category": "电梯"})
    box.act("dispatcher", "accept")
    box.act("handler", "sign")
    box.open_task("handler", "extension", {"days": 5, "reason": "等配件"})
    box.act("handler", "finish", REPORT)
    assert task(box, "extension").final
    assert rows(box) == [("follow:withdraw", {"kind": "extension", "because": "leave"})]


def test_a_file_may_keep_what_its_matter_leaves_behind_and_the_checker_says_so() -> None:
    box = helped("keep")
    lead = box.receive({"category": "电梯", "title": "先来的"})
    first = next(number for number in box.cases if number != lead)
    box.act("dispatcher", "merge", {"into": lead, "reason": "同一部电梯"}, number=first)
    assert not box.case(first).tasks("assist")[-1].final
    text = FILE.read_text(encoding="utf-8").replace(ASSIST, f"    on_parent: keep\n{ASSIST}")
    found = [one for one in check(text, "standard@1.yaml")[1] if one.code == "outlives"]
    assert [(one.severity, one.message.split("：")[0]) for one in found] == [
        ("warning", "任务 assist 在诉求办结、并案以后仍然开着")
    ]


def test_a_task_lies_with_whoever_holds_the_state_that_it_is_in() -> None:
    box = helped()
    box.open_task("supervisor", "supervision_order", {"unit": "company-1"})
    box.on_task("company-1", "supervision_order", "answer", {"measures": "已换主板"})

    open_tasks = grievance_view(box.world(box.case().number), box.case().situation)["open_tasks"]
    assert {one["kind"]: one["holder_unit"] for one in open_tasks}["supervision_order"] == "command-office"


def test_nobody_decides_on_his_own_request_whatever_the_file_lets_through() -> None:
    text = FILE.read_text(encoding="utf-8")
    asks = "      by: handler\n      from: [handling, supervised]\n      before_due: handle\n      limit: {times: 2, per: cycle}"
    assert text.count(asks) == 1
    text = text.replace(asks, asks.replace("by: handler", "by: [handler, street]"))
    text = text.replace(
        "to: approved, by: holder, effect: {extend", "to: approved, by: [holder, street], effect: {extend"
    )
    street = "  street: {title: 街道办, unit: {duty: street-office, level: street}}\n"
    text = text.replace("roles:\n", f"roles:\n{street}", 1)
    assert "self-approval" in {one.code for one in check(text, "standard@1.yaml")[1]}
    box = Sandbox(Rules(parse(text, "standard@1.yaml")), now=MONDAY)  # as one that was published before
    box.receive({"category": "电梯"})
    box.act("dispatcher", "accept")
    box.act("handler", "sign")
    box.open_task("street", "extension", {"days": 2, "reason": "等配件"})
    with pytest.raises(IllegalAction, match="本单位提出的申请，不能由本单位自己决定"):
        box.on_task("street", "extension", "approve")
    box.on_task("holder", "extension", "approve")


def test_the_rating_of_a_follower_that_had_no_unit_counts_for_the_unit_that_handled_its_lead() -> None:
    box = Sandbox(rules(), now=MONDAY)
    lead = box.receive({"category": "电梯"})
    box.act("dispatcher", "accept")
    box.act("handler", "sign")
    handler = box.case().situation.grievance.lead_unit
    other = box.receive({"category": "电梯", "title": "同一部电梯"})
    box.act("dispatcher", "merge", {"into": lead, "reason": "同一部电梯"}, number=other)
    box.act("handler", "finish", REPORT, number=lead)
    box.act("dispatcher", "approve", number=lead)
    good = {"contacted": True, "solved": "解决", "satisfied": "满意"}
    box.act("hotline", "rate", good, number=lead)
    assert box.case(other).state == "callback"
    box.act("hotline", "rate", good, number=other)
    assert [one.of_unit for one in box.case(other).ratings] == [handler]


def test_a_record_that_waits_for_nobody_stays_when_its_grievance_is_over() -> None:
    points = """  points:
    title: 扣分
    open: {title: 扣分, by: dispatcher, from: handling, needs: {unit: unit, valid_until: date}}
    states: {valid: {title: 有效, holder: holder}, expired: {title: 已失效, final: true}}
    clocks: {validity: {title: 有效期, during: valid, limit: {until: data.valid_until}, ladder: [{at: due, act: expire}]}}
    actions: {expire: {title: 失效, from: valid, to: expired, by: system}}
  assist:
"""
    text = FILE.read_text(encoding="utf-8")
    assert text.count("  assist:\n    title: 协办\n") == 1
    lasting = Rules(load(text.replace("  assist:\n    title: 协办\n", f"{points}    title: 协办\n"), "standard@1.yaml"))
    box = Sandbox(lasting, now=MONDAY)
    first = box.receive({"category": "电梯"})
    lead = box.receive({"category": "电梯", "title": "先来的"})
    box.act("dispatcher", "accept", number=first)
    box.act("handler", "sign", number=first)
    box.open_task("dispatcher", "points", {"unit": "company-1", "valid_until": "2026-09-30"}, number=first)
    box.act("dispatcher", "merge", {"into": lead, "reason": "同一部电梯"}, number=first)
    assert box.case(first).tasks("points")[-1].state == "valid"
    assert not box.case(first).tasks("points")[-1].final
