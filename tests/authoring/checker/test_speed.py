"""How long the checker takes, in CPU time: the shipped files together, and a definition ten times as large as any city's."""

import gc
import time
from collections.abc import Callable, Iterator

import pytest

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
def _only_its_own_objects() -> Iterator[None]:
    """Set aside what the tests before left on the heap: it is not the checker that has to be measured by it."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def quickest(what: Callable[[], object]) -> float:
    """Return the CPU seconds of the quickest of three: others use the same processors at the same time."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        what()
        taken.append(time.process_time() - started)
    return min(taken)


def test_two_hundred_states_and_a_thousand_actions_check_in_less_than_two_seconds() -> None:
    text = large(200, 1000)
    workflow, findings = check(text, "large.yaml")
    assert findings == []
    assert workflow is not None
    assert (len(workflow.states), len(workflow.actions)) == (200, 1000)
    assert quickest(lambda: check(text, "large.yaml")) < 2


def test_all_the_shipped_files_check_in_less_than_a_second() -> None:
    files = sorted(shipped("workflows").glob("*.yaml"))

    def every() -> None:
        for path in files:
            check(text_in(path), str(path), bases=bases(path, ()))

    assert quickest(every) < 1
