"""What callers read of a grievance, a task, a clock and a receipt: derived from where it stands, without anybody's identity."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import CHAIN
from tests.domain.step.worlds import (
    HOME,
    HOTLINE,
    OTHER,
    clock_of,
    entered,
    form,
    moved,
    task_of,
    untouched,
    with_task,
    world,
)
from tests.site import MONDAY, at

from wuye_loop.domain.grievance.situation import Situation, World
from wuye_loop.domain.grievance.views import (
    actor_view,
    clock_view,
    due_view,
    grievance_view,
    receipt_view,
    task_titles,
    task_view,
)
from wuye_loop.domain.step.actions import receive
from wuye_loop.domain.step.arrival import arrived, first_look
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.spans import Span

MOMENT = timedelta.resolution
DUE = at("2026-03-09 17:30")  # of the handle clock of small.yaml, started on Monday the 2nd at 09:00
HANDLED = {"handle": "2026-03-09T09:30:00.000000Z"}


def seen(here: World, case: Situation) -> dict[str, Any]:
    """Read a grievance; reading changes nothing."""
    with untouched(case):
        return grievance_view(here, case)


def parts(view: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(view[name] for name in names)


# --- a grievance ---


def test_a_grievance_is_read_with_the_titles_of_its_state_and_stage_and_the_names_of_its_units() -> None:
    here = world()
    view = seen(here, entered(here, "handling", urged=2, followers=1, flags=("red-line",)))
    assert parts(view, "state", "state_title", "stage", "stage_title") == ("handling", "承办中", "handle", "单位承办")
    assert parts(view, "workflow", "number", "seq", "cycle", "level") == (
        "small@1", "WY260302-00000001", 1, 1, "community"
    )  # fmt: skip
    assert parts(view, "estate", "area", "company") == ("E1", "community", "company-1")
    assert parts(view, "urged", "followers", "flags", "merged") == (2, 1, ["red-line"], False)
    assert parts(view, "received_at", "state_since", "closed_at") == (
        "2026-03-02T01:00:00.000000Z", "2026-03-02T01:00:00.000000Z", None
    )  # fmt: skip
    assert parts(view, "due", "final") == (HANDLED, False)


@pytest.mark.parametrize(
    ("lead", "names"),
    [
        ("company-1", ("company-1", "示例物业")),
        ("gone", ("gone", "gone")),  # no longer in the directory
        (None, (None, None)),
    ],
)
def test_the_lead_has_the_name_of_the_directory_else_its_code(lead: str | None, names: tuple[Any, ...]) -> None:
    here = world()
    view = seen(here, entered(here, "received", lead_unit=lead))
    assert parts(view, "lead_unit", "lead_unit_name") == names
    assert parts(view, "holder_unit", "holder_unit_name") == ("centre", "centre")


def test_what_is_over_says_when_it_was_closed_and_nothing_is_due_any_more() -> None:
    here = world()
    view = seen(here, moved(replace(here, now=at("2026-03-04 10:00")), entered(here, "handling"), "closed"))
    assert parts(view, "state_title", "final", "due", "holder_unit") == ("已归档", True, {}, None)
    assert view["closed_at"] == view["state_since"] == "2026-03-04T02:00:00.000000Z"


def test_what_is_parked_is_open_merged_and_under_no_clock_of_its_own() -> None:
    here = world()
    view = seen(here, moved(here, entered(here, "handling"), "merged", merged_into=OTHER.id))
    assert parts(view, "state_title", "merged", "final", "due", "closed_at") == ("已并案", True, False, {}, None)


def test_only_running_clocks_of_the_grievance_itself_are_due() -> None:
    here = world()
    case = with_task(here, entered(here, "handling"), "assist")
    assert due_view(case) == HANDLED
    back = moved(here, case, "received")  # the handle clock ends there, another begins
    assert due_view(back) == {"accept": "2026-03-03T09:30:00.000000Z"}
    paused = moved(here, case, "paused", data={"promised": "2026-03-20"})
    assert due_view(paused) == {"promise": "2026-03-20T09:30:00.000000Z"}


def test_only_the_tasks_that_are_open_are_shown_with_it() -> None:
    here = world()
    case = with_task(here, with_task(here, entered(here, "handling"), "assist", "done"), "order", holder_unit="housing")
    task = task_of(case, "order")
    assert seen(here, case)["open_tasks"] == [
        {"id": str(task.id), "kind": "order", "state": "issued", "holder_unit": "housing"}
    ]


STANDING = """
standing:
  - {when: {open.assist: {min: 2}}, is: 多部门会办}
  - {when: {overdue.handle: true}, is: 已逾期}
  - {when: {open.assist: 1}, is: 协办未完}
"""


@pytest.mark.parametrize(
    ("tasks", "now", "stands"),
    [
        ([], MONDAY, None),  # nothing of what the file says
        (["asked"], MONDAY, "协办未完"),
        (["asked", "done"], MONDAY, "协办未完"),
        (["asked"], DUE, "协办未完"),  # due at this very instant, and not yet late
        (["asked"], DUE + MOMENT, "已逾期"),  # the first that holds
        (["asked", "asked"], DUE + MOMENT, "多部门会办"),
    ],
)
def test_how_the_whole_stands_is_derived_from_its_parts_when_it_is_read(
    tasks: list[str], now: datetime, stands: str | None
) -> None:
    here = world(STANDING)
    case = entered(here, "handling")
    for state in tasks:
        case = with_task(here, case, "assist", state)
    assert seen(replace(here, now=now), case)["standing"] == stands


def test_where_the_file_says_nothing_of_the_whole_nothing_is_said() -> None:
    here = world()
    assert seen(here, entered(here, "handling"))["standing"] is None


def test_nobody_reads_who_complained_whether_anonymous_or_not() -> None:
    here = world()
    views = [seen(here, entered(here, "handling", anonymous=anonymous)) for anonymous in (False, True)]
    assert views[0] == views[1]
    assert not {"complainant", "anonymous", "name", "phone", "extra", "data"} & set(views[0])


# --- a task ---


@pytest.mark.parametrize(
    ("kind", "state", "titles"),
    [
        ("assist", "asked", ("协办", "待办")),
        ("assist", "lost", ("协办", "lost")),  # of an older version
        ("loan", "asked", ("loan", "asked")),
    ],
)
def test_a_task_is_called_by_its_titles_and_one_of_an_older_version_by_its_names(
    kind: str, state: str, titles: tuple[str, str]
) -> None:
    assert task_titles(world().rules.workflow, kind, state) == titles


def test_a_task_says_who_holds_it_who_asked_and_what_it_carries() -> None:
    here = world()
    case = with_task(
        here, entered(here, "handling"), "order", holder_unit="company-1", opener_unit="centre", document="督办单",
        document_number="小督〔2026〕7号", copies=("housing",), data={"document": "督办单"},
    )  # fmt: skip
    task = task_of(case, "order")
    view = task_view(here, case.grievance, task)
    assert parts(view, "id", "grievance", "kind", "title", "n") == (
        str(task.id), "WY260302-00000001", "order", "督办单", 1
    )  # fmt: skip
    assert parts(view, "state", "state_title", "final", "closed_at") == ("issued", "已签发", False, None)
    assert parts(view, "holder_unit", "holder_unit_name", "opener_unit") == ("company-1", "示例物业", "centre")
    assert parts(view, "document", "document_number", "copies") == ("督办单", "小督〔2026〕7号", ["housing"])
    over = task_of(with_task(here, case, "order", "closed"), "order")
    assert parts(task_view(here, case.grievance, over), "state_title", "final", "closed_at") == (
        "已销号", True, "2026-03-02T01:00:00.000000Z"
    )  # fmt: skip


# --- a clock ---


def test_a_running_clock_says_its_limit_and_the_office_time_that_is_left() -> None:
    """Seven hours of Monday, and five days of seven and a half."""
    here = world()
    view = clock_view(here, clock_of(entered(here, "handling"), "handle"), "办理时限")
    assert parts(view, "clock", "title", "task", "cycle", "run", "unit", "status") == (
        "handle", "办理时限", None, 1, 1, "market", "running"
    )  # fmt: skip
    assert parts(view, "limit", "limit_text", "starts") == ("5 workdays", "5 个工作日", "next workday")
    assert parts(view, "started_at", "due_at", "ended_at") == (
        "2026-03-02T01:00:00.000000Z", HANDLED["handle"], None
    )  # fmt: skip
    assert view["remaining_seconds"] == (7 * 60 + 5 * 450) * 60
    assert parts(view, "overdue", "provisional", "adjustments") == (False, False, [])


@pytest.mark.parametrize(
    ("now", "overdue", "left"),
    [
        (DUE - timedelta(minutes=1), False, 60),
        (DUE, False, 0),
        (DUE + MOMENT, True, 0),  # late, though no office hour has passed
        (at("2026-03-10 09:30"), True, -3600),
    ],
)
def test_a_clock_is_late_after_its_very_instant_and_what_is_left_counts_office_hours(
    now: datetime, *, overdue: bool, left: int
) -> None:
    here = world()
    clock = clock_of(entered(here, "handling"), "handle")
    assert parts(clock_view(replace(here, now=now), clock, ""), "overdue", "remaining_seconds") == (overdue, left)


@pytest.mark.parametrize("now", [at("2026-03-04 10:00"), at("2026-03-06 15:00")])
def test_of_a_clock_that_is_held_what_was_left_stands_still(now: datetime) -> None:
    """Held on Wednesday at 10:00, with six hours of that day and three days left."""
    here = world()
    held = moved(replace(here, now=at("2026-03-04 10:00")), entered(here, "handling"), "merged")
    view = clock_view(replace(here, now=now), clock_of(held, "handle"), "")
    assert parts(view, "status", "remaining_seconds") == ("paused", (6 * 60 + 3 * 450) * 60)
    assert view["adjustments"] == [{"kind": "pause", "at": "2026-03-04T02:00:00.000000Z"}]
    assert [rung["at"] for rung in view["rungs"]] == [None, None, None]


@pytest.mark.parametrize(("ended", "overdue"), [(DUE, False), (DUE + MOMENT, True)])
def test_a_clock_that_is_over_was_late_or_not_when_it_ended_whenever_it_is_read(
    ended: datetime, *, overdue: bool
) -> None:
    here = world()
    over = moved(replace(here, now=ended), entered(here, "handling"), "closed")
    view = clock_view(replace(here, now=at("2026-05-01 09:00")), clock_of(over, "handle"), "")
    assert parts(view, "status", "overdue", "remaining_seconds") == ("ended", overdue, None)
    assert view["due_at"] == HANDLED["handle"]


def test_a_clock_that_runs_to_a_day_has_no_limit_to_show() -> None:
    here = world()
    case = entered(here, "paused", data={"promised": "2026-03-20"})
    view = clock_view(here, clock_of(case, "promise"), "承诺时限")
    assert parts(view, "limit", "limit_text", "due_at") == (None, None, "2026-03-20T09:30:00.000000Z")


@pytest.mark.parametrize(
    ("started", "due", "provisional"),
    [
        (at("2029-12-21 09:00"), "2029-12-28T09:30:00.000000Z", False),
        (at("2029-12-24 09:00"), "2029-12-31T09:30:00.000000Z", False),
        (at("2029-12-25 09:00"), "2030-01-01T09:30:00.000000Z", True),  # the notice for 2030 is not out
    ],
)
def test_what_falls_due_in_a_year_without_a_notice_is_provisional(
    started: datetime, due: str, *, provisional: bool
) -> None:
    here = world(now=started)
    view = clock_view(here, clock_of(entered(here, "handling"), "handle"), "")
    assert parts(view, "due_at", "provisional") == (due, provisional)


def test_a_clock_shows_which_rungs_have_fired_and_which_it_passed_over() -> None:
    here = world(
        "clocks:\n  accept: {ladder: [{at: -1 workday, do: remind, to: desk}, {at: due, do: remind, to: desk}]}\n"
    )
    clock = clock_of(entered(here, "received", urgency="特急"), "accept")
    due = MONDAY + timedelta(minutes=30)
    view = clock_view(here, clock_moves.fire(clock, 1, due + timedelta(minutes=5)), "")
    assert view["rungs"] == [
        {"rung": 0, "at": None, "fired_at": None, "skipped": True},
        {"rung": 1, "at": "2026-03-02T01:30:00.000000Z", "fired_at": "2026-03-02T01:35:00.000000Z", "skipped": False},
    ]


def test_a_clock_of_a_task_names_the_task_and_an_extension_what_moved_it() -> None:
    here = world()
    case = with_task(here, entered(here, "handling"), "assist", holder_unit="housing")
    task = task_of(case, "assist")
    clock = clock_of(case, "assist", task)
    view = clock_view(here, clock_moves.extend(clock, Span.parse("2 workdays"), here.now, here.calendar), "协办时限")
    assert parts(view, "task", "unit", "due_at") == (str(task.id), "housing", "2026-03-09T09:30:00.000000Z")
    assert view["adjustments"] == [{"kind": "extend", "at": "2026-03-02T01:00:00.000000Z", "span": "2 workdays"}]


# --- a receipt ---

WELCOME = "intake: {text: 您的诉求已收到。}\nrouters: [{kind: territory, level: street}, {kind: desk}]\n"


def test_a_receipt_is_told_by_the_first_row_alone_whatever_came_after() -> None:
    here = world(WELCOME)
    order = form(body="家里起火了")
    new = arrived(here, order, id=here.new_id(), number="WY1", source="12345", estate=HOME)
    case, notices, row = first_look(here, new, order)
    (entry,) = posted(case, receive(here, case, HOTLINE, row | {"routing": [{"kind": "desk"}]}, notices), CHAIN).entries
    assert receipt_view(here, "WY1", entry) == {
        "number": "WY1",
        "state": "received",
        "stage": "collect",
        "workflow": "here@1",
        "category": "电梯",
        "urgency": "特急",
        "lead_unit": None,
        "holder_unit": "centre",
        "routing": [{"kind": "desk"}],
        "due": {"accept": "2026-03-02T01:30:00.000000Z"},
        "flags": ["red-line"],
        "text": "您的诉求已收到。",
        "seq": 1,
        "red_words": ["起火"],
        "suggestion": entry.facts["suggestion"],
    }


# --- who it was ---


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ({"kind": "unit", "unit": "company-1", "role": "handler", "key": "k"}, ("company-1", "示例物业", "handler", "承办单位")),
        ({"kind": "unit", "unit": "market", "role": "holder"}, ("market", "market", "holder", "承办方")),
        ({"kind": "unit", "unit": "market", "role": "opener"}, ("market", "market", "opener", "发起方")),
        ({"kind": "system", "role": "system"}, (None, None, "system", "系统")),
        ({"kind": "hotline", "role": "forgotten"}, (None, None, "forgotten", None)),  # of an older version
        ({"kind": "system"}, (None, None, None, None)),
    ],
)  # fmt: skip
def test_an_actor_is_a_unit_and_a_role_and_never_a_key_or_a_person(
    actor: Mapping[str, str], shown: tuple[str | None, ...]
) -> None:
    view = actor_view(world(), actor)
    assert set(view) == {"kind", "unit", "unit_name", "role", "role_title"}
    assert (view["kind"], *parts(view, "unit", "unit_name", "role", "role_title")) == (actor["kind"], *shown)
