"""What the checker remarks on where every name is right and something would still stand idle."""

import pytest
from tests.authoring.checker.test_notes import SMALL, changed

from wuye_loop.authoring.checker.check import check
from wuye_loop.domain.rulefile.extends import Base

HURRIED = (
    ("  paused: {stage: handle,", "  rushing: {stage: handle, title: 待到场, holder: handler}\n  pressed: {stage: escalate, title: 督办中, holder: inspector}\n  paused: {stage: handle,"),
    ("during: [handling, checking]", "during: [rushing, pressed, handling, checking]"),
    ("route: {title: 转办, from: received, to: handling,", "route: {title: 转办, from: received, to: rushing,"),
    ("{at: +2 workdays, act: take_back, to: handler}", "{at: +2 workdays, act: press}"),
    ("  take_back: {title", "  press: {title: 督办, from: [rushing, handling, checking], to: pressed, by: [system, inspector]}\n  settle: {title: 督办完毕, from: pressed, to: handling, by: inspector}\n  take_back: {title"),
)  # fmt: skip
ARRIVE = ("  settle: {title", "  arrive: {title: 到场, from: rushing, to: handling, by: handler}\n  settle: {title")


def test_a_holder_who_can_only_wait_to_be_escalated_is_remarked_on() -> None:
    assert changed(SMALL, *HURRIED, ARRIVE) == []
    (found,) = changed(SMALL, *HURRIED)
    assert (found.severity, found.code) == ("warning", "no-hands")
    assert found.message.startswith("状态“rushing”由 handler 持有，而它在这里一个操作也做不了")
    by_another = (ARRIVE[0], ARRIVE[1].replace("by: handler", "by: desk"))
    assert changed(SMALL, *HURRIED, by_another) == []  # somebody leads on


@pytest.mark.parametrize(
    ("rung", "codes"),
    [
        ("{at: +2 workdays, act: press}", ["idle-rung"]),
        ("{at: +2 workdays, when: {state: handling}, act: press}", []),
        ("{at: +2 workdays, do: remind, to: handler}", []),
    ],
)
def test_a_rung_that_cannot_act_where_its_clock_runs_is_remarked_on(rung: str, codes: list[str]) -> None:
    forgotten = ("from: [rushing, handling, checking], to: pressed", "from: [handling, checking], to: pressed")
    asked = ("{at: +2 workdays, act: press}", rung)
    found = changed(SMALL, *HURRIED, ARRIVE, forgotten, *([asked] if codes == [] else []))
    assert [one.code for one in found] == codes
    assert all("时限在状态“rushing”里也走，而 press 不能从那里做" in one.message for one in found)


def test_a_task_opened_where_its_decision_cannot_be_carried_out_is_an_error() -> None:
    early = (
        "open: {title: 申请挂起, by: handler, from: handling,",
        "open: {title: 申请挂起, by: handler, from: [handling, checking],",
    )
    (found,) = changed(SMALL, early)  # fmt: skip
    assert (found.severity, found.code) == ("error", "overtaken")
    assert found.message.startswith(
        "任务 suspension 还没有决定时，诉求可能已经到了 checking，而随后的 suspend 只能从 handling 做"
    )
    asked_first = ("to: granted, by: holder, effect", "to: granted, by: holder, if: {state: handling}, effect")
    assert changed(SMALL, early, asked_first) == []


def test_what_nothing_names_is_remarked_on_in_the_file_that_wrote_it() -> None:
    spare = ("  remind: {title: 提醒}", "  remind: {title: 提醒}\n  praise: {title: 表扬}")
    nobody = ("  helper: {title", "  mayor: {title: 市长, unit: mayor-office}\n  helper: {title")
    found = changed(SMALL, spare, nobody)
    assert [(one.severity, one.message.split("：")[0]) for one in found] == [
        ("warning", "角色“mayor”没有一处用到"),
        ("warning", "督办手段“praise”没有一处用到"),
    ]
    head = "extends: small@1\nname: city\nversion: 1\ntitle: 大城\n"
    own = head + "instruments: {blame: {title: 批评}}\n"
    based = check(own, "city.yaml", bases=lambda _: Base(SMALL.replace(*spare), "base.yaml"))[1]
    assert [str(one) for one in based] == ["city.yaml:5:15: 督办手段“blame”没有一处用到：是写漏了，还是可以删去？"]


@pytest.mark.parametrize(
    ("role", "router", "remarks"),
    [
        ("community-office", "comunity-office", 1),
        ("community-office", "community-office", 0),
        ("office-1", "office-2", 0),
        ("street-office", "property-office", 0),
    ],
)
def test_a_duty_that_is_nearly_another_is_remarked_on(role: str, router: str, remarks: int) -> None:
    by_duty = ("unit: centre}", f"unit: {{duty: {role}, level: community}}}}")
    found = changed(SMALL, by_duty, ("level: street}\n  - {kind: desk}", f"level: street, duty: {router}}}\n  - {{kind: desk}}"))  # fmt: skip
    assert [one.code for one in found] == ["alike"] * remarks
    assert all("是不是同一个？" in one.message for one in found)


def test_a_duty_is_remarked_on_in_the_file_that_wrote_it_and_not_in_its_base() -> None:
    base = SMALL.replace("level: street}\n  - {kind: desk}", "level: street, duty: property-office}\n  - {kind: desk}")
    own = "extends: small@1\nname: city\nversion: 1\ntitle: 大城\nroles: {desk: {unit: {duty: property-ofice, level: city}}}\n"
    found = [
        str(one) for one in check(own, "city.yaml", bases=lambda _: Base(base, "base.yaml"))[1] if one.code == "alike"
    ]
    assert found == ["city.yaml:5:29: 职责“property-ofice”只在这里写到，而别处有 property-office：是不是同一个？"]


def test_a_state_that_can_be_left_only_for_a_while_is_remarked_on() -> None:
    hurry = (
        "    by: handler\n    if: {open.assist: 0}",
        "    by: handler\n    within: 5 minutes\n    if: {open.assist: 0}",
    )
    stay = (
        "  suspend: {title: 挂起, from: handling, to: paused, by: system}",
        "  suspend: {title: 挂起, from: paused, to: paused, by: system}",
    )
    alone = ("from: [received, handling], to: merged, by: desk", "from: received, to: merged, by: desk")
    found = [one for one in changed(SMALL, hurry, stay, alone) if one.code == "closing-door"]
    assert [(one.severity, one.line) for one in found] == [
        ("warning", SMALL[: SMALL.index("  handling: {")].count("\n") + 1)
    ]
    assert "finish 都限了时" in found[0].message
    driven = ("- {at: +2 workdays, act: take_back, to: handler}", "- {at: +2 workdays, act: push}")
    push = (
        "  take_back: {title",
        "  push: {title: 送审, from: handling, to: checking, by: system}\n  take_back: {title",
    )
    assert "closing-door" not in [one.code for one in changed(SMALL, hurry, stay, alone, driven, push)]


JUDGED = (
    ("      issued: {title: 已签发, holder: holder}", "      issued: {title: 已签发, holder: holder}\n      answered: {title: 已回复, holder: inspector}"),
    ("during: issued, limit: {is: 2 workdays}", "during: [issued, answered], limit: {is: 2 workdays}"),
)  # fmt: skip
ANSWER = "answer: {title: 回复, from: issued, to: closed, by: holder, needs: {measures: text}}"


@pytest.mark.parametrize(
    ("by", "codes"), [("inspector", []), ("[inspector, holder]", ["self-verify"]), ("holder", ["self-verify"])]
)
def test_the_holder_of_a_task_does_not_accept_its_own_work(by: str, codes: list[str]) -> None:
    then = f"answer: {{title: 回复, from: issued, to: answered, by: holder}}\n      sign_off: {{title: 销号, from: answered, to: closed, by: {by}}}"
    found = changed(SMALL, *JUDGED, (ANSWER, then))
    assert [one.code for one in found] == codes
    assert all("sign_off" in one.message for one in found)


def test_a_judge_whom_nothing_keeps_apart_from_the_doer_is_remarked_on() -> None:
    (found,) = changed(SMALL, ("separate: [[handler, desk], [handler, inspector]]", "separate: [[handler, inspector]]"))
    assert (found.severity, found.code) == ("warning", "not-apart")
    assert found.message.startswith("handler 把工作交到 checking 由 desk 认可，而 separate 没有写这两个要互不相同")
