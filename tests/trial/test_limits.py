"""How often an action may be taken: in all, in a cycle, at a level, and as long as one unit has the matter."""

import pytest
from tests.site import MONDAY
from tests.versions import version

from wuye_loop.domain.checker import load
from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.rules import Rules
from wuye_loop.trial.sandbox import Sandbox

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
