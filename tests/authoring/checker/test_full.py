"""What the checker proves of joins, sources, papers and groups beyond its wall: what is sound passes, doubts are told."""

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.authoring.checker.wall import BASES

from wuye_loop.authoring.checker.check import Finding, check
from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.rulefile.reader import read

FULL = BASES["full"]
DATA: list[Any] = [read(text, name).data for name, text in BASES.items()]
AREAS = [Area("c1", "一社区", "community", None, "c1/")]


def changed(*changes: tuple[str, str]) -> str:
    text = FULL
    for was, now in changes:
        assert text.count(was) == 1, was
        text = text.replace(was, now)
    return text


def told(text: str, directory: Directory | None = None) -> list[Finding]:
    return check(text, "city.yaml", directory)[1]


def words(text: str, directory: Directory | None = None) -> str:
    return "\n".join(str(finding) for finding in told(text, directory))


def unit(code: str, *duties: str) -> Unit:
    return Unit(code, code, "department", "c1", None, duties, active=True)


UNITS = [
    unit("bureau"),
    unit("inspection"),
    unit("branch", "party-branch"),
    unit("committee", "owners-committee"),
    unit("office", "community-office"),
    unit("street-office", "property-office"),
]


def test_five_bodies_on_one_order_are_proved_different() -> None:
    assert "separate: [[orderer, dispatcher, doer, overseer, acceptor]" in FULL
    assert told(FULL, Directory(AREAS, UNITS)) == []


def test_one_unit_with_two_of_the_duties_is_not_five_bodies() -> None:
    both = [*UNITS, unit("all-in-one", "owners-committee", "community-office")]
    found = told(FULL, Directory(AREAS, both))
    assert [finding.message for finding in found] == [
        "overseer 和 acceptor 要互不相同，却可能是同一个单位：单位 all-in-one 兼有职责 owners-committee 和 community-office"
    ]


def test_a_watching_unit_must_exist() -> None:
    assert "没有单位“bureau”" in words(FULL, Directory(AREAS, UNITS[1:]))


@pytest.mark.parametrize(("by", "wrong"), [("opener", False), ("[opener, holder]", True)])
def test_who_holds_a_task_may_not_accept_there_what_it_handed_back_to_the_opener(by: str, wrong: bool) -> None:  # noqa: FBT001
    kind = (
        "  mending:\n    title: 整改\n    open: {title: 责令整改, by: acceptor}\n"
        "    states: {asked: {title: 整改中, holder: holder}, shown: {title: 待复核, holder: opener}, ok: {title: 合格, final: true}}\n"
        "    clocks: {mend: {title: 整改时限, during: [asked, shown], limit: {is: 5 days}, ladder: [{at: due, do: remind, to: holder}]}}\n"
        f"    actions: {{show: {{from: asked, to: shown, by: holder}}, accept: {{from: shown, to: ok, by: {by}}}}}\n"
    )
    found = told(changed(("documents:\n", kind + "documents:\n")))
    assert [finding.code for finding in found] == (["self-verify"] if wrong else [])


def test_every_two_of_a_group_are_looked_at() -> None:
    roles = ["dispatcher", "doer", "overseer", "acceptor"]
    text = FULL.replace(
        "unit: {duty: owners-committee, level: community}", "unit: {duty: party-branch, level: community}"
    )
    text = text.replace(
        "unit: {duty: community-office, level: community}", "unit: {duty: party-branch, level: current}"
    )
    pairs = [finding.message.split(" 要")[0] for finding in told(text) if finding.code == "same-body"]
    one, _, three, four = roles
    assert sorted(pairs) == sorted([f"{one} 和 {three}", f"{one} 和 {four}", f"{three} 和 {four}"])


def test_joins_whose_conditions_exclude_each_other_are_no_circle() -> None:
    assert "act: gather}\n  - {when: {open.whistle: 0, tasks" in FULL
    by_origin = changed(
        ("{when: {open.whistle: {min: 1}}, act: gather}", "{when: {origin: inspection}, act: gather}"),
        ("{when: {open.whistle: 0, tasks.whistle: {min: 1}}, act: scatter}", "{when: {origin: hotline}, act: scatter}"),
    )
    assert "joins 循环" not in words(by_origin)


def test_joins_that_only_what_they_change_keeps_apart_are_a_circle() -> None:
    text = changed(
        ("{when: {open.whistle: {min: 1}}, act: gather}", "{when: {state: handling}, act: gather}"),
        ("{when: {open.whistle: 0, tasks.whistle: {min: 1}}, act: scatter}", "{when: {state: joint}, act: scatter}"),
    )
    assert "joins 循环" in words(text)


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        ("{when: {open.whistle: {min: 1}}, act", "{when: {open.whistle: 0, tasks.whistle: 0}, act", "joins-at-once"),
        ("{when: {open.whistle: {min: 1}}, act", "{when: {open.whistle: {min: 1}, hour: {min: 9}}, act", "by-time"),
        ("  - {is: 正常}\n", "", "uncovered"),
        (", effect: {precedent: {ruling: 仍由原单位办理, reason: reason}}", "", ""),
    ],
)
def test_what_is_only_doubtful_is_a_warning(was: str, now: str, code: str) -> None:
    workflow, found = check(changed((was, now)), "city.yaml")
    assert workflow is not None
    assert [(finding.severity, finding.code) for finding in found] == ([("warning", code)] if code else [])


def test_precedents_that_nobody_keeps_are_only_doubtful() -> None:
    text = changed(
        ("{precedent: {ruling: 同意退单, unit: unit, reason: reason}}, ", ""),
        (", effect: {precedent: {ruling: 仍由原单位办理, reason: reason}}", ""),
    )
    assert [finding.code for finding in told(text)] == ["no-precedents"]


def test_a_state_that_only_the_complainant_may_leave_is_fine_for_a_source_that_answers_the_complainant() -> None:
    stays = ("ladder: [{at: due, act: unrated}]", "ladder: [{at: due, do: remind, to: acceptor}]")
    gone = ("  unrated: {title: 逾期未评, from: rating, to: closed, by: system}\n", "")
    follows = (
        "follow: {title: 随主件办结, from: merged, to: rating",
        "follow: {title: 随主件办结, from: merged, to: closed",
    )
    by_hotline = ("hotline: {title: 热线, by: [overseer]}", "hotline: {title: 热线}")
    assert told(changed(stays, gone, follows, by_hotline)) == []
    assert "到了状态 rating 就只有热线或诉求人能往下办，而它没有" in words(changed(stays, gone, follows))
    assert "到了状态 rating 就只有诉求人能往下办" in words(changed(stays, gone))  # by following a matter that is rated
    waits = ("outcomes: [{when: {answered: nobody}, to: closed}, {to: rating}]", "to: rating")
    assert "到了状态 rating 就只有诉求人能往下办" in words(changed(stays, gone, follows, waits))


def test_a_source_may_leave_the_way_out_to_a_condition_on_who_is_answered() -> None:
    text = changed(
        ("ladder: [{at: due, act: unrated}]", "ladder: [{at: due, do: remind, to: acceptor}]"),
        (
            "unrated: {title: 逾期未评, from: rating, to: closed, by: system}",
            "unrated: {title: 免评, from: rating, to: closed, by: acceptor, if: {answered: nobody}}",
        ),
        ("outcomes: [{when: {answered: nobody}, to: closed}, {to: rating}]", "to: rating"),
        ("hotline: {title: 热线, by: [overseer]}", "hotline: {title: 热线}"),
    )
    assert told(text) == []


def test_a_task_kind_that_only_lines_of_a_document_open_needs_no_opener() -> None:
    assert "open: {title: 交办, by: [], needs" in FULL
    assert "by 是空的" in words(changed(("opens: duty, gathers: stuck, settles: settle", "to: doer")))


@pytest.mark.parametrize(("many", "codes"), [(50, {"join-circle"}), (300, {"too-many-joins"})])
def test_many_joins_and_groups_are_checked_in_seconds(many: int, codes: set[str]) -> None:
    joins = "".join(f"  - {{when: {{open.whistle: {n}, urged: {n}}}, act: gather}}\n" for n in range(many))
    groups = ", ".join(f"[orderer, dispatcher, doer, overseer, acceptor, r{n}]" for n in range(150))
    roles = "".join(f"  r{n}: {{title: 甲, unit: u{n}}}\n" for n in range(150))
    text = changed(
        ("joins:\n", "joins:\n" + joins),
        ("[whistled, bureau]]", f"[whistled, bureau], {groups}]"),
        ("intake:\n", roles + "intake:\n"),
    )
    started = time.process_time()
    found = told(text)
    assert time.process_time() - started < 9
    assert {finding.code for finding in found} == codes


JUNK: tuple[Any, ...] = (
    None,
    [],
    {},
    "x",
    5,
    -1,
    True,
    ["x", "x"],
    {"x": 1},
    "handling",
    "holder",
    "system",
    "back",
    {"min": 1},
    "1 day",
)


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Give every part of a definition as its container and key."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield node, key
        yield from places(value)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_key_is_lost_renamed_or_filled_with_something_else_the_checker_answers(data: st.DataObject) -> None:
    definition = deepcopy(data.draw(st.sampled_from(DATA)))
    for _ in range(data.draw(st.integers(1, 3))):
        every = list(places(definition))
        node, key = every[data.draw(st.integers(0, len(every) - 1))]
        other, name = every[data.draw(st.integers(0, len(every) - 1))]
        what = data.draw(st.sampled_from(["lose", "rename", "fill", "copy"]))
        if what == "rename" and isinstance(node, dict) and isinstance(name, str):
            node[name] = node.pop(key)
        elif what == "fill":
            node[key] = deepcopy(data.draw(st.sampled_from(JUNK)))
        elif what == "copy":
            node[key] = deepcopy(other[name])
        else:
            del node[key]
    workflow, found = check(json.dumps(definition, ensure_ascii=False), "city.yaml")
    assert workflow is not None or any(finding.severity == "error" for finding in found)


@pytest.mark.parametrize(
    ("bare", "quoted", "other"),
    [
        ("areas: 990102", 'areas: "990102"', 'areas: "990103"'),
        ("area: 990102", 'area: ["990102"]', "area: [990103, 990104]"),
        ("category: 12", 'category: "12"', "category: 13"),
    ],
)
def test_a_code_without_quotes_is_the_text_that_it_looks_like(bare: str, quoted: str, other: str) -> None:
    def limits(second: str) -> tuple[str, str]:
        was = "limit: [{when: {level: community}, is: 3 workdays}, {is: 5 workdays}]"
        return was, f"limit: [{{when: {{{bare}}}, is: 3 days}}, {{when: {{{second}}}, is: 4 days}}, {{is: 5 days}}]"

    assert told(changed(limits(other))) == []
    assert "永远轮不到" in words(changed(limits(quoted)))  # the same case


def test_a_choice_that_is_written_as_a_number_is_the_choice() -> None:
    text = changed(
        ("needs: {remark: text?}", 'needs: {remark: {choice?: ["1", "2"]}}'),
        (
            "settle: {title: 议定, from: waiting, to: settled, by: holder,",
            "settle: {title: 议定, from: waiting, outcomes: [{when: {form.remark: 1}, to: settled}, {to: settled}], by: holder,",
        ),
    )
    assert told(text) == []


def test_while_a_task_is_opened_nothing_was_done_on_it_yet() -> None:
    opening = "open: {title: 请求支援, by: [doer, company],"
    assert "问的主流程的操作“offer”不存在" in words(changed((opening, f"{opening} if: {{done.offer: {{min: 1}}}},")))
    assert told(changed((opening, f"{opening} if: {{done.explain: {{min: 1}}}},"))) == []


def test_an_applicant_that_is_kept_from_holding_its_own_application_does_not_approve_itself() -> None:
    alone = (
        "needs: {days: {int: {min: 1, max: 10}}}}\n    holder: acceptor",
        "needs: {unit: unit, days: {int: {min: 1, max: 10}}}}",
    )
    apart = (alone[0], f"{alone[1]}\n    separate: [[holder, opener]]")
    assert "申请人自己批准自己：doer 能申请 extension" in words(changed(alone))
    assert "申请人自己批准自己" not in words(changed(apart))
    wrong = (alone[0], f"{alone[1]}\n    separate: [[doer, opener]]")
    assert "申请人自己批准自己" in words(changed(wrong))  # the action is the holder's: that name is to be kept apart


@pytest.mark.parametrize(("rules", "wrong"), [("company", True), ("market", False)])
def test_a_route_to_the_company_may_make_it_the_lead(rules: str, wrong: bool) -> None:  # noqa: FBT001
    text = changed(
        ("[whistled, bureau]]", "[whistled, bureau], [doer, company]]"),
        (
            "  - {kind: territory",
            f"  - {{kind: table, rules: [{{when: {{category: 电梯}}, to: {rules}}}]}}\n  - {{kind: territory",
        ),
    )
    assert ("路由可以把诉求交给 company（小区的物业企业）" in words(text)) is wrong


def test_who_opens_and_approves_as_the_company_approves_itself() -> None:
    text = changed(
        ("open: {title: 申请延期, by: doer,", "open: {title: 申请延期, by: company,"),
        (
            "cap:\n              - {when: {urgency: 特急}, is: 2 workdays}\n              - {is: 20 workdays}\n",
            "cap: [{is: 20 workdays}]\n",
        ),
        (
            "title: 同意\n        from: asked\n        to: approved\n        by: holder",
            "title: 同意\n        from: asked\n        to: approved\n        by: [holder, company]",
        ),
    )
    assert "申请人自己批准自己：company 能申请 extension，也能经 company 做 approve" in words(text)


@pytest.mark.parametrize(
    ("unit", "says"),
    [
        ("{estate: firm}", "这里不能这样写，可用：company"),
        ("{estate: company, level: street}", "不认识的键“level”"),
        ("{duty: x, level: nowhere}", "可用：community、street、district、city"),
    ],
)
def test_a_unit_that_is_written_wrong_is_told_as_what_it_was_meant_to_be(unit: str, says: str) -> None:
    assert says in words(changed(("unit: {estate: company}", f"unit: {unit}")))
