"""What each effect does to a step, asked alone: on a builder, with the answers of a form and the task it is taken on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.domain.step.worlds import (
    DESK,
    HOTLINE,
    OTHER,
    SUPERVISOR,
    clock_of,
    entered,
    moved,
    refused,
    rows,
    task_of,
    untouched,
    with_task,
    world,
)
from tests.site import MONDAY, at, made_up

from wuye_loop.domain.errors import BadForm, Conflict, IllegalAction, WuyeError
from wuye_loop.domain.grievance.situation import SYSTEM_ACTOR, Actor, Brief, Command, Situation, TaskState, World
from wuye_loop.domain.language.workflow import EffectCall
from wuye_loop.domain.step.actions import decide
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.apply import apply
from wuye_loop.domain.step.effects.context import Context, Unrouted
from wuye_loop.domain.step.records import NoticeDraft, PrecedentDraft, RatingDraft
from wuye_loop.domain.step.tasks import open_by_effect
from wuye_loop.domain.time.clock import ENDED, PAUSED, RUNNING


def applied(
    here: World,
    case: Situation | Builder,
    *effects: object,
    answers: Mapping[str, Any] | None = None,
    task: TaskState | None = None,
) -> Builder:
    """Apply effects, written as in a file, to a case, or to a builder that goes on from the effects before."""
    builder = case if isinstance(case, Builder) else Builder(here, case)
    for effect in effects:
        apply(EffectCall.model_validate(effect), builder, Context(answers or {}, task, open_by_effect))
    return builder


def test_a_value_is_the_forms_then_the_tasks_then_the_grievances() -> None:
    here = world()
    case = entered(here, "handling", data={"a": "grievance", "b": "grievance", "c": "grievance"})
    case = with_task(here, case, "assist", data={"a": "task", "b": "task"})
    context = Context({"a": "form"}, task_of(case, "assist"), open_by_effect)
    found = [context.value(Builder(here, case), name) for name in "abcd"]
    assert found == ["form", "task", "grievance", None]


# --- cycles ---


def test_a_new_cycle_forgets_what_was_counted_done_and_returned_in_the_old_one() -> None:
    here = world()
    case = entered(
        here,
        "handling",
        counts={"done.finish": 2, "cycle_done.finish": 2, "tasks.order": 1, "cycle_extended.handle": 3},
        data={"returned": ["fire"], "promised": "2026-03-20"},
        did={"handler": ["market"]},
    )
    with untouched(case):
        now = applied(here, case, "new_cycle").grievance
    assert (now.cycle, now.counts, now.data, now.did) == (
        2,
        {"done.finish": 2, "tasks.order": 1},
        {"promised": "2026-03-20"},
        {},
    )


def test_a_new_cycle_ends_the_clocks_of_the_main_flow_and_leaves_those_of_tasks() -> None:
    here = world()
    case = with_task(here, entered(here, "handling"), "assist")
    with untouched(case):
        now = applied(here, case, "new_cycle").situation
    assert clock_of(now, "handle").status is ENDED
    assert clock_of(now, "assist", task_of(now, "assist")).status is RUNNING


def test_a_new_cycle_has_the_whole_limit_again() -> None:
    here = world()
    case = moved(here, entered(here, "handling"), "closed")
    later = replace(here, now=at("2026-03-10 10:00"))
    with untouched(case):
        now = decide(later, case, Command("reopen", HOTLINE)).situation
    clock = clock_of(now, "handle")
    assert (clock.cycle, clock.run, clock.due_at) == (2, 1, at("2026-03-17 17:30"))


# --- merging ---


def test_who_is_merged_follows_the_other_and_keeps_where_it_stood() -> None:
    here = world()
    case = entered(here, "handling", data={"promised": "2026-03-20"})
    with untouched(case):
        builder = applied(here, case, {"merge": {"into": "into"}}, answers={"into": OTHER.number})
    assert builder.grievance.merged_into == OTHER.id
    assert builder.grievance.data == {"promised": "2026-03-20", "back": {"state": "handling"}}
    assert builder.joins == [(OTHER.id, 1)]
    assert builder.remarks == {"into": OTHER.number}


@pytest.mark.parametrize(
    ("into", "fields", "error", "words"),
    [
        ("nothing", {}, BadForm, "没有这件诉求"),
        ("itself", {}, Conflict, "不能并入自身"),
        ("over", {}, Conflict, "要并入的诉求已办结，或已并入别件"),
        ("follower", {}, Conflict, "要并入的诉求已办结，或已并入别件"),
        ("other", {"followers": 1}, Conflict, "已有诉求并入本件，请先撤销"),
    ],
)
def test_nobody_is_merged_into_nothing_itself_what_is_over_a_follower_or_while_it_is_followed(
    into: str, fields: Mapping[str, Any], error: type[WuyeError], words: str
) -> None:
    here = world()
    case = entered(here, "handling", **fields)
    here.others = {
        "itself": replace(OTHER, id=case.grievance.id),
        "over": replace(OTHER, state="closed", final=True),
        "follower": Brief(OTHER.id, OTHER.number, "merged", final=False, merged_into=case.grievance.id),
        "other": OTHER,
    }
    builder = Builder(here, case)
    with refused(case, error, words):
        applied(here, builder, {"merge": {"into": "into"}}, answers={"into": into})
    assert builder.joins == ()


def test_unmerged_it_stands_where_it_stood_and_its_clock_has_what_was_left() -> None:
    """An office day, 10:00 to 10:00, stood still: due on the 10th instead of the 9th."""
    here = replace(world(), now=at("2026-03-03 10:00"))
    case = entered(replace(here, now=MONDAY), "handling")
    merged = decide(here, case, Command("merge", DESK, {"into": OTHER.number})).situation
    assert (merged.grievance.state, clock_of(merged, "handle").status) == ("merged", PAUSED)
    later = replace(here, now=at("2026-03-04 10:00"))
    with untouched(merged):
        step = decide(later, merged, Command("unmerge", DESK))
    now = step.situation
    assert (now.grievance.state, now.grievance.merged_into) == ("handling", None)
    assert "back" not in now.grievance.data
    assert step.joins == [(OTHER.id, -1)]
    assert clock_of(now, "handle").due_at == at("2026-03-10 17:30")


def test_unmerging_who_follows_nobody_takes_no_follower_away() -> None:
    here = world()
    builder = applied(here, entered(here, "handling"), "unmerge")
    assert (builder.joins, builder.grievance.merged_into) == ((), None)


# --- small changes ---


def test_every_urging_is_counted() -> None:
    here = world()
    case = entered(here, "handling", urged=1)
    with untouched(case):
        assert applied(here, case, "urged", "urged").grievance.urged == 3


@pytest.mark.parametrize("to", ["特急", "常规"])
def test_the_urgency_becomes_what_the_file_says(to: str) -> None:
    here = world()
    case = entered(here, "handling")
    assert applied(here, case, {"lift": {"urgency": to}}).grievance.urgency == to


def test_what_is_set_is_kept_beside_what_was_set_before() -> None:
    here = world()
    case = entered(here, "handling", data={"promised": "2026-03-20", "kept": 1})
    with untouched(case):
        now = applied(here, case, {"set": {"promised": "until"}}, answers={"until": "2026-03-25"})
    assert now.grievance.data == {"promised": "2026-03-25", "kept": 1}


def test_actions_that_the_system_is_to_take_follow_in_their_order() -> None:
    here = world()
    assert applied(here, entered(here, "handling"), {"act": "suspend"}, {"act": "resume"}).then == ["suspend", "resume"]


# --- extensions ---

DUE = at("2026-03-09 17:30")  # five workdays after Monday the 2nd


def extension(unit: str = "workday", *caps: object) -> dict[str, Any]:
    return {"extend_clock": {"clock": "handle", "by": "days", "unit": unit} | ({"cap": list(caps)} if caps else {})}


@pytest.mark.parametrize(
    ("number", "unit", "due"),
    [
        (3, "workday", at("2026-03-12 17:30")),
        (5, "workday", at("2026-03-16 17:30")),  # over a weekend
        (1, "day", at("2026-03-10 17:30")),
        (2, "hour", at("2026-03-09 19:30")),
        (4, "workhour", at("2026-03-10 14:00")),  # 08:30 to 12:00, and half an hour after 13:30
        (1, "month", at("2026-04-09 17:30")),
        (600, "month", at("2076-03-09 17:30")),
    ],
)
def test_a_clock_is_extended_by_so_many_of_its_unit(number: int, unit: str, due: datetime) -> None:
    here = world()
    case = entered(here, "handling")
    with untouched(case):
        builder = applied(here, case, extension(unit), answers={"days": number})
    assert (clock_of(builder.situation, "handle").due_at, builder.grievance.due_at) == (due, due)
    assert builder.grievance.counts["cycle_extended.handle"] == number


def test_the_ledger_is_told_which_clock_was_extended_and_by_how_much() -> None:
    here = world()
    builder = applied(here, entered(here, "handling"), extension(), answers={"days": 3})
    assert builder.remarks == {"extended": {"clock": "handle", "by": "3 workdays"}}


CAPS = ({"when": {"category": "维修资金"}, "is": "20 workdays"}, {"is": "10 workdays"})


@pytest.mark.parametrize(("category", "most"), [("电梯", 10), ("维修资金", 20)])
def test_extensions_may_reach_their_cap_in_all_and_not_pass_it(category: str, most: int) -> None:
    here = world()
    case = entered(here, "handling", category=category)
    builder = applied(here, case, extension("workday", *CAPS), answers={"days": most - 4})
    builder = applied(here, builder, extension("workday", *CAPS), answers={"days": 4})
    assert builder.grievance.counts["cycle_extended.handle"] == most
    with refused(builder.situation, IllegalAction, f"累计延期不能超过{most} 个工作日，已批准 {most}"):
        applied(here, builder, extension("workday", *CAPS), answers={"days": 1})


def test_one_extension_beyond_the_cap_is_refused_whole() -> None:
    here = world()
    case = entered(here, "handling")
    with refused(case, IllegalAction, "累计延期不能超过10 个工作日，已批准 0"):
        applied(here, case, extension("workday", *CAPS), answers={"days": 11})


def test_the_cap_of_a_new_cycle_is_whole_again() -> None:
    here = world()
    builder = applied(here, entered(here, "handling"), extension("workday", *CAPS), answers={"days": 10})
    builder = applied(here, builder, "new_cycle")
    builder.sync()
    builder = applied(here, builder, extension("workday", *CAPS), answers={"days": 10})
    assert builder.grievance.counts["cycle_extended.handle"] == 10
    assert clock_of(builder.situation, "handle").due_at == at("2026-03-23 17:30")


def test_the_cap_may_ask_what_the_task_was_opened_with() -> None:
    here = world()
    case = with_task(here, entered(here, "handling"), "extension", data={"days": 2, "why": "备件"})
    caps = ({"when": {"data.why": "备件"}, "is": "1 workday"}, {"is": "10 workdays"})
    with refused(case, IllegalAction, "累计延期不能超过1 个工作日"):
        applied(here, case, extension("workday", *caps), task=task_of(case, "extension"))


def test_without_a_cap_every_extension_is_granted() -> None:
    here = world()
    builder = applied(here, entered(here, "handling"), extension(), extension(), answers={"days": 500})
    assert builder.grievance.counts["cycle_extended.handle"] == 1000


def test_what_is_over_is_not_extended() -> None:
    here = world()
    case = moved(here, entered(here, "handling"), "closed")
    with refused(case, IllegalAction, "时限已经结束，不能延期"):
        applied(here, case, extension(), answers={"days": 1})


def test_a_clock_that_is_held_is_extended_and_stays_held() -> None:
    here = world()
    case = moved(here, entered(here, "handling"), "merged")
    clock = clock_of(applied(here, case, extension(), answers={"days": 3}).situation, "handle")
    assert (clock.status, clock.due_at) == (PAUSED, at("2026-03-12 17:30"))


@pytest.mark.parametrize(("number", "unit"), [(10_001, "workday"), (601, "month")])
def test_an_extension_longer_than_any_span_is_a_mistake_in_its_field(number: int, unit: str) -> None:
    here = world()
    case = entered(here, "handling")
    with refused(case, BadForm, "延期太长") as caught:
        applied(here, case, extension(unit), answers={"days": number})
    fields: Any = caught.value.extra["fields"]
    assert [field["path"] for field in fields] == ["days"]


# --- tasks ---


@pytest.mark.parametrize(
    ("said", "holder"),
    [
        ({"to": "desk"}, "centre"),  # a role
        ({"to": "who"}, "housing"),  # a field of the form
        ({}, "market"),  # the kind's own: its target is the lead
        ({"to": "helper"}, "market"),  # a role that stands for nobody yet
    ],
)
def test_an_effect_opens_a_task_to_a_role_to_a_unit_of_the_form_or_as_its_kind_says(
    said: Mapping[str, str], holder: str
) -> None:
    here = world()
    case = entered(here, "handling")
    with untouched(case):
        builder = applied(here, case, {"open": {"task": "assist", **said}}, answers={"who": "housing"})
    task = task_of(builder.situation, "assist")
    assert (task.holder_unit, task.opener_unit, task.opener_role) == (holder, None, "system")
    assert builder.drafts == []  # the row of the action tells of it


def test_an_effect_hands_over_what_was_filled_in_and_leaves_out_what_was_not() -> None:
    here = world()
    opened = {"open": {"task": "order", "document": "督办单", "data": {"basis": "why", "more": "note"}}}
    builder = applied(here, entered(here, "handling"), opened, answers={"why": "久拖不决"})
    task = task_of(builder.situation, "order")
    assert (task.data, task.document, task.document_number) == ({"basis": "久拖不决"}, "督办单", "小督〔2026〕1号")


CALL_OFF = """
tasks:
  assist:
    states: {going: {title: 在办, holder: holder}}
    clocks: {assist: {during: [asked, going]}}
    actions:
      start: {title: 开工, from: asked, to: going, by: holder}
      finish: {from: [asked, going]}
      withdraw: {title: 撤回, from: asked, to: done, by: system}
actions:
  call_off: {title: 撤回协办, from: handling, by: desk, effect: {act_tasks: {task: assist, action: withdraw}}}
"""


def test_the_system_acts_on_every_open_task_that_stands_where_it_may() -> None:
    here = world(CALL_OFF)
    case = entered(here, "handling")
    for state in ("asked", "going", "done", "asked"):
        case = with_task(here, case, "assist", state)
    case = with_task(here, case, "order")
    call = {"act_tasks": {"task": "assist", "action": "withdraw"}}
    asked = [(task_of(case, "assist", n).id, "withdraw") for n in (0, 3)]
    assert applied(here, case, call).then_on_tasks == asked
    with untouched(case):
        step = decide(here, case, Command("call_off", DESK))
    assert rows(step) == ["call_off", "withdraw", "withdraw"]
    assert [task.state for task in step.situation.tasks.values()] == ["done", "going", "done", "done", "issued"]


# --- levels ---

LEVELS = """
levels: [community, street, district]
roles:
  office: {title: 物业办, unit: {duty: property-office, level: current}}
states:
  meeting: {stage: handle, title: 会商中, holder: office}
clocks:
  handle: {during: [handling, checking, meeting]}
  level:
    title: 本级时限
    during: [handling, meeting]
    per: level
    limit: [{when: {level: community}, is: 2 workdays}, {is: 4 workdays}]
    ladder: [{at: due, do: remind, to: handler}]
actions:
  climb: {title: 升级, from: [handling, meeting], by: desk, effect: climb}
  look: {title: 督看, from: handling, by: desk, limit: {times: 1, per: level}}
  meet: {title: 会商, from: handling, to: meeting, by: desk}
  part: {title: 散会, from: meeting, to: handling, by: desk}
"""


def test_climbing_goes_one_level_up_and_at_the_top_no_further() -> None:
    here = world(LEVELS)
    builder = applied(here, entered(here, "handling"), "climb")
    assert builder.grievance.level == "street"
    assert applied(here, builder, "climb").grievance.level == "district"
    with refused(builder.situation, IllegalAction, "已在最高一级"):
        applied(here, builder, "climb")


def test_a_level_has_a_clock_of_its_own_with_a_limit_of_its_own_and_the_others_go_on() -> None:
    here = world(LEVELS)
    case = entered(here, "handling")
    assert clock_of(case, "level").due_at == at("2026-03-04 17:30")
    with untouched(case):
        now = decide(replace(here, now=at("2026-03-03 10:00")), case, Command("climb", DESK)).situation
    level = clock_of(now, "level")
    assert (level.run, level.due_at) == (2, at("2026-03-09 17:30"))
    assert now.clocks[clock_of(case, "level").id].status is ENDED
    assert clock_of(now, "handle") == clock_of(case, "handle")


def test_what_may_be_done_once_at_a_level_may_be_done_again_at_the_next() -> None:
    here = world(LEVELS)
    case = decide(here, entered(here, "handling"), Command("look", DESK)).situation
    with refused(case, IllegalAction, "最多 1 次，已经用完"):
        decide(here, case, Command("look", DESK))
    case = decide(here, case, Command("climb", DESK)).situation
    assert rows(decide(here, case, Command("look", DESK))) == ["look"]


def test_climbing_hands_over_to_who_holds_it_at_the_new_level_and_the_lead_stays() -> None:
    here = world(LEVELS)
    case = entered(here, "meeting")
    assert case.grievance.holder_unit == "property-office-community"
    now = applied(here, case, "climb").grievance
    assert (now.holder_unit, now.lead_unit) == ("property-office-street", "market")


# --- routing ---

NOBODY = """
actions:
  route: {needs: {unit: unit?}}
routers:
  - {kind: table, rules: [{when: {category: 电梯}, to: market}]}
  - {kind: desk}
"""


def test_the_unit_that_a_person_names_is_the_lead_whatever_the_routers_say() -> None:
    here = world()
    builder = applied(here, entered(here, "received", lead_unit=None), "route", answers={"unit": "housing"})
    assert builder.grievance.lead_unit == "housing"
    assert builder.remarks["routing"] == [{"kind": "desk", "outcome": "matched", "why": "人工指定", "unit": "housing"}]
    assert not builder.tasks


def test_the_routers_decide_where_nobody_is_named_and_each_assisting_unit_has_a_task() -> None:
    here = world()
    case = entered(here, "received", lead_unit=None)
    with untouched(case):
        builder = applied(here, case, "route")
    assert builder.grievance.lead_unit == "market"
    assert [(task.kind, task.holder_unit) for task in builder.tasks.values()] == [("assist", "company-1")]
    (trace,) = builder.remarks["routing"]
    assert (trace["kind"], trace["outcome"], trace["unit"]) == ("table", "matched", "market")


def test_who_let_go_in_this_cycle_is_not_chosen_again() -> None:
    here = world()
    builder = applied(here, entered(here, "handling"), "release", "route")
    assert builder.grievance.lead_unit == "property-office-street"  # the next router's
    assert [trace["outcome"] for trace in builder.remarks["routing"]] == ["no-match", "matched"]


def test_where_no_router_finds_a_unit_nobody_is_made_the_lead() -> None:
    here = world(NOBODY)
    case = entered(here, "received", lead_unit=None, category="供水")
    with untouched(case), pytest.raises(Unrouted) as caught:
        applied(here, case, "route")
    assert caught.value.choice.desk


def test_a_person_is_asked_for_the_unit_that_no_router_finds() -> None:
    here = world(NOBODY)
    case = entered(here, "received", lead_unit=None, category="供水")
    with refused(case, BadForm, "没有路由能定出承办单位，请指定") as caught:
        decide(here, case, Command("route", DESK))
    fields: Any = caught.value.extra["fields"]
    assert [field["path"] for field in fields] == ["unit"]


@pytest.mark.parametrize(
    ("action", "actor", "written"), [("accept", DESK, ["accept", "route"]), ("route", SYSTEM_ACTOR, ["route"])]
)
def test_the_system_leaves_at_the_desk_what_no_router_takes(action: str, actor: Actor, written: list[str]) -> None:
    here = world(NOBODY)
    case = entered(here, "received", lead_unit=None, category="供水")
    with untouched(case):
        step = decide(here, case, Command(action, actor))
    assert rows(step) == written
    assert step.drafts[-1].facts["routed"] is False
    assert (step.situation.grievance.state, step.situation.grievance.lead_unit) == ("received", None)
    assert clock_of(step.situation, "accept").status is RUNNING


@pytest.mark.parametrize("effect", ["route", {"assign": {"to": "unit"}}])
@pytest.mark.parametrize(
    ("unit", "error", "words"),
    [
        ("nowhere", BadForm, "没有这个单位，或它已停用"),
        ("retired", BadForm, "没有这个单位，或它已停用"),
        ("centre", Conflict, "职责分离：这个单位在本诉求上另有职责，不能承办"),  # stands for the desk
        ("fire", Conflict, "职责分离：这个单位在本诉求上另有职责，不能承办"),  # acted as the desk in this cycle
    ],
)
def test_nobody_makes_an_unknown_unit_or_one_with_another_duty_here_the_lead(
    effect: object, unit: str, error: type[WuyeError], words: str
) -> None:
    retired = made_up("retired", "department", "city") | {"active": False}
    here = world(units=[retired, made_up("fire", "department", "city")])
    case = entered(here, "handling", did={"desk": ["fire"]})
    builder = Builder(here, case)
    with refused(case, error, words):
        applied(here, builder, effect, answers={"unit": unit})
    assert builder.grievance.lead_unit == "market"


def test_a_unit_that_routers_find_but_that_acted_in_another_duty_is_left_to_a_person() -> None:
    here = world()
    case = entered(here, "received", lead_unit=None, did={"inspector": ["market"]})
    builder = Builder(here, case)
    with untouched(case), pytest.raises(Unrouted):
        applied(here, builder, "route")
    assert [(trace["kind"], trace["unit"]) for trace in builder.remarks["routing"]] == [
        ("table", "market"),
        ("separate", "market"),
    ]


RULED = """
actions:
  hand_over: {effect: [{assign: {to: unit}}, {precedent: {ruling: 指定承办, unit: unit}}]}
routers:
  - {kind: precedent, follow: true}
  - {kind: desk}
"""


def test_a_ruling_of_this_very_step_is_followed_by_the_routers() -> None:
    here = world(RULED, units=[made_up("housing", "department", "city")])
    ruling = {"precedent": {"ruling": "裁定改派", "unit": "unit"}}
    builder = applied(here, entered(here, "handling"), ruling, answers={"unit": "housing"})
    assert applied(here, builder, "release", "route").grievance.lead_unit == "housing"


# --- who is in charge ---

CONTACT = """
clocks:
  contact:
    title: 先行联系时限
    during: handling
    per: assignment
    starts: at once
    limit: {is: 4 workhours}
    ladder: [{at: due, do: remind, to: handler}]
"""


def test_assigned_to_another_it_stays_where_it_is_and_the_time_to_handle_it_goes_on() -> None:
    here = world()
    case = entered(here, "handling")
    with untouched(case):
        step = decide(here, case, Command("hand_over", SUPERVISOR, {"unit": "housing"}))
    now = step.situation.grievance
    assert (now.state, now.lead_unit, now.holder_unit) == ("handling", "housing", "housing")
    was, clock = clock_of(case, "handle"), clock_of(step.situation, "handle")
    assert (clock.id, clock.due_at, clock.unit) == (was.id, was.due_at, "housing")


@pytest.mark.parametrize(
    ("effects", "unit", "run", "due"),
    [
        ([{"assign": {"to": "unit"}}], "housing", 2, at("2026-03-02 15:30")),
        ([{"assign": {"to": "unit"}}], "market", 1, at("2026-03-02 14:30")),  # no other lead than before
        (["release", "route"], "market", 2, at("2026-03-02 15:30")),  # returned, and assigned anew
    ],
)
def test_a_clock_of_an_assignment_is_a_new_one_with_every_assignment(
    effects: list[object], unit: str, run: int, due: datetime
) -> None:
    """Four office hours from 09:00 end at 14:30, from 10:00 at 15:30."""
    here = world(CONTACT)
    case = entered(here, "handling")
    with untouched(case):
        builder = applied(replace(here, now=at("2026-03-02 10:00")), case, *effects, answers={"unit": unit})
    builder.hold()
    builder.sync()
    clock = clock_of(builder.situation, "contact")
    assert (clock.run, clock.due_at) == (run, due)


def test_a_lead_that_lets_go_is_remembered_once() -> None:
    here = world()
    case = entered(here, "handling", data={"returned": ["fire"]})
    with untouched(case):
        builder = applied(here, case, "release")
    assert (builder.grievance.lead_unit, builder.grievance.data["returned"]) == (None, ["fire", "market"])
    builder.set(lead_unit="market")
    assert applied(here, builder, "release").grievance.data["returned"] == ["fire", "market"]


def test_where_nobody_leads_nobody_lets_go() -> None:
    here = world()
    case = entered(here, "received", lead_unit=None)
    assert applied(here, case, "release").grievance == case.grievance


def test_only_what_was_given_is_corrected_and_a_clock_that_runs_keeps_its_limit() -> None:
    here = world()
    case = entered(here, "received")
    now = applied(here, case, "reclassify", answers={"urgency": "特急"})
    assert (now.grievance.category, now.grievance.urgency) == ("电梯", "特急")
    now.sync()
    assert clock_of(now.situation, "accept") == clock_of(case, "accept")
    assert applied(here, case, "reclassify", answers={"note": "x"}).grievance == case.grievance


@pytest.mark.parametrize(
    ("params", "ruling", "unit", "reason"),
    [
        ({"ruling": "同意退单", "unit": "unit", "reason": "why"}, "同意退单", "housing", "不属本单位"),
        ({"ruling": "words"}, "改派", None, None),  # in the words of the form, to nobody, without a reason
    ],
)
def test_a_ruling_says_what_whose_matter_it_was_whose_it_is_and_why(
    params: Mapping[str, str], ruling: str, unit: str | None, reason: str | None
) -> None:
    here = world()
    answers = {"unit": "housing", "why": "不属本单位", "words": "改派"}
    builder = applied(here, entered(here, "handling"), {"precedent": params}, answers=answers)
    assert builder.precedents == [PrecedentDraft(2, "电梯", "market", unit, ruling, reason, MONDAY)]
    assert builder.remarks == {"precedent": {"ruling": ruling, "unit": unit}}


# --- papers ---

SATURDAY = at("2026-03-07 10:00")
QUIET = 'calendar: {quiet: ["21:00-08:00"]}\n'


@pytest.mark.parametrize(
    ("text", "now", "instrument", "sent"),
    [
        ("", MONDAY, "remind", MONDAY),
        ("", SATURDAY, "remind", at("2026-03-09 08:30")),  # waits for the office
        ("", SATURDAY, "alarm", SATURDAY),  # urgent
        (QUIET, SATURDAY, "remind", SATURDAY),  # with quiet hours, they alone are waited for
        (QUIET, at("2026-03-07 22:00"), "remind", at("2026-03-08 08:00")),
        (QUIET, at("2026-03-07 22:00"), "alarm", at("2026-03-07 22:00")),
    ],
)
def test_what_is_not_urgent_waits_for_the_office_or_for_the_end_of_quiet_hours(
    text: str, now: datetime, instrument: str, sent: datetime
) -> None:
    here = world(text, now)
    builder = applied(here, entered(here, "handling"), {"notify": {"instrument": instrument, "to": "handler"}})
    title = {"remind": "提醒", "alarm": "警示"}[instrument]
    assert builder.notices == [NoticeDraft(instrument, title, ("market",), instrument == "alarm", sent, 2)]


@pytest.mark.parametrize(
    ("to", "units"),
    [
        (["desk", "handler", "desk"], ("centre", "market")),
        ("helper", ("market",)),  # nobody assists: whoever holds it is told
    ],
)
def test_a_notice_goes_to_each_unit_once_or_to_the_holder_where_there_is_none(
    to: object, units: tuple[str, ...]
) -> None:
    here = world()
    builder = applied(here, entered(here, "handling"), {"notify": {"instrument": "remind", "to": to}})
    assert [notice.units for notice in builder.notices] == [units]


TALKS = """
instruments:
  talk: {title: 约谈, document: 约谈书}
documents:
  约谈书: {series: "小约〔{year}〕{n}号", by: system, to: handler, copies: desk, text: 请到场。}
"""


@pytest.mark.parametrize(
    ("to", "papers"),
    [
        (["handler", "helper"], [(1, "market", ("centre",)), (2, "housing", ("centre",)), (3, "fire", ("centre",))]),
        ("desk", [(1, "centre", ())]),  # who it is to is not among the copies
        ("resident", [(1, "market", ("centre",))]),  # no unit at all: to the holder
    ],
)
def test_an_instrument_with_a_paper_sends_one_with_a_number_to_each(to: object, papers: object) -> None:
    here = world(TALKS)
    case = entered(here, "handling")
    for unit in ("housing", "fire", "market"):
        case = with_task(here, case, "assist", holder_unit=unit)
    with untouched(case):
        builder = applied(here, case, {"notify": {"instrument": "talk", "to": to}})
    assert [(paper.n, paper.addressee, paper.copies) for paper in builder.documents] == papers
    assert builder.remarks["documents"] == [f"小约〔2026〕{paper.n}号" for paper in builder.documents]
    assert {(paper.kind, paper.text, paper.task_id) for paper in builder.documents} == {("约谈书", "请到场。", None)}


def test_papers_of_a_series_are_numbered_on_and_each_year_from_one() -> None:
    here = world()
    letter = {"document": {"kind": "通知书", "to": "handler"}}
    builder = applied(here, entered(here, "handling"), letter, {"document": {"kind": "通知书"}})
    builder.world = replace(here, now=at("2027-01-01 00:30"))  # still the old year in Greenwich
    applied(here, builder, letter)
    found = [(paper.number, paper.year, paper.n, paper.addressee) for paper in builder.documents]
    assert found == [
        ("小通〔2026〕1号", 2026, 1, "market"),
        ("小通〔2026〕2号", 2026, 2, None),
        ("小通〔2027〕1号", 2027, 1, "market"),
    ]


def test_a_paper_issued_on_a_task_belongs_to_it() -> None:
    here = world()
    case = with_task(here, entered(here, "handling"), "assist", holder_unit="housing")
    task = task_of(case, "assist")
    builder = applied(here, case, {"document": {"kind": "通知书", "to": "holder"}}, task=task)
    assert [(paper.task_id, paper.addressee) for paper in builder.documents] == [(task.id, "housing")]


MUTUAL = """
ratings:
  mutual: {by: opener, of: holder, asks: {score: {int: {min: 0, max: 100}}}}
tasks:
  assist:
    actions:
      judge: {title: 评协办, from: asked, by: opener, needs: {score: {int: {min: 0, max: 100}}}, effect: {rate: {rating: mutual}}}
"""


def test_the_first_rating_of_the_file_is_the_complainants_and_its_comment_is_not_kept() -> None:
    here = world(MUTUAL)
    answers = {"satisfied": "满意", "comment": "谢谢"}
    builder = applied(here, entered(here, "checking", cycle=2), "rate", answers=answers)
    assert builder.ratings == [RatingDraft(2, "complainant", "market", {"satisfied": "满意"}, "满意", MONDAY)]


def test_a_rating_on_a_task_is_of_its_holder_and_stands_for_itself() -> None:
    here = world(MUTUAL)
    case = with_task(here, with_task(here, entered(here, "handling"), "assist"), "assist", holder_unit="housing")
    rate = {"rate": {"rating": "mutual"}}
    builder = applied(here, case, rate, answers={"score": 90}, task=task_of(case, "assist", 0))
    applied(here, builder, rate, answers={"score": 0}, task=task_of(case, "assist", 1))
    assert [(one.rater, one.of_unit, one.answers, one.satisfied) for one in builder.ratings] == [
        ("mutual:1", "market", {"score": 90}, None),
        ("mutual:2", "housing", {"score": 0}, None),
    ]


def test_what_does_not_count_in_one_figure_and_another_is_kept_with_each_reason() -> None:
    here = world()
    case = entered(here, "handling")
    late = {"exclude": {"figure": "on_time", "reason": "why"}}
    builder = applied(here, case, late, {"exclude": {"figure": "solved"}}, answers={"why": "等通告"})
    assert builder.grievance.data["excluded"] == {"on_time": "等通告", "solved": None}
    builder = applied(here, builder, late, answers={"why": "等审批"})
    assert builder.grievance.data["excluded"] == {"on_time": "等审批", "solved": None}
