"""How long the checker takes: the shipped files together, and a definition ten times as large as any city's."""

import gc

import pytest
from tests.speed import cost, yardstick

from wuye_loop.authoring.checker.check import check
from wuye_loop.settings import shipped
from wuye_loop.store.workflows.files import bases, text_in

STAGES = ("collect", "assign", "handle", "escalate", "feedback", "evaluate")


def large(states: int, actions: int) -> str:
    """Write a sound definition of that many states, in a row with leaps ahead, and actions."""
    names = [f"s{n:03}" for n in range(states - 1)]
    lines = [
        "name: large", "version: 1", "title: 大流程", "roles:", "  desk: {title: 受理, unit: centre}",
        "  handler: {title: 承办, unit: lead}", "instruments: {remind: {title: 提醒}}", "states:",
    ]  # fmt: skip
    for n, name in enumerate(names):
        lines.append(f"  {name}: {{stage: {STAGES[n * 6 // states]}, title: 状态{n}, holder: desk}}")
    lines += ["  done: {stage: evaluate, title: 办结, final: true}", "clocks:"]
    for n in range(0, len(names), 10):
        lines += [
            f"  c{n:03}:", f"    title: 时限{n}", f"    during: [{', '.join(names[n : n + 10])}]", "    limit:",
            "      - {when: {urgency: 特急}, is: 2 hours, starts: at once}", "      - {is: 5 workdays}",
            "    ladder:", "      - {at: due, do: remind, to: handler}",
        ]  # fmt: skip
    lines.append("actions:")
    for n in range(actions):
        here, leap = n % len(names), 1 + n // len(names) * 7
        target = (*names, "done")[min(here + leap, len(names))]
        lines += [
            f"  a{n:04}:", f"    title: 操作{n}", f"    from: {names[here]}", f"    to: {target}", "    by: desk",
            "    needs: {reason: {text: {max: 500}, title: 理由}}",
        ]  # fmt: skip
    return "\n".join([*lines, "routers: [{kind: desk}]", ""])


@pytest.fixture(autouse=True)
def _only_its_own_objects() -> None:
    """Set aside what the tests before left on the heap: it is not the checker that has to be measured by it."""
    gc.collect()
    gc.freeze()


def test_two_hundred_states_and_a_thousand_actions_check_quickly() -> None:
    text = large(200, 1000)
    workflow, findings = check(text, "large.yaml")
    assert {one.code for one in findings} == {"only-reminds"}
    assert workflow is not None
    assert (len(workflow.states), len(workflow.actions)) == (200, 1000)
    assert cost(lambda: check(text, "large.yaml")) < 300 * yardstick()


def test_all_the_shipped_files_check_quickly() -> None:
    files = sorted(shipped("workflows").glob("*.yaml"))

    def every() -> None:
        for path in files:
            check(text_in(path), str(path), bases=bases(path, ()))

    assert cost(every) < 150 * yardstick()
