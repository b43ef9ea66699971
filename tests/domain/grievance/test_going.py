"""The clocks that have not ended are known beside all clocks: whatever a step does, both say the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.bench.decide import walk
from tests.site import MONDAY, WORKFLOW, rules_of

from wuye_loop.domain.grievance.situation import Going, Situation
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.step import actions
from wuye_loop.domain.step.builder import Builder
from wuye_loop.store.workflows.files import whole_text
from wuye_loop.trial.sandbox.sandbox import Sandbox

CITIES = sorted(Path("workflows").glob("*@*.yaml"))


def found_anew(situation: Situation) -> Going:
    return Situation(situation.grievance, situation.tasks, situation.clocks).going()


def known(situation: Situation) -> Going:
    return {flow: clocks for flow, clocks in situation.going().items() if clocks}


@pytest.mark.parametrize("file", CITIES, ids=lambda file: file.stem)
def test_every_action_of_every_city_leaves_the_two_alike(file: Path) -> None:
    cases = list(walk(parse(whole_text(file), file.name)))
    assert cases
    for case in cases:
        step = actions.decide(case.world, case.situation, case.command)
        assert known(step.situation) == found_anew(step.situation), case.name


def test_two_clocks_that_change_names_are_each_known_by_the_other_name() -> None:
    made = Sandbox(rules_of(WORKFLOW), now=MONDAY)
    made.receive({"category": "违规收费"})
    made.act("dispatcher", "accept")
    builder = Builder(made.world(), made.case().situation)
    running = builder.situation.going()[None]
    handle, sign = running["handle"], running["sign"]
    builder.keep(replace(handle, name="sign"))
    builder.keep(replace(sign, name="handle"))
    assert known(builder.situation) == found_anew(builder.situation)
    assert builder.situation.going()[None]["sign"].id == handle.id
