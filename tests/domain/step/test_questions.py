"""A question to the complainant: while it is open the handle clock stands still; an answer, or silence, lets it go on."""

from datetime import UTC, datetime
from functools import cache

import pytest

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.time.clock_moves import ClockStatus
from wuye_loop.domain.time.spans import Span
from wuye_loop.settings import shipped
from wuye_loop.trial.sandbox.sandbox import Sandbox

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 09:00 in Beijing; the handle clock ends on Monday 9 March at 17:30
FILE = shipped("workflows") / "standard@1.yaml"


@cache
def rules() -> Rules:
    return Rules(load(FILE.read_bytes(), "standard@1.yaml"))


def asked() -> Sandbox:
    box = Sandbox(rules(), now=MONDAY)
    box.receive({"category": "电梯"})
    box.act("dispatcher", "accept")
    box.act("handler", "sign")
    box.open_task("handler", "question", {"what": "请写明几号楼"})
    return box


def handle(box: Sandbox) -> tuple[ClockStatus, str]:
    status, at = box.case().clocks()["handle"]
    return status, box.calendar.local(at).strftime("%m-%d %H:%M")


def test_the_clock_stands_still_while_it_waits_and_goes_on_with_what_was_left() -> None:
    box = asked()
    assert handle(box)[0] is ClockStatus.PAUSED
    box.advance(Span.parse("2 workdays"))
    box.on_task("hotline", "question", "answer", {"note": "三号楼"})
    assert handle(box) == (ClockStatus.RUNNING, "03-11 17:30")
    assert any("材料已收到" in words for words in box.case().told(box.rules.workflow))


def test_silence_lets_it_go_on_and_nothing_reminded_meanwhile() -> None:
    box = asked()
    box.advance(datetime(2026, 3, 9, 9, 30, tzinfo=UTC))
    assert box.case().tasks("question")[-1].state == "silent"
    assert handle(box)[0] is ClockStatus.RUNNING
    assert not [one for one in box.case().fired(box.rules.workflow) if one.clock == "handle"]


def test_it_is_asked_once_a_cycle_and_withdrawn_when_the_matter_is_done() -> None:
    box = asked()
    box.on_task("hotline", "question", "answer", {"note": "三号楼"})
    with pytest.raises(IllegalAction, match="最多 1 次"):
        box.open_task("handler", "question", {"what": "再写明几单元"})
    other = asked()
    report = {"result": "解决", "contacted": True, "internal": "换了主板", "public_reply": "已恢复"}
    other.act("handler", "finish", report)
    assert other.case().tasks("question")[-1].final
    assert handle(other)[0] is ClockStatus.ENDED


def test_a_task_that_holds_a_clock_for_ever_is_refused() -> None:
    text = FILE.read_text(encoding="utf-8").replace(
        "ladder: [{at: due, act: go_on, source", "ladder: [{at: due, do: remind, to: handler, source"
    )
    found = [one for one in check(text, "standard@1.yaml")[1] if one.code == "never-goes-on"]
    assert [one.severity for one in found] == ["error"]
