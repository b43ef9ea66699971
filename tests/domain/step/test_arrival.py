"""An order on its arrival: what is kept of it, what is unknown, which source it comes from, what its words bring about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.domain.step.worlds import DESK, HOME, HOTLINE, MARKET, SUPERVISOR, clock_of, form, rows, untouched, world
from tests.site import MONDAY, at

from wuye_loop.domain.directory.directory import Area, Directory
from wuye_loop.domain.errors import BadInput, Forbidden
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.ledger import GENESIS
from wuye_loop.domain.grievance.order import IntakeForm
from wuye_loop.domain.grievance.situation import Actor, Situation, World
from wuye_loop.domain.privacy.known import known
from wuye_loop.domain.step.actions import receive
from wuye_loop.domain.step.arrival import Alarms, Estate, arrived, attaching, first_look, see_sender
from wuye_loop.domain.terms import ActorKind

PATROL = Actor(ActorKind.UNIT, "patrol-team")
NOWHERE: Mapping[str, Any] = {"place": {}}

SOURCES = """
roles:
  patrol: {title: 巡查队, unit: patrol-team}
  hotliner: {title: 值守, unit: {duty: watch, level: street}}
sources:
  hotline: {title: 热线, by: hotliner, needs: {parent: {text?: {max: 64}}}}
  inspection:
    title: 检查
    channels: [检查, 抽查]
    by: patrol
    needs:
      item: {choice: [消防, 停车, 其他]}
      other: {text: {max: 100}, when: {form.item: 其他}}
      basis: {text: {}, when: {urgency: 特急}}
    start: spotted
    answered: nobody
  meeting: {title: 会议, channels: 会议, by: patrol, answered: reporter}
states:
  spotted: {stage: collect, title: 待核实, holder: patrol}
clocks:
  accept: {during: [received, spotted]}
actions:
  confirm: {title: 核实, from: spotted, to: received, by: patrol}
  archive: {title: 归档, from: checking, to: closed, by: desk}
"""


def come(here: World, order: IntakeForm, estate: Estate | None = HOME, **said: Any) -> Situation:
    return arrived(here, order, id=UUID(int=9), number="WY260302-00000009", source="12345", estate=estate, **said)


def looked(here: World, order: IntakeForm) -> tuple[Situation, Alarms, dict[str, Any]]:
    """Take a first look at an order; what has arrived stays as it was."""
    new = come(here, order)
    with untouched(new):
        return first_look(here, new, order)


# --- what is kept ---


def test_a_new_case_stands_at_the_beginning_with_nothing_done_yet() -> None:
    here = world()
    case = come(here, form(category="电梯", urgency="加急"))
    now = case.grievance
    assert (case.tasks, case.clocks) == ({}, {})
    assert (now.workflow, now.state, now.stage, now.cycle, now.level) == (
        "small@1", "received", "collect", 1, "community"
    )  # fmt: skip
    assert (now.received_at, now.state_since, now.closed_at, now.final) == (MONDAY, MONDAY, None, False)
    assert (now.lead_unit, now.holder_unit, now.merged_into, now.followers, now.urged) == (None, None, None, 0, 0)
    assert (now.counts, now.did, now.flags, now.seq, now.head) == ({}, {}, (), 0, GENESIS)
    assert (now.channel, now.kind, now.category, now.urgency) == ("电话", "投诉", "电梯", "加急")
    assert (now.estate_code, now.company_code, now.anonymous) == ("E1", "company-1", False)


def test_its_area_is_the_orders_own_else_that_of_its_estate() -> None:
    here = world()
    found = come(here, form()).grievance
    assert (found.area_code, found.area_path) == ("community", "city/district/street/community/")
    found = come(here, form(place={"estate": "E1", "area_code": "street"})).grievance
    assert (found.area_code, found.area_path) == ("street", "city/district/street/")


def test_without_a_place_it_belongs_to_the_whole_of_the_directory_where_that_has_one_top() -> None:
    here = world()
    found = come(here, form(**NOWHERE), None).grievance
    assert (found.area_code, found.area_path, found.estate_code, found.company_code) == (None, "city/", None, None)
    tops = [Area(code, code, "city", None, f"{code}/") for code in ("one", "two")]
    assert come(replace(here, directory=Directory(tops, ())), form(**NOWHERE), None).grievance.area_path == ""


@pytest.mark.parametrize(
    ("order", "estate", "flags"),
    [
        ({}, HOME, ()),
        ({"kind": "吐槽"}, HOME, ("unknown-kind",)),
        ({"urgency": "十万火急"}, HOME, ("unknown-urgency",)),
        ({"urgency": "常规"}, HOME, ()),
        ({"place": {"estate": "无名苑"}}, None, ("unknown-estate",)),
        (NOWHERE, None, ()),  # nothing named, nothing unknown
    ],
)
def test_what_nobody_knows_is_flagged_and_never_refused(
    order: Mapping[str, Any], estate: Estate | None, flags: tuple[str, ...]
) -> None:
    here = world()
    assert come(here, form(**order), estate).grievance.flags == flags


@pytest.mark.parametrize(("said", "kept"), [(None, "平急"), ("", "平急"), ("特急", "特急"), ("急", "急")])
def test_an_order_that_says_no_urgency_is_a_normal_one(said: str | None, kept: str) -> None:
    here = world()
    assert come(here, form(urgency=said)).grievance.urgency == kept


def test_who_complained_is_struck_from_every_text() -> None:
    here = world()
    order = form(
        title="张三丰家停电",
        body="我是张三丰，请打 13812345678。",
        place={"estate": "张三丰的小区"},
        extra={"note": ["张三丰", {"张三丰": 1}], "grade": "一级", "n": 3},
    )
    now = come(here, order, None, person=known(name="张三丰", phone="13812345678")).grievance
    assert (now.title, now.body) == ("***家停电", "我是***，请打 ***。")
    assert now.data["estate_name"] == "***的小区"
    assert now.extra == {"note": ["***", {"***": 1}], "grade": "一级", "n": 3}


def test_who_complained_is_struck_from_every_word_the_order_is_sorted_by() -> None:
    here = world()
    told = {name: f"张三丰{name[:4]}12345678" for name in ("channel", "kind", "category", "urgency")}
    now = come(here, form(**told, extra={"n": 13812345678}), person=known(name="张三丰", phone="13812345678")).grievance
    assert (now.channel, now.kind, now.category) == ("***chan***", "***kind***", "***cate***")
    assert now.extra == {"n": "***"}


def test_who_is_anonymous_is_kept_as_such_and_everything_else_is_as_ever() -> None:
    here = world()
    named = come(here, form()).grievance
    hidden = come(here, form(complainant={"anonymous": True})).grievance
    assert facts_of(here, Situation(hidden, {}, {})).get("anonymous") is True
    assert replace(hidden, anonymous=False) == named


def test_earlier_ones_and_the_kind_of_the_estate_are_kept_where_there_are_any() -> None:
    here = world()
    assert come(here, form(), repeats=2).grievance.data == {"estate_kind": "商品房", "repeat": 2}
    assert come(here, form(), replace(HOME, kind=None)).grievance.data == {}


# --- sources ---


@pytest.mark.parametrize(
    ("channel", "reporter", "data"),
    [
        ("电话", None, {"origin": "hotline"}),  # whatever no other has; the complainant is answered
        ("抽查", "patrol-team", {"origin": "inspection", "answered": "nobody", "reporter": "patrol-team"}),
        ("会议", "patrol-team", {"origin": "meeting", "answered": "reporter", "reporter": "patrol-team"}),
        ("会议", None, {"origin": "meeting", "answered": "reporter"}),  # sent in by the hotline
    ],
)
def test_its_channel_says_its_source_and_that_who_is_answered(
    channel: str, reporter: str | None, data: Mapping[str, str]
) -> None:
    here = world(SOURCES)
    order = form(channel=channel, extra={"item": "消防"})
    assert come(here, order, replace(HOME, kind=None), reporter=reporter).grievance.data == data


def test_a_file_without_sources_knows_none() -> None:
    here = world()
    assert "origin" not in come(here, form(channel="检查")).grievance.data


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        ({"extra": {}}, "extra.item"),
        ({"extra": {"item": "电梯"}}, "extra.item"),
        ({"extra": {"item": "其他"}}, "extra.other"),  # asked by what was answered
        ({"extra": {"item": "消防"}, "urgency": "特急"}, "extra.basis"),  # asked by what the order is
    ],
)
def test_the_form_of_its_source_is_to_be_filled_in(order: Mapping[str, Any], wrong: str) -> None:
    here = world(SOURCES)
    with pytest.raises(BadInput, match="这一来源要填的附加字段有误") as caught:
        come(here, form(channel="检查", **order))
    assert type(caught.value) is BadInput
    fields: Any = caught.value.extra["fields"]
    assert [field["path"] for field in fields] == [wrong]


def test_what_a_city_adds_beside_the_form_of_the_source_is_kept_unasked() -> None:
    here = world(SOURCES)
    extra = {"item": "其他", "other": "乱堆", "case": 7}
    assert come(here, form(channel="检查", extra=extra)).grievance.extra == extra
    assert come(here, form(channel="会议", extra={"item": "电梯"})).grievance.extra == {"item": "电梯"}  # has no form


@pytest.mark.parametrize(
    ("channel", "actor", "may"),
    [
        ("电话", HOTLINE, True),
        ("检查", HOTLINE, True),  # a hotline sends in from any source
        ("检查", PATROL, True),
        ("检查", MARKET, False),
        ("检查", SUPERVISOR, False),  # no unit's key
        ("电话", PATROL, False),  # another source's
        ("电话", Actor(ActorKind.UNIT, "watch-street"), True),  # found by its duty in the area of the order
        ("电话", Actor(ActorKind.UNIT, "watch-district"), False),
    ],
)
def test_a_unit_sends_in_only_from_a_source_that_is_its_own(channel: str, actor: Actor, *, may: bool) -> None:
    here = world(SOURCES)
    case = come(here, form(channel=channel, extra={"item": "消防"}))
    with untouched(case):
        if may:
            see_sender(here, case, actor)
        else:
            with pytest.raises(Forbidden, match="本单位不能从这一来源登记诉求"):
                see_sender(here, case, actor)


def test_where_the_file_has_no_sources_only_the_hotline_sends_in() -> None:
    here = world()
    case = come(here, form())
    see_sender(here, case, HOTLINE)
    with pytest.raises(Forbidden):
        see_sender(here, case, DESK)


# --- what belongs to an earlier one ---

ATTACH = """
intake:
  attach:
    - {when: {channel: 催办}, to: extra.parent, act: urge}
    - {when: {kind: 感谢}, to: extra.thanks_for, act: urge}
"""


@pytest.mark.parametrize(
    ("order", "to", "named"),
    [
        ({"channel": "催办", "extra": {"parent": "WY1"}}, "extra.parent", "WY1"),
        ({"kind": "感谢", "extra": {"thanks_for": "WY2", "parent": "WY1"}}, "extra.thanks_for", "WY2"),
        ({"channel": "催办", "kind": "感谢", "extra": {"thanks_for": "WY2"}}, "extra.parent", None),  # the first rule
        ({"channel": "催办", "extra": {"parent": 7}}, "extra.parent", None),  # no number of a grievance
        ({"extra": {"parent": "WY1"}}, None, None),
    ],
)
def test_the_first_rule_that_holds_says_where_an_order_names_what_it_belongs_to(
    order: Mapping[str, Any], to: str | None, named: str | None
) -> None:
    here = world(ATTACH)
    rule, found = attaching(here, come(here, form(**order)), form(**order))
    assert (rule.to if rule else None, found) == (to, named)


# --- what its words bring about ---

WORDS = """
intake:
  categories:
    - {category: 电梯, pattern: "电梯|升降机"}
    - {category: 停车, pattern: "停车|ABC"}
  red_lines:
    - {when: {text: {pattern: "起火|爆炸"}}, urgency: 特急, notice: alarm, to: [desk, inspector]}
    - {when: {category: 停车}, urgency: 加急, notice: remind, to: [desk]}
    - {when: {text: {pattern: 积水}}, urgency: 平急}
"""


def words(body: str, **more: Any) -> IntakeForm:
    return form(title="反映问题", body=body, **more)


@pytest.mark.parametrize(
    ("body", "category", "found"),
    [
        ("升降机坏了", None, "电梯"),
        ("停车场的电梯坏了", None, "电梯"),  # the first of the file
        ("ＡＢＣ号车位被占", None, "停车"),  # full width or not
        ("楼道太黑", None, None),
        ("电梯坏了", "照明", "照明"),  # what the order says is never corrected
    ],
)
def test_a_category_is_suggested_where_the_order_has_none(body: str, category: str | None, found: str | None) -> None:
    case, _, row = looked(world(WORDS), words(body, category=category))
    assert (case.grievance.category, row["category"]) == (found, found)


@pytest.mark.parametrize(
    ("body", "said", "urgency", "alarms"),
    [
        ("楼道起火", None, "特急", ["alarm"]),
        ("楼道起火", "十万火急", "特急", ["alarm"]),  # an unknown one is lifted to a known
        ("停车场满了", None, "加急", ["remind"]),  # by the category that was just suggested
        ("停车场满了", "特急", "特急", ["remind"]),  # never lowered
        ("停车场起火", "常规", "特急", ["alarm", "remind"]),  # all lines that hold count
        ("楼道积水", None, "平急", []),  # a line may alarm nobody
        ("楼道积水", "加急", "加急", []),
    ],
)
def test_a_red_line_lifts_the_urgency_to_its_own_at_least_flags_once_and_alarms(
    body: str, said: str | None, urgency: str, alarms: list[str]
) -> None:
    case, notices, row = looked(world(WORDS), words(body, urgency=said))
    assert (case.grievance.urgency, row["urgency"]) == (urgency, urgency)
    assert case.grievance.flags.count("red-line") == 1
    assert [instrument for instrument, _ in notices] == alarms


def test_an_order_that_crosses_no_red_line_is_neither_lifted_nor_flagged() -> None:
    case, notices, row = looked(world(WORDS), words("楼道太黑", urgency="常规"))
    assert (case.grievance.urgency, case.grievance.flags, notices) == ("常规", (), [])
    assert row == {
        "channel": "电话",
        "kind": "投诉",
        "category": None,
        "urgency": "常规",
        "estate": "E1",
        "area": "community",
    }


# --- its first row ---


def test_it_starts_where_its_source_says_held_by_who_stands_there_and_its_clock_runs() -> None:
    here = world(SOURCES)
    order = form(channel="检查", extra={"item": "消防"})
    for channel, state, holder in (("检查", "spotted", "patrol-team"), ("电话", "received", "centre")):
        case = come(here, order.model_copy(update={"channel": channel}))
        with untouched(case):
            step = receive(here, case, HOTLINE, {})
        now = step.situation.grievance
        assert (now.state, now.holder_unit, now.due_clock, now.seq) == (state, holder, "accept", 1)
        assert clock_of(step.situation, "accept").due_at == at("2026-03-03 17:30")
        assert [(draft.action, draft.to_state, draft.audience) for draft in step.drafts] == [
            ("receive", state, "public")
        ]


def test_what_red_lines_alarm_is_sent_with_the_first_row_and_shortens_the_limit() -> None:
    here = world(WORDS)
    case, notices, row = looked(here, words("楼道起火"))
    step = receive(here, case, HOTLINE, row, notices)
    assert [(notice.instrument, notice.units, notice.seq) for notice in step.notices] == [("alarm", ("centre",), 1)]
    assert clock_of(step.situation, "accept").due_at == MONDAY + timedelta(minutes=30)


REPEATED = """
actions:
  turn_away: {title: 重复诉求不予受理, from: received, to: closed, by: system}
joins:
  - {when: {repeat: {min: 1}, extra.new_ground: null}, act: turn_away}
"""


@pytest.mark.parametrize(
    ("repeats", "extra", "written"),
    [(0, {}, ["receive"]), (1, {}, ["receive", "turn_away"]), (1, {"new_ground": "又坏了"}, ["receive"])],
)
def test_a_repeated_order_without_anything_new_may_be_turned_away_at_once(
    repeats: int, extra: Mapping[str, str], written: list[str]
) -> None:
    here = world(REPEATED)
    step = receive(here, come(here, form(extra=extra), repeats=repeats), HOTLINE, {})
    assert rows(step) == written
