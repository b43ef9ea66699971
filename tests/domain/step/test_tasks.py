"""Who holds a task that is opened, which paper it carries, when it may be opened, and what is written of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.domain.step.worlds import (
    DESK,
    MARKET,
    SUPERVISOR,
    clock_of,
    entered,
    refused,
    rows,
    task_of,
    untouched,
    with_task,
    world,
)
from tests.site import MONDAY, at, made_up

from wuye_loop.domain.errors import Conflict, Forbidden, IllegalAction
from wuye_loop.domain.grievance.situation import Actor, Situation, TaskState, World
from wuye_loop.domain.language.workflow import RungSpec
from wuye_loop.domain.step.actions import decide_open
from wuye_loop.domain.step.builder import Builder
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.step.tasks import open_by_effect, open_by_rung, open_task
from wuye_loop.domain.time.clock import RUNNING

MOMENT = timedelta.resolution
DUE = at("2026-03-09 17:30")  # five workdays after Monday the 2nd
DAYS, UNTIL = {"days": 3}, {"until": "2026-03-20"}


def opened(
    here: World, case: Situation, kind: str, form: Mapping[str, Any] | None = None, actor: Actor = MARKET
) -> Step:
    """Open a task as a person does; the case that was handed in stays as it was."""
    with untouched(case):
        return decide_open(here, case, kind, actor, form or {})


def by_system(here: World, case: Situation, kind: str, to: str | None = None, **data: Any) -> TaskState:
    """Open a task as an effect does."""
    builder = Builder(here, case)
    with untouched(case):
        open_by_effect(builder, kind, to, None, data)
    return task_of(builder.situation, kind)


def by_rung(here: World, case: Situation, **spec: object) -> Builder:
    """Open tasks as a rung says."""
    builder = Builder(here, case)
    with untouched(case):
        open_by_rung(builder, RungSpec.model_validate({"at": "due", **spec}), None)
    return builder


# --- numbers, rows, clocks ---


def test_tasks_are_numbered_on_over_all_kinds_and_counted_by_kind() -> None:
    here = world()
    case = opened(here, entered(here, "handling"), "assist", {"unit": "housing"}, DESK).situation
    case = opened(here, case, "extension", DAYS).situation
    assert [(task.kind, task.n) for task in case.tasks.values()] == [("assist", 1), ("extension", 2)]
    assert case.grievance.counts == {
        "task_n": 2,
        "tasks.assist": 1,
        "cycle_tasks.assist": 1,
        "tasks.extension": 1,
        "cycle_tasks.extension": 1,
    }


def test_one_row_tells_who_opened_it_as_what_with_which_answers() -> None:
    here = world()
    step = opened(here, entered(here, "handling"), "extension", DAYS)
    (row,) = step.drafts
    task = task_of(step.situation, "extension")
    assert (row.seq, row.action, row.task_id, row.from_state, row.to_state) == (
        2, "open:extension", task.id, None, "asked"
    )  # fmt: skip
    assert (row.actor, row.facts, row.audience) == (
        {"kind": "unit", "unit": "market", "role": "handler"}, DAYS, "units"
    )  # fmt: skip
    assert (task.opener_unit, task.opener_role, task.data, task.cycle) == ("market", "handler", DAYS, 1)
    assert step.opened == task.id


def test_what_an_effect_opens_has_no_row_of_its_own() -> None:
    here = world()
    builder = Builder(here, entered(here, "handling"))
    open_by_effect(builder, "assist", None, None, {})
    assert builder.drafts == []
    assert builder.opened == task_of(builder.situation, "assist").id


def test_its_clock_runs_from_its_opening_for_who_holds_it() -> None:
    here = world()
    case = opened(here, entered(here, "handling"), "assist", {"unit": "housing"}, DESK).situation
    clock = clock_of(case, "assist", task_of(case, "assist"))
    assert (clock.status, clock.unit, clock.due_at) == (RUNNING, "housing", at("2026-03-05 17:30"))
    assert case.grievance.due_at == DUE  # what sorts an inbox is the main flow's


TOLD = """
tasks:
  extension: {open: {audience: internal, effect: {notify: {instrument: remind, to: [holder, opener]}}}}
"""


def test_what_its_opening_brings_with_it_knows_the_task() -> None:
    here = world(TOLD)
    step = opened(here, entered(here, "handling"), "extension", DAYS)
    assert [(notice.units, notice.seq) for notice in step.notices] == [(("centre", "market"), 2)]
    assert step.drafts[0].audience == "internal"


# --- who holds it ---


@pytest.mark.parametrize(
    ("to", "named", "lead", "holder"),
    [
        ("fire", "housing", "market", "fire"),  # whom a rung or an effect says
        (None, "housing", "market", "housing"),  # whom the form names
        (None, None, "market", "market"),  # the lead
        (None, None, None, "centre"),  # nobody leads: who holds the grievance
    ],
)
def test_a_target_is_who_was_said_else_who_was_named_else_the_lead_else_the_holder(
    to: str | None, named: str | None, lead: str | None, holder: str
) -> None:
    here = world()
    case = entered(here, "received", lead_unit=lead)
    assert by_system(here, case, "assist", to, **({"unit": named} if named else {})).holder_unit == holder


def test_the_opener_may_hold_it_itself() -> None:
    here = world("tasks:\n  assist: {holder: opener, open: {needs: {unit: null}}}\n")
    step = opened(here, entered(here, "handling"), "assist", actor=DESK)
    assert task_of(step.situation, "assist").holder_unit == "centre"


BUREAU = made_up("bureau", "office", "city")


@pytest.mark.parametrize(
    ("above", "fallback", "holder"),
    [
        (BUREAU, "desk", "bureau"),
        (BUREAU | {"active": False}, "desk", "centre"),  # shut: as if there were none
        (None, "desk", "centre"),
        (None, "null", "market"),  # nor a fallback: who holds the grievance
    ],
)
def test_one_level_up_is_the_superior_else_the_fallback_else_the_holder(
    above: Mapping[str, Any] | None, fallback: str, holder: str
) -> None:
    market = made_up("market", "department", "city", "bureau" if above else None)
    here = world(f"tasks:\n  extension: {{fallback: {fallback}}}\n", units=[market, above] if above else [market])
    step = opened(here, entered(here, "handling"), "extension", DAYS)
    assert task_of(step.situation, "extension").holder_unit == holder


MEETING = """
roles:
  meeting: {title: 联席会议, unit: {duty: meeting, level: street}}
  chair: {title: 值班召集人, unit: {duty: chair, level: street}}
tasks:
  item:
    title: 上会议题
    open: {title: 提请上会, by: [handler, system], from: handling}
    holder: meeting
    states: {waiting: {title: 待上会, holder: holder}, settled: {title: 已议定, final: true}}
    clocks: {meet: {title: 上会时限, during: waiting, limit: {is: 1 month}, ladder: [{at: due, do: remind, to: holder}]}}
    actions: {settle: {title: 议定, from: waiting, to: settled, by: holder}}
"""
NO_MEETING = [made_up(f"{duty}-street", "office", "street") for duty in ("meeting", "chair")]  # there, but not for that


def with_fallback(role: str) -> str:
    return MEETING.replace("    holder: meeting\n", f"    holder: meeting\n    fallback: {role}\n")


def test_a_role_holds_it_by_the_unit_that_it_stands_for_here() -> None:
    here = world(with_fallback("desk"))
    step = opened(here, entered(here, "handling"), "item")
    assert task_of(step.situation, "item").holder_unit == "meeting-street"


def test_where_the_role_has_no_unit_here_its_fallback_holds_it() -> None:
    here = world(with_fallback("desk"), units=NO_MEETING)
    step = opened(here, entered(here, "handling"), "item")
    assert task_of(step.situation, "item").holder_unit == "centre"


@pytest.mark.parametrize("text", [MEETING, with_fallback("chair")], ids=["no fallback", "a fallback without a unit"])
def test_nobody_opens_a_task_that_would_lie_with_nobody_and_the_systems_lies_with_the_holder(text: str) -> None:
    here = world(text, units=NO_MEETING)
    case = entered(here, "handling")
    with refused(case, IllegalAction, "这里没有“联席会议”，不能发起"):
        decide_open(here, case, "item", MARKET, {})
    assert by_system(here, case, "item").holder_unit == "market"


# --- papers ---

PAPERS = "tasks:\n  order: {open: {by: [system, inspector, desk], needs: {document: {choice?: [督办单, 通知书]}}}}\n"


@pytest.mark.parametrize(("form", "kind"), [({}, "督办单"), ({"document": "通知书"}, "通知书")])
def test_a_task_carries_the_paper_that_was_chosen_or_the_first_and_its_number(
    form: Mapping[str, str], kind: str
) -> None:
    here = world(PAPERS)
    step = opened(here, entered(here, "handling"), "order", form, SUPERVISOR)
    task = task_of(step.situation, "order")
    (paper,) = step.documents
    assert (task.document, task.document_number) == (kind, paper.number)
    assert (paper.number, paper.kind, paper.task_id, paper.addressee) == (
        f"小{kind[0]}〔2026〕1号", kind, task.id, "market"
    )  # fmt: skip
    assert (task.copies, paper.copies) == ((("centre",), ("centre",)) if kind == "督办单" else ((), ()))
    assert step.drafts[0].facts["document"] == paper.number


def test_who_may_not_issue_the_paper_does_not_open_its_task() -> None:
    here = world(PAPERS)
    case = entered(here, "handling")
    with refused(case, Forbidden, "您的角色不能签发这种文书"):
        decide_open(here, case, "order", DESK, {"document": "督办单"})


def test_a_paper_that_names_no_issuer_is_issued_by_whoever_opens_its_task() -> None:
    here = world(f"{PAPERS}documents:\n  通知书: {{by: null}}\n")
    step = opened(here, entered(here, "handling"), "order", {"document": "通知书"}, DESK)
    assert [paper.number for paper in step.documents] == ["小通〔2026〕1号"]


def test_a_paper_issued_for_several_tasks_at_once_is_not_numbered_again() -> None:
    here = world(PAPERS)
    builder = Builder(here, entered(here, "handling"))
    open_task(
        builder, "order", here.rules.task_kind("order"), SUPERVISOR, "inspector", {},
        to="housing", document="通知书", copies=("fire",), number="小通〔2026〕9号",
    )  # fmt: skip
    task = task_of(builder.situation, "order")
    assert (task.document, task.document_number, task.copies) == ("通知书", "小通〔2026〕9号", ("fire",))
    assert (task.holder_unit, builder.documents) == ("housing", ())


# --- who may open it, and when ---


@pytest.mark.parametrize(
    ("kind", "actor", "state", "error", "words"),
    [
        ("extension", DESK, "handling", Forbidden, "您的角色不能发起这种任务"),
        ("extension", MARKET, "checking", IllegalAction, "当前状态下不能发起"),
        ("loan", MARKET, "handling", IllegalAction, "没有这种任务"),
    ],
)
def test_not_everybody_opens_everything_everywhere(
    kind: str, actor: Actor, state: str, error: type[Conflict | Forbidden], words: str
) -> None:
    here = world()
    case = entered(here, state)
    with refused(case, error, words):
        decide_open(here, case, kind, actor, DAYS)


def test_of_a_single_kind_another_is_opened_only_when_the_one_before_is_over() -> None:
    here = world("tasks:\n  suspension: {single: true}\n")
    case = entered(here, "handling")
    waiting = with_task(here, case, "suspension")
    with refused(waiting, IllegalAction, "已有一件正在办理"):
        decide_open(here, waiting, "suspension", MARKET, UNTIL)
    over = with_task(here, case, "suspension", "granted")
    assert len(opened(here, over, "suspension", UNTIL).situation.tasks) == 2


@pytest.mark.parametrize(
    ("limit", "last_cycle"),
    [("2", True), ("{times: 2, per: cycle}", True), ("{times: 2, per: cycle}", False), ("2", False)],
)
def test_a_kind_is_opened_as_often_as_its_limit_says_and_no_more(limit: str, *, last_cycle: bool) -> None:
    """With one of them opened in an earlier cycle, a limit of the whole leaves one, a limit of the cycle two."""
    here = world(f"tasks:\n  extension: {{open: {{limit: {limit}}}}}\n")
    case = entered(here, "handling", counts={"tasks.extension": 1} if last_cycle else {}, cycle=2)
    left = 1 if last_cycle and limit == "2" else 2
    for _ in range(left):
        case = opened(here, case, "extension", DAYS).situation
    with refused(case, IllegalAction, "最多 2 次，已经用完"):
        decide_open(here, case, "extension", MARKET, DAYS)


def test_before_a_clock_is_due_is_until_that_very_instant() -> None:
    here = world()
    case = entered(here, "handling")
    assert rows(opened(replace(here, now=DUE), case, "extension", DAYS)) == ["open:extension"]
    with refused(case, IllegalAction, "只能在时限届满之前提出"):
        decide_open(replace(here, now=DUE + MOMENT), case, "extension", MARKET, DAYS)


def test_within_a_time_of_entering_the_state_is_until_that_very_instant() -> None:
    here = world("tasks:\n  extension: {open: {within: 1 workday}}\n")
    case = entered(here, "handling")
    last = at("2026-03-03 09:00")
    assert rows(opened(replace(here, now=last), case, "extension", DAYS)) == ["open:extension"]
    with refused(case, IllegalAction, "已过时限：须在1 个工作日内提出"):
        decide_open(replace(here, now=last + MOMENT), case, "extension", MARKET, DAYS)


def test_a_condition_that_does_not_hold_is_said_in_words() -> None:
    here = world("tasks:\n  extension: {open: {if: {urged: {max: 1}}}}\n")
    assert rows(opened(here, entered(here, "handling", urged=1), "extension", DAYS)) == ["open:extension"]
    case = entered(here, "handling", urged=2)
    with refused(case, IllegalAction, "催办"):
        decide_open(here, case, "extension", MARKET, DAYS)


APART = "tasks:\n  assist: {separate: [[holder, opener], [holder, desk]]}\n"


def test_a_person_gives_no_task_to_a_unit_that_must_be_another_and_the_system_is_not_refused() -> None:
    here = world(APART)
    case = entered(here, "handling")
    with refused(case, Conflict, "职责分离：本单位是这件任务的“发起方”"):
        decide_open(here, case, "assist", DESK, {"unit": "centre"})
    assert by_system(here, case, "assist", "centre").holder_unit == "centre"


KEEP = """
tasks:
  keep:
    title: 限期落实
    open: {title: 交办, by: desk, from: handling, needs: {unit: unit, day: date}}
    states: {open: {title: 待落实, holder: holder}, done: {title: 已落实, final: true}}
    clocks: {keep: {title: 落实时限, during: open, limit: {until: data.day}, ladder: [{at: due, do: remind, to: holder}]}}
    actions: {done: {title: 落实, from: open, to: done, by: holder}}
"""


def test_a_task_that_runs_to_a_day_ends_when_its_office_closes_and_is_not_opened_after() -> None:
    here, form = world(KEEP), {"unit": "housing", "day": "2026-03-02"}
    case = entered(here, "handling")
    closing = at("2026-03-02 17:30")
    now = opened(replace(here, now=closing - MOMENT), case, "keep", form, DESK).situation
    assert clock_of(now, "keep", task_of(now, "keep")).due_at == closing
    with refused(case, IllegalAction, "约定的日期已过，请重新约定"):
        decide_open(replace(here, now=closing), case, "keep", DESK, form)


# --- by a rung ---


def test_a_rung_opens_one_for_each_unit_that_its_roles_stand_for() -> None:
    here = world()
    case = entered(here, "handling")
    for unit in ("housing", "fire", "market"):
        case = with_task(here, case, "assist", holder_unit=unit)
    builder = by_rung(here, case, open="order", document="督办单", to=["handler", "helper"], copy=["resident", "desk"])
    made = [task for task in builder.tasks.values() if task.kind == "order"]
    assert [task.holder_unit for task in made] == ["market", "housing", "fire"]
    assert [task.document_number for task in made] == [f"小督〔2026〕{n}号" for n in (1, 2, 3)]
    assert {(task.opener_unit, task.opener_role, task.copies) for task in made} == {(None, "system", ("centre",))}
    assert [draft.action for draft in builder.drafts] == ["open:order"] * 3


@pytest.mark.parametrize(("state", "lead", "holder"), [("received", None, "centre"), ("checking", "market", "centre")])
def test_a_rung_that_names_nobody_who_is_there_opens_it_for_who_holds_the_grievance(
    state: str, lead: str | None, holder: str
) -> None:
    here = world()
    builder = by_rung(here, entered(here, state, lead_unit=lead), open="order", to="helper")
    assert task_of(builder.situation, "order").holder_unit == holder
    assert builder.grievance.state_since == MONDAY  # nothing else was done to it
