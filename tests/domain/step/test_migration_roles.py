"""A role that running grievances remember may not vanish on the way: separation of duties rests on it."""

from dataclasses import replace

import pytest
from tests.loop.versions import version
from tests.site import MONDAY, WORKFLOW, rules_of

from wuye_loop.authoring.checker.check import load
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.domain.step.migration.carry import migrated
from wuye_loop.domain.step.migration.mapping import MissingTarget, NotMigratable, VersionMapping
from wuye_loop.settings import shipped
from wuye_loop.trial.sandbox.sandbox import Sandbox

RENAMED = ("handler", "undertaker")


def town() -> Sandbox:
    made = Sandbox(rules_of(WORKFLOW), now=MONDAY)
    made.receive({"category": "违规收费"})
    made.act("dispatcher", "accept")
    made.act("handler", "sign")
    return made


def lacking(made: Sandbox, text: str) -> list[MissingTarget]:
    """Return what has no place in this version; an empty list when the case goes over."""
    new = Rules(load(text, "version.yaml"))
    try:
        migrated(replace(made.world(), rules=new), made.case().situation, VersionMapping(rules_of(WORKFLOW), new))
    except NotMigratable as error:
        return error.missing
    return []


def test_a_role_that_units_have_acted_in_has_no_place_when_it_vanishes() -> None:
    made = town()
    assert "handler" in made.case().situation.grievance.did
    found = lacking(made, version(2, RENAMED))
    assert [(gap.what, gap.name) for gap in found] == [("办过的角色", "handler")]


def test_a_role_that_opened_an_open_task_has_no_place_when_it_vanishes() -> None:
    made = town()
    made.open_task("handler", "extension", {"days": 2, "reason": "等配件"})
    found = {(gap.what, gap.name) for gap in lacking(made, version(2, RENAMED))}
    assert found == {("办过的角色", "handler"), ("发起任务的角色", "extension/handler")}


def test_a_role_that_is_said_to_have_another_name_now_goes_over() -> None:
    made = town()
    made.open_task("handler", "extension", {"days": 2, "reason": "等配件"})
    text = version(2, RENAMED, more="\nmigrates:\n  kuiwen@1: {roles: {handler: undertaker}}\n")
    assert lacking(made, text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (old, file.stem)
        for file in sorted(shipped("workflows").glob("*@*.yaml"))
        for old in rules_of(file.stem).workflow.migrates
    ],
)
def test_no_shipped_version_drops_a_role_of_the_one_it_comes_from(old: str, new: str) -> None:
    way = VersionMapping(rules_of(old), rules_of(new))
    assert {way.role(name) for name in way.old.workflow.roles} <= set(way.new.workflow.roles)
