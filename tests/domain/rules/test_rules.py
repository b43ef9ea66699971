"""The way an action goes: the table in which every step looks it up, against the library's machine it was made from."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from transitions import MachineError

from wuye_loop.domain.errors import IllegalAction
from wuye_loop.domain.language.workflow import ActionSpec, Flow
from wuye_loop.domain.rulefile.definition import parse
from wuye_loop.domain.rules.flow import FlowMachine, Token
from wuye_loop.domain.rules.rules import Rules
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import whole_text

CHOOSY = {
    "states": {"open": {"title": "未结"}, "shut": {"title": "已结", "final": True}},
    "actions": {
        "weigh": {
            "by": "system",
            "from": "open",
            "outcomes": ({"when": {"urgency": "特急"}, "to": "shut"}, {"when": {"urgency": "加急"}}),
        }
    },
}
FILES = sorted(shipped("workflows").glob("*.yaml"))


def compiled(file: Path) -> Rules:
    return Rules(parse(whole_text(file), file.name))


def triggered(machine: FlowMachine, action: str, state: str, facts: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return where the library itself goes, and which way; None where it does not."""
    token = Token(state)
    try:
        moved = machine.machine.events[action].trigger(token, facts=facts)
    except (KeyError, MachineError):
        return None
    return (token.state, token.way) if moved else None


def looked_up(machine: FlowMachine, action: str, state: str, facts: Mapping[str, Any]) -> tuple[str, int] | None:
    try:
        return machine.fire(action, state, facts)
    except IllegalAction:
        return None


def values_of(wanted: object) -> list[object]:
    """Return values that a matcher as simple as those in the files takes, and some beside them."""
    if isinstance(wanted, list):
        return [*wanted]
    if isinstance(wanted, dict):
        return ["别的", *(edge + step for edge in wanted.values() if isinstance(edge, int) for step in (-1, 0, 1))]
    return [wanted, "别的"]


def facts_for(spec: ActionSpec) -> Iterator[dict[str, Any]]:
    """Yield every choice among the values that the ways of an action ask for, and others."""
    asked: dict[str, list[object]] = {}
    for way in spec.ways:
        for name, wanted in way.when.raw.items():
            asked.setdefault(name, [None]).extend(values_of(wanted))
    for values in product(*asked.values()):
        yield dict(zip(asked, values, strict=True))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_of_every_shipped_flow_goes_where_the_library_goes(file: Path) -> None:
    rules = compiled(file)
    taken = 0
    for machine in (rules.main, *rules.tasks.values()):
        for action, spec in machine.flow.actions.items():
            for state in machine.flow.states:
                for facts in facts_for(spec):
                    goes = triggered(machine, action, state, facts)
                    assert looked_up(machine, action, state, facts) == goes, (action, state, facts)
                    taken += goes is not None
    assert taken


def test_the_table_holds_every_transition_and_tries_them_in_the_order_of_the_file() -> None:
    rules = compiled(shipped("workflows") / "kuiwen@1.yaml")
    ways = {(name, way) for name, spec in rules.main.flow.actions.items() for way in range(len(spec.ways))}
    met = {
        (action, goes[1])
        for action, spec in rules.main.flow.actions.items()
        for state in spec.from_
        for facts in facts_for(spec)
        if (goes := looked_up(rules.main, action, state, facts)) is not None
    }
    assert met == ways


def test_an_action_is_refused_in_words_where_the_state_has_none_or_no_way_holds() -> None:
    machine = FlowMachine(Flow.model_validate(CHOOSY))
    assert machine.fire("weigh", "open", {"urgency": "特急"}) == ("shut", 0)
    assert machine.fire("weigh", "open", {"urgency": "加急"}) == ("open", 1)
    with pytest.raises(IllegalAction, match="没有适用的结果"):
        machine.fire("weigh", "open", {"urgency": "常规"})
    for action, state in (("weigh", "shut"), ("fly", "open")):
        with pytest.raises(IllegalAction, match="当前状态下不能这样办"):
            machine.fire(action, state, {"urgency": "特急"})


def test_only_actions_whose_first_way_always_holds_are_taken_without_asking_facts() -> None:
    for file in FILES:
        rules = compiled(file)
        for machine in (rules.main, *rules.tasks.values()):
            for name, spec in machine.flow.actions.items():
                assert machine.actions[name].certain == (not spec.ways[0].when.raw)
