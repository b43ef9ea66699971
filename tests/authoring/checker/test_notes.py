"""What the checker says where a city's file changes what its base says, and what it only remarks on."""

import pytest
from tests.authoring.checker.wall import BASES

from wuye_loop.authoring.checker.check import Finding, check
from wuye_loop.domain.directory.directory import Area, Directory, Unit
from wuye_loop.domain.rulefile.extends import Base

SMALL, FULL = BASES["small"], BASES["full"]


def unit(code: str) -> Unit:
    return Unit(code, code, "department", "s1", None, (), active=True)


def changed(text: str, *changes: tuple[str, str]) -> list[Finding]:
    for was, now in changes:
        assert text.count(was) == 1, was
        text = text.replace(was, now)
    return check(text, "city.yaml")[1]


def city(own: str, base: str = SMALL) -> list[str]:
    """Return what is said of a file that extends one of the bases."""
    head = f"extends: {'small@1' if base is SMALL else 'full@2'}\nname: city\nversion: 1\ntitle: 大城\n"
    return [str(one) for one in check(head + own, "city.yaml", bases=lambda _: Base(base, "base.yaml"))[1]]


def test_a_rating_that_a_city_changes_is_shown_in_the_city_s_file_with_the_action_that_asks_it() -> None:
    own = "ratings: {resident: {asks: {satisfied: {scale: [满意, 一般, 不满意]}}}}\n"
    assert city(own, FULL) == [
        "city.yaml:5:40: 评价 resident 的“satisfied”有选项 满意、一般、不满意，而操作 rate 的 needs 里是 满意、不满意：两处的选项要一样"
    ]


def test_a_form_that_a_city_changes_is_shown_in_the_city_s_file() -> None:
    own = "actions:\n  rate:\n    needs: {satisfied: {scale: [很好, 很差]}}\n"
    found = city(own, FULL)
    assert found[0].startswith(
        "city.yaml:7:24: 评价 resident 的“satisfied”有选项 满意、不满意，而操作 rate 的 needs 里是 很好、很差"
    )


LADDER = "- {at: -1 workday, do: remind, to: handler}"


@pytest.mark.parametrize(
    ("limits", "ahead", "says"),
    [
        ("[{when: {kind: 咨询}, is: 24 hours}, {is: 5 days}]", "-1 day", "（when: {kind: 咨询}，24 hours）一样长"),
        ("[{when: {kind: 咨询}, is: 24 hours}, {is: 5 days}]", "-2 days", None),  # urgent matters go without it
        ("[{when: {kind: 咨询}, is: 5 days}, {is: 2 hours}]", "-120 minutes", "（不写 when 的，2 hours）一样长"),
        ("[{is: 1 workday}]", "-1 workday", None),  # what is left of the first day
        ("[{is: 1 workday, starts: at once}]", "-1 workday", "永远不会发生"),
        ("[{is: 1 day, starts: same day}]", "-1 day", "永远不会发生"),
        ("[{is: 1 day}]", "-24 hours", None),
        ("[{is: 1 month}]", "-1 month", None),
    ],
)
def test_a_warning_as_long_as_a_limit_is_remarked_on(limits: str, ahead: str, says: str | None) -> None:
    limit = "limit:\n      - {when: {kind: 咨询}, is: 3 workdays}\n      - {is: 5 workdays}"
    found = [
        str(one) for one in changed(SMALL, (limit, f"limit: {limits}"), (LADDER, LADDER.replace("-1 workday", ahead)))
    ]
    assert [says in one for one in found if says] == ([True] if says else [])
    assert bool(found) == bool(says)


def test_a_rung_that_is_not_asked_in_that_branch_is_no_matter() -> None:
    limit = "limit:\n      - {when: {kind: 咨询}, is: 3 workdays}\n      - {is: 5 workdays}"
    now = "limit: [{when: {kind: 咨询}, is: 24 hours}, {is: 5 days}]"
    rung = LADDER.replace("-1 workday", "-1 day").replace("do:", "when: {kind: {not: 咨询}}, do:")
    assert changed(SMALL, (limit, now), (LADDER, rung)) == []


GRADED = (
    ("hotline: {title: 热线, by: [overseer]}", "hotline: {title: 热线, by: [overseer], needs: {grade: {choice: [一级, 二级]}, order: text?, parent: text?}}"),
    ("by: bureau, answered: reporter}", "by: bureau, answered: reporter, needs: {grade: {choice: [二级, 三级]}, urgent: bool}}"),
)  # fmt: skip
RUNG = "when: {origin: inspection}"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("extra.grade: 一级", ""),
        ("extra.grade: [一级, 三级]", ""),
        ("extra.grade: 壹级", "登记表里的“grade”没有选项“壹级”，永远不成立。可用：一级、二级、三级"),
        ("extra.grade: {not: [一级, 四级]}", "登记表里的“grade”没有选项“四级”"),
        ("origin: meeting, extra.grade: 一级", "登记表里的“grade”没有选项“一级”"),
        ("extra.grade: null", ""),
        ("extra.urgent: true", ""),
        ("extra.urgent: 是", "没有选项“是”，永远不成立。可用：true、false"),
        ("extra.basis: 随便什么", ""),
        ("extra.deadlin: 甲", "来源的登记表（needs）里没有“deadlin”，是不是 deadline？"),
        ("origin: [hotline, meeting], extra.basis: 甲", "来源的登记表（needs）里没有“basis”"),
    ],
)
def test_where_every_source_has_a_form_conditions_ask_what_it_asks(asked: str, says: str) -> None:
    found = changed(FULL, *GRADED, (RUNG, f"when: {{{asked}}}"))
    assert [(one.severity, says in one.message) for one in found] == ([("error", True)] if says else [])


def test_an_order_attaches_by_a_field_of_the_form_where_every_source_has_one() -> None:
    assert changed(FULL, *GRADED) == []
    (found,) = changed(FULL, *GRADED, ("to: extra.parent", "to: extra.parnt"))
    assert (found.severity, "没有“parnt”，是不是 parent？" in found.message) == ("error", True)


def test_where_a_source_has_no_form_the_hotline_sends_what_it_likes() -> None:
    assert "hotline: {title: 热线, by: [overseer]}" in FULL
    assert changed(FULL, (RUNG, "when: {extra.whatever: 甲}")) == []
    (found,) = changed(FULL, (RUNG, "when: {extra.bases: 甲}"))
    assert (found.severity, "没有“bases”，是不是 basis？" in found.message) == ("warning", True)


def test_a_unit_may_be_called_as_a_role_is() -> None:
    of_its_own = ("desk: {title: 受理中心, unit: centre}", "desk: {title: 受理中心, unit: desk}")
    assert (
        changed(SMALL, of_its_own, ("urgency: 特急}, to: housing}", "urgency: 特急}, to: desk}"))[0].code == "same-body"
    )
    named = Directory([Area("s1", "东街", "street", None, "s1/")], [unit("centre"), unit("market"), unit("helper")])
    text = SMALL.replace("to: housing}", "to: helper}")
    assert "role-for-unit" in [one.code for one in check(text, "city.yaml")[1]]
    assert "role-for-unit" not in [one.code for one in check(text, "city.yaml", named)[1]]


def test_an_empty_directory_is_said_once() -> None:
    found = [str(one) for one in check(SMALL, "city.yaml", Directory([], []))[1]]
    assert found == ["city.yaml:5:1: 单位名录是空的，先用 wuye-loop directory load 装入：否则没有单位可以核对"]


TIMED = (
    ("limit: {is: 1 workday}, ladder: [{at: due, do: remind, to: holder}]}\n    actions:\n      grant: {title: 同意, from: asked, to: granted, by: holder,",
     "limit: {is: 1 workday}, ladder: [{at: due, act: grant}]}\n    actions:\n      grant: {title: 同意, from: asked, to: granted, by: [holder, system],"),
    ("effect: [{set: {promised: until}}, {act: suspend}]}", "effect: {act: suspend}}\n      note: {title: 记下, from: asked, by: holder, effect: {set: {promised: until}}}"),
)  # fmt: skip
PUSHED = ("{at: +2 workdays, act: take_back, to: handler}", "{at: +2 workdays, act: push}")
PUSH = ("  take_back: {title", "  push: {title: 送审, from: handling, to: checking, by: system}\n  take_back: {title")


def test_a_timer_whose_action_may_find_the_grievance_elsewhere_is_remarked_on() -> None:
    assert changed(SMALL, *TIMED) == []  # the grievance's own ladders do not move it out of handling
    (found,) = changed(SMALL, *TIMED, PUSHED, PUSH)
    assert found.severity == "warning"
    assert found.message.startswith(
        "到期由系统做时，诉求可能已被时限 handle 转到 checking，而 suspend 只能从 handling 做：那时这一级只记台账"
    )
    asked_first = (
        "by: [holder, system], effect: {act: suspend}",
        "by: [holder, system], if: {state: handling}, effect: {act: suspend}",
    )
    assert changed(SMALL, *TIMED, PUSHED, PUSH, asked_first) == []


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ('- {when: {text: {pattern: "起火|爆炸"}}, urgency', "- {when: {txt: 起火}, urgency", "没有事实“txt”"),
        ('- {category: 电梯, pattern: "电梯|升降机"}', "- {category: 电梯, patern: x}", "patern"),
        ("decide: {title: 审批时限, during: asked, limit: {is: 1 workday}", "decide: {title: 审批时限, during: asked, limit: {is: 1 wrkday}", "要写一段时间"),
    ],
)  # fmt: skip
def test_what_is_broken_in_a_list_of_one_is_said_alone(was: str, now: str, says: str) -> None:
    found = [one.message for one in changed(SMALL, (was, now))]
    assert any(says in message for message in found)
    assert not any("至少写" in message for message in found)


def test_a_file_named_for_another_version_is_refused() -> None:
    def codes(file: str) -> list[str]:
        return [one.code for one in check(SMALL, file)[1]]

    assert codes("some/folder/small@1.yaml") == codes("city.yaml") == codes("small.yaml") == []
    assert codes("some/folder/small@2.yaml") == codes("town@1.yml") == ["file-name"]
    (found,) = check(SMALL, "small@3.yaml")[1]
    assert str(found) == "small@3.yaml:2:10: 文件名是 small@3，里面写的却是 small@1：请改文件名，或改 name 和 version"


@pytest.mark.parametrize(
    ("migrates", "says"),
    [
        ("states: {handling: handling}, clocks: {handle: handle}, roles: {handler: desk}, tasks: {assist: {asked: asked}}", None),
        ("states: {handlin: handling}", "small@1 没有状态“handlin”，是不是 handling？"),
        ("states: {handling: closed}", "在办的诉求不能迁到终态：handling"),
        ("states: {closed: closed}", None),
        ("tasks: {assist: {asked: done}}", "在办的任务不能迁到终态：asked"),
        ("clocks: {handel: handle}", "small@1 没有时限“handel”，是不是 handle？"),
        ("roles: {handeler: handler}", "small@1 没有角色“handeler”，是不是 handler？"),
        ("tasks: {assist: {done: done, askd: asked}}", "small@1 的任务 assist 没有状态“askd”，是不是 asked？"),
    ],
)  # fmt: skip
def test_what_migrates_names_of_a_version_at_hand_must_be_there(migrates: str, says: str | None) -> None:
    text = SMALL.replace("version: 1", "version: 2") + f"migrates: {{small@1: {{{migrates}}}}}\n"
    found = [one.message for one in check(text, "city.yaml", bases=lambda _: Base(SMALL, "small@1.yaml"))[1]]
    assert [says in message for message in found if says] == ([True] if says else [])
    assert bool(found) == bool(says)
    assert not any("small@1 没有" in one.message for one in check(text, "city.yaml")[1])  # nobody knows what it had


@pytest.mark.parametrize(
    ("starts", "limit", "remarked"),
    [
        ("starts: next workday, ", "{is: 5 days}", True),
        ("starts: next workday, ", "{is: 5 days, starts: next workday}", False),
        ("starts: next workday, ", "{is: 5 days, starts: next day}", False),
        ("starts: next workday, ", "{is: 5 workdays}", False),
        ("starts: next day, ", "{is: 5 days}", False),
    ],
)
def test_natural_days_that_wait_for_a_workday_because_the_clock_says_so_are_remarked_on(
    starts: str, limit: str, *, remarked: bool
) -> None:
    was = "during: rating, limit: {is: 5 days}"
    found = changed(FULL, (was, f"during: rating, {starts}limit: {limit}"))
    assert [(one.severity, one.code) for one in found if one.code == "days-from-workday"] == (
        [("warning", "days-from-workday")] if remarked else []
    )
