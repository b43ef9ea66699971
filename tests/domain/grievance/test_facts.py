"""Facts: one looked up is the same as among all at once, wherever a grievance stands."""

import pytest
from tests.bench.decide import walk

from wuye_loop.domain.grievance.facts import facts_of
from wuye_loop.domain.language.fact_names import FACTS
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import whole_text

FILE = shipped("workflows") / "kuiwen@1.yaml"


def test_a_fact_asked_alone_is_the_fact_among_all_of_them_in_every_situation_of_a_city() -> None:
    met: set[str] = set()
    for case in walk(parse(whole_text(FILE), FILE.name)):
        task = case.situation.tasks[case.command.task_id] if case.command.task_id else None
        facts = facts_of(case.world, case.situation, task, case.command.form)
        every = facts.every()
        assert {name: facts.get(name) for name in every} == every
        assert {name: facts[name] for name in every} == every
        assert len(facts) == len(dict(facts))
        met.update(every)
    assert {name.partition(".")[0] for name in met} >= {*FACTS, "open", "tasks", "done", "cycle_done", "data", "form"}


def test_a_fact_that_nobody_has_is_what_stands_for_its_absence() -> None:
    case = next(iter(walk(parse(whole_text(FILE), FILE.name))))
    facts = facts_of(case.world, case.situation)
    assert [
        facts.get(name, 7) for name in ("done.fly", "open.fly", "data.fly", "form.fly", "overdue.fly", "document")
    ] == [7] * 6
    with pytest.raises(KeyError):
        facts["done.fly"]
