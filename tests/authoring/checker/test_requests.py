"""The checker on requests: nobody grants his own, none is decided too late; and on ladders that only remind."""

import pytest
from tests.authoring.checker.test_notes import changed
from tests.authoring.checker.wall import BASES

from wuye_loop.authoring.checker.check import Finding, check
from wuye_loop.authoring.diff.compare import differences
from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.rulefile.definition import parse

SMALL = BASES["small"]
ASKED = "open: {title: 申请挂起, by: handler, from: handling, needs: {until: date}}\n    holder: desk"
STREET = (
    "  helper: {title: 协办单位",
    "  office: {title: 街道办, unit: {duty: office, level: street}}\n  helper: {title: 协办单位",
)


def request(by: str, holder: str, fallback: str = "") -> tuple[str, str]:
    rest = f"\n    fallback: {fallback}" if fallback else ""
    return ASKED, ASKED.replace("by: handler", f"by: {by}").replace("holder: desk", f"holder: {holder}{rest}")


def own(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.code == "self-approval"]


@pytest.mark.parametrize(
    ("by", "holder", "fallback"), [("office", "office", ""), ("desk", "desk", ""), ("office", "one_level_up", "office")]
)
def test_what_the_file_alone_proves_to_be_one_s_own_decision_is_an_error(by: str, holder: str, fallback: str) -> None:
    (found,) = own(changed(SMALL, STREET, request(by, holder, fallback)))
    assert (found.severity, found.message.split("：")[0]) == ("error", "申请人自己批准自己")


def town(*duties: str) -> Directory:
    units = [
        Unit("centre", "受理中心", "office", "s1", None, duties, active=True),
        Unit("other", "街道办", "office", "s1", None, ("office",), active=True),
    ]
    units += [Unit(code, code, "department", "s1", None, (), active=True) for code in ("market", "housing", "east")]
    return Directory([Area("s1", "东街", "street", None, "s1/")], units)


def test_what_depends_on_the_directory_is_a_remark_without_it_and_an_error_with_it() -> None:
    text = SMALL
    for was, now in (STREET, request("office", "desk")):
        assert text.count(was) == 1
        text = text.replace(was, now)
    assert [(one.severity, "check --units" in one.message) for one in own(check(text, "city.yaml")[1])] == [
        ("warning", True)
    ]
    assert [one.severity for one in own(check(text, "city.yaml", town("office"))[1])] == ["error"]
    assert own(check(text, "city.yaml", town())[1]) == []


def test_kept_apart_or_meant_so_it_is_said_no_more() -> None:
    apart = (request("office", "office")[0], request("office", "office")[1] + "\n    separate: [[opener, office]]")
    assert own(changed(SMALL, STREET, apart)) == []
    meant = (request("office", "office")[0], request("office", "office")[1] + "\n    opener_decides: true")
    assert own(changed(SMALL, STREET, meant)) == []


def test_a_decision_that_comes_when_the_matter_has_moved_on_is_an_error_with_the_state_that_is_missing() -> None:
    found = changed(SMALL, ("    on_parent: {leave: withdraw}\n", ""))
    assert [(one.severity, one.code) for one in found] == [("error", "overtaken")]
    assert "checking" in found[0].message
    assert "随后的 suspend 只能从 handling 做" in found[0].message
    asked = ("to: granted, by: holder, effect", "to: granted, by: holder, if: {state: handling}, effect")
    assert changed(SMALL, ("    on_parent: {leave: withdraw}\n", ""), asked) == []


def test_an_extension_of_a_clock_that_may_be_over_is_the_same_error() -> None:
    found = changed(
        SMALL,
        ("during: [handling, checking]\n    paused: [paused, merged]", "during: [handling]\n    paused: [merged]"),
    )
    assert [one.message.partition("，而")[2].split("：")[0] for one in found if one.code == "overtaken"] == [
        "时限 handle 在那里已经结束，不能延期"
    ]


def test_an_intake_clock_that_only_ever_reminds_is_remarked_on() -> None:
    (found,) = changed(SMALL, ("      - {at: +1 workday, act: route}\n", ""))
    assert (found.severity, found.code) == ("warning", "only-reminds")


def test_whether_a_clock_is_overdue_is_not_asked_where_it_is_over() -> None:
    asks = ("if: {open.assist: 0}", "if: {open.assist: 0, overdue.accept: true}")
    (found,) = changed(SMALL, asks)
    assert (found.severity, found.code) == ("error", "never-holds")
    assert "accept" in found.message
    assert "handling" in found.message


def test_what_changes_in_how_a_task_follows_is_told_in_words() -> None:
    one = parse(SMALL, "a")
    other = parse(
        SMALL.replace(
            "    on_parent: {leave: withdraw}\n", "    on_parent: keep\n    opener_decides: true\n    pauses: handle\n"
        ).replace("    per: cycle\n    limit:", "    per: cycle\n    at_most: 90 days\n    limit:"),
        "b",
    )
    words = {change.words for change in differences(one, other)}
    assert "诉求办结时，未结的“挂起申请”任务由撤回改为照旧办理" in words
    assert "“挂起申请”任务的发起方也可以自己决定" in words
    assert "“挂起申请”任务未结时停住的由没有时限改为“办理时限”" in words
    assert any("的总上限由无改为" in said for said in words), words
