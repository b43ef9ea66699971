"""How the complainant's last grievance there ended is a fact: what had a final answer need not be taken in again."""

from datetime import UTC, datetime

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.settings import shipped
from wuye_loop.trial.sandbox.sandbox import Sandbox

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
REPORT = {"result": "解决", "contacted": True, "internal": "换了主板", "public_reply": "已恢复"}
JOINS = """
joins:
  - {when: {earlier.final_reply: true, earlier.result: 解决, extra.new_ground: null}, act: refuse_again}
"""
REFUSE = """  refuse_again: {title: 同一事项不再受理, from: received, to: refused, by: system}
  refuse:
"""


def text() -> str:
    base = (shipped("workflows") / "standard@1.yaml").read_text(encoding="utf-8")
    assert base.count("  refuse:\n") == 1
    return base.replace("  refuse:\n", REFUSE) + JOINS


def test_the_same_matter_after_a_final_reply_is_not_taken_in_unless_there_is_something_new() -> None:
    box = Sandbox(Rules(load(text(), "standard@1.yaml")), now=MONDAY)
    who = {"complainant": {"phone": "13900000001"}, "place": {"estate": "E1"}}
    box.receive(who)
    assert box.case().state == "received"
    for by, action, form in (
        ("dispatcher", "accept", {}), ("handler", "sign", {}), ("handler", "finish", REPORT),
        ("dispatcher", "approve", {}), ("hotline", "rate", {"contacted": True, "solved": "解决", "satisfied": "满意"}),
    ):  # fmt: skip
        box.act(by, action, form)
    assert box.case().state == "closed"
    box.receive(who)
    assert box.case().state == "refused"
    box.receive({**who, "extra": {"new_ground": "又停了"}})
    assert box.case().state == "received"
    box.receive({"complainant": {"phone": "13900000002"}, "place": {"estate": "E1"}})
    assert box.case().state == "received"


def test_what_is_asked_of_the_earlier_one_is_a_closed_list() -> None:
    (found,) = [
        one
        for one in check(text().replace("earlier.result", "earlier.outcome"), "standard@1.yaml")[1]
        if one.severity == "error"
    ]
    assert "outcome" in found.message
