"""How often an action may be taken: in all, in a cycle, at a level, and as long as one unit has the matter."""

import pytest
from tests.loop.versions import version
from tests.site import MONDAY

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.spans import Span
from wuye_loop.store.workflows.files import bases
from wuye_loop.trial.sandbox.sandbox import Sandbox

ONCE = version(2, ("limit: {times: 2, per: cycle}", "limit: {times: 1, per: assignment}"))
FORM = {"days": 2, "reason": "等待配件"}


def test_what_may_be_done_once_per_assignment_may_be_done_again_by_the_next_unit() -> None:
    made = Sandbox(Rules(load(ONCE, "version.yaml")), now=MONDAY)
    made.receive({"category": "违规收费"})
    for who, action in (("dispatcher", "accept"), ("handler", "sign")):
        made.act(who, action)
    first = made.case().situation.grievance.lead_unit
    made.open_task("handler", "extension", FORM)
    made.on_task("holder", "extension", "refuse")
    with pytest.raises(IllegalAction, match="最多 1 次，已经用完"):
        made.open_task("handler", "extension", FORM)
    made.act("supervisor", "escalate")
    made.act("supervisor", "hand_over", {"unit": "police", "reason": "改派"})
    assert made.case().situation.grievance.lead_unit == "police" != first
    made.open_task("handler", "extension", FORM)
    made.on_task("holder", "extension", "refuse")
    with pytest.raises(IllegalAction, match="最多 1 次，已经用完"):
        made.open_task("handler", "extension", FORM)


SINCE_SIGNED = """
extends: standard@1
name: city
version: 1
title: 城
clocks:
  may_return: {title: 可退单期, during: [handling, supervised, reviewing], per: cycle, limit: {is: 1 workday}}
actions:
  send_back: {from: handling, within: null, if: {overdue.may_return: false}}
"""
FINISHED = {"result": "解决", "contacted": True, "internal": "换了门机", "public_reply": "电梯已修好"}
BACK = {"reason": "属地不符", "legal_basis": "职责清单第三条"}


def signed() -> Sandbox:
    """Give a matter that its unit has just signed for."""
    made = Sandbox(Rules(load(SINCE_SIGNED, "city.yaml", bases(None, ()))), now=MONDAY)
    made.receive({"category": "违规收费"})
    made.act("dispatcher", "accept")
    made.act("handler", "sign")
    return made


def test_what_may_be_done_for_a_day_after_signing_is_not_allowed_anew_by_a_rejected_answer() -> None:
    made = signed()
    made.act("handler", "finish", FINISHED)
    made.advance(Span.parse("3 workdays"))
    made.act("dispatcher", "reject", {"reason": "避重就轻"})
    with pytest.raises(IllegalAction, match=r"需要：“可退单期”未逾期$"):
        made.act("handler", "send_back", BACK)
    again = signed()
    again.act("handler", "finish", FINISHED)
    again.act("dispatcher", "reject", {"reason": "避重就轻"})
    again.act("handler", "send_back", BACK)
    assert again.case().situation.grievance.state == "routing"
