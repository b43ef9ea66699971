"""What was found wrong while the decisions got tests of their own: rungs of tasks, single kinds, copies, held clocks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.domain.step.worlds import (
    DESK,
    HOME,
    MARKET,
    SUPERVISOR,
    clock_of,
    entered,
    form,
    moved,
    rows,
    task_of,
    with_task,
    world,
)  # fmt: skip
from tests.site import at

from wuye_loop.domain.errors import WuyeError
from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.grievance.situation import Command
from wuye_loop.domain.grievance.views import clock_view
from wuye_loop.domain.step.actions import decide, decide_open
from wuye_loop.domain.step.arrival import arrived, first_look
from wuye_loop.domain.step.rungs import decide_rung
from wuye_loop.domain.time.clock_moves import remaining_seconds

WATCH = """
states:
  watched: {stage: escalate, title: 督办中, holder: handler}
clocks:
  handle: {during: [handling, checking, watched]}
actions:
  watch: {title: 转督办, from: handling, to: watched, by: system}
  unwatch: {title: 解除督办, from: watched, to: handling, by: desk}
"""
JOINED = (
    WATCH
    + """
joins: [{when: {overdue.assist: true}, act: watch}]
tasks:
  assist: {clocks: {assist: {ladder: [{at: due, do: remind, to: holder}, {at: +1 hour, do: remind, to: opener}]}}}
"""
)
OPENS = (
    WATCH
    + """
tasks:
  note:
    title: 记录
    open: {title: 记录, by: system, from: handling, effect: {act: watch}}
    holder: desk
    states: {open: {title: 待办, holder: holder}, done: {title: 已办, final: true}}
    clocks: {note: {title: 记录时限, during: open, limit: {is: 1 day}, ladder: [{at: due, do: remind, to: holder}]}}
    actions: {done: {title: 办完, from: open, to: done, by: holder}}
  assist:
    states: {lapsed: {title: 作罢, final: true}}
    clocks: {assist: {ladder: [{at: due, open: note, act: lapse}]}}
    actions: {lapse: {title: 作罢, from: asked, to: lapsed, by: system}}
"""
)


def test_a_join_that_holds_when_a_tasks_rung_fires_is_taken_on_the_grievance() -> None:
    here = world(JOINED)
    case = with_task(here, entered(here, "handling"), "assist")
    clock = clock_of(case, "assist", task_of(case, "assist"))
    step = decide_rung(replace(here, now=clock.due_at + timedelta(hours=1)), case, clock.id, 1)
    assert step is not None
    assert rows(step) == ["rung:assist", "watch"]


def test_the_rungs_action_is_taken_on_its_task_and_what_an_opening_brings_on_the_grievance() -> None:
    here = world(OPENS)
    case = with_task(here, entered(here, "handling"), "assist")
    clock = clock_of(case, "assist", task_of(case, "assist"))
    step = decide_rung(replace(here, now=clock.due_at), case, clock.id, 0)
    assert step is not None
    assert task_of(step.situation, "assist").state == "lapsed"
    assert step.situation.grievance.state == "watched"


KEEP = """
clocks:
  handle: {ladder: [{at: due, do: remind, to: handler}, {at: +2 workdays, open: keep, to: handler}]}
tasks:
  keep:
    title: 兑现
    open: {title: 兑现, by: system, from: [handling, checking]}
    states: {open: {title: 待办, holder: holder}, done: {title: 已办, final: true}}
    clocks: {keep: {title: 兑现时限, during: open, limit: {until: data.promised}, ladder: [{at: due, do: remind, to: holder}]}}
    actions: {done: {title: 办完, from: open, to: done, by: holder}}
"""


@pytest.mark.parametrize("data", [{}, {"promised": "2026-03-04"}])
def test_a_rung_whose_own_task_cannot_be_opened_fires_all_the_same(data: Mapping[str, Any]) -> None:
    here = world(KEEP)
    case = entered(here, "handling", data=data)
    step = decide_rung(replace(here, now=at("2026-03-11 17:30")), case, clock_of(case, "handle").id, 1)
    assert step is not None
    assert rows(step) == ["rung:handle"]
    assert step.drafts[0].facts["refused"]


def test_a_rung_whose_tasks_first_paper_the_system_may_not_issue_fires_all_the_same() -> None:
    text = "documents:\n  督办单: {by: inspector}\nclocks:\n  handle: {ladder: [{at: due, open: order, to: handler}]}\n"
    here = world(text)
    case = entered(here, "handling")
    step = decide_rung(replace(here, now=at("2026-03-09 17:30")), case, clock_of(case, "handle").id, 0)
    assert step is not None
    assert rows(step)[0] == "rung:handle"


def test_of_a_single_kind_a_rung_opens_no_second() -> None:
    here = world(
        "tasks:\n  order: {single: true}\nclocks:\n  handle: {ladder: [{at: due, open: order, to: handler}]}\n"
    )
    case = with_task(here, entered(here, "handling"), "order")
    step = decide_rung(replace(here, now=at("2026-03-09 17:30")), case, clock_of(case, "handle").id, 0)
    assert step is not None
    assert step.situation.open_tasks("order") == 1


TALK = """
roles:
  inspector: {unit: inspection}
instruments:
  talk: {title: 约谈, document: 约谈书}
documents:
  约谈书: {series: "小约〔{year}〕{n}号", by: system, to: handler}
clocks:
  handle: {ladder: [{at: due, do: talk, to: helper, copy: inspector}]}
"""


def test_a_paper_to_nobody_who_is_there_goes_to_the_holder_and_never_to_who_gets_a_copy() -> None:
    here = world(TALK)
    case = entered(here, "handling")
    step = decide_rung(replace(here, now=at("2026-03-09 17:30")), case, clock_of(case, "handle").id, 0)
    assert step is not None
    assert [(paper.addressee, paper.copies) for paper in step.documents] == [("market", ("inspection",))]
    assert step.notices[0].units == ("market", "inspection")


def test_a_paper_is_copied_to_all_who_hold_a_task_that_a_role_stands_for() -> None:
    here = world("documents:\n  督办单: {copies: [desk, helper]}\n")
    case = with_task(here, entered(here, "handling"), "assist", holder_unit="housing")
    step = decide_open(here, case, "order", SUPERVISOR, {})
    assert step.documents[0].copies == ("centre", "housing")


def test_a_clock_that_is_held_with_time_left_is_not_late_however_long_it_is_held() -> None:
    here = world()
    held = moved(replace(here, now=at("2026-03-04 10:00")), entered(here, "handling"), "merged")
    later = replace(here, now=at("2026-03-20 10:00"))
    view = clock_view(later, clock_of(held, "handle"), "")
    assert view["remaining_seconds"] > 0
    assert (view["overdue"], facts_of(later, held).get("overdue.handle", False)) == (False, False)


def test_a_clock_that_ends_while_it_is_held_with_time_left_ends_in_time() -> None:
    """Of five workdays two had passed when it was merged; it is closed with its lead after three weeks."""
    here = world()
    held = moved(replace(here, now=at("2026-03-04 10:00")), entered(here, "handling"), "merged")
    left = remaining_seconds(clock_of(held, "handle"), here.now, here.calendar)
    over = moved(replace(here, now=at("2026-03-25 10:00")), held, "closed")
    clock = clock_of(over, "handle")
    assert clock.ended_at is not None
    assert clock.ended_at == at("2026-03-25 10:00") < clock.due_at
    assert remaining_seconds(clock, here.now, here.calendar) == left


def test_before_due_holds_while_the_clock_is_held() -> None:
    here = world("tasks:\n  extension: {open: {from: [handling, paused]}}\n")
    promised = {"promised": "2026-03-31"}
    held = moved(replace(here, now=at("2026-03-04 10:00")), entered(here, "handling"), "paused", data=promised)
    step = decide_open(replace(here, now=at("2026-03-20 10:00")), held, "extension", MARKET, {"days": 1})
    assert rows(step) == ["open:extension"]


SUGGEST = "tasks:\n  suspension: {open: {needs: {until: date, unit: {unit?: {title: 建议转给}}}}}\n"


def test_who_asks_does_not_choose_who_decides() -> None:
    here = world(SUGGEST)
    asked = {"until": "2026-03-20", "unit": "market"}
    case = decide_open(here, entered(here, "handling"), "suspension", MARKET, asked).situation
    task = task_of(case, "suspension")
    assert task.holder_unit == "centre"
    with pytest.raises(WuyeError):
        decide(here, case, Command("grant", MARKET, {}, task.id))


CHECK = """
tasks:
  check:
    title: 核查
    open: {title: 核查, by: inspector, from: handling, needs: {unit: unit}}
    separate: [[holder, desk]]
    states: {asked: {title: 待派, holder: desk}, going: {title: 在查, holder: holder}, done: {title: 已查, final: true}}
    clocks: {check: {title: 核查时限, during: [asked, going], limit: {is: 3 workdays}, ladder: [{at: due, do: remind, to: holder}]}}
    actions:
      start: {title: 派下, from: asked, to: going, by: desk}
      again: {title: 退回, from: going, to: asked, by: holder}
      done: {title: 查完, from: going, to: done, by: desk}
"""


def test_the_clock_of_a_first_state_is_for_who_holds_that_state() -> None:
    here = world(CHECK)
    case = decide_open(here, entered(here, "handling"), "check", SUPERVISOR, {"unit": "housing"}).situation
    task = task_of(case, "check")
    assert clock_of(case, "check", task).unit == "centre"
    gone = decide(here, case, Command("start", DESK, {}, task.id)).situation
    assert clock_of(gone, "check", task_of(gone, "check")).unit == "housing"


def test_a_blank_category_is_none() -> None:
    here = world()
    order = form(category="")
    new = arrived(here, order, id=here.new_id(), number="WY1", source="12345", estate=HOME)
    assert first_look(here, new, order)[0].grievance.category == "电梯"
