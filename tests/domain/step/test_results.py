"""Results: what a grievance ended with is stored with it, by the form or by the state it came to, anew in each cycle."""

from datetime import UTC, datetime

import pytest
from tests.site import BAD, FINISH, GOOD

from wuye_loop.authoring.checker.check import check, load
from wuye_loop.authoring.diff.compare import differences
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.settings import shipped
from wuye_loop.trial.sandbox.sandbox import Sandbox

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
RESULTS = """results:
  解决: {keep: 5 years, from: last_rating}
  部分解决: {keep: 18 months, from: end_of_supervision}
  未解决: {keep: forever}
  不予受理: {keep: 90 days, in: refused}
"""


def text(results: str = RESULTS) -> str:
    return (shipped("workflows") / "standard@1.yaml").read_text(encoding="utf-8") + results


def test_the_last_form_says_the_result_and_a_new_cycle_takes_it_away() -> None:
    box = Sandbox(Rules(load(text(), "standard@1.yaml")), now=MONDAY)
    box.receive({})
    for by, action, form in (
        ("dispatcher", "accept", {}), ("handler", "sign", {}), ("handler", "finish", {**FINISH, "result": "部分解决"}),
        ("dispatcher", "reject", {"reason": "答非所问"}), ("handler", "finish", FINISH),
    ):  # fmt: skip
        box.act(by, action, form)
    assert box.case().situation.grievance.data["result"] == "解决"
    box.act("dispatcher", "approve", {})
    box.act("hotline", "rate", BAD)
    assert "result" not in box.case().situation.grievance.data
    for by, action, form in (
        ("handler", "finish", {**FINISH, "result": "未解决"}), ("dispatcher", "approve", {}), ("hotline", "rate", GOOD),
    ):  # fmt: skip
        box.act(by, action, form)
    assert (box.case().state, box.case().situation.grievance.data["result"]) == ("closed", "未解决")


def test_a_final_state_may_give_the_result_and_the_next_order_knows_it() -> None:
    box = Sandbox(Rules(load(text(), "standard@1.yaml")), now=MONDAY)
    who = {"complainant": {"phone": "13900000001"}, "place": {"estate": "E1"}}
    box.receive(who)
    box.act("dispatcher", "refuse", {"reason": "非本级职责", "public_reply": "请向街道反映"})
    assert box.case().situation.grievance.data["result"] == "不予受理"
    box.receive(who)
    assert box.case().situation.grievance.data["earlier"]["result"] == "不予受理"


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("  未解决: {keep: forever}\n", "", "办理结果“未解决”没有写在 results 里（那里有解决、部分解决、不予受理）"),
        ("  未解决:", "  未办成: {keep: forever}\n  未解决:", "没有一件诉求会以“未办成”办结"),
        ("in: refused", "in: rating", "状态 rating 不是终态"),
        ("in: refused", "in: refusd", "refusd"),
        ("{keep: forever}", "{keep: forever, in: refused}", "一个终态只能有一个结果"),
        ("5 years", "5 workdays", "要写保管多久"),
        ("5 years", "500 years", "最多 100 年"),
        ("{keep: forever}", "{}", "keep"),
    ],
)
def test_the_checker_refuses_results_that_hang_in_the_air(was: str, now: str, says: str) -> None:
    assert RESULTS.count(was) == 1
    workflow, findings = check(text(RESULTS.replace(was, now)), "standard@1.yaml")
    assert workflow is None
    assert any(says in str(one) for one in findings), [str(one) for one in findings]


def test_a_term_cannot_begin_with_what_never_happens() -> None:
    whole, _, rest = text().partition("\nratings:")
    without = whole + "\nreplies:" + rest.partition("\nreplies:")[2]
    _, findings = check(without.replace("effect: rate\n", "\n"), "standard@1.yaml")
    assert any(one.code == "never-begins" and "评价" in one.message for one in findings)


def test_the_difference_says_how_long_a_result_is_kept_now() -> None:
    old = load(text(), "standard@1.yaml")
    new = load(text(RESULTS.replace("5 years", "30 years")), "standard@1.yaml")
    words = [change.words for change in differences(old, new)]
    assert words == ["办理结果“解决”由“自最后一次评价保管 5 年”改为“自最后一次评价保管 30 年”"]
