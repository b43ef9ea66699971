"""A running grievance under new names: pure decisions, in memory."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import CHAIN
from tests.loop.versions import MIGRATES, renamed, version
from tests.site import MONDAY, WORKFLOW, at, rules_of

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.grievance.situation import Situation
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.migration.carry import Moved, migrated
from wuye_loop.domain.step.migration.mapping import NotMigratable, VersionMapping
from wuye_loop.domain.step.posting import posted
from wuye_loop.domain.step.records import Step
from wuye_loop.domain.time import clock_moves
from wuye_loop.domain.time.clock_moves import Clock, ClockStatus
from wuye_loop.domain.time.spans import Span
from wuye_loop.trial.sandbox.sandbox import Sandbox


def mapping(text: str, **options: bool) -> VersionMapping:
    return VersionMapping(rules_of(WORKFLOW), Rules(load(text, "version.yaml")), **options)


def town(*steps: str) -> Sandbox:
    """Return a sandbox in which a case about charges was brought as far as the steps say."""
    made = Sandbox(rules_of(WORKFLOW), now=MONDAY)
    made.receive({"category": "违规收费"})
    who = {"accept": "dispatcher", "sign": "handler", "finish": "handler"}
    for step in steps:
        made.act(who[step], step)
    return made


def moved(made: Sandbox, way: VersionMapping, situation: Situation | None = None) -> tuple[Step, Moved]:
    """Take the sandbox's case over."""
    world = replace(made.world(), rules=way.new)
    step, report = migrated(world, situation or made.case().situation, way)
    now = step.situation
    assert now.going() == Situation(now.grievance, now.tasks, now.clocks).going()
    return step, report


def clock_of(situation: Situation, name: str) -> Clock:
    return next(
        clock for clock in situation.clocks.values() if clock.name == name and clock.status is not ClockStatus.ENDED
    )


def test_the_step_is_one_row_that_changes_the_version() -> None:
    made = town("accept", "sign")
    step, report = moved(made, mapping(renamed()))
    (entry,) = posted(made.case().situation, step, CHAIN).entries
    assert entry.changes["grievance"]["workflow"] == "kuiwen@2"
    assert (report.from_state, report.to_state) == ("handling", "working")
    assert [(one.was, one.name, one.due_at) for one in report.clocks] == [("handle", "process", at("2026-03-09 17:30"))]
    assert report.warnings == ()
    assert not step.notices


def test_since_when_it_stands_in_its_state_is_not_touched() -> None:
    made = town("accept", "sign")
    before = made.case().situation.grievance.state_since
    made.advance(made.now + timedelta(days=1))
    assert moved(made, mapping(renamed()))[0].situation.grievance.state_since == before


def test_who_did_what_keeps_separation_of_duties_under_the_new_role() -> None:
    migrates = MIGRATES.replace("states:", "roles: {dispatcher: desk}, states:")
    text = renamed(2, ("dispatcher", "desk"), migrates=migrates)
    made = town("accept", "sign")
    assert made.case().situation.grievance.did["dispatcher"]
    did = moved(made, mapping(text))[0].situation.grievance.did
    assert "dispatcher" not in did
    assert did["desk"] == made.case().situation.grievance.did["dispatcher"]


def test_two_clocks_that_become_one_are_two_runs_of_it() -> None:
    one = MIGRATES.replace("clocks: {handle: process}", "clocks: {handle: process, dispatch: process}")
    made = town("accept", "sign")
    step, _ = moved(made, mapping(renamed(2, migrates=one)))
    runs = sorted((clock.run, clock.status) for clock in step.situation.clocks.values() if clock.name == "process")
    assert len({run for run, _ in runs}) == len(runs) == 2
    assert runs[-1][1] is ClockStatus.RUNNING  # the one that still runs is the newest


def test_two_running_clocks_cannot_become_one() -> None:
    one = MIGRATES.replace("clocks: {handle: process}", "clocks: {handle: process, sign: process}")
    made = town("accept")
    with pytest.raises(NotMigratable, match="不能并成一个"):
        moved(made, mapping(renamed(2, migrates=one)))


def test_other_office_hours_move_the_hour_and_say_so() -> None:
    hours = ('hours: ["08:30-12:00", "13:30-17:30"]', 'hours: ["09:00-12:00", "13:30-18:00"]')
    way = mapping(version(2, hours))
    made = town("accept", "sign")
    calendar = Sandbox(way.new, now=made.now).calendar
    world = replace(made.world(), rules=way.new, calendar=calendar)
    step, report = migrated(world, made.case().situation, way)
    assert clock_of(step.situation, "handle").due_at == at("2026-03-09 18:00")
    assert report.warnings == ("办理时限：到期由 2026-03-09 17:30 改为 2026-03-09 18:00",)


def test_what_is_passed_over_comes_back_only_when_an_extension_puts_it_ahead() -> None:
    three = ("- {is: 5 workdays, source:", "- {is: 3 workdays, source:")
    made = town("accept", "sign")
    made.advance(at("2026-03-05 10:00"))
    step, report = moved(made, mapping(renamed(2, three), new_limits=True))
    clock = clock_of(step.situation, "process")
    assert report.clocks[0].skipped == (0,)
    assert clock_moves.recompute(clock, made.calendar).rungs[0].skipped
    later = clock_moves.extend(clock, Span.parse("3 workdays"), made.now, made.calendar)
    assert not later.rungs[0].skipped
    assert later.rungs[0].at == at("2026-03-09 17:30")
    assert clock_moves.from_row(clock_moves.as_row(clock)) == clock


@pytest.mark.parametrize("steps", [(), ("accept",), ("accept", "sign"), ("accept", "sign", "finish")])
def test_the_same_names_change_nothing_but_the_version(steps: tuple[str, ...]) -> None:
    forms: dict[str, Any] = {
        "finish": {"result": "解决", "contacted": True, "internal": "查了", "public_reply": "已退费"}
    }
    made = Sandbox(rules_of(WORKFLOW), now=MONDAY)
    made.receive({"category": "违规收费"})
    for step in steps:
        made.act({"accept": "dispatcher"}.get(step, "handler"), step, forms.get(step))
    before = made.case().situation
    after = moved(made, mapping(version(2)))[0].situation
    assert after.clocks == before.clocks
    assert replace(after.grievance, workflow=WORKFLOW, seq=0, head=b"") == replace(before.grievance, seq=0, head=b"")


def test_a_deadline_that_moves_into_the_past_is_said_to_be_late_now() -> None:
    three = ("- {is: 5 workdays, source:", "- {is: 3 workdays, source:")
    made = town("accept", "sign")
    made.advance(at("2026-03-06 10:00"))
    _, report = moved(made, mapping(renamed(2, three), new_limits=True))
    assert report.clocks[0].overdue
    assert report.warnings[0] == "办理时限：到期由 2026-03-09 17:30 改为 2026-03-05 17:30，因此已经逾期"
