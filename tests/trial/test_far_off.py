"""Dates and times so far off that no calendar knows them are refused in words, and leave nothing behind."""

import pytest
from tests.loop.versions import version
from tests.site import MONDAY

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.errors import BadForm
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.trial.sandbox.sandbox import Sandbox


def handling(text: str) -> Sandbox:
    made = Sandbox(Rules(load(text, "version.yaml")), now=MONDAY)
    made.receive({"category": "违规收费"})
    made.act("dispatcher", "accept")
    made.act("handler", "sign")
    return made


@pytest.mark.parametrize("day", ["9999-12-31", "2101-01-01"])
def test_a_promise_for_another_century_is_refused(day: str) -> None:
    made = handling(version(2))
    with pytest.raises(BadForm) as caught:
        made.open_task("handler", "suspension", {"until": day, "reason": "等大修基金"})
    assert caught.value.extra["fields"] == [{"path": "until", "problem": "日期不能晚于 2100 年"}]
    made.open_task("handler", "suspension", {"until": "2100-12-31", "reason": "等大修基金"})
    made.on_task("holder", "suspension", "approve")
    assert made.case().situation.grievance.state == "suspended"


def test_an_extension_longer_than_any_span_is_refused() -> None:
    text = version(2, ("days: {int: {min: 1, max: 10}, title: 工作日数}", "days: {int: {min: 1}, title: 工作日数}"))
    made = handling(text)
    made.open_task("handler", "extension", {"days": 1_000_000, "reason": "等配件"})
    with pytest.raises(BadForm, match="延期太长"):
        made.on_task("holder", "extension", "approve")
    assert made.case().situation.grievance.counts.get("cycle_extended.handle", 0) == 0
