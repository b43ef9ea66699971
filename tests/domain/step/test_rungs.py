"""What a rung does when its time has come, what keeps it from firing, and what stays of it where something is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.domain.step.worlds import clock_of, entered, moved, rows, task_of, untouched, with_task, world
from tests.site import MONDAY, at

from wuye_loop.domain.grievance.situation import Situation, World
from wuye_loop.domain.language.workflow import EffectCall
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.effects.apply import apply
from wuye_loop.domain.step.effects.context import Context
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.step.rungs import decide_rung, next_due_rung, rung_on, standing
from wuye_loop.domain.step.tasks import open_by_effect
from wuye_loop.domain.time.clock import ENDED, Clock

MOMENT = timedelta.resolution
DUE = at("2026-03-09 17:30")  # of the handle clock of small.yaml; its rungs stand a workday before, then, two after
WARNING, LATE = at("2026-03-06 17:30"), at("2026-03-11 17:30")


def fire(here: World, case: Situation, clock: Clock, index: int, now: datetime | None = None) -> Step | None:
    """Fire a rung at an instant, its own unless another is said; the case that was handed in stays as it was."""
    with untouched(case):
        return decide_rung(replace(here, now=now or instant(clock, index)), case, clock.id, index)


def instant(clock: Clock, index: int) -> datetime:
    """Return when a rung stands."""
    stands = clock.rungs[index].at
    assert stands is not None
    return stands


def fired(here: World, case: Situation, name: str, index: int, now: datetime | None = None) -> Step:
    """Fire a rung of the main flow that does fire."""
    step = fire(here, case, clock_of(case, name), index, now)
    assert step is not None
    return step


def facts(step: Step) -> dict[str, Any]:
    """Return what the row of the rung itself says, its clock and place apart."""
    return {key: value for key, value in step.drafts[0].facts.items() if key not in ("clock", "rung", "due")}


# --- whether it fires ---


def test_a_rung_fires_at_its_very_instant_and_not_a_moment_before() -> None:
    here = world()
    case = entered(here, "handling")
    clock = clock_of(case, "handle")
    assert fire(here, case, clock, 1, DUE - MOMENT) is None
    step = fire(here, case, clock, 1, DUE)
    assert step is not None
    (row, _) = step.drafts
    assert (row.action, row.seq, row.actor, row.audience, row.task_id) == (
        "rung:handle", 2, {"kind": "system"}, "units", None
    )  # fmt: skip
    assert row.facts == {"clock": "handle", "rung": 1, "due": "2026-03-09T09:30:00.000000Z"}


def test_what_is_swept_late_fires_then_and_once() -> None:
    here = world()
    now = fired(here, entered(here, "handling"), "handle", 0, LATE).situation
    clock = clock_of(now, "handle")
    assert [rung.fired_at for rung in clock.rungs] == [LATE, None, None]
    assert fire(here, now, clock, 0, LATE + MOMENT) is None


SHORT = "clocks:\n  accept: {ladder: [{at: -1 workday, do: remind, to: desk}, {at: due, do: remind, to: desk}]}\n"


@pytest.mark.parametrize(
    ("state", "then", "clock", "index"),
    [
        ("handling", "merged", "handle", 1),  # held
        ("handling", "closed", "handle", 1),  # over
        ("received", None, "accept", 0),  # passed over at the start: half an hour leaves no day to warn
    ],
)
def test_no_rung_fires_on_a_clock_that_is_held_or_over_or_that_passed_it_over(
    state: str, then: str | None, clock: str, index: int
) -> None:
    here = world(SHORT)
    case = entered(here, state, urgency="特急")
    case = moved(here, case, then) if then else case
    assert fire(here, case, clock_of(case, clock), index, at("2026-04-01 09:00")) is None


def test_a_clock_that_is_not_there_has_no_rungs() -> None:
    here = world()
    case = entered(here, "handling")
    with untouched(case):
        assert decide_rung(replace(here, now=LATE), case, UUID(int=99), 0) is None


def test_a_rung_moves_with_an_extension_and_what_has_fired_stays_fired() -> None:
    here = world()
    case = fired(here, entered(here, "handling"), "handle", 0).situation
    builder = Builder(here, case)
    call = EffectCall.model_validate({"extend_clock": {"clock": "handle", "by": "days"}})
    apply(call, builder, Context({"days": 2}, None, open_by_effect))
    clock = clock_of(builder.situation, "handle")
    assert [rung.at for rung in clock.rungs] == [WARNING, LATE, at("2026-03-13 17:30")]
    assert fire(here, builder.situation, clock, 0, LATE) is None
    assert fire(here, builder.situation, clock, 1, DUE) is None


# --- what it does ---


def test_it_tells_those_it_is_to_and_those_with_a_copy() -> None:
    here = world("clocks:\n  handle: {ladder: [{at: due, do: [remind, alarm], to: handler, copy: desk}]}\n")
    step = fired(here, entered(here, "handling"), "handle", 0)
    assert [(notice.instrument, notice.units) for notice in step.notices] == [
        ("remind", ("market", "centre")),
        ("alarm", ("market", "centre")),
    ]
    assert facts(step) == {"do": ["remind", "alarm"]}


def test_it_opens_a_task_with_a_paper_after_its_own_row() -> None:
    here = world()
    step = fired(here, entered(here, "handling"), "handle", 1)
    task = task_of(step.situation, "order")
    assert rows(step) == ["rung:handle", "open:order"]
    assert (task.holder_unit, task.document_number, task.opened_at) == ("market", "小督〔2026〕1号", DUE)


WHEN = """
clocks:
  handle: {ladder: [{at: due, when: {urged: {min: 1}}, do: remind, open: order, act: close_late, to: handler}]}
actions:
  close_late: {title: 逾期关闭, from: handling, to: checking, by: system}
"""


def test_where_its_condition_does_not_hold_it_passes_without_doing_anything_for_good() -> None:
    here = world(WHEN)
    step = fired(here, entered(here, "handling"), "handle", 0)
    now = step.situation
    assert (rows(step), facts(step)) == (["rung:handle"], {"passed": True})
    assert (step.notices, step.documents, now.tasks, now.grievance.state) == ([], (), {}, "handling")
    urged = moved(here, now, "handling", urged=1)
    assert fire(here, urged, clock_of(urged, "handle"), 0, LATE) is None


def test_its_condition_is_asked_when_it_is_due_not_when_the_clock_started() -> None:
    here = world(WHEN)
    case = moved(here, entered(here, "handling"), "handling", urged=1)
    step = fired(here, case, "handle", 0)
    assert facts(step) == {"do": ["remind"], "act": "close_late", "applies": True}
    assert rows(step) == ["rung:handle", "open:order", "close_late"]
    assert step.situation.grievance.state == "checking"


# --- what the system takes with it ---


@pytest.mark.parametrize(
    ("state", "counts", "applies"),
    [("checking", {}, True), ("handling", {}, False), ("checking", {"done.take_back": 1}, False)],
    ids=["lawful", "from another state", "taken as often as it may be"],
)
def test_its_action_is_taken_if_the_system_may_take_it_then_and_else_only_noted(
    state: str, counts: dict[str, int], *, applies: bool
) -> None:
    here = world("actions:\n  take_back: {limit: 1}\nclocks:\n  handle: {ladder: [{at: due, do: remind, act: take_back, to: handler}]}\n")  # fmt: skip
    step = fired(here, entered(here, state, counts=counts), "handle", 0)
    assert facts(step) == {"do": ["remind"], "act": "take_back", "applies": applies}
    assert rows(step) == ["rung:handle", "take_back"] if applies else ["rung:handle"]
    assert step.situation.grievance.state == ("handling" if applies else state)
    assert len(step.notices) == 1


def test_the_action_of_a_tasks_rung_is_taken_on_that_task() -> None:
    here = world()
    case = with_task(here, with_task(here, entered(here, "handling"), "extension"), "extension")
    first, second = (task_of(case, "extension", n) for n in (0, 1))
    clock = clock_of(case, "decide", first)
    assert instant(clock, 1) == at("2026-03-04 17:30")
    step = fire(here, case, clock, 1)
    assert step is not None
    now = step.situation
    assert [(draft.action, draft.task_id) for draft in step.drafts] == [("rung:decide", first.id), ("refuse", first.id)]
    assert (now.tasks[first.id].state, now.tasks[second.id].state) == ("refused", "asked")
    assert clock_of(now, "decide", first).status is ENDED
    assert now.grievance.state == "handling"


def test_a_tasks_rung_tells_who_holds_the_task_and_who_asked_for_it() -> None:
    here = world()
    case = with_task(here, entered(here, "handling"), "assist", holder_unit="housing", opener_unit="centre")
    step = fire(here, case, clock_of(case, "assist", task_of(case, "assist")), 0)
    assert step is not None
    assert [notice.units for notice in step.notices] == [("housing", "centre")]


ROUTED = "routers: [{kind: desk}]\nclocks:\n  accept: {ladder: [{at: due, act: route, do: remind, to: desk}]}\n"


def test_what_it_would_route_and_no_router_takes_stays_at_the_desk() -> None:
    here = world(ROUTED)
    step = fired(here, entered(here, "received", lead_unit=None), "accept", 0)
    assert [(draft.action, draft.facts.get("applies"), draft.facts.get("routed")) for draft in step.drafts] == [
        ("rung:accept", True, None),
        ("route", None, False),
    ]
    assert step.situation.grievance.state == "received"
    assert "refused" not in step.drafts[0].facts


# --- what is refused on the way ---

WARN = """
clocks:
  handle:
    ladder:
      - {at: -1 workday, do: remind, act: warn, to: handler}
      - {at: due, do: remind, act: warn, to: handler}
actions:
  warn: {title: 警告, from: [handling, checking], by: system, effect: [{document: {kind: 警告书, to: handler}}, {act: go_back}]}
  go_back: {title: 退回承办, from: checking, to: handling, by: system}
documents:
  警告书: {series: "小警〔{year}〕{n}号", by: system, to: handler}
"""


def test_what_follows_and_is_refused_is_kept_with_the_reason_and_nothing_of_it_remains() -> None:
    here = world(WARN)
    step = fired(here, entered(here, "handling"), "handle", 1)
    assert rows(step) == ["rung:handle"]
    assert facts(step) == {
        "do": ["remind"],
        "act": "warn",
        "applies": False,
        "refused": "随后的“退回承办”现在不能办：当前状态下没有这个动作",
    }
    assert (len(step.notices), step.documents) == (1, ())
    assert step.situation.grievance.counts == {}
    assert clock_of(step.situation, "handle").rungs[1].fired_at == DUE


def test_a_number_is_drawn_once_by_what_succeeds_and_never_by_what_is_refused() -> None:
    here = world(WARN)
    refused = fired(here, entered(here, "handling"), "handle", 0)
    case = moved(here, refused.situation, "checking")
    step = fired(here, case, "handle", 1)
    assert rows(step) == ["rung:handle", "warn", "go_back"]
    assert [paper.number for paper in step.documents] == ["小警〔2026〕1号"]
    assert here.next_number("小警〔{year}〕{n}号", 2026) == 2


PASS_ON = """
clocks:
  handle: {ladder: [{at: due, do: remind, act: pass_on, to: handler}]}
actions:
  hand_over: {effect: [{assign: {to: unit}}, {set: {next: unit}}]}
  pass_on: {title: 转交, from: handling, by: system, effect: {assign: {to: next}}}
"""


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("centre", "职责分离：这个单位在本诉求上另有职责，不能承办"),  # a conflict
        ("nowhere", "没有这个单位，或它已停用"),  # a mistake in a form
    ],
)
def test_a_refusal_of_any_kind_leaves_the_rung_fired(unit: str, words: str) -> None:
    here = world(PASS_ON)
    step = fired(here, entered(here, "handling", data={"next": unit}), "handle", 0)
    assert (rows(step), facts(step)["refused"]) == (["rung:handle"], words)
    assert step.situation.grievance.lead_unit == "market"


GATHER = """
states:
  joint: {stage: escalate, title: 会办中, holder: handler}
clocks:
  handle: {during: [handling, checking, joint], ladder: [{at: due, open: order, act: warn, to: handler}]}
actions:
  hand_over: {effect: [{assign: {to: unit}}, {set: {next: unit}}]}
  warn: {title: 警告, from: handling, by: system}
  gather: {title: 会办, from: handling, to: joint, by: system, effect: {assign: {to: next}}}
  part: {title: 散会, from: joint, to: handling, by: desk}
joins:
  - {when: {open.order: {min: 1}}, act: gather}
"""


def test_side_flows_come_together_after_a_rung_too() -> None:
    here = world(GATHER)
    step = fired(here, entered(here, "handling", data={"next": "housing"}), "handle", 0)
    assert rows(step) == ["rung:handle", "open:order", "warn", "gather"]
    assert (step.situation.grievance.state, step.situation.grievance.lead_unit) == ("joint", "housing")


def test_where_even_what_comes_together_is_refused_the_rung_has_its_own_effect() -> None:
    here = world(GATHER)
    step = fired(here, entered(here, "handling", data={"next": "nowhere"}), "handle", 0)
    assert rows(step) == ["rung:handle", "open:order"]
    assert facts(step) == {"act": "warn", "applies": False, "refused": "没有这个单位，或它已停用"}
    assert (step.situation.grievance.state, step.situation.grievance.counts.get("done.warn")) == ("handling", None)
    assert len(step.documents) == 1


# --- which is next ---


def test_next_is_the_one_that_has_been_due_longest_and_none_before_its_instant() -> None:
    here = world()
    case = entered(here, "handling")
    handle = clock_of(case, "handle").id
    assert next_due_rung(case, WARNING - MOMENT) is None
    assert next_due_rung(case, WARNING) == (handle, 0)
    assert next_due_rung(case, LATE) == (handle, 0)
    case = fired(here, case, "handle", 0, LATE).situation
    assert next_due_rung(case, LATE) == (handle, 1)


def test_of_two_that_are_due_together_the_clock_that_comes_first_by_name_is_next() -> None:
    here = world()
    case = with_task(replace(here, now=at("2026-03-03 09:00")), entered(here, "handling"), "order")
    case = with_task(here, case, "assist")
    reply = clock_of(case, "reply", task_of(case, "order"))
    assist = clock_of(case, "assist", task_of(case, "assist"))
    assert instant(reply, 0) == instant(assist, 0) == at("2026-03-05 17:30")
    assert next_due_rung(case, at("2026-03-05 17:30")) == (assist.id, 0)


def test_all_that_stand_due_are_told_of_running_clocks_alone() -> None:
    here = world()
    case = with_task(here, entered(here, "handling"), "assist")
    told = [(clock.name, rung.index, when) for clock, rung, when in standing(case, DUE)]
    assert sorted(told) == [("assist", 0, at("2026-03-05 17:30")), ("handle", 0, WARNING), ("handle", 1, DUE)]
    held = moved(here, case, "merged")
    assert [clock.name for clock, _, _ in standing(held, DUE)] == ["assist"]
    assert standing(moved(here, entered(here, "handling"), "closed"), LATE) == []


def test_a_rung_fires_on_a_builder_that_goes_on_from_the_step_before() -> None:
    here = replace(world(), now=DUE)
    case = entered(replace(here, now=MONDAY), "handling")
    builder = Builder(here, case)
    with untouched(case):
        for index in (0, 1):
            rung_on(builder, clock_of(builder.situation, "handle"), index)
    assert rows(builder.step()) == ["rung:handle", "rung:handle", "open:order"]
    assert [draft.seq for draft in builder.drafts] == [2, 3, 4]


# --- whether it fires again ---

PER = """
levels: [community, street, district]
clocks:
  pace: {{title: 步速, during: handling, per: {per}, limit: {{is: 1 workday}}, ladder: [{{at: due, do: remind, to: handler}}]}}
actions:
  climb: {{title: 升级, from: handling, by: desk, effect: climb}}
"""
Change = Callable[[World, Situation], Situation]


def by_effect(*effects: object) -> Change:
    def change(here: World, case: Situation) -> Situation:
        builder = Builder(here, case)
        for effect in effects:
            apply(EffectCall.model_validate(effect), builder, Context({"unit": "housing"}, None, open_by_effect))
        builder.sync()
        return builder.situation

    return change


def came_back(here: World, case: Situation) -> Situation:
    return moved(here, moved(here, case, "checking"), "handling")


CHANGES: dict[str, Change] = {
    "came back": came_back,
    "new cycle": by_effect("new_cycle"),
    "next level": by_effect("climb"),
    "another lead": by_effect({"assign": {"to": "unit"}}),
}
#: After which changes each clock is a new one, which the ladder fires on again.
ANEW = {
    "entry": {"came back", "new cycle"},
    "cycle": {"new cycle"},
    "level": {"new cycle", "next level"},
    "assignment": {"new cycle", "another lead"},
    "once": set[str](),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("per", ANEW)
def test_a_rung_that_has_fired_fires_again_only_where_its_clock_is_a_new_one(per: str, change: str) -> None:
    here = world(PER.format(per=per))
    step = fired(here, entered(here, "handling"), "pace", 0)
    first = clock_of(step.situation, "pace")
    later = replace(here, now=at("2026-03-04 10:00"))
    with untouched(step.situation):
        now = CHANGES[change](later, step.situation)
    clock = clock_of(now, "pace")
    if change in ANEW[per]:
        assert (clock.id != first.id, clock.due_at) == (True, at("2026-03-05 17:30"))
        assert fire(here, now, clock, 0) is not None
    else:
        assert (clock.id, clock.due_at) == (first.id, at("2026-03-03 17:30"))  # late as it was
        assert fire(here, now, clock, 0, at("2026-03-20 09:00")) is None
